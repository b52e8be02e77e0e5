"""Lesson 00: the report on this computer, and the maps of the series.

`report` must be able to say that torch is missing: nothing but Python is
imported before it is asked for.
"""

import importlib
import platform
import re
import shutil
import sys
from importlib import metadata

from helpers.language import pick

PYTHON, TORCH, WIDGETS = (3, 11), (2, 11), (7, 7)
LIBRARIES = ("numpy", "matplotlib", "pillow", "scikit-learn")


def report() -> None:
    """Print whether the course can start here, and a line for each thing.

    "✓" is fine, "○" is optional and not there, "✗" is to be mended first.
    """
    lines = [python(), torch(), libraries()]
    if all(line[0] == "✓" for line in lines):
        lines += [device(), graphs(), data()]
    marks = [line[0] for line in lines]
    print(verdict(marks), *lines, sep="\n")


def verdict(marks: list[str]) -> str:
    """The first line of the report, for the marks of all others."""
    if "✗" in marks:
        return pick(
            "还不能开始。请先处理带 ✗ 的那一行，然后重启内核，从第一格运行。",
            "Not yet. First fix what the line marked ✗ says, then restart "
            "the kernel and run from the first cell.",
        )
    system = platform.system().replace("Darwin", "macOS") or "?"
    here = pick(f"这台电脑（{system}）", f"this computer ({system})")
    if "google.colab" in sys.modules:
        here = "Colab"
    if "○" in marks:
        return pick(
            f"可以开始了：{here}上该有的都有。带 ○ 的那一行可有可无。",
            f"You can start: {here} has all you need. The line marked ○ is "
            "optional.",
        )
    return pick(
        f"可以开始了：{here}上什么都不缺。",
        f"You can start: nothing is missing on {here}.",
    )


def version_of(package: str) -> tuple[int, ...] | None:
    """The leading numbers of an installed version, or None."""
    try:
        text = metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
    # What a broken installation left behind may have no version.
    found = re.match(r"\d+(\.\d+)*", text or "")
    return tuple(int(n) for n in found[0].split(".")) if found else None


def dotted(version: tuple[int, ...]) -> str:
    """2.11, for (2, 11)."""
    return ".".join(str(n) for n in version)


def install(what: str) -> str:
    """How to get what is missing."""
    return pick(
        "关掉 JupyterLab，在课程文件夹里运行 python course.py lab，缺的会"
        f"自动补上；环境是你自己搭的，就在那个环境里运行 pip install {what}。",
        "Close JupyterLab and run python course.py lab in the course's "
        "folder: it adds what is missing. In an environment of your own, "
        f"run pip install {what} there.",
    )


def python() -> str:
    """Judge the Python that runs."""
    here, need = dotted(sys.version_info[:2]), dotted(PYTHON)
    if sys.version_info[:2] < PYTHON:
        return pick(
            f"✗ Python {here} 太旧，课程要用 {need} 或更新的。请装一个新的 "
            "Python，用它运行 python course.py lab。",
            f"✗ Python {here} is too old: the course needs {need} or newer. "
            "Install a newer Python and run python course.py lab with it.",
        )
    return pick(
        f"✓ Python {here}，够新了。", f"✓ Python {here} is new enough."
    )


def torch() -> str:
    """Judge torch and torchvision: there, new enough, able to start."""
    version = version_of("torch")
    if version is None:
        how = install("torch torchvision")
        return pick(
            "✗ 这里没有 PyTorch。要是你装过，多半是选错了内核：在菜单 "
            f"Kernel → Change Kernel 里换一个。没装过，就这样装：{how}",
            "✗ There is no PyTorch here. If you did install it, this is "
            "probably the wrong kernel: choose another in the menu Kernel → "
            f"Change Kernel. If you did not, get it like this. {how}",
        )
    here, need = dotted(version[:3]), dotted(TORCH)
    if version[:2] < TORCH:
        return pick(
            f"✗ PyTorch {here} 太旧，课程要用 {need} 或更新的。运行 pip "
            "install --upgrade torch torchvision，再重启内核。",
            f"✗ PyTorch {here} is too old: the course needs {need} or newer. "
            "Run pip install --upgrade torch torchvision, then restart the "
            "kernel.",
        )
    for name in ("torch", "torchvision"):
        try:
            importlib.import_module(name)
        except Exception as error:  # a broken library fails in many ways
            why = (str(error).splitlines() or [type(error).__name__])[0]
            again = "pip install --upgrade --force-reinstall torch torchvision"
            return pick(
                f"✗ PyTorch {here} 装了，可是 {name} 导入不了（{why}）。"
                f"torch 和 torchvision 的版本要配套，两个一起重装：{again}。",
                f"✗ PyTorch {here} is installed, but {name} cannot be "
                f"imported ({why}). torch and torchvision must fit each "
                f"other, so install both again: {again}.",
            )
    return pick(
        f"✓ PyTorch {here} 和跟它配套的 torchvision 都装好了。",
        f"✓ PyTorch {here} is installed, and a torchvision that fits it.",
    )


def libraries() -> str:
    """Judge the other libraries that every lesson needs."""
    lacking = [name for name in LIBRARIES if version_of(name) is None]
    if (version_of("ipywidgets") or (0,))[:2] < WIDGETS:
        lacking.append(f'"ipywidgets>={dotted(WIDGETS)}"')
    if lacking:
        how = install(" ".join(lacking))
        return pick(
            f"✗ 还缺几个库，有的课没有它们就跑不起来。{how}",
            "✗ Some libraries that lessons cannot do without are missing. "
            f"{how}",
        )
    return pick(
        "✓ 画图、滑块和数据要用的库也都在。",
        "✓ The libraries for figures, sliders and data are here too.",
    )


def device() -> str:
    """Say on what the lessons compute, and with how many threads."""
    import torch

    name = "Apple, mps" if torch.backends.mps.is_available() else None
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()}, cuda"
    if name:
        return pick(
            f"✓ PyTorch 找到了一块 GPU（{name}），训练时会用上它。",
            f"✓ PyTorch found a GPU ({name}), and training will use it.",
        )
    n = torch.get_num_threads()
    return pick(
        f"✓ PyTorch 没有找到 GPU，就用 CPU 算（线程数 {n}）。"
        "不要紧，每一课都是照着 CPU 准备的。",
        f"✓ PyTorch found no GPU, so the CPU computes (threads: {n}). That "
        "is fine: every lesson is made for a CPU.",
    )


def graphs() -> str:
    """Say whether computational graphs can be drawn."""
    drawer = version_of("pygraphviz") or shutil.which("dot")
    if drawer and version_of("torchviz"):
        return pick(
            "✓ 计算图由 torchviz 和 Graphviz 来画，都在。",
            "✓ torchviz and Graphviz, which draw computational graphs, are "
            "here.",
        )
    how = install("torchviz pygraphviz")
    return pick(
        f"○ 画计算图的库还缺，没有它们，图的位置只有一句话。{how}",
        "○ The libraries that draw computational graphs are missing; without "
        f"them there is a sentence in place of each graph. {how}",
    )


def data() -> str:
    """Say which images are at hand."""
    from helpers import data

    try:
        data.mnist()
    except data.DataError:
        return pick(
            "○ 手写数字随 scikit-learn 装好了，默认就用它。完整的 MNIST 这里还"
            "没有，现在用不着：第 11 课会教你下载，不下载也能学完。",
            "○ The handwritten digits that come with scikit-learn are here, "
            "and lessons use them. The full MNIST is not, and you do not "
            "need it now: lesson 11 shows how to get it, and goes on "
            "without it.",
        )
    return pick(
        "✓ 手写数字随 scikit-learn 装好了，完整的 MNIST 也在。",
        "✓ The handwritten digits that come with scikit-learn are here, and "
        "so is the full MNIST.",
    )


def series_map(table: str, left: str, right: str):
    """Draw a table of three columns: lessons in the middle, arrows to them.

    Args:
        table: A line for each lesson, columns with `|` between; a lesson
            that prepares for an assignment says `for A1`.
        left: What the left column holds.
        right: What the right column holds.

    Returns:
        The figure.
    """
    from helpers import plots

    rows = [line.split("|") for line in table.strip().splitlines()]
    fig, ax = plots.subplots(width=1.9, height=0.18 * (len(rows) + 1))
    ax.set(xlim=(-0.5, 2.5), ylim=(len(rows) - 0.4, -1.5))
    plots.blank(ax)

    def box(x: int, y: int, text: str, color: str, fill: str, style="round"):
        for pad in (0.45, 0.25) if color == plots.COLORS["green"] else (0.3,):
            frame = {"boxstyle": f"{style},pad={pad}", "ec": color, "fc": fill}
            made = ax.text(x, y, text, ha="center", va="center", bbox=frame)
            made.set_fontsize(10)
        return made.get_bbox_patch()

    for x, text in ((0, left), (2, right)):
        box(x, -1, text, plots.COLORS["vermillion"], "#f9e7d9")
    for y, row in enumerate(rows):
        words = [text.strip() for text in row]
        look = ("#666666", "#e8e8e8")
        if "for A" in words[1]:  # a double frame
            look = (plots.COLORS["green"], "#d9f0ea", "square")
        lesson = box(1, y, words[1], *look)
        for x in (0, 2):
            if words[x]:
                arrow = {"arrowstyle": "-|>", "patchB": lesson, "shrinkB": 4}
                ax.annotate("", (1, y), (x, y), arrowprops=arrow)
                box(x, y, words[x], "black", "white", "square")
    return fig
