"""A label for each row, from a column of the data or from a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from omnimeans.tables import BadTable, Reading, choose, read_table
from omnimeans.tables.numbers import as_numbers
from omnimeans.tables.writers import as_array

if TYPE_CHECKING:
    from omnimeans.tables import Table


def find_classes(
    table: Table, word: str, what: str
) -> tuple[NDArray[Any], NDArray[np.bool_], int | None]:
    """Return a label for each row of a table, and which rows have one.

    Parameters
    ----------
    table : Table
        The data.
    word : str
        A column of the data, a file with one column, or ``FILE:COLUMN``.
    what : str
        What messages call the labels.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        Whole numbers where all of them are, else text.
    there : ndarray of shape (n_rows,) of bool
        Where there is a label.
    at : int or None
        The column of the data that it is.

    Raises
    ------
    BadTable
        If there is no such column or file, or its length does not fit.

    Examples
    --------
    >>> from omnimeans.tables import Table
    >>> table = Table("a", ("x", "kind"), (np.array([1.0, 2.0]), np.array(["a", "b"])))
    >>> find_classes(table, "kind", "classes")[0]
    array(['a', 'b'], dtype='<U1')
    """
    if word not in table.names:
        name, _, column = word.rpartition(":")
        path, wanted = (Path(name), column) if name and Path(name).is_file() else (Path(word), "")
        if path.is_file():
            other = read_table(path, Reading())
            if other.n_rows != table.n_rows:
                raise BadTable(
                    f"{path} has {other.n_rows:,} rows, but {table.source} has {table.n_rows:,}; "
                    f"give one of the {what} for each row"
                )
            at = _column(other, wanted, what)
            return (*_labels(other, at), None)
    chosen = choose(table.names, [word], table.source)
    if len(chosen) != 1:
        raise BadTable(f"{word!r} means {len(chosen)} columns of {table.source}; name one")
    return (*_labels(table, chosen[0]), chosen[0])


def _column(table: Table, wanted: str, what: str) -> int:
    if wanted:
        return choose(table.names, [wanted], table.source)[0]
    if len(table.names) == 1:
        return 0
    if "cluster" in table.names:
        return table.names.index("cluster")
    raise BadTable(
        f"{table.source} has {len(table.names)} columns ({', '.join(table.names[:6])}); say which "
        f"holds the {what}: {table.source}:{table.names[-1]}"
    )


def _labels(table: Table, at: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    column = table.columns[at]
    numbers = as_numbers(column, table.dialect, table.typed)
    if numbers.bad == 0:
        there = ~np.isnan(numbers.values.astype(np.float64))
        values = numbers.values[there]
        whole = len(values) > 0 and bool((values == np.rint(values)).all())
        if whole and np.abs(values).max() < 2**53:
            labels = np.zeros(table.n_rows, dtype=np.int64)
            labels[there] = values.astype(np.int64)
            return labels, there
    raw = as_array(column)
    text = np.array([str(cell).strip() for cell in raw.tolist()])
    there = np.array([cell is not None for cell in raw.tolist()])
    return text, there & ~np.isin(np.char.lower(text), sorted(table.dialect.missing))
