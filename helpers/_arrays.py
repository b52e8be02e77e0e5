"""What figures accept and how its numbers look: text and colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.colors import Colormap, Normalize

BAD = "#D9D9D9"  # nan and infinite values


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
        ValueError: If `x` is empty or ragged.
    """
    try:
        array = np.asarray(_plain(x))
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


def _plain(x):
    """Replace tensors, also inside lists, by arrays."""
    if isinstance(x, torch.Tensor):
        small = x.is_floating_point() and x.element_size() < 4
        return (x.float() if small else x).numpy(force=True)
    return [_plain(item) for item in x] if isinstance(x, list | tuple) else x


def as_labels(
    labels: Sequence | None, count: int, name: str
) -> list[str] | None:
    """Turn labels into strings.

    Raises:
        ValueError: If there are more or fewer than `count`.
    """
    if isinstance(labels, torch.Tensor):
        labels = labels.tolist()
    words = None if labels is None else [str(label) for label in labels]
    if words and len(words) != count:
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
        if not np.isfinite(value):
            return str(float(value))  # nan, inf, -inf
        if large:
            return f"{value:.2g}"
        text = f"{value:.0f}" if whole else f"{value:.2f}"
        return text.lstrip("-") if float(text) == 0 else text

    return write


def scale(
    array: np.ndarray,
    signed: bool | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
) -> tuple[Normalize, Colormap]:
    """Choose colours: `RdBu_r` around zero if signed, `cividis` if not.

    Args:
        array: Any shape; nan and infinite values do not count.
        signed: None: whether there are negative values.
        limits: Lowest and highest value; None: from the values.
        cmap: A colour map in place of the two.
    """
    finite = array[np.isfinite(array)].astype(float)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if array.dtype.kind == "b":
        low, high = 0.0, 1.0
    if signed is None:
        signed = low < 0
    if limits is not None:
        low, high = limits
    elif signed:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    else:
        low = min(low, 0.0)
        high = high if high > low else low + 1.0
    chosen = cmap or ("RdBu_r" if signed else "cividis")
    return Normalize(low, high), mpl.colormaps[chosen].with_extremes(bad=BAD)


def ink(rgba) -> str:
    """Return the text colour, black or white, that shows on `rgba`."""
    red, green, blue = rgba[:3]
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
