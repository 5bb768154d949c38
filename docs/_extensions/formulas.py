"""Formulas as MathML, which browsers draw by themselves: no script, no fonts, no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def mathml(formula: str, *, block: bool = False) -> str:
    """Return LaTeX as MathML, with two things mended that docutils' translation gets wrong.

    It reads the two digits of ``\\tfrac12`` as one number, and bars grow with what is beside them.
    """
    formula = re.sub(r"\\([td]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}", formula)
    markup = str(latex2mathml.tex2mathml(formula, as_block=block))
    return re.sub(r"<mo([^>]*)>([‖|∣])</mo>", r'<mo\1 stretchy="false">\2</mo>', markup)


def markup(node: nodes.Element, *, block: bool) -> str:
    """Return a formula as MathML; one that cannot be read is a warning, which ends the build."""
    formula = node.astext().strip()
    try:
        return mathml(formula, block=block)
    except Exception as problem:  # the parser raises whatever it stumbles upon
        logger.warning("formula %r: %s", formula, problem, location=node)
        return f"<code>{formula}</code>"


def inline(writer: Any, node: nodes.Element) -> None:
    """Write a formula in a line of text."""
    writer.body.append(markup(node, block=False))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.Element) -> None:
    """Write a formula in a paragraph of its own; wide ones can be scrolled."""
    writer.body.append(f'<div class="formula">{markup(node, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Take the place of MathJax."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
