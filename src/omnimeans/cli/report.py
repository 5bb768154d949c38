"""``omnimeans report``: what the clusters are, and how far to trust them, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input


@grouped
def report(
    data: Data,
    input: Input,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="Model that fit has written.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The report: .html, .json or .txt; by default a .html beside the data.",
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES", help="Known classes: a column of DATA, a file, or FILE:COLUMN."
        ),
    ] = None,
    image_shape: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Each row is an image of this height and width."),
    ] = None,
    title: Annotated[str, typer.Option(help="What stands above the page.")] = "Clusters",
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Write over the file.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and JSON if asked.")
    ] = False,
) -> None:
    """Describe the clusters of a model, in print and as one HTML page that needs no network.

    Example: omnimeans report iris.csv --model iris-model.safetensors --truth species
    """
    import numpy as np

    from omnimeans.cli._classes import find_classes
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._model import Model
    from omnimeans.cli._names import STDIN, beside
    from omnimeans.cli._output import Outputs
    from omnimeans.cli._talk import Talk
    from omnimeans.reports import report as describe

    talk, outputs = Talk(quiet), Outputs(force)
    fitted = Model.from_file(model)
    if out is None and data == STDIN:
        raise UsageError("say where the report goes: --out FILE")
    path = out or beside(data, "report", ".html")
    if path.suffix.lower() not in (".html", ".json", ".txt"):
        raise UsageError(f"{path}: reports end in .html, .json, .txt")
    outputs.announce("report", path)
    shape = _shape(image_shape)
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        table, found = input.load(data, fitted.names, fitted.ids)
        talk.note([*table.notes, *found.notes])
        classes, kept = None, np.ones(len(found.X), dtype=bool)
        if truth is not None:
            classes, there, _ = find_classes(table, truth, "classes")
            kept = there if found.kept is None else there[found.kept]
            classes = classes[there if found.kept is None else there & found.kept]
        names = _row_names(table, found)
        steps.begin("describing the clusters")
        with talk.listening():
            record = describe(
                fitted.pipeline(),
                found.X[kept],
                classes,
                sample_weight=None if found.weights is None else found.weights[kept],
                feature_names=fitted.names,
                row_names=None if names is None else names[kept].tolist(),
                image_shape=shape or (None if truth else _picture_shape(table, found)),
            )
            writers = {
                ".html": lambda: record.to_html(title=title),
                ".json": record.to_json,
                ".txt": record.to_text,
            }
            outputs.fill("report", writers[path.suffix.lower()]().encode())
    written = outputs.publish()["report"]
    if json:
        typer.echo(record.to_json())
    elif not quiet:
        typer.echo(record.to_text())
        typer.echo(f"report -> {written}")


def _shape(text: str | None) -> tuple[int, ...] | None:
    """Return height and width from text such as 28x28."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) for part in parts):
        raise typer.BadParameter(f"{text!r} is not such as 28x28", param_hint="--image-shape")
    return int(parts[0]), int(parts[1])


def _picture_shape(table: Any, found: Any) -> tuple[int, ...] | None:
    """Return the shape of the picture whose pixels the rows are, if all of them are there."""
    if table.picture is None or found.kept is not None:
        return None
    channels = found.X.shape[1]
    return {1: table.picture, 3: (*table.picture, 3)}.get(channels)


def _row_names(table: Any, found: Any) -> Any:
    """Return what the rows are called: by their id column, or by their number where some lack."""
    import numpy as np

    from omnimeans.tables.writers import as_array

    if found.ids:
        names = as_array(table.columns[found.ids[0]]).astype(str)
    elif found.kept is not None:
        names = np.array([str(row + 1) for row in range(table.n_rows)])
    else:
        return None
    return names if found.kept is None else names[found.kept]
