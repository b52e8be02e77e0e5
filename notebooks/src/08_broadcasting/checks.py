"""Checks of lesson 08: shapes that broadcast, and gradients added up again."""

import ast
import math
import sys

import torch
from torch import nn

from exercises import (
    Rejection,
    about_shapes,
    draw,
    exercise,
    says,
    table,
    variations,
)
from exercises.compare import difference
from exercises.judge import finish
from exercises.properties import no_loop, without

# --- drill: which shape is drawn ---------------------------------------------

pictured = {"A": (2, 1), "B": (2, 1, 4), "C": (4,), "D": (2, 2, 1)}
CHOICES = (4,), (2, 1), (2, 1, 1), (2, 1, 4), (2, 2, 1)


def unlike(picture, told, due):
    """What a picture of another shape would show."""
    if told not in CHOICES:
        return (
            "它不是可选的五个形状之一。",
            "It is none of the five shapes to choose from.",
        )
    if math.prod(told) != math.prod(due):
        n = math.prod(told)
        return (
            f"它有 {n} 个元素：数一数这幅图里的实心方块。",
            f"It has {n} elements: count the solid cubes of this picture.",
        )
    return (
        "元素个数对，方向不对：图里的实心方块不沿这些轴排列。",
        "It has the right number of elements, but not the directions: the "
        "solid cubes of the picture do not lie along these axes.",
    )


pictured = exercise(
    pictured,
    **table(pictured, None, unlike),
    name="pictured",
    wrong="""
"A": (2, 1), => "A": (2, 1, 1),
A：(2, 1, 1) 的第一个轴有 2 个元素，从前到后；图 A 的两个实心方块是上下排列的。
A: the first axis of (2, 1, 1) has 2 elements, from front to back; the two
solid cubes of picture A lie one below the other.

"C": (4,), => "C": (2, 1, 4),
C：(2, 1, 4) 前后各有一排；图 C 只有前面一排是实心的。
C: (2, 1, 4) has a row in front and one behind; in picture C only the row in
front is solid.

"B": (2, 1, 4), => "B": (4,),
B：(4,) 只有一排；图 B 前后各有一排实心方块。
B: (4,) has one row; picture B has solid rows in front and behind.

"D": (2, 2, 1) => "D": (2, 1)
D：(2, 1) 只有前面一列；图 D 前后各有一列实心方块。
D: (2, 1) has one column in front; picture D has solid columns in front and
behind.

"D": (2, 2, 1) => "D": (4,)
D：(4,) 的四个元素从左到右排成一排；图 D 的四个实心方块都在左边。
D: the four elements of (4,) lie in a row from left to right; the four solid
cubes of picture D are all on the left.
""",
)

# --- drill: shapes added -----------------------------------------------------

added_shapes = {
    "(2, 2, 3) + (2, 3)": (2, 2, 3),
    "(4,) + (3, 1)": (3, 4),
    "(2, 3) + (2,)": "error",
    "() + (2, 1)": (2, 1),
    "(4, 3) + (2, 3)": "error",
    "(6, 1, 2) + (5, 1)": (6, 5, 2),
}


def summed_by_torch(row):
    x, y = (torch.zeros(ast.literal_eval(part)) for part in row.split(" + "))
    try:
        return tuple((x + y).shape)
    except RuntimeError:
        return "error"


ABOUT = about_shapes(
    (
        "这一行会报错：靠右对齐，有一列的两个大小既不相等，也没有 1。",
        "This row raises an error: aligned on the right, one column has sizes "
        "that differ, and neither is 1.",
    ),
    (
        "这一行可以运行：靠右对齐之后，每一列都合规则。",
        "This row runs: aligned on the right, every column fits.",
    ),
    (
        "轴的个数不对：结果的轴和较长的形状一样多。",
        "The number of axes is not right: the result has as many as the "
        "longer shape.",
    ),
    (
        "轴的个数对，但有的大小不对：靠右对齐，再一列一列地看。",
        "The number of axes is right, but not all sizes: aligned on the "
        "right, go through it column by column.",
    ),
)

added_shapes = exercise(
    added_shapes,
    **table(added_shapes, summed_by_torch, ABOUT),
    name="added_shapes",
    wrong="""
"(4,) + (3, 1)": (3, 4) => "(4,) + (3, 1)": "error"
(4,) + (3, 1)：4 对 1，缺的轴对 3，两边各有一个轴被拉伸，所以合法。
(4,) + (3, 1): 4 meets 1, and the missing axis meets 3; each side is stretched
along one axis, so it is legal.

"(4,) + (3, 1)": (3, 4) => "(4,) + (3, 1)": (4, 1)
(4,) + (3, 1)：你从左边对齐了。(4,) 的 4 是最后一个轴，它对的是 1。
(4,) + (3, 1): you aligned on the left. The 4 of (4,) is its last axis and
meets the 1.

(2,)": "error" => (2,)": (2, 3)
(2, 3) + (2,)：你从左边对齐了。(2,) 的 2 对的是最后一个轴 3。
(2, 3) + (2,): you aligned on the left. The 2 of (2,) meets the last axis, 3.

(2, 3)": "error" => (2, 3)": (4, 3)
(4, 3) + (2, 3)：4 是 2 的两倍也不行，只有 1 会被拉伸。
(4, 3) + (2, 3): that 4 is twice 2 does not help, only a 1 is stretched.

"() + (2, 1)": (2, 1) => "() + (2, 1)": "error"
() + (2, 1)：() 一个轴也没有，缺的轴都当作 1，所以合法。
() + (2, 1): () has no axis at all, and missing axes count as 1, so it is
legal.

(5, 1)": (6, 5, 2) => (5, 1)": "error"
(6, 1, 2) + (5, 1)：2 对 1，1 对 5，6 对缺的轴，每一列都有一个 1。
(6, 1, 2) + (5, 1): 2 meets 1, 1 meets 5, 6 meets a missing axis; there is a 1
in every column.

(5, 1)": (6, 5, 2) => (5, 1)": (6, 1, 2)
(6, 1, 2) + (5, 1)：只拉伸了第二个形状；第一个形状的 1 也被拉伸。
(6, 1, 2) + (5, 1): only the second shape is stretched here; the 1 of the first
one is stretched, too.
""",
)

# --- 1. the shape after broadcasting -----------------------------------------


def broadcast_shape(a, b):
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + a  # missing axes count as 1
    b = (1,) * (n - len(b)) + b
    pairs = list(zip(a, b, strict=True))
    if any(p != q and 1 not in (p, q) for p, q in pairs):
        raise ValueError(f"{a} and {b} do not broadcast")
    return tuple(q if p == 1 else p for p, q in pairs)


def by_torch(a, b):
    try:
        return tuple(torch.broadcast_shapes(a, b))
    except RuntimeError as error:
        raise ValueError(f"{a} and {b} do not broadcast") from error


def pairs_of_shapes(rng):
    def below(high):
        return int(torch.randint(high, (), generator=rng))

    yield (2, 2, 3), (3,)
    yield (4,), (3, 1)
    yield (2, 2, 3), (2,)
    yield (2, 3), (2, 1, 4)
    yield (2, 3), (6, 3)  # a multiple is no match
    yield (8,), (5, 4)
    yield (1,), (1, 1)
    yield (), ()
    yield (), (5, 2)
    yield (0, 3), (3,)
    yield (1, 3), (0, 1)
    yield (2, 0), (2, 4)
    for _ in range(8):  # made to fit: each size kept, set to 1, or left out
        whole = tuple((2, 3, 5, 7, 4, 12)[below(6)] for _ in range(5))
        kept = [tuple(n if below(3) else 1 for n in whole) for _ in "ab"]
        yield kept[0][below(5) :], kept[1][below(5) :]
    for _ in range(6):  # at random: most do not fit
        yield tuple(
            tuple((0, 1, 2, 3, 5, 1)[below(6)] for _ in range(below(5)))
            for _ in "ab"
        )


@says(
    "结果是对的，但你调用了 torch 或 NumPy 的函数：这一题自己写规则。",
    "The result is right, but a function of torch or NumPy is called: write "
    "the rule yourself here.",
)
def by_hand(f, a, b):
    used = set()

    def note(frame, event, function):
        name = frame.f_globals.get("__name__")
        if event == "c_call":
            name = getattr(function, "__module__", "")
        used.add(str(name).split(".")[0])

    sys.setprofile(note)
    try:
        f(a, b)
    except ValueError:
        pass
    finally:
        sys.setprofile(None)
    return not used & {"torch", "numpy"}


def same_tuple(got, want):
    """Told whole: arithmetic on sizes, as for other numbers, misleads."""
    found = difference(got, want)
    if found and type(got) is tuple:
        found = f"应为 {want}，得到 {got}", f"expected {want}, got {got}"
    if found:
        raise Rejection(*finish(found))
    return True


broadcast_shape = exercise(
    broadcast_shape,
    pairs_of_shapes,
    oracle=by_torch,
    compare=same_tuple,
    raises=(ValueError,),
    holds=[by_hand],
    wrong=r"""
(1,) * (n - len(a)) + a => a + (1,) * (n - len(a))
(1,) * (n - len(b)) + b => b + (1,) * (n - len(b))
你的结果等于从左边对齐的结果：广播从最后一个轴开始往左比，缺的轴补在左边。
Your result equals what you get when the shapes are aligned on the left:
broadcasting compares from the last axis, and missing axes are added on the
left.

if any( => if 0 and any(
q if p == 1 else p => max(p, q)
你对每一列直接取了较大的数：3 对 2 这样的一列应抛出 ValueError，1 对 0 得 0。
You took the larger size in every column: a column such as 3 against 2 must
raise ValueError, and 1 against 0 gives 0.

q if p == 1 else p => max(p, q)
只差一点：大小为 0 的轴。1 对 0 得 0（被拉伸的总是 1），而 max(1, 0) 是 1。
Nearly: look at axes of size 0. 1 against 0 gives 0, since it is always the 1
that is stretched, while max(1, 0) is 1.

q if p == 1 else p => p * q
你把两个大小乘了起来：相等的两个大小不相乘，结果就是它。
You multiplied the two sizes: where they are equal the result is that size, not
their product.

q if p == 1 else p => p + q - 1
你对两个大小做了加减：相等的两个大小，结果就是它。
You did a sum with the two sizes: where they are equal the result is that size.

right(a, b)
n = max(len(a), len(b))
return max((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b)
你比较的是两个元组，取了其中一个：要一列一列地取，两个形状都可能被拉伸。
You compared the two tuples and took one of them: go column by column, both
shapes may be stretched.

1 not in (p, q) => q != 1
你只允许 b 的轴被拉伸：规则是对称的，a 的大小 1 或缺的轴同样可以被拉伸。
You let only b be stretched: the rule is symmetric, and an axis of size 1 or a
missing axis of a is stretched just the same.

1 not in (p, q) => p != 1
你只允许 a 的轴被拉伸：规则是对称的，b 的大小 1 或缺的轴同样可以被拉伸。
You let only a be stretched: the rule is symmetric, and an axis of size 1 or a
missing axis of b is stretched just the same.

a = (1,) * (n - len(a)) + a => pass
b = (1,) * (n - len(b)) + b => pass
strict=True => strict=False
zip(a, b) 从左边配对，而且在较短的形状用完时就停：应当相遇的是两个最后的轴。
zip(a, b) pairs the sizes from the left, and stops at the end of the shorter
shape: it is the last axes that have to meet.

a = (1,) * (n - len(a)) + a => pass
b = (1,) * (n - len(b)) + b => pass
两个形状轴数不同时你就报错：缺的轴补在左边，当作 1。
You raise whenever the numbers of axes differ: missing axes are added on the
left and count as 1.

return right(a, b)[-min(len(a), len(b)) :] if a and b else ()
轴数不同时你的结果少了左边的轴：较长的形状多出来的轴原样留下（zip 在较短的形状
用完时就停了）。
Where the numbers of axes differ, your result lacks axes on the left: the
longer shape keeps its own (zip stops at the end of the shorter one).

q if p == 1 else p => p
a 的轴是 1 或缺少时，你仍写了 1：这时结果的大小由 b 决定。
Where the axis of a is 1 or missing you leave 1: there b decides the size.

return right(a, b)[::-1]
大小都对，次序反了。
The sizes are right, but in reverse order.

if not a or not b or 0 in (*a, *b):
    raise ValueError
return right(a, b)
你在形状为 () 或含有 0 时也报错：() 可以广播，大小为 0 的轴按同样的规则比较。
You also raise for () and for sizes of 0: () broadcasts, and an axis of size 0
is compared by the same rule.

ValueError(f"{a} and {b} do not broadcast") => RuntimeError
不能广播时你抛出的是 RuntimeError：题目要的是 ValueError。（torch 的函数抛出前
者；这一题不用它们，自己写规则。）
Where the shapes do not fit you raise RuntimeError: the exercise asks for
ValueError. (Functions of torch raise the former; write the rule yourself here,
without them.)

ValueError(f"{a} and {b} do not broadcast") => AssertionError
不能广播时你抛出的是 AssertionError，它来自 assert：题目要的是 ValueError。
Where the shapes do not fit you raise AssertionError, which comes from assert:
the exercise asks for ValueError.

raise ValueError(f"{a} and {b} do not broadcast") => return None
不能广播时你返回了 None：题目要的是抛出 ValueError，让调用的代码知道出了错。
Where the shapes do not fit you return None: the exercise asks for a
ValueError, so that the calling code learns of it.
""",
)

# --- 2. every sample, without a loop -----------------------------------------

no_lists = without(
    "tolist item numpy array",
    "值都对，但你用 tolist()、item() 或 NumPy 把数取了出来：一直用张量算。",
    "The values are right, but tolist(), item() or NumPy takes the numbers "
    "out: compute with tensors throughout.",
)


def every_sample(x, s, w, v):
    scaled = s[:, None, None] * x * w  # (B, 1, 1) * (B, N, D) * (N, D)
    return scaled @ v  # (B, N, D) @ (D, E) -> (B, N, E)


every_sample = exercise(
    every_sample,
    draw("B N D, B, N D, D E"),
    oracle=lambda x, s, w, v: torch.einsum("bnd,b,nd,de->bne", x, s, w, v),
    holds=[no_lists, no_loop("B N D, B, N D, D E")],
    wrong="""
s[:, None, None] => s
s 与最后一个轴 D 对齐了：大小不同就报错，碰巧相同就悄悄算错。它应对到 x 的哪个
轴？
s lines up with the last axis, D: an error where the sizes differ, silently
wrong where they agree. Which axis of x should it meet?

s[:, None, None] => s[:, None]
s 与位置的轴 N 对齐了，还没有对到样本的轴 B。
s lines up with the axis N of the positions, and not yet with the samples, B.

s[:, None, None] * x => x
你的结果等于没有乘 s 的结果：每个样本还有自己的系数 s[i]。
Your result equals what you get without s: every sample has a factor of its
own, s[i].

x * w => x
你的结果等于没有乘 w 的结果：每个样本还要逐元素乘共享的 w。
Your result equals what you get without w: every sample is first multiplied
element by element with the shared w.

scaled @ v => x @ v
你的结果等于只算了 x @ v 的结果：还要乘每个样本的 s[i] 和共享的 w。
Your result equals x @ v alone: the sample's s[i] and the shared w belong to
it too.

scaled @ v => scaled
还差最后一步：每个样本与 v 的矩阵乘，(N, D) 与 (D, E) 得 (N, E)。
The last step is missing: the matrix product of every sample with v, (N, D) and
(D, E) give (N, E).

x * w => x + w
你加上了 w：题目要逐元素乘，s[i] * x[i] * w。
You added w: multiply by it element by element, s[i] * x[i] * w.

return s[:, None, None] * (x @ v) * (w @ v)
你把 x 和 w 分别乘了 v：先逐元素乘 x 和 w，再与 v 作一次矩阵乘。
You multiplied x and w by v separately: first x and w element by element, then
one matrix product with v.

s[:, None, None] * x => s[:, None, None] + x
你加上了 s：题目要乘，s[i] * x[i] * w。
You added s: multiply by it, s[i] * x[i] * w.

s[:, None, None] => s[0]
你对所有样本都用了 s[0]：第 i 个样本用 s[i]。
You used s[0] for all samples: sample i uses s[i].
""",
)

# --- 3. distances between all pairs ------------------------------------------


def pairwise_distances(x, y):
    difference = x[:, None] - y  # (P, 1, D) - (Q, D) -> (P, Q, D)
    return difference.square().sum(dim=-1).sqrt()  # (P, Q, D) -> (P, Q)


def library(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def points(rng):
    for s in variations(rng, "P Q D"):
        x, y = s.normal("P D"), s.normal("Q D")
        if s.dtype == torch.float32:
            # |x|² + |y|² - 2xy is right too; only with whole numbers is it
            # as exact here.
            x, y = (4 * x).round(), (4 * y).round()
        yield x, y


@says(
    "一个点到它自己的距离应为 0。（若只差一点点：开方之前是否多加了小数？若是 "
    "nan：舍入误差可能使 |x|² + |y|² - 2xy 略小于 0。）",
    "The distance of a point to itself should be 0. (If it is nearly 0: is a "
    "small number added before the root? If it is nan: rounding can leave "
    "|x|² + |y|² - 2xy a little less than 0.)",
)
def zero_to_itself(f, x, y):
    # So many points that rounding leaves some |x|² + |y|² - 2xy below 0.
    x = torch.randn(40, 5, dtype=torch.float64)
    return bool((f(x, x.clone()).diagonal().abs() < 1e-6).all())


pairwise_distances = exercise(
    pairwise_distances,
    points,
    oracle=library,
    holds=[
        without(
            "cdist pairwise_distance pdist euclidean_dist",
            "结果是对的，但这一题请用广播自己做，不用现成的距离函数。",
            "The result is right, but build it yourself by broadcasting, "
            "without a ready-made distance.",
        ),
        zero_to_itself,
        no_lists,
        no_loop("P D, Q D"),
    ],
    wrong="""
x[:, None] - y => x - y
x - y 直接相减时，P 与 Q 对齐：大小不同就报错，相同就只算了编号相同的点对。
In x - y the axes P and Q line up: an error where they differ, and only pairs
of the same number where they agree.

.square() => .abs()
.sqrt() =>
你的结果是各坐标差的绝对值之和：先对平方求和，再开方（每个平方各自开方，得到的
又是绝对值）。
Your result is the sum of the absolute differences: add up the squares first,
then take the root (the root of each square by itself is the absolute value
again).

sum(dim=-1) => sum(dim=1)
你沿 y 的各个点求了和：求和的轴应是坐标。
You summed over the points of y: the axis of the sum should be the coordinates.

sum(dim=-1) => sum(dim=0)
你沿 x 的各个点求了和：求和的轴应是坐标。
You summed over the points of x: the axis of the sum should be the coordinates.

.sum( => .mean(
你对坐标取了平均：距离是平方和的平方根，不除以 D。
You averaged over the coordinates: the distance is the root of the sum of
squares, not divided by D.

.square() =>
.sqrt() => .abs()
你先把各坐标的差加了起来，正负会抵消：先平方，再求和，最后开方。
You added up the differences of the coordinates first, where signs cancel:
square first, then add up, then take the root.

.square() => .abs()
你没有平方，只取了绝对值就求和、开方。
You did not square: you took the absolute value, added up and took the root.

.sum(dim=-1).sqrt() => .amax(dim=-1).sqrt()
你只留下了最大的那个坐标差：要对所有坐标的平方求和。
You kept only the largest difference: add up the squares of all coordinates.

squares = x.square().sum(1)[:, None] + y.square().sum(1)
return (squares - x @ y.T).clamp(min=0).sqrt()
展开式少了系数 2：|x - y|² = |x|² + |y|² - 2xy。
The factor 2 is missing in |x - y|² = |x|² + |y|² - 2xy.

return (x[:, None] - y).abs()
你得到每一对点在每个坐标上的差 (P, Q, D)：还要沿坐标轴合成一个距离。
You have the difference of every pair in every coordinate, (P, Q, D): join the
coordinates into one distance.

return (x.norm(dim=1)[:, None] - y.norm(dim=1)).abs()
你得到的是两个长度之差：先让坐标相减，再求长度。
You have the difference of two lengths: subtract the coordinates first, then
take the length.
""",
)

# --- drill: axes that the gradient is summed over ----------------------------

gradient_axes = {
    "(3,) -> (2, 3)": (0,),
    "(2, 1) -> (2, 3)": (1,),
    "(4, 1) -> (2, 4, 3)": (0, 2),
    "(1, 4) -> (5, 4)": (0,),
    "() -> (2, 3)": (0, 1),
    "(2, 3) -> (2, 3)": (),
}


def by_strides(row):
    """The axes with stride 0 after expand."""
    small, large = map(ast.literal_eval, row.split(" -> "))
    strides = torch.zeros(small).expand(large).stride()
    return tuple(axis for axis, step in enumerate(strides) if step == 0)


def same_axes(told, due):
    """Axes in any order, each once."""
    return isinstance(told, tuple) and sorted(map(str, told)) == sorted(
        map(str, due)
    )


def other_axes(stretch, told, due):
    """What to look at where the axes are others."""
    if not isinstance(told, tuple):
        return (
            "要一个整数的元组，如 (0, 2)，只有一个轴时如 (0,)。",
            "A tuple of ints such as (0, 2) is asked for, of a single axis "
            "such as (0,).",
        )
    if len(set(told)) < len(told):
        return "其中一个轴出现了两次。", "One axis is named twice."
    if set(told) < set(due):
        return (
            "还不够：还有一个轴被拉伸过。",
            "It is not enough: another axis was stretched, too.",
        )
    if set(told) > set(due):
        return (
            "太多了：其中有一个轴没有被拉伸。",
            "It is too much: one of these axes was not stretched.",
        )
    return (
        "把小的形状靠右对齐到大的下面，看哪些轴变大了；从左边的轴 0 数起。",
        "Align the small shape on the right under the large one and see which "
        "axes grew; axis 0 is the leftmost.",
    )


gradient_axes = exercise(
    gradient_axes,
    **table(gradient_axes, by_strides, other_axes, same_axes),
    name="gradient_axes",
    wrong="""
"(3,) -> (2, 3)": (0,) => "(3,) -> (2, 3)": (1,)
(3,) -> (2, 3)：轴 1 的大小 3 本来就有，拉伸出来的是左边的轴。
(3,) -> (2, 3): the 3 of axis 1 was there before; the axis on the left comes
from stretching.

"(2, 1) -> (2, 3)": (1,) => "(2, 1) -> (2, 3)": (0,)
(2, 1) -> (2, 3)：轴 0 的大小 2 没有变，变大的是另一个轴。
(2, 1) -> (2, 3): axis 0 keeps its size 2; the other one grew.

"(4, 1) -> (2, 4, 3)": (0, 2) => "(4, 1) -> (2, 4, 3)": (2,)
(4, 1) -> (2, 4, 3)：除了大小为 1 的轴，还有一个左边多出来的轴。
(4, 1) -> (2, 4, 3): beside the axis of size 1 there is an added one on the
left.

"(4, 1) -> (2, 4, 3)": (0, 2) => "(4, 1) -> (2, 4, 3)": (0,)
(4, 1) -> (2, 4, 3)：除了左边多出来的轴，还有一个大小为 1 的轴被拉伸。
(4, 1) -> (2, 4, 3): beside the added axis on the left, an axis of size 1 was
stretched.

"() -> (2, 3)": (0, 1) => "() -> (2, 3)": ()
() -> (2, 3)：一个数用在 6 个地方，6 份梯度都要加起来。
() -> (2, 3): one number is used in 6 places, and all 6 gradients are added.

"(2, 3) -> (2, 3)": () => "(2, 3) -> (2, 3)": (0, 1)
(2, 3) -> (2, 3)：没有轴被拉伸，也就没有什么要加。
(2, 3) -> (2, 3): no axis was stretched, so there is nothing to add.
""",
)

# --- 4. the gradient added up again ------------------------------------------


def unbroadcast(g, shape):
    added = g.ndim - len(shape)
    padded = (1,) * added + tuple(shape)
    total = g
    for axis, size in enumerate(padded):
        if size == 1:
            total = total.sum(dim=axis, keepdim=True)
    return total.reshape(shape)


def stretched(rng):
    """Upstream gradients, and shapes that broadcast to theirs."""
    for s in variations(rng, "A B C D", high=6):
        for large, small in (
            ("A B", "B"), ("A B", "A 1"), ("A B C", "B 1"), ("A B C", "C"),
            ("A B C", "A B C"), ("A B C", "A 1 C"), ("A B C", "1 B 1"),
            ("A B C", ""), ("A B C", "1 1 1"), ("A B C D", "C 1"),
        ):  # fmt: skip
            yield (
                s.normal(large),
                tuple(1 if n == "1" else s[n] for n in small.split()),
            )
    yield torch.ones(()), ()


def by_autograd(g, shape):
    leaf = torch.zeros(shape, dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(leaf.expand(g.shape), leaf, g)[0]


unbroadcast = exercise(
    unbroadcast,
    stretched,
    oracle=by_autograd,
    seeds=(0,),
    holds=[
        without(
            "sum_to_size backward grad",
            "结果是对的，但这一题自己求和：不用 sum_to_size，也不用自动求导。",
            "The result is right, but take the sums yourself here, without "
            "sum_to_size and without autograd.",
        )
    ],
    wrong="""
.sum( => .mean(
你取了平均：一个数被用了几次，它的梯度就是那几份梯度之和，不除以次数。
You averaged: the gradient of a number that is used several times is the sum of
those gradients, not divided by how many.

while g.ndim > len(shape):
    g = g.sum(dim=0)
return g
你只对左边多出来的轴求了和：shape 中大小为 1 的轴也被拉伸过，沿它们也要求和。
You summed only over the added axes on the left: axes of size 1 in shape were
stretched too, so sum over them as well.

for k, n in enumerate(shape, g.ndim - len(shape)):
    g = g.sum(dim=k, keepdim=True) if n == 1 else g
return g
你只对大小为 1 的轴求了和：左边多出来的轴也是拉伸出来的，沿它们求和并去掉。
You summed only over axes of size 1: the added axes on the left come from
stretching too, so sum over them and drop them.

g = g.sum(dim=0) if g.ndim > len(shape) else g
for k, n in enumerate(shape):
    g = g.sum(dim=k, keepdim=True) if n == 1 else g
return g
左边多出来的轴可能不止一个，你只去掉了一个。
More than one axis may have been added on the left, and you dropped only one.

for k in range(g.ndim - len(shape)):
    g = g.sum(dim=k)
for k, n in enumerate(shape):
    g = g.sum(dim=k, keepdim=True) if n == 1 else g
return g
去掉一个轴之后，后面的轴的编号都变小了 1：你沿着错的轴求了和。
When an axis is dropped, the numbers of those behind it go down by 1: you
summed over the wrong axes.

while g.ndim > len(shape):
    g = g.sum(dim=-1)
for k, n in enumerate(shape):
    g = g.sum(dim=k, keepdim=True) if n == 1 else g
return g
多出来的轴在左边，你却沿最右边的轴求了和。
The added axes are on the left, but you summed over those on the right.

while g.ndim > len(shape):
    g = g.sum(dim=0)
for k, n in enumerate(shape):
    g = g.sum(dim=k) if n == 1 else g
return g
大小为 1 的轴求和以后要留下：不留下，它就丢了，后面的轴的编号也变了。
An axis of size 1 has to stay after the sum: otherwise it is lost, and the
numbers of the axes behind it change.

, keepdim=True =>
沿一个轴求和以后，它就没有了，后面的轴的编号都变小 1：大小为 1 的轴求和以后要留
下。
After the sum over an axis that axis is gone, and the numbers of those behind
it go down by 1: an axis of size 1 has to stay after the sum.

added = g.ndim - len(shape)
dims = [*range(added)] + [k for k, n in enumerate(shape) if n == 1]
return g.sum(dim=dims, keepdim=True).reshape(shape) if dims else g
shape 的轴 k 不是 g 的轴 k：左边多出来几个轴，编号就差几。
Axis k of shape is not axis k of g: the numbers differ by how many axes were
added on the left.

return g.reshape(-1, *shape).sum(dim=0)
reshape 把数按次序切成几段，大小为 1 的轴里混进了别的数：沿被拉伸的轴求和。
reshape cuts the numbers in their order, and mixes those along axes of size 1
with others: sum over the axes that were stretched.

while g.ndim > len(shape):
    g = g.sum(dim=0)
for k, n in enumerate(shape):
    g = g.amax(dim=k, keepdim=True) if n == 1 else g
return g
大小为 1 的轴你取了最大值：各处的梯度要相加。
Along axes of size 1 you took the maximum: the gradients of all places are
added.

.reshape(shape) =>
和是对的，但左边多出来的轴还留着（大小为 1）：形状应正好是 shape。
The sums are right, but the added axes on the left are still there, of size 1:
the shape should be exactly the given one.

padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
dims = [k for k, n in enumerate(padded) if n == 1]
return g.sum(dim=dims).reshape(shape)
没有轴被拉伸时，你写的 g.sum(dim=()) 把所有的数都加了起来（空的 dim 等于不写
dim）。
Where no axis was stretched, your g.sum(dim=()) adds up everything, since an
empty dim counts as none given.

(1,) * added + tuple(shape) => tuple(shape) + (1,) * added
你把 shape 与 g 从左边对齐了：广播从右边对齐，多出来的是 g 左边的轴。
You aligned shape with g on the left: broadcasting aligns on the right, and the
added axes are those on the left of g.

padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
dims = [k for k, n in enumerate(padded) if n == 1]
return g.sum(dim=dims) if dims else g
和是对的，但大小为 1 的轴丢了：结果的形状应正好是 shape。
The sums are right, but the axes of size 1 are lost: the result must have
exactly the given shape.

total.sum(dim=axis, keepdim=True) => total.amax(dim=axis, keepdim=True)
你取了最大值：各处的梯度要相加。
You took the maximum: the gradients of all places are added.

total.sum(dim=axis, keepdim=True) => total.narrow(axis, 0, 1)
你只取了其中一份梯度：各处的梯度要相加。
You took only one of the gradients: those of all places are added.

return g.sum()
你把所有的数加成了一个：只沿被拉伸的轴求和。
You added everything up into one number: sum only over the axes that were
stretched.
""",
)

# --- 5. the loss that raises no error ----------------------------------------


def regression_loss(model, x, y):
    prediction = model(x).squeeze(1)  # (B, 1) -> (B,)
    return ((prediction - y) ** 2).mean()


def models(rng):
    for i, s in enumerate(variations(rng, "B D")):
        half = nn.Linear(s.D, s.D)
        model = nn.Linear(s.D, 1)
        if i % 2:  # a container, and a layer that is used twice
            model = nn.Sequential(half, nn.Tanh(), half, model)
        yield model.to(s.dtype), s.normal("B D"), s.normal("B")


@says(
    "损失的值对，但它给模型参数的梯度不对。",
    "The loss has the right value, but gives the model's parameters wrong "
    "gradients.",
)
def trains_the_model(f, model, x, y):
    parameters = list(model.parameters())
    right = regression_loss.answer(model, x, y)
    want = torch.autograd.grad(right, parameters)
    loss = f(model, x, y)
    if not torch.allclose(loss, right):
        return True  # told as a value
    got = [None]
    if loss.requires_grad:
        got = torch.autograd.grad(loss, parameters, allow_unused=True)
    if any(gradient is None for gradient in got):
        raise Rejection(
            "值是对的，但损失与模型断开了，backward() 给不了模型梯度：不要用 "
            ".item()、.detach() 或 torch.tensor(...)。",
            "The value is right, but the loss is cut off from the model, so "
            "backward() gives the model no gradient: avoid .item(), "
            ".detach() and torch.tensor(...).",
        )
    return all(
        torch.allclose(a, b, 1e-4, 1e-6)
        for a, b in zip(got, want, strict=True)
    )


regression_loss = exercise(
    regression_loss,
    models,
    holds=[trains_the_model],
    wrong="""
.squeeze(1) =>
你的结果等于那段训练代码里的损失：(B, 1) 与 (B,) 相减得 (B, B)，平均了 B×B 个
差，而不是 B 个。打印差的形状看看。
Your result equals the loss of the training above: (B, 1) and (B,) subtracted
give (B, B), so B×B differences are averaged and not B. Print the shape of the
difference.

model(x).squeeze(1) => model(x)[0]
model(x)[0] 只是第一个样本的预测：每个样本要用它自己的预测。
model(x)[0] is the prediction of the first sample alone: every sample has its
own.

model(x).squeeze(1) => model(x).mean()
你先平均了预测：每个样本要用它自己的预测。
You averaged the predictions first: every sample has its own.

prediction - y => prediction + y
你把预测与真值相加了：误差是两者之差。
You added predictions and targets: the error is their difference.

.mean() => .sum() / (len(y) - 1)
形状对了，但你除以了 B - 1：B 个平方的平均要除以 B。
The shapes fit now, but you divide by B - 1: the mean of B squares divides by
B.

((prediction - y) ** 2).mean() => (prediction - y).norm()
形状对了，但 norm() 是平方和的平方根：均方误差是平方的平均。
The shapes fit now, but norm() is the root of the sum of squares: a mean
squared error is the mean of the squares.

model(x).squeeze(1) => x[:, 0]
没有用到 model：预测是 model(x)。
The model is not used: the prediction is model(x).

.squeeze(1) =>
.mean() => .sum() / len(y)
(B, 1) 与 (B,) 相减仍得 (B, B)，你把 B×B 个平方之和除以了 B：先让两者形状相同。
(B, 1) and (B,) subtracted still give (B, B), and you divide the sum of B×B
squares by B: give both the same shape first.

.mean() => .sum()
形状对了，但你求的是和：均方误差要除以样本数。
The shapes fit now, but you took the sum: a mean squared error is divided by
the number of samples.

.mean() => .sum() / 8
你写死了除以 8：样本数随输入而变。
You always divide by 8: the number of samples differs from input to input.

(prediction - y) ** 2 => (prediction - y).abs()
形状对了，但你取的是绝对值：均方误差要平方。
The shapes fit now, but you took the absolute value: a mean squared error
squares.

(prediction - y) ** 2 => prediction - y
形状对了，但没有平方：差有正有负，会互相抵消。
The shapes fit now, but nothing is squared: differences of both signs cancel.

((prediction - y) ** 2).mean() => (prediction - y).mean() ** 2
平方与平均的次序反了：先对每个样本平方，再取平均。
Square and mean are in the wrong order: square for each sample, then average.

    return ((prediction - y) ** 2).mean() =>
prediction = => loss = right(model, x, y); loss.backward(); return loss #
函数里已经调用了 backward()：只返回损失，反向留给调用它的人。
backward() is called inside the function: only return the loss, and leave the
backward pass to the caller.
""",
)

# --- 6. standardise each channel ---------------------------------------------


def standardise_channels(x):
    dims = (0, 2, 3)
    # (B, C, height, width) -> (1, C, 1, 1)
    mean = x.mean(dim=dims, keepdim=True)
    std = x.std(dim=dims, keepdim=True, correction=0)
    return (x - mean) / std


def images(rng):
    """Images whose channels differ in mean and in spread."""
    for s in variations(rng, "B C height width"):
        spread = 1 + s.normal("C").abs()[:, None, None]
        shift = s.normal("C")[:, None, None]
        yield (s.lay(spread * s.normal("B C height width") + shift),)


@says("每个通道的均值应为 0。", "The mean of every channel should be 0.")
def centred(f, x):
    return bool((f(x).mean(dim=(0, 2, 3)).abs() < 1e-5).all())


@says(
    "每个通道的方差应为 1（若只差一点点：除数里是否多加了小数？）。",
    "The variance of every channel should be 1. (If it is nearly 1: is a "
    "small number added to the divisor?)",
)
def of_variance_one(f, x):
    found = f(x).square().mean(dim=(0, 2, 3))
    return torch.allclose(found, torch.ones_like(found), 1e-5)


standardise_channels = exercise(
    standardise_channels,
    images,
    holds=[centred, of_variance_one],
    wrong="""
, keepdim=True =>
均值和标准差的形状是 (C,)，它与最后一个轴（图像的宽）对齐：大小不同就报错，碰巧
相同就悄悄算错。
Mean and standard deviation have shape (C,), which lines up with the last axis,
the width: an error where the sizes differ, silently wrong where they agree.

(0, 2, 3) => (2, 3)
你的结果等于对每张图的每个通道分别标准化的结果：一个通道的均值要在整个批次上
取。
Your result equals what you get for each channel of each image: a channel's
mean is taken over the whole batch.

(0, 2, 3) => (0, 1, 2, 3)
你的结果等于用全体元素的一个均值、一个标准差的结果：每个通道要有自己的，轴 1 不
在求均值之列。
Your result equals what you get with one mean and one standard deviation of
everything: every channel has its own, so axis 1 is not averaged over.

(0, 2, 3) => (0, 2)
还有一个图像轴没有平均进去：宽。
One image axis is not averaged over yet: the width.

(0, 2, 3) => (0, 3)
还有一个图像轴没有平均进去：高。
One image axis is not averaged over yet: the height.

(0, 2, 3) => 0
你的结果等于只沿批次轴取均值的结果（每个像素各算各的）：还要沿两个图像轴。
Your result equals what you get with means over the batch alone, pixel by
pixel: average over both image axes too.

(0, 2, 3) => (1, 2, 3)
你的结果等于对每张图标准化的结果：平均掉的应是批次和两个图像轴，留下的是通道。
Your result equals what you get for each image: average over the batch and both
image axes, and keep the channels.

(0, 2, 3) => 1
你的结果等于沿通道轴取均值的结果：dim 里写的是要平均掉的轴，不是要留下的轴。
Your result equals what you get with means over the channels: dim names the
axes that are averaged away, not the one that is kept.

return nn.functional.batch_norm(x, None, None, training=True)
你的结果等于批归一化的结果：它在方差上加了一个小数 eps（默认 1e-5）再开方。这一
题只除以标准差。
Your result equals that of batch normalisation, which adds a small eps, by
default 1e-5, to the variance before the root. Here divide by the standard
deviation alone.

correction=0 => correction=1
你的结果等于除以 n - 1 的标准差的结果（torch.std 的默认值）：这一题除以 n。
Your result equals what you get with a standard deviation that divides by n -
1, the default of torch.std: here divide by n.

x.std( => x.var(
你除以了方差：要除以标准差，即方差的平方根。
You divided by the variance: divide by the standard deviation, its square root.

rows = x.reshape(x.shape[1], -1)
rows = rows - rows.mean(dim=1, keepdim=True)
return (rows / rows.std(dim=1, keepdim=True, correction=0)).view_as(x)
x.reshape(C, -1) 没有把通道轴挪到前面，只是按次序切成 C 段：每段里混着几个通
道。
x.reshape(C, -1) does not move the channels to the front, it cuts the numbers
in their order into C pieces that mix channels.

rows = x.transpose(0, 1).flatten(1)
rows = rows - rows.mean(dim=1, keepdim=True)
return (rows / rows.std(dim=1, keepdim=True, correction=0)).view_as(x)
每个通道都标准化了，但轴没有换回来：现在最前面的是通道，view 不会换轴。
Every channel is standardised, but the axes are not turned back: the
channels come first now, and view does not swap axes.
""",
)
