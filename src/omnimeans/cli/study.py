"""``omnimeans study``: one experiment on real data, with its tables and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnimeans.cli._printing import as_json

Data = Annotated[
    Path | None,
    typer.Option(
        envvar="OMNIMEANS_DATA",
        exists=True,
        file_okay=False,
        help="Folder that holds MNIST; what is missing there is downloaded.",
    ),
]
Threads = Annotated[int, typer.Option(min=1, help="Threads for each library.")]


def study(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="blobs, toy, iris, digits, china or mnist.")
    ],
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for pictures; none are drawn without it."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    threads: Threads = 1,
) -> None:
    """Make one study and print its tables.

    Example: omnimeans study iris --out pictures
    """
    from omnimeans.studies import STUDIES

    if name not in STUDIES:
        raise typer.BadParameter(
            f"{name!r} is not a study; choose one of {', '.join(STUDIES)}", param_hint="NAME"
        )
    from rich.console import Console

    from omnimeans.demo import draw, show

    record = STUDIES[name](data=data, n_threads=threads)
    if json:
        typer.echo(as_json(record.to_dict()))
    else:
        show(record, Console())
    if out is not None:
        draw(record, out)
