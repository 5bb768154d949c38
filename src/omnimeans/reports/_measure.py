"""One look at all rows: what every cluster and every feature amounts to.

The rows come in blocks of one size, in order, and each block is summed in one fixed way, so the
figures do not depend on threads.  Features are summed as differences from a reference near their
cluster's mean, so that data far from zero lose no digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from omnimeans import _validate
from omnimeans._types import F64, I32, I64, Floats
from omnimeans.reports._given import Given, blocks

TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class Away:
    """Distances of the rows, and how the clusters lie to each other.

    Parameters
    ----------
    own : ndarray of shape (n,)
        What the objective sums for each row: its distance to its own centre, Euclidean ones
        squared.
    near, far : ndarray of shape (n,)
        The distances to its own centre, and to the nearest of the others (infinite if there is
        none).
    neighbors : ndarray of shape (k,)
        The centre nearest to each centre; -1 if there is none.
    apart : ndarray of shape (k,)
        How far away that is.
    gaps : ndarray of shape (k,)
        The same in standard deviations of the cluster's rows along the line between the centres;
        NaN where these are not defined.
    """

    own: F64
    near: F64
    far: F64
    neighbors: I64
    apart: F64
    gaps: F64


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted sums of the features by cluster.

    Parameters
    ----------
    weights : ndarray of shape (k,)
        Weight of each cluster.
    means, scatter : ndarray of shape (k, p)
        Mean of each feature, and sum of its squared differences from it, by cluster.
    least, most : ndarray of shape (p,)
        Smallest and largest value of each feature.
    """

    weights: F64
    means: F64
    scatter: F64
    least: F64
    most: F64

    @property
    def mean(self) -> F64:
        """Mean of each feature over all rows."""
        first = self.means[np.argmax(self.weights)]
        mean: F64 = first + self.weights @ (self.means - first) / self.weights.sum()
        return mean

    @property
    def between(self) -> F64:
        """Sum of squares of each feature between the clusters."""
        between: F64 = self.weights @ (self.means - self.mean) ** 2
        return between

    @property
    def total(self) -> F64:
        """Sum of squares of each feature over all rows."""
        total: F64 = self.scatter.sum(axis=0) + self.between
        return total

    @property
    def std(self) -> F64:
        """Standard deviation of each feature over all rows."""
        std: F64 = np.sqrt(self.total / self.weights.sum())
        return std


def away(given: Given) -> Away:
    """Measure all rows against all centres."""
    n, k = given.n, given.k
    own, far = np.empty(n), np.full(n, np.inf)
    neighbors, between = _neighbors(given)
    along = np.zeros((2, k))  # weighted sums of the steps from centre to neighbour, and squares
    weight = np.zeros(k)
    for part, rows in blocks(given.seen, k):
        pair = _validate.same_type(rows, given.centers)
        measured = given.engine.all_pairs(*pair, given.distance)
        label = given.labels[part]
        mine = label[:, None]
        own[part] = np.take_along_axis(measured, mine, axis=1)[:, 0]
        if k == 1:
            continue
        next_one = np.take_along_axis(measured, neighbors[mine], axis=1)[:, 0]
        steps = (own[part] - next_one + between[label]) / (2.0 * np.sqrt(between[label]) + TINY)
        counted = np.ones(len(label)) if given.weights is None else given.weights[part]
        weight += np.bincount(label, counted, k)
        along += [np.bincount(label, counted * steps**power, k) for power in (1, 2)]
        np.put_along_axis(measured, mine, np.inf, axis=1)
        far[part] = measured.min(axis=1)
    gaps = np.full(k, np.nan)
    if given.distance.kernel == "euclidean" and k > 1:
        mean, square = along / np.maximum(weight, TINY)
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
        np.divide(np.sqrt(between), deviation, out=gaps, where=deviation > 0.0)
    return Away(
        own, given.lengths(own), given.lengths(far), neighbors, given.lengths(between), gaps
    )


def _neighbors(given: Given) -> tuple[I64, F64]:
    """Return the nearest other centre of each, and how far it is as the engine measures it."""
    if given.k == 1:
        return np.array([-1]), np.array([np.nan])
    measured = given.engine.all_pairs(given.centers, given.centers, given.distance)
    np.fill_diagonal(measured, np.inf)
    return measured.argmin(axis=1), measured.min(axis=1)


def moments(rows: Floats, labels: I32, weights: F64 | None, k: int) -> Moments:
    """Return means and sums of squares of all features, cluster by cluster."""
    p = rows.shape[1]
    total, first, second = np.zeros(k), np.zeros((k, p)), np.zeros((k, p))
    least, most = np.full(p, np.inf), np.full(p, -np.inf)
    reference: F64 | None = None
    for part, block in blocks(rows, k):
        values, label = block.astype(np.float64), labels[part]
        share = np.ones(len(label)) if weights is None else weights[part]
        counted = values if weights is None else values[share > 0.0]
        if len(counted):
            np.minimum(least, counted.min(axis=0), out=least)
            np.maximum(most, counted.max(axis=0), out=most)
        members = _membership(label, share, k)
        if reference is None:
            reference = _near_means(values, members)
        values -= reference[label]
        total += members.sum(axis=1)
        first += members @ values
        np.square(values, out=values)
        second += members @ values
    assert reference is not None
    occupied = np.maximum(total, TINY)[:, None]
    shift = first / occupied
    scatter = np.maximum(second - first * shift, 0.0)
    return Moments(total, reference + shift, scatter, least, most)


def _membership(labels: I32, weights: F64, k: int) -> sparse.csr_array:
    """Return the (k, m) matrix that sums up rows by cluster."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=k)
    pointers = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_array((weights[order], order, pointers), shape=(k, len(labels)))


def _near_means(values: F64, members: sparse.csr_array) -> F64:
    """Return a value near each cluster's mean: that of its first rows, or of all of them."""
    weights = members.sum(axis=1)
    grand = values.mean(axis=0)
    means: F64 = members @ (values - grand)
    means[weights > 0.0] /= weights[weights > 0.0, None]
    means[weights == 0.0] = 0.0
    near: F64 = means + grand
    return near


def by_cluster(labels: I32, own: F64, weights: F64 | None, k: int) -> list[I64]:
    """Return each cluster's rows, the nearest to the centre first, then by number."""
    order = np.lexsort((own, labels))
    edges = np.searchsorted(labels[order], np.arange(k + 1))
    members = [order[a:b] for a, b in pairwise(edges)]
    if weights is None:
        return members
    return [rows[weights[rows] > 0.0] for rows in members]


def farthest(members: I64, own: F64, most: int) -> I64:
    """Return the rows farthest from their centre, the farthest first, then by number."""
    if not len(members):
        return members
    edge = own[members[-min(most, len(members))]]
    candidates = members[np.searchsorted(own[members], edge) :]
    return candidates[np.lexsort((candidates, -own[candidates]))][:most]


def simplified_silhouettes(away: Away) -> F64:
    """Return ``(b - a) / max(a, b)`` of each row; 0 where both are 0, or there is one cluster."""
    a, b = away.near, away.far
    larger = np.maximum(a, b)
    usable = np.isfinite(b) & (larger > 0.0)
    values = np.zeros(len(a))
    np.divide(b - a, larger, out=values, where=usable)
    return values
