"""The course's figures: one style, one way to show them.

A cell makes a figure and ends with `show(fig)`: one PNG, 100 dpi, exactly
the figure's size, with alternative text in Chinese and English.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ._alt import describe
from ._images import images
from ._lines import curves
from ._matrix import matrix
from ._memory import memory
from ._pipeline import shapes
from ._stacks import boxes
from ._style import COLORS, DPI, FITTED, checked, subplots, use_style

__all__ = [
    "COLORS",
    "boxes",
    "curves",
    "describe",
    "encode",
    "images",
    "live",
    "matrix",
    "memory",
    "png",
    "render",
    "shapes",
    "show",
    "subplots",
    "use_style",
]


def render(fig: Figure) -> np.ndarray:
    """Draw a figure at 100 dpi, exactly as large as the figure is.

    The figure leaves pyplot (it stays usable), so that it cannot be shown
    a second time at the end of the cell.

    Returns:
        (height, width, 3) uint8, a copy.

    Raises:
        TypeError: If `fig` is not a figure.
    """
    checked(fig)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)
    if fig.dpi != DPI:
        fig.set_dpi(DPI)
    if type(fig.canvas) is not FigureCanvasAgg:
        FigureCanvasAgg(fig)
    fig.canvas.draw()
    pixels = np.asarray(fig.canvas.buffer_rgba())
    return np.ascontiguousarray(pixels[..., :3])


def encode(pixels: np.ndarray, *, quick: bool = False) -> bytes:
    """Write (height, width, 3) uint8 as PNG.

    A palette of the 256 colours that suit the picture best makes the file
    less than half as large; where `quick`, a large file is written at once.
    """
    picture = Image.fromarray(pixels)
    if not quick:
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "png", compress_level=1 if quick else 9, dpi=(DPI, DPI))
    return file.getvalue()


def png(fig: Figure) -> bytes:
    """Draw a figure and return the bytes of a PNG file; see `render`."""
    return encode(render(fig))


def summary(fig: Figure, size: tuple[int, int] | None = None) -> str:
    """Return the text that stands for a figure: (width, height), axes.

    The size is left out where it depends on matplotlib's version.
    """
    if fig.get_label() == FITTED:
        return f"<Figure with {len(fig.axes)} Axes>"
    width, height = size or (
        round(inches * DPI) for inches in fig.get_size_inches()
    )
    return f"<Figure size {width}x{height} with {len(fig.axes)} Axes>"


def in_ipython() -> bool:
    """Say whether a notebook's kernel or IPython runs the code."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def _bundle(fig: Figure) -> tuple[dict, dict]:
    """Return an output's data and metadata."""
    data = {"image/png": png(fig), "text/plain": summary(fig)}
    return data, {"image/png": {"alt": describe(fig)}}


def show(fig: Figure) -> None:
    """Show a figure as one PNG with alternative text; ends a figure cell.

    Outside of a notebook only the line of text is printed.

    Args:
        fig: The figure; it is closed.

    Raises:
        TypeError: If `fig` is not a figure.
    """
    data, metadata = _bundle(fig)
    if in_ipython():
        from IPython.display import display

        display(data, metadata=metadata, raw=True)
    else:
        print(data["text/plain"])


class Screen:
    """A figure on display that can be drawn again; `live` makes it."""

    def __init__(self, fig: Figure, every: float) -> None:
        self.fig = checked(fig)
        self._every = every
        self._next = 0.0
        self._handle = None
        data, metadata = self._draw()
        if in_ipython():
            from IPython.display import display

            self._handle = display(
                data, metadata=metadata, raw=True, display_id=True
            )

    def _draw(self) -> tuple[dict, dict]:
        start = time.perf_counter()
        for ax in self.fig.axes:
            if ax.lines and not ax.collections:
                ax.relim(visible_only=True)
                ax.autoscale_view()
        bundle = _bundle(self.fig)
        cost = time.perf_counter() - start
        self._next = time.perf_counter() + max(self._every, 5 * cost)
        return bundle

    def refresh(self, *, force: bool = False) -> bool:
        """Draw the figure again, unless the last time was just now.

        Limits of axes that hold only lines follow the lines' data.

        Args:
            force: Draw in any case.

        Returns:
            Whether the figure was drawn.
        """
        if not force and time.perf_counter() < self._next:
            return False
        data, metadata = self._draw()
        if self._handle is not None:
            self._handle.update(data, metadata=metadata, raw=True)
        return True


@contextmanager
def live(fig: Figure, *, every: float = 0.2) -> Iterator[Screen]:
    """Show a figure now and again while a loop changes it.

    Example:
        with plots.live(fig) as screen:
            for step in range(100):
                ...
                line.set_data(steps, losses)
                screen.refresh()

    The picture changes in place. Drawing takes at most about a sixth of
    the time, and the last state is always shown, also after an error.

    Args:
        fig: The figure, with its artists.
        every: Seconds between two pictures, at least.

    Yields:
        The screen, with `refresh()`.

    Raises:
        TypeError: If `fig` is not a figure.
        ValueError: If `every` is negative.
    """
    if every < 0:
        raise ValueError(f"every must be 0 seconds or more, got {every!r}")
    screen = Screen(fig, every)
    try:
        yield screen
    finally:
        screen.refresh(force=True)
