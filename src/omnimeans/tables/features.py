"""The columns of a table that are clustered, as a matrix, with everything said that was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnimeans._types import F64, Floats
from omnimeans.tables.choose import choose, listed
from omnimeans.tables.numbers import Numbers, as_numbers
from omnimeans.tables.pictures import ALPHA
from omnimeans.tables.table import BadTable, Slice, Table, as_matrix

COUNTS_FROM = {True: 3, False: 20}  # fewer rows may count up by chance; True: from 0 or 1


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are for, as a user says it.

    Parameters
    ----------
    columns : tuple of str
        Columns to cluster; by default all that hold numbers.
    exclude : tuple of str
        Columns to leave out.
    ids : tuple of str
        Columns that name the rows: kept beside the labels, never clustered.
    weights : str or None
        Column of weights.
    missing : {"error", "drop", "keep"}
        What to do with a row that lacks a value.
    """

    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    weights: str | None = None
    missing: str = "error"


@dataclass(frozen=True, slots=True)
class Features:
    """Rows ready to be clustered.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        The rows that are used.
    names : tuple of str
        One name per column of `X`.
    kept : ndarray of shape (n_rows,) of bool, or None
        Which rows of the table these are; None for all.
    weights : ndarray of shape (n,) or None
        Weight of each row of `X`.
    ids : tuple of int
        Columns of the table that name its rows.
    notes : tuple of str
        What was left out, and why.
    """

    X: Floats
    names: tuple[str, ...]
    kept: NDArray[np.bool_] | None
    weights: F64 | None
    ids: tuple[int, ...]
    notes: tuple[str, ...]


def features(table: Table, roles: Roles, asked: Sequence[str] | None = None) -> Features:
    """Return the matrix to cluster.

    Parameters
    ----------
    table : Table
        What was read.
    roles : Roles
        What its columns are for.
    asked : sequence of str, optional
        Exactly these columns, in this order: those that a model was fitted on.

    Returns
    -------
    Features
        Matrix, names, weights, ids and notes.

    Raises
    ------
    BadTable
        If a column or a cell cannot be used; the message names file, row and column.

    Examples
    --------
    >>> table = Table("a", ("x", "y"), (np.array([1.0, 2.0]), np.array(["a", "b"])))
    >>> found = features(table, Roles())
    >>> found.names, found.notes
    (('x',), ("'y' is left out: text, such as 'a'",))
    """
    cells = _Cells(table)
    ids = choose(table.names, roles.ids, table.source)
    weights = None if roles.weights is None else _one(table, roles.weights)
    apart = {*ids, *choose(table.names, roles.exclude, table.source)} | {weights} - {None}
    notes: list[str] = []
    if asked is not None:
        chosen = _asked(table, asked)
    elif roles.columns:
        chosen = [at for at in choose(table.names, roles.columns, table.source) if at not in apart]
    else:
        chosen = []
        for at in range(len(table.names)):
            if at in apart or (table.picture and table.names[at] == ALPHA):
                continue
            why = _unfit(cells(at))
            if why == "":
                chosen.append(at)
                continue
            notes.append(f"{table.names[at]!r} is left out: {why}")
            if why.startswith("it counts"):
                ids.append(at)
    if not chosen:
        said = f" ({'; '.join(notes)})" if notes else ""
        raise BadTable(f"{table.source} has no column of numbers to cluster{said}")
    columns = [_strict(table, at, cells(at)) for at in chosen]
    names = tuple(table.names[at] for at in chosen)
    X = _stacked(table, chosen, columns)
    weight = None if weights is None else _weights(table, weights, cells(weights))
    kept, said_missing = _complete(table, chosen, columns, roles.missing)
    notes += said_missing
    if kept is not None:
        X = X[kept]
        weight = None if weight is None else weight[kept]
    return Features(X, names, kept, weight, tuple(ids), tuple(notes))


def _one(table: Table, word: str) -> int:
    found = choose(table.names, [word], table.source)
    if len(found) != 1:
        raise BadTable(f"{word!r} means {len(found)} columns of {table.source}; name one")
    return found[0]


def _asked(table: Table, asked: Sequence[str]) -> list[int]:
    """Return the columns that a model knows, by name; by place where the file names none."""
    absent = [name for name in asked if name not in table.names]
    if not absent:
        return [table.names.index(name) for name in asked]
    raise BadTable(
        f"{table.source} lacks {listed(absent)}, which the model was fitted on; its columns are "
        f"{listed(table.names)}. --names gives them other names"
    )


class _Cells:
    """The columns as numbers, each converted once."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._done: dict[int, Numbers] = {}

    def __call__(self, at: int) -> Numbers:
        if at not in self._done:
            table = self._table
            self._done[at] = as_numbers(table.columns[at], table.dialect, table.typed)
        return self._done[at]


def _unfit(numbers: Numbers) -> str:
    """Say why a column is not clustered unless asked for, or nothing if it is."""
    if numbers.missing == len(numbers.values):
        return "it is empty"
    if not numbers.mostly_numbers:
        return f"text, such as {numbers.example!r}"
    if numbers.bad == 0 and _counts(numbers):
        return "it counts the rows; it is kept beside the labels (--columns would cluster it)"
    return ""


def _counts(numbers: Numbers) -> bool:
    """Tell whether a column goes up by one from row to row."""
    values = numbers.values
    if len(values) < COUNTS_FROM[len(values) > 0 and values[0] in (0, 1)]:
        return False
    return bool((np.diff(values.astype(np.float64)) == 1.0).all())


def _strict(table: Table, at: int, numbers: Numbers) -> Numbers:
    """Return a column all of whose cells are numbers or missing."""
    if numbers.bad:
        more = f"; nor are {numbers.bad - 1:,} more cells of it" if numbers.bad > 1 else ""
        hint = _hint(numbers.example, table)
        raise BadTable(
            f"{table.where(numbers.first_bad, at)}: {numbers.example!r} is not a number{more}. "
            f"{hint}Leave the column out (--exclude {at + 1}), or say that this cell means no "
            f"value (--na {numbers.example!r})"
        )
    infinite = np.isinf(numbers.values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise BadTable(
            f"{table.where(row, at)}: {numbers.values[row]} is not finite; {int(infinite.sum()):,} "
            "such cells in this column. Mend them, or leave the column out"
        )
    return numbers


def _hint(example: str, table: Table) -> str:
    """Say which option would read a cell such as 1.234,5 or 1,234.5."""
    other = "," if table.dialect.decimal == "." else "."
    if not any(sign.isdigit() for sign in example):
        return ""
    if other in example and table.dialect.decimal in example:
        return f"If {other!r} groups thousands, say --thousands {other!r}. "
    if other in example:
        return f"If {other!r} is the decimal sign, say --decimal {other!r}. "
    return ""


def _weights(table: Table, at: int, numbers: Numbers) -> F64:
    values = _strict(table, at, numbers).values.astype(np.float64)
    wrong = np.isnan(values) | (values < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        what = "no value" if np.isnan(values[row]) else str(values[row])
        raise BadTable(
            f"{table.where(row, at)}: {what} stands for the weight; weights are zero or more"
        )
    if not values.any():
        raise BadTable(f"{table.source}, column {table.names[at]!r}: all weights are 0")
    return values


def _stacked(table: Table, chosen: Sequence[int], columns: Sequence[Numbers]) -> Floats:
    """Return the columns as one matrix; one that lies there in one piece is not copied."""
    slices = [table.columns[at] for at in chosen]
    first = slices[0]
    if isinstance(first, Slice) and all(
        isinstance(cut, Slice) and cut.matrix is first.matrix and cut.at == j
        for j, cut in enumerate(slices)
    ):
        matrix = first.matrix[:, : len(slices)]
        if matrix.dtype in (np.float32, np.float64):
            return matrix
        exact = np.can_cast(matrix.dtype, np.float32, "safe")
        return matrix.astype(np.float32 if exact else np.float64, order="C")
    return as_matrix([column.values for column in columns])


def _complete(
    table: Table, chosen: Sequence[int], columns: Sequence[Numbers], missing: str
) -> tuple[NDArray[np.bool_] | None, list[str]]:
    """Return which rows have all their values, None for all."""
    gaps = [(at, column) for at, column in zip(chosen, columns, strict=True) if column.missing]
    if not gaps:
        return None, []
    hole = np.zeros(table.n_rows, dtype=bool)
    for _, column in gaps:
        hole |= np.isnan(column.values)
    count = int(hole.sum())
    if missing == "error":
        at, column = min(gaps, key=lambda gap: int(np.argmax(np.isnan(gap[1].values))))
        row = int(np.argmax(np.isnan(column.values)))
        where = ", ".join(f"{table.names[gap]!r} ({col.missing:,})" for gap, col in gaps[:6])
        raise BadTable(
            f"{table.where(row, at)} has no value; {count:,} of {table.n_rows:,} rows lack one, in "
            f"{where}. Say --missing drop to leave these rows out, --missing partial to compare "
            "rows by the values they have, or --exclude the column"
        )
    if missing == "keep":
        return None, [f"{count:,} of {table.n_rows:,} rows lack a value"]
    if count == table.n_rows:
        raise BadTable(f"{table.source}: every row lacks a value, so that none is left")
    return ~hole, [f"{count:,} of {table.n_rows:,} rows are left out: they lack a value"]
