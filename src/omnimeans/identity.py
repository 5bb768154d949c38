"""Clusters that keep their numbers from one fit to the next.

Cluster numbers mean nothing by themselves: a refit may find the same clusters in another order.
Matching gives each new cluster the number of the old one that it is most like, one to one, so that
the whole is as much alike as it can be (H. W. Kuhn, "The Hungarian method for the assignment
problem", Naval Research Logistics Quarterly 2, 1955).
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from omnimeans._types import F64, I64

SCIPY = {"euclidean": "sqeuclidean", "manhattan": "cityblock", "cosine": "cosine"}


def match_labels(old: Any, new: Any) -> Any:
    """Renumber new clusters like the old ones that they match.

    Parameters
    ----------
    old, new : array-like of int of shape (n,), or fitted models
        Labels of the same rows from an earlier and a later fit, or the two models.  Labels are
        matched by the rows they share, models by the distances of their centres.

    Returns
    -------
    ndarray of shape (n,), int32, or model
        The new labels, renumbered; or a copy of the new model whose centres and labels are
        renumbered.  Clusters without a match get the numbers after the old ones (for labels), or
        the places that are left (for models).

    Raises
    ------
    ValueError
        If the labels are not of the same rows, or the models not of the same features and metric.
    TypeError
        If one is a model and the other is not.

    Examples
    --------
    >>> import omnimeans as om
    >>> om.match_labels([0, 0, 1, 1, 2], [2, 2, 0, 0, 1])
    array([0, 0, 1, 1, 2], dtype=int32)
    >>> old = om.KMeans(2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
    >>> new = om.KMeans(2, init=[[9.0], [0.0]]).fit([[0.0], [2.0], [9.0]])
    >>> om.match_labels(old, new).cluster_centers_.ravel().tolist()
    [1.0, 9.0]
    """
    fitted = [hasattr(one, "cluster_centers_") for one in (old, new)]
    if all(fitted):
        return _matched_model(old, new)
    if any(fitted):
        raise TypeError(
            "match_labels takes the labels of two fits, or two fitted models, and got one of each. "
            "Pass model.labels_ with labels."
        )
    return _matched_labels(np.asarray(old), np.asarray(new))


def _matched_labels(old: Any, new: Any) -> Any:
    for name, labels in (("old", old), ("new", new)):
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or (labels.size and labels.min() < 0):
            raise ValueError(
                f"{name} has shape {labels.shape} and type {labels.dtype}; labels are a vector of "
                "whole numbers from 0 up."
            )
    if len(old) != len(new):
        raise ValueError(
            f"old has {len(old)} labels and new has {len(new)}. Pass labels of the same rows, for "
            "example both models' predict(X)."
        )
    if not len(old):
        return new.astype(np.int32)
    table = np.zeros((int(old.max()) + 1, int(new.max()) + 1))
    np.add.at(table, (old, new), 1.0)
    numbers = _numbers(-table, len(table))
    for j, number in enumerate(numbers):  # a match without a row in common is none
        if number >= len(table) or table[number, j] == 0.0:
            numbers[j] = -1
    free = iter(range(len(table), len(table) + len(numbers)))
    numbers = np.array([next(free) if number < 0 else number for number in numbers])
    return numbers.astype(np.int32)[new]


def _matched_model(old: Any, new: Any) -> Any:
    metric = getattr(new, "metric", "euclidean")
    if getattr(old, "metric", "euclidean") != metric:
        raise ValueError(
            f"the old model's metric is {old.metric!r} and the new one's {metric!r}; centres of "
            "two metrics cannot be compared. Fit both with the same one, or match their labels."
        )
    before, after = (np.asarray(m.cluster_centers_, dtype=np.float64) for m in (old, new))
    if before.shape[1] != after.shape[1]:
        raise ValueError(
            f"the old model has {before.shape[1]} features and the new one {after.shape[1]}. Match "
            "models of the same features, or the labels of the same rows."
        )
    numbers = _numbers(cdist(before, after, SCIPY[metric]), len(after))
    places = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")  # without gaps
    model = copy.copy(new)
    for name in ("cluster_centers_", "initial_centers_", "_counts"):
        values = getattr(new, name, None)
        if values is not None and len(values) == len(places):
            moved = np.empty_like(values)
            moved[places] = values
            setattr(model, name, moved)
    if hasattr(new, "tree_") and len(new.tree_.leaves) == len(places):
        leaves = np.empty_like(new.tree_.leaves)
        leaves[places] = new.tree_.leaves
        model.tree_ = replace(new.tree_, leaves=leaves)
    if hasattr(new, "_running"):
        model._running = None
    if hasattr(new, "labels_"):
        model.labels_ = places.astype(np.int32)[new.labels_]
    return model


def _numbers(cost: F64, after: int) -> I64:
    """Return the old number of each new cluster; new ones without a match come after the old."""
    numbers = np.full(cost.shape[1], -1, dtype=np.int64)
    rows, columns = linear_sum_assignment(cost)
    numbers[columns] = rows
    free = iter(range(max(len(cost), after), max(len(cost), after) + len(numbers)))
    return np.array([next(free) if number < 0 else number for number in numbers])
