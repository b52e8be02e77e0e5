"""How two values differ, in sentences, and what a wrong value looks like.

A sentence is a pair of texts, in Chinese and in English.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Sentence = tuple[str, str]

_HINTS = {  # what is due, what came (None: whatever is due)
    ("torch.Tensor", "numpy.ndarray"): (
        "用 torch.from_numpy(...) 转换",
        "convert it with torch.from_numpy(...)",
    ),
    ("torch.Tensor", "list"): (
        "用 torch.stack(...) 或 torch.tensor(...) 合成一个张量",
        "join it with torch.stack(...) or torch.tensor(...)",
    ),
    ("torch.Tensor", "float"): (
        "不要用 .item()，直接返回张量",
        "return the tensor itself, without .item()",
    ),
    ("int", "torch.Tensor"): ("用 .item() 取出数", "take it out with .item()"),
    ("float", "torch.Tensor"): (
        "用 .item() 取出数",
        "take it out with .item()",
    ),
    ("int", "float"): (
        "用 // 而不是 /，或用 int(...)",
        "use // in place of /, or int(...)",
    ),
    ("bool", "torch.Tensor"): ("用 bool(...) 转换", "convert with bool(...)"),
    (None, "NoneType"): ("是否忘了 return？", "is a return missing?"),
    (None, "generator"): (
        "用 return 而不是 yield",
        "use return in place of yield",
    ),
    (None, "method"): (
        "是否忘了写括号 ()？",
        "are parentheses () missing?",
    ),
    (None, "builtin_function_or_method"): (
        "是否忘了写括号 ()？",
        "are parentheses () missing?",
    ),
}
# Relative and absolute tolerance; other dtypes must agree exactly.
_TOLERANCE = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1e-5, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex64: (1e-5, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}


# --- describing ------------------------------------------------------------


def type_name(value: Any) -> str:
    """`torch.Tensor`, `numpy.float64`, `int`, ...: what a student reads."""
    if isinstance(value, Tensor):  # a Parameter is one, too
        return "torch.Tensor"
    kind = tuple if isinstance(value, tuple) else type(value)
    inside = kind.__module__.partition(".")[0]
    return kind.__name__ if inside != "numpy" else f"numpy.{kind.__name__}"


def shorten(text: str, limit: int = 160) -> str:
    """The first line, without memory addresses, cut at `limit` letters."""
    line = (text.strip().splitlines() or [""])[0]
    # A digit before "0x" means sizes, as in "mat1 ... (120x10 and 20x30)".
    line = re.sub(r"(?<!\d)0x[0-9a-fA-F]+", "0x…", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def show(value: Any, digits: int = 6) -> str:
    """A short text of a value, the same in every run."""
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return shorten(str(value) if isinstance(value, torch.dtype) else
                   repr(value)).removeprefix("torch.")  # fmt: skip


def describe(value: Any) -> Sentence:
    """An argument of a case: its shape and dtype, or the value itself."""
    text = getattr(value, "label", None)
    if isinstance(value, Tensor):
        text = f"{tuple(value.shape)} {show(value.dtype)}"
        if not value.is_contiguous():
            return f"{text} 不连续", f"{text} not contiguous"
    elif isinstance(value, nn.Module) and not isinstance(text, str):
        text = shorten(" ".join(repr(value).split()), 80)
    elif callable(value) and not isinstance(text, str):
        text = getattr(value, "__name__", type_name(value))
    elif not isinstance(text, str):
        text = shorten(repr(value), 60)
    return text, text


# --- comparing -------------------------------------------------------------


def difference(got: Any, want: Any, where: str = "") -> Sentence | None:
    """How two values differ, in sentences without an end; None if not.

    Types, shapes and dtypes must be the same; floats agree within a
    tolerance (NaN equals NaN), all else exactly. Whether a tensor requires
    gradients, and its strides, do not count.
    """
    zh, en = (f"结果{where}：", f"result{where}: ") if where else ("", "")
    due, came = type_name(want), type_name(got)
    if due != came:
        hint = _HINTS.get((due, came)) or (
            None if where else _HINTS.get((None, came))
        )
        if came.startswith("numpy.") and due in ("int", "float", "bool"):
            hint = f"用 {due}(...) 转换", f"convert with {due}(...)"
        more = (f"：{hint[0]}", f": {hint[1]}") if hint else ("", "")
        return (
            f"{zh}应为 {due}，得到 {came}{more[0]}",
            f"{en}expected {due}, got {came}{more[1]}",
        )
    found: Sentence | None
    if isinstance(want, (tuple, list, dict)):
        keys, mine = _keys(want), _keys(got)
        if set(map(str, keys)) == set(map(str, mine)):
            return next(filter(None, (
                difference(got[k], want[k], f"{where}[{k!r}]") for k in keys
            )), None)  # fmt: skip
        if isinstance(want, dict):
            found = _pair("键", "keys", keys, mine)
        else:
            found = (
                f"应有 {len(keys)} 项，得到 {len(mine)} 项",
                f"expected length {len(keys)}, got {len(mine)}",
            )
    elif isinstance(want, np.ndarray) and want.dtype.kind in "biufc":
        found = _tensors(torch.as_tensor(got), torch.as_tensor(want))
    elif isinstance(want, Tensor):
        found = _tensors(got, want)
    elif isinstance(want, (float, complex)) and _near(got, want):
        found = None
    else:
        found = _pair("值", "value", want, got)
    return found and (zh + found[0], en + found[1])


def _keys(value: tuple | list | dict) -> list:
    return list(value) if isinstance(value, dict) else list(range(len(value)))


def _near(got: complex, want: complex) -> bool:
    return bool(np.isclose(got, want, 1e-5, 1e-8, equal_nan=True))


def _pair(zh: str, en: str, want: Any, got: Any) -> Sentence | None:
    if type(want) is type(got) and want == got:
        return None
    short = show(want), show(got)
    if short[0] == short[1]:
        short = show(want, 17), show(got, 17)
    return (
        f"{zh}应为 {short[0]}，得到 {short[1]}",
        f"expected {en} {short[0]}, got {short[1]}",
    )


def form(got: Tensor, want: Tensor) -> Sentence | None:
    """How shape, dtype or device differ."""
    return (
        _pair("形状", "shape", tuple(want.shape), tuple(got.shape))
        or _pair("dtype ", "dtype", want.dtype, got.dtype)
        or _pair("设备", "device", want.device.type, got.device.type)
    )


def plain(x: Tensor) -> Tensor:
    """The values alone: no graph, no subclass, no lazy conjugate."""
    x = x.detach().as_subclass(Tensor)
    return x.to_dense() if x.layout != torch.strided else x.resolve_conj()


def _close(got: Tensor, want: Tensor) -> Tensor:
    rtol, atol = _TOLERANCE.get(want.dtype, (0, 0))
    if not atol:
        return got == want
    return torch.isclose(got, want, rtol, atol, equal_nan=True)


def _tensors(got: Tensor, want: Tensor) -> Sentence | None:
    if found := form(got, want):
        return found
    got, want = plain(got), plain(want)
    wrong = ~_close(got, want)
    if not wrong.any():
        return None
    at = tuple(wrong.nonzero()[0].tolist())
    zh, en = _pair("", "", want[at].item(), got[at].item()) or ("", "")
    if not at:
        return f"值{zh}", en.replace("  ", " ")
    n, m, place = int(wrong.sum()), wrong.numel(), list(at)
    return (
        f"{m} 个元素中有 {n} 个不同，第一个在 {place}：{zh}",
        f"{n} of {m} elements differ, the first at {place}: "
        f"{en.replace('  ', ' ')}",
    )


# --- diagnosing ------------------------------------------------------------
# What a wrong result looks like, for mistakes that no exercise names. Each
# test says for one result what it sees; a sight that all wrong results share
# is told.


def diagnose(
    pairs: Sequence[tuple[Any, Any, dict[str, Any]]],
) -> Sentence | None:
    """What all wrong results have in common, or None.

    Args:
        pairs: for each wrong case what came, what was due, and the arguments
            of the case by their names.
    """
    where = ""
    while pairs and all(
        isinstance(want, (tuple, list)) and type(got) is type(want)
        and len(got) == len(want) for got, want, _ in pairs
    ):  # fmt: skip
        if where == "" and all(_swapped(got, want) for got, want, _ in pairs):
            return (
                "几个结果都对，次序不对。",
                "The results are right, in another order.",
            )
        odd = {i for got, want, _ in pairs for i in range(len(want))
               if difference(got[i], want[i])}  # fmt: skip
        if len(odd) != 1:
            return None
        (i,) = odd
        where += f"[{i}]"
        pairs = [(got[i], want[i], about) for got, want, about in pairs
                 if difference(got[i], want[i])]  # fmt: skip
    seen: list[dict[str, Sentence]] = []
    for got, want, about in pairs:
        try:
            a, b = _array(got), _array(want)
        except (TypeError, ValueError, RuntimeError):
            return None
        seen.append(dict(_sights(a, b, about)))
    if not seen:
        return None
    for key, (zh, en) in seen[0].items():
        if all(key in others for others in seen):
            start = (
                (f"结果{where}：", f"Result{where}: ") if where else ("", "")
            )
            return start[0] + zh, start[1] + en
    return None


def _swapped(got: Sequence, want: Sequence) -> bool:
    n = len(want)
    return 1 < n < 5 and any(
        not difference([got[(i + k) % n] for i in range(n)], list(want))
        for k in range(1, n)
    )


def _array(value: Any) -> Tensor:
    x = plain(value) if isinstance(value, Tensor) else torch.as_tensor(value)
    if x.is_complex() or x.is_quantized:
        raise TypeError
    return x


def _sights(
    got: Tensor, want: Tensor, about: dict[str, Any]
) -> Iterator[tuple[str, Sentence]]:
    """What is to be seen of a wrong result; likelier things first."""
    logical = want.dtype == torch.bool
    if logical and got.dtype == torch.bool and got.shape == want.shape:
        if bool((got != want).all()):
            yield (
                "not",
                ("True 和 False 反了。", "True and False are swapped."),
            )
        extra, missing = bool((got & ~want).any()), bool((want & ~got).any())
        if extra and not missing:
            yield (
                "more",
                (
                    "该是 True 的都是 True，但有的 False 也成了 True。",
                    "Everything that should be True is, but so is more.",
                ),
            )
        if missing and not extra:
            yield (
                "fewer",
                (
                    "你的 True 都对，但还缺一些。",
                    "What is True in your result is right, but some are missing.",
                ),
            )
    types = str(got.dtype)[6:], str(want.dtype)[6:]
    got, want = got.double(), want.double()

    def same(a: Tensor, b: Tensor) -> bool:
        return a.shape == b.shape and torch.allclose(
            a, b, 1e-4, 1e-6, equal_nan=True
        )

    if want.numel() == 0 or got.numel() == 0:
        return
    if same(got, want):
        yield (
            f"dtype {types}",
            (
                f"数都对，dtype 是 {types[0]}，应为 {types[1]}。",
                f"The numbers are right, but the dtype is {types[0]} and not "
                f"{types[1]}.",
            ),
        )
        return
    if got.isnan().any() and not want.isnan().any():
        yield "nan", ("结果里有 nan。", "The result holds nan.")
    elif got.isinf().any() and not want.isinf().any():
        yield "inf", ("结果里有 inf。", "The result holds inf.")
    if not want.isfinite().all() or not got.isfinite().all():
        return
    if got.numel() > 1 and not got.any() and want.any():
        yield "zeros", ("结果全是 0。", "The result is 0 everywhere.")
    for name, value in about.items():
        if (
            isinstance(value, Tensor)
            and value.dtype.is_floating_point
            and (same(got, plain(value).double()))
        ):
            yield (
                f"input {name}",
                (
                    f"返回的就是输入 {name}，没有改变。",
                    f"What you return is the input {name}, unchanged.",
                ),
            )
    yield from _layouts(got, want, same)
    if got.shape == want.shape:
        yield from _formulas(got, want, about, same)
        yield from _places(got, want)


def _layouts(
    got: Tensor, want: Tensor, same: Callable
) -> Iterator[tuple[str, Sentence]]:
    """The right numbers in another shape or order, or summed too far."""
    if got.ndim == want.ndim > 1:
        for i in range(want.ndim - 1):
            for j in range(i + 1, want.ndim):
                if same(got, want.transpose(i, j)):
                    yield (
                        f"axes {i} {j}",
                        (
                            f"数都对，轴 {i} 和轴 {j} 交换了。",
                            f"The numbers are right, but axes {i} and {j} are "
                            "swapped.",
                        ),
                    )
    if (
        got.numel() == want.numel()
        and got.shape != want.shape
        and (same(got.flatten(), want.flatten()))
    ):
        a, b = tuple(got.shape), tuple(want.shape)
        yield (
            "shape",
            (
                f"数都对，形状是 {a}，应为 {b}。",
                f"The numbers are right, but the shape is {a} and not {b}.",
            ),
        )
    if got.numel() == want.numel() > 1 and (
        same(got.flatten().sort().values, want.flatten().sort().values)
    ):
        yield (
            "order",
            (
                "数都对，但不在该在的位置上。",
                "The numbers are right, but not in their places.",
            ),
        )
    if got.ndim == want.ndim + 1:
        for i in range(got.ndim):
            for what, zh in (("sum", "求和"), ("mean", "求平均")):
                if same(getattr(got, what)(i), want):
                    yield (
                        f"{what} {i}",
                        (
                            f"结果多出轴 {i}：还应沿它{zh}。",
                            f"Axis {i} of your result is one too many: take the "
                            f"{what} over it.",
                        ),
                    )
    if want.ndim > got.ndim or got.numel() < want.numel():
        for i in range(want.ndim):
            for keep in (False, True):
                if same(got, want.sum(i, keep)) or (
                    same(got, want.mean(i, keep))
                ):
                    yield (
                        f"over {i}",
                        (
                            f"你还沿结果的轴 {i} 做了求和或求平均：这个轴应保留。",
                            f"You also summed or averaged over axis {i} of the "
                            "result: it should stay.",
                        ),
                    )
    if got.numel() > 1 and got.shape != want.shape and got.ndim == want.ndim:
        try:
            wide = torch.broadcast_to(want, got.shape)
        except RuntimeError:
            return
        if same(got, wide):
            yield (
                "stretched",
                (
                    "数都对，但沿某个轴重复了。",
                    "The numbers are right, but repeated along an axis.",
                ),
            )


def _formulas(
    got: Tensor, want: Tensor, about: dict[str, Any], same: Callable
) -> Iterator[tuple[str, Sentence]]:
    """The right numbers after one more, or one less, step of arithmetic."""
    big = want.abs() > 1e-6 * want.abs().max()
    if same(got, -want):
        yield (
            "sign",
            (
                "每个数的符号都反了。",
                "Every number has the wrong sign.",
            ),
        )
    elif same(got.abs(), want.abs()):
        yield (
            "some signs",
            (
                "数的大小都对，有的符号错了。",
                "The sizes of all numbers are right, some signs are wrong.",
            ),
        )
    if want.any():
        factor = (got[big] / want[big]).median().item()
        if same(got, factor * want) and factor:
            plain_number = show(round(factor, 6), 4)
            told = False
            for zh, en in _sizes_of(factor, about):
                told = True
                yield (
                    f"factor {en}",
                    (
                        f"每个数都是应有值的 {plain_number} 倍，正是 {zh}。",
                        f"Every number is {plain_number} times what it should "
                        f"be, which is {en}.",
                    ),
                )
            yield (
                f"factor {plain_number}",
                (
                    f"每个数都是应有值的 {plain_number} 倍。",
                    f"Every number is {plain_number} times what it should be.",
                ),
            )
            if not told or want.numel() > 1:
                yield (
                    "factor",
                    (
                        "所有的数都差同一个倍数，而这个倍数随输入而变（这里是 "
                        f"{plain_number}）：多了或少了一次除法或乘法。",
                        "All numbers are off by one factor, which depends on the "
                        f"input (here {plain_number}): a division or a product "
                        "too many, or missing.",
                    ),
                )
    step = (got - want).median().item()
    if abs(step) > 1e-6 and same(got, want + step):
        number = show(round(step, 6), 4)
        yield f"step {number}", (
            f"每个数都多了 {number}。" if step > 0 else
            f"每个数都少了 {number[1:]}。",
            f"Every number is too large by {number}." if step > 0 else
            f"Every number is too small by {number[1:]}.",
        )  # fmt: skip
        if want.numel() > 1:
            yield (
                "step",
                (
                    f"所有的数都差同一个加数，它随输入而变（这里是 {number}）。",
                    "All numbers are off by one summand, which depends on the "
                    f"input (here {number}).",
                ),
            )
    for key, f, zh, en in _STEPS:
        once = f(want)
        if once.isfinite().all() and same(got, once):
            yield key, (f"你多做了一步：{zh}。", f"One step too many: {en}.")
        back = f(got)
        if back.isfinite().all() and same(back, want):
            yield (
                f"no {key}",
                (
                    f"还少一步：{zh}。",
                    f"One step is missing: {en}.",
                ),
            )


_STEPS: tuple[tuple[str, Callable, str, str], ...] = (
    ("sqrt", torch.sqrt, "开平方", "the square root"),
    ("square", torch.square, "平方", "the square"),
    ("exp", torch.exp, "exp", "exp"),
    ("log", torch.log, "log", "log"),
    ("abs", torch.abs, "绝对值", "the absolute value"),
    ("1/", torch.reciprocal, "取倒数", "the reciprocal"),
    ("1-", lambda x: 1 - x, "1 减去它", "1 minus it"),
    ("relu", torch.relu, "ReLU", "ReLU"),
    ("sigmoid", torch.sigmoid, "sigmoid", "the sigmoid"),
    ("tanh", torch.tanh, "tanh", "tanh"),
    ("softmax", lambda x: x.softmax(-1) if x.ndim else x,
     "对最后一轴做 softmax", "softmax over the last axis"),
    ("centre", lambda x: x - x.mean(), "减去平均值", "minus the mean"),
)  # fmt: skip


def _sizes_of(factor: float, about: dict[str, Any]) -> Iterator[Sentence]:
    """Sizes of the inputs that a factor is made of."""
    for name, value in about.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, (int, float)):
            sizes = {name: value}
        elif isinstance(value, Tensor):
            sizes = {f"{name}.shape[{i}]": n
                     for i, n in enumerate(value.shape)}  # fmt: skip
            sizes[f"{name}.numel()"] = value.numel()
        else:
            continue
        for text, n in sizes.items():
            if abs(n) < 1.5:
                continue
            for said, number in (
                (text, n), (f"1 / {text}", 1 / n),
                (f"√{text}", math.sqrt(abs(n))),
                (f"1 / √{text}", 1 / math.sqrt(abs(n))),
            ):  # fmt: skip
                if math.isclose(factor, number, rel_tol=1e-4):
                    yield said, said


def _places(got: Tensor, want: Tensor) -> Iterator[tuple[str, Sentence]]:
    """Where along the axes a result is right."""
    wrong = ~torch.isclose(got, want, 1e-4, 1e-6, equal_nan=True)
    for axis in range(want.ndim):
        n = want.shape[axis]
        if n < 2:
            continue
        for shift in (1, -1):
            moved = want.roll(shift, axis)
            inner = slice(1, None) if shift == 1 else slice(None, -1)
            at = (slice(None),) * axis + (inner,)
            if n > 2 and torch.allclose(got[at], moved[at], 1e-4, 1e-6):
                late = shift == 1
                yield (
                    f"shift {axis} {shift}",
                    (
                        f"沿轴 {axis} 错开了一格：位置 i 上是位置 "
                        f"{'i − 1' if late else 'i + 1'} 的结果。",
                        f"Shifted by one along axis {axis}: at position i stands "
                        f"the result for position {'i − 1' if late else 'i + 1'}.",
                    ),
                )
        others = [d for d in range(want.ndim) if d != axis]
        bad = wrong.any(dim=tuple(others)) if others else wrong
        rows = bad.nonzero().flatten().tolist()
        for key, where, zh, en in (
            ("first right", list(range(1, n)), "只有第 0 个", "only index 0"),
            ("last right", list(range(n - 1)), "只有最后一个", "only the last index"),
            ("first wrong", [0], "除了第 0 个都", "all but index 0"),
            ("last wrong", [n - 1], "除了最后一个都", "all but the last index"),
        ):  # fmt: skip
            if rows == where:
                yield f"{key} {axis}", (
                    f"沿轴 {axis} 看，{zh}对。",
                    f"Along axis {axis}, {en} is right.",
                )  # fmt: skip
    if want.ndim >= 2 and want.shape[-1] == want.shape[-2] > 1:
        n = want.shape[-1]
        diagonal = torch.eye(n, dtype=torch.bool).expand_as(wrong)
        if bool((wrong == diagonal).all()):
            yield (
                "diagonal",
                (
                    "只有对角线不对。",
                    "Only the diagonal is wrong.",
                ),
            )
        if not bool((wrong & diagonal).any()):
            upper = torch.ones(n, n, dtype=torch.bool).triu(1)
            for key, part, zh, en in (
                ("upper", upper, "右上角", "upper right"),
                ("lower", upper.T, "左下角", "lower left"),
            ):
                if not bool((wrong & ~part.expand_as(wrong)).any()):
                    yield (
                        key,
                        (
                            f"只有{zh}（不含对角线）不对。",
                            f"Only the {en}, without the diagonal, is wrong.",
                        ),
                    )
