"""How the compiled engine reads rows: one store for each form that they come in.

A store offers what the core can do with rows of its form: ``peaks``, ``nearest``, ``own``,
``all_pairs``, ``take``, and ``hold``, which places them.  That of plain rows is here; the core has
the others, which keep the rows as they lie in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from omnimeans import _core
from omnimeans._rows import Holed, csr_arrays, floating, is_plain, number_type
from omnimeans._sums import Grid
from omnimeans._types import F64, I32, Floats
from omnimeans.sources.lent import FileRows


@dataclass(frozen=True, slots=True)
class PlainStore:
    """Rows that the core reads as they are."""

    X: Floats

    def peaks(self, weights: F64 | None, threads: int) -> F64:
        """Return the largest weighted size of each column's values, and the largest weight."""
        peaks: F64 = _core.peaks(self.X, weights, threads)
        return peaks

    def hold(
        self, weights: F64 | None, labels: I32, kernel: str, exponents: Any, bits: int
    ) -> _core.RowsF32 | _core.RowsF64:
        """Return the rows ready for passes."""
        rows = _core.RowsF32 if self.X.dtype == np.float32 else _core.RowsF64
        return rows(self.X, weights, labels, kernel, exponents, bits)

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array."""
        taken: Floats = self.X[numbers]
        return taken

    def nearest(self, centers: Floats, kernel: str, threads: int) -> I32:
        """Return the nearest centre of each row."""
        labels: I32 = _core.nearest(self.X, centers, kernel, threads)
        return labels

    def own(self, centers: Floats, labels: I32, kernel: str, threads: int) -> F64:
        """Return the distance of each row to its own centre."""
        labels = np.require(labels, np.int32, ["C", "W"])
        grid = Grid.fit(np.ones(self.X.shape[1] + 1), len(self.X))  # of sums that nobody asks for
        rows = self.hold(None, labels, kernel, grid.exponents, grid.bits)
        away: F64 = rows.distances(np.ascontiguousarray(centers, self.X.dtype), labels, threads)
        return away

    def all_pairs(self, centers: Floats, kernel: str, threads: int) -> F64:
        """Return the distance of each row to each centre."""
        away: F64 = _core.all_pairs(self.X, centers, kernel, threads)
        return away

    def lengths(self, centers: Floats, kernel: str, dtype: Any, threads: int) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        away = np.empty((len(self.X), len(centers)), dtype)
        _core.distance_table(self.X, centers, kernel, kernel == "euclidean", away, threads)
        return away


def open_store(X: Any, centers: Floats | None = None) -> Any:
    """Return the store of these rows, which computes in their type and that of the centres."""
    dtype = number_type(X) if centers is None else np.result_type(number_type(X), centers)
    if is_plain(X, dtype):
        return PlainStore(X)
    if isinstance(X, FileRows):
        return X.store(dtype)
    if isinstance(X, Holed):
        near = floating(X, dtype)
        return _core.with_holes(near.values, near.fill)
    if issparse(X):
        store = _core.sparse_f32 if dtype == np.float32 else _core.sparse_f64
        return store(np.ascontiguousarray(X.data, dtype), *csr_arrays(X), X.shape[1])
    return _core.lend_f32(X) if dtype == np.float32 else _core.lend_f64(X)
