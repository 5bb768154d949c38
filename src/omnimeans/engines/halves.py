"""Splits in two of plain rows in memory, by the compiled core: the fast way to bisect.

What :class:`Halves` finds are the very labels and centres that Lloyd's algorithm finds with two
centres; see ``native/halves.hpp`` for how.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._rows import is_plain, number_type
from omnimeans._sums import Grid
from omnimeans._types import F64, I32, I64, Distance, Floats
from omnimeans.engines.cpu import CpuEngine

MOST_ROWS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that lie side by side after some splits: positions `begin` to `end`."""

    begin: int
    end: int
    depth: int
    grid: Grid


@dataclass(frozen=True, slots=True)
class Measured:
    """Half of a part that was split; its inertia is that around its centre."""

    n: int
    inertia: float
    weight: float
    part: Part | None  # None without rows


class Halves:
    """Rows that are split in two again and again; each split brings its halves together."""

    def __init__(self, engine: CpuEngine, X: Floats, weights: F64 | None) -> None:
        self._engine, self.weights, self._n = engine, weights, len(X)
        self._core = (_core.HalvesF32 if X.dtype == np.float32 else _core.HalvesF64)(X, weights)
        peaks = _core.peaks(X, weights, self._threads(len(X), X.shape[1]))
        self.root = Part(0, len(X), 0, Grid.fit(peaks, self._counted(weights, len(X))))
        self.d = X.shape[1]

    def of(self, X: Floats, weights: F64 | None) -> Halves:
        """Return the same for other rows."""
        return Halves(self._engine, X, weights)

    def lloyd(
        self, part: Part, centers: Floats, *, max_iter: int, tol: float
    ) -> tuple[Floats, int, str] | None:
        """Return the centres that two centres (2, d) come to, the iterations, and why they end.

        None where one of them loses all its rows, which is for others to repair.
        """
        found, n_iter, stop = self._core.lloyd(
            *self._place(part),
            np.ascontiguousarray(centers),
            part.grid.exponents,
            part.grid.bits,
            max_iter,
            tol,
            self._threads(part.end - part.begin, self.d),
        )
        return (found, n_iter, stop) if stop else None

    def put(self, part: Part, labels: I32) -> None:
        """Say which rows are whose, 0 or 1."""
        self._core.put(*self._place(part), labels)

    def split(self, part: Part, centers: Floats) -> tuple[Measured, Measured]:
        """Bring the rows of each centre together, in their order; return the halves."""
        threads = self._threads(part.end - part.begin, self.d)
        sides = self._core.part(*self._place(part), np.ascontiguousarray(centers), threads)
        found, begin = [], part.begin
        for n, inertia, weight, peaks in sides:
            half = None
            if n:
                half = Part(begin, begin + n, part.depth + 1, part.grid)
                if peaks is not None:  # or all sums are exact on the grid that there is
                    pulls = n
                    if self.weights is not None:
                        pulls = self._counted(self.weights[self.numbers(half)], n)
                    half = replace(half, grid=Grid.fit(peaks, pulls))
            found.append(Measured(n, inertia, weight, half))
            begin += n
        return found[0], found[1]

    def take(self, part: Part, numbers: I64) -> Floats:
        """Return these rows of a part, counted from its begin."""
        return self._core.take(*self._place(part), numbers)

    def numbers(self, part: Part) -> I64:
        """Return the numbers of a part's rows among all rows."""
        return self._core.numbers(*self._place(part))

    def numbers_or_none(self, part: Part) -> I64 | None:
        """Return the same, but None for a part that was split."""
        try:
            return self.numbers(part)
        except ValueError:
            return None

    def total(self) -> float:
        """Return the exact weighted sum of the distances of all rows from their centres."""
        return self._core.total()

    def _place(self, part: Part) -> tuple[int, int, int]:
        return part.begin, part.end, part.depth

    def _threads(self, n: int, d: int) -> int:
        return self._engine._threads(8 * n * d)

    @staticmethod
    def _counted(weights: F64 | None, n: int) -> int:
        return n if weights is None else int(np.count_nonzero(weights))


def open_halves(engine: Any, X: Any, weights: F64 | None, distance: Distance) -> Halves | None:
    """Return the fast way to split these rows, where there is one."""
    able = type(engine) is CpuEngine and distance.kernel == "euclidean"
    if not able or not isinstance(X, np.ndarray) or not is_plain(X, number_type(X)):
        return None
    return Halves(engine, X, weights) if len(X) <= MOST_ROWS else None
