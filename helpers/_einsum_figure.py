"""Draws an einsum equation: tensors as cells, their axes in colours."""

from __future__ import annotations

import itertools
import math
import re
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ._equation import Reading
from ._scale import axes_inches
from ._style import COLORS, blank, own_axes

PALETTE = [COLORS[c] for c in ("blue", "orange", "green", "purple", "sky")]
PALETTE += ["#000000", "#767676", "#8C510A"]
PLAIN, USED, NOW = "#E6E6E6", "#A9CCE3", COLORS["vermillion"]
CELLS = 420  # drawn of all tensors together, at most
NAMES = ("X", "W", "V", "U", "T", "S")
_GAP = 0.5  # cells between two sheets
_BAR = 0.4  # inches for an axis and its letter, above
_SIDE = 0.66  # inches for an axis and its letter, on the left
_BETWEEN = 0.45  # inches between two tensors


def draw(
    reading: Reading,
    *,
    ax: Axes | None = None,
    element: int = 0,
    term: int = 0,
    names: tuple[str, ...] = NAMES,
) -> Figure:
    """Draw the operands and the result of an equation.

    Each axis has its letter and its size; the last axis runs to the right,
    the one before downwards, the third last downwards from sheet to sheet.
    Axes that are kept are solid, axes that are summed dashed. One element
    of the result is chosen: light blue are the numbers that it needs,
    outlined those of one term of its sum. Long axes are cut off.

    Args:
        reading: What `read` returned.
        ax: Axes to draw into, which is cleared; None makes a figure of
            10 x 3.2 inches.
        element: Which element of the result, counted row by row.
        term: Which term of its sum.
        names: The operands' names.

    Returns:
        The figure.

    Raises:
        TypeError: If `reading` is not what `read` returns.
    """
    if not isinstance(reading, Reading):
        raise TypeError(
            "reading must be what read() returned, got "
            f"{type(reading).__name__}"
        )
    fig, ax = own_axes(ax, 2)
    ax.clear()
    blank(ax)
    if fig.axes == [ax]:  # all of the figure, the same for every drawing
        fig.set_layout_engine("none")
        ax.set_position((0.01, 0.01, 0.98, 0.98))
    width, height = axes_inches(ax)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    tensors = list(zip(reading.terms, reading.shapes, strict=True))
    if not reading.clash:
        tensors.append((reading.output, reading.shape))
    shown = _cut([shape for _, shape in tensors])
    count = len(reading.terms)
    labels = [*names, *(f"X{k + 1}" for k in range(len(names), count))][:count]
    grids = [_places(shape) for shape in shown]
    step, left = _fit(reading, tensors, grids, width, height)
    now, used = _marks(reading, tensors, shown, element, term)
    for k, (letters, shape) in enumerate(tensors):
        places, extents = grids[k]
        left += _margin(letters, _vertical)
        top = 0.46 + max(_margin(t, _horizontal) for t, _ in tensors)
        _cells(ax, (left, top, step), places, used[k], now[k])
        _bars(ax, (left, top, step), letters, shape, shown[k], grids[k],
              reading)  # fmt: skip
        across, down = (extents[0] * step, extents[1] * step)
        name = (*labels, "Y")[k]
        ax.text(left + across / 2, top + down + 0.17, f"${name}$  {shape}",
                ha="center", va="center", fontsize=10)  # fmt: skip
        left += across + _BETWEEN
        if k < len(tensors) - 1:
            sign = "·" if k < len(labels) - 1 else "="
            at = (left - 0.6 * _BETWEEN, top + step / 2)
            ax.text(*at, sign, fontsize=16, ha="center", va="center")
    if reading.clash:
        text = textwrap.fill(f"Error: {reading.en}", 26)
        ax.text(left + 0.2, height / 2, text, color=NOW, fontsize=12,
                va="center")  # fmt: skip
    _sentences(ax, reading, labels, (width, height), now)
    return fig


def _horizontal(level: int) -> bool:
    """Whether an axis runs to the right; level 0 is the last axis."""
    return level % 4 in (0, 3)


def _vertical(level: int) -> bool:
    return not _horizontal(level)


def _cut(shapes) -> list[tuple[int, ...]]:
    """Sizes that are drawn: long axes are cut until there is room."""
    for limit in range(8, 1, -1):
        cut = [tuple(min(n, limit) for n in shape) for shape in shapes]
        if sum(map(math.prod, cut)) <= CELLS:
            break
    return cut


def _places(shape) -> tuple[dict, tuple[float, float], list[tuple]]:
    """Where each cell lies, how large all is, and each axis' extent."""
    extent, gaps, moves = [1.0, 1.0], [0.0, 0.0], []
    for level, size in enumerate(reversed(shape)):
        way = 0 if _horizontal(level) else 1
        moves.append((way, extent[way] + gaps[way]))
        extent[way] += max(size - 1, 0) * (extent[way] + gaps[way])
        gaps[way] += _GAP
    places = {}
    for index in itertools.product(*map(range, shape)):
        spot = [0.0, 0.0]
        for (way, step), i in zip(moves, reversed(index), strict=True):
            spot[way] += i * step
        places[index] = tuple(spot)
    return places, tuple(extent)


def _margin(letters, runs) -> float:
    """Inches that the axes on one side of a tensor need."""
    room = _BAR if runs is _horizontal else _SIDE
    return room * sum(map(runs, range(len(letters))))


def _fit(reading, tensors, grids, width, height) -> tuple[float, float]:
    """The size of a cell in inches, and where the first tensor starts."""
    sides = sum(_margin(t, _vertical) for t, _ in tensors)
    taken = sides + _BETWEEN * (len(tensors) - 1)
    taken += 2.6 if reading.clash else 0
    above = max(_margin(t, _horizontal) for t, _ in tensors)
    across = sum(extent[0] for _, extent in grids)
    down = max(extent[1] for _, extent in grids)
    step = min((width - taken - 0.1) / across, (height - above - 1.2) / down)
    step = max(min(step, 0.42), 0.02)
    return step, max((width - taken - across * step) / 2, 0.0)


def _marks(reading, tensors, shown, element, term):
    """For each tensor the index of this term, and the indices of all."""
    if reading.clash or any(0 in shape for shape in shown):
        return [None] * len(tensors), [set()] * len(tensors)
    drawn: dict[str, int] = {}
    for (letters, _), shape in zip(tensors, shown, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            drawn[letter] = max(drawn.get(letter, 1), size)
    kept, summed = ([drawn[a] for a in reading.kept],
                    [drawn[a] for a in reading.summed])  # fmt: skip
    here = np.unravel_index(element % math.prod(kept), kept) if kept else ()
    fixed = dict(zip(reading.kept, map(int, here), strict=True))
    terms = list(itertools.product(*map(range, summed)))

    def index(k: int, values) -> tuple[int, ...]:
        where = fixed | dict(zip(reading.summed, values, strict=True))
        letters, _ = tensors[k]
        return tuple(
            min(where[a], n - 1)
            for a, n in zip(letters, shown[k], strict=True)
        )

    every = range(len(tensors))
    now = [index(k, terms[term % len(terms)]) for k in every]
    return now, [{index(k, values) for values in terms} for k in every]


def _cells(ax, origin, places, used, now) -> None:
    left, top, step = origin
    boxes, colours = [], []
    for index, (x, y) in places.items():
        at = (left + x * step, top + y * step)
        boxes.append(Rectangle(at, step, step))
        colours.append(NOW if index == now else USED if index in used
                       else PLAIN)  # fmt: skip
        if index == now:
            ax.add_patch(Rectangle(at, step, step, fill=False, lw=2.2,
                                   zorder=3))  # fmt: skip
    ax.add_collection(
        PatchCollection(
            boxes, facecolors=colours, edgecolors="white", lw=min(1, 5 * step)
        )
    )


def _bars(ax, origin, letters, shape, shown, grid, reading) -> None:
    """Draw each axis beside the cells, with its letter and size."""
    left, top, step = origin
    order = list(reading.sizes)
    levels = [0, 0]
    extent = [1.0, 1.0]
    gaps = [0.0, 0.0]
    for level, letter in enumerate(reversed(letters)):
        size, drawn = shape[-1 - level], shown[-1 - level]
        way = 0 if _horizontal(level) else 1
        extent[way] += max(drawn - 1, 0) * (extent[way] + gaps[way])
        gaps[way] += _GAP
        colour = PALETTE[order.index(letter) % len(PALETTE)]
        word = f"{letter} = {size}"
        if letter == reading.clash:
            colour = NOW
        elif letter in reading.summed:
            word = f"Σ {word}"
        if size != drawn:
            word += " …"
        style = {"color": colour, "lw": 4, "solid_capstyle": "butt", "ls": "-"}
        if letter in reading.summed:
            style["ls"] = (0, (1.2, 0.6))
        length = extent[way] * step
        text = {"color": "black", "fontsize": 9.5}
        if way == 0:
            y = top - 0.1 - _BAR * levels[0]
            ax.plot([left, left + length], [y, y], **style)
            ax.text(left + length / 2, y - 0.17, word, ha="center",
                    va="center", **text)  # fmt: skip
        else:
            x = left - 0.1 - _SIDE * levels[1]
            ax.plot([x, x], [top, top + length], **style)
            ax.text(x - 0.07, top + length / 2, word, ha="right",
                    va="center", **text)  # fmt: skip
        levels[way] += 1


def _sentences(ax, reading, labels, size, now) -> None:
    """Write the equation as a formula above, one term of it below."""
    width, height = size

    def symbol(name, letters):
        word = re.sub(r"(…\d+)+", r"\\ldots ", "".join(letters))
        return f"{name}_{{{word}}}"

    right = r" \, ".join(map(symbol, labels, reading.terms))
    if reading.summed:
        right = rf"{symbol(chr(92) + 'sum', reading.summed)} {right}"
    ax.text(width / 2, 0.18, f"${symbol('Y', reading.output)} = {right}$",
            ha="center", va="center", fontsize=13)  # fmt: skip
    if now[0] is None:
        return
    words = [
        f"{name}{list(index) or ''}"
        for name, index in zip((*labels, "Y"), now, strict=True)
    ]
    count = math.prod(reading.sizes[a] for a in reading.summed)
    many = "1 term" if count == 1 else f"{count} terms"
    term = " · ".join(words[:-1])
    text = f"{words[-1]} has {many}; outlined: {term}.   {reading}"
    ax.text(width / 2, height - 0.13, text, ha="center", va="center",
            fontsize=10)  # fmt: skip
