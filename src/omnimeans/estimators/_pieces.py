"""Who keeps the rows of a bisecting fit and splits them: any engine, or the core's fast way.

:class:`Blocks` is the definition: a cluster's rows are placed like any rows, and Lloyd's algorithm
runs with two centres.  :class:`Moved` does the same with plain rows in memory, which it brings
together after each split; where it cannot go on, the definition does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from omnimeans import _fit
from omnimeans._bisect import Piece, Split
from omnimeans._rows import Holed
from omnimeans._scaling import held
from omnimeans._types import F64, I32, I64, Distance, Engine, Fit, Floats, Rows, Start, StopReason
from omnimeans.engines.halves import Halves, Part
from omnimeans.estimators._different import of_different_rows
from omnimeans.estimators._run import generator, start
from omnimeans.init import INITS

REFINED_ON = 2048  # rows that a split of twice as many or more starts from
REST = 1e-4  # the sample is done when the squared moves of its centres are this share of a variance
SAMPLE_ITERATIONS = 50


@dataclass(slots=True)
class Few:
    """Rows that can be drawn, without being placed."""

    values: Floats
    weights: F64 | None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.values)

    def take(self, numbers: Any) -> Floats:
        """Return these rows."""
        taken: Floats = self.values[numbers]
        return taken


@dataclass(frozen=True, slots=True)
class Plan:
    """How splits are made: the parameters of the estimator."""

    engine: Engine
    distance: Distance
    init: Any
    n_init: int
    max_iter: int
    tol: float
    seed: int
    place: Callable[[Any, F64 | None], Rows]
    exponent: int = 0  # the rows are divided by two to this power

    def rngs(self, number: int) -> list[np.random.Generator]:
        """Return the random numbers of a split's starts."""
        return [generator(self.seed, restart, number) for restart in range(self.n_init)]

    def fit(self, rows: Rows, k: int, variance: float, number: int) -> Fit:
        """Run Lloyd's algorithm on a piece whose features have this mean variance."""

        def refine(few: Few, centers: Floats, tol: float) -> Floats:
            return self.refined(few, centers, tol)

        def begin(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
            return self.begin(rows, rng, variance, refine, lambda: rows)

        fit = _fit.run(
            self.engine,
            rows,
            k,
            begin if k == 2 else self._start(rows, k),
            self.rngs(number),
            distance=self.distance,
            max_iter=self.max_iter,
            tol=self.tol * variance,
        )
        centers = held(fit.centers, self.exponent)
        if not self.exponent or np.array_equal(centers, fit.centers):
            return fit
        self.engine.step(rows, centers)  # what the user can hold decides
        labels, inertia = rows.labels.copy(), self.engine.inertia(rows, centers)
        return replace(fit, centers=centers, labels=labels, inertia=inertia)

    def begin(
        self,
        rows: Any,  # n, weights, take
        rng: np.random.Generator,
        variance: float,
        refine: Callable[[Few, Floats, float], Floats],
        placed: Callable[[], Rows],
    ) -> Floats:
        """Return two centres to start from; for many rows, what a sample of them comes to."""
        holed = isinstance(getattr(rows, "X", None), Holed)
        if rows.n >= 2 * REFINED_ON and isinstance(self.init, str) and not holed:
            numbers = np.sort(rng.integers(rows.n, size=REFINED_ON))
            weights = None if rows.weights is None else rows.weights[numbers]
            if weights is not None:
                numbers, weights = numbers[weights > 0.0], weights[weights > 0.0]
            if len(numbers) >= 2:
                few = Few(rows.take(numbers), weights)
                return refine(few, self._two(few, rng), REST * variance)
        whole = placed()
        return self._start(whole, 2)(self.engine, whole, 2, rng)

    def refined(self, few: Few, centers: Floats, tol: float) -> Floats:
        """Return what two centres come to on some rows."""
        sample = self.place(few.values, few.weights)
        engine, distance = self.engine, self.distance
        return _fit.lloyd(
            engine, sample, centers, distance=distance, max_iter=SAMPLE_ITERATIONS, tol=tol
        ).centers

    def _two(self, few: Few, rng: np.random.Generator) -> Floats:
        """Return two different rows of a sample, if it has them."""
        draw = INITS[self.init]
        plain = self.init == "random"  # which looks at nothing but weights
        centers = draw(self.engine, cast(Rows, few) if plain else self._placed(few), 2, rng)
        if (centers[0] != centers[1]).any():
            return centers
        return of_different_rows(draw, self.distance)(self.engine, self._placed(few), 2, rng)

    def _placed(self, few: Few) -> Rows:
        return self.place(few.values, few.weights)

    def _start(self, rows: Rows, k: int) -> Start:
        return start(self.init, self.engine, rows, self.distance, k)


@dataclass(slots=True)
class _Block:
    """Where a piece is: rows of the one that it was split from, which lie closer together."""

    numbers: I64  # among all rows
    block: Any
    local: I64 | None  # numbers in the block; None for all of it

    def take(self) -> Any:
        """Return the rows themselves."""
        if self.local is None:
            return self.block
        if isinstance(self.block, np.ndarray):
            return np.take(self.block, self.local, axis=0)
        return self.block[self.local]


class Blocks:
    """The definition, for any engine and rows."""

    def __init__(self, plan: Plan, X: Any, weights: F64 | None) -> None:
        self._plan, self._X, self._weights = plan, X, weights
        self.root = plan.place(X, weights)
        self._away = np.zeros(X.shape[0])

    def whole(self) -> Piece:
        """Return all rows."""
        n = self._X.shape[0]
        weight = _weight(self._plan.engine, self.root.weights, n)
        return Piece(n, weight, self.root.spread, _Block(np.arange(n), self._X, None))

    def row(self) -> Floats:
        """Return any row, (d,)."""
        row: Floats = self.root.take(np.arange(1))[0]
        return row

    def split(self, piece: Piece, number: int) -> Split | None:
        """Split this piece, as the split of this number; None if its rows are copies of one."""
        engine, where = self._plan.engine, piece.where
        block = where.take()
        weights = None if self._weights is None else self._weights[where.numbers]
        rows = self.root if where.local is None else self._plan.place(block, weights)
        fit = two(self._plan, rows, piece, number)
        if fit is None:
            return None
        far = engine.distances(rows, fit.centers, fit.labels)
        halves = []
        for side in (0, 1):
            mine = np.flatnonzero(fit.labels == side)
            pull = None if rows.weights is None else rows.weights[mine]
            inertia = engine.total(far[mine], pull)
            there = _Block(where.numbers[mine], block, mine)
            halves.append(Piece(len(mine), _weight(engine, pull, len(mine)), inertia, there))
        self._away[where.numbers] = far
        return Split(
            fit.centers, (halves[0], halves[1]), fit.n_iter, fit.stop_reason, fit.algorithm
        )

    def labels(self, leaves: list[Piece]) -> I32:
        """Return the number of the leaf that each row is in."""
        labels = np.zeros(self._X.shape[0], dtype=np.int32)
        for number, leaf in enumerate(leaves):
            labels[leaf.where.numbers] = number
        return labels

    def total(self) -> float:
        """Return the objective of all rows at the centres of their leaves."""
        return self._plan.engine.total(self._away, self._weights)


@dataclass(slots=True)
class _PartRows:
    """The rows of a part, as a start asks for them."""

    halves: Halves
    part: Part

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.part.end - self.part.begin

    @property
    def weights(self) -> F64 | None:
        """Their weights."""
        all_weights = self.halves.weights
        return None if all_weights is None else all_weights[self.halves.numbers(self.part)]

    def take(self, numbers: I64) -> Floats:
        """Return these rows."""
        return self.halves.take(self.part, numbers)


class Moved:
    """The same for plain rows in memory, compared by the Euclidean distance, and one start."""

    def __init__(self, plan: Plan, halves: Halves, X: Floats, root: Rows) -> None:
        self._plan, self._halves, self._X, self._root = plan, halves, X, root
        self._split = False

    def whole(self) -> Piece:
        """Return all rows."""
        weight = _weight(self._plan.engine, self._root.weights, len(self._X))
        return Piece(len(self._X), weight, self._root.spread, self._halves.root)

    def row(self) -> Floats:
        """Return any row, (d,)."""
        row: Floats = self._X[0]
        return row

    def split(self, piece: Piece, number: int) -> Split | None:
        """Split this piece, as the split of this number; None if its rows are copies of one."""
        plan, halves, part = self._plan, self._halves, piece.where
        variance = variance_of(piece, halves.d)
        rows = _PartRows(halves, part)
        centers = plan.begin(
            rows, plan.rngs(number)[0], variance, self._refined, lambda: self._placed(rows)
        )
        ended = halves.lloyd(part, centers, max_iter=plan.max_iter, tol=plan.tol * variance)
        if ended is None:
            fit = two(plan, self._placed(rows), piece, number)
            if fit is None:
                return None
            halves.put(part, fit.labels)
            ended = fit.centers, fit.n_iter, fit.stop_reason
        found, n_iter, stop = ended
        self._split = True
        one, other = (
            Piece(half.n, half.weight, half.inertia, half.part)
            for half in halves.split(part, found)
        )
        return Split(found, (one, other), n_iter, cast(StopReason, stop), "bounded")

    def labels(self, leaves: list[Piece]) -> I32:
        """Return the number of the leaf that each row is in."""
        labels = np.full(len(self._X), -1, dtype=np.int32)
        lost = 0
        for number, leaf in enumerate(leaves):
            numbers = self._halves.numbers_or_none(leaf.where)
            if numbers is None:  # whoever was interrupted may have split it, and not said so
                lost = number
            else:
                labels[numbers] = number
        labels[labels < 0] = lost
        return labels

    def total(self) -> float:
        """Return the objective of all rows at the centres of their leaves."""
        return self._halves.total() if self._split else 0.0  # or there are only copies of one row

    def _placed(self, rows: _PartRows) -> Rows:
        if rows.part.depth == 0:
            return self._root
        return self._plan.place(rows.take(np.arange(rows.n)), rows.weights)

    def _refined(self, few: Few, centers: Floats, tol: float) -> Floats:
        sample = self._halves.of(few.values, few.weights)
        ended = sample.lloyd(sample.root, centers, max_iter=SAMPLE_ITERATIONS, tol=tol)
        return self._plan.refined(few, centers, tol) if ended is None else ended[0]


def two(plan: Plan, rows: Rows, piece: Piece, number: int) -> Fit | None:
    """Return a fit with two centres that both have rows; None if the rows are all alike."""
    if rows.spread == 0.0:
        return None
    fit = plan.fit(rows, 2, variance_of(piece, rows.d), number)
    if np.bincount(fit.labels, rows.weights, minlength=2).all():
        return fit
    engine = plan.engine
    counts = np.ones(rows.n) if rows.weights is None else rows.weights
    # the last step took all rows of a centre away: from two different rows, each keeps itself
    first = int(np.argmax(counts > 0.0))
    one = rows.take(np.array([first]))
    far = engine.distances(rows, one)
    far[counts == 0.0] = -1.0
    other = rows.take(np.array([int(np.argmax(far))]))
    centers = np.concatenate([one, other])
    engine.step(rows, centers)
    if not np.bincount(rows.labels, rows.weights, minlength=2).all():
        return None  # rows that differ only in what they lack
    return replace(
        fit,
        centers=centers,
        labels=rows.labels.copy(),
        inertia=engine.inertia(rows, centers),
        stop_reason="max_iter",
    )


def variance_of(piece: Piece, d: int) -> float:
    """Return the mean variance of the features of a piece, around its centre."""
    return piece.inertia / (piece.weight * d) if piece.weight else 0.0


def _weight(engine: Engine, weights: F64 | None, n: int) -> float:
    return float(n) if weights is None else engine.total(weights, None)
