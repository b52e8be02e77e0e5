"""Lesson 03: products of matrices, and what an equation computes."""

import ast
import inspect
import re

import torch
import torch.nn.functional as F

from exercises import (
    Property,
    Rejection,
    about_shapes,
    draw,
    entry,
    exercise,
    normal,
    says,
    table,
    variations,
)
from exercises.compare import type_name
from exercises.properties import called, without
from exercises.reading import unfit

DTYPE = torch.float64  # the lesson's default

# --- 1: three loops --------------------------------------------------------


def matmul_loops(x, w):
    (B, D), E = x.shape, w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    for i in range(B):
        for j in range(E):
            for k in range(D):
                y[i, j] += x[i, k] * w[k, j]
    return y


NO_SUMS = without(
    "matmul mm bmm mv dot inner einsum linear tensordot sum",
    "你用了替你求和的函数（@、einsum、dot、sum……）：只用 * 和 +。",
    "You use a function that sums for you (@, einsum, dot, sum, …): here, "
    "use * and + only.",
)


@says(
    "你用了 NumPy：数只从张量里取，或者放进 Python 的列表。",
    "You use NumPy: take the numbers from the tensors, or put them into "
    "Python's lists.",
)
def no_numpy(f, x, w):
    if {"numpy", "__array__"} & set(called(f, x, w)):
        return False
    code, known = getattr(f, "__code__", None), getattr(f, "__globals__", {})
    names = names_in(code) if code else set()
    return not any(of_numpy(name, known.get(name)) for name in names)


def names_in(code):
    """The names of a function's code, and of the code within."""
    inner = filter(inspect.iscode, code.co_consts)
    return set(code.co_names).union(*map(names_in, inner))


def of_numpy(name, value):
    """Whether a name stands for NumPy, or for a part of it."""
    home = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return name == "numpy" or str(home).partition(".")[0] == "numpy"


@says(
    "float64 的数在中途变成了 float32：默认的 dtype 是 float32 时，不写 dtype "
    "的新张量就是 float32。",
    "float64 numbers become float32 on the way: where the default dtype is "
    "float32, a new tensor without a dtype is float32.",
)
def keeps_digits(f, x, w):
    if x.dtype != torch.float64:
        return True
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        y = f(x, w)
    finally:
        torch.set_default_dtype(default)
    if not isinstance(y, torch.Tensor) or y.shape != (x @ w).shape:
        return True
    off = float((y - x @ w).abs().max())
    return not 1e-12 < off < 1e-4  # more, or nan: another mistake


def takes_single_steps(f, rng):
    names = called(f, normal(rng, 4, 5), normal(rng, 5, 6))
    products = sum("mul" in name for name in names)
    numbers = {"tolist", "item", "__float__"}
    return products >= 4 * 5 * 6 or not (products or numbers.isdisjoint(names))


matmul_loops = exercise(
    matmul_loops,
    draw("B D, D E", high=6),
    oracle=lambda x, w: x @ w,
    holds=[
        NO_SUMS,
        no_numpy,
        Property(
            takes_single_steps,
            "这不是三重循环：你的代码一次就乘了一整行，或更多。",
            "These are not three loops: your code multiplies a whole row at "
            "once, or more.",
        ),
        keeps_digits,
    ],
    wrong="""
+= => =
每一项都覆盖了前一项，只剩最后一项：D 项应加在一起。
Each term replaces the one before, so only the last is left: all D terms should
be added up.

for i => total = 0\\n    for i
y[i, j] += => total +=
w[k, j] => w[k, j]; y[i, j] = total
累加的变量没有清零：前面各格的和都带进了后面的格子。
The running sum is never set back: the sums of earlier cells stay in it.

for j => total = 0\\n        for j
y[i, j] += => total +=
w[k, j] => w[k, j]; y[i, j] = total
累加的变量只在换行时清零，同一行里越加越多。
The running sum is set back only at a new row and grows along it.

range(D) => range(D - 1)
少加了最后一项：k 要走到 D − 1。
The last term is missing: k runs up to D − 1.

range(D) => range(1, D)
少加了第 0 项：k 从 0 开始。
Term number 0 is missing: k starts from 0.

    return y =>         return y
只算出了第 0 行：return 写在了 i 的循环里面，第一轮就结束了。
Only row 0 is computed: return stands inside the loop over i and ends the
function in the first round.

    return y =>             return y
只算出了 y[0, 0]：return 写在了 j 的循环里面，第一格算完就结束了。
Only y[0, 0] is computed: return stands inside the loop over j and ends the
function after the first cell.

y[i, j] += => y +=
每一格都得到了所有项的总和：每一项只加到一格里。
Every cell got the sum of all terms: each term belongs to one cell only.

x[i, k] * w => x[i, k] + w
你把 x[i, k] 与 w[k, j] 相加了：每一项是它们的乘积。
You add x[i, k] and w[k, j]: each term is their product.

w[k, j] => w[j, k]
w 的两个下标反了：中间的 k 是 w 的行号。
The two indices of w are swapped: the inner k is the number of its row.

torch.zeros(B, E, dtype=x.dtype) => [[0.0] * E] * B
y[i, j] += x[i, k] * w[k, j] => y[i][j] += float(x[i, k]) * float(w[k, j])
return y => return torch.tensor(y, dtype=x.dtype)
各行是同一个列表（[[0.0] * E] * B）：改一行，每一行都变。
The rows are one and the same list ([[0.0] * E] * B): a change of one row
changes every row.

return y => return y[-1:].repeat(B, 1)
每一行都和最后一行一样：各行是不是同一个列表？改一行，每一行都变。
Every row is like the last one: are the rows one and the same list? Then a
change of one row changes every row.

""",
)

# --- 2: equations ----------------------------------------------------------

equations = {
    "outer": "bd,be->bde",
    "trace": "dd->",
    "dW": "bd,be->de",
    "QK^T": "bnd,bmd->bnm",
    "AV": "bhnm,bhmd->bhnd",
    "heads": "bhnd,hde->bhne",
}
SHAPES = {
    "outer": "B D, B E",
    "trace": "D D",
    "dW": "B D, B E",
    "QK^T": "B N D, B M D",
    "AV": "B H N M, B H M D",
    "heads": "B H N D, H D E",
}
LIBRARY = {
    "outer": lambda x, g: x[:, :, None] * g[:, None],
    "trace": torch.trace,
    "dW": lambda x, g: x.mT @ g,
    "QK^T": lambda q, k: q @ k.mT,
    "AV": torch.matmul,
    "heads": torch.matmul,
}


def some_tensors(rng):
    for s in variations(rng, "B D E H M N"):
        for name, words in SHAPES.items():
            yield name, *(s.normal(word) for word in words.split(","))


def by_equations(shapes, library, amiss):
    """Turn a dict of equations into a function of a name and tensors.

    Args:
        shapes: each name's shapes, in letters.
        library: each name's function; it stands for itself.
        amiss: says what is wrong with an equation that torch refuses.
    """

    def adapt(answer):
        def apply(name, *tensors):
            equation = entry(answer, name, shapes)
            if answer is library:
                return equation(*tensors)
            if not isinstance(equation, str):
                raise Rejection(
                    f"{name!r} 的值应是一个方程（字符串），"
                    f"得到 {equation!r:.60}。",
                    f"The value of {name!r} should be an equation, a string; "
                    f"got {equation!r:.60}.",
                )
            try:
                return torch.einsum(equation, *tensors)
            except RuntimeError as error:
                text = str(error).removeprefix("einsum(): ")
            zh, en = amiss(text, equation, tensors)
            raise Rejection(f"{name!r}：{zh}。", f"{name!r}: {en}.")

        return apply

    return adapt


def with_shapes(text, equation, tensors):
    """Why an equation does not work, with the tensors' shapes."""
    zh, en = refused(text, equation, tensors)
    if two := two_sizes(equation, tensors):
        zh = "字母 {} 有两个大小：{} 和 {}".format(*two)
        en = "{} has sizes {} and {}".format(*two)
    shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
    return (
        f"{equation!r} 用在 {shapes} 上不行：{zh}",
        f"{equation!r} does not work on {shapes}: {en}",
    )


def refused(text, equation, tensors):
    """Why torch refuses an equation, without a size."""
    if odd := re.search(r"[^A-Za-z., >-]", equation):
        return (
            f"方程里不能有 {odd[0]!r}，每个轴只用一个英文字母",
            f"{odd[0]!r} cannot stand in an equation, and each axis has one "
            "letter only",
        )
    words, _, right = equation.replace(" ", "").partition("->")
    words = words.split(",")
    if len(words) != len(tensors):
        n, m = len(words), len(tensors)
        return (
            f"方程左边有 {n} 个张量，应有 {m} 个",
            f"it names {n} tensor(s) on the left, and {m} are given",
        )
    for word, tensor in zip(words, tensors, strict=True):
        n, m = len(word), tensor.ndim
        if n != m and "." not in word:
            return (
                f"{word!r} 有 {n} 个字母，这个张量有 {m} 个轴",
                f"{word!r} has {n} letter(s), and this tensor {m} axes",
            )
    if extra := set(right) - set(equation.partition("->")[0]) - {"."}:
        letter = min(extra)
        return (
            f"箭头右边的 {letter} 不在左边",
            f"{letter} on the right of the arrow is not on the left",
        )
    if two := two_sizes(equation, tensors):
        return (
            f"字母 {two[0]} 的几个轴大小不同",
            f"the axes of {two[0]} differ in size",
        )
    return text, text


def two_sizes(equation, tensors):
    """A letter that has two sizes, and these; None if none has."""
    words = equation.replace(" ", "").split("->")[0].split(",")
    if [*map(len, words)] != [t.ndim for t in tensors] or "." in equation:
        return None
    sizes = {}
    for word, tensor in zip(words, tensors, strict=True):
        for letter, n in zip(word, tensor.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                return letter, sizes[letter], n
    return None


equations = exercise(
    equations,
    some_tensors,
    name="equations",
    oracle=LIBRARY,
    adapt=by_equations(SHAPES, LIBRARY, with_shapes),
    seeds=(0,),
    wrong="""
"bd,be->bde" => "bd,be->de"
outer：b 被加掉了，所有样本的外积合成了一个；每个样本要有自己的外积。
outer: b is summed, so the outer products of all samples became one; each
sample has an outer product of its own.

"bd,be->bde" => "bd,be->b"
outer：d 和 e 都被加掉了；外积什么也不加。
outer: d and e are both summed; an outer product sums nothing.

"dd->" => "de->"
trace：两个轴用了不同的字母，整个矩阵都被加起来了；要的只是对角线之和。
trace: two letters for the two axes sum the whole matrix; only the diagonal is
to be summed.

"bd,be->de" => "bd,ce->de"
dW：两边的样本用了不同的字母，各自加掉了：每个样本的 x 应只与自己的那一行相乘。
dW: the samples of the two have different letters, and each is summed by
itself: the x of a sample should be multiplied by its own row only.

"bd,be->de" => "bd,be->ed"
dW：结果是转置的：行应对应 x 的特征。
dW: the result is transposed: its rows should belong to the features of x.

"bnd,bmd->bnm" => "bnd,bdm->bnm"
QK^T：右边的形状是 (B, M, d_k)，你的字母是按 (B, d_k, M) 写的。
QK^T: the right one has the shape (B, M, d_k), but your letters are those of
(B, d_k, M).

"bnd,bmd->bnm" => "bnd,cmd->bnm"
QK^T：右边的批次用了另一个字母，被加掉了：每个样本应只与自己的那一份相乘。
QK^T: the batch of the right one has another letter and is summed: each sample
should be multiplied by its own part only.

"bnd,bmd->bnm" => "bnd,bme->bnm"
QK^T：d_k 这个轴在两边用了两个字母，各自加掉了：相配的轴用同一个字母。
QK^T: the axis d_k has two letters, one on each side, and each is summed by
itself: axes that go together have one letter.

"bhnm,bhmd->bhnd" => "bhnm,bhkd->bhnd"
AV：M 这个轴在两边用了两个字母，各自加掉了：相配的轴用同一个字母。
AV: the axis M has two letters, one on each side, and each is summed by itself:
axes that go together have one letter.

"bhnd,hde->bhne" => "bhnd,hke->bhne"
heads：D 这个轴在两边用了两个字母，各自加掉了：相配的轴用同一个字母。
heads: the axis D has two letters, one on each side, and each is summed by
itself: axes that go together have one letter.

"bd,be->bde" => "bd,ce->bde"
outer：右边的样本用了另一个字母，被加掉了：每个样本应只用自己的那一行。
outer: the samples on the right have another letter and are summed: each sample
should use its own row only.

"bhnm,bhmd->bhnd" => "bhnm,bgmd->bhnd"
AV：右边的头用了另一个字母，被加掉了：每个头应只用自己的那一份。
AV: the heads of the right one have another letter and are summed: each head
should use its own part only.

"bhnm,bhmd->bhnd" => "bhmn,bhmd->bhnd"
AV：左边的最后一个轴才是 M，你的字母把它和 N 对调了。
AV: the last axis of the left one is M; your letters swap it with N.

"bhnd,hde->bhne" => "bhnd,gde->bhne"
heads：权重的头用了另一个字母，所有头的权重被加在一起：第 h 个头用第 h 份权重。
heads: the heads of the weight have another letter, so the weights of all heads
are added up: head h uses weight h.
""",
)

# --- drill: pictures -------------------------------------------------------

pictures = {
    "A": "bd,bd->b",
    "B": "b,d->db",
    "C": "bd,ed->be",
    "D": "bd,de->eb",
}
DRAWN = {"A": "b d, b d", "B": "b, d", "C": "b d, e d", "D": "b d, d e"}
DONE = {
    "A": lambda x, w: (x * w).sum(dim=1),
    "B": lambda x, w: torch.outer(w, x),
    "C": F.linear,
    "D": lambda x, w: (x @ w).mT,
}


def drawn(name):
    """Tensors with the sizes of a picture."""
    rng = torch.Generator().manual_seed(0)
    size = {"b": 2, "d": 3, "e": 4}
    words = DRAWN[name].split(",")
    return [normal(rng, *(size[a] for a in word.split())) for word in words]


def unlike_picture(text, equation, tensors):
    """Why an equation does not fit a picture, without the sizes in it."""
    zh, en = refused(text, equation, tensors)
    return f"{equation!r} 与图不符：{zh}", f"{equation!r} does not fit: {en}"


def as_pictures(answer):
    """Turn equations into a function of a name alone: no shape is told."""
    apply = by_equations(DRAWN, DONE, unlike_picture)(answer)
    return lambda name: apply(name, *drawn(name))


pictures = exercise(
    pictures,
    lambda rng: ((name,) for name in DRAWN),
    name="pictures",
    oracle=DONE,
    adapt=as_pictures,
    seeds=(0,),
    wrong="""
"bd,bd->b" => "bd,bd->bd"
A：图里的结果只有一个轴，你的方程留下了两个轴，什么也没有加。
A: in the picture the result has a single axis; your equation keeps both and
sums nothing.

"bd,bd->b" => "bd,bd->d"
A：你留下的是大小为 3 的轴，图里留下的是大小为 2 的轴。
A: you keep the axis of size 3; the picture keeps the axis of size 2.

"b,d->db" => "b,d->bd"
B：结果的两个轴次序反了：图里从上往下是 3，从左往右是 2。
B: the two axes of the result are in the other order: in the picture 3 runs
downwards and 2 to the right.

"bd,ed->be" => "bd,de->be"
C：右边的矩阵有 4 行 3 列，你的字母是按 3 行 4 列写的。
C: the matrix on the right has 4 rows and 3 columns; your letters are those of
3 rows and 4 columns.

"bd,de->eb" => "bd,de->be"
D：结果的两个轴次序反了：图里从上往下是 4，从左往右是 2。
D: the two axes of the result are in the other order: in the picture 4 runs
downwards and 2 to the right.
""",
)

# --- 3: shapes -------------------------------------------------------------

shape_table = {
    "(3, 4) @ (4, 5)": (3, 5),
    "(3, 4) * (4, 5)": "error",
    "(3, 4) @ (4,)": (3,),
    "(4,) @ (4,)": (),
    "(2, 3, 4) * (3, 4)": (2, 3, 4),
    "(2, 3, 4) @ (4, 5)": (2, 3, 5),
    "(2, 3, 4) @ (3, 4)": "error",
    "(2, 3, 4) @ (2, 4, 5)": (2, 3, 5),
    "(2, 3, 4) @ (5, 4, 6)": "error",
    "bmm((2, 3, 4), (4, 5))": "error",
}


def by_torch(row):
    """What torch makes of a row."""
    shapes = map(ast.literal_eval, re.findall(r"\([\d, ]+\)", row))
    x, w = map(torch.zeros, shapes)
    try:
        if row.startswith("bmm"):
            return tuple(torch.bmm(x, w).shape)
        return tuple((x @ w if "@" in row else x * w).shape)
    except RuntimeError:
        return "error"


AXES = (
    "轴的个数不对：哪些轴留下，哪些被加掉？",
    "The number of axes is not right: which axes stay, and which are summed?",
)
SIZES = (
    "轴的个数对，但有的大小不对：每个轴来自左边还是右边？",
    "The number of axes is right, but not all sizes: does each axis come from "
    "the left or from the right?",
)
ABOUT = about_shapes(
    (
        "这一行会报错：对照这一节的表，看哪个要求没有满足。",
        "This row raises an error: see which condition in the table of this "
        "section is not met.",
    ),
    (
        "这一行可以运行：对照这一节的规则，再想想它的形状。",
        "This row runs: go by the rules of this section and work out its "
        "shape.",
    ),
    AXES,
    SIZES,
)

shape_table = exercise(
    shape_table,
    **table(shape_table, by_torch, ABOUT),
    name="shape_table",
    wrong="""
* (4, 5)": "error" => * (4, 5)": (3, 5)
(3, 4) * (4, 5)：你按矩阵乘算了。* 是逐元素相乘，从右往左对齐，4 和 5 不相等，
也没有一个是 1。
(3, 4) * (4, 5): you took it as a matrix product. * works element by element,
aligned from the right, and 4 and 5 are neither equal nor is one of them 1.

"(3, 4) @ (4,)": (3,) => "(3, 4) @ (4,)": (3, 1)
(3, 4) @ (4,)：右边是向量，算完就没有列这个轴了，不会留下一个 1。
(3, 4) @ (4,): the right one is a vector, so the result has no axis of columns,
not even one of size 1.

"(3, 4) @ (4,)": (3,) => "(3, 4) @ (4,)": (3, 4)
(3, 4) @ (4,)：你按逐元素相乘算了。@ 把 4 这个轴加掉。
(3, 4) @ (4,): you took it element by element. @ sums over the axis of 4.

(4,) @ (4,)": () => (4,) @ (4,)": (4,)
(4,) @ (4,)：两个向量的 @ 是点积，4 这个轴被加掉了。
(4,) @ (4,): of two vectors, @ is the dot product, and the axis of 4 is summed.

(4,) @ (4,)": () => (4,) @ (4,)": (1,)
(4,) @ (4,)：(1,) 还有一个轴，点积是标量，一个轴也没有。
(4,) @ (4,): (1,) has an axis; the dot product is a scalar, with no axis at
all.

* (3, 4)": (2, 3, 4) => * (3, 4)": "error"
(2, 3, 4) * (3, 4)：从右往左对齐，4 对 4，3 对 3，缺的轴自动重复，所以合法。
(2, 3, 4) * (3, 4): aligned from the right, 4 meets 4, 3 meets 3, and the
missing axis is repeated, so it is legal.

"(2, 3, 4) @ (4, 5)": (2, 3, 5) => "(2, 3, 4) @ (4, 5)": "error"
(2, 3, 4) @ (4, 5)：合法。两个样本、每个样本的 3 个位置共用右边这一个矩阵。
(2, 3, 4) @ (4, 5): legal. The 3 positions of both samples share the one matrix
on the right.

(2, 3, 4) @ (3, 4)": "error" => (2, 3, 4) @ (3, 4)": (2, 3, 4)
(2, 3, 4) @ (3, 4)：你按逐元素相乘算了。@ 要左边最后一个轴（4）等于右边倒数第二
个轴（3）。
(2, 3, 4) @ (3, 4): you took it element by element. @ needs the last axis on
the left (4) to equal the last but one on the right (3).

(5, 4, 6)": "error" => (5, 4, 6)": (2, 3, 6)
(2, 3, 4) @ (5, 4, 6)：后两个轴合适，但批次是 2 和 5，配不上。
(2, 3, 4) @ (5, 4, 6): the last two axes fit, but the batches are 2 and 5 and
do not.

(2, 4, 5)": (2, 3, 5) => (2, 4, 5)": (2, 3, 2, 5)
(2, 3, 4) @ (2, 4, 5)：批次轴一一配对，结果里只出现一次。
(2, 3, 4) @ (2, 4, 5): the batch axes are paired, and the result has the axis
once.

(2, 3, 4), (4, 5))": "error" => (2, 3, 4), (4, 5))": (2, 3, 5)
bmm((2, 3, 4), (4, 5))：这是 @ 的结果。bmm 要两个三维张量，不会替你重复批次轴。
bmm((2, 3, 4), (4, 5)): that is what @ gives. bmm needs two tensors of three
axes and does not repeat the batch for you.
""",
)

# --- drill: shapes of equations --------------------------------------------

result_shapes = {
    "bd->d": (3,),
    "d,e->ed": (4, 3),
    "bd,bd->b": (2,),
    "bd,de->": (),
    "bde,d->be": (2, 4),
}


def shape_of(equation):
    """What torch makes of an equation, b, d, e being 2, 3, 4."""
    size = {"b": 2, "d": 3, "e": 4}
    words = equation.split("->")[0].split(",")
    tensors = [torch.zeros([size[a] for a in word]) for word in words]
    return tuple(torch.einsum(equation, *tensors).shape)


result_shapes = exercise(
    result_shapes,
    **table(result_shapes, shape_of, ABOUT),
    name="result_shapes",
    wrong="""
"bd->d": (3,) => "bd->d": (2,)
bd->d：(2,) 是 b 的大小，留下的却是 d。
bd->d: (2,) is the size of b, but the letter kept is d.

"d,e->ed": (4, 3) => "d,e->ed": (3, 4)
d,e->ed：结果的轴按箭头右边的次序排列，不按左边的。
d,e->ed: the axes of the result are in the order on the right of the arrow, not
in the order on the left.

"bd,bd->b": (2,) => "bd,bd->b": (2, 3)
bd,bd->b：d 不在箭头右边，被加掉了。
bd,bd->b: d is not on the right of the arrow, so it is summed.

"bd,de->": () => "bd,de->": (2, 4)
bd,de->：箭头右边什么也没有，所有的字母都被加掉了。
bd,de->: nothing is on the right of the arrow, so all letters are summed.

"bd,de->": () => "bd,de->": (1,)
bd,de->：(1,) 还有一个轴，这里一个轴也不留。
bd,de->: (1,) has an axis, but here no axis is kept.

"bde,d->be": (2, 4) => "bde,d->be": (2, 3, 4)
bde,d->be：d 在两边都出现，但不在箭头右边，所以被加掉了。
bde,d->be: d is in both tensors but not on the right of the arrow, so it is
summed.
""",
)

# --- 5: three tensors ------------------------------------------------------


def bilinear(x, w, y):
    return torch.einsum("bd,de,be->b", x, w, y)


@says(
    "要用一个 einsum 写完，前后都不再有别的运算。",
    "Write it as a single einsum, with no other operation before or after.",
)
def is_one_einsum(f, x, w, y):
    return called(f, x, w, y) == ["einsum"]


bilinear = exercise(
    bilinear,
    draw("B D, D E, B E"),
    oracle=lambda x, w, y: (x @ w * y).sum(dim=1),
    holds=[is_one_einsum],
    wrong="""
be->b => be->
你把批次也加起来了，只剩一个数：每个样本要有自己的数。
You also summed over the batch, and one number is left: each sample has a
number of its own.

be->b => ce->bc
结果是 (B, B)：每个 x 与每个 y 都配了一次。x 和 y 的批次是同一个轴。
The result is (B, B): every x is combined with every y. The batch of x and that
of y are one axis.

be->b => ce->b
x 和 y 的批次轴用了两个字母，没有保留的那个被加掉了：每个 x 配上了所有的 y 之和
。
The batch axes of x and y have two letters, and the one that is not kept was
summed: every x is combined with the sum of all y.

de, => ed,
w 的两个轴反了（或者 x 与 y 换了位置）：它的行对应 x 的特征，列对应 y 的。
The two axes of w are swapped (or x and y are): its rows belong to the features
of x, its columns to those of y.

return torch.einsum("bd,de->b", x, w)
没有用到 y：你得到的是 x w 各行之和。
y is not used: you got the row sums of x w.

""",
)

# --- 4: the wrong equation -------------------------------------------------


def find_wrong(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            y = torch.einsum(equation, x, w)
        except RuntimeError:
            return i
        if y.shape != (2, 4) or not torch.allclose(y, x @ w):
            return i


RIGHT = ("ak,kc->ac", "ak,kc", "...k,kc->...c")
WRONG = (
    "ak,ck->ac",  # raises: W is taken transposed
    "ka,kc->ac",  # raises: X is taken transposed
    "ak,kc->ca",  # runs: the result is transposed
    "ck,ka",  # runs: so is the result of the implicit order
)


def four_equations(rng):
    for place, wrong in enumerate(WRONG + WRONG[1:] + WRONG[:1]):
        kinds = torch.randint(len(RIGHT), (3,), generator=rng).tolist()
        four = [RIGHT[i] for i in kinds]
        four.insert(place % 4, wrong)
        for i, pattern in enumerate(four):
            picked = torch.randperm(26, generator=rng)[:3].tolist()
            k, (a, c) = picked.pop(), sorted(picked)  # a before c
            names = {
                old: chr(97 + n)
                for old, n in zip("kac", (k, a, c), strict=True)
            }
            four[i] = pattern.translate(str.maketrans(names))
        yield (four,)


EINSUM_FAILS = (
    "错的方程在不是方阵的输入上报错，你的函数也跟着停了；X 和 W 配得上时，这个"
    "错误正说明它是错的那个，应当接住它。",
    "The wrong equation raises an error on input that is not square, and your "
    "function stops with it; where X and W fit, that error tells that this is "
    "the wrong one, and should be caught.",
)
SHAPES_DIFFER = (
    "两个形状不同的张量放在一起比较，也会报错：先比形状，再比数值。",
    "A comparison of two tensors of different shapes raises an error, too: "
    "compare the shapes first, then the numbers.",
)


def told_why(answer):
    """The answer, with a sentence for an error that it lets through."""

    def find(equations):
        if refusal := unfit(answer, ["equations"], (equations,)):
            raise Rejection(*refusal)
        try:
            return answer(equations)
        except (RuntimeError, AssertionError) as error:
            text = str(error)
            if text.startswith("einsum()"):
                raise Rejection(*EINSUM_FAILS) from error
            if re.search("tensor a .* must match|attribute 'shape'", text):
                raise Rejection(*SHAPES_DIFFER) from error
            raise

    return find


def same_number(got, want):
    """Compare two numbers of equations; say what is wrong with one."""
    if got is None:
        raise Rejection(
            "返回了 None：这里没有找到错的那个，或者没有用 return 交出来。",
            "None came back: here the wrong one was not found, or it was not "
            "returned.",
        )
    if type(got) is not int:
        raise Rejection(
            f"应返回错的方程的编号，一个 int；这里返回了 {type_name(got)}。",
            "The number of the wrong equation is expected, an int; here "
            f"{type_name(got)} came back.",
        )
    if got == want:
        return True
    if got in range(4):
        raise Rejection(
            f"方程 {got} 是对的，错的是另一个。",
            f"Equation {got} is right; another one is wrong.",
        )
    raise Rejection(
        f"返回了 {got}，编号应是 0 到 3。",
        f"{got} came back, but the numbers are 0 to 3.",
    )


find_wrong = exercise(
    find_wrong,
    four_equations,
    adapt=told_why,
    compare=same_number,
    wrong="""
x = torch.eye(3)
for i, equation in enumerate(equations):
    if not torch.equal(torch.einsum(equation, x, x), x):
        return i
返回了 None：要么没有找到错的那个（在 S 这样的方阵上，四个方程没有区别），要么
找到了，却没有用 return 交出来。
None came back: either the wrong one was not found (on a square matrix such as
S nothing tells the four apart), or it was found and not returned.

return 0
总是返回 0，不论哪个方程是错的。
It always returns 0, whichever equation is wrong.

y.shape != (2, 4) or not torch.allclose(y, x @ w) => False
只找到了会报错的方程。有的方程不报错，结果却是转置的。
It finds only equations that raise. Some run and give the transposed result.

except RuntimeError: => except RuntimeError:\\n            continue
只找到了不报错而结果不对的方程。会报错的那个也是错的。
It finds only equations that run and give a wrong result. One that raises is
wrong too.

except RuntimeError => except KeyError
错的方程在不是方阵的输入上报错，你的函数也跟着停了；X 和 W 配得上时，这个错误正
说明它是错的那个，应当接住它。
The wrong equation raises an error on input that is not square, and your
function stops with it; where X and W fit, that error tells that this is the
wrong one, and should be caught.

return i => return equation
返回的是方程本身，要的是它的编号（从 0 数起）。
You return the equation; its number is asked for, counted from 0.

enumerate(equations) => enumerate(equations, 1)
编号从 1 数起了：第一个方程是 0。
The numbers start from 1: the first equation is number 0.

return next(i for i in range(4) if i != right(equations))
条件反了：你返回了第一个对的方程。
The condition is the wrong way round: you return the first equation that is
right.

return next((i for i, e in enumerate(equations) if "->" not in e), None)
你找的是没写箭头的方程。没写箭头不等于错：输出按字母顺序排列，要看排出来对不对。
You look for an equation without an arrow. That is not wrong in itself: the
output is in alphabetical order, which may be the right one.

return next((i for i, e in enumerate(equations) if "..." in e), None)
你找的是带三个点的方程。三个点只是代表前面的轴，不等于错。
You look for an equation with three dots. They only stand for the axes in
front, which is not wrong in itself.
""",
)
