"""Explorers, driven without a browser; figures and sliders in a notebook."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import ipywidgets
import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from helpers import plots, widgets

ROOT = Path(__file__).resolve().parents[1]
TEXT = "滑块：运行本格后可拖动 / Sliders: run this cell to move them"
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
    return widgets.explore(
        wave.draw,
        speed=(0.0, 5.0, 0.5),
        kind=["sin", "cos"],
        note="a",
        **kwargs,
    )


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
    assert slider.continuous_update
    assert isinstance(explorer.controls["kind"], ipywidgets.Dropdown)
    note = explorer.controls["note"]
    assert isinstance(note, ipywidgets.Text)
    assert not note.continuous_update  # only what was typed to its end

    def without_default(number_of_layers, fixed=3):
        return wave.fig

    other = widgets.explore(without_default, number_of_layers=(0, 10))
    assert other.values == {"number_of_layers": 5}
    control = other.controls["number_of_layers"]
    assert control.description == "number of layers"


def test_a_slider_changes_the_picture_in_place(wave):
    """The same figure, drawn again; the picture is what it shows."""
    explorer = explore(wave)
    start = explorer.image.value
    assert picture(start).shape == (320, 500, 3)
    assert (explorer.image.width, explorer.image.height) == ("500", "320")
    explorer.controls["speed"].value = 4.5
    assert wave.calls[-1] == (4.5, "sin", "a")
    assert explorer.figure is wave.fig
    assert explorer.image.value != start
    np.testing.assert_array_equal(
        picture(explorer.image.value), plots.render(wave.fig)
    )
    explorer.controls["kind"].value = "cos"
    np.testing.assert_allclose(wave.line.get_ydata(), np.cos(4.5 * X))
    explorer.controls["speed"].value = 2.0
    explorer.controls["kind"].value = "sin"
    assert explorer.image.value == start
    assert not plt.get_fignums()


def test_panel(wave):
    """Each setting has its picture; then the figure is at the defaults."""
    panel = [{"speed": 1.0}, {"kind": "cos"}, {"speed": 4.0, "kind": "cos"}]
    explorer = explore(wave, panel=panel)
    assert wave.calls[-1] == (2.0, "sin", "a")
    np.testing.assert_allclose(wave.line.get_ydata(), np.sin(2 * X))
    start = picture(explorer.image.value)
    np.testing.assert_array_equal(start, plots.render(wave.fig))
    height, width = explorer.static.shape[:2]
    strip = 30  # the captions
    assert (width, height) == (1000, 2 * (320 + strip))
    for k, setting in enumerate(panel):
        top, left = (k // 2) * (320 + strip), (k % 2) * 500
        block = explorer.static[top:, left:][: 320 + strip, :500]
        for name, value in setting.items():
            explorer.controls[name].value = value
        shown = picture(explorer.image.value)
        assert np.abs(block[strip:].astype(int) - shown).mean() < 0.5
        assert block[:strip].min() < 100  # something is written
        for name, value in {"speed": 2.0, "kind": "sin"}.items():
            explorer.controls[name].value = value
    empty = explorer.static[320 + strip :, 500:]
    assert (empty == 255).all()


def test_an_illegal_value_is_told_and_the_picture_stays(wave):
    """ValueError: the message, escaped, under the last good picture."""
    explorer = explore(wave)
    explorer.controls["speed"].value = 3.0
    good = explorer.image.value
    explorer.controls["note"].value = "illegal"
    assert isinstance(explorer.error, ValueError)
    assert "the note &lt;b&gt;must&lt;/b&gt; be short" in (
        explorer.message.value
    )
    assert explorer.image.value == good
    explorer.controls["note"].value = "fine"
    assert explorer.error is None
    assert explorer.message.value == ""
    explorer.controls["speed"].value = 1.0
    assert explorer.image.value != good


def test_a_broken_drawing_reaches_the_reader_and_the_test(wave):
    """Another error: shown with its type, raised, controls stay alive."""
    explorer = explore(wave)
    with pytest.raises(KeyError, match="lost"):
        explorer.controls["note"].value = "broken"
    assert isinstance(explorer.error, KeyError)
    assert "KeyError: " in explorer.message.value
    explorer.controls["note"].value = "fine"
    assert explorer.error is None


def test_an_error_at_the_start_is_raised_in_the_cell(wave):
    """At the defaults and in the panel even ValueError is an error."""
    with pytest.raises(ValueError, match="must"):
        explore(wave, panel=[{"note": "illegal"}, {"note": "b"}])

    def draw(n=1):
        raise ValueError("never legal")

    with pytest.raises(ValueError, match="never legal"):
        widgets.explore(draw, n=(0, 3))


def test_a_drawing_may_return_a_new_figure(wave):
    """Slower, but shown, and nothing stays open in pyplot."""

    def draw(n=1):
        fig, ax = plt.subplots()
        ax.plot(np.arange(n + 2))
        return fig

    explorer = widgets.explore(draw, n=(0, 9))
    first, start = explorer.figure, explorer.image.value
    explorer.controls["n"].value = 7
    assert explorer.figure is not first
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
        ({"kind": ["sin"], "panel": []}, ValueError, "2 to 6 settings"),
        ({"kind": ["sin"], "panel": {"kind": "sin", "speed": 1}}, TypeError,
         "panel must be a list of dicts, got {'kind'"),
        ({"kind": ["sin"], "panel": [{"speed": 1}, {"kind": "sin"}]},
         ValueError, r"some of \['kind'\]"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(wave, arguments, error, message):
    """Said at once, not at the first move of a slider."""
    with pytest.raises(error, match=message):
        widgets.explore(wave.draw, **arguments)


def test_draw_must_return_its_figure(wave):
    """A forgotten `return` is said in words."""
    with pytest.raises(TypeError, match=r"draw must return .* got NoneType"):
        widgets.explore(lambda n=1: None, n=(0, 3))
    with pytest.raises(TypeError, match="draw must be a function"):
        widgets.explore(wave.fig, n=(0, 3))
    with pytest.raises(TypeError, match=r"draw must take .* signature"):
        widgets.explore(max, n=(0, 3))


def test_a_step_draws_once_and_computes_no_layout(monkeypatch):
    """What makes a step quick, counted; `bench widget` takes the time."""
    fig, axes = plots.subplots(1, 3, width=3)
    (line,) = axes[0].plot(X, X)
    bars = axes[2].bar(range(10), np.ones(10))

    def draw(k=0):
        line.set_ydata(np.sin(k + X) * 6)
        bars[0].set_height(k / 50)
        return fig

    explorer = widgets.explore(draw, k=(0, 50))
    places = [ax.get_position().bounds for ax in axes]
    drawn = []
    original = type(axes[0]).draw

    def counted(self, renderer):
        drawn.append(self)
        original(self, renderer)

    monkeypatch.setattr(type(axes[0]), "draw", counted)
    for k in range(1, 4):
        explorer.controls["k"].value = k
        assert drawn == list(axes)
        drawn.clear()
    assert [ax.get_position().bounds for ax in axes] == places


CELLS = {
    "setup": f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    "import hashlib, matplotlib.pyplot as plt\n"
    "from helpers import plots, widgets\n"
    "plots.use_style()",
    "show": "plots.show(plots.matrix([[1, -2], [3, 4]], title='x'))",
    "pyplot": "fig, ax = plt.subplots()\nax.plot([1, 2])\nplots.show(fig)",
    "live": "fig, ax = plots.subplots(width=2)\n"
    "(line,) = ax.plot([], [], label='loss')\n"
    "with plots.live(fig, every=0) as screen:\n"
    "    for step in range(4):\n"
    "        line.set_data(range(step), range(step))\n"
    "        screen.refresh(force=True)",
    "hash": "print(hashlib.sha256(plots.png(fig)).hexdigest())",
    "explore": "figure, ax = plt.subplots()\n"
    "(line,) = ax.plot([0, 1], [0, 1])\n"
    "def draw(k=2):\n"
    "    if k == 5:\n"
    "        raise KeyError('broken')\n"
    "    if k == 6:\n"
    "        raise ValueError('illegal')\n"
    "    line.set_ydata([0, k])\n"
    "    return figure\n"
    "explorer = widgets.explore(draw, k=(0, 9))\n"
    "explorer",
    "move": "before = explorer.image.value\n"
    "explorer.controls['k'].value = 7\n"
    "print(explorer.image.value != before, line.get_ydata())",
    "illegal": "explorer.controls['k'].value = 6\nprint(explorer.error)",
    "broken": "explorer.controls['k'].value = 5",
    "panel": "explorer.controls['k'].value = 2\n"
    "widgets.explore(draw, k=(0, 9), panel=[{'k': 1}, {'k': 3}])",
}


def test_in_a_notebook(tmp_path):
    """What is saved: one PNG a figure, two outputs an explorer.

    A figure made with pyplot is not shown a second time by the inline
    backend, a live figure leaves its last state, sliders follow code, a
    broken drawing fails its cell, and a second run, strictly compared,
    gives the same.
    """
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(code) for code in CELLS.values()]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    cells[-2].metadata.tags = ["raises-exception"]
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    book.metadata.pop("widgets", None)
    found = {
        name: cell.outputs
        for name, cell in zip(CELLS, book.cells, strict=True)
    }
    assert {name: len(outputs) for name, outputs in found.items()} == {
        "setup": 0, "show": 1, "pyplot": 1, "live": 1, "hash": 1,
        "explore": 2, "move": 1, "illegal": 1, "broken": 1, "panel": 2,
    }  # fmt: skip
    sizes = {
        "show": "500x320", "pyplot": "500x320", "live": "1000x320",
        "explore": "500x320", "panel": "1000x350",
    }  # fmt: skip
    for name, size in sizes.items():
        output = found[name][-1]
        assert output.output_type == "display_data"
        text = output.data["text/plain"]
        assert text == f"<Figure size {size} with 1 Axes>"
        assert "。 / " in output.metadata["image/png"]["alt"]
        data = base64.b64decode(output.data["image/png"])
        shape = picture(data).shape
        assert f"{shape[1]}x{shape[0]}" == size
        if name == "live":  # the picture that stays is the last state
            digest = hashlib.sha256(data).hexdigest()
            assert found["hash"][0].text.strip() == digest
    for name in ("explore", "panel"):
        live = found[name][0]
        assert live.data["text/plain"] == TEXT
        view = live.data["application/vnd.jupyter.widget-view+json"]
        assert view["version_major"] == 2
        assert set(live.data) == {
            "text/plain",
            "application/vnd.jupyter.widget-view+json",
        }
    assert found["move"][0].text == "True [0, 7]\n"
    assert found["illegal"][0].text == "illegal\n"
    assert found["broken"][0].ename == "KeyError"
    path = tmp_path / "figures.ipynb"
    nbformat.write(book, path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env",
         "--nbval-cell-timeout=120", "-q", "-p", "no:cacheprovider",
         "--rootdir", str(tmp_path), path.name],
        cwd=tmp_path, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


LESSON = """---
kernelspec: {{name: python3, display_name: Python 3, language: python}}
---

```{{code-cell}}
import time
from helpers import plots, widgets
fig, ax = plots.subplots()
def draw(n=1, kind="a", on=False, word="x"):
    end = time.process_time() + {busy}
    while time.process_time() < end:
        pass
    ax.set_title(f"{{n}} {{kind}} {{on}} {{word}}")
    return fig
widgets.explore(
    draw, n=(0, 4), kind=["a", "b"], on=False, word="x",
    panel=[{{"word": "y"}}, {{"n": 2}}],
)
{end}
```
"""


@pytest.mark.parametrize(
    ("name", "busy", "end", "code", "said"),
    [
        ("01_quick", 0, "", 0, "01_quick                      1  word"),
        ("02_slow", 0.06, "", 1, "median above 50 ms: 02_slow widget 1"),
        ("03_broken", 0, "1 / 0", 2, "03_broken: ZeroDivisionError"),
    ],
)
def test_bench(tmp_path, capsys, name, busy, end, code, said):
    """Every control is moved; a slow widget and a broken lesson fail."""
    spec = importlib.util.spec_from_file_location(
        "bench_widget", ROOT / "bench" / "widget.py"
    )
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    text = LESSON.format(busy=busy, end=end)
    (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    (tmp_path / "09_other.md").write_text("1", encoding="utf-8")
    arguments = [name[:2], "--steps", "6"]
    assert bench.main(arguments, tmp_path) == code
    printed = capsys.readouterr().out
    assert said in printed
    if code < 2:
        rows = [line.split() for line in printed.splitlines()]
        moved = [(r[2], int(r[3])) for r in rows if r[0] == name]
        assert moved == [("n", 6), ("kind", 6), ("on", 6), ("word", 6)]
    assert bench.main(["77"], tmp_path) == 2
    assert "no lesson 77" in capsys.readouterr().out
