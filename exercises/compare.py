"""How two values differ, in sentences.

A sentence is a pair of texts, in Chinese and in English.
"""

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Sentence = tuple[str, str]

_HAN = re.compile("[一-鿿]")
_CHINESE = re.compile("[一-鿿、。：；！？（），]")
_WIDE = re.compile("[一-鿿、-〗！-～“”…]")

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


# --- sentences in a text -----------------------------------------------------


def paragraphs(text: str) -> Iterator[tuple[list[str], str, str]]:
    """The paragraphs of a text: lines of code, 中文, English.

    Raises:
        ValueError: a paragraph does not have these three.
    """
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent(text)):
        lines = paragraph.strip("\n").split("\n")
        if not paragraph.strip():
            continue
        start = next((i for i, x in enumerate(lines) if _HAN.search(x)), 0)
        rest = range(start, len(lines))
        end = next((i for i in rest if not _CHINESE.search(lines[i])), 0)
        if not 0 < start < end:
            raise ValueError(
                "a paragraph must be code, then a sentence in Chinese, then "
                f"one in English; got {paragraph!r}"
            )
        zh = lines[start].strip()
        for line in map(str.strip, lines[start + 1 : end]):
            wide = [bool(_WIDE.match(c)) for c in (zh[-1], line[0])]
            han = [bool(_HAN.match(c)) for c in (zh[-1], line[0])]
            gap = not any(wide) or (wide != [True, True] and any(han))
            zh += " " * gap + line
        yield lines[:start], zh, " ".join(map(str.strip, lines[end:]))


# --- describing ------------------------------------------------------------


def type_name(value: Any) -> str:
    """`torch.Tensor`, `numpy.float64`, `int`, ...: what a student reads."""
    if isinstance(value, Tensor):  # a Parameter is one, too
        return "torch.Tensor"
    kind = type(value)
    for plain_kind in (tuple, dict):  # a named tuple is a tuple
        kind = plain_kind if isinstance(value, plain_kind) else kind
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


def tensors(value: Any) -> bool:
    """Whether it is a tuple of tensors, such as a cache."""
    return isinstance(value, tuple) and {*map(type, value)} == {Tensor}


def describe(value: Any) -> Sentence:
    """An argument of a case: its shape and dtype, or the value itself."""
    text = getattr(value, "label", None)
    if tensors(value):
        zh, en = zip(*map(describe, value), strict=True)
        return f"({'，'.join(zh)})", f"({', '.join(en)})"
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


def form(value: Any) -> Any:
    """What a value is beside its numbers: types, shapes and dtypes."""
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype
    if isinstance(value, (tuple, list)):
        return type_name(value), [form(part) for part in value]
    if isinstance(value, dict):
        return {key: form(part) for key, part in value.items()}
    return type_name(value)


def _forms(got: Tensor, want: Tensor) -> Sentence | None:
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
    if found := _forms(got, want):
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
