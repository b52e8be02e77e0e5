"""The figures of lesson 02: tensors as cells, and cells as memory."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import plots

SHEETS = 5  # drawn of a stack, at most
STACKS = 4  # drawn of a row of stacks, at most


def side_by_side(digit, turned, scrambled) -> None:
    """Show (28, 20), and its (20, 28) by permute and by view."""
    fig, axes = plots.subplots(
        1, 3, width=1.5, height=0.8, width_ratios=[20, 28, 28]
    )
    titles = "digit", "digit.permute(1, 0)", "digit.view(20, 28)"
    for ax, x, title in zip(
        axes, (digit, turned, scrambled), titles, strict=True
    ):
        plots.images(x, ax=ax)
        ax.set_title(f"{title}\n{tuple(x.shape)}")
    plots.show(fig)


def memory(*tensors) -> None:
    """Show tensors one below the other, each above its strip of memory."""
    fig, axes = plots.subplots(len(tensors), 1, height=0.8 * len(tensors))
    for ax, x in zip(axes, tensors, strict=True):
        plots.memory(x, ax=ax)
    plots.show(fig)


def picked(scores, index, result) -> None:
    """Show what `scores.gather(1, index)` takes, (3, 5), (3, 2), (3, 2)."""
    fig, axes = plots.subplots(
        1, 3, width=1.6, height=0.8, width_ratios=[5, 2.4, 2.4]
    )
    outlined = [(i, j) for i, js in enumerate(index.tolist()) for j in js]
    plots.matrix(scores, ax=axes[0], title="scores", highlight=outlined)
    plots.matrix(index, ax=axes[1], title="index", limits=(0, 14))
    plots.matrix(result, ax=axes[2], title="result", limits=(0, 14))
    plots.show(fig)


class Cells:
    """A board that shows a tensor of memory cells, and their reading order.

    Args:
        count: How many cells there are; a tensor shown holds 0 to count - 1.
    """

    def __init__(self, count: int) -> None:
        self.fig, (grid, strip) = plots.subplots(
            2, 1, height=0.8, height_ratios=[4, 1]
        )
        spots = range(count)
        self.squares = grid.scatter(spots, spots, c=spots, marker="s", s=300)
        self.band = strip.imshow([[*spots]], aspect="auto")
        look = {"ha": "center", "va": "center", "fontsize": 9}
        self.above = [grid.text(0, 0, "", **look) for _ in spots]
        self.below = [strip.text(n, 0, "", **look) for n in spots]
        strip.set(xticks=[], yticks=[], xlabel="memory cells in reading order")
        grid.set(xlim=(-1, 16), ylim=(3.6, -0.6), aspect="equal")
        grid.set_axis_off()
        self.grid = grid

    def show(self, t: torch.Tensor, title: str) -> Figure:
        """Draw t: (n, n, n) int, and return the figure."""
        spots = torch.arange(t.numel())
        i, j, k = torch.unravel_index(spots, t.shape)
        places = torch.stack([i * (t.shape[2] + 0.6) + k, j], dim=1).numpy()
        read = t.flatten().numpy()
        self.squares.set(offsets=places, array=read)
        self.band.set_data(read[None])
        for n, cell in enumerate(read.tolist()):
            color = "white" if cell < 14 else "black"
            place = places[n].tolist()
            self.above[n].set(text=cell, position=place, color=color)
            self.below[n].set(text=cell, color=color)
        self.grid.set_title(title)
        return self.fig


def boxes(*tensors) -> None:
    """Show tensors of 0 to 4 axes, one beside the other."""
    fig, axes = plots.subplots(
        1, len(tensors), width=2, height=0.8, width_ratios=[1, 2, 2, 4, 8]
    )
    for ax, x in zip(axes, tensors, strict=True):
        box(x, ax)
    plots.show(fig)


def box(x, ax: Axes) -> Figure:
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
