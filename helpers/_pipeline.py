"""The way of a tensor through layers, as boxes with shapes and arrows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ._scale import axes_inches
from ._style import COLORS, blank, own_axes

SLOT = 1.3  # inches for one stage, at least
SHEETS = 6  # drawn of a stack, at most
SHIFT = 0.05  # inches from sheet to sheet


def shapes(
    stages: Sequence,
    *,
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """Draw how a shape changes from layer to layer.

    A shape of three or more axes is a stack of sheets (its last two axes
    are a sheet), one of two axes a sheet, one of one axis a bar. Sides
    grow with the square root of the size, on one scale for all stages of
    one kind.

    Args:
        stages: Pairs (name, shape): first the input, then for each layer
            its name and the shape that comes out. `x.shape` or a tuple.
        ax: Axes to draw into; None makes a figure of 5 or 10 inches.
        title: Text above.

    Returns:
        The figure.

    Raises:
        TypeError: If `stages` does not hold pairs of a name and a shape.
        ValueError: If it is empty or a size is not positive.
    """
    pairs = _pairs(stages)
    if ax is None:
        wide = 1 if len(pairs) <= 4 else 2
        high = math.ceil(len(pairs) / (7 * 2)) if wide == 2 else 1
        fig, ax = own_axes(None, wide, high)
    else:
        fig, ax = own_axes(ax)
    width, height = axes_inches(ax)
    across = max(1, min(len(pairs), int(width / SLOT + 0.2)))
    rows = math.ceil(len(pairs) / across)
    across = math.ceil(len(pairs) / rows)
    slot, row = width / across, height / rows
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    blank(ax)
    largest = {}
    for _, shape in pairs:
        kind = min(len(shape), 3)
        largest[kind] = max(largest.get(kind, 1), *shape[-2:], 1)
    room = min(slot - 0.45, row - 0.75)
    edges = []
    for k, (name, shape) in enumerate(pairs):
        x = (k % across + 0.5) * slot
        y = (k // across + 0.5) * row
        half, tall = _box(ax, x, y, shape, largest, room)
        edges.append((x, y, half))
        ax.text(
            x, y - tall - 0.06, name, ha="center", va="bottom",
            fontsize=11, weight="bold",
        )  # fmt: skip
        text = f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
        ax.text(
            x, y + tall + 0.06, text, ha="center", va="top",
            fontsize=min(10.5, 72 * slot * 0.97 / (0.6 * len(text))),
        )  # fmt: skip
    _arrows(ax, edges, across)
    if title is not None:
        ax.set_title(title)
    return fig


def _pairs(stages) -> list[tuple[str, tuple[int, ...]]]:
    """Check the stages."""
    if not isinstance(stages, Iterable):
        raise TypeError(
            "stages must hold pairs (name, shape), got "
            f"{type(stages).__name__}"
        )
    pairs = []
    for stage in stages:
        try:
            name, shape = stage
            sizes = tuple(int(size) for size in shape)
            whole = all(size == old for size, old in zip(sizes, shape))  # noqa: B905
        except (TypeError, ValueError):
            raise TypeError(
                f"stages must hold pairs (name, shape), got {stage!r:.80}"
            ) from None
        if not whole or any(size < 1 for size in sizes):
            raise ValueError(
                f"stages: sizes must be positive ints, got {tuple(shape)} "
                f"for {name!r}"
            )
        pairs.append((str(name), sizes))
    if not pairs:
        raise ValueError("stages must not be empty")
    return pairs


def _box(ax, x, y, shape, largest, room) -> tuple[float, float]:
    """Draw one stage around (x, y); return half its width and height."""
    kind = min(len(shape), 3)

    def side(size: int) -> float:
        return max(0.07, room * math.sqrt(size / largest[kind]))

    if kind < 2:
        width, height = 0.16, side(shape[0]) if shape else 0.16
    else:
        height, width = side(shape[-2]), side(shape[-1])
    sheets = min(shape[-3], SHEETS) if kind == 3 else 1
    deep = SHIFT * (sheets - 1)
    color = COLORS["sky"] if kind == 3 else COLORS["orange"]
    left, top = x - (width + deep) / 2, y - (height + deep) / 2
    for s in reversed(range(sheets)):
        ax.add_patch(
            Rectangle(
                (left + s * SHIFT, top + deep - s * SHIFT), width, height,
                facecolor=color, edgecolor="black", linewidth=0.9,
            )
        )  # fmt: skip
    return (width + deep) / 2, (height + deep) / 2


def _arrows(ax: Axes, edges, across: int) -> None:
    """Join each stage with the next; at a line's end go to the next line."""
    arrow = {"arrowstyle": "-|>", "color": "#595959", "lw": 1.4}
    for k, (here, there) in enumerate(pairwise(edges)):
        start = (here[0] + here[2] + 0.06, here[1])
        end = (there[0] - there[2] - 0.06, there[1])
        if (k + 1) % across == 0:
            middle = (here[1] + there[1]) / 2
            path = [
                start, (start[0] + 0.15, start[1]),
                (start[0] + 0.15, middle), (end[0] - 0.2, middle),
                (end[0] - 0.2, end[1]),
            ]  # fmt: skip
            ax.plot(
                *zip(*path, strict=True), color=arrow["color"],
                lw=1.4, ls="-", marker="",
            )  # fmt: skip
            start = path[-1]
        ax.annotate(
            "", end, start,
            arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
