"""Checks on labels and on the rows that they belong to, shared by the scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans import _scaling, _validate
from omnimeans._types import F64, I32, Floats
from omnimeans.engines.cpu import available_threads

SMALL = 1 << 16  # pairs; fewer are compared before a second thread has woken up


def two_labellings(y_trues: ArrayLike, y_preds: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both labellings of the same rows as arrays, after every check on them."""
    trues, preds = one_labelling(y_trues, "y_trues"), one_labelling(y_preds, "y_preds")
    if len(trues) != len(preds):
        raise ValueError(
            f"y_trues has {len(trues)} labels and y_preds has {len(preds)}; "
            "give one label each for the same rows"
        )
    return trues, preds


def one_labelling(labels: ArrayLike, name: str) -> NDArray[Any]:
    """Return the labels as an array, one for each row and none missing."""
    y = np.asarray(labels)
    if y.ndim != 1 or not y.size:
        raise ValueError(f"{name} has shape {y.shape}; give one label per row, shape (n,)")
    if y.dtype.kind in "iub":
        return y
    missing = np.flatnonzero([v is None or v != v for v in y])  # NaN is not equal to itself
    if missing.size:
        raise ValueError(
            f"{name} has no label in row {missing[0]}; leave such rows out of both labellings"
        )
    return y


def labelled_rows(
    X: Any, labels: ArrayLike, sample_weight: Any = None
) -> tuple[Floats, I32, int, F64 | None]:
    """Return rows, their labels counted from 0, the number of clusters, and the weights.

    Clusters are numbered in the sorted order of their labels.  A row of weight 0 is no row: it is
    left out, and so is a cluster that has no other rows.
    """
    rows = _validate.rows(X)
    given = one_labelling(labels, "labels")
    if len(given) != len(rows):
        raise ValueError(
            f"labels has {len(given)} labels, but X has {len(rows)} rows; give one for each row"
        )
    weights = _validate.weights(sample_weight, rows)
    if weights is not None and not weights.all():
        counted = weights > 0.0
        rows, given, weights = rows[counted], given[counted], weights[counted]
    names, numbers = np.unique(given, return_inverse=True)
    k = len(names)
    if not 1 < k < len(rows):
        raise ValueError(
            f"Number of labels is {k}. Valid values are 2 to n_samples - 1 (inclusive): "
            f"there are {len(rows)} rows, and a score of separation compares clusters with each "
            "other."
        )
    return rows, numbers.astype(np.int32), k, weights


def in_range(rows: Floats) -> Floats:
    """Return rows whose squares neither overflow nor vanish: these, or these by a power of two.

    Scores of separation compare distances with distances, so that no scale can be seen in them.
    """
    divided: Floats = _scaling.divided(rows, _validate.exponent(rows))
    return divided


def distance_kernel(metric: str, allowed: tuple[str, ...]) -> str:
    """Return the kernel of the core that a metric uses, or say which metrics there are."""
    if metric not in allowed:
        raise ValueError(f"metric={metric!r} is not offered here; use one of {', '.join(allowed)}")
    return "manhattan" if metric == "manhattan" else "euclidean"


def threads_for(pairs: int, n_threads: int | None) -> int:
    """Return how many threads to use for so many pairs of rows."""
    return (n_threads or available_threads()) if pairs > SMALL else 1
