"""The command line: parse, one library call, print.  Heavy things are imported when used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="omnimeans",
    help="k-means, done completely: studies on real data, beside scikit-learn.",
    no_args_is_help=True,
    add_completion=False,
)

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


@contextmanager
def told() -> Iterator[None]:
    """Turn what the user can mend into one message and exit code 2."""
    from omnimeans.datasets import DatasetDamaged

    try:
        yield
    except (OSError, ImportError, DatasetDamaged) as error:
        typer.echo(f"omnimeans: {error}", err=True)
        raise typer.Exit(2) from None


def _version(asked: bool) -> None:
    if asked:
        from omnimeans import __version__

        typer.echo(f"omnimeans {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """k-means, done completely: studies on real data, beside scikit-learn."""


@app.command()
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
    with told():
        from rich.console import Console

        from omnimeans.demo import draw, show

        record = STUDIES[name](data=data, n_threads=threads)
        if json:
            typer.echo(_as_json(record.to_dict()))
        else:
            show(record, Console())
        if out is not None:
            draw(record, out)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pictures.")] = Path(
        "demo"
    ),
    data: Data = None,
    threads: Threads = 1,
) -> None:
    """Make every study, print the tables and draw the pictures.

    Example: omnimeans demo --out demo
    """
    with told():
        from rich.console import Console

        from omnimeans.demo import run_demo

        run_demo(out, Console(), data=data, n_threads=threads)


@app.command()
def engines() -> None:
    """Say what this machine offers: engines, instruction sets, threads.

    Example: omnimeans engines
    """
    with told():
        from rich.console import Console
        from rich.table import Table

        from omnimeans.engines import describe

        table = Table(show_header=False, box=None, pad_edge=False)
        for name, what in describe().items():
            table.add_row(name, what)
        Console().print(table)


def _as_json(record: dict[str, object]) -> str:
    import json

    return json.dumps(record, indent=2, allow_nan=False)
