"""Labels as files: a column beside all others, a file of their own, or a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnimeans.cli._errors import OutputError, UsageError

if TYPE_CHECKING:
    from omnimeans._types import I32
    from omnimeans.cli._model import Model
    from omnimeans.cli._output import Outputs
    from omnimeans.tables import Features, Table

OUTPUT = "Output"
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF"}


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Where labels go."""

    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            "-l",
            metavar="FILE",
            help="Labels, with the id columns; the ending tells the format, - is standard output.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            "-t",
            metavar="FILE",
            help="All columns of the data, and the labels as one more.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For a picture: the picture in the colours of the centres.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    label_name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the new column.", rich_help_panel=OUTPUT)
    ] = "cluster"
    distances: Annotated[
        bool,
        typer.Option(
            "--distances", help="Add each row's distance to its centre.", rich_help_panel=OUTPUT
        ),
    ] = False

    @property
    def named(self) -> bool:
        """Whether any file is asked for."""
        return any(path is not None for path in (self.labels, self.table, self.picture))


@dataclass(frozen=True, slots=True)
class General:
    """What a command may do with the files that it writes, and what it says."""

    json: Annotated[
        bool,
        typer.Option("--json", help="Print the summary as JSON.", rich_help_panel=OUTPUT),
    ] = False
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f", help="Write over files that are there.", rich_help_panel=OUTPUT
        ),
    ] = False
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="No notes, no warnings, no progress.", rich_help_panel=OUTPUT
        ),
    ] = False


def announce(outputs: Outputs, files: LabelFiles, table_name: str) -> None:
    """Say which files will be written, and refuse endings that name no format."""
    from omnimeans.tables import FORMATS, format_of

    for what, path in (("labels", files.labels), ("table", files.table)):
        if path is not None and str(path) != "-":
            name = format_of(path)
            if name is None or FORMATS[name].write is None:
                known = " ".join(kind.suffixes[0] for kind in FORMATS.values() if kind.write)
                raise OutputError(f"{path}: its ending names no format for tables; use {known}")
        outputs.announce(what, path)
    if files.picture is not None and files.picture.suffix.lower() not in PICTURES:
        raise OutputError(f"{files.picture}: pictures end in {' '.join(PICTURES)}")
    outputs.announce("picture", files.picture)
    if outputs.to_stdout and files.labels and files.table and files.labels == files.table:
        raise UsageError("only one output can go to standard output")


def fill(
    outputs: Outputs,
    files: LabelFiles,
    table: Table,
    found: Features,
    model: Model,
    labels: I32,
) -> None:
    """Hand over labels in every form that is asked for."""
    new = _new_columns(files, table, found, model, labels)
    if (path := outputs.wants("labels")) is not None:
        ids = {table.names[at]: table.columns[at] for at in found.ids}
        if path.name.lower().endswith(".npy"):
            ids = {}  # an array of labels alone
        outputs.fill("labels", _bytes({**ids, **new}, path, table))
    if (path := outputs.wants("table")) is not None:
        all_columns = dict(zip(table.names, table.columns, strict=True))
        outputs.fill("table", _bytes({**all_columns, **new}, path, table))
    if (path := outputs.wants("picture")) is not None:
        outputs.fill(
            "picture", _picture(table, found, model, labels, PICTURES[path.suffix.lower()])
        )


def _bytes(columns: dict[str, Any], path: Path, table: Table) -> bytes:
    from omnimeans.tables import table_bytes

    target = Path("labels.csv") if str(path) == "-" else path
    return table_bytes(columns, target, table.dialect)


def _new_columns(
    files: LabelFiles, table: Table, found: Features, model: Model, labels: I32
) -> dict[str, Any]:
    """Return the columns to add, as long as the table; rows that were left out stay empty."""
    import numpy as np

    new: dict[str, Any] = {_free(files.label_name, table.names): labels}
    if files.distances:
        new[_free("distance", table.names)] = model.distances(found.X, labels)
    if found.kept is None:
        return new
    whole = {}
    for name, values in new.items():
        data = np.zeros(table.n_rows, dtype=values.dtype)
        data[found.kept] = values
        whole[name] = np.ma.MaskedArray(data, ~found.kept)
    return whole


def _free(name: str, taken: tuple[str, ...]) -> str:
    """Return the name, or the first of name_2, name_3, ... that no column has."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    return free


def _picture(table: Table, found: Features, model: Model, labels: I32, format: str) -> bytes:
    import numpy as np

    from omnimeans.tables import write_picture
    from omnimeans.tables.pictures import ALPHA
    from omnimeans.tables.writers import as_array

    channels = tuple(name for name in table.names if name != ALPHA)
    if table.picture is None or found.names != channels:
        raise UsageError(
            "--picture paints the pixels of a picture in the colours of the centres, for which "
            "DATA must be a picture with all of its channels clustered"
        )
    pixels = model.centers[labels]
    if ALPHA in table.names:
        alpha = as_array(table.columns[table.names.index(ALPHA)])
        pixels = np.column_stack([pixels, alpha])
    return write_picture(pixels, table.picture, format)
