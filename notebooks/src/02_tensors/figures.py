"""The figure of lesson 02: tensors of zero to four axes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import plots

SHEETS = 5  # drawn of a stack, at most
STACKS = 4  # drawn of a row of stacks, at most


def boxes(x, ax: Axes) -> Figure:
    """Draw a tensor as cells: a row, a grid, a stack, a row of stacks.

    Args:
        x: Tensor with at most 4 axes, the last two of at most 16. Of a stack
            five sheets are drawn, of a row of stacks four stacks.
        ax: Axes to draw into.

    Returns:
        The figure.
    """
    array = plots.as_array(x)
    shape = array.shape
    norm, colormap = plots.scale(array)
    write = plots.number_format(array)
    array = array.reshape((1,) * (4 - array.ndim) + shape)
    stacks, sheets = min(len(array), STACKS), min(array.shape[1], SHEETS)
    rows, cols = array.shape[2:]
    deep = 0.35 * (sheets - 1)
    step = cols + deep + 1.2
    points = plots.canvas(
        ax, stacks * step - 1.2, rows + deep + (0.9 if shape else 0)
    )
    for n, s in np.ndindex(stacks, sheets):
        sheet = array[n, sheets - 1 - s]  # the last sheet lies at the back
        words = [[write(v) for v in row] for row in sheet.tolist()]
        spot = (n * step + deep - 0.35 * s, 0.35 * s)
        front = words if s == sheets - 1 else None
        plots.cells(ax, *spot, colormap(norm(sheet)), front, points)
    ax.set_title(f"{len(shape)}-D\n{tuple(shape)}")
    low = rows + deep + 0.15
    more = " …" if shape and shape[0] > stacks else ""
    places = [
        (cols / 2, low, "center", "top"),
        (-0.2, deep + rows / 2, "right", "center"),
        (deep / 2 - 0.15, deep / 2 - 0.15, "right", "bottom"),
        (stacks * step - 1.2, low, "right", "top"),
    ]
    for k, size in enumerate(reversed(shape)):
        left, top, ha, va = places[k]
        text = f"× {size}{more}" if k == 3 else f"{size}"
        ax.text(left, top, text, ha=ha, va=va, fontsize=10, color=plots.GREY)
    return ax.figure
