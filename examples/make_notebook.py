"""Run kmeans_lloyd.ipynb from top to bottom and store it with fresh, small outputs.

Edit the notebook in Jupyter, then: OMNIMEANS_DATA=... python examples/make_notebook.py
(with the folder that holds MNIST, so that its part is stored too).
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).with_name("kmeans_lloyd.ipynb")
TIMEOUT = 60  # seconds for one cell
KEPT = {"text/plain", "text/html", "image/svg+xml"}


def read() -> NotebookNode:
    """Return the notebook as it is stored."""
    return nbformat.read(NOTEBOOK, as_version=4)


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run every cell, in a new kernel; an error in a cell is an error here."""
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tidy(cell)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def tidy(cell: NotebookNode) -> None:
    """Drop what changes from run to run, and make pictures small."""
    cell.execution_count = None
    cell.metadata.pop("execution", None)
    outputs: list[NotebookNode] = []
    for output in cell.outputs:
        last = outputs[-1] if outputs else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
            continue
        if "data" in output:
            output.data = {kind: text for kind, text in output.data.items() if kind in KEPT}
            output.metadata = {}
            if "image/svg+xml" in output.data:
                output.data["image/svg+xml"] = shrink(output.data["image/svg+xml"])
        outputs.append(output)
    cell.outputs = outputs


def shrink(svg: str) -> str:
    """Return a picture on one line, without its metadata, with two decimals instead of six."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(\d+\.\d\d)\d+", r"\1", svg)
    return re.sub(r"\s+", " ", svg).replace("> <", "><")


if __name__ == "__main__":
    nbformat.write(execute(read()), NOTEBOOK)
    print(f"{NOTEBOOK.name}: {NOTEBOOK.stat().st_size / 1000:.0f} kB")
