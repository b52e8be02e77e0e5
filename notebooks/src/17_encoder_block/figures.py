"""Lesson 17: its number words, and its figures."""

from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from helpers import graphs, plots

DIGITS, UNITS = "零一二三四五六七八九", ["", "十", "百", "千"]
VOCAB = "·" + DIGITS + "十百千万"  # 0 is the pad


def spell(n: int) -> tuple[str, list[int]]:
    """Write a number from 1 to 99,999,999 in Chinese.

    Returns:
        The word, and for each sign its power of ten, -100 for no digit.
    """
    word, powers, zero = "", [], False
    for place in reversed(range(len(str(n)))):
        digit = n // 10**place % 10
        if digit:
            word += "零" * zero + DIGITS[digit] + UNITS[place % 4]
            powers += [-100] * zero + [place] + [-100] * (place % 4 > 0)
        zero = digit == 0
        if place == 4:
            word, powers, zero = word + "万", [*powers, -100], False
    return word, powers


def batch_of(numbers: Sequence[int], device: str) -> tuple[Tensor, Tensor]:
    """The signs of words and their powers of ten, padded; (B, N) each."""
    spelled = [spell(n) for n in numbers]
    ids = [torch.tensor([VOCAB.index(c) for c in word]) for word, _ in spelled]
    powers = [torch.tensor(p) for _, p in spelled]
    powers = pad_sequence(powers, True, -100)
    return pad_sequence(ids, True).to(device), powers.to(device)


@torch.no_grad()
def moved_rows(layer: Callable, x: Tensor, n: int = 3) -> list[int]:
    """Which rows of a layer's output move, 1, when row n of x does."""
    other = x.clone()
    other[:, n] += 1
    far = (layer(other) - layer(x)).abs().amax(dim=(0, 2))  # (N,)
    return (far > 1e-6).int().tolist()


def two_norms(x: Tensor, by_row: Tensor, by_column: Tensor) -> None:
    """Show tokens and the two ways to normalise them.

    Args:
        x: (M, D), the tokens of sentences of 3; rows of zeros are pads.
        by_row: x, each row normalised by itself; outlined is one row.
        by_column: the same by columns; outlined is one column.
    """
    real = x.abs().sum(dim=1).tolist()
    rows = [f"token {n % 3}" if r else "pad" for n, r in enumerate(real)]
    fig, axes = plots.subplots(1, 3, width=1.9, height=1.1)
    plots.matrix(x, ax=axes[0], rows=rows, title="x", signed=True)
    plots.matrix(
        by_row, ax=axes[1], title="LayerNorm: by row", fmt=".1f",
        highlight=(0, None), limits=(-2, 2), signed=True,
    )  # fmt: skip
    plots.matrix(
        by_column, ax=axes[2], title="BatchNorm: by column", fmt=".1f",
        highlight=(None, 0), limits=(-2, 2), signed=True,
    )  # fmt: skip
    plots.show(fig)


def block() -> graphs.Drawing:
    """Draw the block: two steps, each added to what came in."""
    shape = "(B, N, d_model)"
    nodes = {
        "x": {"label": f"x\n{shape}", "kind": "data"},
        "norm1": {"label": "norm1", "kind": "param"},
        "attention": {"label": f"attention\n{shape}", "kind": "accent"},
        "plus1": {"label": "+", "shape": "circle"},
        "z": {"label": f"z\n{shape}", "kind": "data"},
        "norm2": {"label": "norm2", "kind": "param"},
        "ffn": {"label": "ffn\n(B, N, 4 d_model)\ninside", "kind": "accent"},
        "plus2": {"label": "+", "shape": "circle"},
        "y": {"label": f"y\n{shape}", "kind": "output"},
    }
    edges = ["x norm1", "norm1 attention", "attention plus1", "x plus1"]
    edges += ["plus1 z", "z norm2", "norm2 ffn", "ffn plus2", "z plus2"]
    edges += ["plus2 y"]
    return graphs.dag(nodes, [edge.split() for edge in edges])


def depth(losses: Mapping[str, Sequence[float]], shares: Tensor) -> None:
    """Show losses over steps, smoothed, and the entropy of the shares."""
    guess = -(shares * shares.log()).sum().item()
    smooth = {}
    for name, series in losses.items():
        y = torch.tensor(series).unfold(0, 5, 1).mean(dim=1)
        smooth[name] = torch.arange(len(y)) + 4, y
    fig, ax = plots.subplots(width=1.4)
    ax.axhline(guess, color="black", lw=1, ls=":")
    ax.text(59, guess + 0.1, "ignoring the input", ha="right")
    plots.curves(
        smooth, ax=ax, xlabel="step", ylabel="loss (mean of 5 steps)",
        title="12 layers",
    )  # fmt: skip
    ax.set_ylim(0, 2.6)
    plots.show(fig)


def sinusoid_table(N: int, d_model: int) -> Tensor:
    """The sinusoids of positions 0 to N - 1; (N, d_model)."""
    speeds = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.outer(torch.arange(N), speeds)
    table = torch.empty(N, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


def sinusoids(table: Tensor) -> None:
    """Show a table of positions (N, D), and its dot products (N, N)."""
    fig, axes = plots.subplots(1, 2, width=1.8, height=1.1)
    shown = axes[0].imshow(table.numpy(), cmap="RdBu_r", vmin=-1, vmax=1)
    axes[0].set(xlabel="column", ylabel="position", title="the table")
    axes[0].set_aspect("auto")
    fig.colorbar(shown, ax=axes[0])
    shown = axes[1].imshow((table @ table.T).numpy(), cmap="cividis")
    axes[1].set(xlabel="position", title="dot products of its rows")
    fig.colorbar(shown, ax=axes[1])
    plots.show(fig)


def clocks(d_k: int, N: int) -> Callable[..., Figure]:
    """Prepare the pairs of a row as clock hands, and its scores.

    Args:
        d_k: the width of the row; its pairs are d_k / 2 clocks.
        N: the number of keys.

    Returns:
        `show(n, turned)`: the keys (N, d_k), all alike before they were
        turned, and the position of the query; returns the figure.
    """
    fig, axes = plots.subplots(
        1, d_k // 2 + 1, width=2, height=0.75,
        width_ratios=[1] * (d_k // 2) + [2.2],
    )  # fmt: skip
    round_ = torch.linspace(0, 2 * torch.pi, 100)
    hands = []
    for i, ax in enumerate(axes[:-1]):
        ax.plot(round_.cos(), round_.sin(), color="#999999", lw=1, ls="-")
        ax.plot([0, 1], [0, 0], color="#999999", lw=1, ls=":")
        hands += ax.plot([0, 1], [0, 0], "-", color=plots.COLORS["blue"], lw=3)
        ax.set(aspect="equal", title=f"pair {i}")
        plots.blank(ax)
    board = axes[-1]
    (line,) = board.plot(range(N), [0] * N, color=plots.COLORS["blue"])
    (mark,) = board.plot([0], [d_k / 2], "o", color=plots.COLORS["vermillion"])
    board.set(xlabel="position of the key", title="score with a query at n")
    board.set(ylim=(-d_k * 0.7, d_k * 0.7))

    def show(n: int, turned: Tensor) -> Figure:
        scores = turned @ turned[n]  # (N,)
        for hand, (x, y) in zip(hands, turned[n].view(-1, 2), strict=True):
            hand.set_data([0, x.item()], [0, y.item()])
        line.set_ydata(scores)
        mark.set_data([n], [scores[n].item()])
        return fig

    return show


def shifted(tests: Mapping[str, Mapping], places: Sequence[int]) -> None:
    """Show shares of right digits against the number of pads put in.

    Args:
        tests: where the pads are put, to model, to a share for each number.
        places: the numbers of pads.
    """
    fig, axes = plots.subplots(1, len(tests), width=1.9, sharey=True)
    for ax, (title, shares) in zip(axes, tests.items(), strict=True):
        series = {
            name: (torch.tensor(places), torch.tensor(y))
            for name, y in shares.items()
        }
        plots.curves(series, ax=ax, xlabel="pads put in", title=title)
        ax.set_ylim(0, 1.05)
    axes[0].set_ylabel("digits that are right")
    plots.show(fig)
