"""Lesson 17: right answers written otherwise, wrong ones that may not pass."""

import math

import torch
import torch.nn.functional as F
from torch import nn

import checks

# --- norms -------------------------------------------------------------------


class Plain(nn.Module):
    has_bias = True

    def __init__(self, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        if self.has_bias:
            self.bias = nn.Parameter(torch.zeros(d_model))


class ByVar(Plain):
    def forward(self, x):
        var, mean = torch.var_mean(x, -1, keepdim=True, correction=0)
        return torch.addcmul(
            self.bias, x - mean, self.weight * torch.rsqrt(var + 1e-5)
        )


class ByMoments(Plain):
    def forward(self, x):
        D = x.shape[-1]
        x = x - (x.sum(-1) / D)[..., None]
        square = torch.einsum("...d,...d->...", x, x) / D
        return x / (square + 1e-5)[..., None] ** 0.5 * self.weight + self.bias


class Detached(ByMoments):
    def forward(self, x):
        var = x.var(-1, keepdim=True, correction=0).detach()
        x = x - x.mean(-1, keepdim=True)
        return x / (var + 1e-5).sqrt() * self.weight + self.bias


class OverTheBatch(Plain):
    def forward(self, x):
        x = x - x.mean()
        return x / (x.square().mean() + 1e-5).sqrt() * self.weight + self.bias


class RootMeanSquare(Plain):
    has_bias = False

    def forward(self, x):
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        D = x.shape[-1]
        return self.weight * x * torch.rsqrt(length**2 / D + 1e-5)


class RmsByEinsum(RootMeanSquare):
    def forward(self, x):
        inside = torch.einsum("...d,...d->...", x, x) / x.shape[-1] + 1e-5
        return x / inside.unsqueeze(-1).pow(0.5) * self.weight


class RmsWithBias(RmsByEinsum):
    has_bias = True


# --- the block ---------------------------------------------------------------


class TwoLayers(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.down = nn.Linear(4 * d_model, d_model)
        self.up = nn.Linear(d_model, 4 * d_model)

    def forward(self, x):
        h = self.up(x)
        return self.down(h * (1 + torch.erf(h / math.sqrt(2))) / 2)


class BlockOfOwnParts(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.ffn = TwoLayers(d_model)
        self.attention = checks.MultiHeadAttention(d_model, num_heads)
        self.norm1, self.norm2 = ByVar(d_model), ByMoments(d_model)

    def forward(self, x, mask=None):
        x = x + self.attention(self.norm1(x), mask=mask)
        return x + self.ffn(self.norm2(x))


class BlockOfFunctions(checks.Block.answer):
    def forward(self, x, mask=None):
        normal = F.layer_norm(x, x.shape[-1:], *self.norm1.parameters())
        y = torch.add(self.attention(normal, mask), x)
        h = F.gelu(self.ffn[0](self.norm2(y)))
        return F.linear(h, self.ffn[2].weight, self.ffn[2].bias) + y


class BlockDetached(checks.Block.answer):
    def forward(self, x, mask=None):
        z = x + self.attention(self.norm1(x), mask)
        return z + self.ffn(self.norm2(z.detach()))


# --- rotary ------------------------------------------------------------------


def by_matrices(x, base=10000.0):
    y = torch.zeros_like(x)
    for n in range(x.shape[-2]):
        for i in range(x.shape[-1] // 2):
            angle = n * base ** (-2 * i / x.shape[-1])
            c, s = math.cos(angle), math.sin(angle)
            R = torch.tensor([[c, s], [-s, c]], dtype=x.dtype)
            y[..., n, 2 * i : 2 * i + 2] = x[..., n, 2 * i : 2 * i + 2] @ R
    return y


def by_turned_copy(x, base=10000.0):
    N, d_k = x.shape[-2:]
    speeds = base ** (-torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
    angles = torch.outer(torch.arange(N, dtype=torch.float64), speeds)
    angles = angles.repeat_interleave(2, dim=1).to(x.dtype)
    other = x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2).clone()
    other[..., 0::2] *= -1
    return x * angles.cos() + other * angles.sin()


def backwards(x, base=10000.0):
    return checks.rotary.answer(x.flip(-2), base).flip(-2)


RIGHT = {
    "LayerNorm": [ByVar, ByMoments],
    "RMSNorm": [RootMeanSquare, RmsByEinsum],
    "Block": [BlockOfOwnParts, BlockOfFunctions],
    "rotary": [by_matrices, by_turned_copy],
}

WRONG = {
    "LayerNorm": [Detached, OverTheBatch],
    "RMSNorm": [RmsWithBias],
    "Block": [BlockDetached],
    "rotary": [backwards],
}
