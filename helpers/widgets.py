"""Sliders over one figure, with a picture below that needs no kernel."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from . import plots
from ._panel import compose

if TYPE_CHECKING:
    import ipywidgets

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
            return a figure, or a control is of no known kind.
        ValueError: If a default does not lie within its control, or the
            panel is empty or too long.
    """
    return Explorer(draw, controls, panel)


class Explorer:
    """Controls, the picture they change, and the picture below.

    Attributes:
        controls: Name to ipywidgets control. `controls["k"].value = 3`
            moves a slider, with or without a browser.
        figure: The figure as drawn last.
        error: What the last drawing raised, or None.
    """

    def __init__(self, draw, controls: Mapping, panel) -> None:
        import ipywidgets

        self._draw = draw
        self.error: Exception | None = None
        self.figure: Figure | None = None
        self.controls = _controls(draw, controls)
        settings = _settings(panel, self.values)
        first = self._picture(self.values)
        below = [(s, self._picture(self.values | s)) for s in settings]
        self.static = compose(below) if below else first
        if below:  # the figure stands at the defaults again
            first = self._picture(self.values)
        self._freeze()
        height, width = first.shape[:2]
        self.image = ipywidgets.Image(
            value=plots.encode(first, compress_level=1),
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
        if figure is not self.figure:
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
        self.image.value = plots.encode(pixels, compress_level=1)

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
                "image/png": plots.encode(self.static, compress_level=9),
                "text/plain": plots.summary(self.figure, (width, height)),
            },
            metadata={"image/png": {"alt": plots.describe(self.figure)}},
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
    except TypeError as error:
        raise TypeError(
            f"draw must take the controls {sorted(abbreviations)}: {error}"
        ) from None
    if not abbreviations:
        raise TypeError("explore needs at least one control, got none")
    widest = max(map(len, abbreviations))
    controls = {}
    for name, abbreviation in abbreviations.items():
        parameter = parameters.get(name)
        default = getattr(parameter, "default", inspect.Parameter.empty)
        control = ipywidgets.interactive.widget_from_abbrev(
            abbreviation, default
        )
        if not isinstance(control, ipywidgets.DOMWidget):
            raise TypeError(
                f"{name} must be a range, choices, a value or a widget, "
                f"got {abbreviation!r:.80}"
            )
        if default is not inspect.Parameter.empty:
            _start(name, control, default)
        if control is not abbreviation:
            _dress(control, name, widest)
        controls[name] = control
    return controls


def _start(name: str, control: ipywidgets.DOMWidget, default) -> None:
    """Set a control to the default of `draw`."""
    try:
        control.value = default
        taken = control.value == default
    except Exception:  # traitlets raises TraitError, choices other kinds
        taken = False
    if not taken:
        raise ValueError(
            f"{name} must have a default that its control can take, got "
            f"{default!r}"
        )


def _dress(control: ipywidgets.DOMWidget, name: str, widest: int) -> None:
    """Give a control its name, and all of them one width."""
    import ipywidgets

    control.description = name.replace("_", " ")
    control.style.description_width = f"{max(4.0, 0.65 * widest)}em"
    control.layout.width = f"{28 + max(4.0, 0.65 * widest)}em"
    control.layout.max_width = "100%"
    if isinstance(control, ipywidgets.Text):
        control.continuous_update = False


def _settings(panel, values: Mapping) -> list[dict[str, Any]]:
    """Check the panel's settings."""
    if panel is None:
        return []
    settings = [dict(setting) for setting in panel]
    if not 2 <= len(settings) <= 6:
        raise ValueError(
            f"panel must hold 2 to 6 settings, got {len(settings)}"
        )
    for setting in settings:
        if not setting or not setting.keys() <= values.keys():
            raise ValueError(
                f"panel must set some of {sorted(values)}, got {setting!r}"
            )
    return settings
