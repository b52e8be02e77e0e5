"""What a wrong result looks like, for mistakes that no exercise names.

`diagnose` looks at all wrong results of an answer and tells the first sight
that they share: the sign, a factor, swapped axes, one position off, ...
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from .compare import (
    Sentence,
    difference,
    paragraphs,
    plain,
    show,
    type_name,
)

Case = tuple[Any, Any, dict[str, Any]]  # what came, what was due, arguments

# A paragraph for each sight: its key, the sentence in Chinese, in English.
# Results share a sight when the sentence is the same for all; one whose key
# begins with ~ also when its numbers differ.
_SENTENCES = {
    code[0]: (zh, en)
    for code, zh, en in paragraphs("""
swapped
几个结果都对，次序不对。
The results are right, but in another order.

not
True 和 False 反了。
True and False are swapped.

~more
该是 True 的都是 True，但有的 False 也成了 True。
Everything that should be True is, but so is more.

~fewer
你的 True 都对，但还缺一些。
What is True in your result is right, but some are missing.

dtype
数都对，dtype 是 {a}，应为 {b}。
The numbers are right, but the dtype is {a} and not {b}.

nan
结果里有 nan。
The result holds nan.

inf
结果里有 inf。
The result holds inf.

zeros
结果全是 0。
The result is 0 everywhere.

same
结果里的数全都一样。
All numbers of the result are the same.

input
返回的就是输入 {a}，没有改变。
What you return is the input {a}, unchanged.

axes
数都对，轴 {a} 和轴 {b} 交换了。
The numbers are right, but axes {a} and {b} are swapped.

~shape
数都对，形状是 {a}，应为 {b}。
The numbers are right, but the shape is {a} and not {b}.

~order
数都对，但不在该在的位置上。
The numbers are right, but not in their places.

~order and shape
数都对，但不在该在的位置上；形状是 {a}，应为 {b}。
The numbers are right, but not in their places; the shape is {a} and not {b}.

~signs of order
数的大小都对，但位置和符号不对。
The sizes of the numbers are right, but not their places and signs.

sum
结果多出轴 {a}：还应沿它求和。
Axis {a} of your result is one too many: take the sum over it.

mean
结果多出轴 {a}：还应沿它求平均。
Axis {a} of your result is one too many: take the mean over it.

over
你还沿结果的轴 {a} 做了求和或求平均：这个轴应保留。
You also summed or averaged over axis {a} of the result: it should stay.

~stretched
数都对，但沿某个轴重复了。
The numbers are right, but repeated along an axis.

sign
每个数的符号都反了。
Every number has the wrong sign.

~signs
数的大小都对，有的符号错了。
The sizes of all numbers are right, some signs are wrong.

size
每个数都是应有值的 {a} 倍。
Every number is {a} times what it should be.

factor
每个数都是应有值的 {a} 倍。
Every number is {a} times what it should be.

~factor
所有的数都差同一个倍数，它随输入而变（这里是 {a}）：多了或少了一次乘法或除法
。
All numbers are off by one factor, which depends on the input (here {a}): a
product or a division too many, or missing.

step
每个数都差 {a}。
Every number is off by {a}.

~step
所有的数都差同一个加数，它随输入而变（这里是 {a}）。
All numbers are off by one summand, which depends on the input (here {a}).

rows
每一行的数都差同一个倍数。
The numbers of each row are off by one factor.

columns
每一列的数都差同一个倍数。
The numbers of each column are off by one factor.

many
你多做了一步：{a}。
One step too many: {b}.

few
还少一步：{a}。
One step is missing: {b}.

late
沿轴 {a} 错开了一格：位置 i 上是位置 i − 1 的结果。
Shifted by one along axis {a}: at position i stands the result for position i
− 1.

early
沿轴 {a} 错开了一格：位置 i 上是位置 i + 1 的结果。
Shifted by one along axis {a}: at position i stands the result for position i
+ 1.

flipped
沿轴 {a} 的次序反了。
The order along axis {a} is reversed.

first right
沿轴 {a} 看，只有第 0 个对。
Along axis {a}, only index 0 is right.

last right
沿轴 {a} 看，只有最后一个对。
Along axis {a}, only the last index is right.

first wrong
沿轴 {a} 看，除了第 0 个都对。
Along axis {a}, all but index 0 is right.

last wrong
沿轴 {a} 看，除了最后一个都对。
Along axis {a}, all but the last index is right.

diagonal
只有对角线不对。
Only the diagonal is wrong.

upper
只有右上角（不含对角线）不对。
Only the upper right, without the diagonal, is wrong.

lower
只有左下角（不含对角线）不对。
Only the lower left, without the diagonal, is wrong.

~small
这个数太小：应为 {b}，得到 {a}。
The number is too small: {a}, it should be {b}.

~large
这个数太大：应为 {b}，得到 {a}。
The number is too large: {a}, it should be {b}.

~rough
差得很小，像是舍入误差：中间用了精度更低的 dtype，或多加了一个很小的数？
The differences are small, like rounding: a less precise dtype on the way, or
a small number added?
""")
}

_STEPS: tuple[tuple[str, str, Callable[[Tensor], Tensor]], ...] = (
    ("开平方", "the square root", torch.sqrt),
    ("平方", "the square", torch.square),
    ("exp", "exp", torch.exp),
    ("log", "log", torch.log),
    ("绝对值", "the absolute value", torch.abs),
    ("取倒数", "the reciprocal", torch.reciprocal),
    ("1 减去它", "1 minus it", lambda x: 1 - x),
    ("ReLU", "ReLU", torch.relu),
    ("sigmoid", "the sigmoid", torch.sigmoid),
    ("tanh", "tanh", torch.tanh),
    ("对最后一轴做 softmax", "softmax over the last axis",
     lambda x: x.softmax(-1)),
)  # fmt: skip


def diagnose(cases: Sequence[Case], where: str = "") -> Sentence | None:
    """What all wrong results have in common, or None.

    `where` is the place inside a result, as `[0]['loss']`. Of several parts
    the first is told of which there is something to tell.
    """
    if cases and all(_parts(*case) for case in cases):
        if all(_reordered(got, want) for got, want, _ in cases):
            return _SENTENCES["swapped"]
        keys = cases[0][1] if isinstance(cases[0][1], dict) else range(
            min(len(want) for _, want, _ in cases)
        )  # fmt: skip
        for i in keys:
            part = [(got[i], want[i], about) for got, want, about in cases
                    if difference(got[i], want[i])]  # fmt: skip
            if part and (found := diagnose(part, f"{where}[{i!r}]")):
                return found
        return None
    seen: list[dict[Any, Sentence]] = []
    single = True  # one number is always off by one factor
    for got, want, about in cases:
        if type_name(got) != type_name(want):
            return None
        try:
            a, b = _array(got), _array(want)
        except (TypeError, ValueError, RuntimeError):
            return None
        single &= b.numel() == 1
        mine = {}
        for key, said in _sights(a, b, about):
            zh, en = (text.format(**said) for text in _SENTENCES[key])
            mine.setdefault(key if key[0] == "~" else en, (zh, en))
        seen.append(mine)
    for key, (zh, en) in (seen[0] if seen else {}).items():
        if single and key in ("~factor", "~step"):
            continue
        if all(key in others for others in seen):
            if single:
                zh = zh.replace("每个数的符号都", "这个数的符号")
                zh = zh.replace("每个数都", "这个数")
                en = en.replace("Every number", "The number")
            start = (f"结果{where}：", f"Result{where}: ")
            return (start[0] + zh, start[1] + en) if where else (zh, en)
    return None


def _parts(got: Any, want: Any, _: Any) -> bool:
    """Whether both are of one kind and have the same parts."""
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys()
    kinds = isinstance(want, (tuple, list)) and isinstance(got, type(want))
    return kinds and len(got) == len(want)


def _reordered(got: Any, want: Any) -> bool:
    return not isinstance(want, dict) and 1 < len(want) < 5 and any(
        not difference(list(order), list(want))
        for order in itertools.permutations(got)
    )  # fmt: skip


def _array(value: Any) -> Tensor:
    x = plain(value) if isinstance(value, Tensor) else torch.as_tensor(value)
    if x.is_complex():
        raise TypeError
    return x


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(
        a, b, 1e-4, 1e-6, equal_nan=True
    )


def _sights(
    got: Tensor, want: Tensor, about: dict[str, Any]
) -> Iterator[tuple[str, dict]]:
    """What is to be seen of one wrong result; likelier things first."""
    if {got.dtype, want.dtype} == {torch.bool} and got.shape == want.shape:
        if want.ndim and (got != want).all():  # one alone shows nothing
            yield "not", {}
        if not (want & ~got).any():
            yield "~more", {}
        if not (got & ~want).any():
            yield "~fewer", {}
    types = {"a": str(got.dtype)[6:], "b": str(want.dtype)[6:]}
    real = want.is_floating_point()
    got, want = got.double(), want.double()
    if not want.numel() or not got.numel():
        return
    if _same(got, want) and types["a"] != types["b"]:
        yield "dtype", types
        return
    if got.isnan().any() and not want.isnan().any():
        yield "nan", {}
    if got.isinf().any() and not want.isinf().any():
        yield "inf", {}
    if not want.isfinite().all() or not got.isfinite().all():
        return
    if want.any() and not got.any():
        yield "zeros", {}
    if real and _same(got, want):  # too close for any other sight to be true
        yield "~rough", {}
        return
    for name, value in about.items():
        if (
            isinstance(value, Tensor)
            and value.is_floating_point()
            and (_same(got, plain(value).double()))
        ):
            yield "input", {"a": name}
    yield from _layouts(got, want)
    if got.shape == want.shape:
        if types != {"a": "bool", "b": "bool"}:
            yield from _formulas(got, want, about)
        yield from _places(got, want)
    if _sorted(got, want):
        if got.shape != want.shape:
            shapes = {"a": tuple(got.shape), "b": tuple(want.shape)}
            yield "~order and shape", shapes
        yield "~order", {}
    if _sorted(got.abs(), want.abs()):
        yield "~signs of order", {}
    if got.shape == want.shape and got.numel() > 1 and (
        got.unique().numel() == 1 < want.unique().numel()
    ):  # fmt: skip
        yield "same", {}
    if got.shape == want.shape and torch.allclose(got, want, 1e-2, 1e-3):
        yield "~rough", {}
    if got.numel() == want.numel() == 1 and types["a"] != "bool":
        both = {"a": show(got.item()), "b": show(want.item())}
        yield ("~small" if got < want else "~large"), both


def _layouts(got: Tensor, want: Tensor) -> Iterator[tuple[str, dict]]:
    """The right numbers in another shape or order, or summed too far."""
    if got.ndim == want.ndim:
        for i in range(want.ndim):
            for j in range(i + 1, want.ndim):
                if _same(got, want.transpose(i, j)):
                    yield "axes", {"a": i, "b": j}
    if got.shape != want.shape and _same(got.flatten(), want.flatten()):
        yield "~shape", {"a": tuple(got.shape), "b": tuple(want.shape)}
    for i in range(got.ndim if got.ndim == want.ndim + 1 else 0):
        for key in ("sum", "mean"):
            if _same(getattr(got, key)(i), want):
                yield key, {"a": i}
    fewer = got.numel() < want.numel() or got.ndim < want.ndim
    for i in range(want.ndim if fewer else 0):
        for keep in (False, True):
            if _same(got, want.sum(i, keep)) or _same(got, want.mean(i, keep)):
                yield "over", {"a": i}
    if got.numel() > want.numel() and got.ndim == want.ndim and all(
        m in (1, n) for m, n in zip(want.shape, got.shape, strict=True)
    ) and _same(got, want.expand(got.shape)):  # fmt: skip
        yield "~stretched", {}


def _sorted(got: Tensor, want: Tensor) -> bool:
    return got.numel() == want.numel() > 1 and _same(
        got.flatten().sort().values, want.flatten().sort().values
    )


def _formulas(
    got: Tensor, want: Tensor, about: dict[str, Any]
) -> Iterator[tuple[str, dict]]:
    """The right numbers after one more, or one less, step of arithmetic."""
    if _same(got, -want):
        yield "sign", {}
    elif _same(got.abs(), want.abs()):
        yield "~signs", {}
    big = want.abs() > 1e-6 * want.abs().max()
    ratio = torch.where(big, got / want, torch.nan)
    factor = ratio.nanmedian().item() if want.any() else 0.0
    if factor and _same(got, factor * want):
        number = {"a": show(round(factor, 6), 4)}
        for text in _sizes_of(factor, about):
            yield "size", {"a": text}
        yield "factor", number
        yield "~factor", number
    if want.ndim > 1:
        for key, axis in (("rows", -1), ("columns", -2)):
            by = ratio.nanmedian(axis, keepdim=True).values
            if by.all() and _same(got, by.nan_to_num() * want):
                yield key, {}
    step = (got - want).median().item()
    if step and _same(got, want + step):
        number = {"a": f"{'+' * (step > 0)}{show(round(step, 6), 4)}"}
        yield "step", number
        yield "~step", number
    for zh, en, f in _STEPS:
        if want.ndim == 0 and "softmax" in en:
            continue
        for key, a, b in (("many", got, f(want)), ("few", f(got), want)):
            if b.isfinite().all() and a.isfinite().all() and _same(a, b):
                yield key, {"a": zh, "b": en}


def _sizes_of(factor: float, about: dict[str, Any]) -> Iterator[str]:
    """Sizes of the inputs that a factor is made of, as `1 / x.shape[0]`."""
    for name, value in about.items():
        sizes = {}
        if isinstance(value, Tensor):
            sizes = {f"{name}.shape[{i}]": n
                     for i, n in enumerate(value.shape)}  # fmt: skip
            sizes[f"{name}.numel()"] = value.numel()
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            sizes = {name: value}
        for text, n in sizes.items():
            if abs(n) < 1.5:
                continue
            root = math.sqrt(abs(n))
            forms = {text: n, f"1 / {text}": 1 / n,
                     f"√{text}": root, f"1 / √{text}": 1 / root}  # fmt: skip
            for said, number in forms.items():
                if math.isclose(factor, number, rel_tol=1e-4):
                    yield said


def _places(got: Tensor, want: Tensor) -> Iterator[tuple[str, dict]]:
    """Where along the axes a result is right."""
    wrong = ~torch.isclose(got, want, 1e-4, 1e-6)
    for axis, n in enumerate(want.shape):
        if n < 2:
            continue
        if _same(got, want.flip(axis)):
            yield "flipped", {"a": axis}
        for key, shift, start in (("late", 1, 1), ("early", -1, 0)):
            a, b = (x.narrow(axis, start, n - 1)
                    for x in (got, want.roll(shift, axis)))  # fmt: skip
            if _same(a, b):
                yield key, {"a": axis}
        others = [d for d in range(want.ndim) if d != axis]
        bad = (wrong.any(dim=others) if others else wrong).nonzero().flatten()
        for key, at in (
            ("first right", range(1, n)), ("last right", range(n - 1)),
            ("first wrong", [0]), ("last wrong", [n - 1]),
        ):  # fmt: skip
            if bad.tolist() == list(at):
                yield key, {"a": axis}
    n = want.shape[-1] if want.ndim > 1 else 0
    if n > 1 and want.shape[-2] == n:
        upper = torch.ones(n, n, dtype=torch.bool).triu(1)
        parts = {"diagonal": torch.eye(n, dtype=torch.bool),
                 "upper": upper, "lower": upper.T}  # fmt: skip
        for key, part in parts.items():
            if not (wrong & ~part).any():
                yield key, {}
