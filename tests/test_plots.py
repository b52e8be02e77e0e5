"""Figures: their structure, their pictures, their words."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image

from helpers import plots

SIGNED = torch.linspace(-2, 3, 20).view(4, 5)
LOSS = torch.linspace(2, 0.1, 30)
FIGURES = {
    "matrix": lambda: plots.matrix(SIGNED, title="x", highlight=(1, 2)),
    "large matrix": lambda: plots.matrix(torch.rand(30, 40), title="x"),
    "vector": lambda: plots.matrix([1, 2, 3]),
    "scalar": lambda: plots.matrix(torch.tensor(2.5)),
    "mask": lambda: plots.matrix(torch.full((3, 3), -torch.inf).triu(1)),
    "images": lambda: plots.images(torch.rand(7, 9, 11), labels="abcdefg"),
    "curves": lambda: plots.curves(
        {"train": LOSS, "test": LOSS + 0.5},
        xlabel="step", ylabel="loss", title="Loss",
    ),
    "legend": lambda: plots.curves({"a": ([0, 9], [1, 2]), "b": [3, 4]}),
    "memory": lambda: plots.memory(torch.arange(6).view(2, 3)),
    "memory 0-D": lambda: plots.memory(torch.tensor(4)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def style():
    """The course's style for one test, matplotlib's own afterwards."""
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


def words(fig) -> list[str]:
    """All texts in the axes, in the order in which they were drawn."""
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def png(fig) -> bytes:
    return plots.bundle(fig)[0]["image/png"]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure(name):
    """Size, no warning, nothing cut off, nothing left in pyplot, words."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        fig = FIGURES[name]()
        data, about = plots.bundle(fig)
        picture = Image.open(io.BytesIO(data["image/png"]))
    wide, high = picture.size
    assert wide % 500 == high % 320 == 0
    assert data["text/plain"].startswith(f"<Figure size {wide}x{high} with")
    assert not plt.get_fignums()
    renderer = fig.canvas.get_renderer()
    for ax in fig.axes:
        for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label):
            if text.get_text():
                box = Text.get_window_extent(text, renderer)
                assert -1 <= box.x0 <= box.x1 <= wide + 1
                assert -1 <= box.y0 <= box.y1 <= high + 1
    assert np.asarray(picture.convert("L")).std() > 3  # not an empty page
    zh, en = about["image/png"]["alt"].split("。 / ")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in en)


def test_describe_names_what_is_drawn():
    """Titles, axes, lines, images, bars."""
    fig, axes = plots.subplots(1, 3, width=2)
    axes[0].plot([1, 2], label="train")
    axes[0].set(xlabel="step", ylabel="loss", title="A\nB")
    axes[1].imshow(np.eye(5))
    axes[2].bar([0, 1], [2, 3])
    assert plots.describe(fig) == (
        "图：标题 A B，横轴 step，纵轴 loss，线 1 train，图像 5×5，柱 2。 / "
        "Figure: title A B, x axis step, y axis loss, lines 1 train, image "
        "5×5, bars 2."
    )


def test_style_is_the_same_whatever_was_set_before():
    """After a dark style too; lines differ in colour and in dashes."""
    plain = {name: png(make()) for name, make in FIGURES.items()
             if name != "large matrix" and name != "images"}  # fmt: skip
    plt.style.use("dark_background")
    plt.rcParams["axes.titlesize"] = 30
    plots.use_style()
    assert all(png(FIGURES[name]()) == old for name, old in plain.items())
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    assert len({e["color"] for e in cycle}) == 7
    assert len({str(e["linestyle"]) for e in cycle}) == 7


@pytest.mark.parametrize("first", [True, False])
def test_a_chinese_title_is_shown_where_a_font_is_installed(first):
    """The reader's own sans-serif list stands behind DejaVu Sans."""
    name = "WenQuanYi Micro Hei"
    if name not in mpl.font_manager.get_font_names():
        pytest.skip(f"the font {name} is not installed")
    if first:
        mpl.rcParams["font.sans-serif"] = [name]
    plots.use_style()
    mpl.rcParams["font.sans-serif"] = [name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        png(plots.matrix([[1, 2]], title="注意力权重"))
    assert mpl.rcParams["font.family"][0] == "DejaVu Sans"


def test_subplots():
    fig, axes = plots.subplots(2, 3, width=3, height=2)
    assert axes.shape == (2, 3)
    assert fig.get_size_inches().tolist() == [15, 6.4]


@pytest.mark.parametrize("height", [0.7, 1.4, 1.33, 0.29, 1.15])
def test_a_figure_has_whole_pixels(height):
    """matplotlib 3.10 cuts a fraction off where 3.11 rounds."""
    fig, _ = plots.subplots(height=height)
    assert plots.render(fig).shape[:2] == (round(320 * height), 500)


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor([[1.0, -2.0, 0.0]], requires_grad=True),
        torch.tensor([[1, -2, 0]], dtype=torch.bfloat16),
        torch.tensor([[1.0, -2.0, 0.0]]).to(torch.float8_e4m3fn),
        torch.tensor([[1, -2, 0]], dtype=torch.int8),
        np.array([[1.0, -2.0, 0.0]], dtype=np.float16),
        [[1, -2, 0]],
        [torch.tensor([1.0, -2.0, 0.0], requires_grad=True)],
    ],
)
def test_every_kind_of_number(x):
    """Without a warning of matplotlib or NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert words(plots.matrix(x)) == ["1", "-2", "0"]
        flat = plots.as_array(x)[0]
        plots.curves({"a": (torch.arange(3), torch.tensor(flat))})
        plots.images(torch.tensor(flat).view(1, 1, 3), labels=torch.ones(1))


def test_matrix_numbers_and_colours():
    """Numbers equal the values; zero is white in the middle."""
    fig = plots.matrix(SIGNED)
    assert words(fig) == [f"{v:.2f}" for v in SIGNED.flatten().tolist()]
    image = fig.axes[0].images[0]
    assert image.get_cmap().name == "RdBu_r"
    assert (image.norm.vmin, image.norm.vmax) == (-3, 3)
    np.testing.assert_allclose(image.get_array(), SIGNED)
    assert words(plots.matrix(torch.eye(2).bool())) == ["T", "F", "F", "T"]
    special = [0.5, float("-inf"), float("nan"), -0.001]
    assert words(plots.matrix(special)) == ["0.50", "-inf", "nan", "0.00"]
    assert words(plots.matrix([0.25, 4], fmt=".1f")) == ["0.2", "4.0"]
    large = plots.matrix(torch.rand(30, 40))  # nobody could read them
    assert len(large.axes) == 2
    assert not words(large)


@pytest.mark.parametrize(
    ("highlight", "expected"),
    [
        ((1, 2), [(1.5, 0.5, 1, 1)]),
        ((1, None), [(-0.5, 0.5, 5, 1)]),
        ((None, -1), [(3.5, -0.5, 1, 4)]),
        ([(0, 0), (slice(2, 4), slice(0, 2))],
         [(-0.5, -0.5, 1, 1), (-0.5, 1.5, 2, 2)]),
    ],
)  # fmt: skip
def test_matrix_highlights(highlight, expected):
    """Cells, rows, columns and blocks get outlines."""
    ax = plots.matrix(SIGNED, highlight=highlight).axes[0]
    found = [(*p.get_xy(), p.get_width(), p.get_height()) for p in ax.patches]
    assert found == expected


def test_matrix_labels_and_axes():
    """Labels stand at rows and columns; `ax` is drawn into."""
    fig, axes = plots.subplots(1, 2)
    same = plots.matrix([[1, 2]], ax=axes[1], rows=["r"], cols=("a", "b"))
    assert same is fig
    assert not axes[0].images
    assert [t.get_text() for t in axes[1].get_xticklabels()] == ["a", "b"]
    assert [t.get_text() for t in axes[1].get_yticklabels()] == ["r"]


def test_images_lie_where_they_should_on_one_scale():
    """Each image is found in the sheet, unscaled, with its label."""
    x = torch.rand(5, 4, 6)
    ax = plots.images(x, labels=range(5), cols=3).axes[0]
    sheet = np.asarray(ax.images[0].get_array())
    assert words(ax.figure) == ["0", "1", "2", "3", "4"]
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (4, 6))
    for image in x.numpy():
        assert np.isclose(windows, image).all((2, 3)).sum() == 1
    assert (ax.images[0].norm.vmin, ax.images[0].norm.vmax) == (0, 1)
    x = torch.tensor([-1.0, 3.0, torch.nan]).view(3, 1, 1, 1)
    grey = plots.images(x).axes[0].images[0]
    assert (grey.norm.vmin, grey.norm.vmax) == (-1, 3)
    filters = plots.images(x, signed=True).axes[0].images[0]
    assert (filters.norm.vmin, filters.norm.vmax) == (-3, 3)


def test_curves_are_named_at_their_ends_or_in_a_legend():
    """Where the ends touch or lie apart, names there would mislead."""
    ax = FIGURES["curves"]().axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), LOSS)
    assert len({line.get_marker() for line in ax.lines}) == 2
    assert words(ax.figure) == ["train", "test"]
    assert ax.get_legend() is None
    touching = plots.curves({"a": LOSS, "b": LOSS + 0.01})
    for fig in (FIGURES["legend"](), touching):
        legend = fig.axes[0].get_legend()
        assert [t.get_text() for t in legend.get_texts()] == ["a", "b"]
        assert not words(fig)


@pytest.mark.parametrize(
    ("view", "reads"),
    [
        (torch.arange(6).view(2, 3).T, [0, 3, 1, 4, 2, 5]),
        (torch.arange(6)[1::2], [1, 3, 5]),
        (torch.arange(3).expand(2, 3), [0, 1, 2, 0, 1, 2]),
    ],
)
def test_memory_reads_as_torch_does(view, reads):
    """Each cell of the tensor has its element's number and colour."""
    ax = plots.memory(view).axes[0]
    title = f"stride {view.stride()}, offset {view.storage_offset()}"
    assert ax.get_title() == f"shape {tuple(view.shape)}, {title}"
    numbers = [t for t in words(ax.figure) if t and not t.startswith("+")]
    count = view.untyped_storage().nbytes() // 8
    assert [int(word) for word in numbers[2 * count :]] == reads
    strides = sorted(w for w in words(ax.figure) if w.startswith("+"))
    assert strides == sorted(f"+{step}" for step in view.stride())
    storage, tensor = (c.get_facecolor() for c in ax.collections)
    for cell, k in zip(tensor, reads, strict=True):
        np.testing.assert_allclose(cell, storage[k])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.matrix(torch.rand(2, 3, 4)), ValueError,
         r"x must have at most 2 axes, got shape \(2, 3, 4\)"),
        (lambda: plots.matrix("text"), TypeError, "x must hold real numbers"),
        (lambda: plots.matrix(torch.rand(2).cfloat()), TypeError, "real"),
        (lambda: plots.matrix([]), ValueError, "x must not be empty"),
        (lambda: plots.matrix([[1], [2, 3]]), ValueError, "rectangular"),
        (lambda: plots.matrix([1, 2], cols="abc"), ValueError,
         "cols must hold 2 labels, got 3"),
        (lambda: plots.matrix([1, 2], highlight=(0, 5)), ValueError,
         "highlight must hold"),
        (lambda: plots.matrix([1, 2], ax="left"), TypeError, "ax must be"),
        (lambda: plots.images(torch.rand(2, 5, 3, 3)), ValueError,
         r"got \(2, 5, 3, 3\)"),
        (lambda: plots.curves({}), ValueError, "1 to 7 curves, got 0"),
        (lambda: plots.curves({"a": ([1, 2], [1, 2, 3])}), ValueError,
         r"got shapes \(2,\) and \(3,\)"),
        (lambda: plots.memory(torch.arange(40)), ValueError, "40 elements"),
        (lambda: plots.memory([1, 2]), TypeError, "tensor, got list"),
        (lambda: plots.show("fig"), TypeError, "fig must be .* got str"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, message):
    """The error names the argument, what was expected and what came."""
    with pytest.raises(error, match=message):
        call()


IMPORT = """
import time, torch, torchvision, matplotlib.pyplot
start = time.process_time()
from helpers import data, graphs, plots, widgets
print(time.process_time() - start)
"""


def test_importing_all_helpers_is_cheap(root):
    """At most 0.3 s beyond torch, torchvision and matplotlib."""
    seconds = []
    for _ in range(3):  # a busy machine may need a second try
        done = subprocess.run(
            [sys.executable, "-c", IMPORT],
            cwd=root, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        seconds.append(float(done.stdout))
        if seconds[-1] <= 0.3:
            break
    assert min(seconds) <= 0.3
