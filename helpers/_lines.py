"""Curves, told apart by colour, dashes, markers and their names."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ._arrays import as_array
from ._style import DASHES, LINE_COLORS, MARKERS, own_axes

MARKED = 12  # markers on a line, about


def curves(
    series: Mapping,
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str | None = None,
    ax: Axes | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    legend: bool | None = None,
) -> Figure:
    """Draw named curves over a common axis.

    Each curve has its own colour, dashes and marker, and its name stands
    at its right end where the curves end together, otherwise in a legend.

    Args:
        series: Name to y (N,), or name to (x, y), (N,) each. Values of y
            that are nan or infinite leave a gap. Without x it counts from
            0.
        xlabel: Name of the horizontal axis.
        ylabel: Name of the vertical axis.
        title: Text above.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        xscale: "linear" or "log".
        yscale: "linear" or "log".
        legend: True: a legend; False: neither; None: names at the ends
            where possible.

    Returns:
        The figure.

    Raises:
        TypeError: If `series` is not a mapping or does not hold numbers.
        ValueError: If it is empty, has more than 7 curves, or x and y
            differ in length.
    """
    if not isinstance(series, Mapping):
        raise TypeError(
            "series must be a dict from names to values, got "
            f"{type(series).__name__}"
        )
    if not 1 <= len(series) <= len(MARKERS):
        raise ValueError(
            f"series must hold 1 to {len(MARKERS)} curves, got {len(series)}"
        )
    points = {str(k): _points(str(k), v) for k, v in series.items()}
    fig, ax = own_axes(ax)
    for index, (name, (x, y)) in enumerate(points.items()):
        ax.plot(
            x, y, label=name, color=LINE_COLORS[index],
            linestyle=DASHES[index], marker=MARKERS[index], markersize=5,
            markevery=max(1, len(x) // MARKED),
        )  # fmt: skip
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    ax.margins(x=0.02)
    if xscale == "linear" and all(
        (x == np.round(x)).all() for x, _ in points.values()
    ):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", alpha=0.3)
    if title is not None:
        ax.set_title(title)
    if legend is None:
        ends = [x[-1] for x, _ in points.values()]
        span = np.subtract(*ax.get_xlim()[::-1])
        last = [y[-1] for _, y in points.values()]
        drawn = all(np.isfinite(last)) and (yscale != "log" or min(last) > 0)
        legend = not drawn or max(ends) - min(ends) > 0.05 * span
        if not legend:
            _end_labels(ax, points)
    if legend:
        ax.legend()
    return fig


def _points(name: str, value) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y, (N,) each, as floats; infinite y become nan."""
    name = f"series[{name!r}]"
    parts = ()
    if isinstance(value, tuple) and len(value) == 2:
        parts = [as_array(part, name) for part in value]
    if parts and all(part.ndim == 1 for part in parts):
        x, y = parts
    else:
        y = as_array(value, name)
        x = np.arange(len(y)) if y.ndim else y
    if y.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"{name} must be y (N,) or a pair (x, y) of (N,), "
            f"got shapes {x.shape} and {y.shape}"
        )
    y = y.astype(float)
    return x.astype(float), np.where(np.isfinite(y), y, np.nan)


def _end_labels(ax: Axes, points: Mapping) -> None:
    """Write the names beside the ends, moved apart where they touch."""
    to_axes = ax.transData + ax.transAxes.inverted()
    ends = {
        name: float(to_axes.transform((x[-1], y[-1]))[1])
        for name, (x, y) in points.items()
    }
    height = ax.get_position(original=True).height
    inches = height * ax.figure.get_size_inches()[1]
    size = mpl.rcParams["legend.fontsize"]
    size = size if isinstance(size, int | float) else 10
    spots = _apart(sorted(ends.values()), 1.25 * size / 72 / inches)
    for (name, end), spot in zip(
        sorted(ends.items(), key=lambda item: item[1]), spots, strict=True
    ):
        index = list(points).index(name)
        color = np.array(mpl.colors.to_rgb(LINE_COLORS[index])) * 0.7
        moved = abs(spot - end) > 0.01
        ax.annotate(
            name, (1.0, end), (1.04, spot), "axes fraction", "axes fraction",
            va="center", color=color, fontsize=size, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 0.8,
                        "shrinkA": 0, "shrinkB": 0} if moved else None,
        )  # fmt: skip


def _apart(spots: list[float], gap: float) -> list[float]:
    """Move sorted spots in [0, 1] until neighbours are `gap` apart."""
    moved = np.array(spots)
    for _ in range(100):
        near = gap - np.diff(moved)
        if (near <= 1e-6).all():
            break
        push = np.clip(near, 0, None) / 2
        moved[:-1] -= push
        moved[1:] += push
        moved = np.clip(moved, 0, 1)
    return moved.tolist()
