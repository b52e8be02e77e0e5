"""The report of lesson 00: each thing missing is said, in one language."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import types
from importlib import metadata

import pytest
import torch

from helpers import data


@pytest.fixture
def room(root, monkeypatch, tmp_path):
    """The figures of lesson 00, where MNIST is not at hand."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    place = root / "notebooks/src/00_start_here/figures.py"
    spec = importlib.util.spec_from_file_location("room_00", place)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def _versions(monkeypatch, **versions):
    """Packages with another version; None: not installed."""
    real = metadata.version

    def version(name):
        if versions.get(name, "") is None:
            raise metadata.PackageNotFoundError(name)
        return versions.get(name) or real(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize(
    ("versions", "say", "words"),
    [
        ({"torch": None}, "torch", "✗ .*course.py lab"),
        ({"torch": "2.4.1+cpu"}, "torch", "✗ .*2.4.1.*2.11"),
        ({"torch": "2.15.0a0+git1"}, "torch", "✓ .*2.15.0"),
        ({"numpy": None}, "libraries", "✗ .*pip install numpy[^w]*$"),
        ({"ipywidgets": None}, "libraries", r'install "ipywidgets>=7\.7"'),
        ({"ipywidgets": "7.6.5"}, "libraries", r'install "ipywidgets>=7\.7"'),
        ({"torchviz": None}, "graphs", "○ .*install torchviz pygraphviz"),
        ({}, "graphs", "✓ .*torchviz"),
        ({}, "data", "○ .*MNIST"),
        ({}, "python", "✓ Python 3"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_is_said(room, monkeypatch, versions, say, words, lang):
    _versions(monkeypatch, **versions)
    monkeypatch.setenv("COURSE_LANG", lang)
    line = getattr(room, say)()
    assert room.re.search(words, line), line
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in line)
    assert chinese == (lang == "zh")


def test_graphs_drawn_by_dot_alone(room, monkeypatch):
    _versions(monkeypatch, pygraphviz=None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert room.graphs().startswith("✓")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert room.graphs().startswith("○")


def test_python_that_is_too_old(room, monkeypatch):
    monkeypatch.setattr(room.sys, "version_info", (3, 10, 1))
    assert "✗ Python 3.10" in room.python()


def test_device_is_the_one_that_torch_sees(room, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert "Some GPU" in room.device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 13)
    assert "13" in room.device()


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_library_that_is_installed_and_does_not_start(room, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert f"{name} 导入不了" in room.torch()


def test_report_begins_with_the_answer(room, monkeypatch, capsys):
    room.report()
    lines = capsys.readouterr().out.splitlines()
    assert "可以开始了" in lines[0]
    assert [line[0] for line in lines[1:]] == ["✓"] * 5 + ["○"]
    monkeypatch.setattr(data, "mnist", lambda: None)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setenv("COURSE_LANG", "en")
    room.report()
    assert "macOS" in capsys.readouterr().out.splitlines()[0]
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("x"))
    assert "Colab" in room.verdict(["✓"])


def test_it_names_what_the_course_depends_on(room, root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf8"))
    asked = " ".join(project["project"]["dependencies"]) + " "
    for name in (*room.LIBRARIES, "torchvision", "torchviz", "pygraphviz"):
        assert f"{name}>=" in asked
    assert f"torch>={room.dotted(room.TORCH)} " in asked
    assert f"ipywidgets>={room.dotted(room.WIDGETS)} " in asked


def test_report_needs_nothing_but_python(root):
    """It must be able to report a missing torch, so it imports none."""
    code = (
        "import sys; sys.modules.update(torch=None, numpy=None); "
        "sys.path[:0] = ['.', 'notebooks/src/00_start_here']; "
        "import figures; figures.report()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONIOENCODING": "utf8"},
        capture_output=True,
        encoding="utf8",
        check=True,
    )
    assert done.stdout.startswith("还不能开始")
    assert "✗ PyTorch" in done.stdout
