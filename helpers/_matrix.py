"""A matrix with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ._arrays import as_array, as_labels, number_format
from ._scale import axes_inches, ink, scale
from ._style import COLORS, own_axes

SMALLEST = 6.5  # points: below it, numbers are left out


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
            row, `(None, 2)` a column, slices without a step for a block;
            or a list.
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
    one_row, scalar = array.ndim < 2, array.ndim == 0
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
    if one_row and rows is None:
        ax.tick_params(labelleft=False)
    if scalar and cols is None:
        ax.tick_params(labeltop=False)
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
    many = isinstance(highlight, list)
    items = highlight if many else [highlight]
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
            if any(span.step != 1 for span in spans if len(span) > 1):
                raise ValueError
        except (TypeError, ValueError, IndexError):
            raise ValueError(
                "highlight must hold (row, column) inside shape "
                f"{tuple(shape)}, None or a slice (no step) for many, got "
                f"{item!r}"
            ) from None
        boxes.append((left - 0.5, top - 0.5, len(spans[1]), len(spans[0])))
    return boxes
