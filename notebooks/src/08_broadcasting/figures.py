"""The figures of lesson 08: a fit, blocks of cubes, shapes aligned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from helpers import plots
from helpers.language import pick

# What the drill shows; its letters are the keys of the answer.
BLOCKS = {
    "20: ()": (),
    "c: (2, 4)": (2, 4),
    "A": (2, 1),
    "B": (2, 1, 4),
    "C": (4,),
    "D": (2, 2, 1),
}
PAIRS = [
    {"a": "(2, 2, 3)", "b": "(3,)"},
    {"a": "(2, 2, 3)", "b": "(2, 1)"},
    {"a": "(2, 2, 3)", "b": "(2,)"},
    {"a": "(5, 1, 4)", "b": "(3, 1)"},
]  # what the picture below the aligner shows
SLOTS = 5  # axes that the aligner shows
KINDS = ["white", "sky", "orange", "vermillion"]
NOTHING, SAME, STRETCHED, CLASH = range(4)


def training(
    losses: Sequence[float],
    inputs: torch.Tensor,
    targets: torch.Tensor,
    line: torch.Tensor,
) -> Figure:
    """Draw a loss over its steps, and the line beside the data.

    Args:
        losses: One number a step.
        inputs: (B, 1).
        targets: (B,) or (B, 1).
        line: (B, 1), what the model gives for `inputs`.

    Returns:
        The figure.
    """
    x, y, p = (t.detach().flatten().numpy() for t in (inputs, targets, line))
    fig, (curve, points) = plots.subplots(1, 2, width=1.8, height=0.9)
    curve.plot(losses)
    curve.set(xlabel="step", ylabel="loss", ylim=(0, None))
    points.plot(x, y, "o", label="data")
    points.plot(x, p, label="model")
    points.set(xlabel="x", ylabel="y", xticks=[-1, 0, 1])
    points.legend()
    return fig


def blocks() -> Figure:
    """Draw shapes stretched to (2, 2, 4): own cubes solid, others dashed."""
    solid, line = plots.COLORS["sky"], plots.COLORS["orange"]
    look = {"projection": "3d", "elev": 22, "azim": -65}
    fig, axes = plots.subplots(2, 3, 1.8, 1.2, subplot_kw=look)
    for ax, (name, shape) in zip(axes.flat, BLOCKS.items(), strict=True):
        depth, height, width = (1,) * (3 - len(shape)) + shape
        own = np.zeros((4, 2, 2), dtype=bool)  # right, back, up
        own[:width, :depth, 2 - height :] = True
        ax.voxels(~own, facecolor=line + "18", edgecolor=line, linestyle="--")
        ax.voxels(own, facecolor=solid, edgecolor="black")
        ax.set_box_aspect((4, 2, 2), zoom=1.02)
        ax.set_title(name, y=0.95)
        ax.set_axis_off()
    return fig


def column_sums(b: torch.Tensor, upstream: torch.Tensor) -> Figure:
    """Draw a row stretched, its upstream gradient, and its own gradient.

    Args:
        b: (D,).
        upstream: (N, D).

    Returns:
        The figure; the first column and its sum are outlined.
    """
    fig, (one, two, three) = plots.subplots(1, 3, width=2, height=0.7)
    plots.matrix(
        b.detach().expand_as(upstream), ax=one, title="forward: b, stretched"
    )
    sums = upstream.sum(dim=0)
    limits = 0, sums.max().item()  # one scale for G and its sums
    plots.matrix(
        upstream,
        ax=two,
        highlight=(None, 0),
        title="G = dL/dY",
        limits=limits,
    )
    plots.matrix(
        sums,
        ax=three,
        highlight=(0, 0),
        title="b.grad: column sums",
        limits=limits,
    )
    return fig


def squares(tables: Mapping[str, torch.Tensor]) -> Figure:
    """Draw tables of squared differences, (B, B) each, by their names.

    The diagonal is outlined; the titles tell its mean and that of the table.
    """
    fig, axes = plots.subplots(1, len(tables), width=2, height=1.1)
    top = max(table.max().item() for table in tables.values())
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        mean, own = table.mean().item(), table.diagonal().mean().item()
        plots.matrix(
            table,
            ax=ax,
            fmt=".0f",
            title=f"{name}: mean {mean:.2f}, diagonal {own:.2f}",
            highlight=[(n, n) for n in range(len(table))],
            limits=(0, top),
        )
        ax.set(xlabel="target j", ylabel="prediction i")
    return fig


def sizes(text: str) -> list[int]:
    """Read a shape that somebody typed; brackets may stand around it.

    Raises:
        ValueError: If it is not at most 5 sizes.
    """
    marks = dict.fromkeys("()[],，（）", " ")
    parts = text.translate(str.maketrans(marks)).split()
    if len(parts) > SLOTS or not all(
        part.isdecimal() and len(part) < 5 for part in parts
    ):
        raise ValueError(
            pick(
                f"最多写 {SLOTS} 个大小，例如 2, 1, 4；得到 {text!r}",
                f"write at most {SLOTS} sizes, such as 2, 1, 4: {text!r}",
            )
        )
    return [int(part) for part in parts]


def aligner() -> Callable[[str, str], Figure]:
    """Prepare the aligner; what draws two shapes that were typed into it."""
    fig, ax = plots.subplots(height=0.85)
    colors = ListedColormap([plots.COLORS.get(kind, kind) for kind in KINDS])
    grid = ax.pcolormesh(
        [[0] * SLOTS] * 3,
        cmap=colors,
        vmin=0,
        vmax=len(KINDS) - 1,
        edgecolor="white",
        lw=8,
    )
    words = [
        [
            ax.text(k + 0.5, i + 0.5, "", ha="center", va="center")
            for k in range(SLOTS)
        ]
        for i in range(3)
    ]
    ticks = [k + 0.5 for k in range(SLOTS)]
    ax.set_xticks(ticks, [f"axis {k}" for k in range(-SLOTS, 0)])
    ax.set_yticks(ticks[:3], ["a", "b", "result"])
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)

    def align(a: str = "2, 2, 3", b: str = "3") -> Figure:
        shapes = sizes(a), sizes(b)
        rows = [["-"] * (SLOTS - len(shape)) + shape for shape in shapes]
        kinds, found = np.zeros((3, SLOTS)), []
        for k, pair in enumerate(zip(*rows, strict=True)):
            p, q = (1 if size == "-" else size for size in pair)
            clash = p != q and 1 not in (p, q)
            result = "clash" if clash else q if p == 1 else p
            found.append(result)
            for i, size in enumerate((*pair, result)):
                same = clash or size == result
                kind = CLASH if clash else SAME if same else STRETCHED
                told = f"{size}" if same else f"{size} → {result}"
                if pair == ("-", "-"):
                    kind, told = NOTHING, ""
                kinds[i, k] = kind
                words[i][k].set_text(told)
        grid.set_array(kinds)
        shape = tuple(found[SLOTS - max(map(len, shapes)) :])
        verdict = "error" if "clash" in shape else f"fits, {shape}"
        ax.set_title(
            f"{tuple(shapes[0])} with {tuple(shapes[1])}: {verdict}",
            fontsize=10,
        )
        return fig

    return align
