"""The figures of lesson 19: brackets, weights, states, recall, slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import plots

MIDDLE = {"ha": "center", "va": "center"}
WIDE, NARROW = 2.8, 0.5  # sides of a drawn matrix: N, and D


def _box(ax, left: float, size: tuple[float, float], name: str, big: bool):
    """Draw a matrix as a rectangle; (height, width), on the middle line."""
    height, width = size
    color = plots.COLORS["vermillion" if big else "sky"]
    ax.add_patch(
        Rectangle(
            (left, 1.5 - height / 2),
            width,
            height,
            facecolor=color + "40",
            edgecolor=color,
            hatch="//" if big else None,
        )
    )
    ax.text(left + width / 2, 1.5, name, **MIDDLE)
    return left + width


def brackets(N: int, D: int) -> Figure:
    """Draw both orders of Q Kᵀ V as shapes, what lies between hatched."""
    fig, axes = plots.subplots(2, 1, width=1.8, height=1.2)
    tall, flat = (WIDE, NARROW), (NARROW, WIDE)
    sizes = {"Q": tall, "K$^T$": flat, "V": tall}
    sizes |= {"N × N": (WIDE, WIDE), "D": (NARROW, NARROW)}
    rows = [
        (
            ["(", "Q", "K$^T$", ")", "V", "=", "N × N", "V"],
            f"(Q K$^T$) V: {2 * N * N * D:,} multiply-adds, "
            f"{N} × {N} = {N * N:,} numbers in between",
        ),
        (
            ["Q", "(", "K$^T$", "V", ")", "=", "Q", "D"],
            f"Q (K$^T$ V): {2 * N * D * D:,} multiply-adds, "
            f"{D} × {D} = {D * D:,} numbers in between",
        ),
    ]
    for ax, (parts, title) in zip(axes, rows, strict=True):
        plots.canvas(ax, 11, 3)
        left = 0.3
        for name in parts:
            if name in sizes:
                big = name in ("N × N", "D")
                word = "" if name == "D" else name
                left = _box(ax, left, sizes[name], word, big) + 0.25
                if name == "D":
                    ax.text(left + 0.4, 1.5, "D × D", **MIDDLE)
            else:
                ax.text(left + 0.1, 1.5, name, size=16, **MIDDLE)
                left += 0.5
        ax.set_title(title, fontsize=10)
    return fig


def weights(maps: Mapping[str, torch.Tensor]) -> Figure:
    """Draw (N, N) similarities as weights, side by side, on one scale."""
    maps = {n: x / x.sum(dim=-1, keepdim=True) for n, x in maps.items()}
    fig, axes = plots.subplots(1, len(maps), width=2, height=0.95)
    top = max(x.max().item() for x in maps.values())
    for ax, (name, x) in zip(axes, maps.items(), strict=True):
        plots.matrix(x, ax=ax, fmt=".2f", title=name, limits=(0, top))
        ax.set(xlabel="key", ylabel="query")
    return fig


def growth(sizes: Mapping[str, Sequence[int]]) -> Figure:
    """Draw how many numbers are kept, after 1, 2, ... tokens."""
    fig, ax = plots.subplots(width=1.2)
    for name, numbers in sizes.items():
        ax.plot(range(1, len(numbers) + 1), numbers, label=name)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="tokens read", ylabel="numbers kept", ylim=(0, None))
    ax.legend()
    return fig


def memory(
    kernels: Mapping[str, Callable[[torch.Tensor], torch.Tensor]],
) -> Callable[[int, int, str], Figure]:
    """Prepare the slider: what each key of a memory reads.

    Args:
        kernels: by name, what turns dot products into weights.

    Returns:
        What draws n keys of D numbers under a kernel.
    """
    rng = torch.Generator().manual_seed(0)
    keys = torch.randn(64, 64, generator=rng)
    values = torch.randint(16, (64,), generator=rng)
    more = torch.randn(64, 64, generator=rng)
    keys = torch.cat([keys, more], dim=1)  # (64, 128)
    fig, ax = plots.subplots(width=0.98, height=1.1)
    image = ax.imshow([[1, 0], [0, 1]], cmap="RdBu_r", vmin=-1, vmax=1)
    fig.colorbar(image, ax=ax, label="weight")
    ax.set(xlabel="pair j", ylabel="read with key i")

    def draw(n: int = 64, D: int = 16, kernel: str = "x·y") -> Figure:
        k = F.normalize(keys[:n, :D], dim=-1)
        weight = kernels[kernel](k @ k.T)  # (n, n)
        read = weight @ F.one_hot(values[:n], 16).float()  # (n, 16)
        right = (read.argmax(dim=-1) == values[:n]).sum().item()
        image.set(data=weight.numpy(), extent=(-0.5, n - 0.5, n - 0.5, -0.5))
        ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
        sizes = {"x·y": 16 * D, "(x·y)²": 16 * D * D}  # else, all pairs
        kept = sizes.get(kernel, n * (D + 16))
        ax.set_title(
            f"{kernel}, D = {D}: {right} of {n} read right\n"
            f"{kept:,} numbers kept"
        )
        return fig

    return draw


def recall(pairs: Sequence[int], shares: Mapping[str, Sequence]) -> Figure:
    """Draw the share of right answers over the number of pairs."""
    fig, ax = plots.subplots(width=1.3)
    marks = ["o", "s", "^", "D"]
    for mark, (name, share) in zip(marks, shares.items(), strict=True):
        ms = 11 if mark == "o" else 6  # the first may lie below the last
        ax.plot(pairs, share, marker=mark, ms=ms, label=name)
    ax.axhline(1 / 16, color="gray", ls=":")
    ax.text(pairs[0], 1 / 16 + 0.02, "chance, 1 of 16", color="#555555")
    ax.set_xscale("log", base=2)
    ax.set_xticks(pairs, pairs)
    ax.set(xlabel="pairs", ylabel="right", ylim=(0, 1.04))
    ax.legend(loc="center left", title="numbers kept of 64 pairs")
    return fig


def slopes(
    lengths: Sequence[int],
    flops: Mapping[str, Sequence[int]],
    seconds: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw counted operations and measured times over N."""
    fig, axes = plots.subplots(1, 2, width=2, height=1.1)
    marks = ["o", "s", "^"]
    ms = {way: [1000 * s for s in line] for way, line in seconds.items()}
    for ax, lines in zip(axes, (flops, ms), strict=True):
        for mark, (name, line) in zip(marks, lines.items(), strict=True):
            ax.plot(lengths, line, marker=mark, label=name)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=4)
        ax.set_xticks(lengths, lengths)
        ax.set_xlabel("N")
        ax.minorticks_off()
    axes[0].yaxis.set_major_formatter(lambda y, _: f"{y / 1e6:,.0f}")
    axes[0].set(title="counted", ylabel="million FLOPs")
    axes[1].set(title="measured", ylabel="ms")
    axes[1].yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    axes[0].text(600, 2**29.2, "×4 a doubling")
    axes[0].text(1100, 2**23, "×2 a doubling")
    axes[0].legend()
    return fig
