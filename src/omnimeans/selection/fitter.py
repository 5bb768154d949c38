"""What a sweep repeats: fits for all numbers of clusters, of the rows, of references, of halves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np

from omnimeans import _fit
from omnimeans._types import F64, I64, Distance, Engine, Fit, Floats, Rows, State, StopReason
from omnimeans.estimators._run import place
from omnimeans.selection.grow import rivalled
from omnimeans.selection.shrink import Refine, shrink

Progress = Callable[[int, int, str], object]

SAMPLE = 2000  # rows that scores are taken from, at least ...
ROWS_EACH = 40  # ... and so many for each of the largest number of clusters
SHARE = 8  # one row in so many makes the stage between the sample and all rows


class Timed(NamedTuple):
    """A fit and the seconds that it took."""

    fit: Fit
    seconds: float


@dataclass(frozen=True, slots=True)
class Fitter:
    """Clusters rows with every k, from the largest down.

    Parameters
    ----------
    engine : Engine
        Who makes the passes.
    distance : Distance
        How rows and centres are compared.
    ks : tuple of int
        Numbers of clusters, rising from 1.
    max_iter : int
        Most iterations for each k.
    tol : float
        Relative tolerance, as of an estimator; also the share of the inertia that another iteration
        must be expected to take off it.
    """

    engine: Engine
    distance: Distance
    ks: tuple[int, ...]
    max_iter: int
    tol: float

    def place(self, X: Floats, weights: F64 | None) -> Rows:
        """Hand rows to the engine."""
        return place(self.engine, X, weights, self.distance)

    def fits(self, rows: Rows, rng: np.random.Generator) -> list[Timed]:
        """Return a fit for each k of which there are as many rows, rising."""
        ks = [k for k in self.ks if k <= rows.n]
        falling = shrink(self.engine, rows, ks[::-1], rng, self.distance, self._refine(rows))
        return list(_timed(falling))[::-1]

    def better(self, rows: Rows, fits: list[Timed], rng: np.random.Generator) -> list[Timed]:
        """Return fits of the same rows that have met their rivals."""
        found = rivalled(self.engine, rows, [timed.fit for timed in fits], rng, self._refine(rows))
        return [
            Timed(after.fit, before.seconds + after.seconds)
            for before, after in zip(fits, _timed(found), strict=True)
        ]

    def finished(
        self, rows: Rows, fits: list[Timed], seen: int, rng: np.random.Generator
    ) -> list[Timed]:
        """Return the fits of all rows that begin where those of some of them have ended.

        Between the two may lie a stage of more rows, which leaves less to do for all of them.
        """
        if rows.n // SHARE >= 2 * seen:
            some = np.sort(rng.choice(rows.n, size=rows.n // SHARE, replace=False))
            weights = None if rows.weights is None else rows.weights[some]
            if weights is None or np.count_nonzero(weights) >= 2 * seen:
                stage = self.place(rows.take(some), weights)
                fits = [self._finished(stage, fit) for fit in fits]
        return [self._finished(rows, fit) for fit in fits]

    def _finished(self, rows: Rows, draft: Timed) -> Timed:
        begun = perf_counter()
        fit = self._refine(rows)(draft.fit.centers)
        return Timed(fit, draft.seconds + perf_counter() - begun)

    def half(self, values: Floats, weights: F64 | None, rng: np.random.Generator) -> list[Floats]:
        """Return the centres for each k from a random half of the rows."""
        some = np.sort(rng.choice(len(values), size=max(1, len(values) // 2), replace=False))
        rows = self.place(values[some], None if weights is None else weights[some])
        return [timed.fit.centers for timed in self.fits(rows, rng)]

    def _refine(self, rows: Rows) -> Refine:
        """Return Lloyd's iterations on these rows, until little is gained by another one."""
        tol = float(self.tol * rows.spread / (rows.weight * rows.d))

        def refine(centers: Floats, most: int = self.max_iter) -> Fit:
            return _fit.lloyd(
                self.engine,
                rows,
                centers,
                distance=self.distance,
                max_iter=most,
                tol=tol,
                watch=Satisfied(self.tol, rows.weight),
            )

        return refine


@dataclass(slots=True)
class Satisfied:
    """Stops iterations when another one would lower the inertia by little.

    Moving the centres to the means lowers it by the squared moves times the weights of the
    clusters, here taken to be alike; what new labels add to this is of the same order.
    """

    share: float  # of the inertia
    weight: float  # of all rows

    def __call__(self, state: State) -> StopReason | None:
        """Return why the iterations end, if they do."""
        last = state.history[-1]
        gain = last.shift * self.weight / len(state.centers)
        return state.stop or ("tolerance" if gain <= self.share * last.inertia else None)


@dataclass(frozen=True, slots=True)
class Random:
    """Random numbers for each part of a sweep, from one seed."""

    seed: int

    def __call__(self, *key: int) -> np.random.Generator:
        """Return the generator of this part."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, *key])))

    def several(self, part: int, count: int) -> list[np.random.Generator]:
        """Return so many generators of this part."""
        return [self(part, number) for number in range(count)]


@dataclass(slots=True)
class Told:
    """Tells the user how far the work has come."""

    callback: Progress | None
    total: int
    done: int = 0

    def __call__(self, what: str) -> None:
        """Say that one more part is done."""
        self.done += 1
        if self.callback is not None:
            self.callback(self.done, self.total, what)

    def each(self, what: str, parts: Iterable[F64]) -> Iterator[F64]:
        """Yield the parts, and say so after each."""
        for part in parts:
            self(what)
            yield part


def some_rows(rows: Rows, most: int, size: int | None, rng: np.random.Generator) -> I64 | None:
    """Return the numbers of the rows to take scores from; None for all of them."""
    counted = np.arange(rows.n) if rows.weights is None else np.flatnonzero(rows.weights > 0.0)
    limit = max(SAMPLE, ROWS_EACH * most) if size is None else size
    if limit < len(counted):
        counted = np.sort(rng.choice(counted, size=limit, replace=False))
    return None if len(counted) == rows.n else counted.astype(np.int64)


def _timed(fits: Iterator[Fit]) -> Iterator[Timed]:
    begun = perf_counter()
    for fit in fits:
        yield Timed(fit, perf_counter() - begun)
        begun = perf_counter()
