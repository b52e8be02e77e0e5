"""The environment report: each thing missing is said in both languages."""

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

from helpers import data, environment


def _without(monkeypatch, *names):
    real = metadata.version

    def version(package):
        if package in names:
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(metadata, "version", version)


def _with(monkeypatch, **versions):
    real = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: versions.get(name) or real(name)
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.15.0+cu132", (2, 15, 0)),
        ("2.11.0a0+git1", (2, 11, 0)),
        ("8.1.9", (8, 1, 9)),
        ("3", (3,)),
        ("2.", (2,)),
        ("unknown", None),
    ],
)
def test_version_of_reads_the_leading_numbers(monkeypatch, text, numbers):
    _with(monkeypatch, torch=text)
    assert environment.version_of("torch") == numbers


def test_version_of_a_package_that_is_not_there():
    assert environment.version_of("no-such-package-at-all") is None


@pytest.mark.parametrize(
    ("version", "mark"), [((3, 10), "✗"), ((3, 11), "✓"), ((3, 14), "✓")]
)
def test_python(version, mark):
    finding = environment.python_finding(version)
    assert finding.mark == mark
    assert f"{version[0]}.{version[1]}" in finding.zh
    assert f"{version[0]}.{version[1]}" in finding.en


def test_torch_here():
    assert environment.torch_finding().mark == "✓"


def test_torch_missing(monkeypatch):
    _without(monkeypatch, "torch")
    finding = environment.torch_finding()
    assert finding.mark == "✗"
    assert "course.py lab" in finding.zh
    assert "course.py lab" in finding.en


def test_torch_too_old(monkeypatch):
    _with(monkeypatch, torch="2.4.1+cpu")
    finding = environment.torch_finding()
    assert finding.mark == "✗"
    assert "2.4.1" in finding.zh
    assert "2.11" in finding.en


def test_device_is_the_one_that_torch_sees(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert "Some GPU" in environment.device_finding().en
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert "mps" in environment.device_finding().zh
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 13)
    assert "13" in environment.device_finding().en


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_library_that_is_installed_and_does_not_start(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    finding = environment.torch_finding()
    assert finding.mark == "✗"
    assert f"{name} 导入不了" in finding.zh
    assert f"{name} cannot be imported" in finding.en


def test_libraries_here():
    assert environment.libraries_finding().mark == "✓"


@pytest.mark.parametrize("name", environment.LIBRARIES)
def test_library_missing(monkeypatch, name):
    _without(monkeypatch, name)
    finding = environment.libraries_finding()
    assert finding.mark == "✗"
    for text in finding.zh, finding.en:
        assert f"pip install {name}" in text
        assert "ipywidgets" not in text


@pytest.mark.parametrize("version", [None, "7.6.5"])
def test_widgets_missing_or_too_old(monkeypatch, version):
    if version is None:
        _without(monkeypatch, "ipywidgets")
    else:
        _with(monkeypatch, ipywidgets=version)
    finding = environment.libraries_finding()
    assert finding.mark == "✗"
    assert 'pip install "ipywidgets>=7.7"' in finding.zh
    assert 'pip install "ipywidgets>=7.7"' in finding.en


def test_libraries_are_dependencies_of_the_course(root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf8"))
    asked = " ".join(project["project"]["dependencies"]) + " "
    for name in (*environment.LIBRARIES, "torch", "torchvision"):
        assert f"{name}>=" in asked
    assert f"torch>={environment.TORCH[0]}.{environment.TORCH[1]} " in asked
    widgets = ".".join(str(n) for n in environment.WIDGETS)
    assert f"ipywidgets>={widgets} " in asked


def test_graphs_with_and_without_dot(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    without = environment.graphs_finding()
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    _with(monkeypatch, torchviz="0.0.3")
    assert environment.graphs_finding() != without
    assert "Graphviz" in without.zh


def test_data_at_hand_or_not(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert environment.data_finding().mark == "○"
    monkeypatch.setattr(data, "mnist", lambda: None)
    assert environment.data_finding().mark == "✓"


def _report(capsys):
    """The two halves of the report, as lists of lines."""
    environment.report()
    zh, en = capsys.readouterr().out.split("\n\n")
    return zh.splitlines(), en.splitlines()


def test_report_begins_with_the_answer(monkeypatch, capsys):
    monkeypatch.setattr(data, "mnist", lambda: None)
    zh, en = _report(capsys)
    assert zh[0].startswith("可以开始了")
    assert en[0].startswith("You can start: nothing is missing")
    assert [line[0] for line in zh[1:]] == ["✓"] * 6
    assert [line[0] for line in en[1:]] == ["✓"] * 6
    assert len(zh) + len(en) < 20


def test_report_says_what_is_optional(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    zh, en = _report(capsys)
    assert zh[0].startswith("可以开始了")
    assert "○" in zh[0]
    assert en[0].startswith("You can start")
    assert "○" in en[0]
    assert sorted(line[0] for line in en[1:]) == ["○"] + ["✓"] * 5


def test_report_says_what_to_mend_and_asks_nothing_of_a_broken_torch(
    monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "torch", None)
    zh, en = _report(capsys)
    assert zh[0].startswith("还不能开始")
    assert en[0].startswith("Not yet")
    assert [line[0] for line in zh[1:]] == ["✓", "✗", "✓"]


def test_report_says_where_it_runs(monkeypatch, capsys):
    monkeypatch.setattr(data, "mnist", lambda: None)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert "macOS" in _report(capsys)[1][0]
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("x"))
    assert "Colab" in _report(capsys)[0][0]


def test_environment_needs_nothing_but_python(root):
    """It must be able to report a missing torch, so it imports none."""
    code = "import sys; sys.modules.update(torch=None, numpy=None); "
    code += "from helpers import environment; environment.report()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONIOENCODING": "utf8"},
        capture_output=True,
        encoding="utf8",
        check=True,
    )
    assert "✗ PyTorch" in done.stdout
