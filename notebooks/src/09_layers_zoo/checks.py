"""Checks of lesson 09: convolution, pooling, softmax and a gated module."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import (
    Property,
    Rejection,
    exercise,
    normal,
    says,
    variations,
)
from exercises.properties import limited, no_loop, without

DTYPE = torch.float64

# --- 1. how many places a window has -----------------------------------------


def output_size(size, K, stride, padding):
    return (size + 2 * padding - K) // stride + 1


def sides(rng):
    for size, K in ((28, 3), (28, 5), (9, 9), (7, 2), (5, 1), (1, 1)):
        for stride in (1, 2, 3, 5):
            for padding in (0, 1, 2, 4):
                yield size, K, stride, padding
    yield 2, 5, 2, 2
    yield 1000, 7, 4, 3


def by_torch(size, K, stride, padding):
    with torch.device("meta"):
        row, kernel = torch.ones(1, 1, size), torch.ones(1, 1, K)
        return F.conv1d(row, kernel, stride=stride, padding=padding).shape[-1]


output_size = exercise(
    output_size,
    sides,
    oracle=by_torch,
    seeds=(0,),
    holds=[
        Property(
            lambda f, rng: limited(lambda: f(500_000, 3, 1, 1), 20_000),
            "有循环：边长越大，算的步数越多。",
            "There is a loop: the larger the side, the more steps it takes.",
        ),
    ],
    wrong="""
+ 1 =>
少了一个：第一个窗口从 0 开始，它不用移动就有一个位置。
One is missing: the first window lies at the start, before any move.

+ 2 * padding => + padding
填充只算了一边：两边各填 padding 个。
The padding is counted on one side only; there is that much on both sides.

+ 2 * padding - K => - K
没有算填充。
The padding is not counted.

- K) // stride + 1 => - K + 1) // stride
先加 1 再除以步长：窗口移动的次数才除以步长，第一个位置不在其中。
You add 1 before dividing by the stride: only the moves are divided, and the
first place is not a move.

(size + 2 * padding - K) // stride + 1 => size + 2 * padding - K + 1
没有算步长。
The stride is not counted.

// => /
结果应是整数：放不下的最后半步不算。
The result should be an integer: half a move at the end does not count.

return (size + 2 * padding - K) // stride + 1 => return round((size + 2 * padding - K) / stride) + 1
放不下整个窗口的那一步被四舍五入算了进去。
A move after which the window no longer fits is rounded up and counted.

return (size + 2 * padding - K) // stride + 1 => return round((size + 2 * padding - K) / stride + 1)
四舍五入有时会进上去：放不下整个窗口的那一步不算。
Rounding may go up: a move after which the window no longer fits does not count.

return (size + 2 * padding - K) // stride + 1 => return (size + 2 * padding - K) // stride + ((size + 2 * padding - K) % stride == 0)
除不尽时少了一个：第一个位置总在，与除不除得尽无关。
One is missing where the division leaves a rest: the first place is there in
any case.

return (size + 2 * padding - K) // stride + 1 => return -(-(size + 2 * padding - K) // stride) + 1
最后一个窗口伸出了边：放不下整个窗口的位置不算。
The last window sticks out: a place where it does not fit whole does not count.

return (size + 2 * padding - K) // stride + 1 => return size
你返回了输入的边长：只有填充正好、步长为 1 时才不变。
You return the side of the input: it stays only with stride 1 and just the
right padding.

return (size + 2 * padding - K) // stride + 1 => return size // stride
只除以了步长：窗口的边长和填充都没有算。
You only divide by the stride; the side of the window and the padding do not
count in it.

size + 2 * padding => 28 + 2 * padding
边长写死成了 28：应当用参数 size。
The side is always 28; it should be the argument size.

return (size + 2 * padding - K) // stride + 1 => return (size + 2 * padding) // stride
没有减去窗口自己的边长：窗口要整个放得下。
The window's own side is not taken off: all of it has to fit.
""",  # noqa: E501
)

# --- 2. convolution with loops -----------------------------------------------


def conv2d_loops(x, weight, stride, padding):
    C_out, _, K, K = weight.shape
    x = F.pad(x, (padding, padding, padding, padding))
    B, _, height, width = x.shape
    tops = range(0, height - K + 1, stride)
    lefts = range(0, width - K + 1, stride)
    y = x.new_zeros(B, C_out, len(tops), len(lefts))
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            window = x[:, None, :, top : top + K, left : left + K]
            y[:, :, i, j] = (window * weight).sum(dim=(2, 3, 4))
    return y


def maps_and_kernels(rng):
    settings = (1, 0), (2, 1), (1, 2), (3, 0), (2, 0), (2, 2), (3, 1)
    rounds = variations(rng, "B C E h w", low=2, high=7)
    for n, s in enumerate(rounds):
        stride, padding = settings[n % len(settings)]
        K = (3, 2, 1, 3)[n % 4]
        K = min(K, s.h + 2 * padding, s.w + 2 * padding)
        s["K"] = K
        yield s.normal("B C h w"), s.normal("E C K K"), stride, padding


def conv_by_torch(x, weight, stride, padding):
    return F.conv2d(x, weight, stride=stride, padding=padding)


conv2d_loops = exercise(
    conv2d_loops,
    maps_and_kernels,
    oracle=conv_by_torch,
    holds=[
        without(
            "conv1d conv2d conv3d unfold conv_transpose2d convolution",
            "这里用了现成的卷积或 unfold：窗口要自己取。",
            "A ready-made convolution or unfold is used: take the windows "
            "yourself.",
        ),
    ],
    wrong="""
(window * weight) => (window * weight.flip(2, 3))
你把核翻转了：那是数学里的卷积，这里要的是互相关。
You flip the kernel: that is the convolution of mathematics, and a
cross-correlation is asked for.

(window * weight) => (window * weight.mT)
你把核转置了：核的行对窗口的行。
You transpose the kernel: its rows belong to the rows of the window.

x = F.pad(x, (padding, padding, padding, padding)) =>
没有填充：先在四边各加 padding 行（列）0。
There is no padding: first add that many rows and columns of 0 on all sides.

(padding, padding, padding, padding)) => (padding, 0, padding, 0))
只填充了左边和上边，右边和下边也要。
Only the left and the top are padded; the right and the bottom need it too.

(padding, padding, padding, padding)) => (padding, padding))
只填充了左右：上下也要。
Only the left and right are padded; above and below need it too.

(padding, padding, padding, padding)) => (2 * padding, 0, 2 * padding, 0))
两边的填充都加在了左边和上边：每一边各加 padding。
The padding of both ends is put on the left and the top; each end gets its own.

top : top + K, left : left + K => i : i + K, j : j + K
窗口的起点没有乘步长：第 i 行的窗口从 i * stride 开始。
The start of the window is not multiplied by the stride: the windows of row i
start at i * stride.

(padding, padding, padding, padding)) => (padding, padding, padding, padding), value=1.0)
填充的数应是 0。
The padding should hold 0.

, stride) => )
没有用步长：窗口每次移动 stride 格。
The stride is not used: each move of the window is that many pixels.

lefts = range(0, width - K + 1, stride) => lefts = range(0, width - K + 1)
步长只用在一个方向：左右移动也是每次 stride 格。
The stride is used in one direction only: moves to the right are that long too.

height - K + 1 => height - K
width - K + 1 => width - K
最后一个位置漏了：窗口刚好贴着边也放得下。
The last place is missing: a window that just touches the border still fits.

(window * weight).sum(dim=(2, 3, 4)) => (window * weight).mean(dim=(2, 3, 4))
应把乘积加起来，你取了平均。
The products should be added, you take their mean.

(window * weight).sum(dim=(2, 3, 4)) => (window * weight).sum(dim=(3, 4))[:, :, 0]
只用了第一个输入通道：各通道的结果要加起来。
Only the first input channel is used: the results of all channels are added.

enumerate(lefts) => enumerate(tops)
左右方向用了上下方向的位置：图像不一定是正方形。
The places from left to right are those from top to bottom: the image need not
be square.

return torch.stack([right(x, weight[e : e + 1], stride, padding)[:, 0] for e in range(len(weight))])
值对了，输出通道却放到了第一个轴，应是 (B, C_out, …)。
The values are right, but the output channels stand on the first axis; the
shape should be (B, C_out, …).
""",  # noqa: E501
)

# --- 5. pooling by reshaping -------------------------------------------------


def max_pool(x, K):
    B, C, height, width = x.shape
    rows, cols = height // K, width // K
    x = x[:, :, : rows * K, : cols * K]  # a rest that fills no block goes
    blocks = x.reshape(B, C, rows, K, cols, K)
    return blocks.amax(dim=(3, 5))


def maps_to_pool(rng):
    for n, s in enumerate(variations(rng, "B C r c", low=2, high=6)):
        K = (2, 3, 2, 1)[n % 4]
        s["h"] = s.r * K + (0, 1, 0, K - 1)[n % 4] * (K > 1)
        s["w"] = s.c * K + (K - 1, 0, 1, 0)[n % 4] * (K > 1)
        yield s.normal("B C h w") - 2, K


def pool_by_torch(x, K):
    return F.max_pool2d(x, K)


def one_map(s):
    s |= {"h": s.K * s.r, "w": s.K * s.c}
    return [s.normal("B C h w"), s.K]


max_pool = exercise(
    max_pool,
    maps_to_pool,
    oracle=pool_by_torch,
    holds=[
        without(
            "max_pool1d max_pool2d max_pool3d max_pool2d_with_indices unfold "
            "adaptive_max_pool2d boolean_dispatch",
            "这里用了现成的池化或 unfold：用 reshape 分块。",
            "A ready-made pooling or unfold is used: make the blocks with "
            "reshape.",
        ),
        no_loop("B C r c K", cases=one_map),
    ],
    wrong="""
amax(dim=(3, 5)) => mean(dim=(3, 5))
你取了平均：那是平均池化。
You take the mean: that is average pooling.

reshape(B, C, rows, K, cols, K) => reshape(B, C, rows, cols, K, K)
amax(dim=(3, 5)) => amax(dim=(4, 5))
reshape 按存储次序分组，(rows, cols, K, K) 取到的不是块，而是一行里连着的数。
reshape groups by the order in memory: with (rows, cols, K, K) you get no
blocks but runs of neighbours within a row.

reshape(B, C, rows, K, cols, K) => reshape(B, C, K, rows, K, cols)
amax(dim=(3, 5)) => amax(dim=(2, 4))
两个轴的次序反了：应是“第几块”在前，“块里第几行”在后。
The two axes are in the wrong order: “which block” comes first, “which row in
the block” behind it.

amax(dim=(3, 5)) => amax(dim=(2, 4))
你在块与块之间取了最大：应在每块之内取。
You take the maximum across blocks; it should be within each block.

amax(dim=(3, 5)) => amax(dim=3).amax(dim=3)
第二次取最大的轴错了：去掉一个轴以后，后面的轴编号各减 1。
The second maximum is over the wrong axis: once an axis is gone, those behind
it have a number less.

x = x[:, :, : rows * K, : cols * K]  # a rest that fills no block goes =>
边长不是 K 的倍数时分不了块：多出来的行和列先去掉。
A side that is no multiple of K cannot be cut into blocks: first leave out the
rows and columns that are left over.

x = x[:, :, : rows * K, : cols * K]  # a rest that fills no block goes => x = x[:, :, height - rows * K :, width - cols * K :]
多出来的行和列应从末尾去掉，你从开头去掉了。
The rows and columns left over go at the end, you take them off the beginning.

rows, cols = height // K, width // K => rows, cols = -(-height // K), -(-width // K)
x = x[:, :, : rows * K, : cols * K]  # a rest that fills no block goes => x = F.pad(x, (0, cols * K - width, 0, rows * K - height))
多出来的行和列应去掉，你用 0 补成了整块。
Rows and columns that are left over should go; you fill them up with 0.

return blocks.amax(dim=(3, 5)) => return blocks.amax(dim=(1, 3, 5))
通道之间也取了最大：池化不动通道。
The maximum is taken over channels too; pooling leaves them alone.

return blocks.amax(dim=(3, 5)) => return blocks.amin(dim=(3, 5))
你取的是最小的。
You take the smallest.

return blocks.amax(dim=(3, 5)) => return blocks[:, :, :, 0, :, 0]
你取的是每块左上角的数，不是最大的。
You take the upper left number of each block, not its largest.

return blocks.amax(dim=(3, 5)) => return blocks.abs().amax(dim=(3, 5))
你取的是绝对值的最大。
You take the largest absolute value.

return blocks.amax(dim=(3, 5)) => return blocks.clamp(min=0).amax(dim=(3, 5))
负数变成了 0：一块全是负数时，最大的也是负数。
Negative numbers became 0: where all of a block is negative, so is its largest.

return blocks.amax(dim=(3, 5)) => return blocks.amax(dim=(3, 5), keepdim=True)
值对了，但大小为 1 的轴留下来了：应是四个轴。
The values are right, but axes of size 1 are left: there should be four axes.
""",  # noqa: E501
)

# --- 3. softmax --------------------------------------------------------------


def softmax(z, dim, T=1.0):
    z = z / T
    z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0
    e = z.exp()
    return e / e.sum(dim=dim, keepdim=True)


def logits(rng):
    for n, s in enumerate(variations(rng, "A D E", low=2, high=7)):
        T = (1.0, 0.5, 3.0, 0.1)[n % 4]
        dim = (-1, 0, 1, 2, -2)[n % 5]
        yield s.normal("A D E"), dim, T
        yield s.normal("D E").cumsum(0) * 20, dim % 2, T
    far = torch.tensor([[1e4, 0.0, 3.0], [-1e4, -1e4, 2 - 1e4]])
    yield far, 1, 1.0
    yield far + 5000, 0, 2.0
    yield far, 1, 5000.0
    masked = torch.tensor([[0.5, -torch.inf, 1.5], [2.0, 1.0, -torch.inf]])
    yield masked, 1, 1.0
    low = torch.tensor([[-torch.inf, -1e4, 3 - 1e4], [0.0, 1.0, -torch.inf]])
    yield low, 1, 0.5
    yield normal(rng, 5), 0, 2.0
    yield normal(rng, 2, 3, 1, 4), 1, 1.0


def softmax_by_torch(z, dim, T):
    return F.softmax(z / T, dim=dim)


def by_default(f, rng):
    z = torch.randn(3, 4, generator=rng)
    return torch.allclose(f(z, 1), f(z, 1, 1.0), equal_nan=True)


def exactly_0(f, rng):
    p = f(torch.tensor([[0.5, -torch.inf, 1.5]]), 1)
    return not 0 < p[0, 1] < 1e-3


softmax = exercise(
    softmax,
    logits,
    oracle=softmax_by_torch,
    part=True,
    holds=[
        without(
            "softmax log_softmax logsumexp softmin gumbel_softmax sigmoid",
            "这里用了现成的 softmax：只用 exp、求和与最大值写出来。",
            "A ready-made softmax is used: write it with exp, a sum and a "
            "maximum.",
        ),
        Property(
            by_default,
            "不给 T 时应当 T = 1。",
            "Without T it should be 1.",
        ),
        Property(
            exactly_0,
            "-inf 的概率应恰好是 0，你的大于 0。",
            "The probability of -inf should be exactly 0; yours is above 0.",
        ),
    ],
    wrong="""
z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 =>
没有减去最大值：指数太大时 exp 给出 inf，inf / inf 是 nan。
The largest is not subtracted: exp gives inf for large exponents, and inf / inf
is nan.

z.amax(dim=dim, keepdim=True) => z.max()
减的是整个张量的最大值：别的组可能小得多，那一组的 exp 全是 0，0 / 0 是 nan。每组
减自己的最大值。
You subtract the largest of the whole tensor: another group may be so much
smaller that all its exp are 0, and 0 / 0 is nan. Each group subtracts its own.

z.amax( => z.amin(
减的不是最大值（而是最小值或平均）：剩下的指数仍然可能太大。
It is not the largest that you subtract (but the smallest or the mean): the
exponents left may still be too large.

z.amax(dim=dim, keepdim=True) => 1000
减的是固定的数：一组的 exp 可能全是 0，0 / 0 是 nan；也可能仍有 inf。每组减自己的
最大值。
You subtract a fixed number: all exp of a group may be 0, and 0 / 0 is nan, or
there may still be inf. Each group subtracts its own largest.

z = z / T => z, c = z / T, z.amax(dim=dim, keepdim=True)
z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 => z = z - c
最大值取自 z，不是 z / T：除以 T 以后，最大的指数不是 0，仍可能太大或太小。
The largest is taken of z and not of z / T: the largest exponent is then not 0
and may be too large or too small.

z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 =>
return e / e.sum(dim=dim, keepdim=True) => return (e / e.sum(dim=dim, keepdim=True)).nan_to_num(0.0)
nan 换成了 0：exp 是 inf 的那个，概率应接近 1，换不回来。
nan is replaced by 0: where exp is inf the probability should be close to 1,
and is lost.

z.amax(dim=dim, keepdim=True) => z.abs().amax(dim=dim, keepdim=True)
减的是绝对值的最大：全是很大的负数时，exp 全是 0。
You subtract the largest absolute value: with very negative numbers all exp
are 0.

z / T => z * T
你乘了温度：应除以 T。
You multiply by the temperature; it should be divided by T.

z = z / T =>
温度 T 没有起作用：没有除，或在 exp 之后才除，会约掉。
The temperature has no effect: there is no division by it, or it comes after
exp and cancels.

z = z / T =>
e / e.sum(dim=dim, keepdim=True) => e / e.sum(dim=dim, keepdim=True) / T
概率除以了 T：温度除的是 logits，在 exp 之前。
The probabilities are divided by T; the temperature divides the logits, before
exp.

dim=dim => dim=-1
轴写死成了最后一个：应沿参数 dim。
The axis is always the last one; it should be the one that dim names.

dim=dim => dim=0
轴写死成了 0：应沿参数 dim。
The axis is always 0; it should be the one that dim names.

e.sum(dim=dim, keepdim=True) => e.sum()
除以了全部的和：应当每组的和是 1。
You divide by the sum of all; each group by itself should sum to 1.

return e / e.sum(dim=dim, keepdim=True) => return e
没有除以和：每组的和应是 1。
It is not divided by the sum: each group should sum to 1.

return e / e.sum(dim=dim, keepdim=True) => return (e / e.sum(dim=dim, keepdim=True)).log()
这是概率的对数（log-softmax）：应给出概率。
These are logarithms of probabilities (log-softmax); probabilities are asked
for.

z = z / T => z = z.nan_to_num(neginf=-1e4) / T
-inf 换成了有限的数：别的数也可能这么小，概率就不是 0 了。
-inf is replaced by a finite number: others may be as small, and its probability
is then not 0.

z = z / T =>
e = z.exp() => e = z.exp() ** (1 / T)
T 用在 exp 之后：exp 已经成了 0 的，开 T 次方还是 0。
T is used after exp: where exp has become 0, its root is 0 as well.

return e / e.sum(dim=dim, keepdim=True) => return z - e.sum(dim=dim, keepdim=True).log()
这是概率的对数（log-softmax）：还差最后的 exp。
These are logarithms of probabilities (log-softmax): a last exp is missing.

z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 =>
return e / e.sum(dim=dim, keepdim=True) => return z - e.sum(dim=dim, keepdim=True).log()
这是概率的对数（log-softmax），也没有减去最大值。
These are logarithms of probabilities (log-softmax), and the largest is not
subtracted.

z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 => z = z.clamp(-50, 50)
clamp 把太大的数改成了同一个数，次序就丢了：减去最大值不改变结果，clamp 会改变。
clamp turns numbers that are too large into the same one and loses their order:
subtracting the largest leaves the result as it is, clamp does not.

z = z - z.amax(dim=dim, keepdim=True)  # the largest exponent is 0 => z -= z.amax(dim=dim, keepdim=True)
z = z / T => z /= T
你原地改动了输入 z。
You change the input z in place.
""",  # noqa: E501
)

# --- 4. SwiGLU ---------------------------------------------------------------


class SwiGLU(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        self.gate = nn.Linear(D, hidden, bias=False)
        self.up = nn.Linear(D, hidden, bias=False)
        self.down = nn.Linear(hidden, D, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


def gated(rng):
    for s in variations(rng, "D E *", low=2, high=6):
        weights = s.normal("E D"), s.normal("E D"), s.normal("D E")
        yield s.normal("* D"), *weights


def filled(kind):
    """The student's module, with the weights of the case."""
    if isinstance(kind, nn.Module):
        raise Rejection(
            "应交类 SwiGLU 本身，你交的是造好的一个模块。",
            "The class SwiGLU itself is expected, you hand in a module made "
            "of it.",
        )

    def run(x, gate, up, down):
        if kind == "formula":
            return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T
        hidden, D = gate.shape
        model = kind(D, hidden)
        if not isinstance(model, nn.Module):
            raise Rejection(
                "SwiGLU 应继承 nn.Module。", "SwiGLU should be an nn.Module."
            )
        have = {n: tuple(p.shape) for n, p in model.named_parameters()}
        want = {
            "gate.weight": (hidden, D),
            "up.weight": (hidden, D),
            "down.weight": (D, hidden),
        }
        if not have:
            raise Rejection(
                "一个参数也没有登记：三个层应是属性 gate、up、down，"
                "普通列表里的层不登记。",
                "No parameter is registered: the three layers should be the "
                "attributes gate, up, down; those in a plain list are not "
                "registered.",
            )
        if have != want:
            raise Rejection(
                f"登记的参数应为 {want}，得到 {have}。",
                f"The registered parameters should be {want}, got {have}.",
            )
        model.to(x.dtype)
        with torch.no_grad():
            for name, value in (("gate", gate), ("up", up), ("down", down)):
                model.get_submodule(name).weight.copy_(value)
        return model(x)

    return run


@says("梯度到不了某个权重。", "A gradient does not arrive at some weight.")
def learns(kind, x, gate, up, down):
    model = kind(x.shape[-1], len(gate)).to(x.dtype)
    y = model(x)
    if not y.requires_grad:
        return False
    y.square().sum().backward()
    return all(p.grad is not None for p in model.parameters())


def made_anew(kind, rng):
    one, other = kind(3, 4), kind(3, 4)
    return not {*one.parameters()} & {*other.parameters()} and not all(
        torch.equal(p, q)
        for p, q in zip(one.parameters(), other.parameters(), strict=True)
    )


def first_values(kind, rng):
    model = kind(64, 256)
    for layer in (model.gate, model.up, model.down):
        w, most = layer.weight.detach(), layer.in_features**-0.5
        if w.abs().max() > most or abs(w.std() * 3**0.5 / most - 1) > 0.05:
            return False
    return not torch.equal(model.gate.weight, model.up.weight)


SwiGLU = exercise(
    SwiGLU,
    gated,
    oracle="formula",
    adapt=filled,
    part=True,
    holds=[
        learns,
        Property(
            made_anew,
            "两个模块的权重一样或共用：每个模块造自己的层，初值是 nn.Linear 的"
            "随机数。",
            "Two modules share their weights or have the same ones: each "
            "makes layers of its own, with the random first values of "
            "nn.Linear.",
        ),
        Property(
            first_values,
            "初值不是 nn.Linear 的：不要改动三个层的权重。",
            "The first values are not those of nn.Linear: leave the weights "
            "of the three layers as they are made.",
        ),
    ],
    wrong="""
F.silu => F.sigmoid
门用了 sigmoid：SwiGLU 的门是 SiLU，t · sigmoid(t)。
The gate is a sigmoid; in SwiGLU it is SiLU, t · sigmoid(t).

F.silu => F.gelu
门用了 GELU：SwiGLU 的门是 SiLU。
The gate is a GELU; in SwiGLU it is SiLU.

F.silu => F.relu
门用了 ReLU：SwiGLU 的门是 SiLU。
The gate is a ReLU; in SwiGLU it is SiLU.

F.silu(self.gate(x)) * self.up(x) => self.gate(x) * F.silu(self.up(x))
SiLU 放错了一路：它作用在 gate 上，不在 up 上。
SiLU stands on the wrong branch: it acts on gate and not on up.

F.silu(self.gate(x)) * self.up(x) => F.silu(self.gate(x) * self.up(x))
先乘再 SiLU：SiLU 只作用在 gate 这一路，然后才相乘。
You multiply before SiLU: it acts on the gate's branch alone, and then the two
are multiplied.

F.silu(self.gate(x)) * self.up(x) => F.silu(self.gate(x)) + self.up(x)
两路应逐元素相乘，你把它们相加了。
The two branches should be multiplied element by element, you add them.

F.silu(self.gate(x)) * self.up(x) => F.silu(self.gate(x))
少了 up 这一路：没有东西被门控制。
The branch up is missing: the gate has nothing to control.

* self.up(x) => * self.gate(x)
up 没有用到：gate 乘了它自己。
up is not used: gate is multiplied by itself.

F.silu(self.gate(x)) => self.gate(F.silu(x))
SiLU 作用在 x 上了：它作用在 gate 的输出上。
SiLU acts on x; it should act on the output of gate.

F.silu(self.gate(x)) * self.up(x) => self.gate(x) * self.up(x)
少了 SiLU。
SiLU is missing.

F.silu(self.gate(x)) * self.up(x) => F.silu(self.gate(x)) * F.silu(self.up(x))
两路都过了 SiLU：只有 gate 这一路要过。
Both branches pass SiLU; only gate should.

, bias=False =>
多了偏置：三个 nn.Linear 都不带偏置，一共 3 · D · hidden 个数。
There are biases: none of the three nn.Linear has one, 3 · D · hidden numbers
in all.

return self.down(F.silu(self.gate(x)) * self.up(x)) => return F.silu(self.down(F.silu(self.gate(x)) * self.up(x)))
最后又过了一次 SiLU：down 之后没有激活函数。
The result passes SiLU once more; after down there is no activation.

return self.down(F.silu(self.gate(x)) * self.up(x)) => return x + self.down(F.silu(self.gate(x)) * self.up(x))
多加了 x：残差连接不属于这个模块。
x is added: the residual connection is no part of this module.

self.gate = nn.Linear(D, hidden, bias=False) => self.gate = nn.Linear(hidden, D, bias=False)
gate 的两个大小写反了：先写进来的特征数，再写出去的。
The two sizes of gate are swapped: first the features that come in, then those
that go out.

self.up = nn.Linear(D, hidden, bias=False) => self.up = nn.Linear(hidden, D, bias=False)
up 的两个大小写反了：先写进来的特征数，再写出去的。
The two sizes of up are swapped: first the features that come in, then those
that go out.

self.down = nn.Linear(hidden, D, bias=False) => self.down = nn.Linear(D, hidden, bias=False)
down 的两个大小写反了：进来的是 hidden 个特征，出去的是 D 个。
The two sizes of down are swapped: hidden features come in, and D go out.

self.gate = nn.Linear(D, hidden, bias=False) => self.gate = nn.Linear(hidden, D, bias=False)
self.up = nn.Linear(D, hidden, bias=False) => self.up = nn.Linear(hidden, D, bias=False)
self.down = nn.Linear(hidden, D, bias=False) => self.down = nn.Linear(D, hidden, bias=False)
三个层的两个大小都写反了：先写进来的特征数，再写出去的。
The two sizes are swapped in all three layers: first the features that come in,
then those that go out.

self.up = nn.Linear(D, hidden, bias=False) => self.up = self.gate
up 和 gate 是同一层：它们各有自己的权重。
up and gate are one layer: each should have weights of its own.
""",  # noqa: E501
)
