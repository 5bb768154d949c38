"""Columns as numbers: what is missing, what is no number, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans.tables.table import Array, Column, Dialect, Slice

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^(?i:[+-]?inf(inity)?)$"


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers.

    Parameters
    ----------
    values : ndarray of shape (n,)
        The numbers; NaN where a cell is missing or is no number.
    bad : int
        Cells that hold something, but no number.
    first_bad : int
        Row of the first of them, -1 without one.
    example : str
        What stands there.
    """

    values: Array
    bad: int = 0
    first_bad: int = -1
    example: str = ""

    @property
    def missing(self) -> int:
        """Cells without a value."""
        return int(np.isnan(self.values).sum()) - self.bad if self.values.dtype.kind == "f" else 0

    @property
    def mostly_numbers(self) -> bool:
        """Whether at least half of the cells that hold something are numbers, and one is."""
        held = len(self.values) - self.missing
        return held > self.bad and 2 * self.bad <= held


def as_numbers(column: Column, dialect: Dialect, typed: bool) -> Numbers:
    """Return a column as numbers, as far as its cells are.

    Parameters
    ----------
    column : Column
        A column of a `Table`.
    dialect : Dialect
        How cells of text are written.
    typed : bool
        Whether text is meant as text, not as numbers written out.

    Returns
    -------
    Numbers
        Values, and what could not be read.

    Examples
    --------
    >>> import pyarrow as pa
    >>> as_numbers(pa.chunked_array([["1,5", "", "x"]]), Dialect(decimal=","), False).values
    array([1.5, nan, nan])
    """
    if isinstance(column, Slice):
        column = column.values()
    if isinstance(column, np.ndarray):
        return _from_numpy(column)
    pa = need("pyarrow", extra="io")
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _no_numbers(column) if typed else _from_text(column, dialect)
    numeric = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal)
    if not any(test(kind) for test in numeric):
        return _no_numbers(column)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    if column.null_count or not pa.types.is_floating(kind):
        narrow = pa.types.is_floating(kind) and kind.bit_width <= 32
        column = column.cast(pa.float32() if narrow else pa.float64(), safe=False)
    return Numbers(column.to_numpy())


def _from_numpy(column: Array) -> Numbers:
    if column.dtype.kind in "fiub":
        return Numbers(column)
    first = "" if not len(column) else str(column[0])
    return Numbers(np.full(len(column), np.nan), len(column), 0, first)


def _no_numbers(column: Any) -> Numbers:
    first = next((row for row, cell in enumerate(column) if cell.is_valid), -1)
    example = "" if first < 0 else str(column[first])
    held = len(column) - column.null_count
    return Numbers(np.full(len(column), np.nan), held, first, example)


def _from_text(column: Any, dialect: Dialect) -> Numbers:
    pa, pc = need("pyarrow", extra="io"), need("pyarrow.compute", extra="io")
    if dialect.decimal == "." and not dialect.thousands:
        try:  # the common case: every cell is a number
            return Numbers(_float64(column))
        except pa.ArrowInvalid:
            pass
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pa.array(sorted(dialect.missing), trimmed.type)
    none = pc.is_in(pc.utf8_lower(trimmed), value_set=missing)
    written = pc.if_else(none, pa.scalar(None, trimmed.type), trimmed)
    plain = written
    if dialect.thousands:
        plain = pc.replace_substring(plain, dialect.thousands, "")
    strange = None
    if dialect.decimal != ".":
        strange = pc.match_substring(plain, ".")  # 1.234 may be meant as one thousand and more
        plain = pc.replace_substring(plain, dialect.decimal, ".")
    fine = pc.match_substring_regex(plain, NUMBER)
    if strange is not None:
        fine = pc.and_(fine, pc.invert(strange))
    bad = pc.fill_null(pc.invert(fine), False)
    count = pc.sum(bad).as_py() or 0
    values = _float64(pc.if_else(bad, pa.scalar(None, plain.type), plain))
    if not count:
        return Numbers(values)
    first = pc.index(bad, True).as_py()
    return Numbers(values, count, first, trimmed[first].as_py())


def _float64(cells: Any) -> Array:
    pa = need("pyarrow", extra="io")
    values: Array = cells.cast(pa.float64()).to_numpy()
    return values
