"""How well clusters are separated, by their means and by their closest rows.

All sums run over rows centred on their mean, in float64 and in the order of the rows: data far from
zero loses no digits, and the result does not depend on threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans import _core
from omnimeans._types import F64, I32, Floats
from omnimeans.metrics.labels import distance_kernel, in_range, labelled_rows, threads_for
from omnimeans.metrics.silhouette import own_and_other


def calinski_harabasz_score(X: Any, labels: ArrayLike, *, sample_weight: Any = None) -> float:
    """Return the ratio of the spread between clusters to the spread within them.

    Both are divided by their degrees of freedom, k - 1 and n - k.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    sample_weight : array-like of shape (n,) or None, default=None
        Weights count copies of their rows: n is their sum.

    Returns
    -------
    float
        Zero or more, and 1 if no row differs from its cluster's mean.  Higher is better.

    Raises
    ------
    ValueError
        If the rows, labels or weights cannot be used.

    References
    ----------
    T. Caliński and J. Harabasz, "A dendrite method for cluster analysis", Communications in
    Statistics 3 (1974).

    Examples
    --------
    >>> from omnimeans.metrics import calinski_harabasz_score
    >>> calinski_harabasz_score([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1])
    128.0
    """
    rows, numbers, k, weights = labelled_rows(X, labels, sample_weight)
    rows = in_range(rows)
    means, sizes = cluster_means(rows, numbers, k, weights)
    within = _spread(rows, means, numbers, weights)
    grand = np.average(means, axis=0, weights=sizes)
    between = _core.total(((means - grand) ** 2).sum(axis=1), sizes)
    return variance_ratio(between, within, float(sizes.sum()), k)


def variance_ratio(between: float, within: float, n: float, k: int) -> float:
    """Return the Calinski-Harabasz score from the two spreads; 1 if there is none within."""
    return 1.0 if within == 0.0 else (between / (k - 1)) / (within / (n - k))


def davies_bouldin_score(X: Any, labels: ArrayLike, *, sample_weight: Any = None) -> float:
    """Return how much each cluster resembles the one most like it, on average.

    Two clusters are alike to the degree ``(s1 + s2) / m``, where `s` is the mean distance of a
    cluster's rows to its mean and `m` the distance between the two means.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    sample_weight : array-like of shape (n,) or None, default=None
        Weight of each row.

    Returns
    -------
    float
        Zero or more.  Lower is better.

    Raises
    ------
    ValueError
        If the rows, labels or weights cannot be used.

    References
    ----------
    D. L. Davies and D. W. Bouldin, "A cluster separation measure", IEEE Transactions on Pattern
    Analysis and Machine Intelligence 1 (1979).

    Examples
    --------
    >>> from omnimeans.metrics import davies_bouldin_score
    >>> davies_bouldin_score([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1])
    0.125
    """
    rows, numbers, k, weights = labelled_rows(X, labels, sample_weight)
    rows = in_range(rows)
    means, sizes = cluster_means(rows, numbers, k, weights)
    own, _ = own_and_other(rows.astype(np.float64), means, numbers, "euclidean")
    return mean_likeness(own, means, numbers, sizes, weights)


def mean_likeness(own: F64, means: F64, labels: I32, sizes: F64, weights: F64 | None) -> float:
    """Return the Davies-Bouldin score from the distances of the rows to their centres."""
    there = sizes > 0.0  # a model may have more centres than there are distinct rows
    shares = own if weights is None else own * weights
    scatter = np.bincount(labels, weights=shares, minlength=len(means))[there] / sizes[there]
    gaps = _distances_between(means[there])
    alike = scatter[:, None] + scatter[None, :]
    np.fill_diagonal(alike, 0.0)
    if not gaps.any() or not scatter.any():
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(alike / gaps, nan=0.0, posinf=0.0)  # two means at one place
    return float(alike.max(axis=1).mean())


def dunn_index(
    X: Any,
    labels: ArrayLike,
    *,
    metric: str = "euclidean",
    sample_weight: Any = None,
    n_threads: int | None = None,
) -> float:
    """Return the smallest distance between clusters over the largest diameter of one.

    Clusters are as far apart as their closest rows, and as wide as their farthest ones: a single
    outlier decides.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    metric : {"euclidean", "manhattan"}, default="euclidean"
        Distance between rows.
    sample_weight : array-like of shape (n,) or None, default=None
        Rows of weight 0 are left out; otherwise weights make no difference.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.

    Returns
    -------
    float
        Zero or more, infinite where no cluster has two different rows.  Higher is better.

    Raises
    ------
    ValueError
        If the rows, labels or weights cannot be used.

    References
    ----------
    J. C. Dunn, "Well-separated clusters and optimal fuzzy partitions", Journal of Cybernetics 4
    (1974).

    Examples
    --------
    >>> from omnimeans.metrics import dunn_index
    >>> dunn_index([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1])
    7.0
    """
    rows, numbers, _, _ = labelled_rows(X, labels, sample_weight)
    kernel = distance_kernel(metric, ("euclidean", "manhattan"))
    values = np.ascontiguousarray(in_range(rows), dtype=np.float64)
    closest, farthest = _core.extremes(
        values, numbers, kernel, threads_for(len(rows) ** 2, n_threads)
    )
    apart, wide = float(closest.min()), float(farthest.max())
    if wide == 0.0:
        return np.inf
    return float(np.sqrt(apart / wide)) if metric == "euclidean" else apart / wide


def cluster_means(rows: Floats, labels: I32, k: int, weights: F64 | None) -> tuple[F64, F64]:
    """Return the weighted mean (k, d) and the weight (k,) of each cluster, in float64."""
    sizes = np.bincount(labels, weights=weights, minlength=k).astype(np.float64)
    shift = rows.mean(axis=0, dtype=np.float64)
    means = np.empty((k, rows.shape[1]))
    for f in range(rows.shape[1]):
        column = rows[:, f] - shift[f]
        shares = column if weights is None else column * weights
        sums = np.bincount(labels, weights=shares, minlength=k)
        means[:, f] = sums / sizes + shift[f]
    return means, sizes


def _spread(rows: Floats, means: F64, labels: I32, weights: F64 | None) -> float:
    own, _ = own_and_other(rows.astype(np.float64), means, labels, "euclidean")
    return _core.total(own**2, weights)


def _distances_between(means: F64) -> F64:
    gaps: F64 = np.sqrt(_core.all_pairs(means, np.ascontiguousarray(means), "euclidean", 1))
    return gaps
