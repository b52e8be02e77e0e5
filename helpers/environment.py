"""What is on this computer, what is missing, and what that means.

`report()` says it in sentences, first in Chinese, then in English, and
begins with the answer: start, or mend this first. Nothing is fetched, and
nothing is changed, except that MNIST is unpacked where only its archives lie.
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
LIBRARIES = ("numpy", "matplotlib", "pillow", "scikit-learn", "filelock")


class Finding(NamedTuple):
    """What the report says of one thing, in both languages.

    Attributes:
        mark: "✓" fine, "○" something optional is not there, "✗" lessons
            will not run.
        zh: the Chinese sentences.
        en: the English ones.
    """

    mark: str
    zh: str
    en: str


def version_of(package: str) -> tuple[int, ...] | None:
    """The installed version's leading numbers; None without a version.

    Args:
        package: the name that pip knows, such as ``"torch"``.
    """
    try:
        text = metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
    # What a broken installation left behind may have no version.
    found = re.match(r"\d+(\.\d+)*", text or "")
    return tuple(int(n) for n in found[0].split(".")) if found else None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(n) for n in version)


def _install(what: str) -> tuple[str, str]:
    """How to get what is missing, in both languages."""
    return (
        "关掉 JupyterLab，在课程文件夹里运行 python course.py lab，缺的会"
        f"自动补上；环境是你自己搭的，就在那个环境里运行 pip install {what}。",
        "Close JupyterLab and run python course.py lab in the course's "
        "folder: it adds what is missing. In an environment of your own, "
        f"run pip install {what} there.",
    )


def python_finding(version: tuple[int, ...] | None = None) -> Finding:
    """Judges the Python that runs; `version` replaces it in tests."""
    version = tuple(sys.version_info[:2]) if version is None else version
    text = _dotted(version)
    if version < PYTHON:
        need = _dotted(PYTHON)
        return Finding(
            "✗",
            f"Python {text} 太旧，课程要用 {need} 或更新的。请装一个新的 "
            "Python，用它运行 python course.py lab。",
            f"Python {text} is too old: the course needs {need} or newer. "
            "Install a newer Python and run python course.py lab with it.",
        )
    return Finding(
        "✓", f"Python {text}，够新了。", f"Python {text} is new enough."
    )


def torch_finding() -> Finding:
    """Judges torch and torchvision: there, new enough, able to start."""
    version = version_of("torch")
    if version is None:
        zh, en = _install("torch torchvision")
        return Finding(
            "✗",
            "这里没有 PyTorch。要是你装过，多半是选错了内核：在菜单 "
            f"Kernel → Change Kernel 里换一个。没装过，就这样装：{zh}",
            "There is no PyTorch here. If you did install it, this is "
            "probably the wrong kernel: choose another in the menu Kernel → "
            f"Change Kernel. If you did not, get it like this. {en}",
        )
    text = _dotted(version[:3])
    if version[:2] < TORCH:
        need = _dotted(TORCH)
        return Finding(
            "✗",
            f"PyTorch {text} 太旧，课程要用 {need} 或更新的。运行 pip "
            "install --upgrade torch torchvision，再重启内核。",
            f"PyTorch {text} is too old: the course needs {need} or newer. "
            "Run pip install --upgrade torch torchvision, then restart the "
            "kernel.",
        )
    for name in ("torch", "torchvision"):
        try:
            importlib.import_module(name)
        except Exception as error:  # a broken library fails in many ways
            why = (str(error).splitlines() or [type(error).__name__])[0]
            return Finding(
                "✗",
                f"PyTorch {text} 装了，可是 {name} 导入不了（{why}）。"
                "torch 和 torchvision 的版本要配套，两个一起重装：pip "
                "install --upgrade --force-reinstall torch torchvision。",
                f"PyTorch {text} is installed, but {name} cannot be imported "
                f"({why}). torch and torchvision must fit each other, so "
                "install both again: pip install --upgrade "
                "--force-reinstall torch torchvision.",
            )
    return Finding(
        "✓",
        f"PyTorch {text} 和跟它配套的 torchvision 都装好了。",
        f"PyTorch {text} is installed, and a torchvision that fits it.",
    )


def libraries_finding() -> Finding:
    """Judges the other libraries that every lesson needs."""
    lacking = [name for name in LIBRARIES if version_of(name) is None]
    version = version_of("ipywidgets")
    if version is None or version[:2] < WIDGETS:
        lacking.append(f'"ipywidgets>={_dotted(WIDGETS)}"')
    if lacking:
        zh, en = _install(" ".join(lacking))
        return Finding(
            "✗",
            f"还缺几个库，有的课没有它们就跑不起来。{zh}",
            f"Some libraries that lessons cannot do without are missing. {en}",
        )
    return Finding(
        "✓",
        "画图、滑块和数据要用的库也都在。",
        "The libraries for figures, sliders and data are here too.",
    )


def device_finding() -> Finding:
    """Says on what the lessons compute, and with how many threads."""
    import torch

    name = None
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()}, cuda"
    elif torch.backends.mps.is_available():
        name = "Apple, mps"
    if name:
        return Finding(
            "✓",
            f"PyTorch 找到了一块 GPU（{name}），训练时会用上它。",
            f"PyTorch found a GPU ({name}), and training will use it.",
        )
    n = torch.get_num_threads()
    return Finding(
        "✓",
        f"PyTorch 没有找到 GPU，就用 CPU 算（线程数 {n}）。"
        "不要紧，每一课都是照着 CPU 准备的。",
        f"PyTorch found no GPU, so the CPU computes (threads: {n}). That "
        "is fine: every lesson is made for a CPU.",
    )


def graphs_finding() -> Finding:
    """Says who draws the computational graphs."""
    if shutil.which("dot") and version_of("torchviz"):
        return Finding(
            "✓",
            "计算图交给 torchviz 和 Graphviz 来画。",
            "torchviz and Graphviz draw the computational graphs.",
        )
    return Finding(
        "✓",
        "这里没有 Graphviz 或 torchviz，不用去装：计算图由课程自己来画。",
        "Graphviz or torchviz is not here, and you need not install it: the "
        "course draws computational graphs by itself.",
    )


def data_finding() -> Finding:
    """Says which images are at hand."""
    from . import data

    try:
        data.mnist()
    except data.DataError:
        return Finding(
            "○",
            "手写数字随 scikit-learn 装好了，默认就用它。完整的 MNIST 这里还"
            "没有，现在用不着：第 11 课会教你下载，不下载也能学完。",
            "The handwritten digits that come with scikit-learn are here, "
            "and lessons use them. The full MNIST is not, and you do not "
            "need it now: lesson 11 shows how to get it, and goes on "
            "without it.",
        )
    return Finding(
        "✓",
        "手写数字随 scikit-learn 装好了，完整的 MNIST 也在。",
        "The handwritten digits that come with scikit-learn are here, and "
        "so is the full MNIST.",
    )


def verdict(marks: list[str]) -> tuple[str, str]:
    """The first line of the report, in both languages.

    Args:
        marks: of all findings.
    """
    if "✗" in marks:
        return (
            "还不能开始。请先处理带 ✗ 的那一行，然后重启内核，从第一格运行。",
            "Not yet. First mend what the line marked ✗ says, then restart "
            "the kernel and run from the first cell.",
        )
    if "google.colab" in sys.modules:
        zh = en = "Colab"
    else:
        system = platform.system().replace("Darwin", "macOS") or "?"
        zh, en = f"这台电脑（{system}）", f"this computer ({system})"
    if "○" in marks:
        return (
            f"可以开始了：{zh}上该有的都有。带 ○ 的那一行可有可无。",
            f"You can start: {en} has all you need. The line marked ○ is "
            "optional.",
        )
    return (
        f"可以开始了：{zh}上什么都不缺。",
        f"You can start: nothing is missing on {en}.",
    )


def report() -> None:
    """Prints the verdict and a line for each thing; Chinese, then English."""
    findings = [python_finding(), torch_finding(), libraries_finding()]
    if all(f.mark == "✓" for f in findings):
        findings += [device_finding(), graphs_finding(), data_finding()]
    zh, en = verdict([f.mark for f in findings])
    print(zh, *(f"{f.mark} {f.zh}" for f in findings), "", sep="\n")
    print(en, *(f"{f.mark} {f.en}" for f in findings), sep="\n")
