"""The course's figures: one style, one way to show them, and what they hold.

A cell makes a figure and ends with `show(fig)`: one PNG, 100 dpi, exactly
the figure's size, with alternative text in Chinese and English.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from PIL import Image

from ._alt import describe
from ._arrays import as_array, as_labels, ink, number_format, scale

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
GREY = "#595959"
DPI = 100
WIDTH, HEIGHT = 5.0, 3.2  # inches, the unit of every figure

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
MARKED = 12  # markers on a line, about
SMALLEST = 6.5  # points: below it, a matrix' numbers are left out


# Style, and how a figure is shown


def use_style() -> None:
    """Set matplotlib's parameters for the course, whatever they were.

    5 x 3.2 inches at 100 dpi, constrained layout, no spine at the top and
    on the right, lines that differ in colour and in dashes, `cividis` for
    amounts; black on white. Your own `font.sans-serif` is kept, behind
    DejaVu Sans: name a Chinese font there and Chinese titles are shown.
    Call it once, in the imports cell.
    """
    own_fonts = list(mpl.rcParams["font.sans-serif"])
    style.use("default")
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
            "font.family": ["DejaVu Sans", "sans-serif"],
            "font.sans-serif": own_fonts,
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
    """
    size = (_whole(WIDTH * width), _whole(HEIGHT * height))
    fig = Figure(figsize=size, dpi=DPI, layout="constrained")
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


def render(fig: Figure) -> np.ndarray:
    """Draw a figure at 100 dpi, exactly as large as the figure is.

    The figure leaves pyplot (it stays usable), so that it cannot be shown
    a second time at the end of the cell.

    Returns:
        (height, width, 3) uint8, a copy.

    Raises:
        TypeError: If `fig` is not a figure.
    """
    if not isinstance(fig, Figure):
        raise TypeError(
            f"fig must be a matplotlib Figure, got {type(fig).__name__}"
        )
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)
    if fig.dpi != DPI:
        fig.set_dpi(DPI)
    if type(fig.canvas) is not FigureCanvasAgg:
        FigureCanvasAgg(fig)
    fig.canvas.draw()
    pixels = np.asarray(fig.canvas.buffer_rgba())
    return np.ascontiguousarray(pixels[..., :3])


def encode(pixels: np.ndarray, *, quick: bool = False) -> bytes:
    """Write (height, width, 3) uint8 as PNG.

    A palette of the 256 colours that suit the picture best makes the file
    less than half as large; where `quick`, a large file is written at once.
    """
    picture = Image.fromarray(pixels)
    if not quick:
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "png", compress_level=1 if quick else 6, dpi=(DPI, DPI))
    return file.getvalue()


def bundle(fig: Figure) -> tuple[dict, dict]:
    """Return a figure as a notebook's output: its data and metadata."""
    pixels = render(fig)
    data = {"image/png": encode(pixels), "text/plain": summary(fig, pixels)}
    return data, {"image/png": {"alt": describe(fig)}}


def summary(fig: Figure, pixels: np.ndarray) -> str:
    """Return the text that stands for a picture of a figure."""
    height, width = pixels.shape[:2]
    return f"<Figure size {width}x{height} with {len(fig.axes)} Axes>"


def in_ipython() -> bool:
    """Say whether a notebook's kernel or IPython runs the code."""
    ipython = sys.modules.get("IPython")
    return bool(ipython and ipython.get_ipython())


def show(fig: Figure) -> None:
    """Show a figure as one PNG with alternative text; ends a figure cell.

    Outside of a notebook only the line of text is printed.

    Args:
        fig: The figure; it is closed.

    Raises:
        TypeError: If `fig` is not a figure.
    """
    data, metadata = bundle(fig)
    if in_ipython():
        from IPython.display import display

        display(data, metadata=metadata, raw=True)
    else:
        print(data["text/plain"])


# What drawings are made of; the figures of single lessons use it too


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
        raise TypeError(f"ax must be an Axes, got {type(ax).__name__}")
    return ax.get_figure(root=True), ax


def blank(ax: Axes) -> None:
    """Take ticks and spines off an axes that holds a drawing."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def axes_inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the place that an axes has in its figure."""
    box, size = ax.get_position(original=True), ax.figure.get_size_inches()
    return box.width * size[0], box.height * size[1]


def canvas(ax: Axes, width: float, height: float) -> float:
    """Prepare an axes for a drawing; y points down. Points per unit."""
    ax.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1))
    ax.set_aspect("equal")
    blank(ax)
    wide, high = axes_inches(ax)
    return 72 * min(wide / (width + 0.2), high / (height + 0.2))


def cells(ax: Axes, left, top, colors, words=None, points=0.0, size=1.0):
    """Draw a grid of cells on a canvas.

    Args:
        ax: Axes that `canvas` prepared.
        left: Place of the left edge.
        top: Place of the upper edge.
        colors: (M, N, 4) colours.
        words: (M, N) texts, written if they are readable, or None.
        points: Points per unit, what `canvas` returned.
        size: Side of a cell.
    """
    rows, cols = len(colors), len(colors[0])
    places = [(i, j) for i in range(rows) for j in range(cols)]
    ax.add_collection(
        PatchCollection(
            [Rectangle((left + j * size, top + i * size), size, size)
             for i, j in places],
            facecolors=[colors[i][j] for i, j in places],
            edgecolors="white",
            linewidths=1.2 if max(rows, cols) <= 16 else 0,
        )
    )  # fmt: skip
    ax.add_patch(
        Rectangle((left, top), cols * size, rows * size, fill=False, lw=1.2)
    )
    if words is None:
        return
    longest = max(len(word) for row in words for word in row)
    font = min(13, points * size * min(0.5, 1.4 / max(longest, 1)))
    for i, j in places if font >= 6 else ():
        ax.text(
            left + (j + 0.5) * size, top + (i + 0.5) * size, words[i][j],
            ha="center", va="center", fontsize=font, color=ink(colors[i][j]),
        )  # fmt: skip


# A matrix with its numbers


def matrix(
    x,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    rows: Sequence | None = None,
    cols: Sequence | None = None,
    fmt: str | None = None,
    highlight=None,
    signed: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw a matrix with its numbers in the cells.

    Numbers are written while they are readable; a larger matrix gets a
    colour bar instead.

    Args:
        x: (), (N,) or (M, N) tensor, array or list; a vector is one row.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        title: Text above.
        rows: M labels on the left; None numbers the rows.
        cols: N labels at the top; None numbers the columns.
        fmt: How a number is written, such as `".1f"`.
        highlight: What gets an outline: `(1, 2)` a cell, `(1, None)` a
            row, `(None, 2)` a column, slices for a block; or a list.
        signed: Whether zero is the middle (`RdBu_r`, otherwise `cividis`);
            None looks for negative values.
        limits: Lowest and highest value of the colours.

    Returns:
        The figure.

    Raises:
        ValueError: If `x` has more than two axes, or labels or highlights
            do not fit it.
        TypeError: If `x` does not hold real numbers.
    """
    array = as_array(x)
    if array.ndim > 2:
        raise ValueError(
            f"x must have at most 2 axes, got shape {array.shape}"
        )
    one_row, scalar = array.ndim < 2, array.ndim == 0
    array = np.atleast_2d(array)
    names = [
        as_labels(labels, count, name)
        for labels, count, name in zip(
            (rows, cols), array.shape, ("rows", "cols"), strict=True
        )
    ]
    outlines = _outlines(highlight, array.shape)
    norm, colormap = scale(array, signed, limits)
    fig, ax = own_axes(ax)
    shown = np.ma.masked_invalid(array.astype(float))
    image = ax.imshow(shown, cmap=colormap, norm=norm, aspect="equal")
    numbers = _numbers(ax, array, colormap(norm(shown)), fmt)
    if not numbers:
        fig.colorbar(image, ax=ax)
    _ticks(ax, array.shape, names, numbers)
    if one_row and rows is None:
        ax.tick_params(labelleft=False)
    if scalar and cols is None:
        ax.tick_params(labeltop=False)
    for left, top, width, height in outlines:
        ax.add_patch(
            Rectangle(
                (left, top), width, height, fill=False, linewidth=3.5,
                edgecolor=COLORS["vermillion"], clip_on=False, zorder=3,
            )
        )  # fmt: skip
    if title is not None:
        ax.set_title(title)
    return fig


def _numbers(ax: Axes, array: np.ndarray, colors, fmt) -> bool:
    """Write the numbers if they fit; say whether they do."""
    if array.size > 400:
        return False
    write = number_format(array)
    words = [
        [format(v, fmt) if fmt else write(v) for v in row]
        for row in array.tolist()
    ]
    width, height = axes_inches(ax)
    cell = 72 * min(width / array.shape[1], height / array.shape[0])
    longest = max(len(word) for row in words for word in row)
    size = min(13, cell * 0.45, cell * 0.9 / (0.62 * max(longest, 1)))
    if size < SMALLEST:
        return False
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            ax.text(
                j, i, word, ha="center", va="center", fontsize=size,
                color=ink(colors[i, j]),
            )  # fmt: skip
    return True


def _ticks(ax: Axes, shape, names, numbers: bool) -> None:
    """Label rows and columns; numbered where there are no labels."""
    ax.spines[:].set_visible(False)
    ax.tick_params(
        length=0, top=False, bottom=False, labeltop=True, labelbottom=False
    )
    ax.tick_params(which="minor", length=0)
    for axis, count, words in zip(
        (ax.yaxis, ax.xaxis), shape, names, strict=True
    ):
        if words is not None:
            axis.set_ticks(range(count), words)
        elif numbers:
            axis.set_ticks(range(count))
            axis.set_tick_params(labelcolor="#767676")
        if numbers:
            axis.set_ticks(np.arange(count + 1) - 0.5, minor=True)
    if numbers:
        ax.grid(which="minor", color="white", linewidth=1.5, alpha=1)


def _outlines(highlight, shape) -> list[tuple[float, float, int, int]]:
    """Turn highlights into rectangles (left, top, width, height)."""
    boxes = []
    items = highlight if isinstance(highlight, list) else [highlight]
    for item in items if highlight is not None else []:
        try:
            rows, cols = (
                np.atleast_1d(np.arange(n)[slice(None) if k is None else k])
                for k, n in zip(item, shape, strict=True)
            )
            boxes.append((cols[0] - 0.5, rows[0] - 0.5, len(cols), len(rows)))
        except (TypeError, ValueError, IndexError):
            raise ValueError(
                "highlight must hold (row, column) inside shape "
                f"{tuple(shape)}, None or a slice for many, got {item!r}"
            ) from None
    return boxes


# A sheet of images


def images(
    x,
    *,
    labels: Sequence | None = None,
    cols: int | None = None,
    ax: Axes | None = None,
    signed: bool = False,
    cmap: str = "gray",
    width: float = 1,
    height: float = 1,
) -> Figure:
    """Draw a sheet of images, all on the same scale.

    Args:
        x: (H, W), (N, H, W) or (N, 1, H, W) grey: uint8, or floats, which
            are scaled together where they leave [0, 1].
        labels: N words, one above each image.
        cols: Images in a row; None fills the figure.
        ax: Axes to draw into; None makes a figure.
        signed: Whether zero is the middle (filters): `RdBu_r`.
        cmap: Colour map in place of grey.
        width: Width of a new figure, in multiples of 5 inches.
        height: Height of a new figure, in multiples of 3.2 inches.

    Returns:
        The figure.

    Raises:
        ValueError: If the shape is another, or labels do not fit.
        TypeError: If `x` does not hold real numbers.
    """
    array = as_array(x)
    sheet = array[:, 0] if array.ndim == 4 and array.shape[1] == 1 else array
    sheet = sheet[None] if sheet.ndim == 2 else sheet
    if sheet.ndim != 3:
        raise ValueError(
            f"x must be (H, W), (N, H, W) or (N, 1, H, W), got {array.shape}"
        )
    sheet = sheet / 255 if sheet.dtype == np.uint8 else sheet.astype(float)
    count, rows_high, cols_wide = sheet.shape
    words = as_labels(labels, count, "labels")
    fig, ax = own_axes(ax, width, height)
    gap = max(1, round(0.06 * max(rows_high, cols_wide)))
    head = gap + (round(0.3 * rows_high) if words else 0)
    if cols is None:
        wide, high = axes_inches(ax)
        ratio = wide * (rows_high + head) / (high * (cols_wide + gap))
        cols = max(1, min(count, math.ceil(math.sqrt(count * ratio))))
        cols = math.ceil(count / math.ceil(count / cols))
    lines = math.ceil(count / cols)
    board = np.full(
        (lines * (rows_high + head), cols * (cols_wide + gap) - gap), np.nan
    )
    longest = max(map(len, words)) if words else 1
    slot = 72 * axes_inches(ax)[0] / cols  # points
    font = min(10, slot / (0.6 * max(longest, 1)))
    for k in range(count):
        top = (k // cols) * (rows_high + head) + head
        left = (k % cols) * (cols_wide + gap)
        board[top : top + rows_high, left : left + cols_wide] = sheet[k]
        if words:
            ax.text(
                left + cols_wide / 2 - 0.5, top - 0.8, words[k],
                ha="center", va="bottom", fontsize=font,
            )  # fmt: skip
    if signed:
        norm, colormap = scale(sheet, True)
    else:
        finite = sheet[np.isfinite(sheet)]
        low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
        inside = (low >= 0 and high <= 1) or low == high
        norm, colormap = scale(sheet, False, (0, 1) if inside else (low, high),
                               cmap)  # fmt: skip
    ax.imshow(board, norm=norm, cmap=colormap.with_extremes(bad="white"))
    blank(ax)
    return fig


# Curves


def curves(
    series: Mapping,
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str | None = None,
    ax: Axes | None = None,
    xscale: str = "linear",
) -> Figure:
    """Draw named curves over a common axis.

    Each curve has its own colour, dashes and marker, and its name stands
    at its right end where the curves end together but apart, otherwise in
    a legend.

    Args:
        series: Name to y (N,), or name to (x, y), (N,) each. Values of y
            that are nan or infinite leave a gap. Without x it counts from
            0.
        xlabel: Name of the horizontal axis.
        ylabel: Name of the vertical axis.
        title: Text above.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.
        xscale: "linear" or "log".

    Returns:
        The figure.

    Raises:
        ValueError: If there are no or more than 7 curves, or x and y differ
            in length.
    """
    if not 1 <= len(series) <= len(MARKERS):
        raise ValueError(
            f"series must hold 1 to {len(MARKERS)} curves, got {len(series)}"
        )
    points = {str(name): _points(name, v) for name, v in series.items()}
    fig, ax = own_axes(ax)
    for index, (name, (x, y)) in enumerate(points.items()):
        ax.plot(
            x, y, label=name, color=LINE_COLORS[index],
            linestyle=DASHES[index], marker=MARKERS[index], markersize=5,
            markevery=max(1, len(x) // MARKED),
        )  # fmt: skip
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale)
    ax.margins(x=0.02)
    if xscale == "linear" and all(
        (x == np.round(x)).all() for x, _ in points.values()
    ):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", alpha=0.3)
    if title is not None:
        ax.set_title(title)
    low, high = ax.get_ylim()
    ends = np.array([(y[-1] - low) / (high - low) for _, y in points.values()])
    together = len({x[-1] for x, _ in points.values()}) == 1
    line = 14 / 72 / axes_inches(ax)[1]  # a line of text, in axes' heights
    if not together or not (np.diff(np.sort(ends)) > line).all():
        ax.legend()
        return fig
    for index, (name, end) in enumerate(zip(points, ends, strict=True)):
        color = np.array(mpl.colors.to_rgb(LINE_COLORS[index])) * 0.7
        ax.annotate(
            name, (1.04, end), xycoords="axes fraction", va="center",
            color=color, fontsize=10, annotation_clip=False,
        )  # fmt: skip
    return fig


def _points(name: str, value) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y, (N,) each, as floats; infinite y become nan."""
    x, y = value if isinstance(value, tuple) else (None, value)
    y = as_array(y, f"series[{name!r}]").astype(float)
    x = np.arange(float(y.size)) if x is None else as_array(x).astype(float)
    if y.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"series[{name!r}] must be y (N,) or a pair (x, y) of (N,), "
            f"got shapes {x.shape} and {y.shape}"
        )
    return x, np.where(np.isfinite(y), y, np.nan)


# A tensor and its storage


def memory(x: torch.Tensor, *, ax: Axes | None = None) -> Figure:
    """Draw the storage of a tensor, and how the tensor reads it.

    At the top lies the storage, one cell after the other, numbered and
    coloured from its first to its last element; cells that the tensor
    never reads are pale. Below lies the tensor: each cell has the colour
    of the element that it reads, element `offset + i * stride[0] +
    j * stride[1]`; the arrows say how far one step along an axis goes in
    the storage.

    Args:
        x: Tensor of at most 2 axes whose storage has at most 16 elements.
        ax: Axes to draw into; None makes a figure of 5 x 3.2 inches.

    Returns:
        The figure.

    Raises:
        ValueError: If `x` has more axes, a larger storage or no elements.
        TypeError: If `x` is not a tensor of real numbers.
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"x must be a tensor, got {type(x).__name__}")
    as_array(x)  # refuses what holds no numbers
    x = x.detach()
    count = x.untyped_storage().nbytes() // x.element_size()
    if x.ndim > 2 or count > 16:
        raise ValueError(
            "x must have at most 2 axes and a storage of at most 16 "
            f"elements, got shape {tuple(x.shape)} over {count} elements"
        )
    flat = as_array(x.as_strided((count,), (1,), 0))
    where = torch.arange(count).as_strided(
        x.shape, x.stride(), x.storage_offset()
    )
    where = np.atleast_2d(where.numpy())
    norm, colormap = scale(np.arange(count))
    colors = colormap(norm(np.arange(count)))
    words = [*map(number_format(flat), flat)]
    fig, ax = own_axes(ax)
    rows, cols = where.shape
    top = 2.9  # where the tensor begins
    room = ((count - 2) / cols, (0.62 * count - top) / rows)
    size = max(1.0, min(2.2, *room))  # of a cell below; above it is 1
    width = max(count, cols * size + 1.8)
    points = canvas(ax, width, top + rows * size + 0.1)
    read = np.isin(np.arange(count), where)
    pale = np.where(read[:, None], colors, 0.12 * colors + 0.88)
    left = (width - count) / 2
    cells(ax, left, 0, [pale], [words], points)
    for k in range(count):
        ax.text(
            left + k + 0.5, 1.08, f"{k}", ha="center", va="top",
            fontsize=min(9, 0.4 * points), color=GREY,
        )  # fmt: skip
    left = (width - cols * size) / 2
    below = [[words[k] for k in row] for row in where]
    cells(ax, left, top, colors[where], below, points, size)
    arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.5, "shrinkA": 0,
             "shrinkB": 0}  # fmt: skip
    half = np.array([size / 2, 0])
    over, beside = np.array([left, top - 0.25]), np.array([left - 0.25, top])
    for axis, start, step, shift, align in (
        (-1, over, half, (0, -0.1), ("center", "bottom")),
        (-2, beside, half[::-1], (-0.15, 0), ("right", "center")),
    ):
        if x.ndim >= -axis and x.shape[axis] > 1:
            ax.annotate("", start + 3 * step, start + step, arrowprops=arrow)
            ax.text(*(start + 2 * step + shift), f"+{x.stride(axis)}",
                    ha=align[0], va=align[1], fontsize=10,
                    color=GREY)  # fmt: skip
    ax.set_title(
        f"shape {tuple(x.shape)}, stride {tuple(x.stride())}, "
        f"offset {x.storage_offset()}"
    )
    return fig
