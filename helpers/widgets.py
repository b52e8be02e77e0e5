"""Sliders over one figure, with a picture below that needs no kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import plots
from ._controls import check_panel, make_controls
from ._panel import compose

TEXT = "滑块：运行本格后可拖动 / Sliders: run this cell to move them"


def explore(
    draw: Callable[..., Figure],
    *,
    panel: Sequence[Mapping[str, Any]] | None = None,
    **controls,
) -> Explorer:
    """Let a reader change the arguments of a drawing; a cell ends on it.

    The cell shows two things: sliders above a picture that follows them,
    and below it a plain picture, at the default values or at the settings
    of `panel`, for all who read without a kernel.

    `draw` changes artists of one figure that was made before and returns
    that figure. It raises `ValueError` for values that are not legal: the
    reader is told the message, and the picture stays as it was.

    Args:
        draw: Called as `draw(**values)`. Its defaults are the values at
            the start; arguments without a control keep their defaults.
        panel: 2 to 6 settings, each some of the values; the picture below
            shows them side by side.
        **controls: What ipywidgets' `interact` accepts: `(low, high)` or
            `(low, high, step)`, a list or dict of choices, a bool, a
            number, a str to type into, or a widget.

    Returns:
        The explorer.

    Raises:
        TypeError: If `draw` is no function of the controls or does not
            return a figure, a control is of no known kind, or `panel` is
            no list of dicts.
        ValueError: If a default does not lie within its control, or the
            panel is empty or too long.
    """
    return Explorer(draw, controls, panel)


class Explorer:
    """Controls, the picture they change, and the picture below.

    A fast drag does not queue up: the front end has one message of a
    slider under way and, when it is answered, sends the latest value.

    Attributes:
        controls: Name to ipywidgets control. `controls["k"].value = 3`
            moves a slider, with or without a browser.
        settings: The panel's settings.
        figure: The figure as drawn last.
        error: What the last drawing raised, or None.
    """

    def __init__(self, draw, controls: Mapping, panel) -> None:
        import ipywidgets

        self._draw = draw
        self.error: Exception | None = None
        self.figure: Figure | None = None
        self.controls = make_controls(draw, controls)
        self.settings = check_panel(panel, self.values)
        first = self._picture(self.values)
        below = [(s, self._picture(self.values | s)) for s in self.settings]
        self.static = compose(below) if below else first
        if below:  # the figure stands at the defaults again
            first = self._picture(self.values)
        self._freeze()
        height, width = first.shape[:2]
        self.image = ipywidgets.Image(
            value=plots.encode(first, quick=True),
            format="png",
            width=width,
            height=height,
            layout={"max_width": "100%"},
        )
        self.message = ipywidgets.HTML(layout={"min_height": "2em"})
        self.box = ipywidgets.VBox(
            [*self.controls.values(), self.image, self.message]
        )
        for control in self.controls.values():
            control.observe(self._on_change, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values now."""
        return {name: c.value for name, c in self.controls.items()}

    def _picture(self, values: Mapping) -> np.ndarray:
        """Draw at `values`; (height, width, 3) uint8."""
        figure = self._draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(
                "draw must return the figure that it changed, got "
                f"{type(figure).__name__}"
            )
        pixels = plots.render(figure)
        self.figure = figure
        return pixels

    def _freeze(self) -> None:
        """Keep the layout as it is: computing it doubles a step's time."""
        if self.figure.get_layout_engine() is not None:
            self.figure.set_layout_engine("none")

    def _on_change(self, change) -> None:
        """Draw again; tell the reader what went wrong."""
        try:
            pixels = self._picture(self.values)
        except Exception as error:
            self.error = error
            known = isinstance(error, ValueError)
            kind = "" if known else f"{type(error).__name__}: "
            text = html.escape(f"{kind}{error}")
            self.message.value = f"<b>⚠ {text}</b>"
            if not known:
                raise
            return
        self.error = None
        self.message.value = ""
        self.image.value = plots.encode(pixels, quick=True)

    def _ipython_display_(self) -> None:
        """Show the live box, then the plain picture."""
        from IPython.display import display

        view = {
            "version_major": 2,
            "version_minor": 0,
            "model_id": self.box.model_id,
        }
        display(
            {
                "application/vnd.jupyter.widget-view+json": view,
                "text/plain": TEXT,
            },
            raw=True,
        )
        height, width = self.static.shape[:2]
        display(
            {
                "image/png": plots.encode(self.static),
                "text/plain": plots.summary(self.figure, (width, height)),
            },
            metadata={"image/png": {"alt": plots.describe(self.figure)}},
            raw=True,
        )
