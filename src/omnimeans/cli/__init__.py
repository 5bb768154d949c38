"""The command line: parse, one library call, print.  One file per command, in one table.

Nothing heavy is imported before a command runs, so that ``omnimeans --help`` is there at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from omnimeans.cli._commands import COMMANDS
from omnimeans.cli._errors import EXIT_CODES, guarded

__all__ = ["COMMANDS", "EXIT_CODES", "app"]

ABOUT = "k-means, done completely: from a file to an answer, the same one everywhere."

app = typer.Typer(
    name="omnimeans",
    help=ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from omnimeans import __version__

        typer.echo(f"omnimeans {__version__}")
        raise typer.Exit


def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Say what it is; the options here are dealt with while they are parsed."""


app.callback(help=ABOUT)(main)
for _name, _command in COMMANDS.items():
    app.command(_name)(guarded(_command))
