"""The compiled engine: rows in memory, on the threads of one machine.

Every verb is one call of the core in ``native/``, which releases the GIL.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any, TypeVar

import joblib
import numpy as np

from omnimeans import _core
from omnimeans._rows import is_plain, number_type
from omnimeans._sums import Grid
from omnimeans._types import F64, I32, I64, U64, Distance, Floats, Iteration, Pass
from omnimeans.algorithms import VARIANTS, Variant
from omnimeans.distances import lengths_of
from omnimeans.engines._shares import Shares
from omnimeans.engines.pilot import FEW, FLAT, TINY, Pilot
from omnimeans.engines.stores import PlainStore, open_store

T = TypeVar("T")

SAMPLE = 512  # rows whose columns are measured
MOST_FEATURES = 64  # that the core makes a tree for
MOST_ROWS = 2**31 - 1  # likewise: it numbers them in 32 bits
MOST_AT_ONCE = 1000  # iterations: Ctrl-C waits for no more than some milliseconds
SMALL = 1 << 22  # multiply-adds; a pass with fewer is over before a second thread is of any help


@dataclass(slots=True)
class CpuRows:
    """Rows in memory, as :class:`omnimeans._types.Rows` asks for them."""

    X: Any  # as it was given
    store: Any
    weights: F64 | None
    distance: Distance
    labels: I32
    grid: Grid
    core: Any
    n: int
    d: int
    mean: Floats
    spread: float
    weight: float
    remoteness: float
    first: int = 0
    exponent: int = 0
    pilot: Pilot | None = None  # None: brute force

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the centres."""
        return number_type(self.X)

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array, in the order of their numbers."""
        taken: Floats = self.store.take(np.asarray(numbers, dtype=np.int64))
        return taken


class CpuEngine:
    """Screens in float32, decides in float64, sums in integers."""

    name = "cpu"

    def __init__(
        self,
        n_threads: int | None = None,
        variant: Variant | None = None,
        memory: int | None = None,
    ) -> None:
        self.n_threads = n_threads or available_threads()
        self.variant = variant  # None: chosen pass by pass
        self.memory = memory  # bytes that the passes may keep beside the data; None: any

    def place(self, X: Any, weights: F64 | None, distance: Distance) -> CpuRows:
        """Look at all rows and return them ready for passes."""
        (n, d), store, dtype = X.shape, open_store(X), number_type(X)
        threads = self._threads(4 * X.size)
        counted = n if weights is None else int(np.count_nonzero(weights))
        grid = Grid.fit(store.peaks(weights, threads), counted)
        # Nobody reads a label before the first step: until then, only the first takes memory.
        labels = np.zeros(n, dtype=np.int32)
        labels[0] = -1

        core = store.hold(weights, labels, "euclidean", grid.exponents, grid.bits)
        means, totals = _core.means(core.total(threads), grid.exponents, grid.bits)
        mean, weight = means[0].astype(dtype), float(totals[0])
        spread = core.inertia(mean[None], None, threads)
        if distance.kernel != "euclidean":
            core = store.hold(weights, labels, distance.kernel, grid.exponents, grid.bits)
        core.set_frame(mean, spread / weight if weight else 0.0)
        remoteness = weight * float(_core.pairs(mean[None], 0 * mean[None], "euclidean")[0])
        found = mean, spread, weight, remoteness
        pilot = None
        if is_plain(X, dtype):  # other stores know one way only
            pilot = pilot_for(X, self.memory)
        return CpuRows(X, store, weights, distance, labels, grid, core, n, d, *found, pilot=pilot)

    def step(self, rows: CpuRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        threads = self._threads(centers.size * rows.n)
        if rows.pilot is None:
            moved, redecided, *_ = rows.core.step(centers, threads)
            return Pass(rows.core.sums(), moved, redecided)
        variant = self.variant or rows.pilot.next(len(centers))
        if variant.tree and (rows.d > MOST_FEATURES or rows.n > MOST_ROWS):
            variant = VARIANTS["brute"]  # what runs is what is reported
        if variant.screen != "tiles" and rows.distance.kernel == "manhattan":
            variant = VARIANTS["bounded" if variant.bounded else "brute"]  # codes know squares only
        start = perf_counter()
        moved, redecided, compared = rows.core.step(
            centers, threads, variant.tree, variant.bounded, variant.screen
        )
        rows.pilot.saw(variant, perf_counter() - start)
        return Pass(rows.core.sums(), moved, redecided, compared, variant.name)

    def course(
        self, rows: CpuRows, centers: Floats, max_iter: int, tol: float
    ) -> tuple[list[Iteration], Floats] | None:
        """Run the loop of :mod:`omnimeans._fit` in one call of the core, on few rows.

        There, the way from call to call would take longer than an iteration.  There is no answer
        where the rows are many, or where the loop would have more to do than the usual.
        """
        work = centers.size * rows.n
        if (
            rows.pilot is None
            or work >= TINY
            or max_iter > MOST_AT_ONCE
            or rows.distance.kernel != "euclidean"
            or self.variant not in (None, VARIANTS["brute"])
        ):
            return None
        known = rows.grid.exponents, rows.grid.bits, rows.spread, rows.remoteness
        found = rows.core.course(centers, *known, max_iter, tol, self._threads(work))
        if found is None:
            rows.labels.fill(-1)
            return None
        lines, centers = found
        return [
            Iteration(inertia, int(moved), shift, 0, int(redecided), seconds)
            for inertia, moved, shift, redecided, seconds in lines.tolist()
        ], centers

    def means(self, rows: CpuRows, sums: I64) -> tuple[F64, F64]:
        """Return the exact means (k, d), correctly rounded, and the weights (k,) of the sums."""
        threads = self._threads(64 * sums.size)
        means, weights = _core.means(sums, rows.grid.exponents, rows.grid.bits, threads)
        return means, weights

    def medians(self, rows: CpuRows, k: int) -> F64:
        """Return the coordinate-wise weighted medians (k, d) of the labelled rows."""
        medians: F64 = rows.core.medians(k, self._threads(16 * rows.X.size))
        return medians

    def relabel(self, rows: CpuRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        rows.core.relabel(numbers, cluster)
        return Pass(rows.core.sums(), len(numbers))

    def distances(self, rows: CpuRows, centers: Floats, labels: I32 | None = None) -> F64:
        """Return the distance of each row to its own centre (to centre 0 without labels)."""
        away: F64 = rows.core.distances(centers, labels, self._threads(4 * rows.X.size))
        return away

    def pairs(self, a: Floats, b: Floats, distance: Distance) -> F64:
        """Return the distance of each row of `a` to the same row of `b`."""
        dtype = np.float32 if a.dtype == b.dtype == np.float32 else np.float64
        away: F64 = _core.pairs(
            np.ascontiguousarray(a, dtype), np.ascontiguousarray(b, dtype), distance.kernel
        )
        return away

    def total(self, values: F64, weights: F64 | None) -> float:
        """Return the exact (weighted) sum of the values, correctly rounded."""
        total: float = _core.total(values, weights)
        return total

    def inertia(self, rows: CpuRows, centers: Floats) -> float:
        """Return the exact weighted sum of the rows' distances to their own centres."""
        threads = self._threads(4 * rows.X.size)
        inertia: float = rows.core.inertia(centers, rows.labels, threads)
        return inertia

    def each(self, rows: CpuRows, look: Callable[..., T], *what: Any) -> list[T]:
        """Return ``look(engine, rows, *what)``, once: the rows are in one part."""
        return [look(self, rows, *what)]

    def seeding(self, rows: CpuRows) -> CpuSeeding:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        core = rows.core.seeding(self._threads(16 * rows.X.size))
        if rows.pilot is None:
            return CpuSeeding(core, rows, self)
        return CpuSeeding(core, rows, self, play=core.play, play_each=core.play_each)

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed."""
        threads = self._threads(X.size * len(centers))
        labels: I32 = open_store(X, centers).nearest(centers, distance.kernel, threads)
        return labels

    def own(self, X: Any, centers: Floats, labels: I32, distance: Distance) -> F64:
        """Return the distance of each row to its own centre, of rows that were never placed."""
        threads = self._threads(4 * X.size)
        away: F64 = open_store(X, centers).own(centers, labels, distance.kernel, threads)
        return away

    def all_pairs(self, X: Any, centers: Floats, distance: Distance) -> F64:
        """Return the distance of each row to each centre, (n, k)."""
        threads = self._threads(X.size * len(centers))
        away: F64 = open_store(X, centers).all_pairs(centers, distance.kernel, threads)
        return away

    def lengths(self, X: Any, centers: Floats, distance: Distance, dtype: Any) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        store, threads = open_store(X, centers), self._threads(X.size * len(centers))
        if isinstance(store, PlainStore):
            return store.lengths(centers, distance.kernel, dtype, threads)
        if dtype in (np.float32, np.float64):
            away = np.empty((X.shape[0], len(centers)), dtype)
            if store.lengths(centers, distance.kernel, away, threads):
                return away
        return lengths_of(store.all_pairs(centers, distance.kernel, threads), distance, dtype)

    def _threads(self, work: int) -> int:
        return self.n_threads if work > SMALL else 1


@dataclass(slots=True)
class CpuSeeding:
    """Distances to the nearest centre so far, as :class:`omnimeans._types.Seeding` asks."""

    core: _core.Seeding
    rows: CpuRows
    engine: CpuEngine
    shares: Shares | None = None  # of rows that centres have joined, many at a time
    play: Callable[..., list[int]] | None = None  # several rounds of k-means++ in one call
    play_each: Callable[[U64, int, int], I64] | None = None  # all of them, one by one

    def draw(self, tickets: U64) -> I64:
        """Return a row number for each ticket; rows are drawn by their share."""
        if self.shares is not None:
            return self.shares.draw_tickets(self.rows.weights, tickets)
        return self.core.draw(tickets)

    def closest(self, numbers: I64) -> F64:
        """Return these rows' distances to the nearest centre, infinite before there is one."""
        return self.core.closest(numbers)

    def meet(self, candidates: Floats) -> None:
        """Look at all rows once, to know which of them each candidate would win."""
        self.core.meet(candidates)

    def worth(self, which: I64) -> I64:
        """Return how much each of these candidates would take off all shares together."""
        return self.core.worth(which)

    def adopt(self, which: int) -> None:
        """Make one of the candidates a centre."""
        self.core.adopt(which)

    def join(self, centers: Floats) -> None:
        """Make all of these rows centres at once; `meet` and what follows it are then over."""
        rows, engine = self.rows, self.engine
        if self.shares is None:
            self.shares = Shares(np.full(rows.n, np.inf), started=True)
        self.shares.join(engine, rows.X, rows.distance, centers)
        self.shares.use_finest(rows.weights, rows.n)


def pilot_for(X: Floats, memory: int | None) -> Pilot:
    """Return who chooses the variants of passes over plain rows (n, d), within some bytes."""
    n, d = X.shape
    return Pilot(n, d, X.itemsize, _filled(X, d), memory)


def _filled(X: Floats, d: int) -> float:
    """Return how many dimensions the rows fill, from the variances of a sample's columns."""
    if d <= FLAT or d > MOST_FEATURES or len(X) < FEW:
        return d
    sample = X[:: max(1, len(X) // SAMPLE)].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        variances = sample.var(axis=0)
        filled = variances.sum() ** 2 / (variances**2).sum()
    return float(filled) if np.isfinite(filled) else float(d)


def available_threads() -> int:
    """Return how many threads this process may keep busy: affinity mask and cgroup quota.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> from omnimeans.engines.cpu import available_threads
    >>> available_threads() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return _joblib_threads(
        frozenset(affinity(0)) if affinity else None, os.environ.get("LOKY_MAX_CPU_COUNT")
    )


@cache
def _joblib_threads(affinity: frozenset[int] | None, limit: str | None) -> int:
    """Ask joblib, which reads several files, once for every mask and limit that the user sets."""
    return max(1, int(joblib.cpu_count()))
