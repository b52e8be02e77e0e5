"""Sliders over one figure, with a picture below that needs no kernel."""

from __future__ import annotations

import html
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import plots
from .graphs import Drawing

WIDEST = 1000  # pixels of the picture below
CAPTION = 30  # pixels
# By a cell's text: the number of its last run, and what that run shows.
_SHOWN: dict[str, tuple[int, list]] = {}


def explore(
    draw: Callable[..., Figure | Drawing],
    *,
    panel: Sequence[Mapping[str, Any]] = (),
    **controls,
) -> Explorer:
    """Let a reader change the arguments of a drawing; a cell ends on it.

    The cell shows two things: sliders above a picture that follows them,
    and below it a plain picture, at the default values or at the settings
    of `panel`, for all who read without a kernel.

    `draw` changes artists of one figure that was made before and returns
    that figure, or draws a graph anew. It raises `ValueError` for values
    that are not legal: the reader is told the message, and the picture
    stays as it was.

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
        TypeError: If `draw` is no function of the controls or returns
            neither figure nor graph, a control is of no known kind, or
            `panel` is no list of dicts.
        ValueError: If a default does not lie within its control, or the
            panel does not hold 2 to 6 settings of the controls.
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
        figure: The figure or graph as drawn last.
        error: What the last drawing raised, or None.
    """

    def __init__(self, draw, controls: Mapping, panel) -> None:
        import ipywidgets

        self._draw = draw
        self.error: Exception | None = None
        self.figure: Figure | Drawing | None = None
        self.controls = _controls(draw, controls)
        self.settings = _settings(panel, self.controls)
        below = [(s, self._picture(self.values | s)) for s in self.settings]
        first = self._picture(self.values)  # and stands at the defaults
        self.static = _compose(below) if below else first
        if isinstance(self.figure, Figure):
            # Keep the layout as it is: computing it doubles a step's time.
            self.figure.set_layout_engine("none")
        self.image = ipywidgets.Image(
            value=plots.encode(first, quick=True),
            format="png",
            layout={"max_width": "100%"},
        )
        self.message = ipywidgets.HTML(layout={"min_height": "2em"})
        if isinstance(self.figure, Drawing):
            self.message.value = self.figure.missing
        self.box = ipywidgets.VBox(
            [*self.controls.values(), self.image, self.message]
        )
        for control in self.controls.values():
            control.observe(self._on_change, names="value")
        _close_older(self.box)

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values now."""
        return {name: c.value for name, c in self.controls.items()}

    def _picture(self, values: Mapping) -> np.ndarray:
        """Draw at `values`; (height, width, 3) uint8."""
        figure = self._draw(**values)
        if not isinstance(figure, Figure | Drawing):
            raise TypeError(
                "draw must return the figure that it changed, got "
                f"{type(figure).__name__}"
            )
        self.figure = figure
        if isinstance(figure, Drawing):
            return figure.pixels()
        return plots.render(figure)

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
        if self.error:
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
                "text/plain": f"↔ {', '.join(self.controls)}",
            },
            raw=True,
        )
        if isinstance(self.figure, Drawing):
            text, alt = repr(self.figure), self.figure.alt
        else:
            text = plots.summary(self.figure, self.static)
            alt = plots.describe(self.figure)
        display(
            {"image/png": plots.encode(self.static), "text/plain": text},
            metadata={"image/png": {"alt": alt}},
            raw=True,
        )


def _controls(draw, abbreviations: Mapping) -> dict[str, Any]:
    """Make a control for each abbreviation, at the default of `draw`."""
    import ipywidgets

    if not callable(draw):
        raise TypeError(f"draw must be a function, got {type(draw).__name__}")
    try:
        parameters = inspect.signature(draw).parameters
        inspect.signature(draw).bind(**abbreviations)
    except (TypeError, ValueError) as error:  # no signature: ValueError
        raise TypeError(
            f"draw must take the controls {sorted(abbreviations)}: {error}"
        ) from None
    if not abbreviations:
        raise TypeError("explore needs at least one control, got none")
    room = max(4.0, 0.65 * max(map(len, abbreviations)))  # em for the names
    controls = {}
    for name, abbreviation in abbreviations.items():
        default = getattr(parameters.get(name), "default", inspect._empty)
        control = ipywidgets.interactive.widget_from_abbrev(
            abbreviation, default
        )
        if not isinstance(control, ipywidgets.DOMWidget):
            raise TypeError(
                f"{name} must be a range, choices, a value or a widget, "
                f"got {abbreviation!r:.80}"
            )
        if default is not inspect._empty:
            with suppress(Exception):  # each kind has its own for a bad value
                control.value = default
            if control.value != default:
                raise ValueError(
                    f"{name} must have a default that its control can take, "
                    f"got {default!r}"
                )
        if control is not abbreviation:
            control.description = name.replace("_", " ")
            control.style.description_width = f"{room}em"
            control.layout.width = f"{28 + room}em"
            control.layout.max_width = "100%"
        if isinstance(control, ipywidgets.Text):
            control.continuous_update = False
        controls[name] = control
    return controls


def _settings(panel, controls: Mapping) -> list[dict[str, Any]]:
    """Check the panel's settings."""
    if not isinstance(panel, Sequence) or not all(
        isinstance(setting, Mapping) for setting in panel
    ):
        raise TypeError(f"panel must be a list of dicts, got {panel!r:.80}")
    if panel and not 2 <= len(panel) <= 6:
        raise ValueError(f"panel must hold 2 to 6 settings, got {len(panel)}")
    for setting in panel:
        if not setting or not setting.keys() <= controls.keys():
            raise ValueError(
                f"panel must set some of {sorted(controls)}, got {setting!r}"
            )
    return [dict(setting) for setting in panel]


def _compose(states: Sequence[tuple[Mapping, np.ndarray]]) -> np.ndarray:
    """Put pictures into a grid, each with its setting written above."""
    height = max(picture.shape[0] for _, picture in states)
    width = max(picture.shape[1] for _, picture in states)
    cols = max(1, min(len(states), WIDEST // width))
    shape = (math.ceil(len(states) / cols), cols, CAPTION + height, width, 3)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for k, (setting, picture) in enumerate(states):
        high, wide = picture.shape[:2]
        tile = sheet[divmod(k, cols)]
        tile[:CAPTION] = _caption(setting, width)
        tile[CAPTION : CAPTION + high, :wide] = picture
    return sheet.swapaxes(1, 2).reshape(-1, cols * width, 3)


def _caption(setting: Mapping, width: int) -> np.ndarray:
    """Write a setting, `angle = 30, kind = a`; (CAPTION, width, 3) uint8."""
    size = (width / plots.DPI, CAPTION / plots.DPI)
    fig = Figure(size, plots.DPI, facecolor="#EEEEEE", layout="none")
    text = ", ".join(f"{name} = {value}" for name, value in setting.items())
    points = min(11, 0.95 * size[0] * 72 / (0.6 * max(len(text), 1)))
    fig.text(
        0.5, 0.5, text, ha="center", va="center", fontsize=points,
        parse_math=False,
    )  # fmt: skip
    return plots.render(fig)[:CAPTION, :width]


def _close_older(box) -> None:
    """Close what an earlier run of this cell shows; nobody sees it any more.

    ipywidgets keeps every widget alive until it is closed.
    """
    if not plots.in_ipython():
        return
    shell = sys.modules["IPython"].get_ipython()
    cell, run = shell.user_ns["In"][-1], shell.execution_count
    last, boxes = _SHOWN.get(cell, (run, []))
    if last != run:
        for old in boxes:
            for widget in (old, *old.children):
                if widget not in box.children:
                    widget.layout.close()
                    if style := getattr(widget, "style", None):
                        style.close()
                    widget.close()
        boxes = []
    _SHOWN[cell] = (run, [*boxes, box])
