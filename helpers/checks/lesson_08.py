"""Checks of lesson 08: the shape of a broadcast, a batch without a loop."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .engine import Exercise, Mistake, Property, Rejection

Shape = tuple[int, ...]


class _Calls(TorchFunctionMode):
    """Counts the calls of torch's functions, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


def calls_of(answer: Callable, *args: Any) -> list[str]:
    """Names of torch's functions that an answer calls, in order."""
    with _Calls() as calls:
        answer(*args)
    return calls.names


def works_in_one_go(answer: Callable, small: tuple, large: tuple) -> bool:
    """Rejection where larger arguments take more calls, or become lists."""
    counts = []
    for args in (small, large):
        names = calls_of(answer, *args)
        if "tolist" in names or "item" in names:
            raise Rejection(
                "值都对，但你用 tolist() 或 item() 把数取出来逐个算：这一题"
                "不写循环，一直用张量算。",
                "The values are right, but tolist() or item() takes the "
                "numbers out, to be handled one by one: write no loop here, "
                "and compute with tensors throughout.",
            )
        counts.append(len(names))
    if counts[0] != counts[1]:
        raise Rejection(
            "值都对，但轴越长，你调用 torch 的次数越多"
            f"（{counts[0]} 次，换成更大的输入是 {counts[1]} 次），"
            "说明有循环：让一次运算做完整个轴。",
            "The values are right, but with longer axes you call torch more "
            f"often ({counts[0]} times, {counts[1]} for larger inputs), so "
            "there is a loop: let one operation do the whole axis.",
        )
    return True


# --- broadcast_shape ------------------------------------------------------


def _broadcast_shape(a: Shape, b: Shape) -> Shape:
    first, second = (torch.empty(shape, device="meta") for shape in (a, b))
    try:
        return tuple((first + second).shape)
    except RuntimeError as error:
        raise ValueError(f"{a} and {b} do not broadcast") from error


def _shape_cases(rng: torch.Generator) -> Iterator[tuple]:
    def draw(high: int) -> int:
        return int(torch.randint(high, (), generator=rng))

    yield (2, 2, 3), (3,)
    yield (4,), (3, 1)
    yield (2, 2, 3), (2,)
    yield (2, 3), (2, 1, 4)
    yield (), (5, 2)
    yield (0, 3), (3,)
    yield (1, 3), (0, 1)
    yield (2, 0), (2, 4)
    for _ in range(8):  # made to fit: each size kept, set to 1, or left out
        shape = tuple((2, 3, 5, 7, 4)[draw(5)] for _ in range(2 + draw(3)))
        pair = []
        for _ in range(2):
            kept = tuple(n if draw(3) else 1 for n in shape)
            pair.append(kept[draw(len(kept)) :])
        yield tuple(pair)
    for _ in range(6):  # at random: most do not fit
        yield tuple(
            tuple((0, 1, 2, 3, 5, 1)[draw(6)] for _ in range(draw(5)))
            for _ in range(2)
        )


def _columns(a: Shape, b: Shape) -> list[tuple[int, int]]:
    """Pairs of sizes from right to left, 1 where an axis is missing."""
    return list(zip_longest(a[::-1], b[::-1], fillvalue=1))


def _joined(pick: Callable[[int, int], int]):
    """An answer that checks the columns and picks a size for each."""

    def answer(a, b):
        if any(m != n and 1 not in (m, n) for m, n in _columns(a, b)):
            raise ValueError
        return tuple(pick(m, n) for m, n in _columns(a, b))[::-1]

    return answer


_right = _joined(lambda m, n: n if m == 1 else m)


def _from_the_left(a, b):
    return _right(a[::-1], b[::-1])[::-1]


def _only_b_stretches(a, b):
    if any(n not in (1, m) for m, n in _columns(a, b)):
        raise ValueError
    return tuple(m for m, _ in _columns(a, b))[::-1]


def _only_a_stretches(a, b):
    return _only_b_stretches(b, a)


def _zipped_from_the_left(a, b):
    pairs = list(zip(a, b, strict=False))
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        raise ValueError
    return tuple(n if m == 1 else m for m, n in pairs)


def _same_count_only(a, b):
    if len(a) != len(b):
        raise ValueError
    return _right(a, b)


def _short_axes(a, b):
    return _right(a, b)[-min(len(a), len(b)) :] if a and b else ()


def _error_as_none(a, b):
    try:
        return _right(a, b)
    except ValueError:
        return None


def _other_error(a, b):
    return tuple(torch.broadcast_shapes(a, b))  # raises RuntimeError


def _rule_of_the_slide(a, b):
    if not a or not b or 0 in (*a, *b):
        raise ValueError
    return _right(a, b)


broadcast_shape = Exercise(
    reference=_broadcast_shape,
    cases=_shape_cases,
    raises=(ValueError,),
    mistakes=(
        Mistake(
            _from_the_left,
            "你的结果等于从左边对齐的结果：广播从最后一个轴开始往左比，"
            "缺的轴补在"
            "左边。先把两个形状倒过来。",
            "Your result equals what you get when the shapes are aligned on "
            "the left: broadcasting compares from the last axis, and missing "
            "axes are added on the left. Reverse both shapes first.",
        ),
        Mistake(
            lambda a, b: tuple(max(p) for p in _columns(a, b))[::-1],
            "你对每一列直接取了较大的数：3 对 2 这样的一列应抛出 ValueError，"
            "1 对 0 得 0。",
            "You took the larger size in every column: a column such as 3 "
            "against 2 must raise ValueError, and 1 against 0 gives 0.",
        ),
        Mistake(
            _joined(max),
            "只差一点：大小为 0 的轴。1 对 0 得 0（被拉伸的总是 1），而 "
            "max(1, 0) 是 1。",
            "Nearly: look at axes of size 0. 1 against 0 gives 0, since it "
            "is always the 1 that is stretched, while max(1, 0) is 1.",
        ),
        Mistake(
            _only_b_stretches,
            "你只允许 b 的轴被拉伸：规则是对称的，a 的大小 1 "
            "或缺的轴同样可以被"
            "拉伸。",
            "You let only b be stretched: the rule is symmetric, and an axis "
            "of size 1 or a missing axis of a is stretched just the same.",
        ),
        Mistake(
            _only_a_stretches,
            "你只允许 a 的轴被拉伸：规则是对称的，b 的大小 1 或缺的轴同样可以"
            "被拉伸。",
            "You let only a be stretched: the rule is symmetric, and an axis "
            "of size 1 or a missing axis of b is stretched just the same.",
        ),
        Mistake(
            _zipped_from_the_left,
            "zip(a, b) 从左边配对，而且在较短的形状用完时就停：先在左边补 1，"
            "让两个形状一样长。",
            "zip(a, b) pairs the sizes from the left, and stops at the end of "
            "the shorter shape: first add 1s on the left until both are "
            "equally long.",
        ),
        Mistake(
            _same_count_only,
            "两个形状轴数不同时你就报错：缺的轴补在左边，当作 1。",
            "You raise whenever the numbers of axes differ: missing axes are "
            "added on the left and count as 1.",
        ),
        Mistake(
            _short_axes,
            "轴数不同时你的结果少了左边的轴：较长的形状多出来的轴原样留下"
            "（zip 在较短的形状用完时就停了）。",
            "Where the numbers of axes differ, your result lacks axes on the "
            "left: the longer shape keeps its own (zip stops at the end of "
            "the shorter one).",
        ),
        Mistake(
            lambda a, b: _right(a, b)[::-1],
            "大小都对，次序反了：从右往左比完之后，要把结果再倒回来。",
            "The sizes are right, but in reverse order: after comparing from "
            "right to left, turn the result round again.",
        ),
        Mistake(
            _rule_of_the_slide,
            "你在形状为 () 或含有 0 时也报错，这是讲义的第一条原则，"
            "它不成立：() 可以广播，大小为 0 的轴按同样的规则比较。",
            "You also raise for () and for sizes of 0: that is the lecture's "
            "first rule, which does not hold. () broadcasts, and an axis of "
            "size 0 is compared by the same rule.",
        ),
        Mistake(
            _other_error,
            "不能广播时你抛出的是 RuntimeError：题目要的是 ValueError。",
            "Where the shapes do not fit you raise RuntimeError: the exercise "
            "asks for ValueError.",
        ),
        Mistake(
            _error_as_none,
            "不能广播时你返回了 None：应 raise ValueError，出错要让调用的人"
            "知道。",
            "Where the shapes do not fit you return None: raise ValueError, "
            "so that the caller hears of it.",
        ),
        Mistake(
            lambda a, b: list(_right(a, b)),
            "值都对，但返回了 list：形状是 tuple，用 tuple(...) 转换。",
            "The sizes are right, but you return a list: a shape is a tuple, "
            "convert it with tuple(...).",
        ),
    ),
)

# --- every_sample ---------------------------------------------------------


def _every_sample(x, s, w, v):
    return (s[:, None, None] * x * w) @ v


def _sample_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N, H, D, E in ((3, 2, 4, 5), (5, 4, 3, 2), (2, 5, 7, 3)):
        yield tuple(
            torch.randn(shape, generator=rng, dtype=torch.float64)
            for shape in ((N, H, D), (N,), (H, D), (D, E))
        )


def _sample_loop(x, s, w, v):
    return torch.stack([(s[n] * x[n] * w) @ v for n in range(len(x))])


def _no_loop(answer, rng):
    small, large = (
        tuple(
            torch.randn(shape, generator=rng, dtype=torch.float64)
            for shape in ((N, H, D), (N,), (H, D), (D, E))
        )
        for N, H, D, E in ((3, 2, 4, 5), (11, 6, 7, 8))
    )
    return works_in_one_go(answer, small, large)


every_sample = Exercise(
    reference=_every_sample,
    cases=_sample_cases,
    mistakes=(
        Mistake(
            lambda x, s, w, v: (s * x * w) @ v,
            "s 的形状是 (N,)，直接乘时它与最后一个轴 D 对齐：大小不同就报错，"
            "碰巧相同就悄悄算错。给它补两个轴：s[:, None, None]。",
            "s has shape (N,), and multiplied as it is it lines up with the "
            "last axis, D: an error where the sizes differ, silently wrong "
            "where they agree. Give it two more axes: s[:, None, None].",
        ),
        Mistake(
            lambda x, s, w, v: (s[:, None] * x * w) @ v,
            "s[:, None] 的形状是 (N, 1)，N 与 H 轴对齐，不是与样本轴："
            "还要再补一"
            "个轴，(N, 1, 1)。",
            "s[:, None] has shape (N, 1), so N lines up with the axis H and "
            "not with the samples: it needs one more axis, (N, 1, 1).",
        ),
        Mistake(
            lambda x, s, w, v: (x * w) @ v,
            "你的结果等于没有乘 s 的结果：每个样本还有自己的系数 s[n]。",
            "Your result equals what you get without s: every sample has a "
            "factor of its own, s[n].",
        ),
        Mistake(
            lambda x, s, w, v: (s[:, None, None] * x) @ v,
            "你的结果等于没有乘 w 的结果：每个样本都要先按元素乘共享的 w。",
            "Your result equals what you get without w: every sample is "
            "first multiplied element by element with the shared w.",
        ),
        Mistake(
            lambda x, s, w, v: s[:, None, None] * x * w,
            "还差最后一步：每个样本再矩阵乘 v，(H, D) @ (D, E) -> (H, E)。",
            "The last step is missing: multiply every sample by the matrix "
            "v, (H, D) @ (D, E) -> (H, E).",
        ),
        Mistake(
            lambda x, s, w, v: _every_sample(x, s, w, v).sum(dim=0),
            "你把样本加在了一起：每个样本的结果都要留下，形状是 (N, H, E)。",
            "You added up the samples: keep the result of each of them, of "
            "shape (N, H, E).",
        ),
        Mistake(
            lambda x, s, w, v: (s[:, None, None] + x * w) @ v,
            "你加上了 s：题目要乘，s[n] * x[n] * w。",
            "You added s: multiply by it, s[n] * x[n] * w.",
        ),
        Mistake(
            lambda x, s, w, v: (s[0] * x * w) @ v,
            "你对所有样本都用了 s[0]：第 n 个样本用 s[n]。",
            "You used s[0] for all samples: sample n uses s[n].",
        ),
        Mistake(
            _sample_loop,
            "结果是对的，但还是循环：这一题要不写循环，"
            "让广播一次算完整个批次。",
            "The result is right, but it is still the loop: here, write none "
            "and let broadcasting do the whole batch at once.",
        ),
    ),
    properties=(
        Property(
            _no_loop,
            "要不写循环。",
            "Write no loop.",
        ),
    ),
)
