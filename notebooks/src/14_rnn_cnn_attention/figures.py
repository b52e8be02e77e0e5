"""Lesson 14: matrices of dependence, wiring, and the measured figure."""

from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from helpers import plots

NAMES = ("RNN", "CNN", "attention")
GREY = "#AAAAAA"


def wiring(N: int = 6) -> Figure:
    """Draw which rows each of the three joins directly; N rows."""
    fig, axes = plots.subplots(1, 3, width=2, height=0.8)
    joined = {
        "RNN": [(n, n) for n in range(N)],
        "CNN": [(m, n) for n in range(N) for m in range(N) if abs(m - n) < 2],
        "attention": [(m, n) for n in range(N) for m in range(N)],
    }
    for ax, (name, pairs) in zip(axes, joined.items(), strict=True):
        for m, n in pairs:
            last = n == N - 1
            color = plots.COLORS["vermillion"] if last else GREY
            ax.plot([m, n], [0, 1], color=color, lw=1.8 if last else 0.8)
        if name == "RNN":
            for n in range(N - 1):
                ax.annotate(
                    "", (n + 0.85, 1), (n + 0.15, 1),
                    arrowprops={"arrowstyle": "->",
                                "color": plots.COLORS["vermillion"]},
                )  # fmt: skip
        ax.plot(range(N), [0] * N, "s", color=plots.COLORS["blue"], ms=9)
        ax.plot(range(N), [1] * N, "o", color=plots.COLORS["orange"], ms=9)
        ax.set(title=name, ylim=(-0.25, 1.25), xticks=[])
        ax.set_yticks([0, 1], ["X", "Y"])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return fig


def three(matrices: Sequence[Tensor]) -> Figure:
    """Draw what row i of Y depends on, for RNN, CNN and attention.

    Args:
        matrices: three of (N, N), amounts; nothing is exactly 0.
    """
    fig, axes = plots.subplots(1, 3, width=2, height=1)
    for ax, name, amount in zip(axes, NAMES, matrices, strict=True):
        _seen(ax, amount)
        ax.set_title(f"{name}: {(amount > 0).sum()} of {amount.numel()}")
    return fig


def _seen(ax: Axes, amount: Tensor) -> None:
    """Draw amounts, cells of exactly 0 in white with a dot."""
    shown = amount.masked_fill(amount == 0, torch.nan).numpy()
    ax.imshow(shown, cmap="cividis", vmin=0)
    for i, j in (amount == 0).nonzero().tolist():
        ax.plot(j, i, ".", color=GREY, ms=3)
    ax.set(xlabel="column j: X", ylabel="row i: Y", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def chain(y: Tensor) -> int:
    """The most matrix products that stand one after the other before y."""
    steps = {"MmBackward0", "AddmmBackward0", "BmmBackward0", "MvBackward0"}
    depth: dict = {}
    stack = [(y.grad_fn, False)]
    while stack:  # a graph may be deeper than Python's recursion
        node, done = stack.pop()
        nexts = [n for n, _ in node.next_functions if n is not None]
        if done:
            before = max((depth[n] for n in nexts), default=0)
            depth[node] = before + (node.name() in steps)
        elif node not in depth:
            stack.append((node, True))
            stack += [(n, False) for n in nexts if n not in depth]
    return depth[y.grad_fn]


def explorer(layer_of: Callable, dependence: Callable) -> Callable:
    """Prepare the slider: one kind, some layers, N rows.

    Args:
        layer_of: `layer_of(kind)` gives a function of (N, 4).
        dependence: `dependence(f, x)` gives (N, N).

    Returns:
        `draw(kind, layers, N)`, which gives a figure.
    """
    fig, ax = plots.subplots(width=1, height=1.1)

    def draw(kind: str = "CNN", layers: int = 2, N: int = 12) -> Figure:
        x = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))

        def stacked(rows: Tensor) -> Tensor:
            for _ in range(layers):
                rows = layer_of(kind)(rows)
            return rows

        amount = dependence(stacked, x)
        ax.clear()
        _seen(ax, amount)
        last = int((amount[-1] > 0).sum())
        products = chain(stacked(x.requires_grad_()))
        ax.set_title(f"last row sees {last} of {N}; {products} products deep")
        return fig

    return draw


def reach(found: Mapping[str, Mapping[int, float]]) -> Figure:
    """Draw accuracy against the number of tokens, with chance.

    Args:
        found: by name, accuracy in [0, 1] for each number of tokens.
    """
    series = {
        name: (torch.tensor(list(one)), torch.tensor(list(one.values())))
        for name, one in found.items()
    }
    fig, ax = plots.subplots(width=1.4, height=1.2)
    ax.axhline(1 / 8, color="black", lw=1, ls=":")
    plots.curves(
        series, ax=ax, xlabel="tokens from the first to the last",
        ylabel="accuracy", xscale="log",
    )  # fmt: skip
    ticks = list(next(iter(found.values())))
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.text(ticks[0], 0.14, "chance", va="bottom")
    ax.set_ylim(0, 1.05)
    return fig
