"""Figures of numbers: a matrix with its numbers, a sheet of images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ._arrays import as_array, as_labels, number_format
from ._style import COLORS, blank, own_axes

SMALLEST = 6.5  # points: below it, numbers are left out
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
    """
    finite = array[np.isfinite(array)].astype(float)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if array.dtype.kind == "b":
        low, high = 0.0, 1.0
    if signed is None:
        signed = low < 0
    if limits is not None:
        low, high = limits
        if not low < high:
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


def matrix(
    x,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    rows: Sequence | None = None,
    cols: Sequence | None = None,
    fmt: str | Callable | None = None,
    highlight=None,
    cmap: str | None = None,
    signed: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw a matrix with its numbers in the cells.

    Numbers are written while they are readable; a larger matrix gets a
    colour bar instead.

    Args:
        x: (), (N,) or (M, N) tensor, array or list; a vector is one row.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        title: Text above.
        rows: M labels on the left; None numbers the rows.
        cols: N labels at the top; None numbers the columns.
        fmt: How a number is written, `".1f"` or a function of the number.
        highlight: What gets an outline: `(1, 2)` a cell, `(1, None)` a
            row, `(None, 2)` a column, slices for a block; or a list.
        cmap: Colour map; None takes `RdBu_r` centred at zero if signed,
            otherwise `cividis`.
        signed: Whether zero is the middle; None looks for negative values.
        limits: Lowest and highest value of the colours.

    Returns:
        The figure.

    Raises:
        ValueError: If `x` has more than two axes, or labels or highlights
            do not fit it.
        TypeError: If `x` does not hold real numbers.
    """
    array = as_array(x)
    if array.ndim > 2:
        raise ValueError(
            f"x must have at most 2 axes, got shape {array.shape}"
        )
    array = np.atleast_2d(array)
    names = [
        as_labels(labels, count, name)
        for labels, count, name in zip(
            (rows, cols), array.shape, ("rows", "cols"), strict=True
        )
    ]
    outlines = _outlines(highlight, array.shape)
    norm, colormap = scale(array, signed, limits, cmap)
    fig, ax = own_axes(ax)
    shown = np.ma.masked_invalid(array.astype(float))
    image = ax.imshow(shown, cmap=colormap, norm=norm, aspect="equal")
    numbers = _numbers(ax, array, colormap(norm(shown)), fmt)
    if not numbers:
        fig.colorbar(image, ax=ax)
    _ticks(ax, array.shape, names, numbers)
    for left, top, width, height in outlines:
        ax.add_patch(
            Rectangle(
                (left, top), width, height, fill=False, linewidth=3.5,
                edgecolor=COLORS["vermillion"], clip_on=False, zorder=3,
            )
        )  # fmt: skip
    if title is not None:
        ax.set_title(title)
    return fig


def _numbers(ax: Axes, array: np.ndarray, colors, fmt) -> bool:
    """Write the numbers if they fit; say whether they do."""
    if array.size > 400:
        return False
    if isinstance(fmt, str):
        words = [[format(v, fmt) for v in row] for row in array.tolist()]
    else:
        write = fmt or number_format(array)
        words = [[write(v) for v in row] for row in array.tolist()]
    width, height = axes_inches(ax)
    cell = 72 * min(width / array.shape[1], height / array.shape[0])
    longest = max(len(word) for row in words for word in row)
    size = min(13, cell * 0.45, cell * 0.9 / (0.62 * max(longest, 1)))
    if size < SMALLEST:
        return False
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            ax.text(
                j, i, word, ha="center", va="center", fontsize=size,
                color=ink(colors[i, j]),
            )  # fmt: skip
    return True


def _ticks(ax: Axes, shape, names, numbers: bool) -> None:
    """Label rows and columns; numbered where there are no labels."""
    ax.spines[:].set_visible(False)
    ax.tick_params(
        length=0, top=False, bottom=False, labeltop=True, labelbottom=False
    )
    ax.tick_params(which="minor", length=0)
    for axis, count, words in zip(
        (ax.yaxis, ax.xaxis), shape, names, strict=True
    ):
        if words is not None:
            axis.set_ticks(range(count), words)
        elif numbers:
            axis.set_ticks(range(count))
            axis.set_tick_params(labelcolor="#767676")
        if numbers:
            axis.set_ticks(np.arange(count + 1) - 0.5, minor=True)
    if numbers:
        ax.grid(which="minor", color="white", linewidth=1.5, alpha=1)


def _outlines(highlight, shape) -> list[tuple[float, float, int, int]]:
    """Turn highlights into rectangles (left, top, width, height)."""
    if highlight is None:
        return []
    items = [highlight] if isinstance(highlight, tuple) else highlight
    boxes = []
    for item in items:
        try:
            i, j = item
            spans = [
                range(n)[k if isinstance(k, slice) else slice(None)]
                if k is None or isinstance(k, slice)
                else [range(n)[k]]
                for k, n in zip((i, j), shape, strict=True)
            ]
            top, left = spans[0][0], spans[1][0]
        except (TypeError, ValueError, IndexError):
            raise ValueError(
                "highlight must hold (row, column) inside shape "
                f"{tuple(shape)}, None or a slice for many, got {item!r}"
            ) from None
        boxes.append((left - 0.5, top - 0.5, len(spans[1]), len(spans[0])))
    return boxes


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
        limits: Lowest and highest value; None: from the values.
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
    lines = math.ceil(count / cols)
    shape = (lines * (rows_high + head), cols * (cols_wide + gap) - gap)
    canvas = np.full(shape + sheet.shape[3:], np.nan)
    for k in range(count):
        top = (k // cols) * (rows_high + head) + head
        left = (k % cols) * (cols_wide + gap)
        canvas[top : top + rows_high, left : left + cols_wide] = sheet[k]
        if words:
            ax.text(
                left + cols_wide / 2 - 0.5, top - 0.8, words[k],
                ha="center", va="bottom", fontsize=10,
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
    if array.ndim != 3 and not (array.ndim == 4 and array.shape[3] == 3):
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
        low, high = np.nanmin(sheet), np.nanmax(sheet)
        inside = low >= 0 and high <= 1
        limits = (0, 1) if inside or low == high else (low, high)
    return scale(sheet, False, limits, cmap or "gray")
