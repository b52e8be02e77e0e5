"""Draws a small directed acyclic graph that is given."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text

from . import _boxes

_KEYS = ("label", "kind", "color")


@dataclass(frozen=True)
class Dag:
    """A drawn graph, whose artists may be changed in place.

    Attributes:
        figure: the figure it stands in.
        ax: its axes.
        nodes: per node the ``Text`` in its box.
        boxes: per node the patch of its box.
        edges: per edge (u, v) its arrow.
        labels: per edge the ``Text`` above it (left of it in a graph that
            runs down), empty where none was given.
        below: per edge the ``Text`` below it (or right of it).
    """

    figure: Figure
    ax: Axes
    nodes: dict[Hashable, Text] = field(repr=False)
    boxes: dict[Hashable, FancyBboxPatch] = field(repr=False)
    edges: dict[tuple, FancyArrowPatch] = field(repr=False)
    labels: dict[tuple, Text] = field(repr=False)
    below: dict[tuple, Text] = field(repr=False)


def _node(name: Hashable, node) -> tuple[str, _boxes.Kind]:
    """Returns the label and the look of a node."""
    asked = {"label": node} if isinstance(node, str) else node
    if not isinstance(asked, Mapping) or not set(asked) <= set(_KEYS):
        raise ValueError(
            f"nodes[{name!r}]: expected a label, or a dict with keys of "
            f"{_KEYS}, got {node!r:.80}"
        )
    kind = asked.get("kind", "op")
    if kind not in _boxes.KINDS:
        raise ValueError(
            f"nodes[{name!r}]: expected a kind of {tuple(_boxes.KINDS)}, "
            f"got {kind!r}"
        )
    look, color = _boxes.KINDS[kind], asked.get("color")
    look = replace(look, colour=color) if color else look
    return asked.get("label", ""), look


def dag(
    nodes: Mapping[Hashable, str | Mapping[str, str]],
    edges: Iterable[Sequence],
    *,
    direction: str = "right",
    pos: Mapping[Hashable, tuple[float, float]] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    fontsize: float = 10,
    max_width: float = 10,
) -> Dag:
    """Draws a small directed acyclic graph that is given.

    Args:
        nodes: per node its label (lines, ``$mathematics$``), or a dict with
            ``label`` and, if wanted, ``kind`` ("op", "data", "param",
            "output", "accent") and ``color``. Boxes fit these labels: where
            they change later, begin with the longest.
        edges: (u, v), (u, v, label) or (u, v, label, label below).
        direction: "right" or "down".
        pos: per node (x, y), y upwards, one unit a box and a gap; laid out in
            layers if None.
        ax: axes to draw into, the graph scaled down to fit; a new figure of
            the graph's own size if None.
        title: drawn above the graph.
        fontsize: in points.
        max_width: of a new figure, in inches.

    Returns:
        The figure and its artists.

    Raises:
        ValueError: an edge joins unknown nodes or stands twice, the edges run
            in a cycle, or another argument is not one of those above.
    """
    if direction not in ("right", "down"):
        raise ValueError(
            f"direction: expected 'right' or 'down', got {direction!r}"
        )
    if not nodes:
        raise ValueError("nodes: expected at least one, got none")
    labels, kinds = zip(
        *(_node(name, node) for name, node in nodes.items()), strict=True
    )
    number = {name: k for k, name in enumerate(nodes)}
    notes = {}
    for edge in edges:
        if len(edge) < 2:
            raise ValueError(f"edges: expected pairs (u, v), got {edge!r}")
        u, v, *note = edge
        if u == v:
            raise ValueError(
                f"edges: expected no cycle, got one from {u!r} to itself"
            )
        for end in (u, v):
            if end not in number:
                raise ValueError(
                    f"edges: expected nodes of {list(number)}, got {end!r}"
                )
        if (u, v) in notes:
            raise ValueError(f"edges: expected each once, got {(u, v)} twice")
        if len(note) > 2:
            raise ValueError(
                f"edges: expected two labels at most, got {len(note)} "
                f"for {(u, v)}"
            )
        notes[u, v] = (*note, "", "")[:2]
    if pos is not None and set(pos) != set(nodes):
        raise ValueError(
            f"pos: expected a place for {list(nodes)}, got {list(pos)}"
        )
    try:
        drawn = _boxes.draw(
            labels,
            kinds,
            [(number[u], number[v]) for u, v in notes],
            notes=list(notes.values()),
            places=None if pos is None else [pos[name] for name in nodes],
            direction=direction,
            ax=ax,
            title=title,
            fontsize=fontsize,
            limits=(max_width, 60.0),
        )
    except CycleError as error:
        around = [list(nodes)[k] for k in error.args[1]]
        raise ValueError(
            f"edges: expected no cycle, got one through {around}"
        ) from None
    return Dag(
        drawn.figure,
        drawn.ax,
        dict(zip(nodes, drawn.texts, strict=True)),
        dict(zip(nodes, drawn.boxes, strict=True)),
        dict(zip(notes, drawn.arrows, strict=True)),
        dict(zip(notes, drawn.above, strict=True)),
        dict(zip(notes, drawn.below, strict=True)),
    )
