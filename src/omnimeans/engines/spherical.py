"""Any engine, made to compare directions: the cosine metric.

Rows and centres are scaled to unit length, and then half the squared Euclidean distance is one
minus the cosine: ``|x - c|² / 2 = 1 - x·c``.  So the engine that it stands in front of does the
passes, with its proofs and its exact sums.  I. S. Dhillon and D. S. Modha, "Concept decompositions
for large sparse text data using clustering", Machine Learning 42 (2001).

A row of zeros has no direction.  Its cosine with every centre counts as 0: it costs 1 wherever it
is, belongs to cluster 0 (the lowest at the same distance), and pulls no centre.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from omnimeans._rows import floating, is_plain, number_type
from omnimeans._types import F64, I32, I64, Distance, Engine, Floats, Pass, Rows, Seeding
from omnimeans.distances import DISTANCES, lengths_of

EUCLIDEAN = DISTANCES["euclidean"]
T = TypeVar("T")
Unit = Callable[[Floats, int], tuple[Floats, I64]]
SMALL = 1 << 18  # values; fewer are scaled before a second thread has woken up
PART = 1 << 20  # values that are scaled at a time, where they need not be kept
FINE = 2.0**-900  # for a row of weight one: halving so little, or parts of it, may lose a bit


@dataclass(frozen=True, slots=True)
class Covered:
    """Labels that lie elsewhere; rows without a direction are in cluster 0 when they come here."""

    labels: Any  # what the engine behind has
    blank: I64

    def __len__(self) -> int:
        return len(self.labels)

    def fill(self, value: int) -> None:
        """Begin anew."""
        self.labels.fill(value)

    def copy(self) -> I32:
        """Bring all labels here."""
        labels: I32 = self.labels.copy()
        if self.labels.known:
            labels[self.blank] = 0
        return labels

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> I32:
        return self.copy()


@dataclass(slots=True)
class SphericalRows:
    """Rows of unit length, placed in the engine behind; those without a direction weigh nothing."""

    inner: Rows
    blank: I64  # rows without a direction
    given: F64 | None  # the weights of all rows
    idle: float  # what the rows without a direction cost
    hidden: I32 = field(default_factory=lambda: np.empty(0, np.int32))  # their labels, inside

    @property
    def labels(self) -> Any:
        """The labels: those of the engine behind, where rows without a direction are set to 0."""
        labels = self.inner.labels
        if isinstance(labels, np.ndarray) or not self.blank.size:
            return labels
        return Covered(labels, self.blank)

    def halved(self, inertia: float) -> float:
        """Return the objective whose squared Euclidean part is `inertia`."""
        return 0.5 * inertia + self.idle

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class SphericalEngine:
    """Makes the passes of the cosine metric with another engine."""

    def __init__(self, inner: Engine, unit: Unit) -> None:
        self.inner, self._unit_rows = inner, unit
        self.name = inner.name
        self.n_threads = int(getattr(inner, "n_threads", 1))

    def place(self, X: Floats, weights: F64 | None, distance: Distance) -> Any:
        """Look at all rows once and return them ready for passes."""
        unit, blank = self.unit(X)
        if not blank.size:
            return SphericalRows(self.inner.place(unit, weights, EUCLIDEAN), blank, weights, 0.0)
        pulling = np.ones(X.shape[0]) if weights is None else weights.copy()
        idle = self.inner.total(pulling[blank], None)
        pulling[blank] = 0.0
        return SphericalRows(self.inner.place(unit, pulling, EUCLIDEAN), blank, weights, idle)

    def unit(self, X: Floats) -> tuple[Floats, I64]:
        """Return rows of unit length, and the numbers of those without a direction."""
        if isinstance(X, np.ndarray) and not is_plain(X, number_type(X)):
            unit, blank = np.empty(X.shape, number_type(X)), []
            for part, some, none in self._parts(X, unit.dtype):
                unit[part] = some
                blank.append(part.start + none)
            return unit, np.concatenate(blank)
        return self._unit_rows(X, self.n_threads if X.size > SMALL else 1)

    def _parts(self, X: Any, dtype: np.dtype[Any]) -> Iterator[tuple[slice, Floats, I64]]:
        """Hand out some rows at a time: which, of unit length and this type, and the blank ones."""
        n = X.shape[0]
        size = max(1, PART * n // max(1, X.size))  # of sparse rows, the size is what is stored
        for first in range(0, n, size):
            part = slice(first, min(n, first + size))
            yield part, *self.unit(floating(X[part], dtype))

    def step(self, rows: SphericalRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        blank, labels = rows.blank, rows.inner.labels
        if not blank.size:
            return self.inner.step(rows.inner, centers)
        if not isinstance(labels, np.ndarray):
            return self._step_elsewhere(rows, centers)
        first = labels[0] < 0
        if not first:
            labels[blank] = rows.hidden
        seen = self.inner.step(rows.inner, centers)
        moved = seen.moved if first else seen.moved - int((labels[blank] != rows.hidden).sum())
        rows.hidden = labels[blank]
        labels[blank] = 0
        return replace(seen, moved=moved)

    def _step_elsewhere(self, rows: SphericalRows, centers: Floats) -> Pass:
        """Make a step where labels are not at hand: all rows of zeros are in the same cluster."""
        elsewhere: Any = rows.inner.labels
        first = not elsewhere.known
        seen = self.inner.step(rows.inner, centers)
        before, zero = rows.hidden, np.zeros((1, rows.inner.d), dtype=rows.inner.dtype)
        rows.hidden = self.inner.nearest(zero, centers, EUCLIDEAN)
        if first or rows.hidden[0] == before[0]:
            return seen
        return replace(seen, moved=seen.moved - len(rows.blank))

    def means(self, rows: SphericalRows, sums: I64) -> tuple[F64, F64]:
        """Return the exact means (k, d), correctly rounded, and the weights (k,) of the sums."""
        return self.inner.means(rows.inner, sums)

    def medians(self, rows: SphericalRows, k: int) -> F64:
        """Return the coordinate-wise weighted medians (k, d) of the labelled rows."""
        return self.inner.medians(rows.inner, k)

    def relabel(self, rows: SphericalRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        return self.inner.relabel(rows.inner, numbers, cluster)

    def distances(self, rows: SphericalRows, centers: Floats, labels: I32 | None = None) -> F64:
        """Return the distance of each row to its own centre (to centre 0 without labels)."""
        away = self.inner.distances(rows.inner, centers, labels)
        away *= 0.5
        away[rows.blank] = 1.0
        return away

    def pairs(self, a: Floats, b: Floats, distance: Distance) -> F64:
        """Return the distance of each row of `a` to the same row of `b`."""
        if distance.kernel != "cosine":
            return self.inner.pairs(a, b, distance)
        a, blank = self.unit(a)
        away = 0.5 * self.inner.pairs(a, self.unit(b)[0], EUCLIDEAN)
        away[blank] = 1.0
        return away

    def total(self, values: F64, weights: F64 | None) -> float:
        """Return the exact (weighted) sum of the values, correctly rounded."""
        return self.inner.total(values, weights)

    def inertia(self, rows: SphericalRows, centers: Floats) -> float:
        """Return the exact weighted sum of the rows' distances to their own centres."""
        if not rows.blank.size:
            twice = self.inner.inertia(rows.inner, centers)
            if twice > FINE * max(1.0, rows.weight):
                return rows.halved(twice)
        # what is halved after it was summed up could be rounded twice
        away = self.distances(rows, centers, rows.inner.labels)
        return self.total(away, rows.given)

    def each(self, rows: SphericalRows, look: Callable[..., T], *what: Any) -> list[T]:
        """Return the look at each part of the rows: in the engine behind, where they are unit."""
        return self.inner.each(rows.inner, look, *what)

    def seeding(self, rows: SphericalRows) -> Seeding:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        return self.inner.seeding(rows.inner)

    def nearest(self, X: Floats, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed."""
        labels, centers = np.empty(X.shape[0], dtype=np.int32), self.unit(centers)[0]
        for part, some, blank in self._parts(X, centers.dtype):
            labels[part] = self.inner.nearest(some, centers, EUCLIDEAN)
            labels[part][blank] = 0
        return labels

    def own(self, X: Floats, centers: Floats, labels: I32, distance: Distance) -> F64:
        """Return the distance of each row to its own centre, of rows that were never placed."""
        away, centers = np.empty(X.shape[0]), self.unit(centers)[0]
        for part, some, blank in self._parts(X, centers.dtype):
            away[part] = 0.5 * self.inner.own(some, centers, labels[part], EUCLIDEAN)
            away[part][blank] = 1.0
        return away

    def all_pairs(self, X: Floats, centers: Floats, distance: Distance) -> F64:
        """Return the distance of each row to each centre, (n, k)."""
        if distance.kernel != "cosine":
            return self.inner.all_pairs(X, centers, distance)
        away, centers = np.empty((X.shape[0], len(centers))), self.unit(centers)[0]
        for part, some, blank in self._parts(X, centers.dtype):
            np.multiply(self.inner.all_pairs(some, centers, EUCLIDEAN), 0.5, out=away[part])
            away[part][blank] = 1.0
        return away

    def lengths(self, X: Any, centers: Floats, distance: Distance, dtype: Any) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        if distance.kernel != "cosine":
            return self.inner.lengths(X, centers, distance, dtype)
        return lengths_of(self.all_pairs(X, centers, distance), distance, dtype)
