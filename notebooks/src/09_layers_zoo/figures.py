"""Figures of lesson 09: windows, maps, activations, depth, softmax."""

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from helpers import plots

RED = plots.COLORS["vermillion"]


def windows(image: Tensor, kernel: Tensor, made: Tensor) -> None:
    """Show four windows in the first row, and what the map holds by then.

    Args:
        image: (height, width), at least 4 windows wide.
        kernel: (K, K).
        made: (rows, cols), the whole feature map.
    """
    K = len(kernel)
    fig, axes = plots.subplots(2, 5, width=2, height=1.15)
    plots.matrix(kernel, ax=axes[0, 0], title="kernel", signed=True, fmt="g")
    plots.matrix(made, ax=axes[1, 0], title="whole map", signed=True, fmt="g")
    for j in range(4):
        plots.matrix(
            image, ax=axes[0, j + 1], title=f"window {j}", fmt="g",
            highlight=(slice(0, K), slice(j, j + K)), limits=(-0.5, 1.3),
        )  # fmt: skip
        part = torch.full_like(made, torch.nan)
        part[0, : j + 1] = made[0, : j + 1]
        most = made.abs().max().item()
        plots.matrix(
            part, ax=axes[1, j + 1], title=f"sum = {made[0, j]:g}", fmt="g",
            highlight=(0, j), signed=True, limits=(-most, most),
        )  # fmt: skip
        for text in axes[1, j + 1].texts:
            text.set_text(text.get_text().replace("nan", ""))
    for ax in axes.flat:
        ax.tick_params(labeltop=False, labelleft=False)
    plots.show(fig)


class KernelBench:
    """An image, a 3 x 3 kernel and the map they give; `show` changes them."""

    def __init__(self, image: Tensor) -> None:
        """Image: (height, width) in [0, 1]."""
        self.image = image
        self.figure, axes = plots.subplots(1, 3, height=0.68)
        axes[0].imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
        axes[0].set_title("image")
        self.squares = axes[1].imshow(
            torch.zeros(3, 3).numpy(), cmap="RdBu_r", vmin=-3, vmax=3
        )
        axes[1].set_title("kernel")
        self.words = [
            axes[1].text(j, i, "", ha="center", va="center", fontsize=12)
            for i in range(3)
            for j in range(3)
        ]
        height, width = image.shape
        self.map = axes[2].imshow(
            torch.zeros(height - 2, width - 2).numpy(), cmap="RdBu_r"
        )
        self.title = axes[2].set_title("feature map")
        for ax in axes:
            plots.blank(ax)
            ax.title.set_fontsize(10)

    def show(self, kernel: Tensor) -> Figure:
        """Kernel: (3, 3). The map's colours span its largest number."""
        made = F.conv2d(self.image[None, None], kernel[None, None])[0, 0]
        most = made.abs().max().item()
        self.squares.set_data(kernel.numpy())
        for word, value in zip(self.words, kernel.flatten(), strict=True):
            color = "white" if value.abs() > 1.8 else "black"
            word.set(text=f"{value:g}", color=color)
        self.map.set(data=made.numpy(), clim=(-(most or 1), most or 1))
        low, high = made.min().item(), made.max().item()
        self.title.set_text(f"map: {low:.1f} to {high:.1f}")
        return self.figure


def places(size: int, K: int, settings: list[tuple[int, int]]) -> None:
    """Show where the windows lie along one side of an image.

    Args:
        size: pixels along the side.
        K: side of the window.
        settings: (stride, padding) of each picture.
    """
    fig, axes = plots.subplots(1, len(settings), width=2, height=0.75)
    for ax, (stride, padding) in zip(axes, settings, strict=True):
        starts = range(-padding, size + padding - K + 1, stride)
        seen = {p for s in starts for p in range(s, s + K)}
        for p in range(-padding, size + padding):
            inside = 0 <= p < size
            color = plots.COLORS["sky"] if inside else "white"
            missed = inside and p not in seen
            ax.add_patch(
                Rectangle((p, 0), 1, 1, fc=RED if missed else color,
                          ec="black", ls="-" if inside else ":")
            )  # fmt: skip
            word = "✗" if missed else p if inside else ""
            ax.text(p + 0.5, 0.5, word, ha="center", va="center", fontsize=9)
        for row, start in enumerate(starts):
            ax.add_patch(
                Rectangle((start + 0.08, 1.35 + 0.62 * row), K - 0.16, 0.42,
                          fc=plots.COLORS["orange"], ec="black", lw=0.8)
            )  # fmt: skip
        ax.set_title(f"stride {stride}, padding {padding}", fontsize=11)
        ax.set(xlim=(-1.3, size + 1.3), ylim=(6.5, -0.2))
        plots.blank(ax)
    plots.show(fig)


def pooling(x: Tensor, largest: Tensor, average: Tensor) -> None:
    """Show a 4 x 4 matrix in blocks, and what two kinds of pooling give."""
    fig, axes = plots.subplots(
        1, 3, width=1.4, height=0.75, width_ratios=[2, 1.2, 1.2]
    )
    plots.matrix(x, ax=axes[0], title="x (4, 4)", fmt="g")
    for top in (-0.5, 1.5):
        for left in (-0.5, 1.5):
            axes[0].add_patch(
                Rectangle((left, top), 2, 2, fill=False, lw=3, ec=RED,
                          clip_on=False, zorder=3)
            )  # fmt: skip
    limits = 0, x.max().item()
    plots.matrix(largest, ax=axes[1], title="max", fmt="g", limits=limits)
    plots.matrix(average, ax=axes[2], title="average", fmt="g", limits=limits)
    for ax in axes:
        ax.tick_params(labeltop=False, labelleft=False)
    plots.show(fig)


def activations(t: Tensor, values: dict, slopes: dict) -> None:
    """Show activation functions on the left, their derivatives right.

    Args:
        t: (N,).
        values: name to (N,).
        slopes: name to (N,).
    """
    fig, axes = plots.subplots(1, 2, width=2, height=1.15)
    for ax, series, title in (
        (axes[0], values, "activation"),
        (axes[1], slopes, "derivative"),
    ):
        lines = {name: (t.detach(), y) for name, y in series.items()}
        plots.curves(lines, ax=ax, title=title, xlabel="t")
        if old := ax.get_legend():
            old.remove()
        for text in list(ax.texts):
            text.remove()
    axes[0].set_ylim(-1.2, 3)
    axes[1].set_ylim(-0.2, 1.3)
    axes[1].axhline(0.25, color=plots.GREY, lw=0.8, ls=":")
    axes[0].legend(loc="upper left")
    plots.show(fig)


def look(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[list, list]:
    """Measure a network: how far images are apart, how large gradients are.

    Args:
        model: linear layers, with activations in between.
        x: (B, D).
        y: (B,) classes.

    Returns:
        Behind each activation, the standard deviation over the images, as a
        mean over units; for each linear layer, the norm of its gradient.
    """
    spread = []
    for layer in model:
        x = layer(x)
        if not isinstance(layer, nn.Linear):
            spread.append(x.std(dim=0).mean().item())
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    weights = [layer.weight for layer in linears]
    found = torch.autograd.grad(F.cross_entropy(x, y), weights)
    return spread, [g.norm().item() for g in found]


def depth(models: dict[str, nn.Sequential], x: Tensor, y: Tensor) -> None:
    """Show what `look` finds, by layer, on scales of powers of ten."""
    found = {name: look(model, x, y) for name, model in models.items()}
    fig, axes = plots.subplots(1, 2, width=2, height=1.15)
    titles = "how far images are apart", "gradient of the weights"
    for k, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        layers = {
            name: (torch.arange(1, len(two[k]) + 1), torch.tensor(two[k]))
            for name, two in found.items()
        }
        plots.curves(layers, ax=ax, title=title, xlabel="layer")
        ax.set_yscale("log")
        if old := ax.get_legend():
            old.remove()
        for text in list(ax.texts):
            text.remove()
    axes[0].legend(loc="lower left")
    plots.show(fig)


def softmax(z: Tensor, temperatures: list[float]) -> None:
    """Show softmax(z / T) as bars, and softmax of two logits as a curve."""
    wide = len(temperatures)
    fig, axes = plots.subplots(
        1, wide + 1, width=2, height=0.9, width_ratios=[1] * wide + [1.5]
    )
    for ax, T in zip(axes, temperatures, strict=False):
        p = F.softmax(z / T, dim=0)
        ax.bar(range(len(z)), p.numpy(), color=plots.COLORS["blue"])
        for k, value in enumerate(p.tolist()):
            ax.text(k, value + 0.02, f"{value:.2f}", ha="center", fontsize=8)
        ax.set(ylim=(0, 1.08), title=f"T = {T:g}", xticks=range(len(z)))
        ax.set_xticklabels([f"{value:g}" for value in z.tolist()], fontsize=8)
        ax.set_xlabel("logit")
        if ax is not axes[0]:
            ax.set_yticklabels([])
    d = torch.linspace(-6, 6, 121)
    pairs = torch.stack([d, torch.zeros_like(d)], dim=1)
    curves = {
        f"T = {T:g}": (d, F.softmax(pairs / T, dim=1)[:, 0])
        for T in temperatures
    }
    plots.curves(curves, ax=axes[-1], title="two logits: d and 0", xlabel="d")
    axes[-1].legend(fontsize=8, loc="upper left")
    plots.show(fig)
