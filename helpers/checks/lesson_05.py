"""Checks of lesson 05: which shapes a linear layer takes and gives."""

from collections.abc import Callable

import torch
from torch import nn

from .engine import Exercise, Mistake, Rejection

Shape = tuple[int, ...]
Layer = tuple[int, int]
Item = tuple[list[Layer], Shape]

_M1, _M2 = (20, 30), (30, 40)
# The ten questions of the lesson: layers in the order in which they run,
# and the shape of the input.
_ITEMS: tuple[Item, ...] = (
    ([_M1], (20,)),
    ([_M1], (5, 20)),
    ([_M1], (20, 5)),
    ([_M1], (4, 7, 20)),
    ([_M1], (2, 3, 20, 10)),
    ([_M1], (0, 20)),
    ([_M1], ()),
    ([_M1], (20, 1)),
    ([_M1, _M2], (2, 20, 20)),
    ([_M2, _M1], (2, 9, 30)),
)
_HINTS = (
    (
        "只有一个轴的输入也行：它就是一行。",
        "an input with a single axis works too: it is one row.",
    ),
    (
        "最后一个轴是特征，前面的轴原样留下。",
        "the last axis holds the features, the axes before it stay.",
    ),
    (
        "20 在哪个轴上？线性层只看最后一个轴。",
        "on which axis is the 20? The layer looks at the last one only.",
    ),
    (
        "前导轴可以有好几个，都原样留下。",
        "there may be several leading axes, and all of them stay.",
    ),
    (
        "20 在哪个轴上？线性层只看最后一个轴。",
        "on which axis is the 20? The layer looks at the last one only.",
    ),
    (
        "0 行也是合法的行数，形状照样变。",
        "no rows at all is a legal number of rows; the shape changes alike.",
    ),
    (
        "标量没有最后一个轴，哪里放得下 20 个特征？",
        "a scalar has no last axis; where would its 20 features be?",
    ),
    (
        "矩阵乘不做广播：大小为 1 的最后一个轴不会变成 20。",
        "a matrix product does not stretch a last axis of size 1 to 20.",
    ),
    (
        "先 m1 后 m2，两次都只换最后一个轴。",
        "first m1, then m2; each changes only the last axis.",
    ),
    (
        "里面的先算：m2 先算，它的输出交给 m1，特征数对得上吗？",
        "the inner one runs first: does the output of m2 fit m1?",
    ),
)


def _fits(items: list[Item]) -> list[Shape | None]:
    """What torch says, on the meta device."""
    found: list[Shape | None] = []
    for layers, shape in items:
        x = torch.empty(shape, device="meta")
        try:
            for D, E in layers:
                x = nn.Linear(D, E, device="meta")(x)
        except RuntimeError:
            found.append(None)
        else:
            found.append(tuple(x.shape))
    return found


def _by_rule(rule: Callable[[Shape, int, int], Shape | None]) -> Callable:
    """All ten answers of somebody who takes `rule` for that of a layer."""

    def answer(items: list[Item]) -> list[Shape | None]:
        found = []
        for layers, shape in items:
            for D, E in layers:
                shape = shape if shape is None else rule(shape, D, E)
            found.append(shape)
        return found

    return answer


def _last(shape: Shape, D: int, E: int) -> Shape | None:
    return (*shape[:-1], E) if shape and shape[-1] == D else None


def _first(shape: Shape, D: int, E: int) -> Shape | None:
    return (E, *shape[1:]) if shape and shape[0] == D else None


def _anywhere(shape: Shape, D: int, E: int) -> Shape | None:
    if D not in shape:
        return None
    k = len(shape) - 1 - shape[::-1].index(D)
    return (*shape[:k], E, *shape[k + 1 :])


def _matrices_only(shape: Shape, D: int, E: int) -> Shape | None:
    return _last(shape, D, E) if len(shape) == 2 else None


def _no_vector(shape: Shape, D: int, E: int) -> Shape | None:
    return _last(shape, D, E) if len(shape) > 1 else None


def _not_empty(shape: Shape, D: int, E: int) -> Shape | None:
    return None if 0 in shape else _last(shape, D, E)


def _stretched(shape: Shape, D: int, E: int) -> Shape | None:
    if shape[-1:] == (1,):
        shape = (*shape[:-1], D)
    return _last(shape, D, E)


def _folded(shape: Shape, D: int, E: int) -> Shape | None:
    right = _last(shape, D, E)
    if right is None:
        return None
    rows = torch.Size(shape[:-1]).numel()
    return rows, E


def _answers(answer: object) -> Callable[[], object]:
    """The student hands in a list; the reference is a function."""
    return lambda: answer(list(_ITEMS)) if callable(answer) else answer


def _compare_fits(got: object, expected: list) -> None:
    if not isinstance(got, (list, tuple)) or len(got) != len(expected):
        raise Rejection(
            f"fits 应是有 {len(expected)} 项的列表。",
            f"fits should be a list of {len(expected)} items.",
        )
    wrong = []
    for k, (mine, due) in enumerate(zip(got, expected, strict=True)):
        n = k + 1
        if mine is ...:
            raise Rejection(
                f"第 {n} 题还空着。", f"Case {n} has no answer yet."
            )
        if type(mine) is int:
            raise Rejection(
                f"第 {n} 题写的是整数。只有一个轴的形状也是元组，"
                f"要带逗号：({mine},)。",
                f"Case {n} is an integer. A shape with one axis is a tuple "
                f"too and needs a comma: ({mine},).",
            )
        if mine is not None and not isinstance(mine, tuple):
            raise Rejection(
                f"第 {n} 题应是元组或 None，得到 {type(mine).__name__}。",
                f"Case {n} should be a tuple or None, got "
                f"{type(mine).__name__}.",
            )
        if mine != due:
            wrong.append(k)
    if wrong:
        numbers = ", ".join(str(k + 1) for k in wrong)
        zh, en = _HINTS[wrong[0]]
        raise Rejection(
            f"不对的题：{numbers}。先看第 {wrong[0] + 1} 题：{zh}",
            f"Not right: {numbers}. Begin with case {wrong[0] + 1}: {en}",
        )


fits = Exercise(
    reference=_fits,
    cases=lambda rng: [()],
    adapt=_answers,
    compare=_compare_fits,
    seeds=(0,),
    mistakes=(
        Mistake(
            _by_rule(_first),
            "你把第一个轴当成了特征轴。线性层看的是最后一个轴：它应等于 "
            "in_features，变成 out_features。",
            "You take the first axis for the features. A linear layer looks "
            "at the last one: it must equal in_features and becomes "
            "out_features.",
        ),
        Mistake(
            _by_rule(_anywhere),
            "你在任何位置找到 in_features 就换成了 out_features。只有最后"
            "一个轴算数，20 在别的轴上要报错。",
            "Wherever you find in_features, you put out_features. Only the "
            "last axis counts; a 20 on another axis raises.",
        ),
        Mistake(
            _by_rule(_matrices_only),
            "你只接受了矩阵。前导轴可以有任意多个，也可以一个都没有。",
            "You accept matrices only. There may be any number of leading "
            "axes, also none.",
        ),
        Mistake(
            _by_rule(_no_vector),
            "你拒绝了只有一个轴的输入。(20,) 就是一行，输出 (30,)。",
            "You refuse the input with a single axis. (20,) is one row, and "
            "(30,) comes out.",
        ),
        Mistake(
            _by_rule(_not_empty),
            "你拒绝了 0 行的输入。行数可以是 0，最后一个轴照样从 20 变成 30。",
            "You refuse the input with 0 rows. There may be no rows at all; "
            "the last axis goes from 20 to 30 all the same.",
        ),
        Mistake(
            _by_rule(_stretched),
            "你让大小为 1 的最后一个轴广播成了 20。矩阵乘不广播求和的轴。",
            "You stretch a last axis of size 1 to 20. A matrix product does "
            "not broadcast the axis that it sums over.",
        ),
        Mistake(
            _by_rule(_folded),
            "你给出的是折叠后的形状 (N, E)。算完以后前导轴会展开回来。",
            "You give the folded shapes (N, E). After the product the "
            "leading axes are unfolded again.",
        ),
        Mistake(
            lambda items: _by_rule(_last)([(s[:1], x) for s, x in items]),
            "有两层时你只算了先运行的一层：它的输出还要交给下一层。",
            "Where there are two layers, you apply only the one that runs "
            "first: its output goes on into the next.",
        ),
        Mistake(
            lambda items: _by_rule(_last)([(s[::-1], x) for s, x in items]),
            "你把 m2(m1(x)) 的次序读反了：括号里面的 m1 先算。",
            "You read m2(m1(x)) the wrong way round: m1, the inner one, "
            "runs first.",
        ),
    ),
)
