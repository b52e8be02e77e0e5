"""Formulas as MathML, which browsers show without a script or a network."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _mathml(formula: str, display: str = "inline") -> str:
    """A formula as MathML; the T of a transpose has a style of its own."""
    found = convert(formula, display=display)
    top = "&#x022A4;"
    return found.replace(f"<mo>{top}</mo>", f'<mi class="top">{top}</mi>')


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml(node.astext()))
    raise nodes.SkipNode


def _display(self: HTML5Translator, node: nodes.math_block) -> None:
    formula = _mathml(node.astext(), "block")
    self.body.append(f'<div class="formula">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the renderer ``mathml`` to Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
