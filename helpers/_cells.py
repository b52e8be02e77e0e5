"""Grids of coloured cells, what pictures of tensors are made of."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from ._scale import axes_inches, ink
from ._style import blank

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
