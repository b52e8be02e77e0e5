"""Compares results exactly and says in both languages how they differ."""

import math
from typing import Any

import numpy as np
import torch

from .values import Sentence, kind_of, plain, show, type_name

# Relative and absolute tolerance by dtype; other dtypes must agree exactly.
_TOLERANCE = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}

_HINTS = {
    ("torch.Tensor", "numpy.ndarray"): (
        "用 torch.from_numpy(...) 转换，或一直使用 torch 的函数",
        "convert it with torch.from_numpy(...), or stay within torch",
    ),
    ("numpy.ndarray", "torch.Tensor"): (
        "用 .numpy() 转换",
        "convert it with .numpy()",
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
}
_ANY_HINTS = {
    "NoneType": ("是否忘了 return？", "is a return missing?"),
    "generator": (
        "用 return 而不是 yield",
        "use return in place of yield",
    ),
    "coroutine": (
        "用 def 而不是 async def",
        "use def in place of async def",
    ),
    "builtin_function_or_method": (
        "是否忘了写括号 ()？",
        "are parentheses () missing?",
    ),
    "method": ("是否忘了写括号 ()？", "are parentheses () missing?"),
    "function": ("是否忘了写括号 ()？", "are parentheses () missing?"),
}


def difference(got: Any, expected: Any, where: str = "") -> Sentence | None:
    """How `got` differs from `expected`; None where it does not.

    Types, shapes and dtypes must be the same; floating-point values agree
    within a tolerance (NaN equals NaN), all others exactly. `requires_grad`
    and strides do not count, and a subclass of Tensor counts as a Tensor.
    """
    at_zh, at_en = "", ""
    if where:
        at_zh, at_en = f"结果{where}：", f"result{where}: "
    if kind_of(got) is not kind_of(expected):
        return _type_difference(got, expected, at_zh, at_en)
    if isinstance(expected, torch.Tensor):
        found = _tensor_difference(got, expected)
    elif isinstance(expected, np.ndarray):
        found = _array_difference(got, expected)
    elif isinstance(expected, (tuple, list)):
        if len(got) == len(expected):
            pairs = enumerate(zip(got, expected, strict=True))
            return _first(((f"{where}[{i}]", *pair) for i, pair in pairs))
        found = (
            f"应有 {len(expected)} 项，得到 {len(got)} 项",
            f"expected length {len(expected)}, got {len(got)}",
        )
    elif isinstance(expected, dict):
        if set(map(_key, got)) == set(map(_key, expected)):
            return _first(
                (f"{where}[{k!r}]", got[k], expected[k]) for k in expected
            )
        found = _pair("键", "keys", list(expected), list(got), same=False)
    elif isinstance(expected, (float, complex)):
        found = _pair("值", "value", expected, got, same=_near(got, expected))
    else:
        found = _pair("值", "value", expected, got, same=got == expected)
    return found and (at_zh + found[0], at_en + found[1])


def _key(key: Any) -> Any:
    return (type(key), key)


def _near(got: complex, expected: complex) -> bool:
    if got != got or expected != expected:
        return got != got and expected != expected
    if got == expected:
        return True
    gap = abs(got - expected)
    return math.isfinite(gap) and gap <= 1e-8 + 1e-5 * abs(expected)


def _first(triples: Any) -> Sentence | None:
    for where, got, expected in triples:
        found = difference(got, expected, where)
        if found:
            return found
    return None


def _pair(
    zh: str, en: str, expected: Any, got: Any, same: bool
) -> Sentence | None:
    if same:
        return None
    want, have = _shown(expected, got)
    return f"{zh}应为 {want}，得到 {have}", f"expected {en} {want}, got {have}"


def _shown(expected: Any, got: Any) -> tuple[str, str]:
    """Both in short; with all digits where six do not tell them apart."""
    short = show(expected), show(got)
    if short[0] != short[1]:
        return short
    return show(expected, 17), show(got, 17)


def _type_difference(
    got: Any, expected: Any, at_zh: str, at_en: str
) -> Sentence:
    want, have = type_name(expected), type_name(got)
    hint = _HINTS.get((want, have)) or _ANY_HINTS.get(have)
    if have == "NoneType" and at_en:  # inside of what was returned
        hint = None
    if have.startswith("numpy.") and want in ("int", "float", "bool"):
        hint = f"用 {want}(...) 转换", f"convert with {want}(...)"
    zh = f"{at_zh}应为 {want}，得到 {have}"
    en = f"{at_en}expected {want}, got {have}"
    return (f"{zh}：{hint[0]}", f"{en}: {hint[1]}") if hint else (zh, en)


def _tensor_difference(
    got: torch.Tensor, expected: torch.Tensor
) -> Sentence | None:
    for zh, en, read in (
        ("形状", "shape", lambda t: tuple(t.shape)),
        ("dtype ", "dtype", lambda t: t.dtype),
        ("设备", "device", lambda t: t.device.type),
        ("布局", "layout", lambda t: t.layout),
    ):
        found = _pair(
            zh, en, read(expected), read(got), read(got) == read(expected)
        )
        if found:
            return found
    got, expected = plain(got).to_dense(), plain(expected).to_dense()
    rtol, atol = _TOLERANCE.get(expected.dtype, (0, 0))
    close = torch.isclose(got, expected, rtol, atol, equal_nan=True)
    if close.all():
        return None
    return _first_element(got, expected, (~close).cpu().numpy())


def _array_difference(
    got: np.ndarray, expected: np.ndarray
) -> Sentence | None:
    found = _pair(
        "形状", "shape", expected.shape, got.shape, got.shape == expected.shape
    ) or _pair(
        "dtype ",
        "dtype",
        expected.dtype,
        got.dtype,
        got.dtype == expected.dtype,
    )
    if found:
        return found
    if expected.dtype.kind in "fc":
        wrong = ~np.isclose(got, expected, 1e-6, 1e-6, equal_nan=True)
    else:
        wrong = np.asarray(got != expected)
    return _first_element(got, expected, wrong) if wrong.any() else None


def _first_element(got: Any, expected: Any, wrong: np.ndarray) -> Sentence:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    want, have = _shown(expected[index].item(), got[index].item())
    if not index:
        return f"值应为 {want}，得到 {have}", f"expected {want}, got {have}"
    place = f"[{', '.join(map(str, index))}]"
    count, total = int(wrong.sum()), wrong.size
    return (
        f"{total} 个元素中有 {count} 个不同，第一个在 {place}："
        f"应为 {want}，得到 {have}",
        f"{count} of {total} elements differ, the first at {place}: "
        f"expected {want}, got {have}",
    )
