"""Several states of one figure side by side, each with its setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ._style import DPI

WIDEST = 1000  # pixels
CAPTION = 30  # pixels


def compose(states: Sequence[tuple[Mapping, np.ndarray]]) -> np.ndarray:
    """Put pictures of one size into a grid, a caption above each.

    Args:
        states: Pairs of a setting and its picture, (H, W, 3) uint8.

    Returns:
        (height, width, 3) uint8.
    """
    height = max(picture.shape[0] for _, picture in states)
    width = max(picture.shape[1] for _, picture in states)
    cols = max(1, min(len(states), WIDEST // width))
    rows = math.ceil(len(states) / cols)
    sheet = np.full(
        (rows * (height + CAPTION), cols * width, 3), 255, dtype=np.uint8
    )
    for k, (setting, picture) in enumerate(states):
        top, left = (k // cols) * (height + CAPTION), (k % cols) * width
        sheet[top : top + CAPTION, left : left + width] = _caption(
            setting, width
        )
        top += CAPTION
        high, wide = picture.shape[:2]
        sheet[top : top + high, left : left + wide] = picture
    return sheet


def caption(setting: Mapping) -> str:
    """Write a setting: `angle = 30, kind = a`."""
    return ", ".join(f"{name} = {value}" for name, value in setting.items())


def _caption(setting: Mapping, width: int) -> np.ndarray:
    """Draw a caption; (CAPTION, width, 3) uint8."""
    fig = Figure(figsize=(width / DPI, CAPTION / DPI), dpi=DPI, layout="none")
    canvas = FigureCanvasAgg(fig)
    fig.patch.set_facecolor("#EEEEEE")
    text = caption(setting)
    size = min(11, 0.95 * width / DPI * 72 / (0.6 * max(len(text), 1)))
    fig.text(
        0.5, 0.5, text, ha="center", va="center", fontsize=size,
        parse_math=False,
    )  # fmt: skip
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
