"""The compiled engine with centres in groups: for so many that rows cannot look at them all.

Centres that follow each other form a group with a middle.  A row looks at the groups that may hold
its nearest centre, by the triangle inequality, and gets the very label that looking at all centres
would give.  Where that would spare little, as with many features, all are looked at.  With `probes`
a row looks at the groups of its nearest middles only, and may miss its nearest centre.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._rows import is_plain
from omnimeans._types import F64, I32, I64, Distance, Floats, Pass
from omnimeans.engines.cpu import CpuEngine, CpuRows

SAMPLE = 256  # rows that tell whether groups are worth it
WORTH = 0.08  # share of all distances that may be left: each look at a group costs something, too
SMALL_GROUPS = 3.0  # times the root of the number of centres
FEW = 1 << 27  # multiply-adds; looking at all centres is over before that is known


class GroupedEngine(CpuEngine):
    """Makes passes with centres in groups.

    Parameters
    ----------
    starts : ndarray of shape (groups + 1,), int64
        Where each group's centres begin.
    n_threads : int or None, default=None
        Threads to use.
    probes : int, default=0
        Groups that a row looks at; 0 is as many as it takes to be sure.
    most : int or None, default=None
        Passes after which rows look at as many groups as it takes; None is never.
    """

    def __init__(
        self,
        starts: I64,
        n_threads: int | None = None,
        probes: int = 0,
        most: int | None = None,
    ) -> None:
        super().__init__(n_threads)
        self.starts, self.probes, self.most = starts, probes, most
        self.passes = 0
        self.worth: bool | None = None  # not known yet
        self._sums: I64 | None = None  # of the last pass

    def step(self, rows: CpuRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        kernel = rows.distance.kernel
        if self.most is not None and self.passes >= self.most:
            self.probes = 0
        self.passes += 1
        if not self._pays(rows.X, centers, kernel):
            if self._sums is not None:  # the core knows nothing of these labels
                self._sums = None
                rows.labels.fill(-1)
            return super().step(rows, centers)
        labels, compared = self._look(rows.X, centers, kernel, self.probes)
        moved = int(np.count_nonzero(labels != rows.labels))
        np.copyto(rows.labels, labels)
        self._sums = self._added(rows.X, rows.weights, labels, rows, len(centers))
        return Pass(self._sums, moved, 0, compared, "groups")

    def course(self, *given: Any) -> None:
        """Leave the loop to :mod:`omnimeans._fit`: it is not short."""

    def relabel(self, rows: CpuRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        if self._sums is None:
            return super().relabel(rows, numbers, cluster)
        weights = None if rows.weights is None else rows.weights[numbers]
        before, places = np.unique(rows.labels[numbers], return_inverse=True)
        taken = self._added(rows.X[numbers], weights, places.astype(np.int32), rows, len(before))
        self._sums[before] -= taken
        self._sums[cluster] += taken.sum(axis=0)
        rows.labels[numbers] = cluster
        return Pass(self._sums, len(numbers))

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed."""
        if not self._pays(X, centers, distance.kernel):
            return super().nearest(X, centers, distance)
        return self._look(X, centers, distance.kernel, self.probes)[0]

    def _look(self, X: Floats, centers: Floats, kernel: str, probes: int) -> tuple[I32, int]:
        threads = self._threads(X.size * len(self.starts))
        if probes:
            middles = middles_of(centers, self.starts)
            groups = centers, self.starts, middles, kernel, probes, threads
            return _core.nearest_in_groups(X, *groups)
        names, starts = near_each_other(centers, self.n_threads)
        sorted_ = centers[names]
        groups = sorted_, starts, middles_of(sorted_, starts), kernel, 0, threads
        return _core.nearest_in_groups(X, *groups, names)

    def _pays(self, X: Any, centers: Floats, kernel: str) -> bool:
        """Tell whether rows had better go through the groups; settled once."""
        if not is_plain(X, centers.dtype):
            return False
        if self.probes:
            return True
        if self.worth is None:
            if X.size * len(centers) < FEW or len(X) < len(centers) ** 0.5:
                return False
            sample = np.ascontiguousarray(X[:: max(1, len(X) // SAMPLE)])
            compared = self._look(sample, centers, kernel, 0)[1]
            self.worth = compared < WORTH * len(sample) * len(centers)
        return self.worth

    def _added(self, X: Floats, weights: F64 | None, labels: I32, rows: CpuRows, k: int) -> I64:
        threads = self._threads(16 * X.size)
        return _core.label_sums(X, weights, labels, k, rows.grid.exponents, rows.grid.bits, threads)


def near_each_other(centers: Floats, n_threads: int) -> tuple[I32, I64]:
    """Return the centres' numbers, in small groups of near ones, and where each group begins.

    Small groups lie closer together than those of the tree, so that more of them are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from omnimeans.engines.grouped import near_each_other
    >>> names, starts = near_each_other(np.array([[0.0], [9.0], [1.0], [8.0]]), 1)
    >>> np.split(names, starts[1:-1])
    [array([0, 2], dtype=int32), array([1, 3], dtype=int32)]
    """
    many = max(1, round(SMALL_GROUPS * len(centers) ** 0.5))
    many = min(many, max(1, len(centers) // 2))
    middles = np.ascontiguousarray(centers[:: len(centers) // many][:many])
    for _ in range(2):
        labels = _core.nearest(centers, middles, "euclidean", n_threads)
        names = np.argsort(labels, kind="stable").astype(np.int32)
        starts = np.append(0, np.cumsum(np.bincount(labels, minlength=many)))
        middles = middles_of(centers[names], starts)
    return names, starts


def middles_of(centers: Floats, starts: I64) -> Floats:
    """Return the mean of each group's centres, zeros where it has none.

    Examples
    --------
    >>> import numpy as np
    >>> from omnimeans.engines.grouped import middles_of
    >>> middles_of(np.array([[0.0], [2.0], [7.0]]), np.array([0, 2, 2, 3])).tolist()
    [[1.0], [0.0], [7.0]]
    """
    middles = np.zeros((len(starts) - 1, centers.shape[1]), centers.dtype)
    for group, (begin, end) in enumerate(itertools.pairwise(starts.tolist())):
        if end > begin:
            middles[group] = centers[begin:end].mean(axis=0, dtype=np.float64)
    return middles
