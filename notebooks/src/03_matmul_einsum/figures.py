"""Lesson 03: the stopwatch, its pictures, and the reader of equations.

The reader's rules are those of `torch.einsum`: an axis of size 1 fits any
size, `...` stands for any axes, and without an arrow the output is `...`
followed by the letters that occur once, in alphabetical order.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits
from torch import Tensor

from helpers import plots
from helpers.language import pick

PALETTE = [plots.COLORS[c]
           for c in ("blue", "orange", "green", "purple", "sky")]  # fmt: skip
PALETTE += ["#000000", "#767676", "#8C510A"]
PLAIN, USED, NOW = "#E6E6E6", "#A9CCE3", plots.COLORS["vermillion"]
CELLS = 420  # drawn of all tensors together, at most
GAP = 0.5  # cells between two sheets
BAR = 0.4  # inches for an axis and its letter, above
SIDE = 0.66  # inches for an axis and its letter, on the left
BETWEEN = 0.45  # inches between two tensors


# --- the stopwatch ----------------------------------------------------------


def digits() -> tuple[Tensor, Tensor]:
    """The scanned digits of scikit-learn as they are, 8 x 8 pixels.

    Returns:
        (1797, 64) pixels from 0 to 16 in the default dtype, a row for each
        image; (1797,) int64, the digit that it shows.
    """
    pixels, shown = load_digits(return_X_y=True)
    pixels = torch.from_numpy(pixels).to(torch.get_default_dtype())
    return pixels, torch.from_numpy(shown)


def _loops(x: Tensor, w: Tensor) -> Tensor:
    """The product, one number of a tensor at a time."""
    y = torch.zeros(len(x), w.shape[1])
    for i in range(len(x)):
        for j in range(w.shape[1]):
            for k in range(len(w)):
                y[i, j] += x[i, k] * w[k, j]
    return y


def _lists(x: Tensor, w: Tensor) -> Tensor:
    """The same loops; the numbers are taken from lists."""
    rows, columns = x.tolist(), w.T.tolist()
    y = [[0.0] * len(columns) for _ in rows]
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            for k in range(len(row)):
                y[i][j] += row[k] * column[k]
    return torch.tensor(y)


def _rows(x: Tensor, w: Tensor) -> Tensor:
    return torch.stack([row @ w for row in x])


def _broadcast(x: Tensor, w: Tensor) -> Tensor:
    return (x[:, :, None] * w).sum(dim=1)


def _einsum(x: Tensor, w: Tensor) -> Tensor:
    return torch.einsum("bd,de->be", x, w)


def _timed(way: Callable, x: Tensor, w: Tensor) -> float:
    """Seconds of the shortest of some runs, which must give `x @ w`."""
    best, until = math.inf, time.perf_counter() + 0.5
    while best == math.inf or time.perf_counter() < until:
        start = time.perf_counter()
        y = way(x, w)
        best = min(best, time.perf_counter() - start)
    torch.testing.assert_close(y, x @ w)
    return best


def stopwatch(x: Tensor, w: Tensor, own: Callable | None = None) -> None:
    """Time six ways to compute `x @ w`, and print a table.

    Each time is the shortest of some runs. The first way is timed on one
    row, and the time is multiplied; the table says so.

    Args:
        x: (B, D).
        w: (D, E).
        own: The student's loops, timed in place of the first way if they
            give the right result for one row.
    """
    slow, name = _loops, "three loops, tensors *"
    if own is not None:
        y, want = own(x[:1], w), x[:1] @ w
        right = isinstance(y, Tensor) and y.shape == want.shape
        if right and torch.allclose(y, want):
            slow, name = own, "your three loops *"
        else:
            print("matmul_loops is not right yet: other loops are timed.")
    fast = {
        "three loops, lists": _lists,
        "rows": _rows,
        "broadcast": _broadcast,
        "einsum": _einsum,
        "@": torch.matmul,
    }
    took = {name: _timed(slow, x[:1], w) * len(x)}
    took |= {k: _timed(way, x, w) for k, way in fast.items()}
    count = len(x) * w.numel()
    print(
        f"{'way':22}{'seconds':>11}{'times as slow':>15}{'multiply-adds':>15}"
    )
    for name, seconds in took.items():
        slower = seconds / took["@"]
        print(f"{name:22}{seconds:11.6f}{slower:15,.0f}{count:15,}")
    print(f"* timed on one row, times {len(x):,}")


def readings(images: Tensor, read: Tensor, shown: Tensor) -> None:
    """Draw images with the digit that was read, and the right one if wrong.

    Args:
        images: (N, 64) pixels.
        read: (N,) the digit with the largest score.
        shown: (N,) the digit that the image shows.
    """
    labels = [
        f"{told}" if told == true else f"{told} (is {true})"
        for told, true in zip(read.tolist(), shown.tolist(), strict=True)
    ]
    sheet = images.view(-1, 8, 8)
    plots.show(
        plots.images(sheet, labels=labels, cols=12, width=2, height=0.45)
    )


# --- products as pictures ---------------------------------------------------


def row_times_column(x: Tensor, w: Tensor) -> Callable[..., Figure]:
    """A drawing of `x @ w` in which a cell of the result can be chosen.

    Args:
        x: (B, D).
        w: (D, E).

    Returns:
        `pick(i, j)`: frames row i, column j and the cell that they give.
    """
    (B, D), E = x.shape, w.shape[1]
    board, panes = plots.subplots(
        1, 3, width=1.4, height=0.6, width_ratios=[D, E, E]
    )
    titles = f"X {B, D}", f"W {D, E}", f"X @ W {B, E}"
    for ax, title, values in zip(panes, titles, (x, w, x @ w), strict=True):
        plots.matrix(values, ax=ax, title=title)
        ax.minorticks_off()  # no lines between the cells: quicker to draw
    panes[0].set_xticks([])
    panes[1].set_yticks([])
    style = {"fill": False, "lw": 4, "ec": NOW, "clip_on": False}
    frames = [
        ax.add_patch(Rectangle((-0.5, -0.5), *size, **style))
        for ax, size in zip(panes, ((D, 1), (1, D), (1, 1)), strict=True)
    ]

    def pick(i=1, j=2):
        frames[0].set_y(i - 0.5)
        frames[1].set_x(j - 0.5)
        frames[2].set_xy((j - 0.5, i - 0.5))
        pairs = zip(x[i].tolist(), w[:, j].tolist(), strict=True)
        terms = " + ".join(f"{a:g}·{b:g}" for a, b in pairs)
        board.suptitle(f"y[{i}, {j}] = {terms} = {x[i] @ w[:, j]:g}")
        return board

    return pick


def outlines(letters: Mapping[str, Tensor], mark: int = 2) -> None:
    """Draw lines through points, side by side; one point is marked.

    Args:
        letters: (N, 2) points by name, the first as they were.
        mark: Which point is marked with a square.
    """
    fig, axes = plots.subplots(1, len(letters), width=2, height=0.85)
    for ax, (name, points) in zip(axes, letters.items(), strict=True):
        ax.plot(*points.T.numpy(), "o-")
        ax.plot(*points[mark].tolist(), "s", color=NOW, ms=9)
        ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", title=name)
        ax.grid()
    plots.show(fig)


def pair(matrices: Mapping[str, Tensor], highlight=None) -> None:
    """Draw matrices side by side on one scale.

    Args:
        matrices: (M, N) by name.
        highlight: As for `plots.matrix`.
    """
    top = max(float(values.max()) for values in matrices.values())
    fig, axes = plots.subplots(1, len(matrices), width=1.2, height=0.6)
    for ax, (name, values) in zip(axes, matrices.items(), strict=True):
        plots.matrix(values, ax=ax, title=name, highlight=highlight,
                     limits=(0, top))  # fmt: skip
    plots.show(fig)


# --- equations --------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """An equation with the shapes that it is applied to.

    Attributes:
        terms: For each operand the letters of its axes; the axes of an
            ellipsis are `…1`, `…2`, counted from the right.
        kept: The letters of the result's axes.
        shapes: The operands' shapes.
        sizes: Each letter's size, in the order of appearance.
        clash: The letter whose sizes contradict each other, or empty.
        problem: Why there is no result, in words, or empty.
    """

    terms: tuple[tuple[str, ...], ...]
    kept: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    sizes: dict[str, int]
    clash: str = ""
    problem: str = ""

    @property
    def summed(self) -> tuple[str, ...]:
        """The letters that the result lacks."""
        return tuple(a for a in self.sizes if a not in self.kept)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The result's shape, None where sizes contradict each other."""
        return None if self.clash else tuple(self.sizes[a] for a in self.kept)

    def __str__(self) -> str:
        if self.clash:
            return f"error: {self.problem}"
        kept, summed = (
            " ".join(letters) or "nothing"
            for letters in (self.kept, self.summed)
        )
        return f"keep {kept}; sum {summed}; result {self.shape}"


def shapes(text: str) -> tuple[tuple[int, ...], ...]:
    """Read shapes as a student types them: `(2, 3), (3, 4)`.

    Raises:
        ValueError: If the text is something else.
    """
    plain = text.translate(str.maketrans("（），［］", "(),[]"))
    try:
        value = ast.literal_eval(f"[{plain}]")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        value = [None]
    found = [(s,) if type(s) is int else s for s in value]
    for shape in found:
        if not isinstance(shape, list | tuple) or not all(
            type(n) is int and n >= 0 for n in shape
        ):
            raise ValueError(
                pick(
                    f"形状要写成 (2, 3), (3, 4) 这样，得到的是 {text!r}。",
                    f"Shapes are written like (2, 3), (3, 4); got {text!r}.",
                )
            )
    return tuple(map(tuple, found))


def read(equation: str, *shapes: Iterable[int]) -> Reading:
    """Read an equation for operands of the given shapes.

    Sizes that contradict each other do not raise: the reading says so in
    `clash` and `problem`, and can still be drawn.

    Args:
        equation: As for `torch.einsum`: `"bd,de->be"`, `"...d,de"`.
        *shapes: One shape for each operand.

    Returns:
        The reading.

    Raises:
        ValueError: If the equation is not one, or does not fit the number
            of operands or of their axes.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    given = tuple(tuple(shape) for shape in shapes)
    words = [_letters(word) for word in left.split(",")]
    if len(words) != len(given):
        n, m = len(words), len(given)
        raise ValueError(
            pick(
                f"方程里有 {n} 个操作数，形状却给了 {m} 个。",
                f"The equation names {n} operand(s), but {m} shape(s) came.",
            )
        )
    terms = tuple(map(_term, words, given))
    seen = [a for term in terms for a in term]
    dots = sorted({a for a in seen if a.startswith("…")},
                  key=lambda dot: -int(dot[1:]))  # fmt: skip
    if arrow:
        kept = tuple(_spread(_letters(right), dots))
        _check_output(kept, seen)
    else:
        once = sorted(a for a in set(seen) - set(dots) if seen.count(a) == 1)
        kept = (*dots, *once)
    return Reading(terms, kept, given, *_sizes(terms, given))


def _letters(word: str) -> list[str]:
    """Split a term into letters; an ellipsis is one of them."""
    letters = list(word.replace("...", "…"))
    for letter in letters:
        known = letter.isascii() and letter.isalpha()
        if not known and (letter != "…" or "…" in word):
            raise ValueError(
                pick(
                    f"方程里不能有 {letter!r}：只能用英文字母、逗号、一个 -> "
                    "和三个点。",
                    f"{letter!r} cannot stand in an equation: only the "
                    "letters a to z and A to Z, commas, one -> and three "
                    "dots.",
                )
            )
    if letters.count("…") > 1:
        raise ValueError(
            pick(
                f"{word!r} 里有两处省略号，每一项最多一处。",
                f"{word!r} has two ellipses; a term has one at most.",
            )
        )
    return letters


def _spread(letters: list[str], dots: list[str]) -> Iterator[str]:
    """Put the axes of the ellipsis in its place."""
    for letter in letters:
        yield from dots if letter == "…" else [letter]


def _term(letters: list[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    """The letters of an operand's axes."""
    word = "".join(letters).replace("…", "...")
    n, axes = len(letters), len(shape)
    hidden = axes - n + 1 if "…" in letters else 0
    if hidden < 0 or ("…" not in letters and n != axes):
        raise ValueError(
            pick(
                f"{word!r} 与形状 {shape} 对不上：字母要和轴一样多，"
                f"这里有 {axes} 个轴。",
                f"{word!r} does not fit the shape {shape}: each axis needs a "
                f"letter, and there are {axes} axes.",
            )
        )
    return tuple(_spread(letters, [f"…{k}" for k in range(hidden, 0, -1)]))


def _check_output(output: tuple[str, ...], seen: list[str]) -> None:
    for letter in output:
        if letter not in seen:
            raise ValueError(
                pick(
                    f"结果里的 {letter} 没有在任何操作数里出现，"
                    "不知道它多大。",
                    f"{letter} stands in the result but in no operand, so its "
                    "size is unknown.",
                )
            )
        if output.count(letter) > 1:
            raise ValueError(
                pick(
                    f"结果里的 {letter} 出现了两次，每个字母只能出现一次。",
                    f"{letter} stands twice in the result; once is allowed.",
                )
            )


def _sizes(terms, shapes) -> tuple[dict[str, int], str, str]:
    """Each letter's size; the letter that has two, and a sentence."""
    sizes: dict[str, int] = {}
    clash, problem = "", ""
    for term, shape in zip(terms, shapes, strict=True):
        mine: dict[str, int] = {}
        for letter, size in zip(term, shape, strict=True):
            before = mine.setdefault(letter, size)  # a diagonal: equal sizes
            if before == size:
                before = sizes.get(letter, 1)
                if 1 in (before, size):
                    sizes[letter] = size if before == 1 else before
                    continue
            if before != size and not clash:
                clash = letter
                problem = f"{letter} has two sizes: {before} and {size}."
    return sizes, clash, problem


def draw(
    reading: Reading,
    *,
    ax: Axes | None = None,
    element: int = 0,
    term: int = 0,
    names: tuple[str, ...] = ("X", "W", "V", "U", "T", "S"),
    result: str = "Y",
    riddle: str = "",
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
        result: The result's name.
        riddle: A title in place of all letters: the axes have only their
            sizes, and `ax` stays where it is.

    Returns:
        The figure.
    """
    fig, ax = plots.own_axes(ax, 2)
    ax.clear()
    plots.blank(ax)
    if not riddle:
        fig.set_layout_engine("none")  # all of it, always the same
        ax.set_position((0.01, 0.01, 0.98, 0.98))
    width, height = plots.axes_inches(ax)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    tensors = list(zip(reading.terms, reading.shapes, strict=True))
    if not reading.clash:
        tensors.append((reading.kept, reading.shape))
    shown = _cut([shape for _, shape in tensors])
    count = len(reading.terms)
    labels = [*names, *(f"X{k + 1}" for k in range(len(names), count))][:count]
    grids = [_places(shape) for shape in shown]
    step, left = _fit(reading, tensors, grids, width, height)
    now, used = _marks(reading, tensors, shown, element, term)
    top = 0.46 + max(_margin(t, _horizontal) for t, _ in tensors)
    middle = top + max(extents[1] for _, extents in grids) * step / 2
    for k, (letters, shape) in enumerate(tensors):
        places, extents = grids[k]
        left += _margin(letters, _vertical)
        across, down = (extents[0] * step, extents[1] * step)
        origin = (left, middle - down / 2, step)
        _cells(ax, origin, places, used[k], now[k])
        _bars(ax, origin, letters, shape, shown[k], reading, bool(riddle))
        name = (*labels, result)[k]
        ax.text(left + across / 2, middle + down / 2 + 0.17,
                f"${name}$  {shape}", ha="center", va="center",
                fontsize=10)  # fmt: skip
        left += across + BETWEEN
        if k < len(tensors) - 1:
            sign = "·" if k < len(labels) - 1 else "="
            ax.text(left - BETWEEN / 2, middle, sign, fontsize=16,
                    ha="center", va="center")  # fmt: skip
    if reading.clash:
        text = textwrap.fill(f"Error: {reading.problem}", 26)
        ax.text(left + 0.2, middle, text, color=NOW, fontsize=12,
                va="center")  # fmt: skip
    if riddle:
        ax.text(0.1, 0.2, riddle, weight="bold", fontsize=13, va="center")
    else:
        _sentences(ax, reading, (*labels, result), (width, height), now)
    return fig


RIDDLES = {
    "A": ("bd,bd->b", 1),
    "B": ("b,d->db", 3),
    "C": ("bd,ed->be", 6),
    "D": ("bd,de->eb", 3),
}


def riddles() -> None:
    """Show four equations without their letters; b, d, e are 2, 3, 4."""
    size = {"b": 2, "d": 3, "e": 4}
    fig, axes = plots.subplots(2, 2, width=2, height=1.5)
    fig.set_layout_engine("none")
    for k, (name, (equation, element)) in enumerate(RIDDLES.items()):
        words = equation.split("->")[0].split(",")
        shapes = [[size[letter] for letter in word] for word in words]
        ax = axes[k // 2, k % 2]
        ax.set_position((k % 2 / 2, (1 - k // 2) / 2, 0.5, 0.5))
        reading = read(equation, *shapes)
        draw(reading, ax=ax, element=element, term=1, riddle=name)
    plots.show(fig)


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


def _grow(shape) -> Iterator[tuple[int, float, float]]:
    """From the last axis on: the way it runs, its step, its extent."""
    extent, gaps = [1.0, 1.0], [0.0, 0.0]
    for level, size in enumerate(reversed(shape)):
        way = 0 if _horizontal(level) else 1
        step = extent[way] + gaps[way]
        extent[way] += max(size - 1, 0) * step
        gaps[way] += GAP
        yield way, step, extent[way]


def _places(shape) -> tuple[dict, tuple[float, float]]:
    """Where each cell lies, and how large all is, in cells."""
    moves = list(_grow(shape))
    extents = [1.0, 1.0]
    for way, _, extent in moves:
        extents[way] = extent
    places = {}
    for index in itertools.product(*map(range, shape)):
        spot = [0.0, 0.0]
        for (way, step, _), i in zip(moves, reversed(index), strict=True):
            spot[way] += i * step
        places[index] = tuple(spot)
    return places, tuple(extents)


def _margin(letters, runs) -> float:
    """Inches that the axes on one side of a tensor need."""
    room = BAR if runs is _horizontal else SIDE
    return room * sum(map(runs, range(len(letters))))


def _fit(reading, tensors, grids, width, height) -> tuple[float, float]:
    """The size of a cell in inches, and where the first tensor starts."""
    sides = sum(_margin(t, _vertical) for t, _ in tensors)
    taken = sides + BETWEEN * (len(tensors) - 1)
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
    kept = [drawn[a] for a in reading.kept]
    summed = [drawn[a] for a in reading.summed]
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


def _bars(ax, origin, letters, shape, shown, reading, bare) -> None:
    """Draw each axis beside the cells, with its letter (or bare), size."""
    left, top, step = origin
    order = list(reading.sizes)
    levels = [0, 0]
    for letter, size, drawn, (way, _, extent) in zip(
        reversed(letters), reversed(shape), reversed(shown), _grow(shown),
        strict=True,
    ):  # fmt: skip
        colour = PALETTE[order.index(letter) % len(PALETTE)]
        word = f"{size}" if bare else f"{letter} = {size}"
        if letter == reading.clash:
            colour = NOW
        elif letter in reading.summed:
            word = f"Σ {word}"
        word += " …" if size != drawn else ""
        dashes = (0, (1.2, 0.6)) if letter in reading.summed else "-"
        style = {"color": colour, "lw": 4, "ls": dashes,
                 "solid_capstyle": "butt"}  # fmt: skip
        length = extent * step
        if way == 0:
            y = top - 0.1 - BAR * levels[0]
            ax.plot([left, left + length], [y, y], **style)
            ax.text(left + length / 2, y - 0.17, word, ha="center",
                    va="center", fontsize=9.5)  # fmt: skip
        else:
            x = left - 0.1 - SIDE * levels[1]
            ax.plot([x, x], [top, top + length], **style)
            ax.text(x - 0.07, top + length / 2, word, ha="right",
                    va="center", fontsize=9.5)  # fmt: skip
        levels[way] += 1


def _sentences(ax, reading, names, size, now) -> None:
    """Write the equation as a formula above, one term of it below."""
    width, height = size
    *labels, result = names

    def symbol(name, letters):
        word = re.sub(r"(…\d+)+", r"\\ldots ", "".join(letters))
        return f"{name}_{{{word}}}"

    right = r" \, ".join(map(symbol, labels, reading.terms))
    if reading.summed:
        right = rf"{symbol(chr(92) + 'sum', reading.summed)} {right}"
    ax.text(width / 2, 0.18, f"${symbol(result, reading.kept)} = {right}$",
            ha="center", va="center", fontsize=13)  # fmt: skip
    if now[0] is None:
        return
    words = [
        f"{name}{list(index) or ''}"
        for name, index in zip(names, now, strict=True)
    ]
    count = math.prod(reading.sizes[a] for a in reading.summed)
    many = "1 term" if count == 1 else f"{count} terms"
    term = " · ".join(words[:-1])
    text = f"{words[-1]} has {many}; outlined: {term}.   {reading}"
    ax.text(width / 2, height - 0.13, text, ha="center", va="center",
            fontsize=10)  # fmt: skip
