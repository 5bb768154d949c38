"""Tables in Arrow's formats: Parquet, and Arrow IPC files and streams (Feather)."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans.tables.source import Source
from omnimeans.tables.table import BadTable, Column, Slice, Table, distinct
from omnimeans.tables.text import Reading


def read_parquet(source: Source, reading: Reading) -> Table:
    """Return the table in a Parquet file.

    Parameters
    ----------
    source : Source
        The bytes.
    reading : Reading
        What is known about them.

    Returns
    -------
    Table
        Its columns; a column of equally long lists becomes one column per element.

    Raises
    ------
    BadTable
        If the file is damaged or holds no rows.

    Examples
    --------
    >>> import io, pyarrow as pa, pyarrow.parquet
    >>> sink = io.BytesIO()
    >>> pa.parquet.write_table(pa.table({"x": [1, 2]}), sink)
    >>> read_parquet(Source("a.parquet", sink.getvalue(), ".parquet"), Reading()).names
    ('x',)
    """
    parquet = need("pyarrow.parquet", extra="io")
    pa = need("pyarrow", extra="io")
    return _table(source, reading, lambda: parquet.read_table(pa.BufferReader(source.data)))


def read_arrow(source: Source, reading: Reading) -> Table:
    """Return the table in an Arrow IPC file or stream, or a Feather file.

    Parameters
    ----------
    source : Source
        The bytes.
    reading : Reading
        What is known about them.

    Returns
    -------
    Table
        Its columns; a column of equally long lists becomes one column per element.

    Raises
    ------
    BadTable
        If the file is damaged or holds no rows.

    Examples
    --------
    >>> import io, pyarrow as pa, pyarrow.feather
    >>> sink = io.BytesIO()
    >>> pa.feather.write_feather(pa.table({"x": [1, 2]}), sink)
    >>> read_arrow(Source("a.arrow", sink.getvalue(), ".arrow"), Reading()).n_rows
    2
    """
    pa = need("pyarrow", extra="io")
    feather = need("pyarrow.feather", extra="io")
    ipc = need("pyarrow.ipc", extra="io")

    def load() -> Any:
        if source.data[:4] in (b"ARRO", b"FEA1"):
            return feather.read_table(pa.BufferReader(source.data))
        return ipc.open_stream(pa.BufferReader(source.data)).read_all()

    return _table(source, reading, load)


def _table(source: Source, reading: Reading, load: Any) -> Table:
    pa = need("pyarrow", extra="io")
    try:
        arrow = load()
    except (pa.ArrowException, OSError) as error:
        raise BadTable(f"{source.name} is damaged or of another format: {error}") from None
    if reading.rows is not None:
        arrow = arrow.slice(0, reading.rows)
    if arrow.num_rows == 0:
        raise BadTable(f"{source.name} has columns ({', '.join(arrow.column_names)}) but no rows")
    names: list[str] = []
    columns: list[Column] = []
    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        matrix = _lists(column)
        if matrix is None:
            names.append(name)
            columns.append(column)
        else:
            names += [f"{name}_{j + 1}" for j in range(matrix.shape[1])]
            columns += [Slice(matrix, j) for j in range(matrix.shape[1])]
    given = list(reading.names or names)
    if len(given) != len(columns):
        raise BadTable(f"{source.name} has {len(columns)} columns, but --names gives {len(given)}")
    called, notes = distinct(given)
    return Table(source.name, called, tuple(columns), notes=tuple(notes))


def _lists(column: Any) -> Any:
    """Return a column of equally long lists of numbers as a matrix, None for any other."""
    pa, pc = need("pyarrow", extra="io"), need("pyarrow.compute", extra="io")
    kind = column.type
    is_list = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in is_list) or column.null_count:
        return None
    if not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return None
    lengths = pc.min_max(pc.list_value_length(column))
    width = lengths["min"].as_py()
    if not width or width != lengths["max"].as_py():
        return None
    flat = pc.list_flatten(column)
    if flat.null_count:
        flat = flat.cast(pa.float64())
    return np.asarray(flat.to_numpy()).reshape(len(column), width)
