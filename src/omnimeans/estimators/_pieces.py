"""Who keeps the rows of a bisecting fit and splits them: any engine, or the core's fast way.

:class:`Blocks` is the definition: a cluster's rows are placed like any rows, and Lloyd's algorithm
runs with two centres.  :class:`Moved` does the same with plain rows in memory, which it brings
together after each split; where it cannot go on, the definition does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from omnimeans._bisect import Piece, Split
from omnimeans._rows import some
from omnimeans._scaling import held
from omnimeans._types import F64, I32, I64, Engine, Fit, Floats, Rows, StopReason
from omnimeans.engines.halves import Halves, Part
from omnimeans.estimators._plan import REFINED_ON, SAMPLE_ITERATIONS, Few, Latest, Plan


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
        return some(self.block, self.local)


class Blocks:
    """The definition, for any engine and rows."""

    def __init__(self, plan: Plan, X: Any, weights: F64 | None) -> None:
        self._plan, self._X, self._weights = plan, X, weights
        self.root = plan.place(X, weights)
        self._away: F64 | None = None  # until a split is made
        self._latest = Latest() if X.shape[0] >= 2 * REFINED_ON else None  # fewer take no time

    @property
    def under_way(self) -> Floats | None:
        """The two centres of the first split, as far as it has come."""
        return None if self._latest is None else self._latest.centers

    def whole(self) -> Piece:
        """Return all rows."""
        n = self._X.shape[0]
        weight = _weight(self._plan.engine, self.root.weights, n)
        return Piece(n, weight, self.root.spread, _Block(np.arange(n), self._X, None))

    def row(self) -> Floats:
        """Return a row that counts, (d,)."""
        row: Floats = self.root.take(np.array([first_counted(self.root.weights)]))[0]
        return row

    def split(self, piece: Piece, number: int) -> Split | None:
        """Split this piece, as the split of this number; None if its rows are copies of one."""
        where = piece.where
        block = where.take()
        weights = None if self._weights is None else self._weights[where.numbers]
        rows = self.root if where.local is None else self._plan.place(block, weights)
        fit = two(self._plan, rows, piece, number, None if number else self._latest)
        return None if fit is None else self._halved(rows, piece, fit)

    def roughly(self, centers: Floats) -> Split | None:
        """Split all rows by these centres; None if one of them would have none."""
        rows, engine = self.root, self._plan.engine
        centers = held(centers, self._plan.exponent)
        engine.step(rows, centers)
        if not _both_found(rows.labels, rows.weights):
            return None
        fit = Fit(centers, rows.labels.copy(), math.nan, (), "interrupt")
        return self._halved(rows, self.whole(), fit)

    def _halved(self, rows: Rows, piece: Piece, fit: Fit) -> Split:
        engine, where = self._plan.engine, piece.where
        block = where.take()
        far = engine.distances(rows, fit.centers, fit.labels)
        halves = []
        for side in (0, 1):
            mine = np.flatnonzero(fit.labels == side)
            pull = None if rows.weights is None else rows.weights[mine]
            inertia = engine.total(far[mine], pull)
            there = _Block(where.numbers[mine], block, mine)
            halves.append(Piece(len(mine), _weight(engine, pull, len(mine)), inertia, there))
        if self._away is None:
            self._away = np.empty(self._X.shape[0])
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
        engine, away = self._plan.engine, self._away
        if away is None:  # copies of one row, and what has no direction or no weight
            labels = np.zeros(self._X.shape[0], dtype=np.int32)
            away = engine.own(self._X, self.row()[None], labels, self._plan.distance)
        return engine.total(away, self._weights)


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
        self.under_way: Floats | None = None

    def whole(self) -> Piece:
        """Return all rows."""
        weight = _weight(self._plan.engine, self._root.weights, len(self._X))
        return Piece(len(self._X), weight, self._root.spread, self._halves.root)

    def row(self) -> Floats:
        """Return a row that counts, (d,)."""
        row: Floats = self._X[first_counted(self._root.weights)]
        return row

    def split(self, piece: Piece, number: int) -> Split | None:
        """Split this piece, as the split of this number; None if its rows are copies of one."""
        plan, halves, part = self._plan, self._halves, piece.where
        variance = variance_of(piece, halves.d)
        rows = _PartRows(halves, part)
        centers = plan.begin(
            rows, plan.rngs(number)[0], variance, self._refined, lambda: self._placed(rows)
        )
        if number == 0:
            self.under_way = centers
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


def two(
    plan: Plan, rows: Rows, piece: Piece, number: int, latest: Latest | None = None
) -> Fit | None:
    """Return a fit with two centres that both have rows; None if the rows are all alike."""
    if rows.spread == 0.0:
        return None
    fit = plan.fit(rows, 2, variance_of(piece, rows.d), number, latest)
    if _both_found(fit.labels, rows.weights):
        return fit
    engine = plan.engine
    counts = np.ones(rows.n) if rows.weights is None else rows.weights
    # the last step took all rows of a centre away: from two different rows, each keeps itself
    one = rows.take(np.array([first_counted(rows.weights)]))
    far = engine.distances(rows, one)
    far[counts == 0.0] = -1.0
    other = rows.take(np.array([int(np.argmax(far))]))
    centers = np.concatenate([one, other])
    engine.step(rows, centers)
    if not _both_found(rows.labels, rows.weights):
        return None  # rows that differ only in what they lack
    return replace(
        fit,
        centers=centers,
        labels=rows.labels.copy(),
        inertia=engine.inertia(rows, centers),
        stop_reason="max_iter",
    )


def first_counted(weights: F64 | None) -> int:
    """Return the number of the first row that has a weight; one without a direction has none."""
    return 0 if weights is None else int(np.argmax(weights > 0.0))


def _both_found(labels: I32, weights: F64 | None) -> bool:
    """Tell whether both centres have rows that count."""
    return bool(np.bincount(labels, weights, minlength=2).all())


def variance_of(piece: Piece, d: int) -> float:
    """Return the mean variance of the features of a piece, around its centre."""
    return piece.inertia / (piece.weight * d) if piece.weight else 0.0


def _weight(engine: Engine, weights: F64 | None, n: int) -> float:
    return float(n) if weights is None else engine.total(weights, None)
