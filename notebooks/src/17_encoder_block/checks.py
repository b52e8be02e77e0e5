"""Lesson 17: two norms, the block, and rotary positions."""

import functools

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, properties, says, variations
from exercises.properties import without


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x, mask=None):
        B, N, d_model = x.shape
        qkv = self.qkv(x).view(B, N, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, N, d_k) each
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(B, N, d_model))


# --- layers with parameters that are the same for every answer ---------------


def parameters_of(model, d_model):
    """Its parameters by name; those of `ffn` by what they are."""
    kinds = {
        (4 * d_model, d_model): "first_weight",
        (4 * d_model,): "first_bias",
        (d_model, 4 * d_model): "second_weight",
        (d_model,): "second_bias",
    }
    named = {}
    for name, p in model.named_parameters():
        shape = tuple(p.shape)
        if name.startswith("ffn.") and shape in kinds:
            name = f"ffn:{kinds[shape]}"
        named[name] = p
    return named


def made(answer, sizes, values, dtype):
    """The answer's layer, with values (by name) in its parameters."""
    model = answer(*sizes)
    named = parameters_of(model.to(dtype), sizes[0])
    got = {name: tuple(p.shape) for name, p in named.items()}
    due = {name: tuple(p.shape) for name, p in values.items()}
    for name in [*due, *got]:
        if got.get(name) != due.get(name):
            raise Rejection(
                f"参数 {name}：应为 {due.get(name, '没有')}，得到 "
                f"{got.get(name, '没有')}。",
                f"The parameter {name}: expected {due.get(name, 'none')}, got "
                f"{got.get(name, 'none')}.",
            )
    with torch.no_grad():
        for name, p in named.items():
            p.copy_(values[name])
    return model


def loaded(answer):
    """Its output for a case: sizes, values, x and what else forward takes."""
    return lambda sizes, values, *inputs: made(
        answer, sizes, values, inputs[0].dtype
    )(*inputs)


def gradients(answer, sizes, values, x, *others):
    """The output, and the gradients of one number made of it, by name."""
    model = made(answer, sizes, values, x.dtype)
    x = x + (x == 0) * torch.arange(1.0, x.shape[-1] + 1)  # no row of zeros
    x = x.detach().requires_grad_()
    y = model(x, *others)
    if not y.requires_grad:
        return y, {}
    leaves = {"x": x} | parameters_of(model, sizes[0])
    factors = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)
    found = torch.autograd.grad(
        (y * factors).sum(), [*leaves.values()], materialize_grads=True
    )
    return y, dict(zip(leaves, found, strict=True))


def same_gradients(oracle):
    """A property: gradients are those of the oracle's layer."""

    @says(
        "输出对了，梯度不对：有一部分计算与图断开了（detach、no_grad 或 "
        ".data），或者有的参数没有用上。",
        "The output is right, gradients are not: a part of the computation is "
        "cut off from the graph (detach, no_grad or .data), or a parameter is "
        "not used.",
    )
    def test(answer, *case):
        want, due = gradients(oracle, *case)
        y, got = gradients(answer, *case)
        near = 1e-2 if y.dtype == torch.float32 else 1e-6
        if not torch.allclose(y, want, near / 100, near / 100):
            return True  # values are told by themselves
        return got.keys() == due.keys() and all(
            torch.allclose(got[name], due[name], near, near) for name in due
        )

    return test


# --- 1 and 2: norms ----------------------------------------------------------


def rows_to_normalise(names):
    """Rows of several scales and means, one of them all 0, as for a pad."""

    def cases(rng):
        for s in variations(rng, "* N D"):
            scale = 10.0 ** s.integers("* N", -3, 3)[..., None].to(s.dtype)
            x = s.lay((s.normal("* N D") + s.normal("* N")[..., None]) * scale)
            x[..., 0, :] = 0
            values = {name: s.normal("D") for name in names}
            yield (s.D,), values, x

    return cases


own = without(
    "layer_norm rms_norm",
    "你调用了现成的归一化：这里要自己算。",
    "You call a norm that exists already: here, compute it yourself.",
    run=lambda f, *case: loaded(f)(*case),
)


@says(
    "刚造好的层，weight 应全是 1（bias 应全是 0）。",
    "In a new layer, weight should be all 1 (and bias all 0).",
)
def starts_plain(answer, sizes, values, x):
    new = answer(*sizes)
    return bool((new.weight == 1).all()) and (
        "bias" not in values or not new.bias.any()
    )


class LayerNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x):  # (*, d_model)
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)
        normal = centred / (variance + 1e-5).sqrt()
        return normal * self.weight + self.bias


LayerNorm = exercise(
    LayerNorm,
    rows_to_normalise(["weight", "bias"]),
    part=True,
    adapt=loaded,
    oracle=nn.LayerNorm,
    holds=[own, starts_plain, same_gradients(nn.LayerNorm)],
    wrong="""
centred.square().mean(dim=-1, keepdim=True) => x.var(dim=-1, keepdim=True)
方差除以了 D − 1，应除以 D：var 默认如此，见它的参数 correction。
You divide by D − 1, not by D: the default of var, see its argument correction.

(variance + 1e-5).sqrt() => (variance + 1e-5)
你除以了方差：应除以它的平方根。
You divide by the variance, and it should be its root.

(variance + 1e-5).sqrt() => (variance + 1e-5).sqrt().sqrt()
你开了两次根号：应除以标准差，不是它的平方根。
You took the root twice: divide by the standard deviation, not by its root.

(variance + 1e-5).sqrt() => (variance.sqrt() + 1e-5)
1e-5 加在了根号外面：应加在方差上，再开根号。
You add 1e-5 outside of the root: it is added to the variance, before the root.

dim=-1 => dim=-2
你沿着位置的轴求了平均：每一行要用自己的 D 个数。
You took means along the positions: each row uses its own D numbers.
""",
)


class RMSNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x):  # (*, d_model)
        mean_square = x.square().mean(dim=-1, keepdim=True)
        return x / (mean_square + 1e-5).sqrt() * self.weight


their_rms_norm = functools.partial(nn.RMSNorm, eps=1e-5)
RMSNorm = exercise(
    RMSNorm,
    rows_to_normalise(["weight"]),
    part=True,
    adapt=loaded,
    oracle=their_rms_norm,
    holds=[own, starts_plain, same_gradients(their_rms_norm)],
    wrong="""
mean_square = => x = x - x.mean(dim=-1, keepdim=True)\\n        mean_square =
你先减去了平均：那是没有 bias 的 LayerNorm。
You subtract the mean first: that is LayerNorm without its bias.

(mean_square + 1e-5).sqrt() => (mean_square + 1e-5)
你除以了均方：应除以它的平方根。
You divide by the mean square, and it should be its root.

(mean_square + 1e-5).sqrt() => (mean_square + 1e-5).sqrt().sqrt()
你开了两次根号：应除以均方根，不是它的平方根。
You took the root twice: divide by the root of the mean square, once.

(mean_square + 1e-5).sqrt() => (mean_square.sqrt() + 1e-5)
1e-5 加在了根号外面：应加在均方上，再开根号。
You add 1e-5 outside of the root: add it to the mean square, before the root.

.square().mean( => .square().sum(
你除以了行的长度 ‖x‖：平方要取平均，不是求和。
You divide by the length ‖x‖ of the row: the squares are averaged, not summed.
""",
)


# --- 3: the block ------------------------------------------------------------


class Block(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, num_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.ffn = nn.Sequential(
            nn.Linear(d_model, 4 * d_model),
            nn.GELU(),
            nn.Linear(4 * d_model, d_model),
        )

    def forward(self, x, mask=None):  # (B, N, d_model)
        z = x + self.attention(self.norm1(x), mask)
        return z + self.ffn(self.norm2(z))


OURS = """attention.qkv.weight attention.qkv.bias
attention.out.weight attention.out.bias
ffn:first_weight ffn:first_bias ffn:second_weight ffn:second_bias
norm1.weight norm1.bias norm2.weight norm2.bias"""


class Theirs(nn.TransformerEncoderLayer):
    """PyTorch's layer, with this lesson's names and masks."""

    def __init__(self, d_model, num_heads):
        super().__init__(
            d_model, num_heads, 4 * d_model, dropout=0.0, activation="gelu",
            batch_first=True, norm_first=True,
        )  # fmt: skip
        self.num_heads = num_heads

    def named_parameters(self):
        theirs = [p for _, p in super().named_parameters()]
        return zip(OURS.split(), theirs, strict=True)

    def forward(self, x, mask=None):
        if mask is not None:  # in theirs True means may not attend
            B, N, _ = x.shape
            mask = ~mask.expand(B, self.num_heads, N, N).flatten(0, 1)
        return super().forward(x, src_mask=mask)


def some_blocks(rng):
    cases = variations(rng, "B N H D", high=6)
    for i, s in enumerate(cases):
        s["F"] = d_model = s.H * s.D
        values = {
            name: torch.randn(p.shape, generator=rng, dtype=s.dtype)
            * (0.7 if p.ndim == 1 else d_model**-0.5)
            for name, p in Theirs(d_model, s.H).named_parameters()
        }
        causal = torch.ones(s.N, s.N, dtype=torch.bool).tril()
        real = torch.arange(s.N) < s.integers("B", 1, s.N + 1)[:, None]
        mask = (None, causal, real[:, None, None])[i % 3]
        inputs = (s.normal("B N F"),) + (() if mask is None else (mask,))
        yield (d_model, s.H), values, *inputs


Block = exercise(
    Block,
    some_blocks,
    part=True,
    seeds=(0,),
    adapt=loaded,
    oracle=Theirs,
    holds=[same_gradients(Theirs)],
    wrong="""
self.attention(self.norm1(x), mask) => self.attention(x, mask)
z = x + => z = self.norm1(x +
x, mask) => x, mask))
return z + self.ffn(self.norm2(z)) => return self.norm2(z + self.ffn(z))
归一化放在了相加之后（post-LN）：应放在每一步之前。
You normalise after the sums (post-LN): it comes before each step.

return z + => return x +
第二次相加时应从 z 出发，不是从 x：注意力的结果丢了。
The second sum starts from z, not from x: what attention added is lost.

z = x + => z =
注意力那一步没有加回 x。
In the step of attention x is not added back.

return z + => return
ffn 那一步没有加回 z。
In the step of ffn z is not added back.

z = x + => x = self.norm1(x)\\n        z = x +
self.attention(self.norm1(x) => self.attention(x
归一化过的 x 又被加了回去：相加的应是归一化之前的 x。
You add the normalised x back: it is x before the norm that is added.

z = x + => x = self.norm1(x)\\n        z = x +
self.attention(self.norm1(x) => self.attention(x
return z + => z = self.norm2(z)\\n        return z +
self.ffn(self.norm2(z)) => self.ffn(z)
两步里加回去的都归一化过：相加的应是归一化之前的 x 和 z。
In both steps what is added back is normalised: add x and z before the norm.

, mask) => )
mask 没有交给注意力。
mask is not passed on to attention.

GELU() => ReLU()
非线性用了 ReLU，这里是 GELU。
The nonlinearity is ReLU; here it is GELU.
""",
)


# --- 4: rotary positions -----------------------------------------------------


def rotary(x, base=10000.0):
    N, d_k = x.shape[-2:]
    n = torch.arange(N, dtype=x.dtype, device=x.device)
    i = torch.arange(d_k // 2, dtype=x.dtype, device=x.device)
    angles = n[:, None] * base ** (-2 * i / d_k)  # (N, d_k / 2)
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., 0::2], x[..., 1::2]  # (*, N, d_k / 2) each
    pairs = torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1)
    return pairs.flatten(-2)  # (*, N, d_k)


def paired(x):
    """Neighbouring columns a, b as complex numbers a + ib."""
    return torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())


def turned(x, base=10000.0):
    """The same with complex numbers: times e^(i angle)."""
    N, d_k = x.shape[-2:]
    speeds = base ** (-torch.arange(0, d_k, 2, dtype=x.dtype) / d_k)
    angles = torch.outer(torch.arange(N, dtype=x.dtype), speeds)
    turns = torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(paired(x) * turns).flatten(-2)


def rows_to_turn(rng):
    for i, s in enumerate(variations(rng, "* N D", low=3, high=9)):
        s["D"] *= 2  # an even width
        base = ((), (100.0,), (7.0,))[i % 3]
        yield s.normal("* N D"), *base


@says("旋转不对。", "The rotation is not right.")
def turns_pairs(f, x, *base):
    y, start, due = map(paired, (f(x, *base), x, turned(x, *base)))
    if not torch.allclose(y.abs(), due.abs(), atol=1e-4):
        raise Rejection(
            "有的对 (a, b) 长度变了：旋转不改变长度。",
            "Some pairs (a, b) have another length now: a rotation keeps it.",
        )
    for *_, n, i in ((y - due).abs() > 1e-3).nonzero().tolist()[:1]:
        got, want = (
            (z * start.conj())[..., n, i].flatten()[0].angle() % (2 * torch.pi)
            for z in (y, due)
        )
        raise Rejection(
            f"位置 {n} 的第 {i} 对转了 {got:.3f} 弧度，应为 {want:.3f}。",
            f"At position {n}, pair {i} was turned by {got:.3f} radians; it "
            f"should be {want:.3f}.",
        )


rotary = exercise(
    rotary,
    rows_to_turn,
    part=True,
    oracle=turned,
    holds=[properties.same_gradients(rotary), turns_pairs],
    wrong="""
x[..., 0::2], x[..., 1::2] => x.chunk(2, dim=-1)
pairs.flatten(-2) => pairs.mT.flatten(-2)
你把前一半和后一半配成了对：这里是相邻的两列配对，0 和 1、2 和 3……
You pair the halves: here neighbours are paired, 0 with 1, 2 with 3, ...

return pairs.flatten(-2) => return pairs.mT.flatten(-2)
每一对算对了，放回去时没有相邻：应还在原来的两列。
Each pair is right, but not side by side: it goes back into its own columns.

angles = n[ => angles = (n + 1)[
位置从 1 数起了：第一行的角应是 0，这一行不变。
You count positions from 1: the angle of the first row is 0, so that it does
not change.

return right(x.transpose(0, -2), base).transpose(0, -2)
位置数错了轴：N 是倒数第二个轴，前面的轴与位置无关。
Wrong axis: positions go along N, the last but one; axes in front have none.
""",
)
