"""The figures of lesson 07, and the net that its opening trains."""

import random

import numpy as np
from sklearn.datasets import make_moons

from helpers import graphs, plots

SIGNS = {"f1": "×", "f2": "+", "f3": "square", "f4": "square", "L": "+"}
VALUES = {"x": 2, "w": 3, "b": -4, "f1": 6, "f2": 2, "f3": 4, "f4": 9, "L": 13}
# By edge, what comes back along it.
SENT = {
    ("L", "loss"): 1, ("f3", "L"): 1, ("f4", "L"): 1, ("f2", "f3"): 4,
    ("w", "f4"): 6, ("f1", "f2"): 4, ("b", "f2"): 4, ("x", "f1"): 12,
    ("w", "f1"): 8,
}  # fmt: skip


def walk(step: int = 0) -> graphs.Drawing:
    """Draws L = (xw + b)² + w² after some of its ten steps.

    Args:
        step: 0 to 5 forward, 6 to 10 backward.
    """
    order = list(SIGNS)
    seen, back = order[:step], order[::-1][: max(step - 5, 0)]
    active = (back or seen or [None])[-1]
    nodes = {}
    for leaf in "xbw":
        got = [g for (i, name), g in SENT.items()
               if i == leaf and name in back]  # fmt: skip
        words = "\ngrad " + " + ".join(f"{g:g}" for g in got) if got else ""
        words += f" = {sum(got):g}" if len(got) > 1 else ""
        label = f"{leaf} = {VALUES[leaf]:g}{words}"
        nodes[leaf] = {"label": label, "kind": "param"}
        nodes[leaf] |= {"width": "1.45", "height": "0.55"}
    for name, sign in SIGNS.items():
        fill = plots.COLORS["yellow"] if name == active else "#e8e8e8"
        nodes[name] = {"label": sign, "fillcolor": fill, "width": "0.5"}
    nodes["loss"] = {"label": "loss", "kind": "output"}
    edges = []
    for (i, name), slope in SENT.items():  # white keeps a label's room
        known = i in "xwb" or i in seen
        came = name in back or (name == "loss" and back)
        above = (f"{i} = {VALUES[i]:g}", "black" if known else "white")
        red = plots.COLORS["vermillion"] if came else "white"
        edges.append((i, name, above, (f"grad {slope:g}", red)))
    return graphs.dag(nodes, edges)


def record(values: dict, inputs: dict, signs: dict) -> graphs.Drawing:
    """Draws a record: values above the edges, local derivatives below.

    Args:
        values: by name, the value.
        inputs: by name, pairs of an input's name and the local derivative.
        signs: by name, the operation that made it; a leaf has none.
    """
    nodes, edges = {}, []
    for name, value in values.items():
        nodes[name] = {"label": f"{name} = {value:g}", "kind": "param"}
        if sign := signs.get(name):
            nodes[name] = f"{name} = {sign} = {value:g}"
    for name, pairs in inputs.items():
        for source, slope in pairs:
            red = (f"d {slope:g}", plots.COLORS["vermillion"])
            edges.append((source, name, f"{source} = {values[source]:g}", red))
    return graphs.dag(nodes, edges)


# --- two moons --------------------------------------------------------------

POINTS, LABELS = make_moons(50, noise=0.1, random_state=0)
GRID = np.stack(np.meshgrid(*[np.linspace(-1.6, 2.6, 85)] * 2))[:, 12:65]


def learn(engine: type, num_steps: int = 40, lr: float = 0.2) -> list:
    """Trains 8 tanh units, all numbers of which are of the class `engine`.

    Returns:
        Before each step and at the end, the 33 parameters as floats.
    """
    rng, history = random.Random(10), []
    units = [[engine(rng.uniform(-s, s)) for s in (3, 3, 3, 1)]
             for _ in range(8)]  # fmt: skip
    parameters = [p for unit in units for p in unit] + [engine(0.0)]
    for _ in range(num_steps + 1):
        history.append([p.data for p in parameters])
        loss = engine(0.0)
        for point, label in zip(POINTS.tolist(), LABELS, strict=True):
            total = parameters[-1]
            for w1, w2, b, out in units:
                h = w1 * engine(point[0]) + w2 * engine(point[1]) + b
                total = total + out * h.tanh()
            gap = total + engine(1.0 - 2.0 * label)
            loss = loss + gap * gap
        loss = loss * engine(1 / len(POINTS))
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= lr * p.grad
    return history


def scores(parameters: list, at: np.ndarray) -> np.ndarray:
    """The net's output at points: (2, ...) -> (...)."""
    units = np.reshape(parameters[:-1], (-1, 4))
    hidden = [out * np.tanh(w1 * at[0] + w2 * at[1] + b)
              for w1, w2, b, out in units]  # fmt: skip
    return parameters[-1] + sum(hidden)


def right(parameters: list) -> int:
    """How many of the 50 points lie on their side of the boundary."""
    return int(((scores(parameters, POINTS.T) > 0) == LABELS).sum())


def _moons(ax, parameters: list, title: str) -> None:
    """Draws the points, the output in colour and the boundary."""
    ax.clear()
    out = scores(parameters, GRID)
    ax.contourf(*GRID, out.clip(-1.5, 1.5), np.linspace(-1.5, 1.5, 13),
                cmap="RdBu_r", alpha=0.7)  # fmt: skip
    if out.min() < 0 < out.max():
        ax.contour(*GRID, out, [0], colors="black", linestyles="-")
    for label, marker, color in ((0, "o", "blue"), (1, "^", "vermillion")):
        ax.scatter(*POINTS[label == LABELS].T, s=22, marker=marker,
                   c=plots.COLORS[color], edgecolors="white",
                   linewidths=0.6)  # fmt: skip
    plots.blank(ax)
    ax.set_title(f"{title}: {right(parameters)} of 50", fontsize=11)


def boundaries(history: list, steps: list):
    """Draws the boundary at several steps."""
    fig, axes = plots.subplots(1, len(steps), width=2, height=0.62)
    for ax, step in zip(axes, steps, strict=True):
        _moons(ax, history[step], f"step {step}")
    return fig


def boundary(history: list):
    """A function of `step` that draws the boundary at that step."""
    fig, ax = plots.subplots(width=0.66, height=0.8)

    def draw(step: int = 0):
        _moons(ax, history[step], f"step {step}")
        return fig

    return draw


def product(X, G, dW, row: int, col: int):
    """Draws Xᵀ @ G = dW, with what makes one cell of dW outlined."""
    fig, axes = plots.subplots(1, 3, width=1.4, height=0.8,
                               width_ratios=[4, 3, 3])  # fmt: skip
    parts = {"$X^T$  (D, N)   @": (X.T, (row, None)),
             "$G$  (N, E)   =": (G, (None, col)),
             "$dW$  (D, E)": (dW, (row, col))}  # fmt: skip
    for ax, (title, (values, box)) in zip(axes, parts.items(), strict=True):
        values = values + 0.0  # no -0
        plots.matrix(values, ax=ax, title=title, highlight=box, fmt=".0f")
    return fig
