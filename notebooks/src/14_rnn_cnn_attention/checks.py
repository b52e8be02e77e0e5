"""Checks of lesson 14: which row depends on which, and three ways to mix."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import (
    Property,
    draw,
    exercise,
    labelled,
    says,
    variations,
)
from exercises.properties import same_gradients, without

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
    X = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    yield labelled("fast waves", lambda X: (1e4 * X).sin().cumsum(dim=0)), X


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


def zeros_are_exact(f, rng):
    X = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    fall = 10.0 ** -torch.arange(9, dtype=X.dtype)
    A = fall[(torch.arange(9)[:, None] - torch.arange(9)).abs()].tril()

    def fading(X):
        return A @ X.tanh()

    got = f(fading, X)
    return got.shape != A.shape or torch.equal(got != 0, A != 0)


exact_zeros = Property(
    zeros_are_exact,
    "0 的位置不对：没有依赖的地方应正好是 0，有依赖的地方再小也不是 0。",
    "The zeros are not right: where there is no dependence there is exactly "
    "0, and where there is one, however small, it is not 0.",
)

dependence = exercise(
    dependence,
    some_functions,
    oracle=by_rows,
    seeds=(0,),
    holds=[exact_zeros],
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

.sqrt() => .sqrt().tril()
你去掉了对角线以上的数：f 不一定只看前面的行。
You drop what is above the diagonal: f may look at later rows, too.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes.norm(dim=3).sum(dim=1)
你对每个 e 各自开方，再相加：应先把 E × D 个平方都加起来，只开一次方。
You take a root for each e and add: add all E × D squares first, and take one
root.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes.norm(dim=1).sum(dim=2)
你对每个 d 各自开方，再相加：应先把 E × D 个平方都加起来，只开一次方。
You take a root for each d and add: add all E × D squares first, and take one
root.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes[:, 0].norm(dim=2)
你只用了 Y 每一行的第一个数：E 个数的导数都要算进去。
You use the first number of each row of Y only: all E of them count.

slopes.square().sum(dim=(1, 3)).sqrt() => slopes[:, -1].norm(dim=2)
你只用了 Y 每一行的最后一个数（是否用 = 覆盖了前面的，没有累加？）。
You use the last number of each row of Y only (is the earlier overwritten by =
and not added up?).

slopes.square() => slopes.flatten(0, 1).cumsum(0).view(slopes.shape).square()
X.grad 会累加：每次 backward 之前要清零，或用 torch.autograd.grad。
X.grad adds up: set it to zero before each backward, or use
torch.autograd.grad.

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


def sequences(rng):
    yield from draw("* N D, D E, E E")(rng)
    for *shape, D, E in ((40, 2, 3), (2, 1, 3, 2, 4, 3, 2)):
        yield tuple(
            torch.randn(s, generator=rng, dtype=torch.float64)
            for s in ((*shape, D), (D, E), (E, E))
        )


rnn = exercise(
    rnn,
    sequences,
    oracle=by_nn_rnn,
    seeds=(0,),
    holds=[
        without("rnn_tanh rnn_tanh_cell", *READY),
        same_gradients(rnn),
    ],
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

torch.tanh( => torch.relu(
你用了 ReLU：公式里是 tanh。
You use ReLU: the formula has tanh.

torch.tanh( => torch.sigmoid(
你用了 sigmoid：公式里是 tanh。
You use the sigmoid: the formula has tanh.

i, :] @ W + y @ U) => i, :] @ W) + y @ U
tanh 只包住了 X_i W：要先相加，再做 tanh。
tanh holds X_i W only: add first, then take tanh.

torch.tanh(X[..., i, :] @ W + => X[..., i, :] @ W + torch.tanh(
tanh 只包住了 Y_{i−1} U：要先相加，再做 tanh。
tanh holds Y_{i−1} U only: add first, then take tanh.

y @ U) => y @ U) if i else X[..., i, :] @ W
第 0 行没有做 tanh：Y_0 = tanh(X_0 W)。
Row 0 lacks the tanh: Y_0 = tanh(X_0 W).

y = torch.tanh( => y = y + torch.tanh(
你把新的 Y 加到了前一个上：Y_i 就是 tanh 的结果。
You add the new Y to the one before: Y_i is the result of tanh itself.

P = X @ W
before = torch.cat([torch.zeros_like(P[..., :1, :]), P[..., :-1, :]], dim=-2)
return torch.tanh(P + before @ U)
你用的是 X_{i−1} W：公式里是前一个输出 Y_{i−1}。
You use X_{i−1} W: the formula has the output before, Y_{i−1}.

return right(X.flip(-2), W, U).flip(-2)
方向反了：Y_i 用前一行的 Y_{i−1}，不是后一行的。
The direction is wrong: Y_i uses the row before it and not the one after.

Y = right(X.reshape(-1, X.shape[-1]), W, U)
return Y.reshape(*X.shape[:-1], -1)
前面的各轴串起来了：每个序列各自从 0 开始。
The sequences are strung together: each of them begins with 0.

y, rows = X.new_zeros(*X.shape[1:-1], U.shape[0]), []
for x in X:
    y = torch.tanh(x @ W + y @ U)
    rows.append(y)
return torch.stack(rows)
你沿轴 0 走了：N 是倒数第二个轴，前面的轴各自独立。
You walk along axis 0: N is the last axis but one, those before it are apart.

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


def more_windows(rng):
    yield from windows(rng)
    X = torch.randn(2, 1, 3, 2, 4, 3, generator=rng, dtype=torch.float64)
    yield X, torch.randn(9, 2, generator=rng, dtype=torch.float64)


def by_conv1d(X, W):
    N, D = X.shape[-2:]
    kernel = W.view(3, D, -1).permute(2, 1, 0)  # (E, D, 3)
    Y = F.conv1d(X.reshape(-1, N, D).mT, kernel, padding=1).mT
    return Y.reshape(*X.shape[:-1], -1)


whole = same_gradients(cnn)


@says(whole.zh, whole.en)
def whole_gradients(f, X, W):
    one, two, _ = W.chunk(3)
    alike = one.equal(two)  # then a wrong order of the window does not show
    return alike or whole.test(f, X, W)


cnn = exercise(
    cnn,
    more_windows,
    oracle=by_conv1d,
    seeds=(0,),
    holds=[whole_gradients],
    wrong="""
[before, X, after] => [after, X, before]
前后反了：一行里先放 i − 1，再放 i，再放 i + 1。
Before and after are swapped: in a row come i − 1, then i, then i + 1.

before, X, after = X.roll(1, -2), X, X.roll(-1, -2)
return torch.cat([before, X, after], dim=-1) @ W
roll 把首尾接成了一圈：第 0 行之前、最后一行之后应是 0。
roll closes a circle: before row 0 and after the last row there are zeros.

zero = torch.zeros_like(X[..., :1, :])
after = torch.cat([X[..., 1:, :], zero], dim=-2)
return torch.cat([X.roll(1, -2), X, after], dim=-1) @ W
第 0 行之前取到了最后一行（roll 或下标 −1）：应是 0。
Before row 0 stands the last row (roll, or the index −1): it should be 0.

zero = torch.zeros_like(X[..., :1, :])
before = torch.cat([zero, X[..., :-1, :]], dim=-2)
return torch.cat([before, X, X.roll(-1, -2)], dim=-1) @ W
最后一行之后取到了第 0 行：应是 0。
After the last row stands row 0: it should be 0.

[before, X, after] => [X, before, after]
次序不对：一行里先放 i − 1，再放 i，再放 i + 1。
The order is not right: in a row come i − 1, then i, then i + 1.

Y = right(X.reshape(1, -1, X.shape[-1]), W)
return Y.reshape(*X.shape[:-1], -1)
前面的各轴串起来了：每个序列的两头之外都是 0。
The sequences are strung together: outside of each there are zeros.

D, zero = X.shape[-1], torch.zeros_like(X[..., :1])
wide = torch.cat([zero, X, zero], dim=-1)
return torch.cat([wide[..., k : k + D] for k in range(3)], dim=-1) @ W
你沿特征移动了：应沿行（倒数第二个轴）。
You shift along features: shift along rows (the last axis but one).

zero, N = torch.zeros_like(X[..., :1, :]), X.shape[-2]
wide = torch.cat([X, zero, zero], dim=-2)
return torch.cat([wide[..., k : k + N, :] for k in range(3)], dim=-1) @ W
窗口是 i、i + 1、i + 2：应以第 i 行为中心。
Your window is i, i + 1, i + 2: row i should be in its centre.

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


def stacks(rng):
    yield from draw("* N D", high=6)(rng)
    yield (torch.randn(2, 1, 3, 2, 4, 3, generator=rng, dtype=torch.float64),)


similarity_mean = exercise(
    similarity_mean,
    stacks,
    oracle=lambda X: F.scaled_dot_product_attention(X, X, X, scale=1.0),
    seeds=(0,),
    holds=[
        without(
            "scaled_dot_product_attention multi_head_attention_forward",
            "你调用了现成的注意力：这里要自己写。",
            "You call an attention that exists already: here, write it.",
        ),
        same_gradients(similarity_mean),
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

(X @ X.mT).exp() => (X @ X.mT).exp().tril()
你只看了前面的行：这里每一行看所有的行。
You look at earlier rows only: here each row looks at all of them.

S = (X @ X.mT).exp()
S = S - torch.diag_embed(S.diagonal(dim1=-2, dim2=-1))
return S / S.sum(dim=-1, keepdim=True) @ X
你去掉了自己：和里也有 j = i。
You leave the row itself out: the sum holds j = i, too.

(X @ X.mT).exp() => (X @ X.mT).exp().softmax(dim=-1)
指数取了两次：softmax 里已有指数。
The exponential is taken twice: softmax has one already.

(X @ X.mT).exp() => (X @ X.mT).softmax(dim=-1).exp()
你做了两次 softmax。
You take softmax twice.

unit = F.normalize(X, dim=-1)
return (unit @ unit.mT).softmax(dim=-1) @ X
你用的是余弦：这里的点积不除以长度。
You use the cosine: here the dot product is not divided by lengths.

(X @ X.mT).exp() => torch.sigmoid(X @ X.mT)
你用了 sigmoid：相似性是点积的指数。
You use the sigmoid: the similarity is the exponential of the dot product.

(X @ X.mT).exp() => (X @ X.mT).relu()
你用了 ReLU：相似性是点积的指数。
You use ReLU: the similarity is the exponential of the dot product.

(X @ X.mT).exp() => (X @ X.mT / X.shape[-1]).exp()
你把点积除以了 D：这里的相似性没有这一步。
You divide the dot products by D: the similarity here does not.

return right(X) + X
你还加上了 X：只要加权平均。
You add X, too: the weighted average alone is asked for.

return (X @ X.mT).softmax(dim=0) @ X
softmax 沿轴 0 做了：应沿最后一个轴（dim=-1）。
softmax goes along axis 0: it should go along the last (dim=-1).

return (X @ X.mT).softmax(dim=min(1, X.dim() - 1)) @ X
softmax 沿轴 1 做了：应沿最后一个轴（dim=-1）。
softmax goes along axis 1: it should go along the last (dim=-1).

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
        for distance in (1, 2, 3, 4, 5, 6, 9, 10, 20, 63, 64, 500):
            yield distance, width
    for distance in (1, 200, 201, 401):
        yield distance, 401


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

(distance + step - 1) // step => round(distance / step)
你四舍五入了：剩下的几行，再少也还要一层。
You round to the nearest: the rows that are left, however few, need one more
layer.

(distance + step - 1) // step => -(-(2 * distance + 1) // width)
你让 L · width 够 2r + 1 行：每多一层只多 width − 1 行，因为窗口会重叠。
You let L · width cover 2r + 1 rows: a further layer adds width − 1 rows only,
as windows overlap.

width // 2 => (width + 1) // 2
窗口往一边只够到 (width − 1) / 2 行：自己那一行不算。
To one side a window reaches (width − 1) / 2 rows: the row itself is not
counted.

(distance + step - 1) // step => -(-2 * distance // width)
窗口往一边只够到 (width − 1) / 2 行：width / 2 多了半行。
To one side a window reaches (width − 1) / 2 rows: width / 2 is half a row
more.

(distance + step - 1) // step => (distance + step - 1) // step + 1
多了一层。
One layer too many.

(distance + step - 1) // step => -(-(distance - 1) // step)
少算了一行：距离 r 要够到 r 行，不是 r − 1 行。
One row is missing: distance r takes r rows, not r − 1.

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
