"""A tensor as cells: a row, a grid, a stack, a row of stacks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ._arrays import as_array, number_format
from ._cells import GREY, canvas, cells
from ._scale import scale
from ._style import own_axes

SHEETS = 5  # drawn of a stack, at most
STACKS = 4  # drawn of a row of stacks, at most


def boxes(x, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw a tensor as cells: a row, a grid, a stack, a row of stacks.

    Args:
        x: Tensor, array or list with at most 4 axes, of at most 64 each.
            Of a stack five sheets are drawn, of a row of stacks four
            stacks.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        title: Text above; None writes the number of axes and the shape.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more axes or longer ones.
        TypeError: If `x` does not hold real numbers.
    """
    array = as_array(x)
    shape = array.shape
    if array.ndim > 4 or max(shape, default=1) > 64:
        raise ValueError(
            "x must have at most 4 axes of at most 64 elements, got shape "
            f"{shape}"
        )
    norm, colormap = scale(array)
    write = number_format(array)
    array = array.reshape((1,) * (4 - array.ndim) + shape)
    stacks, sheets = min(len(array), STACKS), min(array.shape[1], SHEETS)
    rows, cols = array.shape[2:]
    shift = 0.35 if max(rows, cols) <= 16 else 0.08 * max(rows, cols)
    deep = shift * (sheets - 1)
    step = cols + deep + 1.2
    fig, ax = own_axes(ax)
    points = canvas(
        ax, stacks * step - 1.2, rows + deep + (0.9 if shape else 0)
    )
    for n in range(stacks):
        for s in reversed(range(sheets)):
            sheet = array[n, s]
            words = [[write(v) for v in row] for row in sheet.tolist()]
            shown = np.ma.masked_invalid(sheet.astype(float))
            colors = colormap(norm(shown))
            left, top = n * step + s * shift, deep - s * shift
            cells(ax, left, top, colors, words if s == 0 else None, points)
    if title is None:
        title = f"{len(shape)}-D\n{tuple(shape)}"
    ax.set_title(title)
    if shape:
        _sizes(ax, shape, (rows, cols, deep, step, stacks))
    return fig


def _sizes(ax: Axes, shape, place) -> None:
    """Write the size of each axis beside it."""
    rows, cols, deep, step, stacks = place
    style = {"fontsize": 10, "color": GREY}
    low = rows + deep + 0.15
    ax.text(cols / 2, low, f"{shape[-1]}", ha="center", va="top", **style)
    if len(shape) > 1:
        ax.text(
            -0.2, deep + rows / 2, f"{shape[-2]}", ha="right", va="center",
            **style,
        )  # fmt: skip
    if len(shape) > 2:
        ax.text(
            deep / 2 - 0.15, deep / 2 - 0.15, f"{shape[-3]}", ha="right",
            va="bottom", **style,
        )  # fmt: skip
    if len(shape) > 3:
        more = " …" if shape[0] > stacks else ""
        ax.text(
            stacks * step - 1.2, low, f"× {shape[0]}{more}", ha="right",
            va="top", **style,
        )  # fmt: skip
