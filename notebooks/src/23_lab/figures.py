"""The figures of lesson 23: a text in pieces, losses of several trainings."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import plots

LINES = (
    "The method returns an iterator over the",
    "keys. Raises ValueError, 31415926535897.",
)
FILLS = [to_rgb(plots.COLORS[c]) for c in ("sky", "orange", "yellow")]


class Pieces:
    """A text whose tokens are boxes, in one figure that is reused.

    Args:
        tokens: a text and merges to the list of its tokens.
        merges: the learned merges.
    """

    def __init__(self, tokens: Callable, merges: Sequence) -> None:
        self.tokens, self.merges = tokens, merges
        self.fig, ax = plots.subplots(width=1.5, height=0.5)
        self.ax = ax
        ax.set(xlim=(-0.2, len(LINES[0]) + 1.2), ylim=(2.2, -0.6))
        plots.blank(ax)
        self.boxes = []
        for row, line in enumerate(LINES):
            for i, letter in enumerate(line):
                box = Rectangle((i, row + 0.1), 1, 0.8, alpha=0.45)
                self.boxes.append(ax.add_patch(box))
                ax.text(i + 0.5, row + 0.5, letter, ha="center", va="center",
                        family="monospace", fontsize=12)  # fmt: skip
        self.cuts = ax.add_collection(LineCollection([], colors="black"))

    def draw(self, merges: int = 400) -> Figure:
        """Cut the text by the first so many merges."""
        boxes, cuts, count = iter(self.boxes), [], 0
        for row, line in enumerate(LINES):
            place = 0
            for token in self.tokens(line, self.merges[:merges]):
                for _ in token:
                    next(boxes).set_facecolor(FILLS[count % 3])
                cuts += [[(x, row + 0.05), (x, row + 0.95)]
                         for x in (place, place + len(token))]  # fmt: skip
                place, count = place + len(token), count + 1
        self.cuts.set_segments(cuts)
        each = sum(map(len, LINES)) / count
        self.ax.set_title(
            f"{merges} merges: {count} tokens, {each:.2f} characters each"
        )
        return self.fig


def pairs(
    rows: Mapping[str, tuple[int, float, float]],
    new: str = "colour names",
    old: str = "documentation",
    unit: str = "",
) -> Figure:
    """Draw two losses of each of several models.

    Args:
        rows: by name, a number (of trained parameters, say) and two losses.
        new: what the first loss is, which stands beside its mark.
        old: what the second loss is.
        unit: of the number.

    Returns:
        The figure: a row for each, two marks in it.
    """
    height = 0.3 + 0.1 * len(rows)
    fig, ax = plots.subplots(width=1.4, height=height)
    names = [f"{name} ({n:,}{unit})" for name, (n, _, _) in rows.items()]
    _, one, two = zip(*rows.values(), strict=True)
    places = range(len(rows))
    ax.hlines(places, one, two, color=plots.GREY, linewidth=1, linestyle=":")
    ax.plot(one, places, "o", color=plots.COLORS["blue"], label=new,
            markersize=5, zorder=3)  # fmt: skip
    ax.plot(two, places, "s", color=plots.COLORS["vermillion"],
            markerfacecolor="white", label=old)  # fmt: skip
    for loss, place in zip(one, places, strict=True):
        ax.annotate(f"{loss:.2f}", (loss, place), (0, 6), ha="center",
                    textcoords="offset points", fontsize=9)  # fmt: skip
    ax.set_yticks(places, names)
    ax.set(xlabel="held-out loss (nats per character)",
           ylim=(len(rows) - 0.5, -0.7))  # fmt: skip
    ax.set_xlim(left=1.0)
    fig.legend(loc="outside upper center", ncols=2)
    return fig
