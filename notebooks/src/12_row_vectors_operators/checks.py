"""Checks of lesson 12: operators on rows, and matrices on the left."""

import math
from functools import partial

import torch
import torch.nn.functional as F

from exercises import (
    Rejection,
    exercise,
    labelled,
    normal,
    says,
    variations,
)

DTYPE = torch.float64  # the lesson's default, and its texts ask for no other
rounds = partial(variations, dtypes=(torch.float64,))

# --- which row influences which ----------------------------------------------


def row_leaks(f, X):
    N, D = X.shape
    before, touched = f(X), torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        changed = X.clone()
        changed[j] = torch.randn(D)
        step = f(changed) - before  # (N, E)
        touched[:, j] = (step.abs() > 1e-9).any(dim=1)  # (N, E) -> (N,)
    return touched


def of_rows(rng, N, d_model):
    """Functions of N rows; some let rows leak into others, most not all."""
    A = normal(rng, d_model, d_model + 2)
    places = torch.arange(1.0, N + 1, dtype=torch.float64)[:, None] / N
    sparse = normal(rng, N, N) * (torch.rand(N, N, generator=rng) < 0.4)
    sparse[:, -1] = 0  # no row sees the last one
    order = torch.randperm(N, generator=rng)
    last = torch.zeros(N, N, dtype=torch.float64)
    last[0, -1] = 1e-3
    functions = {
        "X @ A": lambda X: X @ A,
        "softmax of each row": lambda X: X.softmax(1),  # blind to + 1
        "tanh(row i times (i + 1) / N)": lambda X: (X * places).tanh(),
        "column 0 beside ones": lambda X: torch.cat(
            [torch.ones_like(X), X[:, :1]], 1
        ),
        "2 X[:, -1:]": lambda X: 2 * X[:, -1:],
        "X + 1e-12 X.sum(0)": lambda X: X + 1e-12 * X.sum(0),  # rounding
        "X + 1e-7 X.sum(0)": lambda X: X + 1e-7 * X.sum(0),  # a leak
        "1e6 + 2 X": lambda X: 1e6 + 2 * X,  # small beside the values
        "X, and row 0 + 1e-3 X[-1]": lambda X: X + last @ X,
        "tanh(X A) + 1e-3 of the row before": lambda X: (
            (X @ A).tanh() + 1e-3 * (X @ A).roll(1, 0)
        ),
        "X beside -X": lambda X: torch.cat([X, -X], 1),  # adds up to 0
        "X.cumsum(0)": lambda X: X.cumsum(0),
        "X - X.mean(0)": lambda X: X - X.mean(0),
        "X in another order of rows": lambda X: X[order],
        "X rounded to 1e-6": lambda X: X.round(decimals=6),
        "the row before, rounded": lambda X: X.round(decimals=6).roll(1, 0),
        "P @ X, P with zeros": lambda X: sparse @ X,
        "attention of X to itself": lambda X: (0.1 * X @ X.T).softmax(1) @ X,
        "X squared": lambda X: X.square(),  # blind to the sign
    }
    if d_model > 3:  # with few numbers a new row may be rounded to the old
        functions |= {
            "10 X rounded": lambda X: (10 * X).round(),
            "10 X of the row before, rounded": lambda X: (
                (10 * X).round().roll(1, 0)
            ),
        }
    if d_model > 1:  # blind to a factor; of one number only the sign is left
        functions["X, each row of length 1"] = lambda X: F.normalize(X)
    return [labelled(text, f) for text, f in functions.items()]


def among_zeros(X):  # a leak that is lost in the mean of a row
    zeros = torch.zeros(len(X), 400, dtype=X.dtype)
    return torch.cat([zeros, 2e-8 * X.cumsum(0)], 1)


def just_above(X):  # the limit, 1e-9
    return X + 2e-9 * (X > 0).double().roll(1, 0)


def leaks(rng):
    for i, s in enumerate(rounds(rng, "N D")):
        functions = of_rows(rng, s.N, s.D)
        for f in functions if not i else functions[i % 5 :: 5]:
            X = s.normal("N D")
            if i == 1 or s.about == "equal sizes":
                X[1:] *= torch.rand(s.N - 1, 1, generator=rng) > 0.5  # padded
            yield f, X
    wide = labelled("2e-8 X.cumsum(0) beside 400 zeros", among_zeros)
    yield wide, normal(rng, 2, 5)
    little = labelled("X + 2e-9 where the row before is positive", just_above)
    yield little, normal(rng, 4, 60)  # so wide that a new row has other signs
    for f in of_rows(rng, 6, 4):
        X = normal(rng, 6, 4)
        X[2:4] = 0.0  # two padded tokens: alike, and multiples of 0 are 0
        yield f, X


row_leaks = exercise(
    row_leaks,
    leaks,
    seeds=(0,),  # many calls of many functions
    wrong="""
return touched => return touched.T
你的结果正好是转置：第 i 行第 j 列说的是改第 j 行以后 f(X) 的第 i 行变不变，所
以改一次得到的是一列。
Your result is the transpose: row i, column j tells whether row i of f(X)
changes when row j is changed, so one change gives one column.

changed = X.clone() => changed = changed if j else X.clone()
你的结果等于改动越积越多的结果：改第 j 行之前没有从原来的 X 重新开始。
Your result equals what you get when changes pile up: before row j is changed
you do not start again from the original X.

X.clone() => X
你直接改了 X，改动还越积越多：每次应从 X 的一份新的拷贝开始。
You change X itself, and the changes pile up: start each time from a new copy
of X.

torch.randn(D) => X[j] + 1
你的结果等于给整行加 1 的结果：有的函数看不见这种改动，例如每行的 softmax。要换
成新的随机数。
Your result equals what you get by adding 1 to the whole row: some functions do
not see that, softmax of each row for one. Use new random numbers.

torch.randn(D) => 1.0
你的结果等于把整行换成同一个数的结果：有的函数看不出这样的行与全 0 的行有什么不
同，例如每行的 softmax。要换成新的随机数，每个都不同。
Your result equals what you get by making all numbers of the row the same: some
functions do not tell such a row from one of zeros, softmax of each row for
one. Use new random numbers, all different.

torch.randn(D) => 0.0
你的结果等于把整行换成 0 的结果：本来就是 0 的行等于没改。要换成新的随机数。
Your result equals what you get by setting the whole row to 0: a row that is 0
already stays the same. Use new random numbers.

torch.randn(D) => 2 * X[j]
你的结果等于把整行乘 2 的结果：0 乘 2 还是 0，有的函数也看不见整行的倍数。要换
成新的随机数。
Your result equals what you get by doubling the whole row: 0 stays 0, and some
functions do not see a factor. Use new random numbers.

torch.randn(D) => -X[j]
你的结果等于把整行换成相反数的结果：0 的相反数还是 0，平方也看不见正负号。要换
成新的随机数。
Your result equals what you get by changing the sign of the whole row: 0 stays
0, and a square does not see the sign. Use new random numbers.

changed[j] = torch.randn(D) => changed[j, 0] = torch.randn(())
你的结果等于只改第 j 行的第 0 个数的结果：整行都要换，有的函数只看别的列。
Your result equals what you get when only number 0 of row j is changed: replace
the whole row, some functions look at other columns only.

changed[j] = torch.randn(D) => changed[j, -1] = torch.randn(())
你的结果等于只改第 j 行的最后一个数的结果：整行都要换，有的函数只看别的列。
Your result equals what you get when only the last number of row j is changed:
replace the whole row, some functions look at other columns only.

step.abs() > 1e-9 => step != 0
你的结果等于要求完全相等的结果：舍入误差也被当成了泄漏，界限是 1e-9。
Your result equals what you get when exact equality is asked for: rounding
counts as a leak. The limit is 1e-9.

step.abs() > 1e-9 => ~torch.isclose(f(changed), before)
你的结果等于用 torch.isclose 或 allclose 默认容差的结果：它们还容许相对于数值本
身的误差，小的变化就漏掉了。界限是 1e-9。
Your result equals what you get with torch.isclose or allclose as they are:
they also allow an error in proportion to the values, and small changes are
missed. The limit is 1e-9.

return touched => return touched & ~torch.eye(N, dtype=torch.bool)
对角线上全是 False：第 i 行自己改了以后 f(X) 的第 i 行也会变，这一格也要如实填
写。
Your diagonal is all False: row i of f(X) also changes with row i of X, and
these entries count too.

.any(dim=1) => .all(dim=1)
你的结果等于要求一行里每个数都变的结果：只要有一个数变了，这一行就算变了。
Your result equals what you get when every number of a row has to change: a row
has changed as soon as one of its numbers has.

(step.abs() > 1e-9).any(dim=1) => step.sum(dim=1).abs() > 1e-9
你的结果等于把一行的变化加起来再看的结果：有正有负会互相抵消。
Your result equals what you get when the changes in a row are added up first:
positive and negative ones cancel.

(step.abs() > 1e-9).any(dim=1) => step.abs().mean(dim=1) > 1e-9
你的结果等于看一行变化的平均值的结果：很宽的一行里只有一个数变了，平均下来就看不见
了。
Your result equals what you get from the mean of the changes in a row: one
number that changes in a wide row is lost in it.

torch.randn(D) => X[j] + 1e-3 * torch.randn(D)
你的结果等于只把第 j 行改动一点点的结果：四舍五入这样的函数看不见很小的改动。要
换成全新的随机数。
Your result equals what you get when row j is changed by very little: rounding
does not see that. Use new random numbers.

step.abs() => step
你的结果等于忘了取绝对值的结果：变小也是变。
Your result equals what you get without the absolute value: a number that
became smaller has changed too.

1e-9 => 0.05
你的结果等于容差太大的结果：很小的泄漏也是泄漏，界限是 1e-9。
Your result equals what you get with too large a tolerance: a small leak is a
leak, the limit is 1e-9.

return touched => return torch.eye(N, dtype=torch.bool)
你的结果总是单位矩阵：看的应是 f(X) 变不变，而不是 X 变不变。
Your result is always the identity matrix: look whether f(X) changes, and not
whether X does.

return touched => return touched & torch.eye(N, dtype=torch.bool)
只填了对角线：第 j 行一改，f(X) 的每一行都要看。
Only the diagonal is filled in: when row j is changed, look at every row of
f(X).

touched[:, j] = (step.abs() > 1e-9).any(dim=1) => TOUCHED
TOUCHED => touched[j, j] = (step.abs() > 1e-9).any()
只填了对角线：第 j 行一改，要看 f(X) 的每一行各自变没变。
Only the diagonal is filled in: when row j is changed, look for each row of
f(X) whether it changes.

return touched => return ~touched
True 和 False 反了：变了才是 True。
True and False are swapped: True where a row changes.

J = torch.autograd.functional.jacobian(f, X, vectorize=True)
return (J.abs() > 1e-9).any(dim=3).any(dim=1)
你看的是导数：四舍五入这样的函数导数处处为 0，换一行却会变。题目要的是真的换一
行。
You look at derivatives: those of rounding are 0 everywhere, and yet another
row gives something else. Do replace the row.
""",
)

# --- is it linear ------------------------------------------------------------


def is_linear(f, shape):
    u, v = torch.randn(2, *shape)
    together = f(2.0 * u - 3.0 * v)
    apart = 2.0 * f(u) - 3.0 * f(v)
    return torch.allclose(together, apart)


def cube_root_of_cubes(X):  # f(cX) = c f(X), but no sums
    total = X.pow(3).sum(dim=1)
    return total.sign() * total.abs().pow(1 / 3)


def of_matrices(rng, N, d_model):
    """Functions of (N, D); the first six are linear."""
    A, P = normal(rng, d_model, d_model + 2), normal(rng, N + 1, N)
    b = normal(rng, d_model + 2)
    functions = {
        "X @ A": lambda X: X @ A,
        "P @ X": lambda X: P @ X,
        "X - X.mean(1)": lambda X: X - X.mean(dim=1, keepdim=True),
        "X.cumsum(0), columns reversed": lambda X: X.cumsum(0).flip(1),
        "X[0, 0]": lambda X: X[0, 0],
        "0 X": lambda X: 0 * X,
        "X @ A + b": lambda X: X @ A + b,
        "X @ A + 0.001": lambda X: X @ A + 1e-3,
        "X beside a column of 0.001": lambda X: torch.cat(
            [X, torch.full_like(X[:, :1], 1e-3)], 1
        ),
        "X beside a column of 1e-6": lambda X: torch.cat(
            [X, torch.full_like(X[:, :1], 1e-6)], 1
        ),
        "tanh(X)": lambda X: X.tanh(),
        "X @ A + 0.01 (X @ A)²": lambda X: X @ A + 0.01 * (X @ A).square(),
        "softmax of each row": lambda X: X.softmax(dim=1),
        "X @ X.T @ X": lambda X: X @ X.T @ X,
    }
    if min(N, d_model) > 3:  # with few numbers these look linear by chance
        functions |= {
            "relu(X @ A)": lambda X: (X @ A).relu(),
            "abs(X)": lambda X: X.abs(),
            "cube root of the row's cubes": cube_root_of_cubes,
            "each row sorted": lambda X: X.sort(dim=1).values,
            "each column sorted": lambda X: X.sort(dim=0).values,
            "abs(X - X.mean(0))": lambda X: (X - X.mean(0)).abs(),
            "X, from row 1 on relu": lambda X: torch.cat(
                [X[:1], X[1:].relu()]
            ),
            "X rounded down": lambda X: X.floor(),  # linear on integers
            "X rounded": lambda X: X.round(),  # 0 on small numbers
            "sign of X": lambda X: X.sign(),  # derivative 0
            "fraction of X": lambda X: X.frac(),  # derivative 1
            "X times the next row": lambda X: X * X.roll(1, 0),
            "the largest of each column": lambda X: X.amax(dim=0),
            "abs of the rows' mean": lambda X: X.mean(dim=0).abs(),
        }
    return [labelled(text, f) for text, f in functions.items()]


def maybe_linear(rng):
    for i, s in enumerate(rounds(rng, "N D", low=5, high=9, layouts=False)):
        functions = of_matrices(rng, s.N, s.D)
        for f in functions if not i else functions[i % 3 :: 3]:
            yield f, (s.N, s.D)


is_linear = exercise(
    is_linear,
    maybe_linear,
    wrong="""
y = f(torch.zeros(shape))
return torch.allclose(y, torch.zeros_like(y))
你的结果等于只看零是否变成零的结果：ReLU、tanh 也把零变成零，却不是线性的。
Your result equals what you get when you only look whether zero goes to zero:
ReLU and tanh do that too and are not linear.

randn => rand
- 3.0 => + 3.0
你的结果等于只用正数检验的结果：在正数上 ReLU 和绝对值都像是线性的。输入和系数
都要有负的。
Your result equals what you get with positive numbers only: on these ReLU and
the absolute value look linear. Inputs and factors must be negative too.

- 3.0 * v =>
- 3.0 * f(v) =>
你的结果等于只检验 f(2u) = 2 f(u) 的结果：还要检验两个输入相加。
Your result equals what you get when only f(2u) = 2 f(u) is tested: test the
sum of two inputs as well.

2.0 * u - 3.0 * v => -2.0 * u
2.0 * f(u) - 3.0 * f(v) => -2.0 * f(u)
你的结果等于只检验乘一个数（包括负数）、不检验相加的结果：有的函数满足
f(cu) = c f(u)，却不满足 f(u + v) = f(u) + f(v)。
Your result equals what you get by testing multiplication by a number, negative
ones included, but no sum: there are functions with f(cu) = c f(u) and without
f(u + v) = f(u) + f(v).

2.0 * u - 3.0 * v => u + v
2.0 * f(u) - 3.0 * f(v) => f(u) + f(v)
torch.allclose(together, apart) => bool((together - apart).max() < 1e-8)
你的结果等于两边相减以后没有取绝对值的结果：差全是负数时也通过了，绝对值和 ReLU
正是这样。
Your result equals what you get when the two sides are subtracted without
taking the absolute value: differences that are all negative pass, as with abs
and ReLU.

2.0 * u - 3.0 * v => 3.0 * u - 2.0 * v
2.0 * f(u) - 3.0 * f(v) => 3.0 * f(u) - 2.0 * f(v)
你的结果等于检验仿射的结果，加了常数的也被当成了线性：系数之和是 1 时常数恰好抵
消。
Your result equals a test for affine maps, and maps with a constant added pass
as linear: with factors that add up to 1 the constant cancels.

torch.allclose => torch.equal
你的结果等于要求完全相等的结果：浮点数有舍入误差，线性的也会差一点。
Your result equals what you get when exact equality is asked for:
floating-point numbers are rounded, and linear functions miss by a little too.

apart) => apart, atol=0.05)
你的结果等于容差太大的结果：很小的偏置也使函数不再线性。默认容差就够了。
Your result equals what you get with too large a tolerance: even a small bias
makes a function not linear. The default tolerance will do.

return torch => return not torch
True 和 False 反了：线性的返回 True。
True and False are swapped: return True for linear functions.

torch.randn(2, *shape) => torch.randint(-9, 10, (2, *shape)).double()
你的结果等于只用整数检验的结果：取整在整数上像是线性的。输入里也要有小数。
Your result equals what you get with integers only: rounding down looks linear
on these. Inputs need fractions too.

torch.allclose(together, apart) => torch.allclose(together.sum(), apart.sum())
你的结果等于只比较总和的结果：排序不是线性的，总和却不变。要逐个元素比较。
Your result equals what you get when only the sums are compared: sorting is not
linear, and yet keeps the sum. Compare element by element.

torch.allclose(together, apart) => torch.allclose(together[:1], apart[:1])
你的结果等于只比较第 0 行的结果：别的行也要比较。
Your result equals what you get when only row 0 is compared: compare the others
too.

return True
在所有的检查里你都返回 True：有的函数不是线性的。
You return True for every function of the check: some are not linear.

return False
在所有的检查里你都返回 False：有的函数是线性的。
You return False for every function of the check: some are linear.
""",
)

# --- rotate ------------------------------------------------------------------


def rotate(X, alpha):
    c, s = math.cos(alpha), math.sin(alpha)
    R = torch.tensor([[c, s], [-s, c]], dtype=X.dtype)
    return X @ R  # (N, 2) @ (2, 2) -> (N, 2)


def points(rng):
    s = None
    for s in rounds(rng, "N", low=3):
        s["2"] = 2
        yield 3 * s.normal("N 2"), 6 * torch.rand((), generator=rng).item() - 3
    yield s.normal("2 2"), 0.7  # here a matrix on the left fits as well
    yield s.normal("N 2"), math.pi / 2
    yield s.normal("N 2"), 8.0


def close(a, b):
    return torch.allclose(a, b, rtol=1e-7, atol=1e-9)


@says(
    "旋转不改变长度，你的结果改变了。",
    "A rotation keeps lengths; yours does not.",
)
def keeps_lengths(f, X, alpha):
    return close(f(X, alpha).norm(dim=1), X.norm(dim=1))


def differ_by_row(turns):
    """Whether the angles (N, m) differ from those of the first row."""
    return bool(((turns - turns[:1]) / 2).sin().abs().gt(1e-6).any())


def turned(X, Y, angles):
    """Raise where Y is not X with each pair of features turned by its angle.

    X, Y: (N, 2 m); angles: (m,).
    """
    before, after = (torch.complex(Z[:, ::2], Z[:, 1::2]) for Z in (X, Y))
    turns = (after / before).angle()  # (N, m)
    if differ_by_row(turns):
        if not differ_by_row((after / before.conj()).angle()):
            raise Rejection(
                "这是镜像，不是旋转：一对里的两个数对调了，或有一处正负号反了。",
                "This is a mirror image and no rotation: the two numbers of a "
                "pair have changed places, or a sign is wrong.",
            )
        raise Rejection(
            "不同的行转的角不同：同一个角要用于所有的行。",
            "Different rows are turned by different angles: one angle is for "
            "all rows.",
        )
    for n, k in ((turns - angles) / 2).sin().abs().gt(1e-6).nonzero().tolist():
        by, due = turns[n, k].item(), math.remainder(angles[k], math.tau)
        by = round(by, 4) + 0.0  # no 1e-17
        pair = len(angles) > 1
        zh = f"的第 {k} 对特征" if pair else ""
        en = f"Pair {k} of row {n}" if pair else f"Row {n}"
        raise Rejection(
            f"第 {n} 行{zh}逆时针转了 {by:.3g} 弧度，应转 {due:.3g}。",
            f"{en} is turned counter-clockwise by {by:.3g} and should be by "
            f"{due:.3g} (radians).",
        )


@says("转的角度不对。", "The angle is wrong.")
def by_alpha(f, X, alpha):
    turned(X, f(X, alpha), torch.tensor([alpha]))


rotate = exercise(
    rotate,
    points,
    holds=[keeps_lengths, by_alpha],
    wrong=r"""
[[c, s], [-s, c]] => [[c, -s], [s, c]]
转反了，成了顺时针：这个矩阵是给列向量用的，这里的点是行。
It turns the wrong way, clockwise: this matrix is for column vectors, and the
points here are rows.

c, s = => alpha = math.radians(alpha)\n    c, s =
你把 alpha 当成了度数：它已经是弧度，不要再换算。
You take alpha for degrees: it is in radians already, so do not convert it.

c, s = => alpha = math.degrees(alpha)\n    c, s =
你把 alpha 换算成了度数：math.cos 和 math.sin 要的正是弧度，不要换算。
You convert alpha to degrees: radians are what math.cos and math.sin want, so
do not convert it.

X @ R => (X @ R).T.reshape(X.shape)
转得对，但 (2, N) 是用 reshape 变成 (N, 2) 的，x 和 y 混在了一起。
Turned rightly, but (2, N) was made (N, 2) by reshape, which mixes x and y.

x, y = X.T
radius, angle = X.norm(dim=1), torch.atan(y / x) + alpha
return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
atan(y / x) 分不清相反的两个方向，x 为负的点转到了对面。
atan(y / x) does not tell opposite directions apart, and points with negative x
land on the other side.

[[c, s], [-s, c]] => [[c, s], [s, c]]
矩阵里的正负号不对，e2 转到了错误的一边，长度也变了。
A sign in the matrix is wrong: e2 goes to the wrong side, and lengths change.

[[c, s], [-s, c]] => [[c, s], [s, -c]]
你的矩阵是一个镜像，不是旋转：e2 到了反方向。
Your matrix is a mirror and no rotation: e2 goes the opposite way.

[[c, s], [-s, c]] => [[s, c], [-c, s]]
sin 和 cos 对调了：alpha = 0 时点应当不动。
Sine and cosine are swapped: with alpha = 0 the points must stay where they
are.

x, y = X.T
x = x * math.cos(alpha) - y * math.sin(alpha)
y = x * math.sin(alpha) + y * math.cos(alpha)
return torch.stack([x, y], dim=1)
你先更新了 x，再用新的 x 去算 y：算 y 时要用原来的 x。
You update x first and then compute y from the new x: y needs the old one.

centre = X.mean(dim=0)
return right(X - centre, alpha) + centre
你绕的是这些点的中心，题目要求绕原点。
You turn about the centre of the points; turn about the origin.

X @ R => R @ X
你把矩阵乘在了左边：左边的矩阵混合各行，形状也只有 N = 2 时对得上。
You multiply by the matrix on the left: there it mixes rows, and the shapes fit
for N = 2 only.

X @ R => X.flip(1) @ R
你把 x 和 y 对调了再转：每一行是 (x, y)，次序不变。
You exchange x and y before you turn: a row is (x, y), in this order.

X @ R => (X @ R).flip(1)
转得对，但返回的 x 和 y 对调了：每一行应是 (x, y)。
Turned rightly, but x and y of the result have changed places: a row is (x, y).

x, y = X.T
c, s = math.cos(alpha), math.sin(alpha)
return torch.cat([x * c - y * s, x * s + y * c])
数都对，但 cat 把所有的 y 接在所有的 x 后面，成了一长串：一行应是一个点。
The numbers are right, but cat puts all y behind all x in one string of 2N
numbers: a row should be a point.

X @ R => (X @ R).squeeze()
只有一个点时少了一个轴：形状应和 X 的一样。
With a single point an axis is missing: the shape is that of X.
""",
)

# --- turn two by two ---------------------------------------------------------


def rotate_pairs(X, angles):
    N, d_model = X.shape
    x, y = X.view(N, d_model // 2, 2).unbind(dim=2)  # two (N, m)
    c, s = angles.cos(), angles.sin()  # (m,) each
    turned = torch.stack([x * c - y * s, x * s + y * c], dim=2)  # (N, m, 2)
    return turned.view(N, d_model)  # (N, m, 2) -> (N, 2 m)


def features(rng):
    for s in rounds(rng, "N m"):
        s["D"] = 2 * s.m
        yield s.normal("N D"), 2 * s.normal("m")


@says(
    "改动一对特征时，别的对也变了，或者这一对没有变：各对应当互不相干。",
    "When one pair of features is changed, another pair changes too, or this "
    "one does not: the pairs must be independent.",
)
def pairs_are_apart(f, X, angles):
    other = X.clone()
    other[:, :2] += 1
    moved = ((f(other, angles) - f(X, angles)).abs() > 1e-9).any(dim=0)
    return bool(moved[:2].all() and not moved[2:].any())


@says("转的角度不对。", "An angle is wrong.")
def by_angles(f, X, angles):
    turned(X, f(X, angles), angles)


rotate_pairs = exercise(
    rotate_pairs,
    features,
    holds=[pairs_are_apart, by_angles],
    wrong=r"""
return right(X, -angles)
转反了，成了顺时针。用知道答案的一对试试：(1, 0) 转 90° 必须到 (0, 1)。
It turns the wrong way, clockwise. Try a pair whose answer you know: turned by
90°, (1, 0) must go to (0, 1).

x, y = X.chunk(2, dim=1)
c, s = angles.cos(), angles.sin()
return torch.cat([x * c - y * s, x * s + y * c], dim=1)
你把前一半特征和后一半特征配成了对，即第 k 个配第 m + k 个：题目要求相邻的 2k
和 2k + 1 配对。
You pair the first half of the features with the second, number k with number m
+ k: pair the neighbours 2k and 2k + 1.

X.view(N, d_model // 2, 2).unbind(dim=2) => X.chunk(2, dim=1)
你把一行切成了前后两半来配对，例如 view(N, 2, m)：题目要求相邻的 2k 和 2k + 1
是一对。
You cut a row into two halves and pair these, as view(N, 2, m) does: the
neighbours 2k and 2k + 1 are to be a pair.

Y = X.clone()
for k in range(len(angles)):
    Y[:, k : k + 2] = right(X[:, k : k + 2], angles[k : k + 1])
return Y
你取的是第 k 和 k + 1 个特征，相邻的对重叠了：第 1 对从第 2 个特征开始。
You take the features k and k + 1, so that pairs overlap: pair 1 begins with
feature 2.

y * c], dim=2) => y * c], dim=1)
转得对，次序不对：你把所有的 x 排在前面，所有的 y 排在后面。每一对要放回 2k 和
2k + 1。
Turned rightly, but in another order: you put all x first and all y after them.
Each pair goes back to 2k and 2k + 1.

x, y = X[:, ::2], X[:, 1::2]
c, s = angles.cos().repeat(2), angles.sin().repeat(2)
return X * c + torch.stack([-y, x], dim=2).flatten(1) * s
角度重复成了 0 1 2 0 1 2 的次序：一对里的两个数要用同一个角，即 0 0 1 1 2 2。
The angles are repeated in the order 0 1 2 0 1 2: both numbers of a pair take
the same one, 0 0 1 1 2 2.

[x * c - y * s, x * s + y * c] => [x * s + y * c, x * c - y * s]
转得对，但每一对里的两个数放回时对调了。
Turned rightly, but the two numbers of each pair are put back in the wrong
order.

x, y = X => y, x = X
你把每一对里的两个数对调了再转：2k 是横坐标，2k + 1 是纵坐标。
You exchange the two numbers of each pair before you turn: 2k is the first
coordinate, 2k + 1 the second.

x * s + y * c => x * s - y * c
x * c - y * s => x * c + y * s
你的公式是一个镜像，不是旋转：角为 0 时，第 2k + 1 个特征变了号。
Your formula is a mirror and no rotation: with an angle of 0 feature 2k + 1
changes its sign.

x, y = X[:, ::2], X[:, 1::2]
radius, angle = torch.hypot(x, y), torch.atan(y / x) + angles
turned = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=2)
return turned.flatten(1)
atan(y / x) 分不清相反的两个方向，横坐标为负的点转到了对面。
atan(y / x) does not tell opposite directions apart, and points whose first
coordinate is negative land on the other side.

return right(X, angles[:1].expand_as(angles))
所有的对都转了 angles[0]：第 k 对转 angles[k]。
All pairs are turned by angles[0]: pair k turns by angles[k].

return right(X, angles.flip(0))
角度的次序倒了：第 k 对转 angles[k]。
The angles are used in reverse: pair k turns by angles[k].

return right(X, torch.deg2rad(angles))
你把 angles 当成了度数：它们已经是弧度，不要再换算。
You take the angles for degrees: they are in radians already, so do not convert
them.

turned = => x = x * c - y * s\n    turned =
[x * c - y * s, => [x,
你先更新了 x，再用新的 x 去算 y：算 y 时要用原来的 x。
You update x first and then compute y from the new x: y needs the old one.

c, s = angles.cos(), angles.sin() => c, s = angles.sin(), angles.cos()
sin 和 cos 对调了：角为 0 时特征应当不动。
Sine and cosine are swapped: with angles of 0 the features must stay as they
are.

x * c - y * s => x * c + y * s
少了一个负号：这样不是旋转，长度会变。用知道答案的一对试试：(0, 1) 转 90° 必须
到 (-1, 0)。
A minus sign is missing: this is no rotation, lengths change. Try a pair whose
answer you know: turned by 90°, (0, 1) must go to (-1, 0).
""",
)

# --- from paper to code ------------------------------------------------------


def to_rows(M1, c1, M2, c2):
    A = M1.T @ M2.T  # (D, G) @ (G, E) -> (D, E)
    b = M2 @ c1 + c2  # (E, G) @ (G, 1) -> (E, 1)
    return A, b.squeeze(1)  # (E, 1) -> (E,)


def papers(rng):
    for s in rounds(rng, "D G E"):
        s["1"] = 1
        yield (
            s.normal("G D"), s.normal("G 1"), s.normal("E G"), s.normal("E 1"),
        )  # fmt: skip


to_rows = exercise(
    to_rows,
    papers,
    wrong="""
A = M1.T @ M2.T => A = M2 @ M1
A 是作用于列的矩阵，形状 (E, D)，应为 (D, E)。
Your A is the matrix that acts on columns, of shape (E, D) and not (D, E).

return M2 @ M1, M2 @ c1 + c2
这还是论文的列写法：A 作用于列，b 是一列 (E, 1)，应为 (E,)。
This is still the paper's form for columns: A acts on columns, and b is a
column (E, 1) that should have shape (E,).

A = M1.T @ M2.T => A = M2.T @ M1.T
A 里两个矩阵的次序不对：行写法从左往右读。你的乘积只有大小凑巧时才乘得起来。
The order of the two matrices in A is wrong: rows are read from left to right.
Your product fits only where the sizes happen to.

A = M1.T @ M2.T => A = M1 @ M2
A 里的次序对，但两个矩阵还是作用于列的：M1 @ M2 只有大小凑巧时才乘得起来。
The order in A is right, but both matrices still act on columns: M1 @ M2 can be
multiplied only where the sizes happen to fit.

b = M2 @ c1 + c2 => b = c2
b 里只有 c2：c1 的作用没有了。
Your b holds only c2: what c1 adds is lost.

b = M2 @ c1 + c2 => b = M2 @ c1
b 里忘了加 c2。
Your b lacks c2.

b = M2 @ c1 + c2 => b = c1 + c2
b 等于 c1 + c2：可是 c1 在论文公式的括号里面。
Your b is c1 + c2, but c1 stands inside the brackets of the paper's formula.

b.squeeze(1) => b
b 的值对，但还是一列 (E, 1)，应为 (E,)：加到行上它会广播成别的形状。
The values of b are right, but it is still a column (E, 1) in place of (E,):
added to rows it would broadcast to another shape.

b.squeeze(1) => b.squeeze()
E = 1 时 b 的形状成了 ()：不写轴号的 squeeze() 去掉所有大小为 1 的轴。
With E = 1 your b has shape (): squeeze() without an axis removes every axis of
size 1.

b.squeeze(1) => b.T
b 的值对，但形状是 (1, E)：题目要求 (E,)。
The values of b are right, but its shape is (1, E): (E,) is asked for.

b = M2 @ c1 + c2 => b = (M2 @ c1).squeeze(1) + c2
b.squeeze(1) => b
b 里的 c2 还是一列 (E, 1)，与一行相加广播成了 (E, E)。
In your b c2 is still a column (E, 1); added to a row it broadcasts to (E, E).

b = M2 @ c1 + c2 => b = (c1.T @ M2.T + c2)[0]
b.squeeze(1) => b
b 里的 c2 还是一列，与一行相加广播成了 (E, E)；你取的第 0 行只加了 c2 的第一个
数。
In your b c2 is still a column and broadcasts to (E, E) with a row; its row 0,
which you take, holds only the first number of c2.

b = M2 @ c1 + c2 => b = M2 * c1.T + c2
b.squeeze(1) => b[:, 0]
b 里的 M2 * c1.T 是逐元素相乘，没有求和：M2 乘以列 c1 是矩阵乘。
M2 * c1.T in your b multiplies element by element and adds nothing up: M2 times
the column c1 is a matrix product.

b = M2 @ c1 + c2 => b = M2.T @ c1 + c2
b 里多转置了一次：c1 还是一列。
There is a transpose too many in b: c1 is still a column.

b = M2 @ c1 + c2 => b = M2 @ c1 - c2
b 里的 c2 符号反了。
The sign of c2 in your b is wrong.

return A, b.squeeze(1) => return b.squeeze(1), A
次序反了：先是 A，再是 b。
The order is reversed: first A, then b.
""",
)

# --- shuffle, and back -------------------------------------------------------


def shuffle_and_back(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    P = eye[order]  # row i is e_order[i]
    return P, P.T  # what P does, its transpose undoes


def orders(rng):
    for s in rounds(rng, "N", low=4):
        while True:  # from 4 on neither its own inverse nor its reverse
            order = torch.randperm(s.N, generator=rng)
            back, same = order.argsort(), torch.arange(s.N)
            others = (same, back, order.flip(0), back.flip(0))
            if s.N == 1 or not any(torch.equal(order, x) for x in others):
                break
        yield (s.lay(order),)


shuffle_and_back = exercise(
    shuffle_and_back,
    orders,
    wrong="""
return P, P.T => return P.T, P
P 和 P_back 反了：你的 P 做的是还原。
P and P_back are swapped: your P puts things back.

return P, P.T => return P, P
P_back 等于 P：再打乱一次回不到原处。
Your P_back equals P: to shuffle once more does not put things back.

return P, P.T => return P.T, P.T
P_back 对了，P 却也等于它，做的是还原。
P_back is right, but P is the same and puts things back.

P = eye[order] => P = eye
P 是单位矩阵，一行也没有动：第 i 行的 1 应在第 order[i] 列。
Your P is the identity matrix and moves no row: in row i the 1 belongs in
column order[i].

P = eye[order] => P = torch.diag(order.double())
P 的对角线上是 order 的数：每行应只有一个 1，第 i 行的在第 order[i] 列。
The diagonal of your P holds the numbers of order: each row should have a
single 1, in row i in column order[i].

return P, P.T => return P, eye[order.flip(0)]
P_back 是把 order 倒过来得到的：倒过来不是还原。
Your P_back comes from order reversed: that does not undo it.

return P, P.T => return P, eye
P_back 是单位矩阵，什么也没有还原：它要把 P 打乱的行放回去。
Your P_back is the identity matrix and undoes nothing: it has to put back the
rows that P shuffled.

eye = torch.eye(len(order), dtype=torch.float64) => P = F.one_hot(order)
P = eye[order] =>
值都对，但 dtype 是 int64，one_hot 给的就是它：要的是 float64。
The values are right, but the dtype is int64, which is what one_hot gives:
float64 is asked for.

P.T => P @ P
P_back 等于 P @ P，即再打乱两次：那不是还原。
Your P_back is P @ P, which shuffles twice more: that does not undo it.
""",
)
