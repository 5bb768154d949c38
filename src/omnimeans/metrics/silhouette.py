"""The silhouette, which asks whether a row is nearer to its own cluster than to the next one.

For a row, let `a` be its mean distance to the other rows of its cluster and `b` the smallest mean
distance to the rows of another one; its silhouette is ``(b - a) / max(a, b)``, between -1 and 1,
and 0 for a row that is alone.  Every row is compared with every other one, on the compiled core, in
blocks: memory beyond the rows is a sum for each row and cluster where that is little, else O(k) for
each thread, never n by n.

P. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
analysis", Journal of Computational and Applied Mathematics 20 (1987).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans import _core, _scaling, _validate
from omnimeans._types import F64, I32, Floats
from omnimeans.directions import unit_rows
from omnimeans.metrics.labels import distance_kernel, in_range, labelled_rows, threads_for

METRICS = ("euclidean", "sqeuclidean", "manhattan", "cosine")


def silhouette_samples(
    X: Any,
    labels: ArrayLike,
    *,
    metric: str = "euclidean",
    sample_weight: Any = None,
    n_threads: int | None = None,
) -> F64:
    """Return the silhouette of each row, exactly.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    metric : {"euclidean", "sqeuclidean", "manhattan", "cosine"}, default="euclidean"
        Distance between rows.
    sample_weight : array-like of shape (n,) or None, default=None
        Weights count copies of their rows, so each must be 0 or at least 1.  A row of weight 0
        takes no part, and its silhouette is 0.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.  The result is the same for any number.

    Returns
    -------
    ndarray of shape (n,)
        From -1 to 1; 0 for a row that is alone in its cluster.

    Raises
    ------
    ValueError
        If the rows, labels or weights cannot be used, or there are fewer than 2 clusters or as many
        as rows.

    References
    ----------
    P. Rousseeuw, Journal of Computational and Applied Mathematics 20 (1987).

    Examples
    --------
    >>> from omnimeans.metrics import silhouette_samples
    >>> silhouette_samples([[0.0], [2.0], [9.0]], [0, 0, 1]).round(3)
    array([0.778, 0.714, 0.   ])
    """
    rows, numbers, k, weights = labelled_rows(X, labels, sample_weight)
    found: F64 = silhouettes(rows, numbers[None], k, weights, metric, n_threads)[0]
    if weights is None:
        return found
    given = np.broadcast_to(sample_weight, np.shape(labels))
    values = np.zeros(len(given))
    values[given > 0.0] = found
    return values


def silhouette_score(
    X: Any,
    labels: ArrayLike,
    *,
    metric: str = "euclidean",
    sample_size: int | None = None,
    random_state: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
) -> float:
    """Return the mean silhouette of all rows, or of a sample of them.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    metric : {"euclidean", "sqeuclidean", "manhattan", "cosine"}, default="euclidean"
        Distance between rows.
    sample_size : int or None, default=None
        Rows to draw, without replacement, and to compare with each other.  None takes all rows;
        the time grows with the square of their number.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the sample.
    sample_weight : array-like of shape (n,) or None, default=None
        Weights count copies of their rows, so each must be 0 or at least 1.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.

    Returns
    -------
    float
        From -1 to 1; above 0.5 clusters stand well apart, near 0 they run into each other.

    Raises
    ------
    ValueError
        As `silhouette_samples`; also if the sample is larger than the data.

    References
    ----------
    P. Rousseeuw, Journal of Computational and Applied Mathematics 20 (1987).

    Examples
    --------
    >>> from omnimeans.metrics import silhouette_score
    >>> round(silhouette_score([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1]), 4)
    0.8745
    """
    rows, numbers, _, weights = labelled_rows(X, labels, sample_weight)
    if sample_size is not None:
        chosen = drawn(len(rows), sample_size, random_state)
        weights = None if weights is None else weights[chosen]
        rows, numbers, _, weights = labelled_rows(rows[chosen], numbers[chosen], weights)
    k = int(numbers.max()) + 1
    values = silhouettes(rows, numbers[None], k, weights, metric, n_threads)[0]
    return mean(values, weights)


def simplified_silhouette(
    X: Any,
    labels: ArrayLike,
    centers: Any = None,
    *,
    metric: str = "euclidean",
    sample_weight: Any = None,
    n_threads: int | None = None,
) -> float:
    """Return the mean silhouette with centres in place of clusters, in O(n k d).

    `a` is the distance of a row to the centre of its cluster, `b` that to the nearest other centre.
    It can be computed for all rows where the exact one cannot, and is the higher of the two as a
    rule.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    centers : array-like of shape (k, d) or None, default=None
        The clusters' centres, in the sorted order of their labels; None takes the weighted means
        (medians for "manhattan" are not computed: give them).
    metric : {"euclidean", "manhattan"}, default="euclidean"
        Distance between a row and a centre.
    sample_weight : array-like of shape (n,) or None, default=None
        Weight of each row.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.

    Returns
    -------
    float
        From -1 to 1.

    Raises
    ------
    ValueError
        If the rows, labels, centres or weights cannot be used.

    References
    ----------
    E. R. Hruschka, R. J. G. B. Campello and L. N. de Castro, "Evolving clusters in gene-expression
    data", Information Sciences 176 (2006).

    Examples
    --------
    >>> from omnimeans.metrics import simplified_silhouette
    >>> round(simplified_silhouette([[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1]), 4)
    0.9373
    """
    rows, numbers, k, weights = labelled_rows(X, labels, sample_weight)
    kernel = distance_kernel(metric, ("euclidean", "manhattan"))
    if centers is None:
        if metric != "euclidean":
            raise ValueError(
                f"metric={metric!r} needs the clusters' centres; pass a model's cluster_centers_"
            )
        from omnimeans.metrics.separation import cluster_means

        rows = in_range(rows)
        centers = cluster_means(rows, numbers, k, weights)[0]
    centers = _validate.fitted_centers(centers, rows.shape[1])
    if len(centers) != k:
        raise ValueError(
            f"there are {len(centers)} centres but {k} clusters among the labels; give one centre "
            "for each label that occurs"
        )
    exponent = _validate.exponent_between(rows, centers)  # no scale can be seen in shares
    rows, centers = _scaling.divided(rows, exponent), _scaling.divided(centers, exponent)
    own, other = own_and_other(rows, centers, numbers, kernel, n_threads)
    return mean(compared(own, other), weights)


def mean(values: F64, weights: F64 | None) -> float:
    """Return the weighted mean; the sum is exact, so that no order can be seen in it."""
    count = float(len(values)) if weights is None else _core.total(weights, None)
    above, below = np.maximum(values, 0.0), np.maximum(-values, 0.0)  # exact sums have no sign
    return (_core.total(above, weights) - _core.total(below, weights)) / count


def compared(own: F64, other: F64) -> F64:
    """Return how much nearer a row is to its own cluster than to the other, as a share."""
    larger = np.maximum(own, other)
    values: F64 = np.divide(other - own, larger, out=np.zeros_like(own), where=larger > 0.0)
    return values


def own_and_other(
    rows: Floats, centers: Floats, labels: I32, kernel: str, n_threads: int | None = None
) -> tuple[F64, F64]:
    """Return each row's distance to its own centre and to the nearest other one."""
    dtype = np.result_type(rows, centers)
    rows, centers = np.ascontiguousarray(rows, dtype), np.ascontiguousarray(centers, dtype)
    threads = threads_for(rows.size * len(centers), n_threads)
    own, other = _core.own_and_other(rows, centers, labels, kernel, threads)
    if kernel == "euclidean":
        np.sqrt(own, out=own)
        np.sqrt(other, out=other)
    return own, other


def silhouettes(
    rows: Floats,  # (n, d)
    labels: I32,  # (m, n) labellings, each below k
    k: int,
    weights: F64 | None,
    metric: str,
    n_threads: int | None = None,
) -> F64:
    """Return the silhouette of each row in each labelling, (m, n); distances are shared."""
    kernel = distance_kernel(metric, METRICS)
    if metric == "cosine":
        rows, blank = unit_rows(np.asarray(rows, dtype=np.float64))
        if len(blank):
            raise ValueError(
                f"row {blank[0]} of X is zero and has no direction; leave it out, or use another "
                "metric than 'cosine'"
            )
    else:
        rows = in_range(rows)
    values = np.ascontiguousarray(rows, dtype=np.float64)
    if weights is not None and ((weights > 0.0) & (weights < 1.0)).any():
        row = int(np.argmax((weights > 0.0) & (weights < 1.0)))
        raise ValueError(
            f"sample_weight is {weights[row]} in row {row}; in a silhouette a weight counts copies "
            "of its row and must be 0 or at least 1. Divide the weights by the smallest one."
        )
    threads = threads_for(len(rows) ** 2, n_threads)
    root = metric == "euclidean"
    return _core.silhouettes(
        values, np.ascontiguousarray(labels, np.int32), k, weights, kernel, root, threads
    )


def drawn(n: int, size: int, random_state: Any) -> Any:
    """Return the sorted numbers of rows drawn without replacement."""
    if not 1 < size <= n:
        raise ValueError(f"sample_size={size}, but X has {n} rows; draw from 2 up to {n}")
    rng = np.random.default_rng(_validate.seed(random_state))
    return np.sort(rng.choice(n, size=int(size), replace=False))
