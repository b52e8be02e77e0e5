"""Alternative text: what a figure holds, in words, in two languages."""

from __future__ import annotations

from matplotlib.figure import Figure

WORDS = {"title": "标题", "x axis": "横轴", "y axis": "纵轴", "image": "图像",
         "lines": "线", "bars": "柱", "texts": "文字"}  # fmt: skip


def describe(fig: Figure) -> str:
    """Describe a figure in one Chinese and one English sentence.

    Lessons say more in the `alt` of a cell; this is for the figures that a
    reader makes.

    Returns:
        "中文。 / English."
    """
    title = fig.get_suptitle()
    found = [("title", title)] if title else []
    for ax in fig.axes:
        bars = sum(len(container) for container in ax.containers)
        names = [line.get_label() for line in ax.lines]
        shown = ", ".join(n for n in names if not n.startswith("_"))
        found += [
            ("title", ax.get_title()),
            ("x axis", ax.get_xlabel()),
            ("y axis", ax.get_ylabel()),
            *(("image", f"{a.shape[0]}×{a.shape[1]}")
              for a in (image.get_array() for image in ax.images)),
            ("lines", f"{len(names)} {shown}" if names else ""),
            ("bars", f"{bars}" if bars else ""),
            ("texts", f"{len(ax.texts)}" if ax.texts else ""),
        ]  # fmt: skip
    said = [(word, " ".join(text.split())) for word, text in found if text]
    zh = "，".join(f"{WORDS[word]} {text}" for word, text in said)
    en = ", ".join(f"{word} {text}" for word, text in said)
    return f"图：{zh or '空'}。 / Figure: {en or 'empty'}."
