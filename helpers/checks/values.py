"""Looks at values: names, copies, changes in place, short descriptions."""

import re
from typing import Any

import numpy as np
import torch
from torch import nn

Sentence = tuple[str, str]

_LARGE = 10_000_000  # elements; larger results are not copied


def type_name(value: Any) -> str:
    """`torch.Tensor`, `numpy.ndarray`, `int`, ...: what a student reads."""
    kind = kind_of(value)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__name__
    if kind is torch.Tensor:
        return "torch.Tensor"
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def kind_of(value: Any) -> type:
    """The type that counts: subclasses of Tensor and tuple count as such."""
    for kind in (torch.Tensor, tuple):
        if issubclass(type(value), kind):
            return kind
    return type(value)


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor's values alone: no subclass, no graph, no lazy bits."""
    with torch._C.DisableTorchFunctionSubclass():
        if tensor.layout is not torch.strided:
            return tensor.detach()
        bare = torch.Tensor.as_subclass(tensor, torch.Tensor).detach()
        return bare.resolve_conj().resolve_neg()


def snapshot(value: Any) -> Any:
    """A copy that later calls of the same code cannot change."""
    if kind_of(value) is torch.Tensor:
        value = plain(value)
        small = value.numel() <= _LARGE and value.layout is torch.strided
        return value.clone() if small else value
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= _LARGE else value
    if isinstance(value, tuple):
        return tuple(snapshot(v) for v in tuple.__iter__(value))
    if type(value) is list:
        return [snapshot(v) for v in value]
    if type(value) is dict:
        return {k: snapshot(v) for k, v in value.items()}
    return value


def altered(after: Any, before: Any) -> bool:
    """Whether an argument was changed in place; modules by their state."""
    if type(after) is not type(before):
        return True
    if isinstance(before, nn.Module):
        return altered(dict(after.state_dict()), dict(before.state_dict()))
    if isinstance(before, torch.Tensor):
        for read in (
            torch.Tensor.size,
            torch.Tensor.stride,
            lambda t: (t.dtype, t.requires_grad),
        ):
            if read(after) != read(before):
                return True
        a, b = plain(after), plain(before)
        return not bool(((a == b) | ((a != a) & (b != b))).all())
    if isinstance(before, np.ndarray):
        return not _same_array(after, before)
    if isinstance(before, dict):
        return list(after) != list(before) or any(
            altered(after[k], before[k]) for k in before
        )
    if isinstance(before, (list, tuple)):
        return len(after) != len(before) or any(map(altered, after, before))
    if isinstance(before, (int, float, complex, str, bytes)):
        return after != before and after == after
    return False


def _same_array(a: np.ndarray, b: np.ndarray) -> bool:
    same = a.shape == b.shape and a.dtype == b.dtype
    return same and np.array_equal(a, b, equal_nan=b.dtype.kind in "fc")


def show(value: Any, digits: int = 6) -> str:
    """A short text of a value, the same in every run."""
    if type(value) is float:
        return f"{value:.{digits}g}"
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    return shorten(repr(value))


def shorten(text: str, limit: int = 160) -> str:
    """The first line, without memory addresses, cut at `limit` characters."""
    line = (text.strip().splitlines() or [""])[0]
    # A digit before "0x" means sizes, as in "mat1 ... (120x10 and 20x30)".
    line = re.sub(r"(?<!\d)0x[0-9a-fA-F]+", "0x…", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def describe(value: Any) -> Sentence:
    """An argument of a case: its shape and dtype, or the value itself."""
    if isinstance(value, torch.Tensor):
        text = f"{tuple(value.shape)} {show(value.dtype)}"
        if value.is_contiguous():
            return text, text
        return f"{text} 不连续", f"{text} not contiguous"
    if isinstance(value, np.ndarray):
        text = f"{value.shape} {value.dtype}"
    elif value is None or isinstance(value, (int, float, str, tuple, list)):
        text = shorten(repr(value), 40)
    else:
        text = type_name(value)
    return text, text
