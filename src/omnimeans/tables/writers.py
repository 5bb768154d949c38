"""Named columns as the bytes of a file, in each of the formats."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans.tables.table import Array, BadTable, Column, Dialect, Slice

Columns = Mapping[str, Column]


def text_bytes(columns: Columns, dialect: Dialect) -> bytes:
    r"""Return columns as text, one line per row below a line of names.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length; masked cells stay empty.
    dialect : Dialect
        How cells are written; thousands are not grouped.

    Returns
    -------
    bytes
        UTF-8.

    Examples
    --------
    >>> text_bytes({"x": np.array([0.5, 2.0])}, Dialect(";", ","))
    b'x\n0,5\n2\n'
    """
    pa, csv = need("pyarrow", extra="io"), need("pyarrow.csv", extra="io")
    table = arrow_table(columns)
    if dialect.decimal != ".":
        pc = need("pyarrow.compute", extra="io")
        for j, column in enumerate(table.columns):
            if pa.types.is_floating(column.type):
                comma = pc.replace_substring(column.cast(pa.string()), ".", dialect.decimal)
                table = table.set_column(j, table.column_names[j], comma)

    def written(quoting: str) -> bytes:
        sink = pa.BufferOutputStream()
        options = csv.WriteOptions(
            delimiter=dialect.delimiter, quoting_style=quoting, quoting_header=quoting
        )
        csv.write_csv(table, sink, options)
        return bytes(sink.getvalue())

    try:
        return written("none")
    except pa.ArrowInvalid:  # a cell holds a delimiter, a quote or a line end
        return written("needed")


def parquet_bytes(columns: Columns, dialect: Dialect) -> bytes:
    """Return columns as a Parquet file.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length.
    dialect : Dialect
        Not needed.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> parquet_bytes({"x": np.arange(2)}, Dialect())[:4]
    b'PAR1'
    """
    sink = io.BytesIO()
    need("pyarrow.parquet", extra="io").write_table(arrow_table(columns), sink)
    return sink.getvalue()


def arrow_bytes(columns: Columns, dialect: Dialect) -> bytes:
    """Return columns as an Arrow IPC file, which is a Feather file as well.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length.
    dialect : Dialect
        Not needed.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> arrow_bytes({"x": np.arange(2)}, Dialect())[:6]
    b'ARROW1'
    """
    pa, table = need("pyarrow", extra="io"), arrow_table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return bytes(sink.getvalue())


def npy_bytes(columns: Columns, dialect: Dialect) -> bytes:
    """Return columns of numbers as one array: a vector for one, a matrix for several.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length; a masked whole number becomes -1.
    dialect : Dialect
        Not needed.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    BadTable
        If a column is text.

    Examples
    --------
    >>> np.load(io.BytesIO(npy_bytes({"x": np.arange(2)}, Dialect())))
    array([0, 1])
    """
    arrays = {name: as_array(column) for name, column in columns.items()}
    text = [name for name, array in arrays.items() if array.dtype.kind not in "fiub"]
    if text:
        raise BadTable(
            f"an .npy file holds numbers only, but column {text[0]!r} is text; write .npz, .csv or "
            ".parquet"
        )
    sink = io.BytesIO()
    values = list(arrays.values())
    np.save(sink, values[0] if len(values) == 1 else np.column_stack(values))
    return sink.getvalue()


def npz_bytes(columns: Columns, dialect: Dialect) -> bytes:
    """Return columns as an archive of one array each.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns of equal length; a masked whole number becomes -1.
    dialect : Dialect
        Not needed.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> np.load(io.BytesIO(npz_bytes({"x": np.arange(2)}, Dialect())))["x"]
    array([0, 1])
    """
    sink = io.BytesIO()
    np.savez_compressed(sink, **{name: as_array(column) for name, column in columns.items()})  # type: ignore[arg-type]
    return sink.getvalue()


def as_array(column: Column) -> Array:
    """Return a column as a NumPy array; text as fixed-width text, a masked number as -1."""
    if isinstance(column, Slice):
        return column.values()
    if isinstance(column, np.ma.MaskedArray):
        filled: Array = column.filled(-1 if column.dtype.kind in "iu" else np.nan)
        return filled
    if isinstance(column, np.ndarray):
        return column
    array: Array = column.to_numpy()
    return array.astype(str) if array.dtype == object else array


def arrow_table(columns: Columns) -> Any:
    """Return columns as an Arrow table; masked cells are null."""
    pa = need("pyarrow", extra="io")
    arrays = []
    for column in columns.values():
        values = column.values() if isinstance(column, Slice) else column
        if isinstance(values, np.ma.MaskedArray):
            values = pa.array(values.data, mask=np.ma.getmaskarray(values))
        elif isinstance(values, np.ndarray):
            values = pa.array(np.ascontiguousarray(values))
        arrays.append(values)
    return pa.table(dict(zip(columns, arrays, strict=True)))
