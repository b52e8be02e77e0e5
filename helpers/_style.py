"""The one look of all figures: colours, lines, sizes."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): eight colours that
# readers with any colour vision tell apart.
COLORS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}

DPI = 100
WIDTH, HEIGHT = 5.0, 3.2  # inches, the unit of every figure
# The label of a figure that is as large as its texts need: it differs by a
# few pixels from one version of matplotlib to the next.
FITTED = "fitted"

# Lines: yellow is left out, it does not show on white.
LINE_COLORS = [c for name, c in COLORS.items() if name != "yellow"]
DASHES = [
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (3, 1)),
    (0, (6, 1.5, 1, 1.5, 1, 1.5)),
    (0, (8, 3)),
]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def use_style() -> None:
    """Set matplotlib's parameters for the course.

    5 x 3.2 inches at 100 dpi, constrained layout, no spine at the top and
    on the right, lines that differ in colour and in dashes, `cividis` for
    amounts. Call it once, in the imports cell.
    """
    mpl.rcParams.update(
        {
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "figure.figsize": (WIDTH, HEIGHT),
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=LINE_COLORS)
            + cycler(linestyle=DASHES),
            "axes.titlesize": 12,
            "axes.labelsize": 11,
            "axes.axisbelow": True,
            "axes.unicode_minus": False,
            "font.size": 11,
            "font.family": "DejaVu Sans",
            "grid.alpha": 0.3,
            "image.cmap": "cividis",
            "image.interpolation": "nearest",
            "legend.fontsize": 10,
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
        }
    )


def subplots(
    rows: int = 1,
    cols: int = 1,
    width: float = 1,
    height: float = 1,
    **kwargs,
) -> tuple[Figure, Axes | np.ndarray]:
    """Make a figure with a grid of axes.

    The figure is not registered with pyplot: nothing shows it by itself,
    and nothing needs closing. End the cell with `plots.show(fig)`.

    Args:
        rows: Rows of axes.
        cols: Columns of axes.
        width: Width of the figure, in multiples of 5 inches.
        height: Height of the figure, in multiples of 3.2 inches.
        **kwargs: Passed on to `Figure.subplots` (`sharex`, `width_ratios`,
            `subplot_kw`, ...).

    Returns:
        The figure, and one axes or an array of axes: (cols,) or (rows,)
        where the other number is 1, otherwise (rows, cols).

    Raises:
        ValueError: If one of the four numbers is not positive.
    """
    numbers = {"rows": rows, "cols": cols, "width": width, "height": height}
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} must be positive, got {number!r}")
    fig = Figure(
        figsize=(_whole(WIDTH * width), _whole(HEIGHT * height)),
        dpi=DPI,
        layout="constrained",
    )
    return fig, fig.subplots(rows, cols, **kwargs)


def _whole(inches: float) -> float:
    """Return the inches of a whole number of pixels.

    Not a rounding error less: matplotlib 3.10 would cut off a pixel.
    """
    pixels = round(inches * DPI)
    inches = pixels / DPI
    return (
        inches if inches * DPI >= pixels else math.nextafter(inches, math.inf)
    )


def checked(fig: Figure) -> Figure:
    """Return `fig`.

    Raises:
        TypeError: If `fig` is not a figure.
    """
    if not isinstance(fig, Figure):
        raise TypeError(
            f"fig must be a matplotlib Figure, got {type(fig).__name__}"
        )
    return fig


def own_axes(
    ax: Axes | None, width: float = 1, height: float = 1
) -> tuple[Figure, Axes]:
    """Return `ax` and its figure, or a new figure with one axes.

    Raises:
        TypeError: If `ax` is neither None nor an axes.
    """
    if ax is None:
        return subplots(width=width, height=height)
    if not isinstance(ax, Axes):
        raise TypeError(
            f"ax must be a matplotlib Axes, got {type(ax).__name__}"
        )
    return ax.get_figure(root=True), ax


def blank(ax: Axes) -> None:
    """Take ticks and spines off an axes that holds a drawing."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
