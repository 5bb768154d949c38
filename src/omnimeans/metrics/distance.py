"""Distances between two vectors, or between all rows of two matrices.

They are computed from the differences, in float64.  The short formula ``|a|² - 2ab + |b|²`` is
faster but loses every digit when the data lie far from the origin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import pairwise_distances

from omnimeans._types import F64


def euclidean_distance(a: ArrayLike, b: ArrayLike, squared: bool = False) -> float | F64:
    """Return the Euclidean distance of two vectors, or of every pair of rows of two matrices.

    Parameters
    ----------
    a : array-like of shape (d,) or (n, d)
        A vector, or one row per vector.
    b : array-like of shape (d,) or (m, d)
        Of the same kind as `a`.
    squared : bool, default=False
        Return the square of the distance, which is what k-means sums up.

    Returns
    -------
    float or ndarray of shape (n, m)
        A float for two vectors; for two matrices, entry ``[i, j]`` is the distance of ``a[i]`` to
        ``b[j]``.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a value is NaN or infinite.

    Examples
    --------
    >>> from omnimeans.metrics import euclidean_distance
    >>> euclidean_distance([0, 0], [3, 4])
    5.0
    >>> euclidean_distance([[0, 0], [3, 0]], [[3, 4]], squared=True)
    array([[25.],
           [16.]])
    """
    return _distance(a, b, "sqeuclidean" if squared else "euclidean")


def manhattan_distance(a: ArrayLike, b: ArrayLike) -> float | F64:
    """Return the sum of absolute differences of two vectors, or of every pair of rows.

    Parameters
    ----------
    a : array-like of shape (d,) or (n, d)
        A vector, or one row per vector.
    b : array-like of shape (d,) or (m, d)
        Of the same kind as `a`.

    Returns
    -------
    float or ndarray of shape (n, m)
        A float for two vectors; for two matrices, entry ``[i, j]`` is the distance of ``a[i]`` to
        ``b[j]``.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a value is NaN or infinite.

    Examples
    --------
    >>> from omnimeans.metrics import manhattan_distance
    >>> manhattan_distance([0, 0], [3, 4])
    7.0
    >>> manhattan_distance([[0, 0], [3, 0]], [[3, 4]])
    array([[7.],
           [4.]])
    """
    return _distance(a, b, "cityblock")


def _distance(a: ArrayLike, b: ArrayLike, metric: str) -> float | F64:
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.ndim != right.ndim or left.ndim not in (1, 2) or left.shape[-1] != right.shape[-1]:
        raise ValueError(
            f"a has shape {left.shape} and b has shape {right.shape}; give two vectors of equal "
            "length or two matrices with equal numbers of columns (a[None, :] makes a vector a row)"
        )
    pairs: F64 = pairwise_distances(
        np.atleast_2d(left),
        np.atleast_2d(right),
        metric="sqeuclidean" if metric == "euclidean" else metric,  # its own uses the short formula
    )
    if metric == "euclidean":
        pairs = np.sqrt(pairs)
    return float(pairs[0, 0]) if left.ndim == 1 else pairs
