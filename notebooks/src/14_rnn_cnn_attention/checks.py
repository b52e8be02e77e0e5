"""Checks of lesson 14: three ways in which rows see one another."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import draw, exercise, says, variations
from exercises.properties import finite, without

# --- 1. RNN ------------------------------------------------------------------


def rnn(x, W, U):
    # x (N, D), W (D, E), U (E, E) -> (N, E)
    state, rows = torch.zeros(U.shape[0], dtype=x.dtype), []
    for row in x:
        state = torch.tanh(row @ W + state @ U)
        rows.append(state)
    return torch.stack(rows)


def their_rnn(x, W, U):
    layer = nn.RNN(*W.shape, bias=False, batch_first=True, dtype=x.dtype)
    weights = {"weight_ih_l0": W.T, "weight_hh_l0": U.T}
    given = {name: w.contiguous() for name, w in weights.items()}
    return torch.func.functional_call(layer, given, (x,))[0]


@says(
    "结果没有记下计算图：梯度传不回 x。",
    "The result has no graph: no gradient gets back to x.",
)
def traceable(f, x, *weights):
    x = x.clone().requires_grad_()
    return f(x, *weights).requires_grad


READY = without(
    "rnn rnn_tanh rnn_tanh_cell RNN",
    "请自己写，不用现成的 RNN。",
    "Write it yourself, without a ready-made RNN.",
)

rnn = exercise(
    rnn,
    draw("N D, D E, E E"),
    oracle=their_rnn,
    holds=[READY, traceable],
    wrong="""
row @ W + state @ U => row @ W
上一行的状态没有用上：每一行只看到自己。
The state of the row before is not used: every row sees only itself.

state = torch.tanh(row @ W + state @ U) => state = row @ W + state @ U
少了 tanh。
The tanh is missing.

torch.tanh(row @ W + state @ U) => torch.tanh(row @ W) + state @ U
tanh 应作用于两项之和，你只对第一项用了它。
The tanh is to be taken of the sum, and you take it of the first term.

state @ U => U @ state
状态是行向量：它在 U 的左边。
The state is a row vector: it stands to the left of U.

for row in x: => for row in x.flip(0):
你从最后一行读起：这里从第一行读起。
You read from the last row on: here one begins with the first.

rows.append(state) => rows.append(row @ W + state @ U)
存下的不是状态：存的时候又往前算了一步，而且没有 tanh。
What you keep is not the state: it is one step further, without the tanh.

return torch.stack(rows) => return rows[-1]
只返回了最后一行：N 行都要。
Only the last row is returned: all N are asked for.

torch.zeros(U.shape[0], dtype=x.dtype) => x[0] @ W
开始的状态应是零：第一行没有上一行。
The first state should be zero: before the first row there is none.
""",
)

# --- 2. convolution ----------------------------------------------------------


def conv_rows(x, W):
    # x (N, D), W (3D, E) -> (N, E)
    padded = F.pad(x, (0, 0, 1, 1))  # a row of zeros above and below
    windows = [padded[:-2], padded[1:-1], padded[2:]]
    return torch.cat(windows, dim=1) @ W  # (N, 3D) @ (3D, E)


def their_conv(x, W):
    D, E = x.shape[1], W.shape[1]
    weight = W.view(3, D, E).permute(2, 1, 0)  # (E, D, 3)
    return F.conv1d(x.T[None], weight, padding=1)[0].T


def rows_and_kernel(rng):
    for s in variations(rng, "N D E"):
        s["M"] = 3 * s.D
        yield s.normal("N D"), s.normal("M E")


CONV = without(
    "conv1d conv2d",
    "请自己写，不用现成的卷积。",
    "Write it yourself, without a ready-made convolution.",
)

conv_rows = exercise(
    conv_rows,
    rows_and_kernel,
    oracle=their_conv,
    holds=[CONV, traceable],
    wrong="""
[padded[:-2], padded[1:-1], padded[2:]] => [padded[2:], padded[1:-1], padded[:-2]]
次序反了：先是上一行，再是这一行，然后是下一行。
The order is reversed: first the row before, then this one, then the next.

F.pad(x, (0, 0, 1, 1)) => torch.cat([x[:1], x, x[-1:]])
边上你重复了第一行和最后一行：那里应是零。
At the edges you repeat the first and the last row: zeros belong there.

F.pad(x, (0, 0, 1, 1)) => torch.cat([x[-1:], x, x[:1]])
你把首尾接成了环：第一行的上面、最后一行的下面应是零。
You closed the rows to a ring: above the first and below the last are zeros.

F.pad(x, (0, 0, 1, 1)) => F.pad(x, (0, 0, 2, 0))
零都补在上面了，每一行看到的是前两行和自己：要的是前一行、自己、后一行。
All zeros are above, so each row sees the two before it and itself: the row
before, itself and the next are asked for.

return right(x, W)[1:-1]
边上的两行不见了：结果也有 N 行。
The two rows at the edges are gone: the result has N rows, too.

windows = [padded[:-2], padded[1:-1], padded[2:]]
return sum(windows) @ W[: x.shape[1]]
三行先加起来再乘：每个位置应有自己的一段 W。
The three rows are added and then multiplied: each place has its own part of W.

torch.cat(windows, dim=1) => torch.stack(windows, dim=2).flatten(1)
三行的特征交错排了：W 的前 D 行属于上一行，接着的 D 行属于这一行。
The features of the three rows are interleaved: the first D rows of W belong to
the row before, the next D to this row.
""",  # noqa: E501
)

# --- 3. how many layers ------------------------------------------------------


def layers_needed(distance, width):
    # the fewest layers by which a row sees one `distance` rows away
    side = width // 2
    return -(-distance // side)  # rounded up


def grown(distance, width):
    """Layers are added until the row far away is seen."""
    seen, layers = torch.zeros(2 * distance + 1), 0
    seen[distance] = 1.0
    kernel = torch.ones(1, 1, width)
    while not seen[0]:
        seen = F.conv1d(seen[None, None], kernel, padding=width // 2)[0, 0]
        seen, layers = seen.clamp(max=1.0), layers + 1
    return layers


def distances(rng):
    for distance in (0, 1, 2, 3, 5, 6, 7, 12, 24, 31):
        for width in (3, 5, 9):
            yield distance, width


layers_needed = exercise(
    layers_needed,
    distances,
    oracle=grown,
    seeds=(0,),
    wrong="""
width // 2 => width
一层向一边只看 (width − 1) / 2 行：窗口有一半在另一边。
To one side a layer sees (width − 1) / 2 rows: half of the window is on the
other side.

-(-distance // side) => distance // side
除不尽时要向上取整：剩下的几行还要一层。
Where it does not divide, round up: the rows that are left need another layer.

-(-distance // side) => distance // side + 1
整除时你多算了一层。
Where it divides, you count one layer too many.

-(-distance // side) => max(1, -(-distance // side))
距离为 0 时一层也不用：一行本来就看得到自己。
At distance 0 no layer is needed: a row sees itself anyway.

layers, seen = 0, 1
while seen < distance + 1:
    layers, seen = layers + 1, seen * width
return layers
你让视野每层乘以 width：这里的窗口没有间隔，每层只多看几行，是相加。
You multiply the view by width in each layer: these windows have no gaps, and
each layer adds some rows.

-(-distance // side) => -(-2 * distance // side)
你让距离加了倍：只要从一行看到另一行，不用看到两边。
You doubled the distance: one row has to see the other, not both sides.

return right(distance, width) / 1
返回了小数：层数是整数。
You return a float: a number of layers is an integer.
""",
)

# --- 4. average by similarity ------------------------------------------------


def similarity_average(x):
    # (*, N, D) -> (*, N, D)
    similar = (x @ x.mT).exp()  # (*, N, N)
    weights = similar / similar.sum(dim=-1, keepdim=True)
    return weights @ x


def by_sdpa(x):
    return F.scaled_dot_product_attention(x, x, x, scale=1.0)


@says(
    "结果超出了 x 各行的范围：权重应不小于 0，每一行加起来是 1。",
    "The result leaves the range of the rows of x: no weight should be below "
    "0, and those of a row should add up to 1.",
)
def stays_inside(f, x):
    y = f(x)
    low, high = x.amin(-2, keepdim=True), x.amax(-2, keepdim=True)
    return y.shape != x.shape or bool(
        ((y > low - 1e-4) & (y < high + 1e-4)).all()
    )


SDPA = without(
    "scaled_dot_product_attention",
    "请自己写，不用现成的注意力。",
    "Write it yourself, without a ready-made attention.",
)

similarity_average = exercise(
    similarity_average,
    draw("* N D", high=6),
    oracle=by_sdpa,
    holds=[SDPA, finite(), stays_inside, traceable],
    wrong="""
(x @ x.mT).exp() => x @ x.mT
你没有取 exp：点积可以是负的，甚至加起来是 0。
You left out exp: dot products can be negative and even add up to 0.

similar / similar.sum(dim=-1, keepdim=True) => similar
没有除以和：每一行的权重应加起来是 1。
You did not divide by the sum: the weights of a row should add up to 1.

dim=-1, keepdim=True => dim=-2, keepdim=True
你让每一列加起来是 1：应是每一行，也就是看的那一行。
Your columns add up to 1: it should be the rows, those that look.

(x @ x.mT).exp() => (x @ x.mT).relu()
你用 0 代替了负的点积：题目要 exp。
You put 0 for negative dot products: the exercise asks for exp.

(x @ x.mT).exp() => (x @ x.mT / x.shape[-1] ** 0.5).exp()
你除以了 D 的平方根：这里还不缩放。
You divided by the root of D: nothing is scaled here yet.

(x @ x.mT).exp() => (-torch.cdist(x, x)).exp()
你用的相似度是距离：题目用点积。
Your similarity is a distance: the exercise takes the dot product.

weights @ x => weights
只返回了权重：还要用它们平均 x 的各行。
You return the weights: they are still to average the rows of x.

x @ x.mT => F.normalize(x, dim=-1) @ F.normalize(x, dim=-1).mT
你先把各行缩成了单位长度：题目用 x 本身的点积。
You scaled rows to length 1 first: the exercise takes dot products of x itself.
""",
)
