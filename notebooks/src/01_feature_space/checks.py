"""Checks of lesson 01: features by hand, two classifiers, rings, a stack."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations
from exercises.compare import difference, form
from exercises.judge import finish

DTYPE = torch.float64

# --- 1. three features of a silhouette ---------------------------------------


def shape_features(image):
    # (height, width) bool -> (3,): height, across, down
    r, c = image.nonzero().T  # rows and columns of the ink
    r, c = r - r.min(), c - c.min()  # counted from the corner of the box
    h, w = r.max() + 1, c.max() + 1
    across, down = c.double().mean() / w, r.double().mean() / h
    return torch.stack([h, across, down])


def inked(rng):
    """Ink at random places of a box somewhere in an image."""

    def below(low, high):
        return int(torch.randint(low, high, (), generator=rng))

    corner = torch.zeros(6, 9, dtype=torch.bool)
    corner[1:4, 5] = corner[3, 5:8] = True
    yield (corner,)
    dot = torch.zeros(5, 4, dtype=torch.bool)
    dot[3, 2] = True
    yield (dot,)
    full = torch.ones(4, 7, dtype=torch.bool)
    yield (full,)
    for _ in range(8):
        image = torch.zeros(below(12, 18), below(18, 24), dtype=torch.bool)
        top, left = below(1, 5), below(1, 5)
        h, w = below(3, 8), below(8, 13)
        image[top : top + h, left : left + w] = (
            torch.rand(h, w, generator=rng) < 0.5
        )
        image[top + h - 1, left] = True
        yield (image,)
        yield (image.T.contiguous(),)


@says(
    "图案移到更大的图像里，结果就变了：across、down 从框数起，除以框的列数、"
    "行数；height 是框的行数。",
    "In a larger image the same silhouette gives another result: across and "
    "down are counted from the box and divided by its columns and rows; "
    "height is the rows of the box.",
)
def moves_along(f, image):
    larger = F.pad(image, (3, 1, 2, 4))
    return not difference(f(larger), f(image))


def by_name(got, due):
    """Which features are wrong."""
    if found := difference(got, due):
        told = finish(found)
        if form(got) == form(due):
            wrong = ~got.isclose(due)
            names = zip(("height", "across", "down"), wrong, strict=True)
            which = ", ".join(name for name, amiss in names if amiss)
            told = f"{which} 不对：{told[0]}", f"Wrong: {which}. {told[1]}"
        raise Rejection(*told)


shape_features = exercise(
    shape_features,
    inked,
    holds=[moves_along],
    compare=by_name,
    wrong="""
r, c = r - r.min(), c - c.min() => h0, w0 = r.min(), c.min()
r.max() + 1, c.max() + 1 => r.max() - h0 + 1, c.max() - w0 + 1
行号、列号是从图像的左上角数的：先减去框的第一行、第一列，across 和 down 才与
位置无关。
Rows and columns are counted from the corner of the image: only from the first
row and column of the box are across and down free of the place.

r.max() + 1, c.max() + 1 => r.max(), c.max()
框的高和宽各少了 1：最后一行减第一行，再加 1，才是行数。
The box is one row and one column short: from the first row to the last there
is one more row than their difference.

[h, across => [h - 1, across
height 少了 1：最后一行减第一行，再加 1，才是行数。
The height is one short: from the first row to the last there is one row more
than their difference.

r.double().mean() / h => 1 - r.double().mean() / h
down 从下往上数了：它从框的第一行数起。
You count down from below: it starts at the first row of the box.

mean() / w => mean() / (w - 1)
mean() / h => mean() / (h - 1)
你除以了最大的列号和行号：从 0 数起，框的列数和行数还要多 1。
You divide by the largest column and row number: counted from 0, the box has
one column and one row more.

c - c.min() => c - c[0]
你的列号从第一个有墨的像素数起：它在最上面一行，不一定在最左边一列。
Your columns count from the first pixel with ink: it is in the top row, and not
always in the leftmost column.

[h, across, down] => [w, across, down]
第一个特征是框的高（行数），你给的是宽。
The first feature is the height of the box, its number of rows; you give the
width.

[h, across, down] => [h, down, across]
across 与 down 换了位置：行号说的是上下，列号说的是左右。
across and down have changed places: a row number tells up and down, a column
number left and right.

mean() / w => mean() / x
mean() / h => mean() / w
mean() / x => mean() / h
across 应除以框的宽，down 应除以框的高：你除反了。
across is a share of the width of the box, down one of its height: the two
divisors are swapped.

mean() / w => mean()
mean() / h => mean()
平均的列号和行号还没有除以框的宽和高：大的图案得到大的数。
The mean column and row are not divided by the width and height of the box: a
large silhouette gets large numbers.

h, w = r.max() + 1, c.max() + 1 => h, w = image.shape
[h, across => [torch.tensor(h), across
你用了整张图像的高和宽：要的是恰好包住墨的框。
You took height and width of the whole image: the box is the smallest rectangle
that holds all ink.

c.double().mean() => c.max() / 2
r.double().mean() => r.max() / 2
你取了框的正中：要的是所有墨的平均位置，墨多的地方占的份量大。
You took the middle of the box: asked for is the mean place of all the ink,
which lies where most of the ink is.

r - r.min(), c - c.min() => (r - r.min()).unique(), (c - c.min()).unique()
每一行、每一列你只算了一次：要的是墨的平均位置，墨多的行列占的份量大。
Each row and column counts once in your means: asked for is the mean place of
the ink, in which rows and columns with more ink weigh more.

r.max() + 1, c.max() + 1 => image.any(dim=1).sum(), image.any(dim=0).sum()
你数的是有墨的行和列：框从第一行有墨的到最后一行有墨的，中间的空行也算。
You count the rows and columns with ink: the box reaches from the first to the
last of them, with empty ones in between.
""",
)

# --- 2. the nearest known example --------------------------------------------


def nearest_labels(x, labels, new):
    # (N, D), (N,), (M, D) -> (M,)
    nearest = []
    for row in new:
        squares = (x - row).square().sum(dim=1)  # (N, D) -> (N,)
        nearest.append(squares.argmin())
    return labels[torch.stack(nearest)]  # (M,)


def labelled_points(rng):
    for s in variations(rng, "N D M", low=3, high=9, ones="M D N"):
        for scale in (1, 1000):
            labels = 3 * s.integers("N", 0, 5) + 2  # not its own index
            if scale > 1:  # the same shapes, far away, other integers
                labels = labels.int()
            yield scale * s.normal("N D"), labels, scale * s.normal("M D")
    x = torch.tensor([[0.0, 0.0], [6.0, 6.0], [0.0, 9.0]])
    new = torch.tensor([[5.0, 0.0], [1.0, 8.0], [7.0, 5.0], [3.0, 2.0]])
    yield x, torch.tensor([7, 4, 1]), new


nearest_labels = exercise(
    nearest_labels,
    labelled_points,
    wrong="""
argmin => argmax
你取了最远的样本：argmax 给出最大的距离的下标。
You took the farthest example: argmax gives the index of the largest distance.

labels[torch.stack(nearest)] => torch.stack(nearest)
你返回的是最近样本的下标：还要到 labels 里取出它的标签。
You return the index of the nearest example: its label still has to be looked
up in labels.

.square().sum(dim=1) => .sum(dim=1)
差没有平方（也没有取绝对值）就相加了：正负会抵消，-3 也不比 0 近。
The differences are added without a square (or an absolute value): plus and
minus cancel, and -3 is not nearer than 0.

.square() => .abs()
你把差的绝对值相加了：那是另一种距离。这里要平方和（的平方根）。
You added absolute differences, which is another distance: here it is the sum
of squares (or its root).

return labels[(x @ new.T).argmax(dim=0)]
你取了点积最大的样本：点积偏爱长的向量，最大的不一定最近。
You took the example with the largest dot product: it favours long vectors, and
the largest is not always the nearest.

m, s = x.mean(0), x.std(0)
return right((x - m) / s, labels, (new - m) / s)
你先缩放了特征：这里用 x 和 new 原来的数，缩放留给调用的人。
You scaled the features first: use the numbers of x and new as they are, the
caller scales.

.square().sum(dim=1) => .square()[:, :2].sum(dim=1)
你只用了前两个特征：距离要把全部特征的平方加起来。
You used two features only: the distance adds the squares of all features.

return labels[torch.cdist(x, new).argmin(dim=1)]
你的下标指的是 new 的行，不是 x 的行：要对 new 的每一行取最小。
Your indices are rows of new and not of x: the minimum has to be taken for each
row of new.
""",
)

# --- 3. the linear probe -----------------------------------------------------


def linear_probe(x, labels, new):
    # (N, D), (N,), (M, D) -> (M,)
    X = F.pad(x, (0, 1), value=1.0)  # (N, D) -> (N, D + 1), the last is 1
    Y = F.one_hot(labels).double()  # (N,) -> (N, E)
    left = X.T @ X + torch.eye(X.shape[1])  # (D + 1, D + 1)
    W = torch.linalg.solve(left, X.T @ Y)  # (D + 1, E)
    scores = F.pad(new, (0, 1), value=1.0) @ W  # (M, E)
    return scores.argmax(dim=1)


def classes(rng):
    float64 = (torch.float64,)  # as in the lesson
    for k, s in enumerate(
        variations(rng, "N D", low=7, high=16, ones="D", dtypes=float64)
    ):
        s["M"], classes = (40, 30, 1, 50, 35)[k], (4, 4, 2, 10, 3)[k]
        labels = s.integers("N", 0, classes)
        labels[0] = classes - 1
        # Neither means nor scales are alike.
        scale = torch.arange(1, s.D + 1, dtype=s.dtype)
        yield s.normal("N D") * scale + 2, labels, s.normal("M D") * scale + 2


linear_probe = exercise(
    linear_probe,
    classes,
    wrong=r"""
F.pad(x, (0, 1), value=1.0) => x
F.pad(new, (0, 1), value=1.0) => new
没有添上全是 1 的一列，就没有偏置：所有的分界线都得经过原点。
Without the column of ones there is no bias: all boundaries have to pass
through the origin.

 + torch.eye(X.shape[1]) =>
少了加上去的单位矩阵 I：特征比样本多时，方程就没有唯一的解。
The identity matrix I is not added: with more features than samples the
equation has no unique solution.

W = torch.linalg.solve(left, X.T @ Y) => W = torch.linalg.pinv(X) @ Y
你用了没有 I 的最小二乘（pinv、lstsq）：题目的方程左边还加了单位矩阵。
This is least squares without I (pinv, lstsq): on the left of the equation an
identity matrix is added.

F.pad(new, (0, 1), value=1.0) => F.pad(new, (0, 1))
new 末尾添的不是 1：这样分数里没有偏置。
What is added at the end of new is not 1: the scores have no bias then.

F.pad(x, (0, 1), value=1.0) => F.pad(x, (1, 0), value=1.0)
x 的 1 添在开头，new 的却添在末尾：W 的行对不上。
The 1 is put first in x and last in new: the rows of W do not match.

m, s = x.mean(0), x.std(0)
return right((x - m) / s, labels, (new - m) / s)
你先缩放了特征：这里用 x 和 new 原来的数。
You scaled the features first: use the numbers of x and new as they are.

return right(x, labels.unique(return_inverse=True)[1], new)
你只给出现过的标签留了列：标签是 0 到 E - 1，没有出现的也占一列。
You keep columns only for the labels that occur: labels go from 0 to E - 1, and
one that does not occur has a column, too.

scores.argmax(dim=1) => scores.argmax(dim=0)
你沿样本的轴取了最大：要的是每一行（每个新样本）最大分数的列号。
You took the maximum over the samples: asked for is the column of the largest
score in each row, for each new sample.

torch.eye(X.shape[1]) => torch.ones_like(X.T @ X)
你给每个元素都加了 1：要加的是单位矩阵，只有对角线上是 1。
You added 1 to every element: the identity matrix has ones on its diagonal
only.

W = torch => left[-1, -1] -= 1\n    W = torch
偏置那一行没有加 1：这里单位矩阵是 (D + 1, D + 1)，偏置也算在内。
Nothing is added for the bias: here the identity matrix is (D + 1, D + 1) and
takes in the bias, too.

F.one_hot(labels).double() => labels[:, None].double()
scores.argmax(dim=1) => scores[:, 0].round().long()
你让一个分数去逼近标签的号码：类别没有大小，每一类要有自己的一列。
You fit a single score to the numbers of the labels: classes have no order, and
each needs a column of its own.

F.pad(x, => F.pad(x / x.std(dim=0),
你给 x 除以了标准差，new 却没有：两者要用同样的特征。
You divided x by its deviation and not new: both need the same features.

scores.argmax(dim=1) => scores
你返回的是分数，形状是 (M, E)：要的是每一行最大分数的列号。
You return the scores, of shape (M, E): asked for is the column of the largest
score in each row.

F.pad(new, => F.pad(x,
你给 x 算了标签：题目要 new 的标签，x 只用来求 W。
You labelled x: asked for are the labels of new, x only serves to find W.
""",
)

# --- 4. unfold the rings -----------------------------------------------------


def unfold(points):
    # (N, 2) -> (N, D)
    return points.square().sum(dim=1, keepdim=True)  # (N, 1)


def rings(each, radius, rng):
    """A disc and a ring around it: points (2 * each, 2) and labels."""
    r = torch.rand(2 * each, generator=rng, dtype=torch.float64)
    r = radius * torch.cat([r[:each].sqrt(), 1.6 + 0.6 * r[each:]])
    angle = torch.rand(2 * each, generator=rng, dtype=torch.float64)
    angle = 2 * torch.pi * angle
    points = torch.stack([r * angle.cos(), r * angle.sin()], dim=1)
    return points, torch.arange(2).repeat_interleave(each)


def several_rings(rng):
    for radius in (1.0, 0.4, 3.0):
        yield *rings(100, radius, rng), *rings(200, radius, rng)


def probed(answer):
    """The accuracy of a least-squares boundary in the answer's features."""

    def accuracy(x, labels, new, truth):
        spaces = []
        for points in (x, new):
            z = answer(points.clone())
            if not isinstance(z, torch.Tensor) or not z.is_floating_point():
                kind = getattr(z, "dtype", type(z).__name__)
                raise Rejection(
                    f"应返回浮点数的张量，得到 {kind}。",
                    f"A tensor of floats is asked for, got {kind}.",
                )
            if z.ndim != 2 or len(z) != len(points) or z.shape[1] < 1:
                shape = tuple(z.shape)
                raise Rejection(
                    f"{len(points)} 个点应得到 ({len(points)}, D)：一个点"
                    f"一行，至少一列；得到 {shape}。",
                    f"{len(points)} points should give ({len(points)}, D), a "
                    f"row for each point and at least one column; got "
                    f"{shape}.",
                )
            if not z.isfinite().all():
                raise Rejection(
                    "特征里有 nan 或 inf。", "The features hold nan or inf."
                )
            spaces.append(z.detach().double())
        mean, std = spaces[0].mean(0), spaces[0].std(0) + 1e-12
        X, new = (F.pad((z - mean) / std, (0, 1), value=1.0) for z in spaces)
        W = torch.linalg.pinv(X) @ (2.0 * labels - 1)
        rate = ((new @ W > 0) == truth).double().mean().item()
        if rate < 0.95 and spaces[1].shape[1] == 1:
            z, of = torch.cat(spaces)[:, 0], torch.cat([labels, truth])
            low, high = z[of == 0], z[of == 1]
            if low.max() < high.min() or high.max() < low.min():
                raise Rejection(*UNEVEN)
        return round(rate, 4)

    return accuracy


UNEVEN = (
    "你的特征隔开了圆盘和圆环，但它的值太不均匀，最小二乘的分界落不到中间。"
    "检查的半径有 0.4、1 和 3。",
    "Your feature separates disc and ring, but its values are so uneven that "
    "the least-squares boundary does not fall between them. The check has "
    "the radii 0.4, 1 and 3.",
)


def straight(got, due):
    if got < 0.95:
        raise Rejection(
            f"在你的特征里，最小二乘的直的分界只把 {got:.0%} 的新点分对"
            "（要 95%）。圆盘和圆环差在什么量上？",
            f"In your features the least-squares boundary gets {got:.0%} of "
            "new points right (95% are needed). In which quantity do disc "
            "and ring differ?",
        )


@says(
    "一个点的特征应只由这个点算出：只给其中 5 个或 1 个点，得到的特征就变了"
    "（减去全体的均值、用行号、squeeze 都会这样）。",
    "The features of a point should depend on that point only: given 5 or 1 "
    "of the points alone, their features change (as they do with a mean over "
    "all points, the number of the row, or squeeze).",
)
def point_by_point(f, x, labels, new, truth):
    every = f(x.clone())
    return not any(
        difference(f(x[some].clone()), every[some])
        for some in (slice(3, 8), slice(7, 8))
    )


@says(
    "你的代码改动了输入 points。",
    "Your code changes its input points in place.",
)
def leaves_points(f, x, labels, new, truth):
    given = x.clone()
    f(given)
    return torch.equal(given, x)


unfold = exercise(
    unfold,
    several_rings,
    adapt=probed,
    compare=straight,
    holds=[leaves_points, point_by_point],
    seeds=(0,),
    wrong="""
return points
你原样返回了两个坐标：圆环从四面围住圆盘，没有哪条直线分得开。
You return the two coordinates as they are: the ring surrounds the disc on all
sides, and no straight line separates them.

return points.sum(dim=1, keepdim=True)
两个坐标之和仍是线性的：它把平面压成一条线，圆环两端压在圆盘两边。
The sum of the coordinates is still linear: it presses the plane onto a line,
with parts of the ring on both sides of the disc.

return points.prod(dim=1, keepdim=True)
两个坐标的乘积在两条坐标轴上都是 0，无论离中心多远。
The product of the coordinates is 0 on both axes, however far from the centre.

return torch.atan2(points[:, 1:], points[:, :1])
这是方向：圆盘和圆环在每个方向上都有点，它们差在别的地方。
This is the direction: disc and ring have points in all directions, they differ
in something else.

return points / points.norm(dim=1, keepdim=True)
你除以了到中心的距离，正好丢掉了唯一有用的量。
You divided by the distance to the centre, and so lost the only quantity that
helps.

return points[:, :1].square()
只用了第一个坐标：圆环上正上方和正下方的点，第一个坐标也接近 0。
You used the first coordinate only: points of the ring straight above and below
have a first coordinate near 0, too.

return (points.norm(dim=1, keepdim=True) > 1.3).double()
量对了，可是分界写死在 1.3：半径换了就不对。返回这个量，分界由最小二乘去找。
The quantity is right, but the boundary is fixed at 1.3, which fits one radius
only: return the quantity, and least squares finds the boundary.
""",
)

# --- 5. the shapes of a stack ------------------------------------------------


def stack_shapes(B, widths):
    # int, list of ints -> [(shape of W, shape of the output), ...]
    shapes = []
    for k in range(len(widths) - 1):
        D, E = widths[k], widths[k + 1]
        shapes.append(((D, E), (B, E)))
    return shapes


def by_layers(B, widths):
    """What the layers of such a net really have."""
    x, found = torch.zeros(B, widths[0]), []
    for D, E in pairwise(widths):
        layer = nn.Linear(D, E)
        x = layer(x)
        found.append((tuple(layer.weight.T.shape), tuple(x.shape)))
    return found


def stacks(rng):
    yield 5, [3, 4, 4, 2]
    yield 1, [7, 2]
    for n in (3, 5, 6):
        sizes = torch.randint(1, 12, (n + 1,), generator=rng).tolist()
        yield sizes[0] + 12, sizes[1:]


def as_tuples(answer):
    def run(B, widths):
        told = answer(B, widths)
        if not isinstance(told, list | tuple):
            kind = type(told).__name__
            raise Rejection(
                f"应返回列表，得到 {kind}。",
                f"A list is asked for, got {kind}.",
            )
        pairs = []
        for k, pair in enumerate(told, 1):
            if (
                not isinstance(pair, list | tuple)
                or len(pair) != 2
                or not all(isinstance(shape, list | tuple) for shape in pair)
            ):
                raise Rejection(
                    f"第 {k} 项应是一对形状，如 ((3, 4), (5, 4))。",
                    f"Item {k} should be a pair of shapes such as ((3, 4), "
                    "(5, 4)).",
                )
            pairs.append(tuple(map(tuple, pair)))
        return pairs

    return run


def layer_by_layer(got, due):
    if len(got) != len(due):
        raise Rejection(
            f"{len(due) + 1} 个宽度之间有 {len(due)} 层，"
            f"你给了 {len(got)} 项。",
            f"Number of layers between {len(due) + 1} widths: {len(due)}; "
            f"number of items given: {len(got)}.",
        )
    for k, (mine, want) in enumerate(zip(got, due, strict=True), 1):
        for zh, en, told, right in zip(
            (" W ", "输出"), ("W", "the output"), mine, want, strict=True
        ):
            if told != right:
                raise Rejection(
                    f"第 {k} 层{zh}的形状应为 {right}，得到 {told}。",
                    f"Layer {k}: the shape of {en} should be {right}, got "
                    f"{told}.",
                )


stack_shapes = exercise(
    stack_shapes,
    stacks,
    oracle=by_layers,
    adapt=as_tuples,
    compare=layer_by_layer,
    wrong="""
((D, E), (B, E)) => ((E, D), (B, E))
W 的形状转置了：这里 Y = XW + b，W 从 D 个特征到 E 个，是 (D, E)。
The shape of W is transposed: here Y = XW + b, and W, from D features to E, is
(D, E).

((D, E), (B, E)) => ((D, E), (B, D))
你写的是每层输入的形状：输出的最后一个数是这一层的 E。
You give the shape of each layer's input: the output ends with the E of this
layer.

((D, E), (B, E)) => ((D, E), (E, B))
输出的两个数反了：一行是一个样本，所以是 (B, E)。
The two sizes of the output are swapped: a row is a sample, so it is (B, E).

((D, E), (B, E)) => ((B, D), (B, E))
每对的第一个应是 W 的形状，你写的是输入的形状。
The first of each pair is the shape of W, and you give that of the input.

((D, E), (B, E)) => ((D, E), (E,))
输出少了样本的轴：B 个样本得到 B 行。
The outputs lack the axis of the samples: B samples give B rows.

((D, E), (B, E)) => ((D + 1, E), (B, E))
你把偏置算进了 W：这里 W 是 (D, E)，偏置 b 另外放。
You counted the bias as a row of W: here W is (D, E), and the bias b stands
apart.
""",
)
