"""The figures of lesson 14: what a row depends on, and what is recalled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from helpers import plots

SCALE = LogNorm(1e-4, 10)  # of the size of a derivative
N = 6  # rows in a drawing of the wiring


def _visible(D: Tensor) -> np.ma.MaskedArray:
    """Sizes of derivatives with exact zeros left out, drawn as white."""
    x = D.detach().cpu().double().numpy()
    return np.ma.masked_equal(np.where(x == 0, 0, x.clip(1e-4, 10)), 0)


def _map(ax: Axes, D: Tensor, title: str, norm: LogNorm = SCALE):
    """Draw which row of Y depends on which row of X, by colour."""
    image = ax.imshow(_visible(D), cmap="cividis", norm=norm)
    n = len(D)
    ax.set(xticks=range(0, n, 2), yticks=range(0, n, 2), title=title)
    ax.set(xlabel="row of X", ylabel="row of Y")
    ax.spines[:].set_visible(True)
    return image


def learning(hits: Mapping[str, Sequence[float]], window: int = 20) -> Figure:
    """Draw the share of right answers in training, means of some steps."""
    fig, ax = plots.subplots(width=1.3, height=0.9)
    for name, line in hits.items():
        means = np.convolve(line, np.full(window, 1 / window), mode="valid")
        ax.plot(np.arange(len(means)) + window, means, label=name)
    _chance(ax, window)
    ax.set(xlabel=f"step (mean of {window})", ylabel="right", ylim=(0, 1.05))
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    return fig


def _chance(ax: Axes, left: float) -> None:
    ax.axhline(1 / 8, color=plots.GREY, ls=":", lw=1.2)
    ax.text(left, 0.05, "chance, 1 of 8", color=plots.GREY, fontsize=9)


def fading(D: Tensor) -> Figure:
    """Draw a matrix of dependence, and its last row over the distance."""
    fig, axes = plots.subplots(1, 2, width=1.9)
    norm = LogNorm(float(D[D > 0].min()), float(D.max()))
    image = _map(axes[0], D, "size of the derivative", norm)
    fig.colorbar(image, ax=axes[0], shrink=0.8)
    last = D[-1].flip(0).tolist()
    axes[1].semilogy(last, marker="o")
    axes[1].set(xlabel="distance", title=f"row {len(D) - 1} of Y")
    axes[1].grid(axis="y", alpha=0.3)
    return fig


def _arrow(ax: Axes, start, end, color: str, bend: float = 0) -> None:
    ax.annotate(
        "", end, start,
        arrowprops={
            "arrowstyle": "-|>", "color": color, "lw": 1.3,
            "shrinkA": 9, "shrinkB": 9,
            "connectionstyle": f"arc3,rad={bend}",
        },
    )  # fmt: skip


def _wiring(ax: Axes, name: str) -> None:
    """Draw how row 4 of Y reaches the rows of X; the others in grey."""
    pale, dark = "#bbbbbb", plots.COLORS["blue"]
    for i in [*range(N - 2), N - 1, N - 2]:
        on_path = i <= N - 2 if name == "RNN" else i == N - 2
        color = dark if on_path else pale
        sources = {"RNN": [i], "CNN": [i - 1, i, i + 1], "attention": range(N)}
        for j in sources[name]:
            if 0 <= j < N:
                _arrow(ax, (j, 0), (i, 1), color)
        if name == "RNN" and i:
            _arrow(ax, (i - 1, 1), (i, 1), color)
    for i in range(N):
        for y, letter in enumerate("XY"):
            ax.text(
                i, y, f"${letter}_{i}$", ha="center", va="center",
                fontsize=10, zorder=3,
                bbox={"boxstyle": "circle", "fc": "white", "ec": "black"},
            )  # fmt: skip
    ax.set(xlim=(-0.5, N - 0.5), ylim=(-0.35, 1.35), title=name)
    plots.blank(ax)


def three(maps: Mapping[str, Tensor]) -> Figure:
    """Draw the wiring of RNN, CNN, attention above what was measured."""
    fig, axes = plots.subplots(
        2, 3, width=2.1, height=1.75, height_ratios=[1, 1.7]
    )
    for (above, below), (name, D) in zip(axes.T, maps.items(), strict=True):
        _wiring(above, name)
        image = _map(below, D, f"{int((D == 0).sum())} of {D.numel()} are 0")
    fig.colorbar(image, ax=axes[1], shrink=0.8, extend="min")
    return fig


def explorer(measure: Callable[[str, int, int], Tensor]):
    """Prepare the slider: `measure(model, layers, N)` as a map.

    Returns:
        What draws the dependence of a model.
    """
    fig, ax = plots.subplots(width=0.98, height=1.2)
    image = _map(ax, measure("CNN", 1, 4), "")
    fig.colorbar(image, ax=ax, label="size of the derivative", extend="min")

    def draw(model: str = "CNN", layers: int = 1, N: int = 12) -> Figure:
        D = measure(model, layers, N)
        edge = N - 0.5
        image.set(data=_visible(D), extent=(-0.5, edge, edge, -0.5))
        ax.set(xlim=(-0.5, edge), ylim=(edge, -0.5))
        ax.set(xticks=range(0, N, 2), yticks=range(0, N, 2))
        seen = int((D[-1] > 0).sum())
        ax.set_title(f"the last row sees {seen} of {N}")
        return fig

    return draw


def recall(
    found: Mapping[str, Mapping[int, float]], counts: Mapping[int, float]
) -> Figure:
    """Draw the share of right answers over the length, model by model.

    Args:
        found: by name, length to share.
        counts: length to the share that counting alone can reach.
    """
    fig, ax = plots.subplots(width=1.9, height=1.35)
    for k, (name, line) in enumerate(found.items()):
        look = {"color": plots.LINE_COLORS[k], "ls": plots.DASHES[k]}
        look |= {
            "marker": plots.MARKERS[k],
            "ms": 6 + 1.5 * k,
            "zorder": 9 - k,
        }
        ax.plot(line.keys(), line.values(), label=name, **look)
    ax.plot(
        counts.keys(), counts.values(), color=plots.GREY, lw=6, alpha=0.35,
        label="counting only (computed)", zorder=0,
    )  # fmt: skip
    _chance(ax, 2.8)
    ax.set_xscale("log", base=2)
    ticks = [3, 4, 6, 7, 8, 16, 32, 64]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(xlabel="tokens; the first is asked for after the last")
    ax.set(ylabel="right", ylim=(0, 1.05))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), labelspacing=0.8)
    return fig


def seats(right: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the share of right answers at each seat, model by model."""
    fig, ax = plots.subplots(width=1.4, height=0.9)
    for k, (name, line) in enumerate(right.items()):
        place = np.arange(len(line)) + 0.4 * k - 0.2
        look = {"color": plots.LINE_COLORS[k], "hatch": ["", "//"][k]}
        ax.bar(place, line, width=0.38, edgecolor="white", label=name, **look)
    _chance(ax, 7.6)
    ax.set(xlabel="seat", ylabel="right", ylim=(0, 1.05), xticks=range(8))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig
