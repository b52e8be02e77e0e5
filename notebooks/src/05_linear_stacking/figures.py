"""Figures of lesson 05, and what counts the bytes of a computation."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from helpers import graphs, plots

GB = 1e9
CENTER = {"ha": "center", "va": "center"}


def boundaries(models: dict[str, nn.Module], points: Tensor, labels: Tensor):
    """Show what each model says of the plane, and how often it is right.

    Args:
        models: name to a model, (N, 2) -> (N, 1), positive for class 1.
        points: (N, 2) float32.
        labels: (N,) 0 or 1.
    """
    low, high = points.min(dim=0).values - 0.3, points.max(dim=0).values + 0.3
    across = torch.linspace(low[0].item(), high[0].item(), 240)
    up = torch.linspace(low[1].item(), high[1].item(), 240)
    plane = torch.cartesian_prod(across, up)  # (240 * 240, 2)
    fig, axes = plots.subplots(1, len(models), width=1.7, height=1.15)
    sky, orange = plots.COLORS["sky"], plots.COLORS["orange"]
    for ax, (name, model) in zip(axes, models.items(), strict=True):
        with torch.no_grad():
            height = model(plane)[:, 0].view(240, 240).T  # rows go up
            right = ((model(points)[:, 0] > 0) == (labels > 0)).sum().item()
        grid = across.numpy(), up.numpy(), height.numpy()
        far = height.abs().max().item() + 1
        ax.contourf(*grid, [-far, 0, far], colors=[sky, orange], alpha=0.3)
        ax.contour(*grid, [0], colors="black", linewidths=2)
        for label, color, marker in ((0, sky, "o"), (1, orange, "^")):
            own = points[labels == label].numpy()
            look = {"c": color, "marker": marker, "s": 22, "ec": "black"}
            ax.scatter(own[:, 0], own[:, 1], lw=0.5, **look)
        ax.set_title(f"{name}\n{right} of {len(points)} right")
        ax.set(aspect="equal", xlabel="feature 0")
    axes[0].set_ylabel("feature 1")
    plots.show(fig)


def layouts(x: Tensor, weight: Tensor, y: Tensor) -> None:
    """Show x, W, weight and y; outlined is what y[0, 1] is made of."""
    fig, axes = plots.subplots(1, 4, width=2, width_ratios=[5, 3, 5, 3])
    plots.matrix(x, ax=axes[0], highlight=(0, None), title="x (2, 5)")
    plots.matrix(weight.T, ax=axes[1], highlight=(None, 1), title="W (5, 3)")
    name = "weight (3, 5)"
    plots.matrix(weight, ax=axes[2], highlight=(1, None), title=name)
    name = "y = xW + b (2, 3)"
    plots.matrix(y, ax=axes[3], highlight=(0, 1), title=name)
    plots.show(fig)


def flatten_and_back() -> None:
    """Show (2, 3, 4) as 6 rows, times W of (4, 5), and as (2, 3, 5)."""
    palette = ["sky", "orange", "green", "yellow", "purple", "vermillion"]
    fig, ax = plots.subplots(width=2, height=0.95)

    def sheet(left, top, names, width, title):
        for i, name in enumerate(names):
            known = name in range(6)
            color = plots.COLORS[palette[name]] if known else "white"
            for j in range(width):
                corner = left + j, top + i
                ax.add_patch(Rectangle(corner, 1, 1, fc=color, ec="black"))
                ax.text(left + j + 0.5, top + i + 0.5, name, **CENTER)
        ax.text(left + width / 2, top - 0.3, title, ha="center")

    for n, top, names in ((0, 0, range(3)), (1, 4.4, range(3, 6))):
        sheet(0, top, names, 4, f"x[{n}]  (3, 4)")
        sheet(27.8, top, names, 5, f"y[{n}]  (3, 5)")
    sheet(7.4, 0.7, range(6), 4, "rows  (6, 4)")
    sheet(13, 1.7, ["W"] * 4, 5, "W  (4, 5)")
    sheet(19.6, 0.7, range(6), 5, "rows @ W  (6, 5)")
    signs = {5.7: "flatten\n→", 12.2: "@", 18.8: "=", 26.2: "unflatten\n→"}
    for left, sign in signs.items():
        ax.text(left, 3.7, sign, fontsize=12, **CENTER)
    ax.set(xlim=(-0.2, 33), ylim=(7.6, -1.3), aspect="equal")
    ax.set_axis_off()
    plots.show(fig)


def two_ways() -> graphs.Drawing:
    """Draw the two ways from X to Y2: through two layers, through one."""
    one = "X (W₁ W₂) + (b₁ W₂ + b₂)"
    nodes = {
        "X": {"label": "X\n(128, 20)", "kind": "data"},
        "m1": f"m1: {21 * 30} parameters\nX W₁ + b₁",
        "Y1": {"label": "Y1\n(128, 30)", "kind": "data"},
        "m2": f"m2: {31 * 40:,} parameters\nY₁ W₂ + b₂",
        "one": {"label": f"one: {21 * 40} parameters\n{one}",
                "kind": "accent"},
        "Y2": {"label": "Y2\n(128, 40)", "kind": "output"},
    }  # fmt: skip
    edges = ["X m1", "m1 Y1", "Y1 m2", "m2 Y2", "X one", "one Y2"]
    return graphs.dag(nodes, [edge.split() for edge in edges])


class _Alive(TorchDispatchMode):
    """Keeps the largest number of bytes that were held at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.peak = {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        made = result if isinstance(result, list | tuple) else [result]
        for tensor in made:
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.held[StorageWeakRef(storage)] = storage.nbytes()
        gone = [ref for ref in self.held if ref.expired()]
        for ref in gone:
            del self.held[ref]
        self.peak = max(self.peak, sum(self.held.values()))
        return result


def peak(run, *shape: int) -> float:
    """Return the GB that were held at most while `run(x)` computed.

    x, float32 of this shape, counts too; it lies on the meta device, like
    all that is made from it, so that no byte is really taken.
    """
    with torch.no_grad(), _Alive() as alive:
        run(torch.empty(shape, device="meta"))
    return alive.peak / GB


def held(x: int, y1: int, y2: int) -> None:
    """Show what three ways to compute y2 hold at their peak, from bytes."""
    x, y1, y2 = x / GB, y1 / GB, y2 / GB
    part = (y1 + y2) / 128
    ways = {
        "at_once": [("x", x), ("y1", y1), ("y2", y2)],
        "by_cat": [("x", x), ("128 parts", y2), ("result", y2)],
        "into_result": [("x", x), ("result", y2), ("", part)],
    }
    look = {"x": "sky", "y1": "yellow", "y2": "green", "result": "green"}
    look |= {"128 parts": "orange", "": "vermillion"}
    fig, ax = plots.subplots(width=1.5, height=0.8)
    for name, pieces in ways.items():
        left = 0.0
        for what, size in pieces:
            color = plots.COLORS[look[what]]
            ax.barh(name, size, left=left, color=color, ec="black")
            words = f"{what}\n{size:.2f}" if what else ""
            ax.text(left + size / 2, name, words, fontsize=9, **CENTER)
            left += size
        more = "" if pieces[-1][0] else ", one part in red"
        ax.text(left + 0.08, name, f"{left:.2f} GB{more}", va="center")
    ax.set(xlabel="GB held at the peak", xlim=(0, 7.4))
    ax.invert_yaxis()
    plots.show(fig)


class Gauge:
    """Bars of bytes on one scale; made once, changed by `show`."""

    def __init__(self) -> None:
        self.figure, self.ax = plots.subplots(height=0.9)
        self.bars, self.notes = [], []

    def show(self, sizes: dict[str, tuple[str, int]]) -> Figure:
        """Set the bars: name to (what is written beside it, bytes)."""
        if not self.bars:
            names = [*sizes][::-1]
            colors = [plots.COLORS[c] for c in
                      ("vermillion", "green", "orange", "sky")]  # fmt: skip
            self.bars = self.ax.barh(names, [1.0] * 4, color=colors)
            self.notes = [
                self.ax.text(0, k, "", va="center", fontsize=8.5)
                for k in range(4)
            ]
            self.ax.set(xlim=(0, 11), xlabel="GB")
        rows = zip(self.bars, self.notes, [*sizes.values()][::-1], strict=True)
        for bar, note, (words, size) in rows:
            bar.set_width(size / GB)
            note.set(x=size / GB + 0.1, text=f"{words}\n{size:,} bytes")
        return self.figure
