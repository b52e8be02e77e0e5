"""Einsum equations, read and drawn.

`read` says which letters are kept, which are summed, and the result's shape
or what is wrong; `draw` shows it as tensors with coloured axes.
"""

from __future__ import annotations

from ._einsum_figure import draw
from ._equation import EquationError, Reading, read, shapes

__all__ = ["EquationError", "Reading", "draw", "read", "shapes"]
