"""Examples without the blank line that doctest needs at their end."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def trim(app: Sphinx, document: nodes.document) -> None:
    """Take blank lines off the end of every block of code."""
    for block in document.findall(nodes.literal_block):
        text = block.astext()
        if text.endswith("\n"):
            block.rawsource = text.rstrip()
            block.children = [nodes.Text(text.rstrip())]


def setup(app: Sphinx) -> dict[str, bool]:
    """Trim each page when it has been read."""
    app.connect("doctree-read", trim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
