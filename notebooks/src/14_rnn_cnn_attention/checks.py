"""Checks of lesson 14: which row depends on which, and three ways to mix."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import draw, exercise, labelled, says, variations
from exercises.properties import keeps_the_graph, without

# --- 1: which row depends on which, and how strongly -----------------------


def dependence(f, X):
    slopes = torch.autograd.functional.jacobian(f, X)  # (N, E, N, D)
    return slopes.square().sum(dim=(1, 3)).sqrt()  # (N, N)


def some_functions(rng):
    """Functions that mix rows in different ways, and their inputs."""
    for s in variations(rng, "N D E", high=6, layouts=False):
        X, A, P = s.normal("N D"), s.normal("D E"), s.normal("N N").tril()

        def running(X, A=A):
            return (X @ A).cumsum(dim=0).sin()

        def later(X, A=A, P=P):
            return P.T @ (X @ A).tanh()

        yield labelled("running sums", running), X
        yield labelled("later rows", later), X


def by_rows(f, X):
    """The derivatives, one number of the output after the other."""
    X = X.detach().clone().requires_grad_()
    Y = f(X)
    squares = [
        sum(
            torch.autograd.grad(y, X, retain_graph=True)[0].square()
            for y in row
        ).sum(dim=1)
        for row in Y
    ]
    return torch.stack(squares).sqrt()


dependence = exercise(
    dependence,
    some_functions,
    oracle=by_rows,
    seeds=(0,),
    wrong="""
slopes.square().sum(dim=(1, 3)).sqrt() => slopes.sum(dim=(1, 3))
你把导数直接相加，正负会抵消：应先平方，相加以后再开方。
You add the derivatives themselves, and signs cancel: square them first, add,
and take the root.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes.abs().sum(dim=(1, 3))
你加的是绝对值：应先平方，相加以后再开方。
You add absolute values: square them first, add, and take the root.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes.abs().amax(dim=(1, 3))
你取了最大的一个导数：E × D 个导数都要算进去。
You take the largest derivative: all E × D of them count.

.square().sum( => .square().mean(
你求的是平均：应是平方的和，再开方。
You take a mean: it should be the root of the sum of the squares.

x = X.clone().requires_grad_()
f(x).sum().backward()
return x.grad.norm(dim=1).expand(len(X), -1)
你对 Y 的总和求导：每一行的结果都一样了。Y 的各行、各个数要分开求导。
You differentiate the sum of Y, and all rows of the result are alike: each row,
and each number of Y, is differentiated by itself.

rows = [torch.autograd.functional.jacobian(lambda x: f(x)[i].sum(), X)
        for i in range(len(X))]
return torch.stack(rows).norm(dim=2)
你对 Y 一行的和求导，一行里各个数的导数会互相抵消：每个数要分开求导。
You differentiate the sum of a row of Y, and the derivatives of its numbers
cancel: differentiate each number by itself.
""",
)

# --- 2: a recurrent network ------------------------------------------------


def rnn(X, W, U):
    rows = []
    y = X.new_zeros(*X.shape[:-2], U.shape[0])  # the row before the first
    for i in range(X.shape[-2]):
        y = torch.tanh(X[..., i, :] @ W + y @ U)
        rows.append(y)
    return torch.stack(rows, dim=-2)  # (*, N, E)


def by_nn_rnn(X, W, U):
    net = nn.RNN(*W.shape, bias=False, batch_first=True, dtype=X.dtype)
    net.weight_ih_l0, net.weight_hh_l0 = map(nn.Parameter, (W.T, U.T))
    Y = net(X.reshape(-1, *X.shape[-2:]))[0].detach()
    return Y.reshape(*X.shape[:-1], -1)


READY = (
    "你调用了现成的循环网络：这里要自己写。",
    "You call a recurrent network that exists already: here, write it.",
)


@says(keeps_the_graph.zh, keeps_the_graph.en)
def learns(f, X, W, U):
    alone = X.shape[-2] == 1  # one row does not need U
    return alone or keeps_the_graph.test(f, X, W, U)


rnn = exercise(
    rnn,
    draw("* N D, D E, E E"),
    oracle=by_nn_rnn,
    seeds=(0,),
    holds=[without("rnn_tanh rnn_tanh_cell", *READY), learns],
    wrong="""
torch.tanh(X[..., i, :] @ W + y @ U) => X[..., i, :] @ W + y @ U
没有 tanh。
The tanh is missing.

y = torch.tanh(X[..., i, :] @ W + y @ U) => y = X[..., i, :] @ W + y @ U
rows.append(y) => rows.append(y.tanh())
tanh 只用在了输出上：传给下一步的也应是 tanh 以后的 Y。
Only the output passes tanh: what goes to the next step is Y after tanh, too.

 + y @ U =>
没有用上 Y 的前一行：各行互不相干了。
The row before is not used: no row knows another.

y @ U => y @ U.T
U 转置了：公式里是右乘 U。
U is transposed: the formula multiplies by U on the right.

range(X.shape[-2]) => reversed(range(X.shape[-2]))
你从最后一行开始：应从第 0 行往后。
You begin at the last row: begin at row 0.

X.new_zeros => X.new_ones
第 0 行之前的 Y 应是 0。
Before row 0, Y is 0.

y = torch.tanh(X @ W)
before = torch.cat([torch.zeros_like(y[..., :1, :]), y[..., :-1, :]], dim=-2)
return torch.tanh(X @ W + before @ U)
你只往回看了一步：Y_{i−1} 里应已有更早的行。
You look back one step only: Y_{i−1} should hold the earlier rows already.
""",
)

# --- 3: a window of three rows ---------------------------------------------


def cnn(X, W):
    zero = torch.zeros_like(X[..., :1, :])  # (*, 1, D)
    before = torch.cat([zero, X[..., :-1, :]], dim=-2)
    after = torch.cat([X[..., 1:, :], zero], dim=-2)
    return torch.cat([before, X, after], dim=-1) @ W  # (*, N, 3 D) @ W


def windows(rng):
    for s in variations(rng, "* N D E"):
        yield s.normal("* N D"), s.lay(torch.cat([s.normal("D E")] * 3))
        yield s.normal("* N D"), torch.cat([s.normal("D E") for _ in "abc"])


def by_conv1d(X, W):
    N, D = X.shape[-2:]
    kernel = W.view(3, D, -1).permute(2, 1, 0)  # (E, D, 3)
    Y = F.conv1d(X.reshape(-1, N, D).mT, kernel, padding=1).mT
    return Y.reshape(*X.shape[:-1], -1)


cnn = exercise(
    cnn,
    windows,
    oracle=by_conv1d,
    seeds=(0,),
    holds=[keeps_the_graph],
    wrong="""
[before, X, after] => [after, X, before]
前后反了：一行里先放 i − 1，再放 i，再放 i + 1。
Before and after are swapped: in a row come i − 1, then i, then i + 1.

before, X, after = X.roll(1, -2), X, X.roll(-1, -2)
return torch.cat([before, X, after], dim=-1) @ W
roll 把首尾接成了一圈：第 0 行之前、最后一行之后应是 0。
roll closes a circle: before row 0 and after the last row there are zeros.

before = torch.cat([X[..., :1, :], X[..., :-1, :]], dim=-2)
after = torch.cat([X[..., 1:, :], X[..., -1:, :]], dim=-2)
return torch.cat([before, X, after], dim=-1) @ W
边上重复了原来的行：序列之外应是 0。
At the edges you repeat rows: outside of the sequence there are zeros.

three = W.reshape(X.shape[-1], 3, -1).transpose(0, 1)
return right(X, three.reshape(W.shape))
三行的数交错排了：应先是 X_{i−1} 的 D 个数，再是 X_i 的，再是 X_{i+1} 的。
The numbers of the three rows alternate: first come the D numbers of X_{i−1},
then those of X_i, then those of X_{i+1}.

zero, N = torch.zeros_like(X[..., :1, :]), X.shape[-2]
wide = torch.cat([zero, zero, X], dim=-2)
return torch.cat([wide[..., k : k + N, :] for k in range(3)], dim=-1) @ W
窗口是 i − 2、i − 1、i：应以第 i 行为中心。
Your window is i − 2, i − 1, i: row i should be in its centre.
""",
)

# --- 4: the mean by similarity ---------------------------------------------


def similarity_mean(X):
    similar = (X @ X.mT).exp()  # (*, N, N)
    weights = similar / similar.sum(dim=-1, keepdim=True)
    return weights @ X  # (*, N, D)


@says(
    "输出的数应在 X 同一列的最小值与最大值之间：它应是加权平均，"
    "权重不是负数，和是 1。",
    "Each number should lie between the smallest and the largest of its "
    "column of X: it should be an average, with weights that are not negative "
    "and add up to 1.",
)
def stays_between(f, X):
    Y = f(X)
    if Y.shape != X.shape:
        return True  # told as a shape
    low, high = X.amin(dim=-2, keepdim=True), X.amax(dim=-2, keepdim=True)
    return bool((Y.clamp(low - 1e-4, high + 1e-4) == Y).all())


similarity_mean = exercise(
    similarity_mean,
    draw("* N D", high=6),
    oracle=lambda X: F.scaled_dot_product_attention(X, X, X, scale=1.0),
    seeds=(0,),
    holds=[
        without(
            "scaled_dot_product_attention multi_head_attention_forward",
            "你调用了现成的注意力：这里要自己写。",
            "You call an attention that exists already: here, write it.",
        ),
        keeps_the_graph,
        stays_between,
    ],
    wrong="""
sum(dim=-1, keepdim=True) => sum(dim=-2, keepdim=True)
你除以了每一列的和：第 i 行的权重要除以这一行的和。
You divide by the sums of columns: the weights of row i are divided by the sum
of that row.

(X @ X.mT).exp() => X @ X.mT
没有取指数：点积会是负数，不能当权重。
The exponential is missing: dot products can be negative and are no weights.

(X @ X.mT).exp() => (X @ X.mT).abs()
你取了绝对值：相似性是点积的指数。
You take absolute values: the similarity is the exponential of the dot product.

(X @ X.mT).exp() => (X @ X.mT / X.shape[-1] ** 0.5).exp()
你把点积除以了 √D：这里的相似性没有这一步。
You divide the dot products by √D: the similarity here does not.

 / similar.sum(dim=-1, keepdim=True) =>
没有除以权重的和。
The weights are not divided by their sum.

(X @ X.mT).exp() => torch.cdist(X, X).neg().exp()
你按距离算相似性：这里用点积。
Your similarity comes from distances: here it comes from dot products.

return X.mean(dim=-2, keepdim=True).expand(X.shape)
你求的是普通平均：各行的权重应由相似性决定。
You take the plain mean: the weights should come from similarity.
""",
)

# --- 5: how many layers ----------------------------------------------------


def layers_needed(distance, width):
    step = width // 2  # how far a window reaches to each side
    return (distance + step - 1) // step


def distances(rng):
    for width in (3, 5, 7, 11):
        for distance in (1, 2, 3, 4, 5, 6, 9, 10, 20, 63, 64, 1000):
            yield distance, width


layers_needed = exercise(
    layers_needed,
    distances,
    seeds=(0,),
    wrong="""
width // 2 => width - 1
窗口往一边只够到 (width − 1) / 2 行：它是左右两边的。
To one side a window reaches (width − 1) / 2 rows: it has two sides.

width // 2 => width
窗口往一边只够到 (width − 1) / 2 行，不是 width 行。
To one side a window reaches (width − 1) / 2 rows and not width.

(distance + step - 1) // step => distance // step
向下取整了：剩下的几行还要一层。
You round down: the rows that are left need one more layer.

(distance + step - 1) // step => distance // step + 1
正好除尽时多了一层。
Where it comes out even, you have one layer too many.

(distance + step - 1) // step => distance
每一层够到 (width − 1) / 2 行：width 没有用上。
A layer reaches (width − 1) / 2 rows: width is not used.

import math
step, layers = width // 2, 0
while width**layers < distance:
    layers += 1
return layers
每多一层，够到的距离是加，不是乘。
A further layer adds to the distance, it does not multiply it.
""",
)
