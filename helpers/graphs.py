"""Graphs: what autograd recorded, and small ones given by hand.

``autograd`` draws through torchviz where torchviz and Graphviz's program
``dot`` are there, and draws the same graph by itself where they are not.
"""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from . import _boxes, plots
from ._autograd import Node, Walk, dot_png, dot_source, forward, walk
from ._dag import Dag, dag

__all__ = ["Dag", "Drawing", "autograd", "dag"]

MAX_NODES = 200
_RENDERERS = ("auto", "torchviz", "course")
_MAX_NAMES = 12


@dataclass(frozen=True, repr=False)
class Drawing:
    """An autograd graph, drawn. A notebook cell may end on it.

    Attributes:
        png: the picture.
        renderer: who drew it, "torchviz" or "course".
        nodes: the boxes, each with a ``label`` and a ``kind``.
        edges: pairs of numbers of nodes, from input to output.
        alt: the graph in words, in Chinese and English.
        source: its text in the DOT language, where torchviz drew it.
        figure: the figure, where the course drew it.
    """

    png: bytes
    renderer: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    alt: str
    source: str | None = None
    figure: Figure | None = None

    def __repr__(self) -> str:
        return f"<Graph: {len(self.nodes)} nodes, {len(self.edges)} edges>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        image = base64.b64encode(self.png).decode("ascii")
        about = {"alt": self.alt, "renderer": self.renderer}
        return (
            {"image/png": image, "text/plain": repr(self)},
            {"image/png": about},
        )


def _outputs(y) -> dict[str, Tensor]:
    """Names the outputs and refuses those without a graph."""
    if isinstance(y, Tensor):
        found = {"output": y}
    elif isinstance(y, Mapping):
        found = {str(name): tensor for name, tensor in y.items()}
    elif isinstance(y, Iterable):
        found = {f"output {k}": tensor for k, tensor in enumerate(y)}
    else:
        raise TypeError(
            f"y: expected a tensor or several, got {type(y).__name__}"
        )
    if not found:
        raise ValueError("y: expected at least one tensor, got none")
    for name, tensor in found.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"y: expected tensors, got {type(tensor).__name__} ({name})"
            )
        if tensor.grad_fn is None and tensor.requires_grad:
            raise ValueError(
                f"y: expected a computed tensor, got a leaf ({name}): no "
                "operation led to it, so it has no graph; pass a result that "
                "was computed from it"
            )
        if tensor.grad_fn is None:
            raise ValueError(
                f"y: expected a tensor with a grad_fn, got one whose "
                f"requires_grad is False ({name}): nothing was recorded; "
                "compute it from a tensor with requires_grad=True, and not "
                "under torch.no_grad() or after detach()"
            )
    return {
        name: tensor
        for k, (name, tensor) in enumerate(found.items())
        if all(tensor is not t for t in list(found.values())[:k])
    }


def _names(params) -> dict[object, list[str]]:
    """Returns the names of leaves, and of functions with named results.

    The keys are the leaves and functions themselves: torch may make a new
    object for a function that nobody holds, with another ``id``.
    """
    if isinstance(params, nn.Module):
        pairs = list(params.named_parameters(remove_duplicate=False))
    elif isinstance(params, Mapping):
        pairs = list(params.items())
    elif params is None:
        pairs = []
    else:
        raise TypeError(
            "params: expected a dict of tensors or an nn.Module, "
            f"got {type(params).__name__}"
        )
    names = {}
    for name, tensor in pairs:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"params[{name!r}]: expected a tensor, "
                f"got {type(tensor).__name__}"
            )
        if tensor.grad_fn is None:
            names.setdefault(tensor, []).append(str(name))
        else:
            result = f"{name} {tuple(tensor.shape)}"
            names.setdefault(tensor.grad_fn, []).append(result)
    return names


def _alt(graph: Walk, title: str | None) -> str:
    """Puts the graph into words, in both languages."""
    order = forward(graph)
    said = {}
    for kind in ("param", "op", "output"):
        labels = [node.label for node in order if node.kind == kind]
        counted = [
            " ".join(label.split("\n")) + (f" ×{k}" if k > 1 else "")
            for label, k in Counter(labels).items()
        ]
        more = ["…"] if len(counted) > _MAX_NAMES else []
        said[kind] = "; ".join(counted[:_MAX_NAMES] + more)
    name = f"“{title}”" if title else ""
    leaves, steps, ends = said.values()
    n, m = len(graph.nodes), len(graph.edges)
    return (
        f"计算图{name}，从上到下：叶子 {leaves}；运算 {steps}；输出 {ends}。"
        f"共 {n} 个节点、{m} 条边。 / "
        f"Autograd graph{name and ' ' + name}, top to bottom: "
        f"leaves {leaves}; operations {steps}; outputs {ends}. "
        f"{n} nodes, {m} edges."
    )


def _draw(graph: Walk, title: str | None) -> tuple[bytes, Figure]:
    """Draws a graph with matplotlib, whatever its settings are now."""
    with style.context("default"):
        figure = _boxes.draw(
            [node.label for node in graph.nodes],
            [_boxes.KINDS[node.kind] for node in graph.nodes],
            graph.edges,
            title=title,
            math=False,
        ).figure
        return plots.png(figure), figure


def autograd(
    y: Tensor | Iterable[Tensor] | Mapping[str, Tensor],
    params: Mapping[str, Tensor] | nn.Module | None = None,
    *,
    renderer: str = "auto",
    fold_leaves: bool = False,
    title: str | None = None,
) -> Drawing:
    """Draws the graph that autograd recorded, inputs above, outputs below.

    Args:
        y: a tensor of any shape with a ``grad_fn``, or several.
        params: names for tensors in the graph: a dict, or a module for the
            names of its parameters. A leaf gets its name in its box, another
            tensor in that of the operation that made it. Tensors that are not
            in the graph (``requires_grad=False``) are passed over.
        renderer: "torchviz", "course", or "auto": torchviz where it works.
        fold_leaves: leave the AccumulateGrad nodes out.
        title: drawn above the graph.

    Returns:
        The drawing, at most 1000 pixels wide; the same in every run.

    Raises:
        TypeError: ``y`` or ``params`` hold something else than tensors.
        ValueError: ``y`` has no graph, the graph has more than 200 nodes, or
            ``renderer`` is unknown.
        RuntimeError: torchviz was asked for and does not work.
    """
    if renderer not in _RENDERERS:
        raise ValueError(
            f"renderer: expected one of {_RENDERERS}, got {renderer!r}"
        )
    outputs = _outputs(y)
    graph = walk(outputs, _names(params), fold_leaves)
    if len(graph.nodes) > MAX_NODES:
        raise ValueError(
            f"y: expected a graph of at most {MAX_NODES} nodes, got "
            f"{len(graph.nodes)}, too many to be read; draw a part of the "
            "model, or leave nodes out with fold_leaves=True"
        )
    found = (graph.nodes, graph.edges, _alt(graph, title))
    if renderer != "course":
        try:
            source = dot_source(outputs, graph, title)
            with Image.open(io.BytesIO(dot_png(source))) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            png = plots.encode(pixels)
            return Drawing(png, "torchviz", *found, source=source)
        except Exception as error:
            if renderer == "torchviz":
                raise RuntimeError(
                    "renderer: 'torchviz' needs the Python package torchviz "
                    f"and Graphviz's program dot: {error}; 'course' needs "
                    "neither"
                ) from error
    png, figure = _draw(graph, title)
    return Drawing(png, "course", *found, figure=figure)
