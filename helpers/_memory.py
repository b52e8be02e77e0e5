"""A tensor and its storage: what strides and offsets read."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ._arrays import as_array, number_format
from ._cells import GREY, canvas, cells
from ._scale import scale
from ._style import own_axes


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
    array = as_array(x)  # refuses what holds no numbers
    if isinstance(x, torch.Tensor):
        x = x.detach()  # on its device: a copy would have its own strides
    else:
        x = torch.as_tensor(x if isinstance(x, np.ndarray) else array)
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
    many, rows, cols = blocks.shape
    gaps = 0.8 * (many - 1)
    lines = 1 if count <= 16 else 2
    per_line = -(-count // lines)
    top = 1.5 * lines + 1.4  # where the tensor begins
    room = (
        (per_line - gaps - 2) / (many * cols),
        (0.62 * per_line - top) / rows,
    )
    size = max(1.0, min(2.2, *room))  # of a cell below; above it is 1
    wide = many * cols * size + gaps
    width = max(per_line, wide + 1.8)
    points = canvas(ax, width, top + rows * size + 0.1)
    read = np.isin(np.arange(count), where.numpy())
    pale = np.where(read[:, None], colors, 0.12 * colors + 0.88)
    for line in range(lines):
        span = range(line * per_line, min(count, (line + 1) * per_line))
        words = [[write(flat[k]) for k in span]]
        _storage(
            ax, (width - per_line) / 2, 1.5 * line, pale, span, words, points
        )
    left = (width - wide) / 2
    for n, block in enumerate(blocks):
        words = [[write(flat[k]) for k in row] for row in block]
        spot = left + n * (cols * size + 0.8)
        cells(ax, spot, top, colors[block], words, points, size)
    _strides(ax, x, (left, top), blocks.shape, size)
    if title is None:
        title = (
            f"shape {tuple(x.shape)}, stride {tuple(x.stride())}, "
            f"offset {x.storage_offset()}"
        )
    ax.set_title(title)
    return fig


def _storage(ax, left, top, colors, span, words, points) -> None:
    """Draw one line of the storage, numbered from `span.start`."""
    cells(ax, left, top, [colors[span.start : span.stop]], words, points)
    size = min(9, 0.4 * points)
    for k in span:
        ax.text(
            left + k - span.start + 0.5, top + 1.08, f"{k}", ha="center",
            va="top", fontsize=size, color=GREY,
        )  # fmt: skip


def _strides(ax, x, place, shape, size) -> None:
    """Draw an arrow along each axis with its stride."""
    _, rows, cols = shape
    left, top = place
    style = {"fontsize": 10, "color": GREY}
    strides = [f"+{step}" for step in x.stride()]

    def arrow(start, end) -> None:
        props = {"arrowstyle": "->", "color": GREY, "lw": 1.5}
        ax.annotate(
            "", end, start, arrowprops=props | {"shrinkA": 0, "shrinkB": 0}
        )

    over, beside = top - 0.25, left - 0.25
    if x.ndim >= 1 and cols > 1:
        arrow((left + size / 2, over), (left + 1.5 * size, over))
        ax.text(
            left + size, over - 0.1, strides[-1], ha="center", va="bottom",
            **style,
        )  # fmt: skip
    if x.ndim >= 2 and rows > 1:
        arrow((beside, top + size / 2), (beside, top + 1.5 * size))
        ax.text(
            beside - 0.15, top + size, strides[-2], ha="right", va="center",
            **style,
        )  # fmt: skip
    if x.ndim == 3 and x.shape[0] > 1:
        end = left + cols * size + 0.8 + size / 2
        arrow((end - 0.8 - size, over), (end, over))
        ax.text(
            end - 0.4 - size / 2, over - 0.1, strides[0], ha="center",
            va="bottom", **style,
        )  # fmt: skip
