"""The figures of lesson 04: tiles, the ladder, the roofline, a GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import plots

BLUE, ORANGE, GREEN = (plots.COLORS[c] for c in ("blue", "orange", "green"))
PALE = "#EEEEEE"
ON_THE_LEFT = {"B = 64", "lists", "tiles", "matmul"}  # where names stand
OFF_THE_LINE = {"matmul": 9, "x += y": -9, "B = 1": -9}  # up or down
GAP = 0.22  # between two matrices, in sides


def growth() -> Figure:
    """Draw operations and numbers of an n x n product over n."""
    n = 2.0 ** np.arange(4, 13)
    series = {"operations, 2n³": (n, 2 * n**3), "numbers, 3n²": (n, 3 * n**2)}
    fig = plots.curves(series, xlabel="n", ylabel="how many", xscale="log")
    (ax,) = fig.axes
    ax.set(yscale="log", xticks=[16, 64, 256, 1024, 4096])
    ax.set_xticklabels(["16", "64", "256", "1,024", "4,096"])
    ax.minorticks_off()
    for text in list(ax.texts):
        text.remove()
    ax.legend()
    return fig


# --- tiles -------------------------------------------------------------------


def _sheet(ax: Axes, left: float, top: float, n: int, name: str) -> None:
    """Draw an empty n x n matrix with its name."""
    ax.add_patch(Rectangle((left, top), n, n, facecolor=PALE, lw=0))
    lines = np.arange(n + 1)
    ax.hlines(top + lines, left, left + n, color="white", lw=0.8)
    ax.vlines(left + lines, top, top + n, color="white", lw=0.8)
    ax.add_patch(Rectangle((left, top), n, n, fill=False, lw=1))
    ax.text(left + 0.02 * n, top - 0.03 * n, name, va="bottom", fontsize=11)


def _mark(ax: Axes, left, top, width, height, color, hatch=None):
    """Draw a block on a matrix; what can be moved later."""
    patch = Rectangle(
        (left, top), width, height, facecolor=color + "AA", hatch=hatch,
        edgecolor="black", lw=1,
    )  # fmt: skip
    return ax.add_patch(patch)


def schedule(n: int = 6, t: int = 2) -> Figure:
    """Draw the first four steps of a product in tiles of t x t.

    x stands on the left of y and w above it, so that a tile of y lies in the
    rows of its tiles of x and the columns of its tiles of w.
    """
    fig, axes = plots.subplots(1, 4, width=2, height=0.95)
    far = n + GAP * n
    steps = [(0, 0), (0, t), (0, 2 * t), (t, 0)]
    for step, (ax, (j, k)) in enumerate(zip(axes, steps, strict=True)):
        plots.canvas(ax, far + n, far + n + 0.1 * n)
        ax.set_ylim(far + n + 0.1, -0.2 * n)
        _sheet(ax, 0, far, n, "x")
        _sheet(ax, far, 0, n, "w")
        _sheet(ax, far, far, n, "y")
        _mark(ax, k, far, t, t, BLUE)
        _mark(ax, far + j, k, t, t, ORANGE, "//")
        _mark(ax, far + j, far, t, t, GREEN, "..")
        if j:
            ax.text(far + t / 2, far + t / 2, "done", ha="center",
                    va="center", fontsize=8)  # fmt: skip
        ax.set_title(f"step {step + 1}")
    return fig


def loads(counted: Mapping[int, int], n: int) -> Figure:
    """Draw counted loads by the side of the tiles, and the line 2n³/t."""
    t = np.array(sorted(counted))
    fig, ax = plots.subplots()
    ax.plot(t, 2 * n**3 / t, color=BLUE, label="2n³/t")
    ax.plot(t, [counted[k] for k in t], "o", color=ORANGE, label="counted",
            markersize=9, markeredgecolor="black")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="side t of a tile",
           ylabel="numbers loaded")  # fmt: skip
    ax.set_xticks(t, [str(k) for k in t])
    ax.set_yticks(2 * n**3 / t, [f"{2 * n**3 // k:,}" for k in t])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend()
    return fig


def tiler() -> Callable[[int, int], Figure]:
    """Prepare the slider's figure; what draws a product of given n and t."""
    fig, (ax, curve) = plots.subplots(1, 2, width=1, height=0.75)
    side, far = 60, 80

    def tile(n: int = 32, t: int = 16) -> Figure:
        t = min(t, n)  # a larger tile is the whole matrix
        ax.clear()
        curve.clear()
        plots.canvas(ax, far + side, far + side)
        ax.set(xlim=(-1, far + side + 1), ylim=(far + side + 1, -12))
        unit, count = side / n, -(-n // t)
        edges = [unit * min(n, k * t) for k in range(count + 1)]
        for left, top, name in ((0, far, "x"), (far, 0, "w"), (far, far, "y")):
            ax.add_patch(Rectangle((left, top), side, side, facecolor=PALE))
            ax.text(left + 1, top - 1.5, name, va="bottom")
        wide = edges[1]
        _mark(ax, 0, far, side, wide, BLUE)
        _mark(ax, far, 0, wide, side, ORANGE, "//")
        _mark(ax, far, far, wide, wide, GREEN, "..")
        for left, top in ((0, far), (far, 0), (far, far)):
            for e in edges[1:-1] if count <= 16 else ():
                ax.hlines(top + e, left, left + side, color="black", lw=0.4)
                ax.vlines(left + e, top, top + side, color="black", lw=0.4)
            frame = Rectangle((left, top), side, side, fill=False)
            ax.add_patch(frame)
        ts = np.arange(1, n + 1)
        many = 2 * n * n * -(-n // ts)
        curve.plot(ts, many, ".", color=BLUE, markersize=4)
        now = 2 * n * n * count
        curve.plot([t], [now], "D", color=ORANGE, markersize=9,
                   markeredgecolor="black")  # fmt: skip
        curve.set(xscale="log", yscale="log", xlabel="t", ylim=(1e2, 1e7))
        curve.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        curve.minorticks_off()
        curve.grid(alpha=0.3)
        curve.set_title(f"loaded: {now:,}", fontsize=10)
        ax.set_title(f"n = {n}, each used {n**3 * 2 / now:.3g} ×", fontsize=10)
        return fig

    return tile


# --- what was measured -------------------------------------------------------


def ladder(speeds: Mapping[str, float]) -> Figure:
    """Draw GFLOP/s by name as bars on a logarithmic axis."""
    fig, ax = plots.subplots(width=1.3, height=0.95)
    names = list(speeds)
    first = speeds[names[0]]
    ax.barh(names, list(speeds.values()), color=BLUE)
    for i, name in enumerate(names):
        ax.text(speeds[name] * 1.3, i, f"× {speeds[name] / first:,.0f}",
                va="center", fontsize=10)  # fmt: skip
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="GFLOP/s",
           xlim=(first / 3, max(speeds.values()) * 60))  # fmt: skip
    return fig


def roofline(
    points: Mapping[str, tuple[float, float]], peak: float, bandwidth: float
) -> Figure:
    """Draw speeds over intensities, below a machine's two limits.

    Args:
        points: Name to (FLOPs for each byte, GFLOP/s).
        peak: Most GFLOP/s.
        bandwidth: GB/s of the memory.
    """
    fig, ax = plots.subplots(width=1.7, height=1.4)
    x = np.logspace(-2, 3.2, 200)
    lowest = min(speed for _, speed in points.values())
    ax.plot(x, np.minimum(peak, bandwidth * x), color="black", lw=2.5)
    ax.text(0.012, bandwidth, "memory: bandwidth × intensity", fontsize=10)
    ax.text(1500, peak * 1.4, "arithmetic: peak", ha="right", fontsize=10)
    colors = plots.LINE_COLORS[1:]
    for i, (name, (at, speed)) in enumerate(points.items()):
        ax.plot([at], [speed], color=colors[i % len(colors)], markersize=9,
                marker=plots.MARKERS[i % len(plots.MARKERS)],
                linestyle="none")  # fmt: skip
        left = name in ON_THE_LEFT
        up = OFF_THE_LINE.get(name, 0)
        ax.annotate(name, (at, speed), (-8 if left else 8, up),
                    textcoords="offset points", fontsize=10, va="center",
                    ha="right" if left else "left")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="intensity, FLOP for each byte",
           ylabel="GFLOP/s", xlim=(0.01, 1600),
           ylim=(lowest / 5, peak * 6))  # fmt: skip
    ax.grid(alpha=0.3)
    return fig


# --- a GPU -------------------------------------------------------------------


def gpu() -> Figure:
    """Draw y in thread blocks, a block in warps, and one of its phases."""
    n, t = 64, 16
    fig, (whole, block, phase) = plots.subplots(1, 3, width=2, height=1.25)
    plots.canvas(whole, n, n)
    whole.set(xlim=(-1, n + 1), ylim=(n + 1, -1))
    whole.add_patch(Rectangle((0, 0), n, n, facecolor=PALE, lw=0))
    for e in range(0, n + 1, t):
        whole.hlines(e, 0, n, color="black", lw=1)
        whole.vlines(e, 0, n, color="black", lw=1)
    _mark(whole, 2 * t, t, t, t, GREEN, "..")
    whole.set_title("y: 4 × 4 thread blocks")

    plots.canvas(block, t, t)
    shades = [plots.COLORS[c] for c in
              ("blue", "orange", "green", "purple")]  # fmt: skip
    for row in range(t):
        color = shades[row // 2 % 4] + "99"
        for col in range(t):
            block.add_patch(
                Rectangle((col, row), 1, 1, fc=color, lw=0.6, ec="white")
            )
    for warp in range(8):
        block.add_patch(Rectangle((0, 2 * warp), t, 2, fill=False, lw=1.2))
        block.text(t / 2, 2 * warp + 1, f"warp {warp}: 32 threads",
                   ha="center", va="center", fontsize=9,
                   bbox={"fc": "white", "lw": 0, "pad": 1})  # fmt: skip
    block.set_title("one block: 16 × 16 threads")

    far = n + 13
    plots.canvas(phase, far + n, far + n)
    phase.set(xlim=(-1, far + n + 1), ylim=(far + n + 1, -10))
    for left, top, name in ((0, far, "x"), (far, 0, "w"), (far, far, "y")):
        phase.add_patch(Rectangle((left, top), n, n, facecolor=PALE, lw=0))
        phase.add_patch(Rectangle((left, top), n, n, fill=False, lw=1))
        phase.text(left + 1, top - 2, name, va="bottom")
    for k in range(0, n, t):
        now = k == t
        strong, weak = (BLUE, ORANGE) if now else (PALE, PALE)
        _mark(phase, k, far + t, t, t, strong)
        _mark(phase, far + 2 * t, k, t, t, weak, "//" if now else None)
        number = str(k // t + 1)
        phase.text(k + t / 2, far + 1.5 * t, number, ha="center", va="center")
        phase.text(far + 2.5 * t, k + t / 2, number, ha="center", va="center")
    _mark(phase, far + 2 * t, far + t, t, t, GREEN, "..")
    phase.set_title("phase 2 of 4")
    return fig
