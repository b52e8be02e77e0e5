"""The controls of an explorer, made and checked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipywidgets


def make_controls(draw, abbreviations: Mapping) -> dict[str, Any]:
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


def check_panel(panel, values: Mapping) -> list[dict[str, Any]]:
    """Return the panel's settings.

    Raises:
        TypeError: If `panel` is not a list of dicts.
        ValueError: If there are too few or too many, or one sets nothing,
            or something that is no control.
    """
    if panel is None:
        return []
    if not isinstance(panel, Sequence) or not all(
        isinstance(setting, Mapping) for setting in panel
    ):
        raise TypeError(f"panel must be a list of dicts, got {panel!r:.80}")
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
