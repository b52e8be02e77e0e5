"""The figures of lesson 16: the way through several heads, and their maps."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from helpers import graphs, plots


def heads_apart(num_heads: int) -> graphs.Drawing:
    """Draw heads that compute side by side, each with its own projections.

    Args:
        num_heads: how many heads are drawn.

    Returns:
        The drawing, with the shape that leaves each box.
    """
    whole, narrow = "(B, N, d_model)", "(B, N, d_k)"
    nodes = {
        "x": {"label": f"x\n{whole}", "kind": "data"},
        "cat": {"label": f"side by side\n{whole}", "kind": "op"},
        "out": {"label": f"times W_O\n{whole}", "kind": "param"},
        "y": {"label": f"y\n{whole}", "kind": "output"},
    }
    edges = [("cat", "out"), ("out", "y")]
    for h in range(num_heads):
        way = [f"{step}{h}" for step in ("project", "weigh", "mix")]
        labels = (
            f"head {h}: W_Q, W_K, W_V\nq, k, v: {narrow}",
            f"map {h}: softmax(q k^T / √d_k)\n(B, N, N)",
            f"map {h} times v\n{narrow}",
        )
        kinds = ("param", "accent", "op")
        for name, label, kind in zip(way, labels, kinds, strict=True):
            nodes[name] = {"label": label, "kind": kind}
        path = ["x", *way, "cat"]
        edges += pairwise(path)
    return graphs.dag(nodes, edges)


def heads_at_once() -> graphs.Drawing:
    """Draw the same as one chain, all heads in one tensor."""
    steps = {
        "x\n(B, N, d_model)": "data",
        "qkv\n(B, N, 3 d_model)": "param",
        "split: q, k, v\n(B, H, N, d_k)\neach": "op",
        "H maps\n(B, H, N, N)": "accent",
        "maps times v\n(B, H, N, d_k)": "op",
        "merge\n(B, N, d_model)": "op",
        "out = W_O\n(B, N, d_model)": "param",
    }
    nodes = {
        label: {"label": label, "kind": kind} for label, kind in steps.items()
    }
    names = [*nodes]
    return graphs.dag(nodes, pairwise(names))


def maps(text: Sequence[str], shown: Mapping[str, Tensor]) -> Figure:
    """Draw attention maps side by side: rows are queries, columns are keys.

    Args:
        text: N labels, one for each token.
        shown: title to map (N, N), weights from 0 to 1.

    Returns:
        The figure.
    """
    width = 2 * len(shown) / 3
    fig, [axes] = plots.subplots(
        1, len(shown), width=width, height=1.2, squeeze=False
    )
    for ax, (title, part) in zip(axes, shown.items(), strict=True):
        plots.matrix(
            part.detach(), ax=ax, title=title, rows=text, cols=text,
            fmt=".1f", limits=(0, 1),
        )  # fmt: skip
        if max(map(len, text)) > 1:  # words
            ax.tick_params(axis="x", rotation=90)
    return fig


def splits(table: Tensor, right: Tensor, wrong: Tensor) -> Figure:
    """Draw a table (N, d_model) and two ways, (H, N, d_k), to cut it."""
    parts = {"x": table}
    parts |= {f"with transpose: {h}": part for h, part in enumerate(right)}
    parts |= {f"view alone: {h}": part for h, part in enumerate(wrong)}
    widths = [part.shape[1] + 1 for part in parts.values()]
    fig, axes = plots.subplots(
        1, len(parts), width=2, height=0.85, width_ratios=widths
    )
    for ax, (title, part) in zip(axes, parts.items(), strict=True):
        plots.matrix(part, ax=ax, title=title, limits=(0, table.max()))
        ax.title.set_fontsize(10)
    return fig


def look(heads: nn.Module, x: Tensor) -> Tensor:
    """The maps (B, H, N, N) that a `MultiHeadAttention` makes for `x`.

    Args:
        heads: its `qkv` holds 12 heads.
        x: (B, N, D).

    Returns:
        The weights, which the class itself does not return.
    """
    qkv = heads.qkv(x).unflatten(-1, (3, 12, -1))  # (B, N, 3, H, d_k)
    q, k, _ = qkv.permute(2, 0, 3, 1, 4)
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)


@torch.no_grad()
def gap(layer: Callable, x: Tensor, order: Sequence[int]) -> float:
    """How far a layer's output is from what the shuffle of `x` (B, N, D) asks.

    Args:
        layer: a function, (B, N, D) to (B, N, D).
        x: its input.
        order: the order into which the N positions are shuffled.

    Returns:
        The largest difference between shuffling before the layer and after.
    """
    return (layer(x[:, order]) - layer(x)[:, order]).abs().max().item()
