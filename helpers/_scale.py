"""Colours for numbers, and the room that an axes has."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

BAD = "#D9D9D9"  # nan and infinite values


def scale(
    array: np.ndarray,
    signed: bool | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str | Colormap | None = None,
) -> tuple[Normalize, Colormap]:
    """Choose colours: `RdBu_r` around zero if signed, `cividis` if not.

    Args:
        array: Any shape; nan and infinite values do not count.
        signed: None: whether there are negative values.
        limits: Lowest and highest value; None: from the values.
        cmap: A colour map in place of the two.

    Raises:
        ValueError: If `limits` is not a low and a higher number.
    """
    finite = array[np.isfinite(array)].astype(float)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if array.dtype.kind == "b":
        low, high = 0.0, 1.0
    if signed is None:
        signed = low < 0
    if limits is not None:
        try:
            low, high = limits
            rising = low < high
        except (TypeError, ValueError):
            rising = False
        if not rising:
            raise ValueError(f"limits must be (low, high), got {limits!r}")
    elif signed:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    else:
        low = min(low, 0.0)
        high = high if high > low else low + 1.0
    chosen = cmap or ("RdBu_r" if signed else "cividis")
    colormap = mpl.colormaps.get_cmap(chosen).with_extremes(bad=BAD)
    return Normalize(low, high), colormap


def ink(rgba) -> str:
    """Return the text colour, black or white, that shows on `rgba`."""
    red, green, blue = rgba[:3]
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def axes_inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the place that an axes has in its figure."""
    box, size = ax.get_position(original=True), ax.figure.get_size_inches()
    return box.width * size[0], box.height * size[1]
