"""NumPy's own files: .npy holds one array, .npz several."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from omnimeans._foreign import HEADER, npy_header
from omnimeans.tables.source import Source
from omnimeans.tables.table import Array, BadTable, Column, Slice, Table, distinct, numbered
from omnimeans.tables.text import Reading


def read_npy(source: Source, reading: Reading) -> Table:
    """Return the array in an .npy file as a table.

    Parameters
    ----------
    source : Source
        The bytes; a mapped file stays mapped.
    reading : Reading
        What is known about them.

    Returns
    -------
    Table
        One column per column of the array; rows of more than one dimension are laid out flat.

    Raises
    ------
    BadTable
        If the file is damaged, or holds Python objects, or no rows.

    Examples
    --------
    >>> sink = io.BytesIO()
    >>> np.save(sink, np.eye(2))
    >>> read_npy(Source("a.npy", sink.getvalue(), ".npy"), Reading()).names
    ('c1', 'c2')
    """
    return _table(source, reading, {"": _array(source.data, source.name)})


def read_npz(source: Source, reading: Reading) -> Table:
    """Return the arrays in an .npz file as one table.

    Parameters
    ----------
    source : Source
        The bytes.
    reading : Reading
        What is known about them; `array` names one of the arrays.

    Returns
    -------
    Table
        The columns of all arrays of equal length, named after their array.

    Raises
    ------
    BadTable
        If the file is damaged, or its arrays differ in length and none was named.

    Examples
    --------
    >>> sink = io.BytesIO()
    >>> np.savez(sink, X=np.eye(2), y=np.arange(2))
    >>> read_npz(Source("a.npz", sink.getvalue(), ".npz"), Reading()).names
    ('X_1', 'X_2', 'y')
    """
    try:
        with np.load(io.BytesIO(source.data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise BadTable(f"{source.name} is no .npz file of plain arrays: {error}") from None
    except Exception as error:  # zipfile and zlib have exceptions of their own
        raise BadTable(f"{source.name} is damaged: {error}") from None
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    if reading.array is not None:
        if reading.array not in arrays:
            raise BadTable(f"{source.name} holds no array {reading.array!r}; it holds {shapes}")
        arrays = {"": arrays[reading.array]}
    elif len({array.shape[:1] for array in arrays.values()}) != 1:
        raise BadTable(
            f"{source.name} holds arrays of different length ({shapes}); choose one by --array"
        )
    elif len(arrays) == 1:
        arrays = {"": next(iter(arrays.values()))}
    return _table(source, reading, arrays)


def _array(data: Any, name: str) -> Array:
    """Return the array in the bytes of an .npy file, without a copy."""
    try:
        shape, fortran, dtype, offset = npy_header(data[:HEADER], name)
    except ValueError as error:
        raise BadTable(str(error)) from None
    if dtype.hasobject:
        raise BadTable(f"{name} holds Python objects, which are not read; save plain numbers")
    if 0 in shape or dtype.itemsize == 0:
        raise BadTable(
            f"{name} holds an array of shape {shape} and type {dtype}: no rows of values"
        )
    needed = offset + math.prod(shape) * dtype.itemsize
    if len(data) < needed:
        raise BadTable(
            f"{name} is cut short: its header promises an array of shape {shape}, {needed:,} bytes "
            f"with the header, but it has {len(data):,}; write it again"
        )
    if dtype.subdtype:  # each value is an array
        dtype, inner = dtype.subdtype
        shape = (*shape, *inner)
    flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=offset)
    return flat.reshape(shape, order="F" if fortran else "C")


def _table(source: Source, reading: Reading, arrays: dict[str, Array]) -> Table:
    names: list[str] = []
    columns: list[Column] = []
    notes: list[str] = []
    for name, whole in arrays.items():
        if whole.ndim == 0 or not len(whole):
            raise BadTable(f"{source.name} holds an array of shape {whole.shape}: no rows")
        array = whole[: reading.rows]
        if array.dtype.names:
            names += array.dtype.names
            columns += [array[field] for field in array.dtype.names]
            continue
        if array.ndim > 2:
            notes.append(f"each row of shape {array.shape[1:]} is laid out as one flat row")
        if array.ndim == 1:
            names.append(name or "c1")
            columns.append(array)
            continue
        matrix = array.reshape(len(array), -1)
        d = matrix.shape[1]
        names += [f"{name}_{j + 1}" for j in range(d)] if name else numbered(d)
        columns += [Slice(matrix, j) for j in range(d)]
    given = list(reading.names or names)
    if len(given) != len(columns):
        raise BadTable(f"{source.name} has {len(columns)} columns, but --names gives {len(given)}")
    called, renamed = distinct(given)
    return Table(source.name, called, tuple(columns), notes=(*notes, *renamed))
