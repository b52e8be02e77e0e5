"""A sheet of images on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from ._arrays import as_array, as_labels
from ._scale import axes_inches, scale
from ._style import blank, own_axes


def images(
    x,
    *,
    labels: Sequence | None = None,
    cols: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
    width: float = 1,
    height: float = 1,
) -> Figure:
    """Draw a sheet of images, all on the same scale.

    Args:
        x: (H, W), (N, H, W) or (N, 1, H, W) grey, or (N, 3, H, W) colour:
            uint8 or float in [0, 1]. Grey floats outside of [0, 1] are
            scaled together, from the lowest to the highest.
        labels: N words, one above each image.
        cols: Images in a row; None fills the figure.
        ax: Axes to draw into; None makes a figure.
        title: Text above.
        signed: Whether zero is the middle (filters): `RdBu_r`.
        limits: Lowest and highest value of grey images (uint8 counts from
            0 to 1); None: from the values.
        cmap: Colour map in place of grey.
        width: Width of a new figure, in multiples of 5 inches.
        height: Height of a new figure, in multiples of 3.2 inches.

    Returns:
        The figure.

    Raises:
        ValueError: If the shape is another, colours are out of range or
            labels do not fit.
        TypeError: If `x` does not hold real numbers.
    """
    sheet = _stack(as_array(x))
    count, rows_high, cols_wide = sheet.shape[:3]
    words = as_labels(labels, count, "labels")
    if cols is not None and not (isinstance(cols, int) and cols > 0):
        raise ValueError(f"cols must be a positive int, got {cols!r}")
    fig, ax = own_axes(ax, width, height)
    gap = max(1, round(0.06 * max(rows_high, cols_wide)))
    head = gap + (round(0.3 * rows_high) if words else 0)
    if cols is None:
        wide, high = axes_inches(ax)
        ratio = wide * (rows_high + head) / (high * (cols_wide + gap))
        cols = max(1, min(count, math.ceil(math.sqrt(count * ratio))))
        cols = math.ceil(count / math.ceil(count / cols))
    lines = math.ceil(count / cols)
    shape = (lines * (rows_high + head), cols * (cols_wide + gap) - gap)
    canvas = np.full(shape + sheet.shape[3:], np.nan)
    longest = max(map(len, words)) if words else 1
    slot = 72 * axes_inches(ax)[0] / cols  # points
    font = min(10, slot / (0.6 * max(longest, 1)))
    for k in range(count):
        top = (k // cols) * (rows_high + head) + head
        left = (k % cols) * (cols_wide + gap)
        canvas[top : top + rows_high, left : left + cols_wide] = sheet[k]
        if words:
            ax.text(
                left + cols_wide / 2 - 0.5, top - 0.8, words[k],
                ha="center", va="bottom", fontsize=font,
            )  # fmt: skip
    if sheet.ndim == 4:
        canvas = np.where(np.isnan(canvas), 1.0, canvas)
        ax.imshow(canvas, vmin=0, vmax=1)
    else:
        norm, colormap = _grey(sheet, signed, limits, cmap)
        ax.imshow(canvas, norm=norm, cmap=colormap.with_extremes(bad="white"))
    blank(ax)
    if title is not None:
        ax.set_title(title)
    return fig


def _stack(array: np.ndarray) -> np.ndarray:
    """Return (N, H, W) grey or (N, H, W, 3) colour in [0, 1]."""
    shape = array.shape
    if array.ndim == 2:
        array = array[None]
    elif array.ndim == 4 and shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 4 and shape[1] == 3:
        array = array.transpose(0, 2, 3, 1)
    elif array.ndim != 3:
        raise ValueError(
            "x must be (H, W), (N, H, W), (N, 1, H, W) or (N, 3, H, W), "
            f"got shape {shape}"
        )
    if array.dtype == np.uint8:
        return array / 255
    array = array.astype(float)
    if array.ndim == 4 and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            "x must hold colours as uint8 or floats in [0, 1], got values "
            f"from {array.min():.3g} to {array.max():.3g}"
        )
    return array


def _grey(sheet, signed, limits, cmap) -> tuple[Normalize, Colormap]:
    """Choose the scale of grey images: [0, 1] if the values lie there."""
    if signed:
        return scale(sheet, True, limits, cmap)
    if limits is None:
        finite = sheet[np.isfinite(sheet)]
        low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
        inside = low >= 0 and high <= 1
        limits = (0, 1) if inside or low == high else (low, high)
    return scale(sheet, False, limits, cmap or "gray")
