"""The figures of lesson 22: a ring, two equal curves, the time of a step."""

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from helpers import plots

FLOPS = 1e14  # a second: what one device really does
NETWORKS = {"1 Gbit/s": 1.25e8, "100 Gbit/s": 1.25e10, "NVLink": 4.5e11}
SIZES = {"124M": 1.24e8, "1.24B": 1.24e9, "7B": 7e9}
TOKENS = [2**13, 2**16, 2**19, 2**22]
MOST = 64  # processes


def ring(p: int) -> Figure:
    """Draw the chunks of p processes after each step of a ring all-reduce.

    Args:
        p: how many processes, as many as chunks.

    Returns:
        The figure: how many gradients each chunk is the sum of; framed what
        was received last.
    """
    counts = np.ones((p, p), dtype=int)
    fig, axes = plots.subplots(2, p, width=2, height=1.7)
    flat = [axes[0, 0], *axes[0, 1:], *axes[1, 1:]]
    axes[1, 0].set_axis_off()
    rank = np.arange(p)
    for step, ax in enumerate(flat):
        framed = []
        if step:
            which = (rank - step) % p  # the chunk that a rank receives
            received = counts[rank - 1, which]
            own = counts[rank, which] if step < p else 0
            counts = counts.copy()
            counts[rank, which] = received + own
            framed = [*zip(rank, which, strict=True)]
        plots.matrix(
            counts, ax=ax, limits=(0, p), fmt="d", highlight=framed,
            title=f"step {step}" if step else "start",
        )  # fmt: skip
    flat[0].set(xlabel="chunk", ylabel="rank")
    return fig


def equal_curves(one: Tensor, several: Tensor) -> Figure:
    """Draw two loss curves, (steps,) each, of which one hides the other."""
    fig, ax = plots.subplots()
    ax.plot(one, color=plots.COLORS["sky"], linewidth=6, alpha=0.6,
            label="one process, batch 64")  # fmt: skip
    ax.plot(several, color=plots.COLORS["vermillion"], linestyle="--",
            linewidth=1.5, label="two processes, 32 each")  # fmt: skip
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()
    return fig


class StepTime:
    """The time of a training step against the number of processes."""

    def __init__(self) -> None:
        self.p = np.arange(1, MOST + 1)
        self.fig, self.ax = plots.subplots()
        names = ("computing", "computing and all-reduce")
        styles = (("sky", "--"), ("vermillion", "-"))
        self.lines = [
            self.ax.plot(self.p, self.p, linestyle, label=name,
                         color=plots.COLORS[color])[0]
            for name, (color, linestyle) in zip(names, styles, strict=True)
        ]  # fmt: skip
        (self.mark,) = self.ax.plot([1], [1], "o", color="black")
        self.ax.axhline(1, color=plots.GREY, linestyle=":", linewidth=1)
        self.ax.set(
            xscale="log", yscale="log", xlabel="processes",
            xticks=2 ** np.arange(7),
            ylabel="time of a step (one process: 1)", ylim=(0.01, 300),
        )  # fmt: skip
        self.ax.set_xticklabels(2 ** np.arange(7))
        self.ax.minorticks_off()
        self.ax.legend(loc="upper right")

    def draw(
        self,
        processes: int = 8,
        tokens: int = 2**19,
        network: str = "100 Gbit/s",
        parameters: str = "124M",
    ) -> Figure:
        """Show 6PT/(pR) and 2(p - 1)/p · 4P/b, over the time at p = 1."""
        size = SIZES[parameters]
        alone = 6 * size * tokens / FLOPS  # seconds
        computing = alone / self.p
        talking = 2 * (self.p - 1) / self.p * 4 * size / NETWORKS[network]
        whole = computing + talking
        for line, y in zip(self.lines, (computing, whole), strict=True):
            line.set_ydata(y / alone)
        i = processes - 1
        self.mark.set_data([processes], [whole[i] / alone])
        self.ax.set_title(
            f"{processes} processes: {computing[i]:.2g} s + "
            f"{talking[i]:.2g} s, {alone / whole[i]:.1f} times as fast",
            fontsize=11,
        )  # fmt: skip
        return self.fig
