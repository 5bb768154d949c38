"""The compiled engine on rows with missing values.

A row is compared with a centre by the values that it has, and pulls the centre only where it has
them.  The distance is summed over the features that are there and multiplied by d over their
number, so that rows with few values can be compared with complete ones, which have the distance
that they always have (J. K. Dixon, IEEE Transactions on Systems, Man, and Cybernetics 9, 1979).
Each coordinate of a centre is the weighted mean, or median, of the values that its rows have there.

The factor is one for all centres, so labels and centres go the way of k-POD, whose objective, the
sum without the factor, never rises (J. T. Chi, E. C. Chi and R. G. Baraniuk, "k-POD: a method for
k-means clustering of missing data", The American Statistician 70, 2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnimeans import _core
from omnimeans._rows import Holed, number_type
from omnimeans._sums import Grid
from omnimeans._types import F64, I64, Distance, Floats, Pass
from omnimeans.engines.cpu import CpuEngine, CpuRows
from omnimeans.engines.stores import open_store


@dataclass(slots=True)
class PartialRows(CpuRows):
    """Rows with holes; a cluster that has no value of a feature keeps the centre's."""

    centers: Floats | None = None  # of the last step


class PartialEngine(CpuEngine):
    """Makes the passes over rows with missing values; complete rows are the other engine's."""

    def place(self, X: Holed, weights: F64 | None, distance: Distance) -> CpuRows:
        """Look at all rows and return them ready for passes."""
        (n, d), store, dtype = X.shape, open_store(X), number_type(X)
        threads = self._threads(X.size)
        counted = n if weights is None else int(np.count_nonzero(weights))
        grid = Grid.fit(store.peaks(weights, threads), counted)
        labels = np.full(n, -1, dtype=np.int32)

        core = store.hold(weights, labels, "euclidean", grid.exponents, grid.bits)
        means, totals = _observed_means(core.total(threads), grid, X.fill[None])
        mean, weight = means[0].astype(dtype), float(totals[0])
        spread = self.total(core.distances(mean[None], None, threads), weights)
        X.fill = mean  # what a row that is drawn as a start takes on where it has no value
        store = open_store(X)
        core = store.hold(weights, labels, distance.kernel, grid.exponents, grid.bits)
        core.set_frame(mean, spread / weight if weight else 0.0)
        # The spread of the rows is not that of the means and what is left: the factors differ.
        found = mean, spread, weight, math.inf
        return PartialRows(X, store, weights, distance, labels, grid, core, n, d, *found)

    def step(self, rows: CpuRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        assert isinstance(rows, PartialRows)
        rows.centers = centers
        return super().step(rows, centers)

    def means(self, rows: CpuRows, sums: I64) -> tuple[F64, F64]:
        """Return the exact means (k, d) of the values there are, and the weights (k,)."""
        return _observed_means(sums, rows.grid, _last(rows))

    def medians(self, rows: CpuRows, k: int) -> F64:
        """Return the weighted medians (k, d) of the values there are."""
        medians = super().medians(rows, k)
        return np.where(np.isnan(medians), _last(rows), medians)


def _last(rows: CpuRows) -> Floats:
    assert isinstance(rows, PartialRows)
    return rows.mean[None] if rows.centers is None else rows.centers


def _observed_means(sums: I64, grid: Grid, otherwise: Floats) -> tuple[F64, F64]:
    """Divide each column's sums by the weights of the rows that have a value there."""
    k, _, columns = sums.shape
    d = columns // 2
    means = np.empty((k, d))
    for f in range(d):
        pair = np.array([f, d + f])
        two = np.ascontiguousarray(sums[:, :, pair])
        mean, weight = _core.means(two, grid.exponents[pair], grid.bits)
        means[:, f] = np.where(weight > 0.0, mean[:, 0], otherwise[:, f])
    all_of = np.ascontiguousarray(sums[:, :, [d, columns - 1]])
    return means, _core.means(all_of, grid.exponents[[d, columns - 1]], grid.bits)[1]
