"""Means that go on: centres that are updated with one batch of rows after another.

D. Sculley, "Web-scale k-means clustering", WWW 2010: a centre is the weighted mean of all rows that
were ever nearest to it.  It is kept in float64 and moved by what the new rows' exact mean differs
from it, so it does not drift, however small the clusters are beside their distance from zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from omnimeans._fit import repair
from omnimeans._nested import counted, renewed
from omnimeans._scaling import scaled
from omnimeans._types import F64, Distance, Engine, Floats, Rows
from omnimeans.directions import unit_rows

WAIT = 10  # light centres are looked for each time so many rows per centre have come


@dataclass(slots=True)
class Running:
    """Centres and what they stand for.

    Parameters
    ----------
    means : ndarray of shape (k, d)
        The centres, in float64; for cosine, the means of the unit rows.
    weights : ndarray of shape (k,)
        Weight of the rows that each centre has seen.
    waiting : int
        Rows since light centres were looked for.
    """

    means: F64
    weights: F64
    waiting: int = 0

    def scale(self, exponent: int) -> None:
        """Multiply the means by a power of two."""
        if exponent:
            self.means = scaled(self.means, exponent).astype(np.float64, copy=False)

    def centers(self, before: Floats, distance: Distance) -> Floats:
        """Return the centres that the metric asks for, in the type of those before."""
        if distance.center != "direction":
            return self.means.astype(before.dtype)
        units, cancelled = unit_rows(self.means)
        units[cancelled] = before[cancelled]
        return units.astype(before.dtype)


def resumed(kept: Running | None, counts: F64, centers: Floats, distance: Distance) -> Running:
    """Return the means that these centres stand for; the user may have replaced the centres."""
    if kept is not None and np.array_equal(kept.centers(centers, distance), centers):
        return replace(kept, means=kept.means.copy())
    return Running(centers.astype(np.float64), counts)


def meet(
    engine: Engine,
    rows: Rows,
    centers: Floats,
    running: Running,
    *,
    distance: Distance,
    light: float,
    rng: np.random.Generator,
) -> tuple[Floats, int]:
    """Update the centres with a batch; return them, and how many were drawn anew.

    A centre that has never had a row gets the batch's farthest one.  A median cannot be updated
    exactly without the rows: each coordinate takes a step towards the batch's median, by the share
    of the batch's weight.
    """
    k = len(centers)
    if not rows.weight:  # they have no direction
        return centers, 0
    seen = engine.step(rows, centers)
    _, weights = engine.means(rows, seen.sums)
    unseen = np.flatnonzero(running.weights + weights == 0.0)
    if len(unseen):
        seen, _ = repair(engine, rows, centers, seen, unseen)
    means, weights = engine.means(rows, seen.sums)
    if distance.center == "median":
        means = engine.medians(rows, k)
    running.weights = running.weights + weights
    here = weights > 0.0
    share = (weights[here] / running.weights[here])[:, None]
    running.means[here] += share * (means[here] - running.means[here])
    centers = running.centers(centers, distance)

    running.waiting += counted(rows.n, rows.weights)
    if running.waiting < WAIT * k:
        return centers, 0
    running.waiting = 0
    before = centers
    centers, count = renewed(engine, rows, centers, running.weights, light, rng)
    if count:
        fresh = (centers != before).any(axis=1)
        running.means[fresh] = centers[fresh]
        running.weights[fresh] = running.weights[~fresh].min() if not fresh.all() else 0.0
    return centers, count
