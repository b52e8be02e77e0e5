"""Graphs: what autograd recorded, and small ones given by hand.

``autograd`` has torchviz read the graph; Graphviz draws it, in this process
through pygraphviz, whose wheels bring Graphviz with them, or else through the
program ``dot``. The kinds of boxes differ in shape and frame, not in colour
alone.
"""

import base64
import io
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image
from torch import Tensor, nn

from . import plots
from .language import pick

__all__ = ["Drawing", "Node", "autograd", "dag"]

MAX_NODES = 200
_LINE = "#404040"
_COLORS = plots.COLORS
# How the kinds of boxes look, in Graphviz's words.
KINDS = {
    "op": 'style="filled,rounded" color="#666666" fillcolor="#e8e8e8"',
    "data": "color=black fillcolor=white",
    "param": f'style="filled,dashed" color="{_COLORS["blue"]}" '
    'fillcolor="#d9eaf3" penwidth=1.6',
    "output": f'peripheries=2 color="{_COLORS["green"]}" fillcolor="#d9f0ea" '
    "penwidth=1.2",
    "accent": f'style="filled,rounded" color="{_COLORS["vermillion"]}" '
    'fillcolor="#f9e7d9" penwidth=1.6',
}
_HEAD = f"""digraph {{
graph [dpi={plots.DPI} size="10,60" bgcolor=white pad=0.05 nodesep=0.2
       ranksep=0.3]
node [shape=box style=filled fontname="DejaVu Sans" fontsize=10 height=0.3
      margin="0.12,0.06"]
edge [color="{_LINE}" arrowsize=0.7]
"""
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{}</dir><dir>/usr/share/fonts</dir>
<dir>/usr/local/share/fonts</dir><dir prefix="xdg">fonts</dir>
<cachedir prefix="xdg">fontconfig</cachedir><cachedir>{}</cachedir>
</fontconfig>
"""


@dataclass(frozen=True)
class Node:
    """A box: label, kind (one of ``KINDS``), more in Graphviz's words."""

    label: str
    kind: str
    more: str = ""


@dataclass(frozen=True, repr=False)
class Drawing:
    """A graph, drawn. A notebook cell may end on it.

    Attributes:
        nodes: the boxes.
        edges: pairs of numbers of nodes, from input to output.
        alt: the graph in words, in Chinese and English.
        source: its text in the DOT language.
        png: the picture, at most 1000 pixels wide, the same in every run;
            None where nothing is installed that could draw it.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    alt: str
    source: str
    png: bytes | None

    def __repr__(self) -> str:
        return f"<Graph: {len(self.nodes)} nodes, {len(self.edges)} edges>"

    @property
    def missing(self) -> str:
        """What to install, one sentence, or empty."""
        return "" if self.png else pick(
            "这里画不出计算图，请运行 pip install torchviz pygraphviz，再重启"
            "内核（或者装上 Graphviz 的程序 dot）。",
            "Graphs cannot be drawn here: run pip install torchviz "
            "pygraphviz, then restart the kernel (Graphviz's program dot "
            "does as well as pygraphviz).",
        )  # fmt: skip

    def pixels(self) -> np.ndarray:
        """(height, width, 3) uint8; a blank strip where there is no png."""
        if not self.png:
            return np.full((20, 500, 3), 255, dtype=np.uint8)
        with Image.open(io.BytesIO(self.png)) as picture:
            return np.asarray(picture.convert("RGB"))

    def _repr_mimebundle_(self, include=None, exclude=None):
        if not self.png:
            return {"text/plain": self.missing}, {}
        image = base64.b64encode(plots.encode(self.pixels())).decode("ascii")
        data = {"image/png": image, "text/plain": repr(self)}
        return data, {"image/png": {"alt": self.alt}}


def autograd(
    y: Tensor | Mapping[str, Tensor],
    params: Mapping[str, Tensor] | nn.Module | None = None,
    *,
    fold_leaves: bool = False,
) -> Drawing:
    """Draws the graph that autograd recorded, inputs above, outputs below.

    Args:
        y: a tensor of any shape with a ``grad_fn``, or several by name.
        params: names for tensors in the graph: a dict, or a module for the
            names of its parameters. A leaf gets its name in its box, another
            tensor in that of the operation that made it. Tensors that are not
            in the graph (``requires_grad=False``) are passed over.
        fold_leaves: leave the AccumulateGrad nodes out.

    Returns:
        The drawing.

    Raises:
        TypeError: ``y`` or ``params`` hold something else than tensors.
        ValueError: ``y`` has no graph, or one of more than 200 nodes.
    """
    nodes, edges = _read(_outputs(y), _names(params))
    if fold_leaves:
        nodes, edges = _fold(nodes, edges)
    if len(nodes) > MAX_NODES:
        raise _too_large(len(nodes))
    return _draw(nodes, edges, "TB")


def dag(
    nodes: Mapping[Hashable, str | Mapping[str, str]],
    edges: Iterable[Sequence],
) -> Drawing:
    """Draws a directed acyclic graph that is given, from left to right.

    Args:
        nodes: per node its label, or a dict with ``label`` and, if wanted,
            ``kind`` ("op", "data", "param", "output", "accent") and
            attributes of Graphviz (``fillcolor``, ``width`` in inches).
        edges: (u, v), or (u, v, above, below) with a label above the arrow
            and one below, each a str or a pair (str, colour). In white, a
            label keeps its room in the graph and is not seen.

    Returns:
        The drawing.

    Raises:
        ValueError: an edge joins unknown nodes, or a node is not as above.
    """
    boxes = {}
    for name, node in nodes.items():
        asked = {"label": node} if isinstance(node, str) else dict(node)
        label, kind = asked.pop("label", None), asked.pop("kind", "op")
        if not isinstance(label, str) or kind not in KINDS:
            raise ValueError(
                f"nodes[{name!r}]: expected a label, or a dict with one and a "
                f"kind of {tuple(KINDS)}, got {node!r:.80}"
            )
        more = " ".join(f"{k}={_quote(v)}" for k, v in asked.items())
        boxes[name] = Node(label, kind, more)
    edges = list(edges)
    for end in (end for edge in edges for end in edge[:2]):
        if end not in boxes:
            raise ValueError(
                f"edges: expected nodes of {list(boxes)}, got {end!r}"
            )
    return _draw(boxes, edges, "LR")


def _outputs(y) -> dict[str, Tensor]:
    """Names the outputs and refuses those without a graph."""
    found = {"output": y} if isinstance(y, Tensor) else y
    if not isinstance(found, Mapping) or not found:
        raise TypeError(
            "y: expected a tensor or a dict of tensors, got "
            f"{type(y).__name__}"
        )
    for name, tensor in found.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"y: expected tensors, got {type(tensor).__name__} ({name})"
            )
        if tensor.grad_fn is None:
            what = "a leaf" if tensor.requires_grad else "one without"
            raise ValueError(
                f"y: expected a tensor with a grad_fn, got {what} ({name}): "
                "nothing was recorded that led to it; compute it from tensors "
                "with requires_grad=True, not under no_grad() or detach()"
            )
    return dict(found)


def _names(params) -> list[tuple[object, str]]:
    """Pairs of a leaf, or of the function that made a tensor, and its name.

    They are kept alive: torch makes a new object, with another ``id``, for a
    function that nobody holds.
    """
    if isinstance(params, nn.Module):
        params = dict(params.named_parameters(remove_duplicate=False))
    if not isinstance(params, Mapping | None):
        raise TypeError(
            "params: expected a dict of tensors or an nn.Module, "
            f"got {type(params).__name__}"
        )
    named = []
    for name, tensor in (params or {}).items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"params[{name!r}]: expected a tensor, "
                f"got {type(tensor).__name__}"
            )
        made = "" if tensor.grad_fn is None else f" {tuple(tensor.shape)}"
        named.append((tensor.grad_fn or tensor, f"{name}{made}"))
    return named


def _read(outputs, named) -> tuple[dict[str, Node], list[tuple[str, str]]]:
    """Has torchviz read the graph; keys are torchviz's, memory addresses.

    What it adds (saved tensors in orange, the base of a view in darker green)
    is left out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # distutils is deprecated
            import torchviz

            found = torchviz.make_dot(tuple(outputs.values()))
    except ImportError:
        return {}, []
    except RecursionError:
        raise _too_large("far more") from None
    names = {}
    for thing, name in named:
        names.setdefault(str(id(thing)), []).append(name)
    ends = {str(id(tensor)): name for name, tensor in outputs.items()}
    nodes, edges = {}, []
    for line in found.body:
        match = re.match(r"\s*(\d+)(?: -> (\d+))? ?(.*)", line, re.DOTALL)
        key, target, rest = match.groups()
        if target:
            if "dir=none" not in rest and "style=dotted" not in rest:
                edges.append((key, target))
            continue
        what = re.search(r'label="?(.*?)"?(?: fillcolor|\])', rest, re.DOTALL)
        text = re.sub(r"\((\d+)\)$", r"(\1,)", what[1].strip())
        if key in ends:
            nodes[key] = Node(f"{ends[key]}\n{text}", "output")
        elif "lightblue" in rest:
            nodes[key] = Node("\n".join([*names.get(key, ()), text]), "param")
        elif "fillcolor" not in rest:
            nodes[key] = Node("\n".join([text, *names.get(key, ())]), "op")
    return nodes, [(u, v) for u, v in edges if u in nodes and v in nodes]


def _fold(nodes, edges):
    """Leaves the AccumulateGrad nodes out; their leaves take their place."""
    leaf = {
        v: u for u, v in edges if nodes[v].label.startswith("AccumulateGrad")
    }
    edges = [(leaf.get(u, u), v) for u, v in edges if v not in leaf]
    return {k: node for k, node in nodes.items() if k not in leaf}, edges


def _too_large(count) -> ValueError:
    return ValueError(
        f"y: expected a graph of at most {MAX_NODES} nodes, got {count}, too "
        "many to be read; draw a part of the model, or leave nodes out with "
        "fold_leaves=True"
    )


def _quote(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'


def _note(above, below="") -> str:
    """A label that its arrow runs through: a table whose rule is the line."""
    rows = []
    for text in (above, below):
        text, color = (text, "black") if isinstance(text, str) else text
        rows.append(f'<font color="{color}">{escape(text) or " "}</font>')
    look = f'border="0" cellspacing="0" cellpadding="1" color="{_LINE}"'
    first, second = (f"<tr><td>{row}</td></tr>" for row in rows)
    return f"<<table {look}>{first}<hr/>{second}</table>>"


def _draw(nodes: Mapping, edges: Iterable, rankdir: str) -> Drawing:
    """Writes the graph in the DOT language and has it drawn."""
    number = {name: k for k, name in enumerate(nodes)}
    lines = [f"rankdir={rankdir}"]
    for k, node in enumerate(nodes.values()):
        look = f"label={_quote(node.label)} {KINDS[node.kind]} {node.more}"
        lines.append(f"n{k} [{look.strip()}]")
    pairs = []
    for k, (start, end, *note) in enumerate(edges):
        u, v = number[start], number[end]
        pairs.append((u, v))
        if note:
            look = 'shape=plain style="" fontsize=9'
            lines.append(f"e{k} [{look} label={_note(*note)}]")
            lines.append(f"n{u} -> e{k}:w [arrowhead=none]; e{k}:e -> n{v}")
        else:
            lines.append(f"n{u} -> n{v}")
    source = _HEAD + "\n".join(lines) + "\n}\n"
    boxes = tuple(nodes.values())
    png = _png(source) if boxes else None
    return Drawing(
        boxes,
        tuple(pairs),
        _alt(boxes[::-1] if rankdir == "TB" else boxes, len(pairs)),
        source,
        png,
    )


def _png(source: str) -> bytes | None:
    """Has Graphviz draw a graph; None where nothing of it is installed."""
    try:
        graph = _pygraphviz().AGraph(string=source)
        return graph.draw(format="png", prog="dot")
    except (ImportError, ValueError):  # not there, or without PNG
        pass
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            [shutil.which("dot") or "dot", "-Tpng"], input=source.encode(),
            capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout
    return None


@cache
def _pygraphviz():
    """Imports pygraphviz; it looks for fonts once, when it first draws.

    The fontconfig in its wheels cannot read the settings of newer systems and
    complains on standard error (pygraphviz issue 648): it gets settings of
    its own, in which matplotlib's DejaVu Sans comes first, and no ear.
    """
    import pygraphviz

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    before, stderr = dict(os.environ), os.dup(2)
    with suppress(OSError), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fonts.conf"
        file.write_text(_FONTS.format(fonts, tempfile.gettempdir()), "utf8")
        os.environ["FONTCONFIG_FILE"] = str(file)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            graph = pygraphviz.AGraph(string=_HEAD + "n0}")
            graph.draw(format="png", prog="dot")
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            del os.environ["FONTCONFIG_FILE"]
            os.environ.update(before)
    return pygraphviz


def _alt(nodes: Iterable[Node], count: int) -> str:
    """Puts the graph into words, in both languages."""
    said = {"param": [], "op": [], "output": []}
    nodes = list(nodes)
    for node in nodes:
        kind = {"data": "param", "accent": "op"}.get(node.kind, node.kind)
        said[kind].append(" ".join(node.label.split()))
    leaves, steps, ends = (
        "; ".join(label + f" ×{k}" * (k > 1) for label, k in found)
        for found in (Counter(labels).items() for labels in said.values())
    )
    return (
        f"计算图，从输入到输出：叶子 {leaves}；运算 {steps}；输出 {ends}。"
        f"共 {len(nodes)} 个节点、{count} 条边。 / "
        f"Graph, from inputs to outputs: leaves {leaves}; operations "
        f"{steps}; outputs {ends}. {len(nodes)} nodes, {count} edges."
    )
