"""The figures of lesson 15: where a row looks, and how a head computes."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers import plots


def looks(
    texts: Sequence[str], noun: Tensor, weights: Tensor, alive: Tensor
) -> None:
    """Show what the noun of each sentence looks at, a line a sentence.

    Args:
        texts: S sentences of N words.
        noun: (S, N) bool, True at the one noun of each sentence.
        weights: (S, N, N), rows are queries.
        alive: (S,) the probability that the noun is an animal.
    """
    rows = weights[noun].numpy()  # (S, N)
    fig, ax = plots.subplots(width=1.5, height=0.16 * len(texts) + 0.25)
    ax.imshow(rows, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    places = noun.int().argmax(dim=1).tolist()
    for s, (text, place) in enumerate(zip(texts, places, strict=True)):
        for n, word in enumerate(text.split()):
            ax.text(
                n, s, f"{word}  {rows[s, n]:.2f}", ha="center", va="center",
                color="black" if rows[s, n] > 0.5 else "white",
            )  # fmt: skip
        box = Rectangle(
            (place - 0.46, s - 0.42), 0.92, 0.84, fill=False, lw=2.5,
            edgecolor=plots.COLORS["vermillion"],
        )  # fmt: skip
        ax.add_patch(box)
    p = alive.tolist()
    said = [f"animal {x:.2f}" if x > 0.5 else f"thing {1 - x:.2f}" for x in p]
    ax.set_yticks(range(len(texts)), said)
    ax.yaxis.tick_right()
    ax.tick_params(length=0)
    ax.set(xticks=[], title="where the outlined word looks, and its meaning")
    ax.spines[:].set_visible(False)
    plots.show(fig)


def side_by_side(
    parts: Mapping[str, Tensor], height: float = 1, **options
) -> None:
    """Show matrices in a row, by their titles; options of `plots.matrix`."""
    fig, axes = plots.subplots(1, len(parts), width=2, height=height)
    for ax, (title, part) in zip(axes, parts.items(), strict=True):
        plots.matrix(part, ax=ax, title=title, **options)
    plots.show(fig)


def shares(shares: Tensor, words: Sequence[str], features: Sequence[str]):
    """Show the rows of a weighted sum, and their sum as stacked bars.

    Args:
        shares: (N, d_model), each word's vector times its weight.
        words: N names of rows.
        features: d_model names of columns.
    """
    fig, axes = plots.subplots(1, 2, width=1.6)
    plots.matrix(
        shares, ax=axes[0], rows=words, cols=features, title="weight × vector"
    )
    tops = shares.cumsum(dim=0)
    for word, top, share in zip(words, tops, shares, strict=True):
        bars = axes[1].bar(features, share, bottom=top - share)
        shown = [word * (part > 0.1) for part in share.tolist()]
        axes[1].bar_label(bars, shown, label_type="center")
    axes[1].set_title("their sum: the new vector")
    plots.show(fig)


def _equation(
    fig: Figure, place: SubplotSpec, parts, widths: Sequence[float]
) -> None:
    """Draw matrices, given by their options, and signs, given as text."""
    grid = place.subgridspec(1, len(parts), width_ratios=widths)
    axes = [fig.add_subplot(spot) for spot in grid]
    for ax, part in zip(axes, parts, strict=True):
        if isinstance(part, str):
            plots.blank(ax)
            ax.text(
                0.5, 0.5, part, ha="center", va="center", fontsize=15,
                transform=ax.transAxes,
            )  # fmt: skip
        else:
            plots.matrix(ax=ax, **part)


def head(parts: Mapping[str, Tensor], words: Sequence[str], row: int) -> None:
    """Show a head as two products, Q @ K^T / √2 = S and A @ V = Y.

    Args:
        parts: Q, K (N, d_k), S, A (N, N), V, Y (N, d_k), by name.
        words: N names of rows.
        row: outlined wherever it takes part.
    """
    shown = {
        name: {"x": parts[name], "title": name, "rows": words}
        for name in "QSAVY"
    }
    for name in "QSAY":
        shown[name]["highlight"] = (row, None)
    for name in "SA":
        shown[name]["cols"] = words
    shown["A"]["title"] = "A = softmax(S)"
    keys = {"x": parts["K"].T, "title": r"$K^\top$", "cols": words}
    fig = Figure(figsize=(9.5, 6), dpi=plots.DPI, layout="constrained")
    above, below = fig.add_gridspec(2, 1)
    _equation(
        fig,
        above,
        [shown["Q"], "@", keys, "/ √2  =", shown["S"]],
        [2.2, 0.4, 5, 1.2, 5],
    )
    _equation(
        fig,
        below,
        [shown["A"], "@", shown["V"], "=", shown["Y"]],
        [5, 0.6, 3, 0.6, 3],
    )
    plots.show(fig)


def saturation(sizes: Sequence[int], found: Tensor) -> None:
    """Show std, largest weight and derivative against d_k.

    Args:
        sizes: L values of d_k.
        found: (L, 2, 3), without and with the division; the three numbers.
    """
    fig, axes = plots.subplots(1, 3, width=2, height=0.8)
    titles = ["std of scores", "p", "p (1 − p)"]
    for n, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        raw, scaled = found[:, 0, n], found[:, 1, n]
        series = {"raw": (sizes, raw), "scaled": (sizes, scaled)}
        plots.curves(series, ax=ax, xlabel="d_k", xscale="log", title=title)
    plots.show(fig)


def board(K: Tensor, V: Tensor, words: Sequence[str]) -> Callable[..., Figure]:
    """Prepare keys, weights and values of one query, for a slider.

    Args:
        K: (N, 2) keys.
        V: (N, 2) values.
        words: N names.

    Returns:
        `show(query, weights, output)`: moves them and returns the figure.
    """
    fig, (plane, chart, target) = plots.subplots(1, 3, width=1.8, height=0.75)
    circles = plane.scatter(*K.T.numpy(), s=[0] * len(words), alpha=0.5)
    (arrow,) = plane.plot([-2.6, 2.9], [-2.6, 2.9], color="black", marker=".")
    target.plot(*V.T.numpy(), "o")
    plane.set(title="keys, query", xticks=[0, 2], yticks=[0, 2])
    plane.set(xlabel="alive", ylabel="time")
    rods = chart.barh(words, [0] * len(words))
    chart.set(title="weights", xticks=[0, 1], ylim=(len(words) - 0.4, -0.6))
    target.fill([0, 2, 0], [0, 0, 2], alpha=0.15)
    (star,) = target.plot([2.6], [2.3], "*", markersize=14, color="black")
    target.set(title="values, output", xticks=[0, 2], yticks=[0, 2])
    target.set(xlabel="animal − sport", ylabel="time")
    labels = ["", "a, bat", *words[2:]]
    near = dict(textcoords="offset points", va="center")
    for word, label, key, value in zip(words, labels, K, V, strict=True):
        spot, ha = ((-14, 0), "right") if key[1] > 0 else ((0, -17), "center")
        plane.annotate(word, key.tolist(), spot, ha=ha, **near)
        target.annotate(label, value.tolist(), (6, 7), **near)

    def show(query, weights: Tensor, output: Tensor) -> Figure:
        circles.set_sizes(1500 * weights.numpy())
        arrow.set_data([0, query[0]], [0, query[1]])
        for rod, part in zip(rods, weights.tolist(), strict=True):
            rod.set_width(part)
        star.set_data([output[0].item()], [output[1].item()])
        return fig

    return show
