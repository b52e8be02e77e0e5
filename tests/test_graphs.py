"""helpers.graphs: both renderers, what they show, and how they fail."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import graphs, plots
from helpers._autograd import dot_png
from helpers._boxes import KINDS
from helpers._layout import layered, ranks

has_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="Graphviz's dot is not installed"
)
RENDERERS = ["course", pytest.param("torchviz", marks=has_dot)]
ADDRESS = re.compile(r"\d{8,}|0x[0-9a-f]{4,}")
ROOT = Path(__file__).parents[1]


class LeNet(nn.Module):
    """The lecture's, for images of 28 x 28."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).view(-1, 256)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    """Attention and a residual: edges that pass many layers."""

    def __init__(self, d=8):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x):
        z = self.norm(x)
        a = (self.q(z) @ self.k(z).mT).softmax(-1) @ self.v(z)
        return x + self.o(a)


def seed_example():
    """Lecture 3: x = ones(5), y = zeros(3), z = x @ w + b, BCE."""
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    z = x @ w + b
    loss = F.binary_cross_entropy_with_logits(z, y)
    return loss, {"x": x, "w": w, "b": b}


def lenet():
    net = LeNet()
    return net(torch.randn(2, 1, 28, 28)), net


def mlp():
    net = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)
    )
    return net(torch.randn(2, 4)), net


def block():
    table, net = nn.Embedding(7, 8), Block()
    y = net(table(torch.arange(3)))
    return y, {"table": table.weight, **dict(net.named_parameters())}


def drawn_labels(drawing):
    """The labels as they stand in the picture, whoever drew it."""
    if drawing.renderer == "torchviz":
        quoted = r'label=(?:"((?:[^"\\]|\\.)*)"|(\w+))'
        found = re.findall(rf"^\s*n\d+ \[{quoted}", drawing.source, re.M)
        return ["".join(pair).replace("\\n", "\n") for pair in found]
    return [
        text.get_text()
        for text in drawing.figure.axes[0].texts
        if text.get_text()
    ]


def names_and_edges(drawing):
    """Edges as pairs of labels."""
    label = [node.label for node in drawing.nodes]
    return Counter((label[u], label[v]) for u, v in drawing.edges)


def size(png):
    return tuple(int.from_bytes(png[k : k + 4], "big") for k in (16, 20))


# What is shown


@pytest.mark.parametrize("renderer", RENDERERS)
def test_seed_example_equals_the_slide(renderer):
    drawing = graphs.autograd(*seed_example(), renderer=renderer)
    assert drawing.renderer == renderer
    bce = "BinaryCrossEntropyWithLogitsBackward0"
    assert names_and_edges(drawing) == Counter(
        [
            ("w\n(5, 3)", "AccumulateGrad"),
            ("AccumulateGrad", "MmBackward0"),
            ("MmBackward0", "SqueezeBackward4"),
            ("SqueezeBackward4", "AddBackward0"),
            ("b\n(3,)", "AccumulateGrad"),
            ("AccumulateGrad", "AddBackward0"),
            ("AddBackward0", bce),
            (bce, "output\n()"),
        ]
    )
    assert Counter(drawn_labels(drawing)) == Counter(
        node.label for node in drawing.nodes
    )


@has_dot
@pytest.mark.parametrize("make", [seed_example, lenet, mlp, block])
def test_dot_source_has_the_same_nodes_and_edges(make):
    drawing = graphs.autograd(*make(), renderer="torchviz")
    edges = re.findall(r"n(\d+) -> n(\d+)", drawing.source)
    assert Counter((int(u), int(v)) for u, v in edges) == Counter(
        drawing.edges
    )
    numbers = re.findall(r"^\s*n(\d+) \[", drawing.source, re.MULTILINE)
    assert [int(k) for k in numbers] == list(range(len(drawing.nodes)))


@pytest.mark.parametrize("renderer", RENDERERS)
def test_lenet(renderer):
    y, net = lenet()
    drawing = graphs.autograd(y, net, renderer=renderer)
    leaves = {n.label for n in drawing.nodes if n.kind == "param"}
    assert (len(drawing.nodes), len(drawing.edges)) == (36, 35)
    assert leaves == {
        f"{name}\n{tuple(p.shape)}" for name, p in net.named_parameters()
    }
    kinds = Counter(n.label.split("\n")[0] for n in drawing.nodes)
    assert kinds["AccumulateGrad"] == 10
    assert kinds["AddmmBackward0"] == kinds["TBackward0"] == 3
    assert size(drawing.png)[0] <= 1000
    assert repr(drawing) == "<Graph: 36 nodes, 35 edges>"


@pytest.mark.parametrize("renderer", RENDERERS)
def test_folding_leaves_out_accumulate_grad_only(renderer):
    y, net = lenet()
    full = graphs.autograd(y, net, renderer=renderer)
    folded = graphs.autograd(y, net, renderer=renderer, fold_leaves=True)
    assert len(full.nodes) - len(folded.nodes) == 10
    assert len(full.edges) - len(folded.edges) == 10
    assert "AccumulateGrad" not in "".join(drawn_labels(folded))
    assert ("fc3.weight\n(10, 84)", "TBackward0") in names_and_edges(folded)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_shared_parameter_stands_once_under_both_names(renderer):
    net = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    net["b"].weight = net["a"].weight
    y = net["b"](net["a"](torch.randn(2, 4)))
    drawing = graphs.autograd(y, net, renderer=renderer)
    leaves = [n.label for n in drawing.nodes if n.kind == "param"]
    assert sorted(leaves) == [
        "a.bias\n(4,)",
        "a.weight\nb.weight\n(4, 4)",
        "b.bias\n(4,)",
    ]
    assert names_and_edges(drawing)["AccumulateGrad", "TBackward0"] == 2
    assert drawn_labels(drawing).count("a.weight\nb.weight\n(4, 4)") == 1


@pytest.mark.parametrize("renderer", RENDERERS)
def test_multiple_outputs_and_double_edges(renderer):
    a = torch.randn(3, requires_grad=True)
    square = a * a
    y = {"first": square.sum(), "second": square.exp()}
    drawing = graphs.autograd(y, {"a": a, "sq": square}, renderer=renderer)
    assert names_and_edges(drawing) == Counter(
        {
            ("a\n(3,)", "AccumulateGrad"): 1,
            ("AccumulateGrad", "MulBackward0\nsq (3,)"): 2,
            ("MulBackward0\nsq (3,)", "SumBackward0"): 1,
            ("MulBackward0\nsq (3,)", "ExpBackward0"): 1,
            ("SumBackward0", "first\n()"): 1,
            ("ExpBackward0", "second\n(3,)"): 1,
        }
    )
    listed = graphs.autograd(list(y.values()), renderer=renderer)
    assert {n.label for n in listed.nodes if n.kind == "output"} == {
        "output 0\n()",
        "output 1\n(3,)",
    }
    twice = graphs.autograd([y["first"], y["first"]], renderer=renderer)
    assert [n.kind for n in twice.nodes].count("output") == 1


def test_every_named_result_has_its_name_in_its_own_box():
    a = torch.randn(3, requires_grad=True)
    steps = {"h": a.exp()}
    steps["z"] = steps["h"].tanh()
    steps["s"] = steps["z"].sin()
    drawing = graphs.autograd(
        steps["s"].sum(), {"a": a, **steps}, renderer="course"
    )
    assert [n.label for n in drawing.nodes if "(3,)" in n.label] == [
        "SinBackward0\ns (3,)",
        "TanhBackward0\nz (3,)",
        "ExpBackward0\nh (3,)",
        "a\n(3,)",
    ]


@pytest.mark.parametrize("renderer", RENDERERS)
def test_views_custom_functions_and_odd_names(renderer):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    name = 'a "$b$" \\n_<c>'
    x = torch.randn(4, requires_grad=True)
    y = Double.apply(x).view(2, 2)  # torchviz adds the base and saved x
    drawing = graphs.autograd(y, {name: x}, renderer=renderer)
    assert [n.label for n in drawing.nodes] == [
        "output\n(2, 2)",
        "ViewBackward0",
        "DoubleBackward",
        f"{name}\n(4,)",
        "AccumulateGrad",
    ]
    if renderer == "course":
        assert f"{name}\n(4,)" in drawn_labels(drawing)


@has_dot
@pytest.mark.parametrize("make", [seed_example, lenet, block])
def test_both_renderers_say_the_same(make):
    y, params = make()
    one = graphs.autograd(y, params, renderer="torchviz")
    two = graphs.autograd(y, params, renderer="course")
    (data1, about1), (data2, about2) = (
        d._repr_mimebundle_() for d in (one, two)
    )
    assert data1["text/plain"] == data2["text/plain"]
    assert (one.nodes, one.edges) == (two.nodes, two.edges)
    assert about1["image/png"]["alt"] == about2["image/png"]["alt"]
    assert about1["image/png"]["renderer"] == "torchviz"
    assert about2["image/png"]["renderer"] == "course"
    assert data1["image/png"] != data2["image/png"]


@pytest.mark.parametrize("renderer", RENDERERS)
def test_no_address_anywhere(renderer):
    for make in (seed_example, block):
        drawing = graphs.autograd(*make(), renderer=renderer, title="T")
        words = [drawing.alt, repr(drawing), drawing.source or ""]
        for text in words + drawn_labels(drawing):
            assert not ADDRESS.search(text), text


def test_alternative_text_is_in_both_languages():
    drawing = graphs.autograd(*seed_example(), renderer="course", title="Loss")
    chinese, english = drawing.alt.split(" / ")
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert not re.search("[\u4e00-\u9fff]", english)
    for half in (chinese, english):
        for word in (
            "w (5, 3)",
            "b (3,)",
            "AccumulateGrad ×2",
            "MmBackward0",
            "output ()",
            "Loss",
            "9 ",
            "8 ",
        ):
            assert word in half
    assert english.index("MmBackward0") < english.index("AddBackward0")


def test_ipython_shows_one_png_with_its_metadata():
    from IPython.core.formatters import DisplayFormatter

    drawing = graphs.autograd(*seed_example(), renderer="course")
    data, about = DisplayFormatter().format(drawing)
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "<Graph: 9 nodes, 8 edges>"
    assert base64.b64decode(data["image/png"]) == drawing.png
    assert drawing.png.startswith(b"\x89PNG")
    assert about["image/png"] == {"alt": drawing.alt, "renderer": "course"}


# With and without dot


@has_dot
def test_auto_takes_torchviz_where_it_works(recwarn):
    assert graphs.autograd(*seed_example()).renderer == "torchviz"
    assert not recwarn.list


def without_dot(monkeypatch, folder):
    monkeypatch.setenv("PATH", str(folder))


def without_torchviz(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "torchviz", None)


def without_distutils(monkeypatch, folder):
    for name in ("torchviz", "torchviz.dot"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "distutils", None)
    monkeypatch.setitem(sys.modules, "distutils.version", None)


def with_fake_dot(text):
    def prepare(monkeypatch, folder):
        if os.name == "nt":
            pytest.skip("the fake dot is a shell script")
        program = folder / "dot"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return prepare


BROKEN = {
    "no dot": (without_dot, "PATH"),
    "no torchviz": (without_torchviz, "torchviz"),
    "no distutils": (without_distutils, "distutils"),
    "dot fails": (with_fake_dot("exit 3"), r"failed \(3\)"),
    "dot writes nonsense": (with_fake_dot("echo hello"), "failed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_falls_back_silently(case, monkeypatch, tmp_path, capfd, recwarn):
    breaks, reason = BROKEN[case]
    loss, params = seed_example()
    breaks(monkeypatch, tmp_path)
    drawing = graphs.autograd(loss, params)
    assert drawing.renderer == "course"
    assert "w\n(5, 3)" in drawn_labels(drawing)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    with pytest.raises(RuntimeError, match=f"'torchviz' needs.*{reason}"):
        graphs.autograd(loss, params, renderer="torchviz")


def test_a_dot_that_hangs_is_given_up(monkeypatch, tmp_path):
    with_fake_dot("exec sleep 20")(monkeypatch, tmp_path)
    with pytest.raises(RuntimeError, match="does not run"):
        dot_png("digraph {}", seconds=0.3)


SCRIPT = """
import hashlib, sys, torch
ballast = [object() for _ in range(int(sys.argv[1]))]
from helpers import graphs, plots
if len(ballast) > 1000:
    plots.use_style()
torch.manual_seed(len(ballast))
net = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(4)))
y = net(torch.randn(3, 4)); y = y + net[0](y).tanh()
for renderer in sys.argv[2:]:
    png = graphs.autograd(y, net, renderer=renderer, title="T").png
    print(renderer, hashlib.sha256(png).hexdigest())
"""


def test_same_bytes_in_every_process():
    renderers = ["course"] + ["torchviz"] * bool(shutil.which("dot"))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(ballast), *renderers],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )
        for seed, ballast in [(1, 10), (2, 12345)]
    ]
    one, two = (process.communicate(timeout=120)[0] for process in started)
    assert [process.returncode for process in started] == [0, 0]
    assert one == two
    assert len(one.splitlines()) == len(renderers)


def test_picture_does_not_depend_on_settings():
    y, params = seed_example()
    plain = graphs.autograd(y, params, renderer="course").png
    settings = {
        "font.size": 30,
        "savefig.bbox": "tight",
        "savefig.dpi": 55,
        "text.color": "red",
        "figure.constrained_layout.use": True,
    }
    with matplotlib.rc_context(settings):
        assert graphs.autograd(y, params, renderer="course").png == plain
        assert matplotlib.rcParams["savefig.dpi"] == 55


# Where it stands


def box_extents(figure):
    """(N, 4) x0, y0, x1, y1 of the boxes, in pixels, without inner frames."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    found = []
    for text in figure.axes[0].texts:
        if not text.get_text():
            continue
        middle = text.get_window_extent(renderer)
        holds = [
            patch.get_window_extent(renderer)
            for patch in figure.axes[0].patches
            if hasattr(patch, "get_boxstyle")
        ]
        around = [
            box
            for box in holds
            if np.allclose(
                [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2],
                [
                    (middle.x0 + middle.x1) / 2,
                    (middle.y0 + middle.y1) / 2,
                ],
                atol=3,
            )
        ]
        if around:
            box = max(around, key=lambda b: b.width)
            assert box.x0 < middle.x0 < middle.x1 < box.x1
            assert box.y0 < middle.y0 < middle.y1 < box.y1
            found.append(box.extents)
    return np.array(found)


def overlaps(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def arrow_points(figure):
    """Per arrow (K, 2) points on its way, in pixels."""
    ax = figure.axes[0]
    ways = []
    for patch in ax.patches:
        if not hasattr(patch, "get_arrowstyle"):
            continue
        path = patch._path_original
        way = path.interpolated(1).to_polygons(closed_only=False)
        dense = [
            a + (b - a) * t
            for a, b in zip(way[0], way[0][1:], strict=False)
            for t in np.linspace(0, 1, 9)
        ]
        ways.append(ax.transData.transform(dense))
    return ways


@pytest.mark.parametrize("make", [seed_example, lenet, mlp, block])
@pytest.mark.parametrize("fold", [False, True])
def test_boxes_are_disjoint_and_no_edge_runs_through_one(make, fold):
    drawing = graphs.autograd(*make(), renderer="course", fold_leaves=fold)
    boxes = box_extents(drawing.figure)
    assert len(boxes) == len(drawing.nodes)
    for k, a in enumerate(boxes):
        assert not any(overlaps(a, b) for b in boxes[:k])
    width, height = drawing.figure.get_size_inches() * 100
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2] <= width).all()
    assert (boxes[:, 3] <= height).all()
    ways = arrow_points(drawing.figure)
    assert len(ways) == len(drawing.edges)
    for way in ways:
        for box in boxes:
            inside = (way > box[:2] + 1) & (way < box[2:] - 1)
            assert not inside.all(axis=1).any()


@pytest.mark.parametrize("make", [seed_example, lenet, mlp, block])
def test_edges_run_down(make):
    drawing = graphs.autograd(*make(), renderer="course")
    boxes = box_extents(drawing.figure)
    for u, v in drawing.edges:
        assert boxes[u][1] > boxes[v][3]


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_width_is_limited(renderer):
    leaves = [torch.randn(2, requires_grad=True) for _ in range(40)]
    drawing = graphs.autograd(torch.stack(leaves), renderer=renderer)
    assert 900 <= size(drawing.png)[0] <= 1000


def random_dag(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 25))
    count = int(rng.integers(0, 2 * n))
    pairs = np.sort(rng.integers(0, n, (count, 2)), axis=1)
    names = rng.permutation(n)
    return n, [(names[i], names[j]) for i, j in pairs if i < j], rng


@pytest.mark.parametrize("seed", range(12))
def test_layout_of_random_graphs(seed):
    n, edges, rng = random_dag(seed)
    sizes = rng.uniform(0.2, 2, (n, 2))
    found = layered(sizes, edges, gap=(0.1, 0.2))
    low, high = found.centres - sizes / 2, found.centres + sizes / 2
    assert (low >= -1e-6).all()
    assert (high <= np.array(found.size) + 1e-6).all()
    for i in range(n):
        for j in range(i):
            apart = np.maximum(low[i] - high[j], low[j] - high[i])
            assert apart[0] >= 0.1 - 1e-6 or apart[1] >= 0.2 - 1e-6
    for (i, j), route in zip(edges, found.routes, strict=True):
        assert len(route) % 2 == 0
        assert np.isclose(route[0, 1], high[i, 1])
        assert np.isclose(route[-1, 1], low[j, 1])
        assert abs(route[0, 0] - found.centres[i, 0]) < sizes[i, 0] / 2
        assert (np.diff(route[:, 1]) >= -1e-9).all()


def test_order_avoids_crossings():
    # three trees whose nodes are numbered in disorder
    edges = [(4, 2), (0, 2), (1, 8), (6, 8), (7, 3), (5, 3), (9, 8), (10, 2)]
    at = layered(np.ones((11, 2)), edges).centres[:, 0]
    for i, j in edges:
        for k, m in edges:
            assert not (at[i] < at[k] and at[j] > at[m])


def test_main_line_of_lenet_is_straight():
    drawing = graphs.autograd(*lenet(), renderer="course")
    labels = [node.label for node in drawing.nodes]
    texts = [t for t in drawing.figure.axes[0].texts if t.get_text()]
    across = [text.get_position()[0] for text in texts]
    side = ("AccumulateGrad", "TBackward0")
    main = [
        x
        for x, label, node in zip(across, labels, drawing.nodes, strict=True)
        if node.kind != "param" and label not in side
    ]
    assert len(main) == 13
    assert np.ptp(main) < 0.02


def test_layers_have_the_least_total_length():
    # 0 -> 1 -> 2 -> 3, and 4 -> 3: 4 belongs beside 2, not beside 0
    assert ranks(5, [(0, 1), (1, 2), (2, 3), (4, 3)]) == [0, 1, 2, 3, 2]
    with pytest.raises(ValueError, match="cycle"):
        ranks(3, [(0, 1), (1, 2), (2, 0)])


# Errors


def no_graph():
    return torch.ones(3)


def leaf():
    return torch.ones(3, requires_grad=True)


def detached():
    return leaf().exp().detach()


@pytest.mark.parametrize(
    ("y", "error", "says"),
    [
        (no_graph, ValueError, "requires_grad is False"),
        (detached, ValueError, "no_grad"),
        (leaf, ValueError, "leaf"),
        (lambda: [], ValueError, "at least one"),
        (lambda: [leaf().exp(), no_graph()], ValueError, "output 1"),
        (lambda: 3.0, TypeError, "float"),
        (lambda: [leaf().exp(), "x"], TypeError, "str"),
    ],
)
def test_bad_outputs(y, error, says):
    with pytest.raises(error, match=f"^y: expected.*{says}"):
        graphs.autograd(y())


def test_bad_params_and_renderer():
    loss, _ = seed_example()
    with pytest.raises(TypeError, match=r"params: .*got list"):
        graphs.autograd(loss, [leaf()])
    with pytest.raises(TypeError, match=r"params\['w'\]: .*got str"):
        graphs.autograd(loss, {"w": "weight"})
    with pytest.raises(ValueError, match=r"renderer: .*'svg'"):
        graphs.autograd(loss, renderer="svg")


def test_large_graphs():
    y = leaf()
    for _ in range(150):
        y = y.exp()
    drawing = graphs.autograd(y, renderer="course")
    assert len(drawing.nodes) == 153
    assert size(drawing.png)[0] <= 1000
    for _ in range(2000):
        y = y.exp()
    with pytest.raises(ValueError, match="at most 200 nodes, got 2153"):
        graphs.autograd(y)


# Graphs given by hand

NODES = {
    "x": {"label": "$x$\n2.00", "kind": "data"},
    "w": {"label": "$w$\n-3.00", "kind": "param"},
    "mul": r"$\times$",
    "y": {"label": "$y$\n-6.00", "kind": "output"},
}
EDGES = [
    ("x", "mul", "2.00", "grad -3.00"),
    ("w", "mul", "-3.00", "grad 2.00"),
    ("mul", "y", "-6.00"),
]


@pytest.mark.parametrize("direction", ["right", "down"])
def test_dag_gives_its_artists(direction):
    drawn = graphs.dag(NODES, EDGES, direction=direction, title="Product")
    assert drawn.nodes["mul"].get_text() == r"$\times$"
    assert list(drawn.edges) == [("x", "mul"), ("w", "mul"), ("mul", "y")]
    assert drawn.labels["x", "mul"].get_text() == "2.00"
    assert drawn.below["x", "mul"].get_text() == "grad -3.00"
    assert drawn.below["mul", "y"].get_text() == ""
    assert [t.get_text() for t in drawn.figure.texts] == ["Product"]
    axis = 0 if direction == "right" else 1
    sign = 1 if direction == "right" else -1
    place = {k: t.get_position()[axis] * sign for k, t in drawn.nodes.items()}
    assert place["x"] == pytest.approx(place["w"])
    assert place["w"] < place["mul"] < place["y"]


@pytest.mark.parametrize("direction", ["right", "down"])
def test_dag_labels_touch_nothing(direction):
    drawn = graphs.dag(NODES, EDGES, direction=direction)
    renderer = drawn.figure.canvas.get_renderer()
    boxes = list(box_extents(drawn.figure))
    notes = [
        text.get_window_extent(renderer).extents
        for texts in (drawn.labels, drawn.below)
        for text in texts.values()
        if text.get_text()
    ]
    assert len(boxes) == 4
    assert len(notes) == 5
    everything = boxes + notes
    for k, a in enumerate(everything):
        assert not any(overlaps(a, b) for b in everything[:k])
    for way in arrow_points(drawn.figure):
        for note in notes:
            inside = (way > note[:2]) & (way < note[2:])
            assert not inside.all(axis=1).any()


def test_dag_changes_in_place():
    drawn = graphs.dag(NODES, EDGES)

    def pixels():
        drawn.figure.canvas.draw()
        return np.array(drawn.figure.canvas.buffer_rgba())

    before = pixels()
    assert (before == pixels()).all()
    drawn.nodes["y"].set_text("$y$\n0.00")
    drawn.boxes["y"].set_facecolor("orange")
    after = pixels()
    assert after.shape == before.shape
    assert (before != after).any()


def test_dag_kinds_differ_without_colour():
    kinds = {k: {"label": "a", "kind": k} for k in KINDS}
    drawn = graphs.dag(kinds, [])
    looks = {
        (
            box.get_linestyle(),
            type(box.get_boxstyle()).__name__,
            box.get_linewidth(),
        )
        for box in drawn.boxes.values()
    }
    assert len(looks) == len(kinds)
    own = graphs.dag({"a": {"label": "a", "color": "purple"}}, [])
    edge = matplotlib.colors.to_hex(own.boxes["a"].get_edgecolor())
    assert edge == matplotlib.colors.to_hex("purple")


def test_dag_in_given_axes_and_places():
    figure = matplotlib.figure.Figure(figsize=(3, 2))
    axes = figure.subplots(1, 2)
    drawn = graphs.dag(NODES, EDGES, ax=axes[0], title="T")
    assert drawn.figure is figure
    assert drawn.ax is axes[0]
    assert axes[0].get_title() == "T"
    assert drawn.nodes["x"].get_fontsize() < 10
    pos = {"x": (0, 1), "w": (0, 0), "mul": (1, 0.5), "y": (2, 0.5)}
    placed = graphs.dag(NODES, EDGES, pos=pos)
    at = {k: np.array(t.get_position()) for k, t in placed.nodes.items()}
    assert at["x"][0] == pytest.approx(at["w"][0])
    assert at["x"][1] > at["mul"][1] > at["w"][1]
    assert at["y"][0] - at["mul"][0] == pytest.approx(
        at["mul"][0] - at["x"][0]
    )
    boxes = box_extents(placed.figure)
    for k, a in enumerate(boxes):
        assert not any(overlaps(a, b) for b in boxes[:k])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"edges": [("x", "z")]}, "edges: .*'z'"),
        ({"edges": [("x", "y"), ("x", "y")]}, "edges: .*twice"),
        ({"edges": [("x", "y", "1", "2", "3")]}, "edges: .*got 3"),
        ({"edges": [("x", "y"), ("y", "x")]}, "edges: .*cycle"),
        ({"edges": [("x", "x")]}, "edges: .*cycle"),
        ({"nodes": {}}, "nodes: .*none"),
        ({"nodes": {"x": {"kind": "box"}, "y": "y"}}, r"nodes\['x'\].*'box'"),
        ({"nodes": {"x": {"tint": "red"}, "y": "y"}}, r"nodes\['x'\].*tint"),
        ({"nodes": {"x": 3, "y": "y"}}, r"nodes\['x'\]: .*got 3"),
        ({"edges": [("x",)]}, r"edges: .*\('x',\)"),
        (
            {"edges": [("x", "x")], "pos": {"x": (0, 0), "y": (1, 0)}},
            "edges: .*cycle",
        ),
        ({"direction": "up"}, "direction: .*'up'"),
        ({"pos": {"x": (0, 0)}}, "pos: "),
    ],
)
def test_dag_errors(change, says):
    given = {"nodes": {"x": "x", "y": "y"}, "edges": [("x", "y")], **change}
    with pytest.raises(ValueError, match=says):
        graphs.dag(**given)


def test_summary_of_a_fitted_figure_has_no_size():
    fig = graphs.dag({"a": "a", "b": "b"}, [("a", "b")]).figure
    assert plots.summary(fig) == "<Figure with 1 Axes>"
    assert "size" in plots.summary(plots.matrix([[1.0, 2.0]]))
