"""What has changed between two models of the same data, or of the same stream at two times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from omnimeans._types import F64, I64, Floats
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine


@dataclass(frozen=True, slots=True)
class Drift:
    """How the clusters of one model became those of another.

    Parameters
    ----------
    pairs : ndarray of shape (m, 2)
        Clusters that were matched: number before, number after.
    moved : ndarray of shape (m,)
        Distance between the centres of each pair.
    gone, new : ndarray
        Clusters of either model that have no partner.
    relabelled : float or None
        Share of the rows whose cluster after is not the partner of their cluster before; None
        where no rows were given.
    """

    pairs: I64
    moved: F64
    gone: I64
    new: I64
    relabelled: float | None


def drift(before: Any, after: Any, X: Any = None) -> Drift:
    """Match the centres of two models one to one, and say how far they moved.

    Parameters
    ----------
    before, after : fitted model, or ndarray of shape (k, d)
        Two models of the same features, with any numbers of clusters.
    X : array-like of shape (n, d) or None, default=None
        Rows whose labels are compared.

    Returns
    -------
    Drift
        The matching that makes the sum of the squared moves smallest.

    Raises
    ------
    ValueError
        If the models have different features.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
    Quarterly 2 (1955).

    Examples
    --------
    >>> import numpy as np
    >>> import omnimeans as om
    >>> seen = om.drift(np.array([[0.0], [5.0]]), np.array([[5.5], [0.0]]), X=[[0.1], [5.0], [2.6]])
    >>> seen.pairs.tolist(), seen.moved.tolist(), round(seen.relabelled, 2)
    ([[0, 1], [1, 0]], [0.0, 0.5], 0.33)
    """
    old, new = _centers(before), _centers(after)
    if old.shape[1] != new.shape[1]:
        raise ValueError(
            f"The models have {old.shape[1]} and {new.shape[1]} features; centres can be matched "
            "among the same features only."
        )
    engine, euclidean = open_engine("cpu"), DISTANCES["euclidean"]
    away = engine.all_pairs(old, new, euclidean)
    rows, columns = linear_sum_assignment(away)
    partner = np.full(len(old), -1)
    partner[rows] = columns
    relabelled = None
    if X is not None:
        values = np.ascontiguousarray(X, dtype=np.float64)
        then = engine.nearest(values, old, euclidean)
        now = engine.nearest(values, new, euclidean)
        relabelled = float(np.mean(partner[then] != now))
    return Drift(
        np.stack([rows, columns], axis=1),
        np.sqrt(away[rows, columns]),
        np.setdiff1d(np.arange(len(old)), rows),
        np.setdiff1d(np.arange(len(new)), columns),
        relabelled,
    )


def _centers(model: Any) -> Floats:
    return np.ascontiguousarray(getattr(model, "cluster_centers_", model), dtype=np.float64)
