"""Checks of lesson 06: slopes by trying, step sizes, a line's gradient."""

import math

import torch

from exercises import draw, exercise, labelled, normal, says, table, variations

DTYPE = torch.float64

# --- 1. the gradient by trying -----------------------------------------------


def numeric_gradient(f, theta, h):
    gradient = torch.zeros_like(theta)
    for d in range(len(theta)):
        step = torch.zeros_like(theta)
        step[d] = h
        higher, lower = f(theta + step), f(theta - step)
        gradient[d] = (higher - lower) / (2 * h)
    return gradient


def bumpy(theta):
    steps = torch.arange(1.0, len(theta) + 1, dtype=theta.dtype)
    return (steps * theta).sin().sum() + theta.prod() + (theta**3).sum()


def quartic(theta):
    return (theta**4 - 3 * theta**2 + theta).sum()


def valley(theta):
    return (theta.cumsum(0) ** 2).sum().exp().log1p()


def functions(rng):
    for f in bumpy, quartic, valley:
        for D, h in (1, 0.1), (2, 0.5), (3, 0.25), (5, 1e-3):
            yield labelled(f.__name__, f), normal(rng, D), h
    for f in quartic, valley:
        yield labelled(f.__name__, f), normal(rng, 4).float(), 0.25


@says(
    "数值都对，但 f 的调用次数不对：每个参数调用两次，一共 2D 次。",
    "The values are right, but not the number of calls of f: two for each "
    "parameter, 2D in all.",
)
def two_calls_each(f, function, theta, h):
    calls = []

    def counted(x):
        calls.append(1)
        return function(x)

    f(counted, theta, h)
    return len(calls) == 2 * len(theta)


@says(
    "theta 没有完全还原：加了再减，末位会差一点。对副本加减。",
    "theta is not quite as it was: adding and subtracting again changes the "
    "last digit. Add to a copy.",
)
def theta_as_it_was(f, function, theta, h):
    before = theta.clone()
    f(function, theta, h)
    return torch.equal(theta, before)


numeric_gradient = exercise(
    numeric_gradient,
    functions,
    holds=[two_calls_each, theta_as_it_was],
    wrong="""
f(theta - step) => f(theta)
(2 * h) => h
你只往一边试了（前向差分）：题目要两边各走 h。
You try on one side only (a forward difference): the exercise asks for h to
both sides.

f(theta + step) => f(theta)
(2 * h) => h
你只往减的一边试了：题目要两边各走 h。
You try only on the minus side: the exercise asks for h to both sides.

(2 * h) => h
两边各走了 h，两点相距 2h：f 的差应除以这个距离。
You go h to both sides, so the two points are 2h apart: divide the difference
of the values of f by that distance.

/ (2 * h) =>
你返回的是 f 的差，还没有除以两点的距离。
You return the difference of the values of f, not yet divided by the distance.

step[d] = h => step[:] = h
你把所有参数一起移动了：求第 d 个偏导数时，只动第 d 个参数。
You move all parameters together: for partial derivative d only parameter d
moves.

higher - lower => lower - higher
符号反了：梯度指向 f 增大的方向，应是加的一边减去减的一边。
The sign is reversed: the gradient points to where f grows, so it is the plus
side minus the minus side.

step = torch.zeros_like(theta) => step = step if d else torch.zeros_like(theta)
前面的参数移动之后没有放回原处：每次都应从原来的 theta 出发。
Parameters moved before are not put back: start from the original theta each
time.

return right(f, theta, 1e-6)
你用的不是交给你的 h：f 在 theta 两边距离 h 处取值。
You do not use the h handed to you: f is taken at the distance h on both sides
of theta.

return torch.zeros_like(theta)
结果全是 0：两次交给 f 的可能是同一个张量（up = theta 并不复制）。
两边各用 theta 和 h e_d 造一个新的。
All zeros: perhaps both calls of f were given the same tensor (up = theta makes
no copy). Make a new one for each side from theta and h e_d.

return right(f, theta, h).sum()
你把各个偏导数加成了一个数：每个参数有自己的一个，形状与 theta 相同。
You add the partial derivatives up into one number: each parameter has its own,
and the shape is that of theta.

return right(f, theta, h)[:, None]
值对了，形状是 (D, 1)：应与 theta 一样是 (D,)。
The values are right, the shape is (D, 1): it should be (D,), as theta's.
""",
)

# --- 2. what becomes of the ball ---------------------------------------------

fates = {
    "lr = 0.01": "direct",
    "lr = 0.05": "one",
    "lr = 0.08": "zigzag",
    "lr = 0.1": "cycle",
    "lr = 0.12": "explodes",
    "lr = -0.01": "explodes",
}


def fate(question):
    factor = round(1 - 20 * float(question.split("=")[1]), 9)
    if abs(factor) > 1:
        return "explodes"
    words = {0: "one", 1: "stays", -1: "cycle"}
    return words.get(factor, "direct" if factor > 0 else "zigzag")


ABOUT_FATES = {
    "lr = 0.01": (
        "算出 1 − λL 的符号和大小：每一步之后，球还在原来的一边么？",
        "Compute sign and size of 1 − λL: is the ball still on its side after "
        "a step?",
    ),
    "lr = 0.05": (
        "L 是二阶导数，不是 10。到最小点的距离每步乘 1 − λL，这里是多少？",
        "L is the second derivative, not 10. Each step multiplies the "
        "distance by 1 − λL: how much is that here?",
    ),
    "lr = 0.08": (
        "1 − λL 是负数，它的绝对值比 1 大还是小？",
        "1 − λL is negative; is its absolute value above or below 1?",
    ),
    "lr = 0.1": (
        "λ 正好是 2/L：距离每步乘多少？",
        "λ is exactly 2/L: what is the distance multiplied by in a step?",
    ),
    "lr = 0.12": (
        "λ 与 2/L 比，是大还是小？",
        "Is λ larger or smaller than 2/L?",
    ),
    "lr = -0.01": (
        "λ 是负数：这一步是上坡还是下坡？",
        "λ is negative: does this step go up or down?",
    ),
}

fates = exercise(
    fates,
    **table(fates, fate, ABOUT_FATES),
    name="fates",
    wrong="""
"lr = 0.05": "one" => "lr = 0.05": "direct"
lr = 0.05：你可能把 10 当成了 L。J 的二阶导数是 20，正好是 1/λ。
lr = 0.05: perhaps you took 10 for L. The second derivative of J is 20, exactly
1/λ.

"lr = 0.08": "zigzag" => "lr = 0.08": "direct"
lr = 0.08：1 − λL = −0.6 是负数，所以每一步都越过最小点，落到另一边。
lr = 0.08: 1 − λL = −0.6 is negative, so every step crosses the minimum and
lands on the other side.

"lr = 0.08": "zigzag" => "lr = 0.08": "explodes"
lr = 0.08：越过最小点不等于爆炸：距离每步乘 0.6，还是在缩小。
lr = 0.08: to cross the minimum is not to explode: the distance is multiplied
by 0.6, and shrinks.

"lr = 0.1": "cycle" => "lr = 0.1": "explodes"
lr = 0.1：1 − λL 正好是 −1：距离不变，既不缩小也不增大。
lr = 0.1: 1 − λL is exactly −1: the distance neither shrinks nor grows.

"lr = 0.12": "explodes" => "lr = 0.12": "zigzag"
lr = 0.12：1 − λL = −1.4：每一步都落到另一边，而且更远。
lr = 0.12: 1 − λL = −1.4: every step lands on the other side, and farther away.

"lr = -0.01": "explodes" => "lr = -0.01": "direct"
lr = -0.01：1 − λL = 1.2，大于 1：球在上坡，一直在原来的一边，但越来越远。
lr = -0.01: 1 − λL = 1.2, more than 1: the ball stays on its side, but goes
farther and farther, since it moves uphill.
""",
)

# --- 3. the gradient of a line's error ---------------------------------------


def mse_gradient(X, y, w):
    residual = X @ w - y  # (B, D) @ (D,) -> (B,)
    return 2 / len(X) * (X.T @ residual)  # (D, B) @ (B,) -> (D,)


def by_autograd(X, y, w):
    w = w.clone().requires_grad_()
    ((X @ w - y) ** 2).mean().backward()
    return w.grad


mse_gradient = exercise(
    mse_gradient,
    draw("B D, B, D"),
    oracle=by_autograd,
    wrong="""
2 / len(X) => 2
漏了 1/B：J 是 B 个样本的平均，它的梯度也是平均。漏掉它，步长就随样本数变。
1/B is missing: J is a mean over B samples, and so is its gradient. Without it
the step grows with the number of samples.

2 / len(X) => 1 / len(X)
漏了 2：平方的导数是 2 乘残差再乘内层的导数。
The 2 is missing: the derivative of a square is 2 times the residual times the
inner derivative.

2 / len(X) => 1
漏了 2/B：平方给出 2，平均给出 1/B。
2/B is missing: the square gives 2, the mean gives 1/B.

X @ w - y => y - X @ w
符号反了：残差应是预测减真值。照这个梯度走，J 会变大。
The sign is reversed: the residual is the prediction minus the target. Steps
along this gradient make J grow.

X @ w - y => X @ w
漏了真值 y：残差是预测减真值。
The targets y are missing: the residual is the prediction minus the target.

return 2 * (X @ w - y).mean() * X.mean(dim=0)
你把残差和输入分开求了平均再相乘：每个样本的残差要先乘它自己的输入，再求平均。
You take the means of residuals and inputs separately and multiply them: each
sample's residual is first multiplied by its own input, and then comes the
mean.

(X.T @ residual) => residual.sum() * X.sum(dim=0)
你把残差和输入分开求和再相乘：每个样本的残差要先乘它自己的输入，再求和。
You sum residuals and inputs separately and multiply the sums: each sample's
residual is first multiplied by its own input, and then summed.

X @ w - y => (X @ w)[:, None] - y
(X.T @ residual) => (X.T @ residual).mean(dim=1)
预测成了 (B, 1)，减去 (B,) 的 y，广播成 (B, B)：两者的形状都应是 (B,)。
The predictions are (B, 1), and minus y of shape (B,) this broadcasts to
(B, B): both should be (B,).

(X.T @ residual) => residual.sum()
还差内层的导数：残差要乘每个参数前面的输入 X。
The inner derivative is missing: the residual is multiplied by X, the input in
front of each parameter.

2 / len(X) * (X.T @ residual) => 2 / X.numel() * (X.T @ residual)
你除以了 B·D：J 只对 B 个样本求平均。
You divide by B·D: J is a mean over B samples only.

2 / len(X) => 2 / len(w)
你除以了 D：J 是 B 个样本的平均。
You divide by D: J is a mean over B samples.

(X.T @ residual) => (X * residual[:, None])
你返回了每个样本的梯度，形状 (B, D)：还要对样本求和，得到 (D,)。
You return each sample's gradient, of shape (B, D): sum over the samples to get
(D,).

return right(X, y, w)[:, None]
值对了，形状是 (D, 1)：应与 w 一样是 (D,)。
The values are right, the shape is (D, 1): it should be (D,), as w's.
""",
)

# --- 4. the largest step -----------------------------------------------------


def largest_lr(X):
    H = 2 / len(X) * (X.T @ X)  # (D, B) @ (B, D) -> (D, D)
    return 2 / torch.linalg.eigvalsh(H).max()


def data(rng):
    # At last fewer samples than features: there the smallest curvature is 0.
    for s in variations(rng, "B D"):
        s["B"] += s.D
        yield (s.normal("B D"),)
    yield (normal(rng, 1, 1),)
    yield (normal(rng, 2, 5),)


largest_lr = exercise(
    largest_lr,
    data,
    oracle=lambda X: len(X) / torch.linalg.svdvals(X)[0] ** 2,
    wrong="""
return 2 / => return 1 /
这是 1/L：沿最陡的方向一步就到的学习率。超过就爆炸的上限是它的两倍。
This is 1/L, with which one step is enough along the steepest direction. The
bound beyond which it explodes is twice that.

.max() => .min()
你用了最小的曲率：最陡的方向，即最大的特征值，最先爆炸。
You use the smallest curvature: the steepest direction, the largest eigenvalue,
explodes first.

.max() => .mean()
你用了特征值的平均：上限由最大的一个特征值决定。
You use the mean of the eigenvalues: the bound comes from the largest one
alone.

torch.linalg.eigvalsh(H).max() => H.trace()
你用了特征值之和（迹）：上限由最大的一个特征值决定。
You use the sum of the eigenvalues (the trace): the bound comes from the
largest one alone.

torch.linalg.eigvalsh(H).max() => H.max()
你用了 H 中最大的一个数。它在对角线上，是沿一个坐标轴的曲率；最陡的方向一般不沿
坐标轴，它的曲率是特征值。
You use the largest number in H. It is on the diagonal, the curvature along a
coordinate axis; the steepest direction in general lies between the axes, and
its curvature is an eigenvalue.

2 / len(X) * => 2 / X.shape[1] *
你除以了 D：J 是 B 个样本的平均。
You divide by D: J is a mean over B samples.

torch.linalg.eigvalsh(H).max() => torch.linalg.matrix_norm(H)
你用了 H 所有数的平方和的根：上限由最大的特征值决定。
You use the root of the sum of the squares in H: the bound comes from the
largest eigenvalue.

2 / len(X) * => 1 / len(X) *
漏了 2：J 的二阶导数来自平方，是 2/B 乘 X 的转置乘 X。
A 2 is missing: the second derivative of J comes from a square, it is 2/B times
X transposed times X.

2 / len(X) * => 2 *
漏了 1/B：J 是平均，它的二阶导数也要除以样本数。
1/B is missing: J is a mean, and so its second derivative is divided by the
number of samples, too.

2 / len(X) * => 1 *
你对 X 的转置乘 X 求了特征值：J 的二阶导数是它的 2/B 倍。
You take the eigenvalues of X transposed times X: the second derivative of J is
2/B times that.

return 2 / torch.linalg.svdvals(X)[0]
这是 2 除以 X 的奇异值：曲率是 H 的特征值，不是 X 的奇异值。
This is 2 over a singular value of X: the curvature is an eigenvalue of H, not
a singular value of X.

return len(X) / torch.linalg.svdvals(X)[0]
你用了 X 的奇异值：X 的转置乘 X 的特征值是它的平方。
You use a singular value of X: the eigenvalues of X transposed times X are its
squares.

2 / torch.linalg.eigvalsh(H).max() => torch.linalg.eigvalsh(H).max()
这是 L 本身，最大的曲率：最大的学习率是 2/L。
This is L itself, the largest curvature: the largest learning rate is 2/L.

torch.linalg.eigvalsh(H).max() => torch.linalg.eigvalsh(H)
你给每个方向返回了一个上限：要所有方向都不爆炸，只有一个最大的学习率。
You return one bound for each direction: there is a single largest learning
rate with which no direction explodes.
""",
)

# --- 5. one pass through the batches -----------------------------------------


def sgd_epoch(X, y, w, lr, batches):
    for rows in batches:
        residual = X[rows] @ w - y[rows]
        w = w - lr * 2 / len(rows) * (X[rows].T @ residual)
    return w


def passes(rng):
    for s in variations(rng, "B D", low=4, high=9):
        X, y, w = s.normal("B D"), s.normal("B"), s.normal("D")
        order = torch.randperm(s.B, generator=rng)
        size = max(1, math.ceil(s.B / 2) - 1)
        lr = 0.05 + 0.1 * torch.rand((), generator=rng).item()
        yield X, y, w, lr, list(order.split(size))


sgd_epoch = exercise(
    sgd_epoch,
    passes,
    wrong="""
for rows in batches: => for rows in [torch.arange(len(X))] * len(batches):
每一步都用了全部样本：每一步只用这一批的那些行。
Every step uses all samples: a step uses only the rows of its batch.

2 / len(rows) => 2 / len(X)
你除以了全部样本的个数：小批次的梯度是它自己那几个样本的平均。
You divide by the number of all samples: a mini-batch's gradient is the mean
over its own samples.

2 / len(rows) => 2
小批次的梯度没有取平均：应除以这个批次的样本数。
The mini-batch's gradient is not a mean: divide by the number of its samples.

2 / len(rows) => 2 / len(batches[0])
你总是除以第一个批次的大小：最后一个批次可能更小。
You always divide by the size of the first batch: the last one may be smaller.

w = w - lr => w = w + lr
符号反了：沿梯度的反方向走，J 才变小。
The sign is reversed: J falls against the direction of the gradient.

start, g = w, 0
for rows in batches:
    residual = X[rows] @ start - y[rows]
    g = g + 2 / len(rows) * (X[rows].T @ residual)
return start - lr * g
所有批次的梯度都在最初的 w 处求：第一步之后，应从新的 w 继续。
All gradients are taken at the first w: after a step, go on from the new w.

return right(X, y, w, lr, batches[:1])
你只走了第一个批次就返回了：return 应在循环之外。
You return after the first batch: return belongs behind the loop.

return right(X, y, w, lr, batches[-1:])
只有最后一个批次起了作用：每一步都从上一步的 w 出发。
Only the last batch has an effect: every step starts from the w of the step
before.

return right(X, y, w, lr, [torch.arange(len(X))])
你用全部样本只走了一步：每一批走一步。
You take one step with all samples: take one for each batch.

return right(X, y, w, lr, batches[::-1])
批次的次序反了：每一步从上一步的 w 出发，所以次序不同，结果也不同。
The batches are taken in reverse order: every step starts from the w of the one
before, so the order matters.

return right(X, y, w, lr, list(torch.arange(len(X)).split(len(batches[0]))))
你从头起依次取行，没有用批次里的行号。
You take rows from the top on, and not those whose numbers are in the batch.

return right(X, y, w, lr, [row[None] for rows in batches for row in rows])
你每个样本走了一步：每一批只走一步，用这一批的平均梯度。
You take a step for each sample: take one for each batch, with the batch's mean
gradient.

steps = [right(X, y, w, lr, [rows]) for rows in batches]
return torch.stack(steps).mean(dim=0)
你把各批的结果（或梯度）求了平均：每一批都走一步，从上一步的 w 出发。
You take the mean over the batches' results (or gradients): take a step for
each batch, from the w of the step before.

return right(X, y, w, lr / len(batches), batches)
你把学习率除以了批次的个数：每一步都用整个 lr。
You divide the learning rate by the number of batches: every step uses all of
lr.

total = 0
for rows in batches:
    residual = X[rows] @ w - y[rows]
    total = total + 2 / len(rows) * (X[rows].T @ residual)
    w = w - lr * total
return w
你把前面批次的梯度也加了进来：每一步只用这一批的梯度
（用 .backward() 时，每步之前把 .grad 清零）。
You add up the gradients of earlier batches: a step uses this batch's gradient
only (with .backward(), reset .grad before each step).

return right(X, y, w, lr, batches[:-1])
漏了最后一个批次。
The last batch is left out.

return right(X, y, w, 2 * lr, batches)
步子大了一倍：梯度里的 2 只乘一次。
The steps are twice as long: the 2 of the gradient is there only once.

return right(X, y, w, lr / 2, batches)
步子只有一半：平方的导数里有一个 2。
The steps are half as long: there is a 2 in the derivative of a square.
""",
)
