"""A random order of the rows, whose beginnings are samples: each holds the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from omnimeans import _fit, _validate
from omnimeans._rows import Holed, floating, in_memory, pointing, some
from omnimeans._scaling import divided
from omnimeans._types import (
    F64,
    I32,
    I64,
    Distance,
    Engine,
    Fit,
    Floats,
    Iteration,
    Rows,
    StopReason,
)


class Sample:
    """The rows in a random order, of which the first so many can be placed.

    Rows that cannot pull a centre (of weight zero, or without a direction) come in only with all
    the others.
    """

    def __init__(
        self,
        engine: Engine,
        X: Any,
        weights: F64 | None,
        distance: Distance,
        rng: np.random.Generator,
    ) -> None:
        self.engine, self.X, self.weights, self.distance = engine, X, weights, distance
        self.exponent = 0
        pulling = None if weights is None else weights > 0.0
        if distance.kernel == "cosine":
            _validate.directions(X, weights)
            pulling = pointing(X) if pulling is None else pulling & pointing(X)
        elif in_memory(X):
            self.exponent = _validate.exponent(X)
        if isinstance(X, Holed):
            _validate.each_column_seen(X, weights)
            seen = True if pulling is None else pulling[:, None]
            X.fill = np.nanmean(X.values, axis=0, where=seen)  # for columns without one in a batch
        self._numbers: I64 | None = None if pulling is None else np.flatnonzero(pulling)
        self.n = X.shape[0] if self._numbers is None else len(self._numbers)
        self._rng, self._order = rng, np.empty(0, dtype=np.int64)
        self._placed: Rows | None = None
        self._size = 0

    def batch(self, size: int) -> Rows:
        """Return the first so many rows, placed; all of them are the rows as they were given."""
        if self._placed is None or self._size != size:
            self._placed = None  # the smaller one may go
            self._placed, self._size = self._place(size), size
        return self._placed

    def labelled(
        self, first: Floats, centers: Floats, history: Sequence[Iteration], stop: StopReason
    ) -> Fit:
        """Return the fit of all rows, with the centres that a nested fit came to."""
        if self._placed is None or self._size < self.n:
            found = self._seen_once(centers)
            if found is not None:
                return Fit(centers, *found, tuple(history), stop, first)
        rows = self.batch(self.n)
        return _fit.finish(self.engine, rows, self.distance, first, centers, history, stop)

    def _seen_once(self, centers: Floats) -> tuple[I32, float] | None:
        """Return labels and inertia of rows that no pass has seen: they need not be placed.

        Rows that are looked at in a form of their own are placed all the same.
        """
        X, engine, distance = self.X, self.engine, self.distance
        if self.exponent or distance.kernel == "cosine" or isinstance(X, Holed):
            return None
        labels = engine.nearest(X, centers, distance)
        away = engine.own(X, centers, labels, distance)
        return labels, engine.total(away, self.weights)

    def unlabelled(
        self,
        first: Floats,
        centers: Floats,
        history: Sequence[Iteration],
        stop: StopReason,
        mean: float,  # distance of the rows, in the last batch
    ) -> Fit:
        """Return the fit without labels, with the inertia of the last batch scaled to all rows."""
        weight = float(self.X.shape[0])
        if self.weights is not None:
            weight = self.engine.total(self.weights, None)
        none = np.empty(0, dtype=np.int32)
        return Fit(centers, none, mean * weight, tuple(history), stop, first)

    def counts(self, fit: Fit, earlier: F64 | None) -> F64:
        """Return the weights of the clusters; without labels, those of the last batch.

        Where its labels are not complete, they are those of the batch before.
        """
        k, labels, weights = len(fit.centers), fit.labels, self.weights
        if not len(labels) and self._placed is not None:
            labels, weights = self._placed.labels, self._placed.weights
        if earlier is not None and (not len(labels) or (labels < 0).any()):
            return earlier
        return np.bincount(labels, weights, minlength=k).astype(float)

    def _place(self, size: int) -> Rows:
        X, weights = self.X, self.weights
        if size < self.n:
            if not len(self._order):
                order = self._rng.permutation(self.n)
                self._order = order if self._numbers is None else self._numbers[order]
            numbers = np.sort(self._order[:size])
            X = some(X, numbers)
            weights = None if weights is None else weights[numbers]
        X = divided(floating(X), self.exponent) if self.exponent else X
        rows: Rows = self.engine.place(X, weights, self.distance)
        if self.exponent:
            rows.exponent = self.exponent
        return rows
