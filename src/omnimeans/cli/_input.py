"""Where the rows come from: the options that every command with data shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from omnimeans.tables import Features, Reading, Roles, Table

FILE, COLUMNS = "Reading the file", "Choosing columns"

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="CSV or other text, Parquet, Arrow, .npy, .npz or a picture; - is standard input.",
    ),
]


@dataclass(frozen=True, slots=True)
class Input:
    """How to read a file, and what its columns are for."""

    format: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, parquet, arrow, npy, npz or picture; else by name and content.",
            rich_help_panel=FILE,
        ),
    ] = None
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line of text names the columns; else found out.",
            rich_help_panel=FILE,
        ),
    ] = None
    names: Annotated[
        str | None,
        typer.Option(help="Names for the columns: a,b,c.", rich_help_panel=FILE),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(help="What sets cells apart, or 'tab' or 'blanks'.", rich_help_panel=FILE),
    ] = None
    decimal: Annotated[
        str | None,
        typer.Option(help="Decimal sign, '.' or ','; else found out.", rich_help_panel=FILE),
    ] = None
    thousands: Annotated[
        str, typer.Option(help="What groups digits in large numbers.", rich_help_panel=FILE)
    ] = ""
    na: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A cell that means no value, beside empty, NA, NaN, null, ? and the like.",
            rich_help_panel=FILE,
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of text; else UTF-8, or found out.", rich_help_panel=FILE),
    ] = None
    skip: Annotated[
        int,
        typer.Option(min=0, help="Lines to leave out at the top of text.", rich_help_panel=FILE),
    ] = 0
    rows: Annotated[
        int | None,
        typer.Option(min=1, help="Read no more than so many rows.", rich_help_panel=FILE),
    ] = None
    array: Annotated[
        str | None,
        typer.Option(help="Which array of an .npz file; else all.", rich_help_panel=FILE),
    ] = None
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            "-c",
            metavar="LIST",
            help="Columns to cluster: names, numbers from 1, 2-5, x*; else all of numbers.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            "-x",
            metavar="LIST",
            help="Columns to leave out.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    id: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LIST",
            help="Columns that name the rows: kept beside the labels.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column with the weight of each row.", rich_help_panel=COLUMNS
        ),
    ] = None
    missing: Annotated[
        str,
        typer.Option(
            help="Rows that lack a value: error, drop (leave them out) or partial (compare by what "
            "is there; fit needs --k).",
            rich_help_panel=COLUMNS,
        ),
    ] = "error"

    def reading(self) -> Reading:
        """Return what is known about the file."""
        from omnimeans.tables import Reading

        named = None if self.names is None else tuple(n.strip() for n in self.names.split(","))
        words = {"tab": "\t", "\\t": "\t", "blanks": " ", "blank": " ", "space": " "}
        delimiter = None if self.delimiter is None else words.get(self.delimiter, self.delimiter)
        if delimiter is not None and len(delimiter) != 1:
            raise typer.BadParameter(
                f"{self.delimiter!r} is not one character, 'tab' or 'blanks'",
                param_hint="--delimiter",
            )
        if self.decimal not in (None, ".", ","):
            raise typer.BadParameter(f"{self.decimal!r} is not . or ,", param_hint="--decimal")
        return Reading(
            format=self.format,
            header=self.header,
            names=named,
            delimiter=delimiter,
            decimal=self.decimal,
            thousands=self.thousands,
            missing=tuple(self.na or ()),
            encoding=self.encoding,
            skip=self.skip,
            rows=self.rows,
            array=self.array,
        )

    def roles(self, exclude: Sequence[str] = ()) -> Roles:
        """Return what the columns are for; some may be left out because they are labels."""
        from omnimeans.tables import Roles

        kinds = {"error": "error", "drop": "drop", "partial": "keep"}
        if self.missing not in kinds:
            raise typer.BadParameter(
                f"{self.missing!r} is not error, drop or partial", param_hint="--missing"
            )
        return Roles(
            columns=tuple(self.columns or ()),
            exclude=(*(self.exclude or ()), *exclude),
            ids=tuple(self.id or ()),
            weights=self.weights,
            missing=kinds[self.missing],
        )

    def load(
        self, path: Path, asked: Sequence[str] | None = None, ids: Sequence[str] = ()
    ) -> tuple[Table, Features]:
        """Read the file and return its table and the rows to cluster.

        A model asks for exactly its columns; the columns that named its rows are kept if there.
        """
        from dataclasses import replace

        from omnimeans.tables import features, read_table

        table = read_table(path, self.reading())
        roles = self.roles()
        if not roles.ids:
            roles = replace(roles, ids=tuple(name for name in ids if name in table.names))
        return table, features(table, roles, asked)
