"""Tables in files: one list of formats, read and written alike.

A format is a row of `FORMATS`.  Readers take the bytes of a whole file and return a
:class:`~omnimeans.tables.table.Table`; what is too large for memory is the business of sources of
blocks, which are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omnimeans.tables.arrays import read_npy, read_npz
from omnimeans.tables.arrow import read_arrow, read_parquet
from omnimeans.tables.choose import choose
from omnimeans.tables.features import Features, Roles, features
from omnimeans.tables.pictures import read_picture, write_picture
from omnimeans.tables.source import PACKINGS, Source, open_source, split_suffix
from omnimeans.tables.table import BadTable, Dialect, Table
from omnimeans.tables.text import Reading, read_text
from omnimeans.tables.writers import arrow_bytes, npy_bytes, npz_bytes, parquet_bytes, text_bytes

__all__ = [
    "FORMATS",
    "BadTable",
    "Dialect",
    "Features",
    "Format",
    "Reading",
    "Roles",
    "Source",
    "Table",
    "choose",
    "features",
    "format_of",
    "open_source",
    "read_table",
    "split_suffix",
    "table_bytes",
    "write_picture",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Parameters
    ----------
    suffixes : tuple of str
        Endings of names, in lower case.
    magic : tuple of bytes
        How such files begin, if they have a mark.
    read : callable
        Takes a `Source` and a `Reading`, returns a `Table`.
    write : callable or None
        Takes columns by name and a `Dialect`, returns bytes.
    about : str
        One phrase for lists.
    """

    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    read: Callable[[Source, Reading], Table]
    write: Callable[[Mapping[str, Any], Dialect], bytes] | None
    about: str


def _read_tsv(source: Source, reading: Reading) -> Table:
    return read_text(source, replace(reading, delimiter=reading.delimiter or "\t"))


def _write_tsv(columns: Mapping[str, Any], dialect: Dialect) -> bytes:
    return text_bytes(columns, replace(dialect, delimiter="\t"))


FORMATS: dict[str, Format] = {
    "csv": Format((".csv", ".txt", ".dat", ".data"), (), read_text, text_bytes, "text"),
    "tsv": Format((".tsv", ".tab"), (), _read_tsv, _write_tsv, "text, set apart by tabs"),
    "parquet": Format((".parquet", ".pq"), (b"PAR1",), read_parquet, parquet_bytes, "Parquet"),
    "arrow": Format(
        (".arrow", ".feather", ".ipc", ".arrows"),
        (b"ARROW1", b"FEA1"),
        read_arrow,
        arrow_bytes,
        "Arrow IPC or Feather",
    ),
    "npy": Format((".npy",), (b"\x93NUMPY",), read_npy, npy_bytes, "one NumPy array"),
    "npz": Format((".npz",), (b"PK\x03\x04",), read_npz, npz_bytes, "several NumPy arrays"),
    "picture": Format(
        (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm"),
        (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF"),
        read_picture,
        None,
        "a picture, whose pixels are the rows",
    ),
}


def format_of(path: Path) -> str | None:
    """Return the name of the format that a file's name promises, None where it tells nothing.

    Parameters
    ----------
    path : Path
        A file's name.

    Returns
    -------
    str or None
        A key of `FORMATS`.

    Examples
    --------
    >>> format_of(Path("a.CSV.gz")), format_of(Path("a"))
    ('csv', None)
    """
    suffix = split_suffix(path)[0]
    return next((name for name, kind in FORMATS.items() if suffix in kind.suffixes), None)


def read_table(path: str | Path, reading: Reading | None = None) -> Table:
    r"""Return the table in a file, or in what standard input brings.

    The format is the one that is asked for, else the one of the file's name, else the one that
    its first bytes show; text is taken for what nothing else explains.

    Parameters
    ----------
    path : str or Path
        A file, or ``-`` for standard input.
    reading : Reading, optional
        What is known about it.

    Returns
    -------
    Table
        Its columns.

    Raises
    ------
    BadTable
        If it cannot be read as a table; the message says where and why.
    ImportError
        If the package that reads it is not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("x,y\n1,2\n3,4\n")
    >>> read_table(path).names
    ('x', 'y')
    """
    reading = reading or Reading()
    source = open_source(Path(path))
    known = reading.format
    if known is not None and known not in FORMATS:
        raise BadTable(f"format {known!r} is not known; choose one of {', '.join(FORMATS)}")
    if known is None:
        known = format_of(Path("x" + source.suffix)) or next(
            (
                name
                for name, kind in FORMATS.items()
                if source.data[:8].startswith(kind.magic or (b"\0omnimeans",))
            ),
            "csv",
        )
    return FORMATS[known].read(source, reading)


def table_bytes(columns: Mapping[str, Any], path: Path, dialect: Dialect | None = None) -> bytes:
    r"""Return columns as the bytes of a file of this name: format and packing follow its ending.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length, by name.
    path : Path
        The file's name; nothing is written.
    dialect : Dialect, optional
        How text is written.

    Returns
    -------
    bytes
        What the file is to hold.

    Raises
    ------
    BadTable
        If the ending names no format that tables are written in.

    Examples
    --------
    >>> import numpy as np
    >>> table_bytes({"x": np.arange(2)}, Path("a.csv"))
    b'x\n0\n1\n'
    """
    name = format_of(path)
    write = FORMATS[name].write if name else None
    if write is None:
        known = " ".join(kind.suffixes[0] for kind in FORMATS.values() if kind.write)
        raise BadTable(f"{path}: its ending names no format for tables; use one of {known}")
    data = write(columns, dialect or Dialect())
    packing = split_suffix(path)[1]
    return data if packing is None else PACKINGS[packing].pack(data)
