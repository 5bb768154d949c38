"""``omnimeans plot``: a picture of clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input


@grouped
def plot(
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
            help="The picture: .png, .svg or .pdf; by default a .png beside the data.",
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            help="clusters, regions, silhouette, sizes, heatmap, parallel, convergence or "
            "contingency."
        ),
    ] = "clusters",
    axes: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y",
            help="The two columns to look at; else those in which the rows differ most (PCA).",
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES", help="Known classes: a column of DATA, a file, or FILE:COLUMN."
        ),
    ] = None,
    width: Annotated[float, typer.Option(min=1.0, help="Width in inches.")] = 6.4,
    height: Annotated[float, typer.Option(min=1.0, help="Height in inches.")] = 4.8,
    force: Annotated[bool, typer.Option("--force", "-f", help="Write over the file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress.")] = False,
) -> None:
    """Draw the clusters of a model: rows, regions, silhouettes, centres, convergence, classes.

    Example: omnimeans plot iris.csv --model iris-model.safetensors --out iris.svg
    """
    import numpy as np

    from omnimeans.cli._classes import find_classes
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._model import Model
    from omnimeans.cli._names import STDIN, beside
    from omnimeans.cli._output import Outputs
    from omnimeans.cli._pictures import PICTURES, Scene, check_suffix, drawn
    from omnimeans.cli._talk import Talk
    from omnimeans.tables import choose

    if kind not in PICTURES:
        raise typer.BadParameter(f"{kind!r} is not {', '.join(PICTURES)}", param_hint="--kind")
    if "truth" in PICTURES[kind].needs and truth is None:
        raise UsageError(f"--kind {kind} needs known classes: --truth COLUMN")
    talk, outputs = Talk(quiet), Outputs(force)
    fitted = Model.from_file(model)
    if out is None and data == STDIN:
        raise UsageError("say where the picture goes: --out FILE")
    path = out or beside(data, kind, ".png")
    check_suffix(path)
    outputs.announce("picture", path)
    two: tuple[int, ...] = ()
    if axes is not None:
        two = tuple(choose(fitted.names, [axes], "the model"))
        if len(two) != 2:
            raise UsageError(f"--axes {axes} names {len(two)} columns; name two")
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        table, found = input.load(data, fitted.names, fitted.ids)
        talk.note([*table.notes, *found.notes])
        labels, X, classes = fitted.predict(found.X), found.X, None
        if truth is not None:
            classes, there, _ = find_classes(table, truth, "classes")
            used = there if found.kept is None else there[found.kept]
            classes = classes[there if found.kept is None else there & found.kept]
            labels, X = labels[used], X[used]
        steps.begin("drawing")
        with talk.listening():
            scene = Scene(fitted, X, np.asarray(labels), classes, two)
            picture = drawn(scene, kind, path.suffix.lower(), (width, height))
    outputs.fill("picture", picture)
    for written in outputs.publish().values():
        if written != "-":
            typer.echo(written)
