"""The objects and the figures of lesson 01: glyphs, scores, folded rings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.path import Path
from torch import Tensor, nn

from helpers import plots

KINDS = ["shirt", "boot", "bag"]
OUTLINES = {  # y points up, both coordinates within ±1
    "shirt": [
        (-0.9, 0.75), (-0.35, 0.95), (0, 0.8), (0.35, 0.95), (0.9, 0.75),
        (1, 0.2), (0.6, 0.15), (0.55, -0.95), (-0.55, -0.95), (-0.6, 0.15),
        (-1, 0.2),
    ],
    "boot": [
        (-0.75, 0.95), (0.1, 0.95), (0.15, -0.15), (0.55, -0.3),
        (0.95, -0.55), (0.95, -0.95), (-0.75, -0.95),
    ],
    "bag": [
        (-0.95, 0.35), (-0.45, 0.35), (-0.4, 0.8), (-0.2, 0.95), (0.2, 0.95),
        (0.4, 0.8), (0.45, 0.35), (0.95, 0.35), (0.85, -0.95), (-0.85, -0.95),
    ],
}  # fmt: skip
HOLE = [
    (-0.3, 0.35), (-0.25, 0.7), (-0.1, 0.8), (0.1, 0.8), (0.25, 0.7),
    (0.3, 0.35),
]  # fmt: skip
DETAILS = {  # lines of the drawings
    "shirt": [
        [(-0.35, 0.95), (0, 0.55), (0.35, 0.95)],
        [(0, 0.55), (0, -0.95)],
        [(-0.6, 0.5), (-0.6, 0.15)],
        [(0.6, 0.5), (0.6, 0.15)],
    ],
    "boot": [
        [(-0.75, -0.75), (0.95, -0.75)],
        [(-0.15, 0.7), (0.1, 0.6)],
        [(-0.15, 0.4), (0.12, 0.3)],
        [(-0.15, 0.1), (0.14, 0)],
    ],
    "bag": [
        [(-0.93, 0.05), (0.93, 0.05)],
        [(-0.12, 0.05), (-0.12, -0.2), (0.12, -0.2), (0.12, 0.05)],
    ],
}
HUES = dict(zip(KINDS, ("blue", "orange", "green"), strict=True))
INNER, OUTER = plots.COLORS["blue"], plots.COLORS["vermillion"]
# Where the three axes of a cube are drawn on the page.
CUBE = torch.tensor([[0.90, -0.30], [0.42, 0.42], [0, 0.95]]).double()


# The objects


def glyph(
    kind: str,
    size: float = 9,
    shift: Sequence[float] = (0, 0),
    stretch: float = 1.0,
    pixels: int = 28,
) -> Tensor:
    """Return a silhouette: (pixels, pixels) bool, True where there is ink.

    Args:
        kind: One of `KINDS`.
        size: Half of its height, in pixels.
        shift: How far it is moved to the right and down, in pixels.
        stretch: Its width, beside that of the outline.
        pixels: Height and width of the image.
    """
    at = np.arange(pixels) - (pixels - 1) / 2
    x, y = np.meshgrid(at - shift[0], shift[1] - at)
    points = np.stack([x / (size * stretch), y / size], -1).reshape(-1, 2)
    ink = Path(OUTLINES[kind]).contains_points(points)
    if kind == "bag":
        ink &= ~Path(HOLE).contains_points(points)
    return torch.from_numpy(ink.reshape(pixels, pixels))


def silhouettes(each: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw silhouettes of any size at any place.

    Args:
        each: How many of each kind.
        seed: Of the sizes and places.

    Returns:
        (3 * each, 28, 28) bool and their kinds, (3 * each,) int64.
    """
    random = np.random.RandomState(seed)
    images = []
    for kind in KINDS:
        for _ in range(each):
            size, stretch = random.uniform(5, 10), random.uniform(0.8, 1.2)
            room = 13 - size * max(1, stretch)
            shift = random.uniform(-1, 1, 2) * room
            images.append(glyph(kind, size, shift, stretch))
    return torch.stack(images), torch.arange(3).repeat_interleave(each)


def levels() -> Figure:
    """Draw the objects three times: drawn, as glyphs, as 7 × 7 pixels."""
    fig, axes = plots.subplots(3, 3, width=1, height=1.4)
    for ax, kind in zip(axes[0], KINDS, strict=True):
        color = plots.COLORS[HUES[kind]]
        ax.add_patch(Polygon(OUTLINES[kind], fc=color, ec="black", lw=1.5))
        for line in DETAILS[kind]:
            ax.plot(*zip(*line, strict=True), "-", color="black", lw=1.5)
        if kind == "bag":
            ax.add_patch(Polygon(HOLE, fc="white", ec="black", lw=1.5))
    for ax, kind in zip(axes[1], KINDS, strict=True):
        ax.add_patch(Polygon(OUTLINES[kind], fc="black"))
        if kind == "bag":
            ax.add_patch(Polygon(HOLE, fc="white"))
    for ax in axes[:2].flat:
        ax.set(xlim=(-1.15, 1.15), ylim=(-1.1, 1.1), aspect="equal")
    for ax, kind in zip(axes[2], ("bag", "shirt", "boot"), strict=True):
        image = glyph(kind)[5:23, 5:23].double()
        small = torch.nn.functional.adaptive_avg_pool2d(image[None], 7)[0]
        ax.imshow(-small.numpy(), cmap="gray")
    for ax, name in zip(axes[:, 0], ("drawing", "glyph", "7 × 7"),
                        strict=True):  # fmt: skip
        ax.set_ylabel(name)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return fig


def differences(moved: Tensor, known: Mapping[str, Tensor]) -> Figure:
    """Lay an image over others and colour the pixels in which they differ.

    Args:
        moved: (height, width) bool.
        known: Name to image, (height, width) bool each.

    Returns:
        The figure; each title tells the number of pixels that differ.
    """
    fig, axes = plots.subplots(1, len(known) + 1, width=1.8, height=0.8)
    page = torch.ones(*moved.shape, 3)
    page[moved] = 0.0
    axes[0].imshow(page.numpy())
    axes[0].set_title("boot, moved")
    differ = torch.tensor(to_rgb(OUTER))
    for ax, (name, image) in zip(axes[1:], known.items(), strict=True):
        page = torch.ones(*moved.shape, 3)
        page[moved & image] = 0.55
        page[moved ^ image] = differ
        ax.imshow(page.numpy())
        ax.set_title(f"{name}: {(moved ^ image).sum()} differ")
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    return fig


# Hand-made features


def marks(ax: Axes, x: Tensor, labels: Tensor) -> None:
    """Draw silhouettes as points, (N, 2), a colour and mark for each kind."""
    for k, (kind, mark) in enumerate(zip(KINDS, "o^s", strict=True)):
        own, color = x[labels == k], plots.COLORS[HUES[kind]]
        ax.plot(own[:, 0], own[:, 1], mark, ms=5, label=kind, ls="none",
                color=color, mec="black", mew=0.4)  # fmt: skip


def two_scales(features: Tensor, scaled: Tensor, labels: Tensor) -> Figure:
    """Draw height and across of silhouettes, before and after scaling.

    Args:
        features: (N, 3): height, across, down.
        scaled: (N, 3), the same, standardised.
        labels: (N,) kinds.

    Returns:
        The figure; in each panel one unit is as long on both axes.
    """
    fig, axes = plots.subplots(1, 2, width=1.7, height=1)
    for ax, x, title in zip(axes, (features, scaled), ("as measured",
                            "each feature scaled"), strict=True):  # fmt: skip
        marks(ax, x, labels)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xlabel="height", ylabel="across", title=title)
    axes[0].legend()
    return fig


def score_regions(
    features: Tensor, labels: Tensor, W: Tensor, b: Tensor
) -> Figure:
    """Draw silhouettes by across and down, and where each score is largest.

    Args:
        features: (N, 2): across, down.
        labels: (N,) kinds.
        W: (2, 3).
        b: (3,).

    Returns:
        The figure.
    """
    fig, ax = plots.subplots(width=1.1, height=1.1)
    x = torch.linspace(0.3, 0.58, 200)
    y = torch.linspace(0.34, 0.66, 200)
    points = torch.cartesian_prod(x, y)
    best = (points @ W + b).argmax(1).view(200, 200).T
    colors = [plots.COLORS[HUES[kind]] for kind in KINDS]
    ax.contourf(x, y, best, levels=[-0.5, 0.5, 1.5, 2.5], colors=colors,
                alpha=0.25)  # fmt: skip
    marks(ax, features, labels)
    ax.set(xlabel="across", ylabel="down", ylim=(0.66, 0.34))
    ax.legend(loc="lower left")
    return fig


# Rings


def dots(ax: Axes, x: Tensor, labels: Tensor) -> dict[int, Line2D]:
    """Draw two groups of points, (N, 2); the points of each label."""
    drawn = {}
    for k, color, mark in ((1, OUTER, "^"), (0, INNER, "o")):
        own = x[labels == k]
        (drawn[k],) = ax.plot(own[:, 0], own[:, 1], mark, color=color, ms=3,
                              ls="none", clip_on=False)  # fmt: skip
    return drawn


def region(
    ax: Axes, net: nn.Module, edge: float = 2.5
) -> tuple[ContourSet, ContourSet]:
    """Shade where a net's score is above 0; the shades and the boundary."""
    at = torch.linspace(-edge, edge, 81)
    points = torch.cartesian_prod(at, at)
    z = net(points)[:, 0].view(81, 81).T
    shades = ax.contourf(at, at, z, levels=[-1e9, 0, 1e9],
                         colors=[INNER, OUTER], alpha=0.15)  # fmt: skip
    drawn = ax.contour(at, at, z, levels=[0], colors="black", linewidths=1.5)
    ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    return shades, drawn


def grid(edge: float, n: int) -> list[Tensor]:
    """Lines of a grid of the plane, n each way, (81, 2) each."""
    along = torch.linspace(-edge, edge, 81)
    lines = []
    for c in torch.linspace(-edge, edge, n):
        across = torch.full_like(along, c)
        lines += [torch.stack([across, along], 1)]
        lines += [torch.stack([along, across], 1)]
    return lines


def stack(widths: Sequence[int]) -> Figure:
    """Draw a net as circles, a column for each width, and all its lines."""
    fig, ax = plots.subplots(width=1.2, height=0.8)
    last = len(widths) - 1
    for k, (n, m) in enumerate(zip(widths, [*widths[1:], 0], strict=True)):
        at = [i - (n - 1) / 2 for i in range(n)]
        for i in at:
            for j in range(m):
                ax.plot([2 * k, 2 * k + 2], [i, j - (m - 1) / 2], "-",
                        color=plots.GREY, lw=0.8)  # fmt: skip
        kind = "sky" if k == 0 else "orange" if k == last else "yellow"
        ax.scatter([2 * k] * n, at, s=260, c=plots.COLORS[kind],
                   edgecolors="black", zorder=3)  # fmt: skip
        name = f"layer {k}" if k else "input"
        if k == last:
            name += ":\ntarget scores"
        ax.text(2 * k, max(widths) / 2 + 0.45, name, ha="center",
                va="bottom")  # fmt: skip
        if m:
            ax.text(2 * k + 1, -max(widths) / 2 - 0.5, f"$W_{k + 1}$",
                    ha="center", fontsize=13)  # fmt: skip
    ax.set(xlim=(-0.8, 2 * last + 0.9))
    ax.set(ylim=(-max(widths) / 2 - 0.7, max(widths) / 2 + 0.9))
    plots.blank(ax)
    return fig


def cube(ax: Axes) -> None:
    """Draw the edges of the cube [-1, 1]³ on an axes."""
    corners = torch.cartesian_prod(*3 * [torch.tensor([-1.0, 1.0])])
    for i, a in enumerate(corners):
        for b in corners[i + 1 :]:
            if (a != b).sum() == 1:
                line = torch.stack([a, b]) @ CUBE
                ax.plot(*line.T, "-", color="#AAAAAA", lw=0.8, zorder=0)
    ax.set(xlim=(-1.45, 1.45), ylim=(-1.8, 1.8), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


@torch.no_grad()
def hidden_cuts(
    nets: Mapping[int, nn.Sequential], x: Tensor, labels: Tensor
) -> Figure:
    """Draw what nets with 2 and with 3 hidden units make of the plane.

    Args:
        nets: Hidden units to net: Linear, Tanh, Linear; 2 and 3 are drawn.
        x: (N, 2).
        labels: (N,) of 0 and 1.

    Returns:
        The figure: above the plane, below the hidden space and its cut.
    """
    fig, axes = plots.subplots(2, 2, width=1.4, height=2)
    two, three = nets[2], nets[3]
    for ax, net in zip(axes[0], (two, three), strict=True):
        _, edge = region(ax, net)
        dots(ax, x, labels)
        right = ((net(x)[:, 0] > 0) == labels.bool()).sum()
        ax.set_title(f"{len(net[0].bias)} units: {right} of {len(x)}")
        ax.set(xlabel="$x_1$", ylabel="$x_2$", xticks=[-2, 0, 2],
               yticks=[-2, 0, 2])  # fmt: skip
    ax = axes[1, 0]
    dots(ax, two[:2](x), labels)
    region(ax, two[2], edge=1)
    ax.set(xlabel="unit 1", ylabel="unit 2", xticks=[-1, 0, 1],
           yticks=[-1, 0, 1], title="hidden square, straight cut")  # fmt: skip
    ax = axes[1, 1]
    cube(ax)
    for line in grid(2.5, 17):
        bent = three[:2](line) @ CUBE
        ax.plot(*bent.T, "-", color="#AAAAAA", lw=0.6)
    for line in edge.allsegs[0]:
        cut = three[:2](torch.from_numpy(line)) @ CUBE
        ax.plot(*cut.T, "-", color="black", lw=1.5)
    dots(ax, three[:2](x) @ CUBE, labels)
    ax.set(title="hidden cube, bent plane, cut", aspect="equal")
    return fig


def folding(
    net: nn.Sequential,
    snapshots: Mapping[int, Mapping],
    x: Tensor,
    labels: Tensor,
) -> Callable[..., Figure]:
    """Prepare the slider: rings after each layer of a 2-3-2-1 net.

    Args:
        net: Linear, Tanh, Linear, Tanh, Linear of widths 2, 3, 2, 1.
        snapshots: Training step to the net's `state_dict` then.
        x: (N, 2).
        labels: (N,) of 0 and 1.

    Returns:
        `draw(step)`: the plane with the boundary, layer 1 in its cube,
        layer 2 in its square with the straight cut, and the score.
    """
    fig, axes = plots.subplots(1, 4, width=2, height=0.95)
    cube(axes[1])
    axes[2].set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
    axes[3].axvline(0, color="black", ls="-", lw=1.5)
    axes[3].set(xlim=(-12, 12), ylim=(0, 200), yticks=[])
    names = ["input", "layer 1: 3 units", "layer 2: 2 units"]
    for ax, name in zip(axes, [*names, "layer 3: the score"], strict=True):
        ax.set_xlabel(name)
    for ax in axes[:3]:
        ax.set(xticks=[], yticks=[], aspect="equal")
    lines = grid(2.4, 9)
    gray = [axes[2].plot([], [], "-", color="#AAAAAA", lw=0.6) for _ in lines]
    clouds = [dots(ax, x, labels) for ax in axes[:3]]
    (cut,) = axes[2].plot([], [], "-", color="black", lw=1.5)
    heaps = [
        axes[3].stairs([0] * 24, torch.linspace(-12, 12, 25), fill=True,
                       color=color, alpha=0.7, hatch=hatch)
        for color, hatch in ((INNER, ""), (OUTER, "///"))
    ]  # fmt: skip
    title, shaded = fig.suptitle(" ", fontsize=12), []

    @torch.no_grad()
    def draw(step: int = 0) -> Figure:
        net.load_state_dict(snapshots[step])
        one, two, score = net[:2](x), net[:4](x), net(x)[:, 0]
        while shaded:
            shaded.pop().remove()
        shaded.extend(region(axes[0], net))
        for cloud, points in zip(clouds[1:], (one @ CUBE, two), strict=True):
            for k, own in cloud.items():
                own.set_data(*points[labels == k].T)
        for (artist,), line in zip(gray, lines, strict=True):
            artist.set_data(*net[:4](line).T)
        w, bias = net[4].weight[0], net[4].bias
        foot = -bias * w / (w @ w)  # the point of the line nearest to 0
        along = 3 * torch.stack([-w[1], w[0]]) / w.norm()
        cut.set_data(*torch.stack([foot - along, foot + along]).T)
        for k, heap in enumerate(heaps):
            own = score[labels == k].clamp(-11.9, 11.9)
            heap.set_data(torch.histc(own, 24, -12, 12))
        right = ((score > 0) == labels.bool()).sum()
        title.set_text(f"step {step}: {right} of {len(x)} right")
        return fig

    return draw


# The measurement


def probes(table: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw accuracies as bars: with 100 labels and with all of them."""
    fig, ax = plots.subplots(width=1.3)
    shades, hatch = (plots.COLORS["sky"], plots.COLORS["blue"]), ("//", "")
    for k, row in enumerate(table.values()):
        names = ("100 labels", "all labels")
        for j, (name, value) in enumerate(zip(names, row, strict=True)):
            at = k + 0.36 * (j - 0.5)
            look = {"color": shades[j], "hatch": hatch[j], "ec": "white"}
            ax.bar(at, value, 0.34, label=None if k else name, **look)
            ax.text(at, value + 0.01, f"{value:.2f}", ha="center", fontsize=10)
    ax.set_xticks(range(len(table)), list(table))
    ax.set(ylim=(0, 1.3), ylabel="accuracy", yticks=[0, 0.5, 1])
    ax.legend(ncols=2, loc="upper right")
    return fig
