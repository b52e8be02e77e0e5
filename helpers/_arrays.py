"""What figures accept: tensors, arrays and lists become NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch


def as_array(x, name: str = "x") -> np.ndarray:
    """Turn anything that holds numbers into a NumPy array.

    Args:
        x: Tensor of any dtype and device, array, number or nested list.
        name: The argument's name, for the error.

    Returns:
        Array of the same shape: bool, integer or floating. Precision of
        16 bits or less becomes float32.

    Raises:
        TypeError: If `x` does not hold real numbers.
        ValueError: If `x` is empty, ragged or has no data (device `meta`).
    """
    if isinstance(x, torch.Tensor):
        if x.device.type == "meta":
            raise ValueError(f"{name} must hold data, got a 'meta' tensor")
        if x.layout is not torch.strided:
            x = x.to_dense()
        x = x.detach().cpu()
        if x.is_floating_point() and x.element_size() < 4:
            x = x.float()
        array = x.resolve_conj().resolve_neg().numpy()
    else:
        try:
            array = np.asarray(_plain(x, name))
        except ValueError as error:
            raise ValueError(
                f"{name} must be rectangular, with rows of one length"
            ) from error
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold real numbers (a tensor, an array, a list), "
            f"got {type(x).__name__} of {array.dtype}"
        )
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _plain(x, name: str):
    """Replace tensors inside lists by arrays."""
    if isinstance(x, torch.Tensor):
        return as_array(x, name)
    if isinstance(x, list | tuple):
        return [_plain(item, name) for item in x]
    return x


def as_labels(
    labels: Sequence | None, count: int, name: str
) -> list[str] | None:
    """Turn labels into strings and demand `count` of them.

    Raises:
        ValueError: If there are more or fewer than `count`.
        TypeError: If `labels` is a single number, or nothing to go through.
    """
    if labels is None:
        return None
    if isinstance(labels, torch.Tensor):
        labels = labels.tolist()
    if not isinstance(labels, Iterable):
        raise TypeError(
            f"{name} must hold {count} labels, got {type(labels).__name__}"
        )
    words = [str(label) for label in labels]
    if len(words) != count:
        raise ValueError(f"{name} must hold {count} labels, got {len(words)}")
    return words


def number_format(array: np.ndarray) -> Callable[[float], str]:
    """Return the function that writes one element of `array` briefly."""
    if array.dtype.kind == "b":
        return lambda value: "T" if value else "F"
    finite = array[np.isfinite(array)]
    whole = bool((finite == np.round(finite)).all())
    large = finite.size and np.abs(finite).max() >= 1e5

    def write(value) -> str:
        if np.isnan(value):
            return "nan"
        if np.isinf(value):
            return "inf" if value > 0 else "-inf"
        if large:
            return f"{value:.2g}"
        text = f"{value:.0f}" if whole else f"{value:.2f}"
        return text.lstrip("-") if float(text) == 0 else text

    return write
