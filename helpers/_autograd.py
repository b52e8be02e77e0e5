"""Reads the graph that autograd recorded, and draws it through torchviz."""

import re
import shutil
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from matplotlib.colors import to_hex
from torch import Tensor

from ._boxes import FONT, KINDS, LINE
from ._style import DPI


@dataclass(frozen=True)
class Node:
    """A box of the graph.

    Attributes:
        label: what stands in it; the first line names it.
        kind: "op" for an operation, "param" for a leaf tensor, "output".
    """

    label: str
    kind: str


@dataclass(frozen=True)
class Walk:
    """A graph as it was found, the same in every run.

    Attributes:
        nodes: outputs first, then depth first from each.
        edges: pairs of node numbers, from input to output; an operation that
            takes the same tensor twice has two.
        number: node number by ``id`` of the tensor or function.
        alive: the tensors and functions, so that no ``id`` is used again.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    number: Mapping[int, int]
    alive: tuple


def _label(names: Sequence[str], tensor: Tensor) -> str:
    return "\n".join([*names, str(tuple(tensor.shape))])


def walk(
    outputs: Mapping[str, Tensor],
    names: Mapping[object, Sequence[str]],
    fold_leaves: bool,
) -> Walk:
    """Follows ``grad_fn.next_functions`` from the outputs to the leaves.

    Args:
        outputs: tensors with a ``grad_fn``, by their names.
        names: names of leaves, and of functions with named results.
        fold_leaves: leave the AccumulateGrad nodes out.

    Returns:
        The graph.
    """
    nodes, links, number, alive = [], [], {}, []

    def add(thing, label: str, kind: str) -> None:
        number[id(thing)] = len(nodes)
        alive.append(thing)
        nodes.append(Node(label, kind))

    for name, tensor in outputs.items():
        add(tensor, _label([name], tensor), "output")
    for tensor in outputs.values():
        links.append((tensor.grad_fn, tensor))
        stack = [tensor.grad_fn]
        while stack:
            function = stack.pop()
            if id(function) in number:
                continue
            label = type(function).__name__
            if label == "AccumulateGrad":
                leaf = function.variable
                add(leaf, _label(names.get(leaf, ()), leaf), "param")
                if fold_leaves:
                    number[id(function)] = number[id(leaf)]
                    alive.append(function)
                    continue
                links.append((leaf, function))
            else:
                label = "\n".join([label, *names.get(function, ())])
            add(function, label, "op")
            inputs = [f for f, _ in function.next_functions if f is not None]
            links += [(f, function) for f in inputs]
            stack += reversed(inputs)
    edges = tuple((number[id(a)], number[id(b)]) for a, b in links)
    return Walk(tuple(nodes), edges, number, tuple(alive))


def forward(graph: Walk) -> list[Node]:
    """Returns the nodes in the order of the forward pass, first those from
    which the way to an output is longest."""
    after = {k: [] for k in range(len(graph.nodes))}
    for u, v in graph.edges:
        after[u].append(v)
    way = {}
    for u in TopologicalSorter(after).static_order():
        way[u] = max((way[v] + 1 for v in after[u]), default=0)
    order = sorted(after, key=lambda u: -way[u])
    return [graph.nodes[u] for u in order]


def _style(kind: str) -> dict[str, str]:
    """Says in Graphviz's words how a kind of box looks."""
    look = KINDS[kind]
    dashes = [look.dashes] if look.dashes != "solid" else []
    corners = ["rounded"] if look.round else []
    return {
        "style": ",".join(["filled", *dashes, *corners]),
        "color": look.colour,
        "fillcolor": to_hex(look.fill),
        "penwidth": str(look.width),
        "peripheries": "2" if look.double else "1",
    }


def dot_source(
    outputs: Mapping[str, Tensor], graph: Walk, title: str | None
) -> str:
    """Has torchviz write the graph in the DOT language, with readable names.

    torchviz names nodes by memory address, so that its text differs in every
    run: the nodes get our numbers and labels instead. What it adds to the
    graph (saved tensors, bases of views) is left out.

    Args:
        outputs: the tensors the graph was read from, by their names.
        graph: what ``walk`` found.
        title: drawn above the graph.

    Returns:
        The source text.

    Raises:
        ImportError: torchviz cannot be imported.
        RuntimeError: torchviz found another graph than ``walk``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # distutils is deprecated
        import graphviz
        import torchviz

        found = torchviz.make_dot(tuple(outputs.values()))

    def text(label: str) -> str:
        return graphviz.escape(label).replace("\n", "\\n")

    head = {"dpi": str(DPI), "size": "10,60", "ranksep": "0.3"}
    if title:
        head |= {"label": text(title), "labelloc": "t", "fontsize": "12"}
    source = graphviz.Digraph(
        graph_attr={**head, "fontname": FONT, "nodesep": "0.2"},
        node_attr={
            "shape": "box",
            "fontname": FONT,
            "fontsize": "10",
            "height": "0.3",
            "margin": "0.12,0.06",
        },
        edge_attr={"color": LINE, "arrowsize": "0.7"},
    )
    for k, node in enumerate(graph.nodes):
        source.node(f"n{k}", text(node.label), **_style(node.kind))
    edges = []
    for line in found.body:
        ends = re.match(r"\s*(\d+) -> (\d+)(.*)", line, re.DOTALL)
        if not ends or "dir=none" in ends[3] or "style=dotted" in ends[3]:
            continue
        u, v = (graph.number.get(int(end)) for end in ends.groups()[:2])
        if u is None or v is None or u == v:
            continue
        edges.append((u, v))
        source.edge(f"n{u}", f"n{v}")
    if sorted(edges) != sorted(graph.edges):
        raise RuntimeError("torchviz found another graph than autograd holds")
    return source.source


def dot_png(source: str, seconds: float = 30) -> bytes:
    """Has Graphviz's program ``dot`` draw a graph.

    Args:
        source: in the DOT language.
        seconds: how long it may take.

    Returns:
        A PNG, at most 1000 pixels wide.

    Raises:
        RuntimeError: there is no such program, or it fails or hangs.
    """
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError("the program dot is not on the PATH")
    try:
        done = subprocess.run(
            [program, "-Tpng"],
            input=source.encode(),
            capture_output=True,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"the program dot does not run: {error}") from None
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        raise RuntimeError(f"the program dot failed ({done.returncode})")
    return done.stdout
