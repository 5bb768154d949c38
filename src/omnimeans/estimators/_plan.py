"""How a bisecting fit makes a split: Lloyd's algorithm on some rows, with two centres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omnimeans import _fit
from omnimeans._control import Control
from omnimeans._rows import Holed
from omnimeans._scaling import held
from omnimeans._types import F64, Distance, Engine, Fit, Floats, Iteration, Rows, Start
from omnimeans.estimators._different import of_different_rows
from omnimeans.estimators._run import generator, start
from omnimeans.init import INITS, drawn_rows

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


@dataclass(slots=True)
class Latest:
    """Watches a split, to know its centres if it is broken off."""

    centers: Floats | None = None
    best: Fit | None = None

    def begin(self, restart: int, iteration: int) -> None:
        """Take note of a start."""

    def iterated(self, record: Iteration, centers: Floats) -> bool:
        """Keep the centres that an iteration has led to."""
        if self.best is None:
            self.centers = centers
        return False

    def ended(self, fit: Fit) -> bool:
        """Keep the centres of the best start."""
        if self.best is None or fit.inertia < self.best.inertia:
            self.best, self.centers = fit, fit.centers
        return False


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

    def fit(
        self, rows: Rows, k: int, variance: float, number: int, latest: Latest | None = None
    ) -> Fit:
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
            control=Control(latest),
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
        weights = rows.weights
        counted = None if weights is None else np.flatnonzero(weights > 0.0)
        n = rows.n if counted is None else len(counted)
        if n >= 2 * REFINED_ON and isinstance(self.init, str) and not holed:
            numbers = np.sort(rng.integers(n, size=REFINED_ON))
            numbers = numbers if counted is None else counted[numbers]
            few = Few(rows.take(numbers), None if weights is None else weights[numbers])
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
        if self.init == "random":  # which looks at nothing but weights
            centers = drawn_rows(few, 2, rng)
            if len(centers) == 2:
                return centers
        placed = self.place(few.values, few.weights)
        centers = draw(self.engine, placed, 2, rng)
        if (centers[0] != centers[1]).any():
            return centers
        return of_different_rows(draw, self.distance)(self.engine, placed, 2, rng)

    def _start(self, rows: Rows, k: int) -> Start:
        return start(self.init, self.engine, rows, self.distance, k)
