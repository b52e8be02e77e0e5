"""Pictures of tensors: their axes, and how they lie in memory."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ._arrays import as_array, number_format
from ._grids import axes_inches, ink, scale
from ._style import blank, own_axes

SHEETS = 5  # drawn of a stack, at most
STACKS = 4  # drawn of a row of stacks, at most
GREY = "#595959"


def canvas(ax: Axes, width: float, height: float) -> float:
    """Prepare an axes for a drawing; y points down. Points per unit."""
    ax.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1))
    ax.set_aspect("equal")
    blank(ax)
    wide, high = axes_inches(ax)
    return 72 * min(wide / (width + 0.2), high / (height + 0.2))


def cells(ax: Axes, left, top, colors, words=None, points=0.0, size=1.0):
    """Draw a grid of cells; (M, N, 4) colours, (M, N) words or None."""
    rows, cols = len(colors), len(colors[0])
    patches = [
        Rectangle((left + j * size, top + i * size), size, size)
        for i in range(rows)
        for j in range(cols)
    ]
    edges = 1.2 if max(rows, cols) <= 16 else 0
    flat = [colors[i][j] for i in range(rows) for j in range(cols)]
    ax.add_collection(
        PatchCollection(
            patches, facecolors=flat, edgecolors="white", linewidths=edges
        )
    )
    ax.add_patch(
        Rectangle((left, top), cols * size, rows * size, fill=False, lw=1.2)
    )
    if words is None:
        return
    longest = max(len(word) for row in words for word in row)
    font = min(13, points * size * min(0.5, 1.4 / max(longest, 1)))
    if font < 6:
        return
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            ax.text(
                left + (j + 0.5) * size, top + (i + 0.5) * size, word,
                ha="center", va="center", fontsize=font,
                color=ink(colors[i][j]),
            )  # fmt: skip


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
            colors = colormap(norm(sheet.astype(float)))
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


def memory(x, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw the storage of a tensor, and how the tensor reads it.

    At the top lies the storage, one cell after the other, numbered and
    coloured from its first to its last element; cells that the tensor
    never reads are pale. Below lies the tensor: each cell has the colour
    of the element that it reads, element
    `offset + i * stride[0] + j * stride[1] + ...`; the arrows say how far
    one step along an axis goes in the storage.

    Args:
        x: Tensor of at most 3 axes whose storage has at most 32 elements;
            views keep their strides. Arrays and lists are converted.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        title: Text above; None writes shape, stride and offset.

    Returns:
        The figure.

    Raises:
        ValueError: If `x` has more axes, a larger storage or no elements.
        TypeError: If `x` does not hold real numbers.
    """
    as_array(x)  # refuses what holds no numbers
    if not isinstance(x, torch.Tensor):
        x = torch.as_tensor(x)
    x = x.detach().cpu()
    count = x.untyped_storage().nbytes() // x.element_size()
    if x.ndim > 3 or count > 32:
        raise ValueError(
            "x must have at most 3 axes and a storage of at most 32 "
            f"elements, got shape {tuple(x.shape)} over {count} elements"
        )
    flat = as_array(x.as_strided((count,), (1,), 0))
    where = torch.arange(count).as_strided(
        x.shape, x.stride(), x.storage_offset()
    )
    norm, colormap = scale(np.arange(count))
    colors = colormap(norm(np.arange(count)))
    write = number_format(flat)
    fig, ax = own_axes(ax)
    blocks = where.reshape((1,) * (3 - x.ndim) + tuple(x.shape)).numpy()
    wide = len(blocks) * (blocks.shape[2] + 0.8) - 0.8
    width = max(count, wide + 1.6)
    points = canvas(ax, width, 3.3 + blocks.shape[1])
    _storage(ax, (width - count) / 2, colors, flat, where, write, points)
    left = (width - wide) / 2
    for n, block in enumerate(blocks):
        words = [[write(flat[k]) for k in row] for row in block]
        spot = left + n * (block.shape[1] + 0.8)
        cells(ax, spot, 3.1, colors[block], words, points)
    _strides(ax, x, left, blocks.shape)
    if title is None:
        title = (
            f"shape {tuple(x.shape)}, stride {tuple(x.stride())}, "
            f"offset {x.storage_offset()}"
        )
    ax.set_title(title)
    return fig


def _storage(ax, left, colors, flat, where, write, points) -> None:
    """Draw the flat storage, pale where it is never read."""
    read = np.isin(np.arange(len(flat)), where.numpy())
    pale = np.where(read[:, None], colors, 0.12 * colors + 0.88)
    words = [[write(v) for v in flat]]
    cells(ax, left, 0, [pale], words, points)
    size = min(9, 0.42 * points)
    if size >= 4.5:
        for k in range(len(flat)):
            ax.text(
                left + k + 0.5, 1.12, f"{k}", ha="center", va="top",
                fontsize=size, color=GREY,
            )  # fmt: skip


def _strides(ax, x, left, shape) -> None:
    """Draw an arrow along each axis with its stride."""
    _, rows, cols = shape
    arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.5}
    style = {"fontsize": 10, "color": GREY}
    strides = [f"+{step}" for step in x.stride()]
    if x.ndim >= 1 and x.shape[-1] > 1:
        ax.annotate(
            "", (left + min(cols, 2), 2.85), (left, 2.85), arrowprops=arrow
        )
        ax.text(left, 2.7, strides[-1], va="bottom", **style)
    if x.ndim >= 2 and x.shape[-2] > 1:
        ax.annotate(
            "", (left - 0.25, 3.1 + min(rows, 2)), (left - 0.25, 3.1),
            arrowprops=arrow,
        )  # fmt: skip
        ax.text(left - 0.4, 3.6, strides[-2], ha="right", **style)
    if x.ndim == 3 and x.shape[0] > 1:
        spot = left + cols + 0.8
        ax.annotate("", (spot + 0.3, 2.85), (left + cols * 0.8, 2.85),
                    arrowprops=arrow)  # fmt: skip
        ax.text(spot, 2.7, strides[0], va="bottom", ha="center", **style)
