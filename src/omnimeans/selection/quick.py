"""Hundreds of fits of a sample, of data like it, and of its halves: all in the compiled core.

For squared Euclidean distances.  The centres do not change if all rows are turned, so the data
without clusters stay in the frame of their box.  See ``native/shrink.hpp``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omnimeans import _core
from omnimeans._types import F64, I32, Floats
from omnimeans.metrics.labels import threads_for
from omnimeans.selection.gap import Box
from omnimeans.selection.shrink import spare

ITERATIONS = 2  # for each k, at most ...
SHARE = 1e-3  # ... until one of them takes no more than this share off the inertia


@dataclass(frozen=True, slots=True)
class Quick:
    """Clusters a sample with every k, again and again.

    Parameters
    ----------
    rows : ndarray of shape (m, d)
        The sample.
    weights : ndarray of shape (m,) or None
        Its weights.
    ks : tuple of int
        Numbers of clusters, rising from 1, at most m.
    n_threads : int or None
        Threads to use.
    """

    rows: F64
    weights: F64 | None
    ks: tuple[int, ...]
    n_threads: int | None

    @classmethod
    def of(
        cls, values: Floats, weights: F64 | None, ks: tuple[int, ...], n_threads: int | None
    ) -> Quick:
        """Bring the rows near zero, where distances lose nothing."""
        rows = values - values.mean(axis=0, dtype=np.float64)
        return cls(np.ascontiguousarray(rows, dtype=np.float64), weights, ks, n_threads)

    def inertias(self, rng: np.random.Generator) -> F64:
        """Return the inertia for each k."""
        found = _core.shrunk(self.rows, self.weights, *self._plan(len(self.rows)), _seed(rng))
        return found[::-1]

    def references(self, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, the inertias for each k of rows without clusters."""
        box, plan, n = Box(self.rows), self._plan(len(self.rows)), len(self.rows)
        low, width = box.low, box.high - box.low
        for batch in self._batches(rngs):
            seeds = np.array([_seed(rng) for rng in batch], dtype=np.uint64)
            found = _core.shrunk_references(
                low, width, n, self.weights, *plan, seeds, self._threads()
            )
            yield from found[:, ::-1]

    def agreements(self, labels: I32, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, how the fits of a half agree with the labels for each k.

        Where a half has fewer rows than clusters, there is no such k.
        """
        n, size = len(self.rows), max(1, len(self.rows) // 2)
        plan = self._plan(size)
        own = np.ascontiguousarray(labels[: len(plan[0])][::-1])
        for batch in self._batches(rngs):
            numbers = [np.sort(rng.choice(n, size=size, replace=False)) for rng in batch]
            seeds = np.array([_seed(rng) for rng in batch], dtype=np.uint64)
            found = _core.shrunk_parts(
                self.rows, self.weights, np.stack(numbers), own, *plan, seeds, self._threads()
            )
            yield from found[:, ::-1]

    def _plan(self, n: int) -> tuple[I32, int, int, float]:
        falling = np.array([k for k in self.ks if k <= n][::-1], dtype=np.int32)
        return falling, min(n, spare(int(falling[0]))), ITERATIONS, SHARE

    def _threads(self) -> int:
        return threads_for(len(self.rows) * sum(self.ks), self.n_threads)

    def _batches(
        self, rngs: Sequence[np.random.Generator]
    ) -> Iterator[Sequence[np.random.Generator]]:
        """Yield as many parts at a time as there are threads."""
        step = self._threads()
        for first in range(0, len(rngs), step):
            yield rngs[first : first + step]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 2**64, dtype=np.uint64))
