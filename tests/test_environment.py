"""The environment report: each thing missing is said in both languages."""

import shutil
import sys
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


def test_torchvision_that_does_not_fit(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    finding = environment.torch_finding()
    assert finding.mark == "✗"
    assert "torchvision" in finding.zh
    assert "torchvision" in finding.en


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


@pytest.mark.parametrize("version", [None, "7.6.5"])
def test_widgets_missing_or_too_old(monkeypatch, version):
    if version is None:
        _without(monkeypatch, "ipywidgets")
    else:
        _with(monkeypatch, ipywidgets=version)
    finding = environment.widgets_finding()
    assert finding.mark == "○"
    assert "pip install ipywidgets" in finding.zh


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


def test_report_ends_with_what_to_do(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    environment.report()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("→")
    assert "ready" in lines[-1]
    assert len(lines) <= 20
    _without(monkeypatch, "torch")
    environment.report()
    assert capsys.readouterr().out.splitlines()[-1].endswith("✗.")
