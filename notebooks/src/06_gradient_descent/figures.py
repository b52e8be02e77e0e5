"""The landscape of lesson 06, and its figures: balls, bowls and paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure

from helpers import plots

LEVELS = np.arange(200, 1101, 100)  # metres
PANEL = [
    {"kind": "bowl", "lr": 0.02, "start": -2.0},
    {"kind": "bowl", "lr": 0.3, "start": -2.0},
    {"kind": "two basins", "lr": 0.05, "start": 0.1},
    {"kind": "two basins", "lr": 0.05, "start": 0.2},
]  # what the picture below the sliders shows
CONTROLS = {
    "kind": ["two basins", "bowl"],
    "lr": (0.01, 0.36, 0.01),
    "start": (-2.2, 2.2, 0.1),
}
STEPS = 30  # that the sliders' figure shows

# --- the landscape -----------------------------------------------------------


def landscape() -> torch.Tensor:
    """A real landscape: heights around a fault near Jacksboro, Tennessee.

    Sample data of matplotlib, 3 arc seconds from cell to cell. Where a
    distribution of matplotlib leaves them out, `hills` stands in.

    Returns:
        (344, 403) float64, metres.
    """
    path = get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)
    try:
        with np.load(path) as file:
            return torch.from_numpy(file["elevation"].astype(np.float64))
    except FileNotFoundError:
        return hills()


def hills() -> torch.Tensor:
    """A landscape by rule: 200 waves, the longer the higher.

    Returns:
        (344, 403) float64, metres, from 236 to 1076.
    """
    rng = torch.Generator().manual_seed(0)
    rows, cols = torch.meshgrid(
        torch.linspace(0, 344 / 403, 344, dtype=torch.float64),
        torch.linspace(0, 1, 403, dtype=torch.float64),
        indexing="ij",
    )
    height = torch.zeros(344, 403, dtype=torch.float64)
    for wave in (40 * torch.randn(200, 2, generator=rng)).double():
        phase = 6.3 * torch.rand((), generator=rng).double()
        angle = wave[0] * rows + wave[1] * cols + phase
        height += angle.sin() / wave.norm()
    height -= height.min()
    return 236 + 840 * height / height.max()


def read(maps: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Read maps between their cells, linearly.

    Args:
        maps: (C, height, width).
        places: (N, 2), row and column.

    Returns:
        (N, C).
    """
    last = torch.tensor(maps.shape[1:]) - 1
    grid = (2 * places / last - 1).flip(1)  # what grid_sample asks for
    values = F.grid_sample(
        maps[None], grid[None, None], padding_mode="border", align_corners=True
    )  # (1, C, 1, N)
    return values[0, :, 0].T


def smooth(height: torch.Tensor, cells: int) -> torch.Tensor:
    """The mean over a square of so many cells; at the edge, of what is there.

    Args:
        height: (height, width).
        cells: Side of the square, odd.
    """
    for side in (cells, 1), (1, cells):
        pad = side[0] // 2, side[1] // 2
        height = F.avg_pool2d(
            height[None], side, 1, pad, count_include_pad=False
        )[0]
    return height


def balls(height: torch.Tensor, places: Mapping[str, torch.Tensor]) -> Figure:
    """Draw balls on the landscape, one map for each set of places.

    Args:
        height: (height, width).
        places: By title, (N, 2), row and column.
    """
    fig, axes = plots.subplots(1, len(places), width=1.8, height=1.1)
    low = divmod(int(height.argmin()), height.shape[1])
    shown = smooth(height, 5)[::3, ::3]
    rows, cols = (np.arange(0, n, 3) for n in height.shape)
    for ax, (title, at) in zip(axes, places.items(), strict=True):
        filled = ax.contourf(cols, rows, shown, LEVELS)
        ax.plot(
            at[:, 1], at[:, 0], ".", ms=4, color="white", mec="black", mew=0.5
        )
        ax.plot(
            low[1], low[0], "*", ms=15, color=plots.COLORS["vermillion"],
            mec="white",
        )  # fmt: skip
        ax.set_aspect("equal")
        ax.invert_yaxis()
        plots.blank(ax)
        ax.set_title(title)
    fig.colorbar(filled, ax=axes, label="metres", shrink=0.8)
    return fig


# --- one parameter -----------------------------------------------------------


def trail(ax: Axes, loss: Callable, places: torch.Tensor) -> None:
    """Draw a path on a curve, with arrows from step to step."""
    x, y = places.numpy(), loss(places).numpy()
    ax.plot(x, y, "-", color=plots.GREY, lw=0.8)
    ax.plot(x, y, "o", ms=4.5, color=plots.COLORS["vermillion"])
    ax.plot(x[0], y[0], "s", ms=8, color=plots.COLORS["black"])


def curve_of(loss: Callable) -> Callable:
    """The loss of each of many values of one parameter, (N,) -> (N,)."""
    return lambda thetas: torch.stack([loss(theta) for theta in thetas])


def bowl(loss: Callable, slope: Callable, path: torch.Tensor) -> Figure:
    """Draw J, the path of a few steps, and the tangent at each of them.

    Args:
        loss: J(theta), of one number.
        slope: dJ(theta), of one number.
        path: (steps + 1,).
    """
    fig, ax = plots.subplots(width=1.2)
    many, grid = curve_of(loss), torch.linspace(-0.6, 4.2, 200)
    ax.plot(grid, many(grid), color=plots.COLORS["blue"])
    trail(ax, many, path)
    for k, theta in enumerate(path):
        ends = theta + torch.tensor([-0.35, 0.35])
        ax.plot(
            ends, loss(theta) + slope(theta) * (ends - theta), "-",
            color=plots.COLORS["orange"], lw=2,
        )  # fmt: skip
        if k < 3:
            ax.annotate(
                f"step {k}" if k else "guess",
                (theta.item(), loss(theta).item()),
                (10, 4), textcoords="offset points",
            )  # fmt: skip
    ax.set(xlabel=r"$\theta$", ylabel=r"$J(\theta)$", ylim=(-0.5, 15))
    return fig


def four(loss: Callable, paths: Mapping[float, torch.Tensor]) -> Figure:
    """Draw one bowl for each learning rate, with the path on it."""
    fig, axes = plots.subplots(
        1, len(paths), width=2, height=0.85, sharey=True
    )
    many, grid = curve_of(loss), torch.linspace(-1.2, 5.2, 200)
    for ax, (lr, path) in zip(axes, paths.items(), strict=True):
        ax.plot(grid, many(grid), color=plots.COLORS["blue"])
        trail(ax, many, path)
        ax.set(xlabel=r"$\theta$", title=f"lr = {lr:.3g}", ylim=(-1, 31))
    axes[0].set_ylabel(r"$J(\theta)$")
    return fig


def descent() -> Callable[..., Figure]:
    """Prepare the sliders' figure; what draws 30 steps on a curve."""
    fig, ax = plots.subplots()
    grid = np.linspace(-2.4, 2.4, 300)
    (line,) = ax.plot(grid, grid, color=plots.COLORS["blue"])
    (way,) = ax.plot([], [], "-", color=plots.GREY, lw=0.8)
    (dots,) = ax.plot([], [], "o", ms=4.5, color=plots.COLORS["vermillion"])
    (first,) = ax.plot([], [], "s", ms=8, color=plots.COLORS["black"])
    ax.set(xlabel=r"$\theta$", ylabel=r"$J(\theta)$", xlim=(-2.4, 2.4))
    kinds = {
        "bowl": (lambda t: 3 * t**2, lambda t: 6 * t, (-1, 18)),
        "two basins": (
            lambda t: t**4 - 3 * t**2 + t,
            lambda t: 4 * t**3 - 6 * t + 1,
            (-5, 9),
        ),
    }

    def draw(kind="two basins", lr=0.05, start=0.1) -> Figure:
        loss, slope, limits = kinds[kind]
        places = [start]
        for _ in range(STEPS):
            theta = places[-1] - lr * slope(places[-1])
            places.append(float(np.clip(theta, -1e3, 1e3)))
        x = np.array(places)
        line.set_ydata(loss(grid))
        way.set_data(x, loss(x))
        dots.set_data(x, loss(x))
        first.set_data(x[:1], loss(x[:1]))
        ax.set_ylim(limits)
        end = f"{x[-1]:.2f}" if abs(x[-1]) < 100 else "far away"
        ax.set_title(f"after {STEPS} steps: {end}".replace("-0.00", "0.00"))
        return fig

    return draw


# --- two parameters ----------------------------------------------------------


def contours(
    X: torch.Tensor, y: torch.Tensor, paths: Mapping[float, torch.Tensor]
) -> Figure:
    """Draw the loss of a line over its two parameters, and paths on it.

    Args:
        X: (B, 2).
        y: (B,).
        paths: By learning rate, (steps + 1, 2).
    """
    fig, axes = plots.subplots(
        1, len(paths), width=2, height=1.05, sharey=True
    )
    w0, w1 = torch.linspace(-2, 4, 120), torch.linspace(-1, 7, 120)
    w = torch.cartesian_prod(w1, w0).flip(1)  # (120 * 120, 2)
    loss = ((w @ X.T - y) ** 2).mean(dim=1).view(120, 120)
    for ax, (lr, path) in zip(axes, paths.items(), strict=True):
        levels = np.geomspace(0.3, 150, 9)
        ax.contour(w0, w1, loss, levels, linewidths=1, colors=plots.GREY)
        ax.plot(
            *path.T, "o-", ms=3.5, lw=1.2, color=plots.COLORS["vermillion"]
        )
        ax.plot(*path[0], "s", ms=8, color=plots.COLORS["black"])
        ax.plot(1, 3, "*", ms=14, color=plots.COLORS["blue"], mec="white")
        ax.set(xlim=(-2, 4), ylim=(-1, 7), xlabel=r"$w_0$")
        ax.set_title(f"lr = {lr:.3g}")
    axes[0].set_ylabel(r"$w_1$")
    return fig


# --- two basins --------------------------------------------------------------


def landings(
    start: torch.Tensor, ends: Mapping[float, Sequence[torch.Tensor]]
) -> Figure:
    """Draw where each start is after two numbers of steps that follow.

    Args:
        start: (N,).
        ends: By learning rate, two (N,): after so many steps, and one more.
    """
    fig, axes = plots.subplots(
        1, len(ends), width=1.8, height=0.95, sharey=True
    )
    for ax, (lr, (end, after)) in zip(axes, ends.items(), strict=True):
        rest = (end - after).abs() < 1e-6
        for where, mark, color, label in (
            (rest, ".", "blue", "at rest"),
            (~rest & end.isfinite(), "x", "vermillion", "still jumping"),
        ):
            ax.plot(
                start[where], end[where], mark, ms=4, ls="none",
                color=plots.COLORS[color], label=label,
            )  # fmt: skip
        ax.set(xlabel="start", title=f"lr = {lr:.3g}", ylim=(-2.3, 2.6))
        ax.legend(loc="upper left", ncols=2, handletextpad=0.1)
    axes[0].set_ylabel("after 1,000 steps")
    return fig


def freed(path: torch.Tensor) -> Figure:
    """Draw the ways of four balls, and where all of them end.

    Args:
        path: (steps + 1, N).
    """
    fig, (ways, ends) = plots.subplots(
        1, 2, width=1.8, height=0.95, sharey=True, width_ratios=[2, 1]
    )
    ways.plot(path[:, :4], lw=0.9, ls="-")
    ends.hist(
        path[-1].numpy(), np.linspace(-2.05, 1.95, 41),
        orientation="horizontal", color=plots.COLORS["blue"],
    )  # fmt: skip
    for ax in (ways, ends):
        ax.axhline(0.17, color="black", lw=1, ls="--")
    ways.set(xlabel="step", ylabel=r"$\theta$", title="four of them")
    ends.set(xlabel="balls", title="where all end")
    return fig
