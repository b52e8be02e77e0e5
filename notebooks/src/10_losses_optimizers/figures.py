"""The figures of lesson 10: losses and gradients, paths, the race."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from helpers import plots


def losses() -> Figure:
    """Draw L1 and MSE over the error, and gradients of BCE and MSE."""
    fig, axes = plots.subplots(1, 2, width=1.8)
    error = torch.linspace(-3, 3, 61)
    both = {"MSE": (error, error**2), "L1": (error, error.abs())}
    plots.curves(both, ax=axes[0], xlabel="error  x − t", ylabel="loss")
    z = torch.linspace(-10, 10, 81)
    p = z.sigmoid()
    slopes = {
        "BCE with logits": (z, p - 1),
        "MSE of sigmoid(z)": (z, 2 * (p - 1) * p * (1 - p)),
    }
    plots.curves(slopes, ax=axes[1], xlabel="logit z, target 1",
                 ylabel="gradient with respect to z")  # fmt: skip
    return fig


# --- paths on a bowl --------------------------------------------------------

STEPS = 80
KAPPA = 30.0  # the larger curvature over the smaller
START = torch.tensor([0.9, 0.55], dtype=torch.float64)
RATES = {
    "SGD": (0.006, 0.06, 0.068),
    "momentum": (0.001, 0.012, 0.12),
    "Adam": (0.02, 0.15, 0.8),
}
NAMES = {"SGD": "SGD", "momentum": "momentum 0.8", "Adam": "Adam"}
OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.8}),
    "Adam": (torch.optim.Adam, {}),
}


def turned(degrees: float) -> Tensor:
    """The matrix of a turn, (2, 2) float64."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, s], [-s, c]], dtype=torch.float64)


def path(optimizer: str, turn: float, lr: float) -> Tensor:
    """Where an optimizer goes on the bowl, (STEPS + 1, 2).

    The bowl is u² / 2 + KAPPA v² / 2 in axes turned by `turn` degrees, and
    so is the start.
    """
    R = turned(turn)
    curvature = torch.tensor([1.0, KAPPA], dtype=torch.float64)
    kind, options = OPTIMIZERS[optimizer]
    theta = (START @ R).requires_grad_()
    method, places = kind([theta], lr=lr, **options), []
    for _ in range(STEPS):
        places.append(theta.detach().clone())
        theta.grad = (theta.detach() @ R.T * curvature) @ R
        method.step()
    return torch.stack([*places, theta.detach()])


def paths() -> Callable[..., Figure]:
    """A function of optimizer, turn and rate that draws the path."""
    fig, ax = plots.subplots(width=0.66, height=0.95)
    side = torch.linspace(-1.3, 1.3, 81, dtype=torch.float64)
    x, y = torch.meshgrid(side, side, indexing="xy")
    levels = [0.02, 0.1, 0.4, 1.2, 3, 7, 14]

    def draw(
        optimizer: str = "SGD", turn: float = 0, rate: str = "good"
    ) -> Figure:
        lr = RATES[optimizer][["small", "good", "large"].index(rate)]
        at = torch.stack([x, y], -1) @ turned(turn).T  # (81, 81, 2)
        ax.clear()
        height = (at[..., 0] ** 2 + KAPPA * at[..., 1] ** 2) / 2
        ax.contour(x, y, height, levels, colors=plots.GREY, linewidths=0.8)
        places = path(optimizer, turn, lr)
        ax.plot(*places.T, "-o", markersize=3.5, linewidth=1.2,
                color=plots.COLORS["blue"])  # fmt: skip
        ax.plot(*places[0], "s", markersize=9, color=plots.COLORS["orange"])
        ax.plot(0, 0, "*", markersize=13, color=plots.COLORS["vermillion"])
        ax.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal")
        plots.blank(ax)
        near = (places.norm(dim=1) > 0.02).nonzero().flatten()
        last = int(near[-1]) + 1 if len(near) else 0
        said = f"{last} steps" if last <= STEPS else f"> {STEPS} steps"
        ax.set_title(f"{NAMES[optimizer]}, lr {lr:g}: {said}", fontsize=11)
        return fig

    return draw


# --- the race ---------------------------------------------------------------


def race(runs: Mapping[str, Mapping[float, list[float]]]) -> Figure:
    """Draw the test loss over the learning rate, in units of the best.

    Args:
        runs: Name, then learning rate, to losses on the rows for training,
            for choosing and for the test.
    """
    curves = {}
    for name, by_rate in runs.items():
        best = min(by_rate, key=lambda lr: by_rate[lr][1])
        ratio = [lr / best for lr in by_rate]
        curves[name] = (ratio, [found[2] for found in by_rate.values()])
    fig, ax = plots.subplots(width=1.2)
    plots.curves(curves, ax=ax, xlabel="learning rate / its own best",
                 ylabel="test loss after 300 steps", xscale="log")  # fmt: skip
    ax.set(yscale="log")
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    ax.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    return fig


def students(runs: Mapping[str, Mapping[float, list[float]]]) -> Figure:
    """Draw the training and the test loss of every run.

    Args:
        runs: as for `race`.
    """
    fig, ax = plots.subplots(width=1.2)
    for k, (name, by_rate) in enumerate(runs.items()):
        fit, _, test, *_ = zip(*by_rate.values(), strict=True)
        ax.scatter(fit, test, s=60, marker=plots.MARKERS[k],
                   color=plots.LINE_COLORS[k], label=name)  # fmt: skip
    ax.set(xscale="log", yscale="log")
    ax.set(xlabel="training loss", ylabel="test loss")
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return fig


def grokking(seen: Mapping[str, list[float]], every: int) -> Figure:
    """Draw accuracies that were measured every so many steps."""
    named = {
        name: ([every * k for k in range(len(values))], values)
        for name, values in seen.items()
    }
    fig = plots.curves(named, xlabel="step", ylabel="right")
    fig.axes[0].legend(loc=(0.17, 0.45))
    longest = max(len(values) for values in seen.values())
    fig.axes[0].set_xticks(range(0, every * longest, 100))
    return fig
