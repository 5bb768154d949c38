"""Agreement measured by rows: how the neighbours of a row, or its cluster as a whole, match.

Each cluster may be compared with the class that it fits best: the table per cluster says which that
is, and how much of the one is in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as sk_metrics

from omnimeans._types import I64
from omnimeans.metrics.agreement import contingency_matrix
from omnimeans.metrics.labels import two_labellings


class BCubed(NamedTuple):
    """Precision and recall of a row's neighbours, averaged over all rows, and their mean."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One cluster beside the class that most of its rows belong to.

    Parameters
    ----------
    cluster : object
        Label of the cluster.
    size : int
        Its rows.
    majority : object
        The commonest class among them, the first in sorted order if several are.
    purity : float
        Share of its rows that belong to that class: also the precision of calling the cluster so.
    precision : float
        The same as `purity`, by its name in classification.
    recall : float
        Share of that class's rows that are in this cluster.
    """

    cluster: Any
    size: int
    majority: Any
    purity: float
    precision: float
    recall: float


def fowlkes_mallows_index(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the geometric mean of precision and recall over pairs of rows.

    A pair counts as found if one cluster holds both rows, and as right if one class does.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    E. B. Fowlkes and C. L. Mallows, "A method for comparing two hierarchical clusterings", Journal
    of the American Statistical Association 78 (1983).

    Examples
    --------
    >>> from omnimeans.metrics import fowlkes_mallows_index
    >>> round(fowlkes_mallows_index(["a", "a", "b", "b"], [1, 1, 1, 0]), 4)
    0.4082
    """
    return float(sk_metrics.fowlkes_mallows_score(*two_labellings(y_trues, y_preds)))


def bcubed(y_trues: ArrayLike, y_preds: ArrayLike) -> BCubed:
    """Return B³ precision, recall and their harmonic mean.

    The precision of a row is the share of its cluster that is of its class, its recall the share of
    its class that is in its cluster; both are averaged over the rows.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    BCubed
        ``(precision, recall, f1)``, each above 0 and at most 1.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Bagga and B. Baldwin, "Entity-based cross-document coreferencing using the vector space
    model", COLING-ACL 1998.

    Examples
    --------
    >>> from omnimeans.metrics import bcubed
    >>> precision, recall, f1 = bcubed(["a", "a", "b", "b"], [1, 1, 1, 0])
    >>> round(precision, 4), recall, round(f1, 4)
    (0.6667, 0.75, 0.7059)
    """
    counts = contingency_matrix(y_trues, y_preds)
    n = float(counts.sum())
    squares = counts.astype(np.float64) ** 2
    precision = float((squares.sum(axis=0) / counts.sum(axis=0)).sum()) / n
    recall = float((squares.sum(axis=1) / counts.sum(axis=1)).sum()) / n
    return BCubed(precision, recall, 2.0 * precision * recall / (precision + recall))


def bcubed_f1(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the harmonic mean of B³ precision and recall.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        Above 0 and at most 1; `bcubed` gives the two parts.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Bagga and B. Baldwin, COLING-ACL 1998.

    Examples
    --------
    >>> from omnimeans.metrics import bcubed_f1
    >>> round(bcubed_f1(["a", "a", "b", "b"], [1, 1, 1, 0]), 4)
    0.7059
    """
    return bcubed(y_trues, y_preds).f1


def best_match_accuracy(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the accuracy after clusters are named by the classes, one to one, as well as can be.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        Above 0 and at most 1.  A cluster beyond the number of classes gets no name, and its rows
        count as wrong.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
    Quarterly 2 (1955).

    Examples
    --------
    >>> from omnimeans.metrics import best_match_accuracy
    >>> best_match_accuracy(["a", "a", "b", "b"], [1, 1, 1, 0])
    0.75
    """
    counts = contingency_matrix(y_trues, y_preds)
    classes, clusters = linear_sum_assignment(counts, maximize=True)
    return float(counts[classes, clusters].sum() / counts.sum())


def cluster_table(y_trues: ArrayLike, y_preds: ArrayLike) -> tuple[ClusterRow, ...]:
    """Describe each cluster by its size, its majority class, and how the two fit.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    tuple of ClusterRow
        ``cluster, size, majority, purity, precision, recall`` of each cluster, in sorted order.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    Examples
    --------
    >>> from omnimeans.metrics import cluster_table
    >>> for row in cluster_table(["a", "a", "b", "b"], [1, 1, 1, 0]):
    ...     print(row.cluster, row.size, row.majority, round(row.purity, 2), row.recall)
    0 1 b 1.0 0.5
    1 3 a 0.67 1.0
    """
    trues, preds = two_labellings(y_trues, y_preds)
    counts: I64 = contingency_matrix(trues, preds)
    classes, clusters = np.unique(trues).tolist(), np.unique(preds).tolist()
    sizes, totals = counts.sum(axis=0), counts.sum(axis=1)
    rows = []
    for j, cluster in enumerate(clusters):
        best = int(np.argmax(counts[:, j]))
        share = float(counts[best, j] / sizes[j])
        recall = float(counts[best, j] / totals[best])
        rows.append(ClusterRow(cluster, int(sizes[j]), classes[best], share, share, recall))
    return tuple(rows)
