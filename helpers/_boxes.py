"""Draws boxes and arrows with matplotlib: the one look of all graphs.

Kinds of boxes differ in shape and frame, not in colour alone: a parameter has
square corners and a dashed frame, an output a double frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.text import Text

from ._layout import layered
from ._style import COLORS, DPI, FITTED


@dataclass(frozen=True)
class Kind:
    """How a kind of box looks, for matplotlib and for Graphviz."""

    colour: str
    width: float = 1.0
    dashes: str = "solid"
    round: bool = False
    double: bool = False
    tint: float = 0.15

    @property
    def fill(self) -> tuple[float, float, float]:
        """The frame's colour, much paler."""
        return tuple(1 - (1 - c) * self.tint for c in to_rgb(self.colour))


KINDS = {
    "op": Kind("#666666", round=True),
    "data": Kind("#000000", tint=0.0),
    "param": Kind(COLORS["blue"], width=1.6, dashes="dashed"),
    "output": Kind(COLORS["green"], width=1.2, double=True),
    "accent": Kind(COLORS["vermillion"], width=1.6, round=True),
}
LINE = "#404040"
FONT = "DejaVu Sans"  # comes with matplotlib
_PAD = (0.11, 0.075)  # inches between a label and its frame
_RING = 0.035  # inches between the two lines of a double frame
_MARGIN = 0.08
_TITLE = 11.0  # points
_NOTE = 0.05  # inches between an arrow and its label
_GAP = (0.22, 0.34)  # inches between boxes, as (cross, depth)


@dataclass(frozen=True)
class Artists:
    """What was drawn, in the order of the nodes and of the edges."""

    figure: Figure
    ax: Axes
    texts: list[Text]
    boxes: list[FancyBboxPatch]
    arrows: list[FancyArrowPatch]
    above: list[Text]
    below: list[Text]


def _measure(labels: Sequence[str], fontsize: float, math: bool) -> np.ndarray:
    """Returns (N, 2) float, the extents of the labels in inches."""
    figure = Figure(dpi=DPI, layout="none")
    canvas = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    sizes = np.zeros((len(labels), 2))
    for k, label in enumerate(labels):
        if label:
            text = figure.text(
                0,
                0,
                label,
                fontsize=fontsize,
                family=FONT,
                parse_math=math,
            )
            box = text.get_window_extent(renderer)
            sizes[k] = box.width / DPI, box.height / DPI
    return sizes


def _straight(centres: np.ndarray, sizes: np.ndarray, edges) -> list:
    """Routes every edge straight from frame to frame."""
    routes = []
    for i, j in edges:
        way = centres[j] - centres[i]
        with np.errstate(divide="ignore"):
            cuts = [float(np.min(sizes[k] / 2 / np.abs(way))) for k in (i, j)]
        routes.append(
            np.array([centres[i] + cuts[0] * way, centres[j] - cuts[1] * way])
        )
    return routes


def _path(route: np.ndarray, axis: int) -> Path:
    """Turns a route into a smooth path; ``axis`` is the one of the layers."""
    points, codes = [route[0]], [Path.MOVETO]
    for k, point in enumerate(route[1:], 1):
        if np.allclose(point, points[-1]):
            continue
        if k % 2 or len(route) == 2:
            points.append(point)
            codes.append(Path.LINETO)
        else:
            half = np.zeros(2)
            half[axis] = (point[axis] - points[-1][axis]) / 2
            points += [points[-1] + half, point - half, point]
            codes += [Path.CURVE4] * 3
    return Path(points, codes)


def _join(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Joins the routes to and from a label into one, straight through it."""
    return np.concatenate([before[:-1], after[1:]])


def _place(sizes, edges, beside, places, axis):
    """Places everything, in inches, y upwards.

    Args:
        sizes: (N, 2) float, extents (x, y) of the boxes.
        edges: E pairs of node numbers.
        beside: (E, 2) float, room for each edge's labels, 0 for none.
        places: (N, 2) float or None.
        axis: 0 where the graph runs right, 1 where it runs down.

    Returns:
        Centres (N, 2), routes, centres of the labels (E, 2), extent (2,).
    """
    n, swap = len(sizes), [1, 0] if axis == 0 else [0, 1]
    if places is not None:
        room = beside.max(axis=0, initial=0) * (axis == 0, axis == 1)
        unit = sizes.max(axis=0) + np.array(_GAP)[swap] + room
        centres = np.asarray(places, dtype=float) * unit
        centres -= (centres - sizes / 2).min(axis=0)
        routes = _straight(centres, sizes, edges)
        middle = np.array([r.mean(axis=0) for r in routes]).reshape(-1, 2)
        return centres, routes, middle, (centres + sizes / 2).max(axis=0)

    # A label is one more box, in a layer of its own, that its edge crosses.
    marked = [k for k, room in enumerate(beside) if room.any()]
    number = {k: n + r for r, k in enumerate(marked)}
    ends = [(i, number.get(k, j)) for k, (i, j) in enumerate(edges)]
    ends += [(number[k], edges[k][1]) for k in marked]
    gap = (_GAP[0], 0.24) if marked else _GAP
    found = layered(
        np.concatenate([sizes, beside[marked]])[:, swap], ends, gap=gap
    )
    extent = np.array(found.size)[swap]

    def turn(points):  # (cross, depth) to (x, y)
        points = points[:, swap].copy()
        points[:, 1] = extent[1] - points[:, 1]
        return points

    centres, routes = turn(found.centres), [turn(r) for r in found.routes]
    middle = np.zeros((len(edges), 2))
    for k, route in enumerate(routes[: len(edges)]):
        half = len(route) // 4 * 2  # the turn in the middle of the way
        middle[k] = route[half - 1 : half + 1].mean(axis=0)
    for r, k in enumerate(marked):
        middle[k] = centres[number[k]]
        routes[k] = _join(routes[k], routes[len(edges) + r])
    return centres[:n], routes[: len(edges)], middle, extent


def _beside(notes, fontsize, math, axis) -> np.ndarray:
    """Returns (E, 2) float, the room for each edge's two labels."""
    flat = [text for pair in notes for text in pair]
    sizes = _measure(flat, fontsize, math).reshape(-1, 2, 2).max(axis=1)
    across = 1 - axis
    sizes[:, across] *= 2
    pads = np.where(sizes.any(axis=1, keepdims=True), 1.0, 0.0)
    return sizes + pads * (2 * _NOTE if across == 0 else 0.04, 2 * _NOTE)


def _canvas(extent, ax, title, limits):
    """Prepares axes whose unit is an inch times the scale it returns."""
    head = 0.3 if title and ax is None else 0.0
    need = extent + 2 * _MARGIN
    if ax is None:
        room = np.array(limits) - (0, head)
        scale = float(min(1.0, *(room / need)))
        size = [ceil(s * DPI - 1e-6) / DPI for s in need * scale + (0, head)]
        figure = Figure(figsize=size, dpi=DPI, layout="none")
        figure.set_label(FITTED)
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0, 0, 1, 1 - head / size[1]))
        if title:
            figure.text(
                0.5,
                1 - 0.16 / size[1],
                title,
                ha="center",
                va="center",
                family=FONT,
                fontsize=_TITLE,
            )
    else:
        ax.set_axis_off()
        if title:
            ax.set_title(title)
        figure = ax.get_figure(root=True)
        figure.draw_without_rendering()
        box = ax.get_window_extent()
        room = np.array([box.width, box.height]) / figure.dpi
        scale = float(min(1.0, *(room / need)))
    ax.set_axis_off()
    width, height = ax.get_window_extent().size / figure.dpi / scale
    middle = extent / 2
    ax.set_xlim(middle[0] - width / 2, middle[0] + width / 2)
    ax.set_ylim(middle[1] - height / 2, middle[1] + height / 2)
    return figure, ax, scale


def _box(ax, centre, size, kind: Kind, scale: float) -> FancyBboxPatch:
    """Adds one box, with a second frame around it if its kind has one."""
    shape = "round,pad=0,rounding_size=0.09" if kind.round else "square,pad=0"
    rings = [0.0, _RING] if kind.double else [0.0]
    for ring in reversed(rings):  # the inner frame last, on top
        inner = size - 2 * _RING * kind.double + 2 * ring
        box = FancyBboxPatch(
            tuple(centre - inner / 2),
            *inner,
            boxstyle=shape,
            facecolor=kind.fill,
            edgecolor=kind.colour,
            linewidth=kind.width * max(scale, 0.6),
            linestyle=kind.dashes,
            zorder=3,
        )
        ax.add_patch(box)
    return box


def _beside_line(way, side: int, axis: int):
    """Says where a label stands beside its arrow.

    Args:
        way: (2,) float, the direction of a straight arrow; None for one that
            runs along ``axis`` there.
        side: 1 for the label above or to the left, -1 for the other.
        axis: 0 where the graph runs right, 1 where it runs down.

    Returns:
        The shift from the arrow, and the alignment of the text.
    """
    slope = np.eye(2)[axis] if way is None else way / np.abs(way).max()
    across = slope[0] * slope[1]
    x = -side * (np.sign(across) if abs(across) > 0.2 else 0)
    y = side
    if abs(slope[0]) < 0.2:
        x, y = -side, 0
    shift = _NOTE * np.array([x, y])
    return shift, {
        "ha": {-1: "right", 0: "center", 1: "left"}[int(x)],
        "va": {-1: "top", 0: "center", 1: "bottom"}[int(y)],
    }


def draw(
    labels: Sequence[str],
    kinds: Sequence[Kind],
    edges: Sequence[tuple[int, int]],
    *,
    notes: Sequence[tuple[str, str]] | None = None,
    places: Sequence[tuple[float, float]] | None = None,
    direction: str = "down",
    ax: Axes | None = None,
    title: str | None = None,
    fontsize: float = 9.5,
    limits: tuple[float, float] = (10.0, 60.0),
    math: bool = True,
) -> Artists:
    """Draws a directed acyclic graph as boxes and arrows.

    Args:
        labels: N texts, may hold several lines and mathematics.
        kinds: N looks, from ``KINDS``.
        edges: pairs (i, j) of node numbers.
        notes: per edge two texts, above and below its arrow (left and right
            of it where the graph runs down).
        places: N centres (x, y), y upwards, one unit a box and a gap; laid
            out in layers if None.
        direction: "down" or "right".
        ax: axes to draw into; a new figure of the graph's size if None.
        title: drawn above the graph.
        fontsize: in points, before the graph is scaled to fit.
        limits: largest width and height of a new figure, in inches.
        math: read ``$...$`` as mathematics.

    Returns:
        The artists. Boxes fit the labels of this call.

    Raises:
        CycleError: the edges run in a cycle, and ``places`` is None.
    """
    axis = 0 if direction == "right" else 1
    pairs = list(notes or [("", "")] * len(edges))
    small = fontsize - 1
    sizes = _measure(labels, fontsize, math) + 2 * np.array(_PAD)
    sizes += 2 * _RING * np.array([[kind.double] for kind in kinds])
    sizes = np.maximum(sizes, 0.3)
    beside = _beside(pairs, small, math, axis)
    centres, routes, middle, extent = _place(
        sizes, edges, beside, places, axis
    )
    if title and ax is None:
        extent[0] = max(extent[0], _measure([title], _TITLE, False)[0, 0])
    figure, ax, scale = _canvas(extent, ax, title, limits)
    style = {"family": FONT, "zorder": 4, "parse_math": math}
    texts, boxes, arrows, above, below = [], [], [], [], []
    for label, kind, centre, size in zip(
        labels, kinds, centres, sizes, strict=True
    ):
        boxes.append(_box(ax, centre, size, kind, scale))
        texts.append(
            ax.text(
                *centre,
                label,
                ha="center",
                va="center",
                fontsize=fontsize * scale,
                **style,
            )
        )
    for route, pair, point in zip(routes, pairs, middle, strict=True):
        arrows.append(
            FancyArrowPatch(
                path=_path(route, axis),
                arrowstyle="-|>",
                mutation_scale=10 * scale,
                linewidth=max(scale, 0.6),
                color=LINE,
                zorder=2,
            )
        )
        ax.add_patch(arrows[-1])
        way = route[-1] - route[0] if places is not None else None
        for text, side, found in zip(
            pair, (1, -1), (above, below), strict=True
        ):
            shift, aligned = _beside_line(way, side, axis)
            found.append(
                ax.text(
                    *(point + shift),
                    text,
                    fontsize=small * scale,
                    **aligned,
                    **style,
                )
            )
    return Artists(figure, ax, texts, boxes, arrows, above, below)
