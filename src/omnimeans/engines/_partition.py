"""What a Dask worker does with partitions before a fit: it makes plain rows of them, and looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._rows import number_type, plain
from omnimeans._types import I64, Floats
from omnimeans.sources.streams import as_array


def prepare(block: Any, dtype: str | None = None) -> Floats:
    """Return a partition as plain rows: arrays, data frames, sparse blocks."""
    rows = as_array(block)
    if rows.ndim == 1:
        rows = rows.reshape(len(rows), -1)
    return np.ascontiguousarray(rows, dtype=dtype or number_type(rows))


def describe(X: Floats) -> tuple[int, int, str, tuple[int, int, float] | None]:
    """Return a partition's size, type, and its first value that is no finite number."""
    bad = None
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0].tolist()
        bad = (row, column, float(X[row, column]))
    return (X.shape[0], X.shape[1], str(X.dtype), bad)


def unit(X: Any) -> Floats:
    """Return the rows of a partition with unit length."""
    rows: Floats = _core.unit_rows(plain(X), 1)[0]
    return rows


def blank(X: Any) -> I64:
    """Return which rows of a partition have no direction."""
    return np.flatnonzero(~plain(X).any(axis=1))


def keep(value: Any) -> Any:
    """Return a value: what came with the task is then on the worker."""
    return value


def read(source: Any, first: int, stop: int) -> Any:
    """Read rows of a source on the worker."""
    return np.concatenate([rows for _, rows in source.blocks(stop - first, _exactly(first, stop))])


def _exactly(first: int, stop: int) -> Callable[[int, int], bool]:
    return lambda a, b: first <= a and b <= stop
