"""The reference engine: every verb by its definition, in plain NumPy, to be read and compared with.

It is slow on purpose and shares no code with the compiled core; the two agree bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from omnimeans._rows import plain
from omnimeans._sums import Grid, two_product
from omnimeans._types import F64, I32, I64, U64, Distance, Floats, Pass
from omnimeans.directions import lane_sum
from omnimeans.distances import lengths_of

T = TypeVar("T")

BLOCK = 1024  # rows compared with all centres at a time


@dataclass(slots=True)
class ReferenceRows:
    """Rows in memory, as :class:`omnimeans._types.Rows` asks for them."""

    X: Floats
    weights: F64 | None
    distance: Distance
    labels: I32
    n: int
    d: int
    grid: Grid
    k: int = 0
    mean: Floats = field(init=False)
    spread: float = field(init=False)
    weight: float = field(init=False)
    remoteness: float = field(init=False)
    first: int = 0
    exponent: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the centres."""
        return self.X.dtype

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array, in the order of their numbers."""
        taken: Floats = self.X[numbers]
        return taken


class ReferenceEngine:
    """Nearest centres by exact distances, sums by exact integers."""

    name = "reference"

    def place(self, X: Any, weights: F64 | None, distance: Distance) -> ReferenceRows:
        """Look at all rows once and return them ready for passes."""
        X = plain(X)
        n, d = X.shape
        w = np.ones(n) if weights is None else weights
        peaks = np.append(np.abs(X * w[:, None].astype(np.float64)).max(axis=0), w.max())
        labels = np.full(n, -1, dtype=np.int32)
        counted = n if weights is None else int(np.count_nonzero(weights))
        rows = ReferenceRows(X, weights, distance, labels, n, d, Grid.fit(peaks, counted))
        means, totals = self.means(rows, _sums(rows, np.zeros(n, dtype=np.int32), 1))
        rows.mean, rows.weight = means[0].astype(X.dtype), float(totals[0])
        rows.spread = self.total(sq_distance(X, rows.mean), weights)
        rows.remoteness = rows.weight * float(sq_distance(rows.mean, 0 * rows.mean))
        return rows

    def step(self, rows: ReferenceRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        labels = self.nearest(rows.X, centers, rows.distance)
        moved = int(np.count_nonzero(labels != rows.labels))
        rows.labels[:], rows.k = labels, len(centers)
        return Pass(_sums(rows, rows.labels, rows.k), moved)

    def means(self, rows: ReferenceRows, sums: I64) -> tuple[F64, F64]:
        """Return exact means, correctly rounded (0 where there is no weight), and weights."""
        step = Fraction(2) ** -rows.grid.bits
        units = [Fraction(2) ** int(e) for e in rows.grid.exponents]
        k = len(sums)
        means, weights = np.zeros((k, rows.d)), np.zeros(k)
        for j in range(k):
            high, low = sums[j].tolist()
            exact = [(h + lo * step) * unit for h, lo, unit in zip(high, low, units, strict=True)]
            weights[j] = float(exact[-1])
            if exact[-1]:
                means[j] = [float(s / exact[-1]) for s in exact[:-1]]
        return means, weights

    def medians(self, rows: ReferenceRows, k: int) -> F64:
        """Return the weighted medians, the middle of the interval where it is not unique."""
        medians = np.zeros((k, rows.d))
        masses = words(rows.X, rows.weights, rows.grid)[..., -1].astype(object)
        masses = masses[:, 0] * 2**rows.grid.bits + masses[:, 1]  # exact weights, in grid steps
        for j in range(k):
            mine = (rows.labels == j) & (masses > 0)
            for column in range(rows.d if mine.any() else 0):
                values = rows.X[mine, column].astype(np.float64)
                order = np.argsort(values, kind="stable")
                below = np.cumsum(masses[mine][order])
                a = values[order[np.argmax(2 * below >= below[-1])]]
                b = values[order[np.argmax(2 * below > below[-1])]]
                medians[j, column] = a + 0.0 if a == b else 0.5 * a + 0.5 * b  # never -0.0
        return medians

    def relabel(self, rows: ReferenceRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        rows.labels[numbers] = cluster
        return Pass(_sums(rows, rows.labels, rows.k), len(numbers))

    def distances(self, rows: ReferenceRows, centers: Floats, labels: I32 | None = None) -> F64:
        """Return the distance of each row to its own centre (to centre 0 without labels)."""
        return self.pairs(rows.X, centers[0 if labels is None else labels], rows.distance)

    def pairs(self, a: Floats, b: Floats, distance: Distance) -> F64:
        """Return the distance of each row of `a` to the same row of `b`."""
        return DISTANCE[distance.kernel](a, b)

    def total(self, values: F64, weights: F64 | None) -> float:
        """Return the exact (weighted) sum of the values, correctly rounded."""
        with np.errstate(over="ignore"):
            products = values if weights is None else values * weights
        if not np.isfinite(products).all():
            return math.inf
        terms = (values,) if weights is None else two_product(values, weights)
        try:
            return math.fsum(np.concatenate(terms).tolist())
        except OverflowError:
            return math.inf

    def inertia(self, rows: ReferenceRows, centers: Floats) -> float:
        """Return the exact weighted sum of the rows' distances to their own centres."""
        return self.total(self.distances(rows, centers, rows.labels), rows.weights)

    def each(self, rows: ReferenceRows, look: Callable[..., T], *what: Any) -> list[T]:
        """Return ``look(engine, rows, *what)``, once: the rows are in one part."""
        return [look(self, rows, *what)]

    def seeding(self, rows: ReferenceRows) -> ReferenceSeeding:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        return ReferenceSeeding(self, rows)

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the lowest number of the centres at the smallest distance."""
        X = plain(X)
        compare = DISTANCE[distance.kernel]
        labels = np.empty(len(X), dtype=np.int32)
        for i in range(0, len(X), BLOCK):
            labels[i : i + BLOCK] = compare(X[i : i + BLOCK, None], centers).argmin(axis=1)
        return labels

    def own(self, X: Any, centers: Floats, labels: I32, distance: Distance) -> F64:
        """Return the distance of each row to its own centre, of rows that were never placed."""
        return self.pairs(plain(X), centers[labels], distance)

    def all_pairs(self, X: Any, centers: Floats, distance: Distance) -> F64:
        """Return the distance of each row to each centre, (n, k)."""
        X = plain(X)
        compare = DISTANCE[distance.kernel]
        return np.stack([compare(X, center) for center in centers], axis=1)

    def lengths(self, X: Any, centers: Floats, distance: Distance, dtype: Any) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        return lengths_of(self.all_pairs(X, centers, distance), distance, dtype)


class ReferenceSeeding:
    """Distances to the nearest centre so far, and their shares in whole steps."""

    def __init__(self, engine: ReferenceEngine, rows: ReferenceRows) -> None:
        self.engine, self.rows = engine, rows
        self.bits = min(50, 62 - rows.n.bit_length())
        self.started = False
        self.away = np.full(rows.n, np.inf)
        self.weights = np.ones(rows.n) if rows.weights is None else rows.weights
        self.exponent = self._finest(self.weights)
        self.shares = self._count(self.weights)
        self.candidates: F64 = np.empty((0, rows.n))

    def draw(self, tickets: U64) -> I64:
        """Return a row number for each ticket; rows are drawn by their share."""
        below = np.cumsum(self.shares)
        targets = [int(ticket) * int(below[-1]) >> 64 for ticket in tickets]
        return np.minimum(np.searchsorted(below, targets, side="right"), self.rows.n - 1)

    def closest(self, numbers: I64) -> F64:
        """Return these rows' distances to the nearest centre, infinite before there is one."""
        return self.away[numbers]

    def meet(self, candidates: Floats) -> None:
        """Look at all rows once, to know which of them each candidate would win."""
        self.candidates = np.stack([self.engine.distances(self.rows, c[None]) for c in candidates])

    def worth(self, which: I64) -> I64:
        """Return how much each of these candidates would take off all shares together."""
        if not self.started:
            return np.zeros(len(which), dtype=np.int64)  # the first is as good as any
        after = np.minimum(self.candidates[which], self.away) * self.weights
        return np.array([(self.shares - self._count(values)).sum() for values in after])

    def adopt(self, which: int) -> None:
        """Make one of the candidates a centre."""
        self.away = np.minimum(self.away, self.candidates[which])
        weighted = self.away * self.weights
        if not self.started or self._count(weighted).sum() < 2 ** (self.bits - 10):
            self.exponent = self._finest(weighted)  # the steps have become too coarse
        self.started = True
        self.shares = self._count(weighted)

    def join(self, centers: Floats) -> None:
        """Make all of these rows centres at once; `meet` and what follows it are then over."""
        self.meet(centers)
        self.away = np.minimum(self.away, self.candidates.min(axis=0))
        self.started = True
        self.exponent = self._finest(self.away * self.weights)
        self.shares = self._count(self.away * self.weights)

    def _finest(self, values: F64) -> int:
        return max(int(np.frexp(values.max())[1]) - self.bits, -1000)

    def _count(self, values: F64) -> I64:
        return np.rint(values / math.ldexp(1.0, self.exponent)).astype(np.int64)


def sq_distance(a: Floats, b: Floats) -> F64:
    """Return the squared Euclidean distance by definition: float64, summed in eight lanes."""
    difference = a.astype(np.float64) - b.astype(np.float64)
    return lane_sum(difference * difference)


def l1_distance(a: Floats, b: Floats) -> F64:
    """Return the city-block distance by definition: float64, summed in eight lanes."""
    return lane_sum(np.abs(a.astype(np.float64) - b.astype(np.float64)))


DISTANCE = {"euclidean": sq_distance, "manhattan": l1_distance}


def _sums(rows: ReferenceRows, labels: I32, k: int) -> I64:
    """Exact weighted sums of (row, 1) per cluster, as words on the grid."""
    sums = np.zeros((k, 2, rows.d + 1), dtype=np.int64)
    np.add.at(sums, labels, words(rows.X, rows.weights, rows.grid))
    return sums


def words(X: Floats, weights: F64 | None, grid: Grid) -> I64:
    """Return what each row adds to the sum of its cluster, (n, 2, d + 1)."""
    extended = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    lost = np.zeros_like(extended)
    if weights is not None:
        extended, lost = two_product(extended, weights[:, None])
    high_step = np.ldexp(1.0, grid.exponents)
    low_step = np.ldexp(1.0, grid.exponents - grid.bits)
    high = np.rint(extended / high_step)
    low = np.rint((extended - high * high_step) / low_step) + np.rint(lost / low_step)
    return np.stack([high, low], axis=1).astype(np.int64)
