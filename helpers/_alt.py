"""Alternative text: what a figure holds, in words, in two languages."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

MAX_NAMES = 8


def describe(fig: Figure) -> str:
    """Describe a figure in one Chinese and one English sentence.

    Counts and names what is drawn: titles, axis labels, lines with their
    labels, images with their sizes, bars, texts. Lessons say more in the
    `alt` of a cell; this is for the figures that a reader makes.

    Returns:
        "中文。 / English."
    """
    axes = [ax for ax in fig.axes if not hasattr(ax, "_colorbar")]
    parts = [_axes(ax) or [("空", "empty")] for ax in axes]
    zh = "；".join("，".join(zh for zh, _ in part) for part in parts)
    en = "; ".join(", ".join(en for _, en in part) for part in parts)
    title = " ".join(fig.get_suptitle().split())
    return (
        f"图{title and f'“{title}”'}，{len(axes)} 个子图：{zh}。 / Figure"
        f"{title and f' “{title}”'}, panels: {len(axes)}: {en}."
    )


def _axes(ax: Axes) -> list[tuple[str, str]]:
    """What one axes holds, each thing in both languages."""
    found = [
        (f"{zh} {' '.join(text.split())}", f"{en} {' '.join(text.split())}")
        for zh, en, text in [
            ("标题", "title", ax.get_title()),
            ("横轴", "x axis", ax.get_xlabel()),
            ("纵轴", "y axis", ax.get_ylabel()),
        ]
        if text.strip()
    ]
    for image in ax.images:
        size = "×".join(str(n) for n in image.get_array().shape[:2])
        found.append((f"图像 {size}", f"image {size}"))
    bars = [c for c in ax.containers if isinstance(c, BarContainer)]
    texts = [t for t in ax.texts if t.get_visible() and t.get_text().strip()]
    for zh, en, count, labels in [
        ("线", "lines", len(ax.lines), [x.get_label() for x in ax.lines]),
        ("柱", "bars", sum(map(len, bars)), [x.get_label() for x in bars]),
        ("文字", "texts", len(texts), [t.get_text() for t in texts]),
    ]:
        words = [str(w) for w in labels if w and not str(w).startswith("_")]
        more = ["…"] if len(words) > MAX_NAMES else []
        names = ", ".join(words[:MAX_NAMES] + more)
        if count:
            many = f"{count} ({names})" if names else f"{count}"
            found.append((f"{zh} {many}", f"{en} {many}"))
    return found
