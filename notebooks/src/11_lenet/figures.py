"""The figures of lesson 11: the way through LeNet, and curves that grow."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import plots

SLOT = 1.3  # inches for one stage, at least
SHEETS = 6  # drawn of a stack, at most
SHIFT = 0.05  # inches from sheet to sheet


def shapes(stages: Sequence[tuple[str, Sequence[int]]]) -> Figure:
    """Draw how a shape changes from layer to layer.

    A shape of three or more axes is a stack of sheets (its last two axes
    are a sheet), one of two axes a bar. Sides grow with the square root of
    the size, on one scale for all stages of one kind.

    Args:
        stages: Pairs (name, shape): first the input, then for each layer
            its name and the shape that comes out.

    Returns:
        The figure, 10 inches wide.
    """
    fig, ax = plots.subplots(width=2)
    width, height = plots.axes_inches(ax)
    across = max(1, min(len(stages), int(width / SLOT + 0.2)))
    rows = math.ceil(len(stages) / across)
    across = math.ceil(len(stages) / rows)
    slot, row = width / across, height / rows
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    plots.blank(ax)
    room = min(slot - 0.45, row - 0.75)
    largest = {
        flat: max(
            (max(s[-2:]) for _, s in stages if (len(s) < 3) == flat),
            default=1,
        )
        for flat in (True, False)
    }
    edges = []
    for k, (name, shape) in enumerate(stages):
        x, y = (k % across + 0.5) * slot, (k // across + 0.5) * row
        half, tall = _box(ax, x, y, shape, largest[len(shape) < 3], room)
        edges.append((x, y, half))
        ax.text(
            x, y - tall - 0.06, name, ha="center", va="bottom",
            fontsize=11, weight="bold",
        )  # fmt: skip
        text = str(tuple(shape))
        ax.text(
            x, y + tall + 0.06, text, ha="center", va="top",
            fontsize=min(10.5, 72 * slot * 0.97 / (0.6 * len(text))),
        )  # fmt: skip
    _arrows(ax, edges, across)
    return fig


def _box(ax: Axes, x, y, shape, largest, room) -> tuple[float, float]:
    """Draw one stage around (x, y); return half its width and height."""
    height, width = (
        max(0.07, room * math.sqrt(size / largest)) for size in shape[-2:]
    )
    sheets = min(shape[-3], SHEETS) if len(shape) > 2 else 1
    deep = SHIFT * (sheets - 1)
    color = plots.COLORS["sky" if len(shape) > 2 else "orange"]
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
    arrow = {"arrowstyle": "-|>", "color": plots.GREY, "lw": 1.4}
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
            ax.plot(*zip(*path, strict=True), color=plots.GREY, lw=1.4, ls="-")
            start = path[-1]
        ax.annotate(
            "", end, start, arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0}
        )


@contextmanager
def live(fig: Figure) -> Iterator:
    """Show a figure now and again while a loop changes its lines.

    Example:
        with figures.live(fig) as refresh:
            for step in range(100):
                line.set_data(steps, losses)
                refresh()

    The picture changes in place and takes at most about a sixth of the time;
    the last state is always shown, also after an error.

    Args:
        fig: The figure, with its lines; their limits follow the data.

    Yields:
        A function that draws the figure again, unless it just did.
    """
    handle, due = None, 0.0

    def refresh(force: bool = False) -> None:
        nonlocal handle, due
        start = time.perf_counter()
        if start < due and not force:
            return
        for ax in fig.axes:
            ax.relim()
            ax.autoscale_view()
        data, metadata = plots.bundle(fig)
        shown = {"metadata": metadata, "raw": True}
        if handle is not None:
            handle.update(data, **shown)
        elif plots.in_ipython():
            from IPython.display import display

            handle = display(data, display_id=True, **shown)
        now = time.perf_counter()
        due = now + max(0.2, 5 * (now - start))

    refresh()
    try:
        yield refresh
    finally:
        refresh(force=True)
