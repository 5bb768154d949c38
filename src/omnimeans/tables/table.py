"""What every reader returns: named columns of equal length, and where each row stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# What stands for "no value" in text, beside the empty cell; compared without regard to case.
MISSING = frozenset(
    {
        "",
        "na",
        "n/a",
        "#n/a",
        "<na>",
        "nan",
        "-nan",
        "null",
        "none",
        "nil",
        "?",
        "-",
        ".",
        "missing",
    }
)


class BadTable(ValueError):
    """An input that cannot be used; the message names file, row and column."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file writes its cells.

    Parameters
    ----------
    delimiter : str
        What stands between two cells; a blank stands for any run of blanks and tabs.
    decimal : str
        Decimal sign, ``"."`` or ``","``.
    thousands : str
        What groups digits, or nothing.
    missing : frozenset of str
        Cells, in lower case, that stand for no value.
    """

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    missing: frozenset[str] = MISSING


@dataclass(frozen=True, slots=True)
class Slice:
    """Column `at` of a matrix, which stays in one piece.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        The matrix.
    at : int
        The column's number, from 0.
    """

    matrix: Array
    at: int

    def values(self) -> Array:
        """Return the column, a view of shape (n,)."""
        column: Array = self.matrix[:, self.at]
        return column


# A slice of a matrix, a NumPy array of shape (n,), or a pyarrow.ChunkedArray of n cells
Column: TypeAlias = Any


def row_number(row: int) -> str:
    """Say where a row stands in a file that has no lines; rows are counted from 1."""
    return f"row {row + 1:,}"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a file.

    Parameters
    ----------
    source : str
        What messages call the file.
    names : tuple of str
        One name per column, each once.
    columns : tuple of Column
        As many columns of equal length.
    typed : bool
        Whether the file itself says which columns are numbers; text files do not.
    dialect : Dialect
        How cells of text are written.
    place : callable
        Says where a row (from 0) stands in the file.
    notes : tuple of str
        What the reader decided that its user did not ask for.
    picture : tuple of int or None
        Height and width, where the rows are the pixels of a picture.
    """

    source: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    typed: bool = True
    dialect: Dialect = field(default_factory=Dialect)
    place: Callable[[int], str] = row_number
    notes: tuple[str, ...] = ()
    picture: tuple[int, int] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        if not self.columns:
            return 0
        first = self.columns[0]
        return len(first.matrix if isinstance(first, Slice) else first)

    def where(self, row: int, column: int) -> str:
        """Return "file, row, column" of a cell, for messages."""
        return f"{self.source}, {self.place(row)}, column {self.names[column]!r}"


def numbered(d: int) -> tuple[str, ...]:
    """Return the names of columns that have none: c1, c2, ..."""
    return tuple(f"c{j + 1}" for j in range(d))


def distinct(names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names, made different from each other, and notes on what was changed.

    Parameters
    ----------
    names : sequence of str
        Names as they stand in a file; some may be empty or stand twice.

    Returns
    -------
    tuple of str
        As many different names.
    list of str
        One line for each name that was changed.

    Examples
    --------
    >>> distinct(["x", "", "x"])[0]
    ('x', 'c2', 'x_2')
    """
    taken = {name for name in names if name}
    seen: set[str] = set()
    out, notes = [], []
    for j, given in enumerate(names):
        name = given or f"c{j + 1}"
        base, count = name, 1
        while name in seen or (name != given and name in taken):
            count += 1
            name = f"{base}_{count}"
        if given and name != given:
            notes.append(f"column {j + 1} is a second {given!r}; it is called {name!r} here")
        seen.add(name)
        out.append(name)
    return tuple(out), notes


def as_matrix(columns: Sequence[Array]) -> Array:
    """Return columns of shape (n,) as a row-major matrix of the narrowest exact floating type.

    float32 is used where it holds every value of every column's type, otherwise float64.
    """
    exact = all(np.can_cast(column.dtype, np.float32, "safe") for column in columns)
    matrix = np.empty((len(columns[0]), len(columns)), dtype=np.float32 if exact else np.float64)
    for j, column in enumerate(columns):
        matrix[:, j] = column
    return matrix
