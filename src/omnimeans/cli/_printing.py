"""Results on standard output: plain tables without lines, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

WIDE = 4096  # columns of a line where nobody looks at it: nothing is wrapped or cut


def console(stderr: bool = False) -> Any:
    """Return where tables are printed: as wide as the terminal, unbounded in a pipe."""
    from rich.console import Console

    out = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    return (
        out
        if out.is_terminal
        else Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=WIDE)
    )


def put(table: Any, stderr: bool) -> None:
    """Print a table; in a pipe without blanks at the ends of its lines."""
    out = console(stderr)
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    if lines:
        typer.echo("\n".join(lines), err=stderr)


def pairs(rows: Mapping[str, object], stderr: bool = False) -> None:
    """Print names and what they stand for."""
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, what in rows.items():
        table.add_row(name, str(what))
    put(table, stderr)


def grid(
    header: Sequence[str], rows: Sequence[Sequence[str]], stderr: bool = False, text: int = 1
) -> None:
    """Print a table; all but the first `text` columns are numbers, aligned on the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for j, name in enumerate(header):
        table.add_column(name, justify="left" if j < text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    put(table, stderr)


def as_json(record: Mapping[str, object]) -> str:
    """Return a record as JSON; a number that JSON cannot hold becomes null."""
    import json

    return json.dumps(_plain(record), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return _plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
