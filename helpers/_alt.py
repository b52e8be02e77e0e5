"""Alternative text: what a figure holds, in words, in two languages."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from ._style import checked

MAX_NAMES = 8


def describe(fig: Figure) -> str:
    """Describe a figure in one Chinese and one English sentence.

    Counts and names what is drawn: titles, axis labels, lines with their
    labels, images with their sizes, bars, texts.

    Returns:
        "中文。 / English."

    Raises:
        TypeError: If `fig` is not a figure.
    """
    axes = [ax for ax in checked(fig).axes if not hasattr(ax, "_colorbar")]
    title = _clean(fig.get_suptitle())
    zh, en = [], []
    for index, ax in enumerate(axes):
        parts_zh, parts_en = _axes(ax)
        number = f" {index + 1}" if len(axes) > 1 else ""
        zh.append(f"子图{number}：" + "，".join(parts_zh))
        en.append(f"panel{number}: " + ", ".join(parts_en))
    head_zh = f"图“{title}”" if title else "图"
    head_en = f'Figure "{title}"' if title else "Figure"
    return (
        f"{head_zh}，{len(axes)} 个子图。{'；'.join(zh)}。 / "
        f"{head_en} with {_many(len(axes), 'panel')}; {'; '.join(en)}."
    )


def _axes(ax: Axes) -> tuple[list[str], list[str]]:
    """List what one axes holds."""
    zh, en = [], []

    def say(chinese: str, english: str) -> None:
        zh.append(chinese)
        en.append(english)

    for where in ("left", "center", "right"):
        if title := _clean(ax.get_title(loc=where)):
            say(f"标题“{title}”", f'title "{title}"')
    if label := _clean(ax.get_xlabel()):
        say(f"横轴 {label}", f"x axis {label}")
    if label := _clean(ax.get_ylabel()):
        say(f"纵轴 {label}", f"y axis {label}")
    if lines := [line for line in ax.lines if line.get_visible()]:
        names = _names(line.get_label() for line in lines)
        say(f"{len(lines)} 条线{names}", _many(len(lines), "line") + names)
    for image in ax.images:
        size = "×".join(str(n) for n in image.get_array().shape[:2])
        say(f"{size} 的图像", f"image of {size}")
    bars = [c for c in ax.containers if isinstance(c, BarContainer)]
    if count := sum(len(container) for container in bars):
        names = _names(container.get_label() for container in bars)
        say(f"{count} 根柱{names}", _many(count, "bar") + names)
    if ax.collections:
        names = _names(c.get_label() for c in ax.collections)
        many = len(ax.collections)
        say(f"{many} 组图形{names}", _many(many, "set of shapes") + names)
    if words := [t for t in map(_text, ax.texts) if t]:
        names = _names(words)
        say(f"{len(words)} 处文字{names}", _many(len(words), "text") + names)
    if not zh:
        say("空", "empty")
    return zh, en


def _text(text) -> str:
    return _clean(text.get_text()) if text.get_visible() else ""


def _clean(text: str) -> str:
    return " ".join(text.split())


def _names(labels) -> str:
    """Join labels in brackets; labels that matplotlib made are left out."""
    words = [str(w) for w in labels if w and not str(w).startswith("_")]
    if not words:
        return ""
    more = ", …" if len(words) > MAX_NAMES else ""
    return f" ({', '.join(words[:MAX_NAMES])}{more})"


def _many(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    head, _, tail = noun.partition(" ")
    return f"{count} {head}s{' ' + tail if tail else ''}"
