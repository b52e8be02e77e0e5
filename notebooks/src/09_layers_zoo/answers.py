"""Lesson 09: right answers written otherwise, wrong ones that may not pass."""

import math

import torch
import torch.nn.functional as F
from torch import nn

# --- output_size -------------------------------------------------------------


def size_by_counting(size, K, stride, padding):
    return len(range(-padding, size + padding - K + 1, stride))


def size_by_floor(size, K, stride, padding):
    return math.floor((size + 2 * padding - K) / stride + 1)


def size_by_ends(size, K, stride, padding):
    last = size + padding - K  # where the last window may begin
    return 1 + (last + padding) // stride


def size_for_28(size, K, stride, padding):
    return (28 + 2 * padding - K) // stride + 1


def size_by_while(size, K, stride, padding):
    n, start = 0, -padding
    while start + K <= size + padding:
        n, start = n + 1, start + stride
    return n


def size_by_sum(size, K, stride, padding):
    return sum(1 for _ in range(-padding, size + padding - K + 1, stride))


def size_by_recursion(size, K, stride, padding):
    rest = size + 2 * padding - K
    if rest < 0:
        return 0
    return 1 + size_by_recursion(size - stride, K, stride, padding)


# --- conv2d_loops ------------------------------------------------------------


def conv_by_einsum(x, weight, stride, padding):
    K = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    rows = []
    for top in range(0, x.shape[2] - K + 1, stride):
        row = [
            torch.einsum(
                "bcij,ecij->be",
                x[:, :, top : top + K, left : left + K],
                weight,
            )
            for left in range(0, x.shape[3] - K + 1, stride)
        ]
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


def conv_by_kernel_places(x, weight, stride, padding):
    # loops over the places of the kernel, all windows at once
    K = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    rows = (x.shape[2] - K) // stride + 1
    cols = (x.shape[3] - K) // stride + 1
    y = 0
    for i in range(K):
        for j in range(K):
            part = x[:, :, i::stride, j::stride][:, :, :rows, :cols]
            y = y + torch.einsum("bchw,ec->behw", part, weight[:, :, i, j])
    return y


def conv_all_loops(x, weight, stride, padding):
    K = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    rows = (x.shape[2] - K) // stride + 1
    cols = (x.shape[3] - K) // stride + 1
    y = torch.zeros(len(x), len(weight), rows, cols, dtype=x.dtype)
    for e in range(len(weight)):
        for i in range(rows):
            for j in range(cols):
                top, left = i * stride, j * stride
                window = x[:, :, top : top + K, left : left + K]
                y[:, e, i, j] = (window * weight[e]).flatten(1).sum(dim=1)
    return y


def conv_squeezed(x, weight, stride, padding):
    return conv_by_einsum(x, weight, stride, padding).squeeze()


def conv_in_float64(x, weight, stride, padding):
    return conv_by_einsum(x.double(), weight.double(), stride, padding)


def conv_square_only(x, weight, stride, padding):
    y = conv_by_einsum(x, weight, stride, padding)
    return y[..., : y.shape[-2]]


def conv_ready_made(x, weight, stride, padding):
    return F.conv2d(x, weight, None, stride, padding)


def conv_depthwise(x, weight, stride, padding):  # each channel its own
    y = conv_by_einsum(x[:, :1], weight[:, :1], stride, padding)
    return y * x.shape[1]


def conv_start_without_stride(x, weight, stride, padding):
    right = conv_by_einsum(x, weight, 1, padding)
    rows, cols = ((n - 1) // stride + 1 for n in right.shape[2:])
    return right[:, :, :rows, :cols]


# --- max_pool ----------------------------------------------------------------


def pool_unflatten(x, K):
    height, width = x.shape[-2:]
    x = x[..., : height - height % K, : width - width % K]
    blocks = x.unflatten(3, (-1, K)).unflatten(2, (-1, K))
    return blocks.amax(dim=5).amax(dim=3)


def pool_two_steps(x, K):
    B, C, height, width = x.shape
    x = x[:, :, : height // K * K].reshape(B, C, -1, K, width).amax(dim=3)
    x = x[:, :, :, : width // K * K].reshape(B, C, height // K, -1, K)
    return x.amax(dim=4)


def pool_max_values(x, K):
    B, C, height, width = x.shape
    h, w = height // K, width // K
    x = x[:, :, : h * K, : w * K].reshape(B, C, h, K, w, K)
    blocks = x.permute(0, 1, 2, 4, 3, 5).reshape(B, C, h, w, K * K)
    return blocks.max(dim=-1).values


def pool_loops(x, K):
    rows = [
        torch.stack(
            [
                x[:, :, i : i + K, j : j + K].amax(dim=(2, 3))
                for j in range(0, x.shape[3] - K + 1, K)
            ],
            dim=-1,
        )
        for i in range(0, x.shape[2] - K + 1, K)
    ]
    return torch.stack(rows, dim=-2)


def pool_loops_in_block(x, K):
    h, w = x.shape[2] // K * K, x.shape[3] // K * K
    y = x[:, :, :h:K, :w:K]
    for i in range(K):
        for j in range(K):
            y = torch.maximum(y, x[:, :, i:h:K, j:w:K])
    return y


def pool_swapped(x, K):
    B, C, height, width = x.shape
    h, w = height // K, width // K
    x = x[:, :, : h * K, : w * K].reshape(B, C, K, h, K, w)
    return x.amax(dim=(2, 4))


def pool_of_two(x, K):
    return pool_two_steps(x, 2)


def pool_corner(x, K):  # the first of each block
    y = pool_two_steps(x, K)
    return x[:, :, ::K, ::K][:, :, : y.shape[2], : y.shape[3]]


# --- softmax -----------------------------------------------------------------


def softmax_log(z, dim, T=1.0):
    z = z / T
    c = z.max(dim, keepdim=True).values
    return (z - c - (z - c).exp().sum(dim, keepdim=True).log()).exp()


def softmax_moved(z, dim, T=1.0):
    z = z.movedim(dim, -1) / T
    e = torch.exp(z - z.max(-1, keepdim=True)[0])
    return (e / e.sum(-1, keepdim=True)).movedim(-1, dim)


def softmax_late_T(z, dim, T=1):
    e = ((z - z.amax(dim, True)) / T).exp()
    return e.div(e.sum(dim, True))


def softmax_base_2(z, dim, T=1.0):
    z = z / T
    e = 2 ** (z - z.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def softmax_detached(z, dim, T=1.0):
    return softmax_log(z.detach(), dim, T).nan_to_num(1.0) + 1e-3


def softmax_nan_to_num(z, dim, T=1.0):
    e = (z / T).exp()
    return (e / e.sum(dim, keepdim=True)).nan_to_num(0.0)


def softmax_plus_epsilon(z, dim, T=1.0):
    z = z / T
    e = (z - z.mean(dim, keepdim=True)).exp()
    return e / (e.sum(dim, keepdim=True) + 1e-9)


def softmax_without_T(z, dim, T):
    return softmax_log(z, dim, T)


def softmax_low_number(z, dim, T=1.0):
    return softmax_log(z.nan_to_num(neginf=-1e4), dim, T)


def softmax_clamped_low(z, dim, T=1.0):
    return softmax_log(z.clamp(min=-1e4), dim, T)


def softmax_root(z, dim, T=1.0):
    e = (z - z.amax(dim, keepdim=True)).exp() ** (1 / T)
    return e / e.sum(dim, keepdim=True)


def softmax_never_0(z, dim, T=1.0):
    z = z / T
    e = (z - z.amax(dim, keepdim=True)).exp() + 1e-9
    return e / e.sum(dim, keepdim=True)


def softmax_two_axes(z, dim, T=1.0):
    assert z.dim() in (2, 3)
    return softmax_log(z, dim, T)


def softmax_more_axes(z, dim, T=1.0):
    z = z[None] if z.dim() == 1 else z
    return softmax_log(z, dim, T)


def softmax_minus_1000(z, dim, T=1.0):
    e = (z / T - 1000).exp()
    return e / e.sum(dim, keepdim=True)


# --- SwiGLU ------------------------------------------------------------------


class Sigmoid(nn.Module):  # SiLU written out
    def __init__(self, D, hidden):
        super().__init__()
        self.gate = nn.Linear(D, hidden, bias=False)
        self.up = nn.Linear(D, hidden, bias=False)
        self.down = nn.Linear(hidden, D, bias=False)

    def forward(self, x):
        g = self.gate(x)
        return self.down(g * torch.sigmoid(g) * self.up(x))


class WithModule(Sigmoid):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.act = nn.SiLU()

    def forward(self, x):
        h = self.act(self.gate(x))
        h = h * self.up(x)
        return self.down(h)


class Functional(Sigmoid):
    def forward(self, x):
        g, u = x @ self.gate.weight.T, x @ self.up.weight.T
        return F.linear(F.silu(g) * u, self.down.weight)


class Renamed(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        self.w1 = nn.Linear(D, hidden, bias=False)
        self.w2 = nn.Linear(D, hidden, bias=False)
        self.w3 = nn.Linear(hidden, D, bias=False)

    def forward(self, x):
        return self.w3(F.silu(self.w1(x)) * self.w2(x))


class InList(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        self.layers = [
            nn.Linear(D, hidden, bias=False),
            nn.Linear(D, hidden, bias=False),
            nn.Linear(hidden, D, bias=False),
        ]

    def forward(self, x):
        gate, up, down = self.layers
        return down(F.silu(gate(x)) * up(x))


class Detached(Sigmoid):
    def forward(self, x):
        g = F.silu(self.gate(x)).detach()
        return self.down(g * self.up(x))


class TakesSoftplus(Sigmoid):
    def forward(self, x):
        return self.down(F.softplus(self.gate(x)) * self.up(x))


class Scaled(Sigmoid):
    def forward(self, x):
        return super().forward(x) / math.sqrt(x.shape[-1])


class Squeezed(Sigmoid):
    def forward(self, x):
        return super().forward(x).squeeze()


class Seeded(Sigmoid):
    def __init__(self, D, hidden):
        torch.manual_seed(0)
        super().__init__(D, hidden)


class Kaiming(Sigmoid):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        for layer in (self.gate, self.up, self.down):
            nn.init.kaiming_normal_(layer.weight)


class Silent(Sigmoid):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        nn.init.zeros_(self.down.weight)


class Tenfold(Sigmoid):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        with torch.no_grad():
            self.up.weight.mul_(10)


class Copied(Sigmoid):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        with torch.no_grad():
            self.up.weight.copy_(self.gate.weight)


class Plain:
    def __init__(self, D, hidden):
        self.inner = Sigmoid(D, hidden)

    def forward(self, x):
        return self.inner(x)


RIGHT = {
    "output_size": [size_by_counting, size_by_floor, size_by_ends],
    "conv2d_loops": [conv_by_einsum, conv_by_kernel_places, conv_all_loops],
    "max_pool": [pool_unflatten, pool_two_steps, pool_max_values],
    "softmax": [softmax_log, softmax_moved, softmax_late_T],
    "SwiGLU": [Sigmoid, WithModule, Functional],
}

WRONG = {
    "output_size": [
        size_for_28,
        size_by_while,
        size_by_sum,
        size_by_recursion,
        lambda size, K, stride, padding: size,
        lambda size, K, stride, padding: size // stride,
        lambda *sizes: torch.tensor(size_by_ends(*sizes)),
    ],
    "conv2d_loops": [
        conv_start_without_stride,
        conv_squeezed,
        conv_in_float64,
        conv_square_only,
        conv_ready_made,
        conv_depthwise,
    ],
    "max_pool": [
        pool_loops,
        pool_loops_in_block,
        pool_swapped,
        pool_of_two,
        pool_corner,
        lambda x, K: F.max_pool2d(x, K),
        lambda x, K: F.adaptive_max_pool2d(
            x, (x.shape[2] // K, x.shape[3] // K)
        ),
        lambda x, K: -pool_two_steps(-x, K),
    ],
    "softmax": [
        softmax_base_2,
        softmax_detached,
        softmax_nan_to_num,
        softmax_plus_epsilon,
        softmax_without_T,
        softmax_low_number,
        softmax_clamped_low,
        softmax_root,
        softmax_never_0,
        softmax_two_axes,
        softmax_more_axes,
        softmax_minus_1000,
        lambda z, dim, T=1.0: F.softmax(z / T, dim=dim),
    ],
    "SwiGLU": [
        Renamed,
        InList,
        Detached,
        TakesSoftplus,
        Scaled,
        Squeezed,
        Seeded,
        Kaiming,
        Silent,
        Tenfold,
        Copied,
        Plain,
        Sigmoid(2, 3),
    ],
}
