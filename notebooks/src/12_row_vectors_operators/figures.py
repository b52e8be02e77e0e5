"""The figures of lesson 12: stacks of rows, a letter that is moved, maps."""

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from helpers import plots

ROWS = ("sky", "orange", "green", "purple")  # a colour for each row
XS = (-6, -2, -2, 2, 2, -2, -2, 6, 6, -6)  # corners of F, counter-clockwise
YS = (-10, -10, -2, -2, 2, 2, 6, 6, 10, 10)
STEP = 0.2  # between two points of the outline
FRAME = 1.75  # reached at the sliders' ends


def change(values: Tensor, words: Sequence[str]) -> Figure:
    """Draw how much each row has changed, with its numbers.

    Args:
        values: (N, D) differences.
        words: N labels.

    Returns:
        The figure.
    """
    _, ax = plots.subplots(height=1.3)
    return plots.matrix(
        values, ax=ax, title="change of the result", rows=words, fmt=".2f",
        signed=True,
    )  # fmt: skip


def row_colors() -> Tensor:
    """Red, green and blue of four rows; (4, 3) in [0, 1]."""
    return torch.tensor([to_rgb(plots.COLORS[name]) for name in ROWS])


def stacks(
    lines: Sequence[Sequence[tuple[str, Tensor, Tensor | None]]],
    bold: int | None = None,
) -> Figure:
    """Draw matrices as stacks of coloured rows, with their numbers.

    Args:
        lines: For each line of the figure its matrices, from left to right:
            (title, (N, D) values, (N, 3) colours or None for grey).
        bold: The row whose numbers are bold in coloured matrices.

    Returns:
        The figure.
    """
    fig, axes = plots.subplots(
        len(lines), 3, width=1.2, height=0.72 * len(lines), squeeze=False
    )
    fig.get_layout_engine().set(hspace=0.1)
    tall = max(len(values) for line in lines for _, values, _ in line)
    for ax, picture in zip(axes.flat, itertools.chain(*lines), strict=True):
        _stack(ax, *picture, bold, tall)
    for line in axes:
        for ax, sign in zip(line, "@=", strict=False):
            ax.annotate(
                sign, (1.07, 0.5), xycoords="axes fraction", ha="center",
                va="center", fontsize=14,
            )  # fmt: skip
    return fig


def _stack(ax: Axes, title, values, colors, bold, tall) -> None:
    """Draw one matrix; `tall` is the number of rows of the tallest."""
    N, D = values.shape
    grey = colors is None
    shown = torch.full((N, 3), 0.9) if grey else colors
    ax.imshow(shown[:, None].expand(N, D, 3).clamp(0, 1).numpy())
    for i, j in itertools.product(range(N), range(D)):
        weight = "bold" if i == bold and not grey else "normal"
        ax.text(
            j, i, f"{values[i, j].item():.3g}", ha="center", va="center",
            weight=weight, fontsize=10,
        )  # fmt: skip
    cuts = [i + 0.5 for i in range(N - 1)]
    ax.hlines(cuts, -0.5, D - 0.5, color="white")
    ax.set(title=title, xticks=[], yticks=[], frame_on=False)
    ax.set(xlim=(D / 2 - 2.5, D / 2 + 1.5), ylim=(tall - 0.5, -0.5))


def letter() -> Tensor:
    """Points along the outline of the letter F, centred; (36, 2)."""
    corners = torch.tensor([XS, YS]).T / 10  # (10, 2)
    sides = []
    for p, q in zip(corners, corners.roll(-1, 0), strict=True):
        n = round((q - p).norm().item() / STEP)
        sides.append(p + (q - p) * torch.arange(n)[:, None] / n)  # (n, 2)
    return torch.cat(sides)


def rotation(degrees: float) -> Tensor:
    """The matrix on the right that turns rows counter-clockwise; (2, 2)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, s], [-s, c]])


def _tip(points: Tensor) -> int:
    """The row that is the upper right corner of F."""
    return (points[:, 0] + points[:, 1]).argmax().item()


def clouds(pictures: Mapping[str, Tensor]) -> Figure:
    """Draw the letter after some moves, each over the letter as it was.

    Args:
        pictures: Title to (36, 2) points: three or six.

    Returns:
        The figure, three pictures in a line.
    """
    lines = len(pictures) // 3
    fig, axes = plots.subplots(lines, 3, width=1.8, height=0.82 * lines)
    old = letter().numpy()
    tip = _tip(letter())
    for ax, (title, Z) in zip(axes.flat, pictures.items(), strict=True):
        Z = Z.numpy()
        ax.fill(*old.T, facecolor="#DDDDDD")
        ax.fill(*Z.T, facecolor=plots.COLORS["sky"], alpha=0.5)
        ax.plot(*Z.T, "o", color=plots.COLORS["blue"], markersize=2.5)
        ax.plot(*Z[tip], "^", color=plots.COLORS["vermillion"], markersize=9)
        ax.axhline(0, color="black", linewidth=0.6)
        ax.axvline(0, color="black", linewidth=0.6)
        ax.set(xlim=(-1.75, 1.75), ylim=(-1.4, 1.4), aspect="equal")
        ax.set_title(title)
    return fig


class Plane:
    """The letter under an operator that sliders change.

    Attributes:
        fig: The figure, changed by `draw`.
    """

    def __init__(self) -> None:
        self.fig, ax = plots.subplots(width=0.8, height=1.25)
        self._ax, self._letter = ax, letter()
        ends = (-FRAME, FRAME)
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        ax.fill(*self._letter.T.numpy(), facecolor="#DDDDDD")
        sky, blue = plots.COLORS["sky"], plots.COLORS["blue"]
        self._moved = ax.fill([0], [0], facecolor=sky, alpha=0.6)[0]
        self._spots = ax.plot([], [], "o", color=blue, markersize=3)[0]
        red = plots.COLORS["vermillion"]
        self._peak = ax.plot([], [], "^", color=red, markersize=11)[0]
        self._arrows = ax.quiver(
            [0, 0], [0, 0], [1, 0], [0, 1], units="xy", scale=1, width=0.035
        )
        self._arrows.set_zorder(3)
        self._words = [
            ax.text(
                0, 0, f"$e_{k}A$", ha="center", va="center", fontsize=12,
                zorder=4, bbox={"fc": "white", "ec": "none", "alpha": 0.7,
                                "pad": 1},
            )
            for k in (1, 2)
        ]  # fmt: skip

    def draw(self, op: Tensor, title: str) -> Figure:
        """Show the letter times `op`, (2, 2), and the two rows of `op`."""
        Z = (self._letter @ op).numpy()
        self._moved.set_xy(Z)
        self._spots.set_data(*Z.T)
        self._peak.set_data(*Z[_tip(self._letter), :, None])
        self._arrows.set_UVC(*op.T.numpy())
        away = op / op.norm(dim=1, keepdim=True).clamp(min=1e-9)
        for word, place in zip(self._words, op + 0.22 * away, strict=True):
            word.set_position(place.clamp(-1.6, 1.6).tolist())
        self._ax.set_title(title)
        return self.fig


def influence(maps: Mapping[str, Tensor], words: Sequence[str]) -> Figure:
    """Draw which row of the result each row of the input reaches.

    Args:
        maps: Title to (N, N) bool: row i of the result, row j of the input.
        words: N labels.

    Returns:
        The figure, the maps side by side.
    """
    fig, axes = plots.subplots(1, len(maps), width=1.8, height=1.05)
    for ax, (title, map_) in zip(axes, maps.items(), strict=True):
        ax.imshow(map_.numpy(), cmap="cividis", vmin=0, vmax=1)
        for i, j in map_.nonzero().tolist():
            ax.text(j, i, "×", ha="center", va="center")
        marks = range(len(words))
        ax.set_xticks(marks, words, rotation=90)
        ax.set_yticks(marks, words)
        ax.tick_params(length=0)
        ax.set(title=title, xlabel="row of the input")
    axes[0].set_ylabel("row of the result")
    return fig
