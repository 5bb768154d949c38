"""What the gap statistic and the stability fit again and again, for any metric.

Squared Euclidean distances have a quicker way, :mod:`omnimeans.selection.quick`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from omnimeans._types import F64, I32, Floats, Rows
from omnimeans.selection.fitter import Fitter
from omnimeans.selection.gap import Box
from omnimeans.selection.quick import Quick
from omnimeans.selection.stability import adjusted_rand


class Trials(Protocol):
    """Fits of a sample, of rows without clusters, and of halves of the sample."""

    def inertias(self, rng: np.random.Generator) -> F64:
        """Return the inertia of the sample for each k."""
        ...

    def references(self, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, the inertias for each k of rows without clusters."""
        ...

    def agreements(self, labels: I32, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, how the fits of a half agree with the labels for each k."""
        ...


@dataclass(frozen=True, slots=True)
class Slow:
    """All of it by the engine, one fit after the other."""

    fitter: Fitter
    rows: Rows
    values: Floats  # (m, d) of these rows

    def inertias(self, rng: np.random.Generator) -> F64:
        """Return the inertia of the sample for each k."""
        return self._inertias(self.rows, rng)

    def references(self, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, the inertias for each k of rows without clusters."""
        box = Box(self.values)
        for rng in rngs:
            yield self._inertias(self.fitter.place(box.draw(rng), self.rows.weights), rng)

    def agreements(self, labels: I32, rngs: Sequence[np.random.Generator]) -> Iterator[F64]:
        """Yield, for each generator, how the fits of a half agree with the labels for each k."""
        engine, distance = self.fitter.engine, self.fitter.distance
        for rng in rngs:
            half = self.fitter.half(self.values, self.rows.weights, rng)
            yield np.array(
                [
                    adjusted_rand(own, engine.nearest(self.values, centers, distance), len(centers))
                    for own, centers in zip(labels, half, strict=False)  # few rows, few centres
                ]
            )

    def _inertias(self, rows: Rows, rng: np.random.Generator) -> F64:
        return np.array([timed.fit.inertia for timed in self.fitter.fits(rows, rng)])


def trials(fitter: Fitter, rows: Rows, values: Floats, n_threads: int | None) -> Trials:
    """Return who makes the trials of a sample: by its metric, whatever the engine."""
    if fitter.distance.name == "euclidean":
        return Quick.of(values, rows.weights, fitter.ks, n_threads)
    return Slow(fitter, rows, values)
