"""What is on this computer, what is missing, and what that means.

`report()` says it in sentences, in Chinese and English, and ends with the
one thing to do, if there is one. Nothing is changed and nothing is fetched.
"""

from __future__ import annotations

import importlib
import platform
import re
import shutil
import sys
from importlib import metadata
from typing import NamedTuple

PYTHON = (3, 11)
TORCH = (2, 11)
WIDGETS = (7, 7)


class Finding(NamedTuple):
    """One sentence of the report: `mark` is '✓' (fine), '○' (something
    optional is not there) or '✗' (lessons will not run)."""

    mark: str
    zh: str
    en: str


def version_of(package: str) -> tuple[int, ...] | None:
    """The installed version's leading numbers, or None if not installed.

    Args:
        package: The name that pip knows, such as ``"torch"``.
    """
    try:
        text = metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
    return tuple(int(n) for n in re.match(r"[\d.]*\d|", text)[0].split("."))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(n) for n in version)


def python_finding(version: tuple[int, ...] | None = None) -> Finding:
    """Judges the Python that runs; `version` replaces it in tests."""
    version = tuple(sys.version_info[:2]) if version is None else version
    text = _dotted(version)
    if version < PYTHON:
        need = _dotted(PYTHON)
        return Finding(
            "✗",
            f"Python {text} 太旧：课程需要 {need} 或更新。请安装新的 Python，"
            "再运行 python course.py lab。",
            f"Python {text} is too old: the course needs {need} or newer. "
            "Install a newer one, then run python course.py lab.",
        )
    return Finding(
        "✓", f"Python {text}，可以使用。", f"Python {text} is fine."
    )


def torch_finding() -> Finding:
    """Judges torch and torchvision: there, new enough, and a pair."""
    version = version_of("torch")
    if version is None:
        return Finding(
            "✗",
            "没有安装 PyTorch。在课程文件夹里运行 python course.py lab。",
            "PyTorch is not installed. In the course's folder, run "
            "python course.py lab.",
        )
    text = _dotted(version[:3])
    if version[:2] < TORCH:
        need = _dotted(TORCH)
        return Finding(
            "✗",
            f"PyTorch {text} 太旧：课程需要 {need} 或更新。运行 pip install "
            "--upgrade torch torchvision。",
            f"PyTorch {text} is too old: the course needs {need} or newer. "
            "Run pip install --upgrade torch torchvision.",
        )
    try:
        importlib.import_module("torchvision")
    except Exception:  # a wrong pair fails in many ways
        return Finding(
            "✗",
            f"torchvision 与 PyTorch {text} 不配套，无法导入。运行 pip "
            "install --upgrade torch torchvision，把两者一起更新。",
            f"torchvision does not fit PyTorch {text} and cannot be "
            "imported. Run pip install --upgrade torch torchvision: the "
            "two are updated together.",
        )
    return Finding(
        "✓",
        f"PyTorch {text} 与配套的 torchvision 都在。",
        f"PyTorch {text} and the torchvision that fits it are here.",
    )


def device_finding() -> Finding:
    """Says on what the lessons compute, and with how many threads."""
    import torch

    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        return Finding(
            "✓",
            f"有 GPU（{name}，cuda）：训练会用它。",
            f"There is a GPU ({name}, cuda): training will use it.",
        )
    if torch.backends.mps.is_available():
        return Finding(
            "✓",
            "有 Apple GPU（mps）：训练会用它。",
            "There is an Apple GPU (mps): training will use it.",
        )
    n = torch.get_num_threads()
    return Finding(
        "✓",
        f"没有 GPU，用 CPU（{n} 个线程）：每一课都按 CPU 设计，足够。",
        f"No GPU, so the CPU computes (threads: {n}): every lesson is made "
        "for it.",
    )


def widgets_finding() -> Finding:
    """Judges ipywidgets, which the sliders need."""
    version = version_of("ipywidgets")
    if version is None or version[:2] < WIDGETS:
        return Finding(
            "○",
            "缺少 ipywidgets：滑块不会出现，但每个滑块下面的静态图都在。"
            "运行 pip install ipywidgets，然后重启 JupyterLab。",
            "ipywidgets is missing: no sliders, only the still picture "
            "below each. Run pip install ipywidgets and restart "
            "JupyterLab.",
        )
    return Finding(
        "✓",
        "滑块（ipywidgets）可以使用。",
        "Sliders (ipywidgets) are ready.",
    )


def graphs_finding() -> Finding:
    """Says who draws the computational graphs."""
    if shutil.which("dot") and version_of("torchviz"):
        return Finding(
            "✓",
            "计算图由 torchviz 和 Graphviz 绘制。",
            "Computational graphs are drawn by torchviz and Graphviz.",
        )
    return Finding(
        "✓",
        "没有 torchviz 或 Graphviz：计算图由课程自己绘制，无需安装。",
        "No torchviz or no Graphviz: the course draws computational graphs "
        "by itself, nothing needs to be installed.",
    )


def data_finding() -> Finding:
    """Says which images are at hand."""
    from . import data

    try:
        data.mnist()
    except data.DataError:
        return Finding(
            "○",
            "内置的手写数字可用。MNIST 不在本机：第 11 课会告诉你怎样下载，"
            "不下载也能学完。",
            "The built-in handwritten digits are here. MNIST is not: lesson "
            "11 says how to get it, and goes on without it.",
        )
    return Finding(
        "✓",
        "内置的手写数字和 MNIST 都在本机。",
        "The built-in handwritten digits and MNIST are here.",
    )


def report() -> None:
    """Prints one sentence an item, in both languages, and the conclusion."""
    findings = [python_finding(), torch_finding()]
    if all(f.mark == "✓" for f in findings):
        findings += [device_finding(), widgets_finding()]
        findings += [graphs_finding(), data_finding()]
    system = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    for mark, zh, en in findings:
        print(f"{mark} {zh}\n  {en}")
    broken = sum(f.mark == "✗" for f in findings)
    if broken:
        print("→ 请先处理上面带 ✗ 的一项。/ First mend the line marked ✗.")
    else:
        print(f"→ {system}：可以开始了。/ {system}: ready to start.")
