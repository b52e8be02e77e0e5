"""Sliders: they follow, they tell, they leave nothing behind."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace

import ipywidgets
import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from helpers import plots, widgets

X = np.linspace(0, 6, 50)


@pytest.fixture(autouse=True)
def style():
    """The course's style for one test."""
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def wave():
    """A figure with one line, and the function that moves it."""
    fig, ax = plots.subplots()
    (line,) = ax.plot(X, np.sin(X))
    ax.set(ylim=(-2, 2))
    calls = []

    def draw(speed=2.0, kind="sin", note="a"):
        calls.append((speed, kind, note))
        if note == "illegal":
            raise ValueError("the note <b>must</b> be short")
        if note == "broken":
            raise KeyError("lost")
        line.set_ydata(getattr(np, kind)(speed * X))
        return fig

    return SimpleNamespace(draw=draw, fig=fig, line=line, calls=calls)


def explore(wave, **kwargs):
    """An explorer of the wave."""
    controls = {"speed": (0.0, 5.0, 0.5), "kind": ["sin", "cos"], "note": "a"}
    return widgets.explore(wave.draw, **controls, **kwargs)


def picture(png: bytes) -> np.ndarray:
    """PNG to (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_controls_start_at_the_defaults(wave):
    """Abbreviations become ipywidgets' controls at the values of draw."""
    explorer = explore(wave)
    assert explorer.values == {"speed": 2.0, "kind": "sin", "note": "a"}
    slider = explorer.controls["speed"]
    assert isinstance(slider, ipywidgets.FloatSlider)
    assert (slider.min, slider.max, slider.step) == (0, 5, 0.5)
    assert isinstance(explorer.controls["kind"], ipywidgets.Dropdown)
    assert not explorer.controls["note"].continuous_update  # typed to its end
    other = widgets.explore(lambda n_layers, k=3: wave.fig, n_layers=(0, 10))
    assert other.values == {"n_layers": 5}
    assert other.controls["n_layers"].description == "n layers"


def test_a_slider_changes_the_picture_in_place(wave):
    """The same figure, drawn again; the picture is what it shows."""
    explorer = explore(wave)
    start = explorer.image.value
    assert picture(start).shape == (320, 500, 3)
    explorer.controls["speed"].value = 4.5
    assert wave.calls[-1] == (4.5, "sin", "a")
    assert explorer.image.value != start
    np.testing.assert_array_equal(
        picture(explorer.image.value), plots.render(wave.fig)
    )
    explorer.controls["kind"].value = "cos"
    np.testing.assert_allclose(wave.line.get_ydata(), np.cos(4.5 * X))
    explorer.controls["speed"].value = 2.0
    explorer.controls["kind"].value = "sin"
    assert explorer.image.value == start


def test_keys_stop_at_a_control_s_ends(wave):
    """What the arrow keys send beyond the range is brought back into it."""
    explorer = explore(wave)
    for sent, kept in ((5.5, 5.0), (-0.5, 0.0)):
        explorer.controls["speed"].set_state({"value": sent})
        assert explorer.values["speed"] == wave.calls[-1][0] == kept
        assert explorer.error is None


def test_panel(wave):
    """Each setting has its picture; then the figure is at the defaults."""
    panel = [{"speed": 1.0}, {"kind": "cos"}, {"speed": 4.0, "kind": "cos"}]
    explorer = explore(wave, panel=panel)
    assert wave.calls[-1] == (2.0, "sin", "a")
    strip = 30  # the captions
    assert explorer.static.shape == (2 * (320 + strip), 1000, 3)
    for k, setting in enumerate(panel):
        top, left = (k // 2) * (320 + strip), (k % 2) * 500
        block = explorer.static[top:, left:][: 320 + strip, :500]
        shown = plots.render(wave.draw(**setting))
        assert np.abs(block[strip:].astype(int) - shown).mean() < 0.5
        assert block[:strip].min() < 100  # something is written
    assert (explorer.static[320 + strip :, 500:] == 255).all()


def test_an_illegal_value_is_told_and_the_picture_stays(wave):
    """ValueError: the message, escaped, under the last good picture."""
    explorer = explore(wave)
    good = explorer.image.value
    explorer.controls["note"].value = "illegal"
    assert isinstance(explorer.error, ValueError)
    assert "&lt;b&gt;must&lt;/b&gt; be" in explorer.message.value
    assert explorer.image.value == good
    explorer.controls["note"].value = "fine"
    assert explorer.error is None
    assert explorer.message.value == ""
    with pytest.raises(KeyError, match="lost"):
        explorer.controls["note"].value = "broken"
    assert "KeyError: " in explorer.message.value
    with pytest.raises(ValueError, match="must"):  # at the start: an error
        explore(wave, panel=[{"note": "illegal"}, {"note": "b"}])


def test_a_drawing_may_return_a_new_figure():
    """Slower, but shown, and nothing stays open in pyplot."""

    def draw(n=1):
        fig, ax = plt.subplots()
        ax.plot(np.arange(n + 2))
        return fig

    explorer = widgets.explore(draw, n=(0, 9))
    start = explorer.image.value
    explorer.controls["n"].value = 7
    assert explorer.image.value != start
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "at least one control"),
        ({"speed": object()}, TypeError, "speed must be a range"),
        ({"pace": (0, 1)}, TypeError, r"draw must take .*'pace'"),
        ({"speed": (3.0, 5.0)}, ValueError, "speed must have a default"),
        ({"kind": ["cos", "tan"]}, ValueError, "kind must have a default"),
        ({"kind": ["sin"], "panel": [{"kind": "sin"}]}, ValueError,
         "2 to 6 settings, got 1"),
        ({"kind": ["sin"], "panel": {"kind": "sin"}}, TypeError,
         "panel must be a list of dicts, got {'kind'"),
        ({"kind": ["sin"], "panel": [{"speed": 1}, {"kind": "sin"}]},
         ValueError, r"some of \['kind'\]"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(wave, arguments, error, message):
    """Said at once, not at the first move of a slider."""
    with pytest.raises(error, match=message):
        widgets.explore(wave.draw, **arguments)


def test_draw_must_be_a_function_that_returns_its_figure(wave):
    """A forgotten `return` is said in words."""
    with pytest.raises(TypeError, match=r"draw must return .* got NoneType"):
        widgets.explore(lambda n=1: None, n=(0, 3))
    for wrong in (wave.fig, max):
        with pytest.raises(TypeError, match="draw must"):
            widgets.explore(wrong, n=(0, 3))


def test_a_step_draws_once_and_computes_no_layout(monkeypatch):
    """What makes a step quick, counted; `bench widget` takes the time."""
    fig, axes = plots.subplots(1, 3, width=3)
    (line,) = axes[0].plot(X, X)

    def draw(k=0):
        line.set_ydata(np.sin(k + X) * 6)
        return fig

    explorer = widgets.explore(draw, k=(0, 50))
    places = [ax.get_position().bounds for ax in axes]
    drawn = []
    original = type(axes[0]).draw

    def counted(self, renderer):
        drawn.append(self)
        original(self, renderer)

    monkeypatch.setattr(type(axes[0]), "draw", counted)
    explorer.controls["k"].value = 3
    assert drawn == list(axes)
    assert [ax.get_position().bounds for ax in axes] == places


CELLS = {
    "setup": "import sys; sys.path.insert(0, ROOT)\n"
    "import ipywidgets, matplotlib.pyplot as plt\n"
    "from helpers import graphs, plots, widgets\n"
    "plots.use_style()\n"
    "figure, ax = plots.subplots()\n"
    "def draw(k=2, kind='a'):\n"
    "    ax.set_title(f'{k} {kind}')\n"
    "    return figure",
    "show": "plots.show(plots.matrix([[1, -2], [3, 4]], title='x'))",
    "pyplot": "fig, ax2 = plt.subplots()\nplots.show(fig)",
    "graph": "graphs.dag({'a': 'a', 'b': 'b'}, [('a', 'b')])",
    "first": "panel = [{'k': 1}, {'k': 3}]\n"
    "first = widgets.explore(draw, k=(0, 9), kind='ab', panel=panel)\n"
    "first",
    "second": "own = ipywidgets.IntSlider(max=9)\n"
    "widgets.explore(draw, k=own)",
    "move": "first.controls['k'].value = 7\nprint(ax.get_title())",
    "step": "widgets.explore(lambda k=1: graphs.dag({'a': f'{k}'}, []), "
    "k=(0, 9))",
    "count": "from ipywidgets.widgets import widget\n"
    "kept = vars(widget).get('_instances')  # ipywidgets 8\n"
    "print(len(ipywidgets.Widget.widgets if kept is None else kept))",
}


def test_in_a_notebook(root):
    """One PNG a figure, two outputs an explorer, no words in either language.

    Twenty further runs of the explorers' cells leave no more widgets alive
    than one, and close none that another cell shows.
    """
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(c) for c in CELLS.values()]
    cells[0].source = cells[0].source.replace("ROOT", repr(str(root)))
    book = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(book, timeout=120, kernel_name="python3")
    with client.setup_kernel():
        for index, cell in enumerate(book.cells):
            client.execute_cell(cell, index)
        found = {
            name: cell.outputs
            for name, cell in zip(CELLS, book.cells, strict=True)
        }
        names = list(CELLS)
        before = found["count"][0].text
        for run in range(20):
            for name in ("second", "step") if run else ("first",):
                index = names.index(name)
                client.execute_cell(book.cells[index], index)
        client.execute_cell(book.cells[-1], len(names) - 1)
        assert book.cells[-1].outputs[0].text == before
    assert {name: len(outputs) for name, outputs in found.items()} == {
        "setup": 0, "show": 1, "pyplot": 1, "graph": 1, "first": 2,
        "second": 2, "move": 1, "step": 2, "count": 1,
    }  # fmt: skip
    texts = {
        "show": "<Figure size 500x320 with 1 Axes>",
        "pyplot": "<Figure size 500x320 with 1 Axes>",
        "graph": "<Graph: 2 nodes, 1 edges>",
        "first": "<Figure size 1000x350 with 1 Axes>",
        "second": "<Figure size 500x320 with 1 Axes>",
        "step": "<Graph: 1 nodes, 0 edges>",
    }
    for name, text in texts.items():
        output = found[name][-1]
        assert output.data["text/plain"] == text
        assert "。 / " in output.metadata["image/png"]["alt"]
        shape = picture(base64.b64decode(output.data["image/png"])).shape
        assert "Figure" not in text or f"{shape[1]}x{shape[0]}" in text
    assert found["first"][0].data["text/plain"] == "↔ k, kind"
    view = found["first"][0].data["application/vnd.jupyter.widget-view+json"]
    assert view["version_major"] == 2
    assert found["move"][0].text == "7 a\n"
