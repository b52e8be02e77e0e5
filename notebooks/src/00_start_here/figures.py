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
            f"✓ PyTorch 找到了一块 GPU（{name}）。训练大的数据时（第 11 课的完"
            "整 MNIST）会用上它，其余的照样用 CPU。",
            f"✓ PyTorch found a GPU ({name}). The full MNIST of lesson 11 "
            "will use it; the rest runs on the CPU.",
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


def preview() -> None:
    """Train a net on the digits and an attention head, and show both."""
    from helpers import plots

    plots.use_style()
    fig, (left, right) = plots.subplots(1, 2, 1.9, width_ratios=(1.3, 1))
    _read_digits(left)
    _look_up(right)
    plots.show(fig)


def _read_digits(ax) -> None:
    """Train 784-64-10 on the digits, and draw what it reads in others."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from helpers import data, plots

    digits = data.digits()
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(digits.x_train), digits.y_train).backward()
        optimizer.step()
    with torch.no_grad():
        read = model(digits.x_test).argmax(dim=1)
    right = read == digits.y_test
    some = torch.cat([right.nonzero()[:13, 0], (~right).nonzero()[:2, 0]])
    some = some[torch.randperm(15)]
    labels = [
        f"{read[k]}" if right[k] else f"{read[k]}, not {digits.y_test[k]}"
        for k in some.tolist()
    ]
    plots.images(digits.x_test[some], labels=labels, cols=5, ax=ax)
    share = right.double().mean().item()
    ax.set_title(f"read by a net, {share:.0%} of {len(read)} right")


def _look_up(ax) -> None:
    """Train one head to fetch the number that stands with a letter."""
    import torch
    import torch.nn.functional as F

    from helpers import plots

    torch.manual_seed(0)
    letters, numbers, width = 8, 8, 16
    query = torch.randn(letters, width, requires_grad=True)
    key = torch.randn(letters, width, requires_grad=True)
    value = torch.randn(numbers, width, requires_grad=True)
    out = torch.randn(width, numbers, requires_grad=True)
    optimizer = torch.optim.Adam([query, key, value, out], lr=3e-2)

    def head(asked, has, holds):  # (B, N) each -> (B, N, N), (B, N, numbers)
        scores = query[asked] @ key[has].mT / width**0.5
        weights = scores.softmax(dim=-1)
        return weights, weights @ value[holds] @ out

    for _ in range(150):
        has = torch.rand(64, letters).argsort(dim=1)[:, :6]
        holds = torch.randint(numbers, (64, 6))
        logits = head(has, has, holds)[1]
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), holds.flatten()).backward()
        optimizer.step()
    has, holds = torch.tensor([[4, 1, 5, 0, 3, 2]]), torch.arange(1, 7)[None]
    with torch.no_grad():
        weights, _ = head(has.sort().values, has, holds)
    told = [f"{'ABCDEF'[k]}={n}" for n, k in enumerate(has[0].tolist(), 1)]
    asked = [f"{letter}?" for letter in "ABCDEF"]
    plots.matrix(
        weights[0], ax=ax, rows=asked, cols=told, fmt=".1f", limits=(0, 1)
    )
    ax.set_title("where an attention head looks")
