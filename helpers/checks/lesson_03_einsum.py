"""Checks of lesson 03: equations that are written, shapes that are told."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .._equation import EquationError, read
from .engine import Exercise, Mistake, Rejection
from .lesson_03 import _normal, _sizes

# --- equations ------------------------------------------------------------

_EQUATIONS = {
    "outer": "d,e->de",
    "trace": "dd->",
    "bmm": "bhd,bde->bhe",
    "QK^T": "bhd,bnd->bhn",
    "weight [E, D]": "bd,ed->be",
    "heads": "bmhd,mde->bmhe",
}


def _equation_cases(rng: torch.Generator) -> Iterator[tuple]:
    B, D, E, H, N, M = _sizes(rng, 6)
    for name, shapes in {
        "outer": [(D,), (E,)],
        "trace": [(D, D)],
        "bmm": [(B, H, D), (B, D, E)],
        "QK^T": [(B, H, D), (B, N, D)],
        "weight [E, D]": [(B, D), (E, D)],
        "heads": [(B, M, H, D), (M, D, E)],
    }.items():
        yield name, *(_normal(rng, *shape) for shape in shapes)


def _apply(answer: Any) -> Callable:
    """Turn a dict of equations into a function of a name and tensors."""

    def apply(name: str, *tensors: Tensor) -> Tensor:
        equation = _entry(answer, name, _EQUATIONS)
        if not isinstance(equation, str):
            raise Rejection(
                f"{name!r} 的值应是一个方程（字符串），"
                f"得到 {equation!r:.60}。",
                f"The value of {name!r} should be an equation, a string; got "
                f"{equation!r:.60}.",
            )
        shapes = [tuple(t.shape) for t in tensors]
        try:
            reading = read(equation, *shapes)
        except EquationError as error:
            reading = error
        if isinstance(reading, Exception) or reading.clash:
            raise Rejection(
                f"{name!r}：{equation!r} 用在 {shapes} 上不行。{reading.zh}",
                f"{name!r}: {equation!r} does not work on {shapes}. "
                f"{reading.en}",
            )
        return torch.einsum(equation, *tensors)

    return apply


def _entry(answer: Any, key: str, keys) -> Any:
    if not isinstance(answer, dict):
        kind = type(answer).__name__
        raise Rejection(
            f"应交一个字典，得到 {kind}。",
            f"A dict is asked for, got {kind}.",
        )
    if answer.get(key, ...) is ...:
        done = sum(answer.get(k, ...) is not ... for k in keys)
        raise Rejection(
            f"{key!r} 还没有填（已填 {done} 项，共 {len(keys)} 项）。",
            f"{key!r} is not filled in yet ({done} of {len(keys)} are).",
        )
    return answer[key]


def _but(name: str, equation: str) -> dict[str, str]:
    return _EQUATIONS | {name: equation}


equations = Exercise(
    reference=_EQUATIONS,
    cases=_equation_cases,
    adapt=_apply,
    mistakes=(
        Mistake(
            _but("outer", "d,e->ed"),
            "outer：结果转置了，-> 右边先写 d 再写 e。",
            "outer: the result is transposed; to the right of the arrow "
            "stands d, then e.",
        ),
        Mistake(
            _but("outer", "d,e->"),
            "outer：d 和 e 都被加掉了，只剩一个数；外积什么也不加。",
            "outer: d and e are both summed and one number is left; an outer "
            "product sums nothing.",
        ),
        Mistake(
            _but("trace", "dd->d"),
            "trace：这取出了对角线；迹是对角线之和，d 不要写在 -> 右边。",
            "trace: this takes out the diagonal; the trace is its sum, so d "
            "does not stand to the right of the arrow.",
        ),
        Mistake(
            _but("trace", "de->"),
            "trace：两个轴用了不同的字母，整个矩阵都被加起来了；同一个字母写"
            "两次才是对角线。",
            "trace: two letters for the two axes sum the whole matrix; the "
            "same letter twice means the diagonal.",
        ),
        Mistake(
            _but("bmm", "bhd,bde->he"),
            "bmm：批次被加掉了，b 要写在 -> 右边。",
            "bmm: the batch is summed; b belongs to the right of the arrow.",
        ),
        Mistake(
            _but("bmm", "bhd,cde->bhe"),
            "bmm：两个批次轴用了不同的字母，第二个被加掉了；要第 b 个配"
            "第 b 个，用同一个字母。",
            "bmm: the two batch axes have different letters, and the second "
            "is summed; for number b to meet number b, use one letter.",
        ),
        Mistake(
            _but("QK^T", "bhd,bnd->bnh"),
            "QK^T：行和列反了，行来自 Q，列来自 K，结果是 bhn。",
            "QK^T: rows and columns are swapped; rows come from Q, columns "
            "from K, and the result is bhn.",
        ),
        Mistake(
            _but("QK^T", "bhd,bdn->bhn"),
            "QK^T：K 的形状是 (B, N, D)，字母按它真实的轴写成 bnd；转置不用"
            "自己做，字母的位置就说明了一切。",
            "QK^T: K has the shape (B, N, D), so its letters are bnd, as its "
            "axes are; there is nothing to transpose, the letters say it.",
        ),
        Mistake(
            _but("QK^T", "bhd,cnd->bhn"),
            "QK^T：K 的批次用了另一个字母，被加掉了；Q 和 K 的批次轴是同一个 "
            "b。",
            "QK^T: the batch of K has another letter and is summed; Q and K "
            "share the letter b.",
        ),
        Mistake(
            _but("weight [E, D]", "bd,de->be"),
            "weight [E, D]：这是 (D, E) 布局的方程；weight 的第一个轴是 e，"
            "写成 ed。",
            "weight [E, D]: this is the equation of the layout (D, E); the "
            "first axis of weight is e, so write ed.",
        ),
        Mistake(
            _but("heads", "bmhd,mde->bhe"),
            "heads：各个头被加到一起了，m 要写在 -> 右边。",
            "heads: the heads are summed; m belongs to the right of the "
            "arrow.",
        ),
        Mistake(
            _but("heads", "bmhd,nde->bmhe"),
            "heads：权重的头用了另一个字母，所有头的权重被加在一起；第 m 个头"
            "用第 m 份权重，要同一个字母。",
            "heads: the heads of the weight have another letter, so the "
            "weights of all heads are added up; head m uses weight m, with "
            "the same letter.",
        ),
    ),
)

# --- shape_table ----------------------------------------------------------

_ROWS = (
    "(3, 4) @ (4, 5)",
    "(3, 4) * (4, 5)",
    "(3, 4) @ (4,)",
    "(4,) @ (4,)",
    "(2, 3, 4) * (3, 4)",
    "(2, 3, 4) @ (4, 5)",
    "(2, 3, 4) @ (3, 4)",
    "(2, 3, 4) @ (2, 4, 5)",
    "(2, 3, 4) @ (5, 4, 6)",
    "bmm((2, 3, 4), (4, 5))",
)


def _by_torch(row: str) -> tuple[int, ...] | str:
    """What torch makes of a row, on the meta device."""
    shapes = [ast.literal_eval(s) for s in re.findall(r"\([\d, ]+\)", row)]
    x, w = (torch.empty(shape, device="meta") for shape in shapes)
    try:
        if row.startswith("bmm"):
            return tuple(torch.bmm(x, w).shape)
        return tuple((x @ w if "@" in row else x * w).shape)
    except RuntimeError:
        return "error"


def _look_up(answer: Any) -> Callable:
    """Turn a table into a function of the row."""
    if answer is _by_torch:
        return answer

    def look_up(row: str) -> tuple[int, ...] | str:
        told = answer(row) if callable(answer) else _entry(answer, row, _ROWS)
        if isinstance(told, list | torch.Size):
            told = tuple(told)
        sizes = isinstance(told, tuple) and all(type(n) is int for n in told)
        if not sizes and told != "error":
            raise Rejection(
                f"{row!r} 的值应是一个整数的元组，如 (3, 5)，只有一个轴时如 "
                f'(7,)，或 "error"；得到 {told!r:.60}。',
                f"The value of {row!r} should be a tuple of ints such as "
                f'(3, 5), with one axis such as (7,), or "error"; got '
                f"{told!r:.60}.",
            )
        return told

    return look_up


def _same_row(told: Any, want: Any) -> bool:
    """Compare two entries; say what is wrong without giving it away."""
    if told == want:
        return True
    if want == "error":
        raise Rejection(
            f"你填了 {told}，但这一行会报错：对照第 5 节的表，看哪个要求没有"
            "满足。",
            f"You wrote {told}, but this row raises an error: see which "
            "condition in the table of section 5 is not met.",
        )
    if told == "error":
        raise Rejection(
            '你填了 "error"，但这一行可以运行：对照第 5 节的表，再想想它的'
            "形状。",
            'You wrote "error", but this row runs: go by the table of '
            "section 5 and work out its shape.",
        )
    if len(told) != len(want):
        raise Rejection(
            f"{told} 的轴的个数不对：哪些轴留下，哪些被加掉？",
            f"The number of axes of {told} is not right: which axes stay, "
            "and which are summed?",
        )
    raise Rejection(
        f"{told} 的轴数对，但有的大小不对：每个轴来自左边还是右边？",
        f"{told} has the right number of axes, but not the right sizes: does "
        "each axis come from the left or from the right?",
    )


def _row_is(row: str, told) -> Callable:
    """A table in which one row is wrong."""
    return lambda asked: told if asked == row else _by_torch(asked)


shape_table = Exercise(
    reference=_by_torch,
    cases=lambda rng: ((row,) for row in _ROWS),
    adapt=_look_up,
    compare=_same_row,
    seeds=(0,),
    mistakes=(
        Mistake(
            _row_is("(3, 4) * (4, 5)", (3, 5)),
            "(3, 4) * (4, 5)：你按矩阵乘算了。* 是逐元素相乘，从右往左对齐，"
            "4 和 5 既不相等，也没有一个是 1。",
            "(3, 4) * (4, 5): you took it as a matrix product. * works "
            "element by element, aligned from the right, and 4 and 5 are "
            "neither equal nor is one of them 1.",
        ),
        Mistake(
            _row_is("(3, 4) @ (4,)", (3, 1)),
            "(3, 4) @ (4,)：右边是向量，算完就没有列这个轴了，"
            "不会留下一个 1。",
            "(3, 4) @ (4,): the right one is a vector, so the result has no "
            "axis of columns, not even one of size 1.",
        ),
        Mistake(
            _row_is("(3, 4) @ (4,)", (3, 4)),
            "(3, 4) @ (4,)：你按逐元素相乘算了。@ 把 4 这个轴加掉。",
            "(3, 4) @ (4,): you took it element by element. @ sums over the "
            "axis of 4.",
        ),
        Mistake(
            _row_is("(4,) @ (4,)", (4,)),
            "(4,) @ (4,)：两个向量的 @ 是点积，4 这个轴被加掉，一个轴也不剩。",
            "(4,) @ (4,): of two vectors, @ is the dot product; the axis of "
            "4 is summed and no axis is left.",
        ),
        Mistake(
            _row_is("(4,) @ (4,)", (1,)),
            "(4,) @ (4,)：点积是标量，形状是 ()，一个轴也没有；(1,) 是有一个"
            "轴。",
            "(4,) @ (4,): the dot product is a scalar of shape (), with no "
            "axis at all; (1,) has one.",
        ),
        Mistake(
            _row_is("(2, 3, 4) * (3, 4)", "error"),
            "(2, 3, 4) * (3, 4)：从右往左对齐，4 对 4，3 对 3，"
            "缺的轴自动重复，所以合法。",
            "(2, 3, 4) * (3, 4): aligned from the right, 4 meets 4, 3 meets "
            "3, and the missing axis is repeated, so it is legal.",
        ),
        Mistake(
            _row_is("(2, 3, 4) @ (4, 5)", "error"),
            "(2, 3, 4) @ (4, 5)：合法。两个样本、每个样本的 3 个位置共用右边这"
            "一个矩阵。",
            "(2, 3, 4) @ (4, 5): legal. The 3 positions of both samples share "
            "the one matrix on the right.",
        ),
        Mistake(
            _row_is("(2, 3, 4) @ (3, 4)", (2, 3, 4)),
            "(2, 3, 4) @ (3, 4)：你按逐元素相乘算了。@ 要左边最后一个轴（4）"
            "等于右边倒数第二个轴（3）。",
            "(2, 3, 4) @ (3, 4): you took it element by element. @ needs the "
            "last axis on the left (4) to equal the last but one on the right "
            "(3).",
        ),
        Mistake(
            _row_is("(2, 3, 4) @ (5, 4, 6)", (2, 3, 6)),
            "(2, 3, 4) @ (5, 4, 6)：后两个轴合适，但批次是 2 和 5，配不上。",
            "(2, 3, 4) @ (5, 4, 6): the last two axes fit, but the batches "
            "are 2 and 5 and do not.",
        ),
        Mistake(
            _row_is("(2, 3, 4) @ (2, 4, 5)", (2, 3, 2, 5)),
            "(2, 3, 4) @ (2, 4, 5)：批次轴一一配对，结果里只出现一次。",
            "(2, 3, 4) @ (2, 4, 5): the batch axes are paired, and the result "
            "has the axis once.",
        ),
        Mistake(
            _row_is("bmm((2, 3, 4), (4, 5))", (2, 3, 5)),
            "bmm((2, 3, 4), (4, 5))：这是 @ 的结果。bmm 要两个三维张量，不会"
            "替你重复批次轴。",
            "bmm((2, 3, 4), (4, 5)): that is what @ gives. bmm needs two "
            "tensors of three axes and does not repeat the batch for you.",
        ),
    ),
)
