"""Lloyd's algorithm, iteration by iteration, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._types import I32, Floats
from omnimeans.estimators import KMeans
from omnimeans.progress import Progress


@dataclass(frozen=True, slots=True)
class LloydTrace:
    """Every step of one run of Lloyd's algorithm.

    Parameters
    ----------
    centers : tuple of t + 1 ndarrays of shape (k, d)
        The centres at the start, and after each of t iterations.
    labels : tuple of t ndarrays of shape (n,)
        The nearest centre of each row, at the beginning of each iteration.
    inertias : tuple of t floats
        The objective of these assignments; it never rises.
    """

    centers: tuple[Floats, ...]
    labels: tuple[I32, ...]
    inertias: tuple[float, ...]


def trace_lloyd(
    X: Any, start: ArrayLike, *, metric: str = "euclidean", max_iter: int = 300
) -> LloydTrace:
    """Run Lloyd's algorithm and keep what every iteration did.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    start : array-like of shape (k, d)
        The centres to start from.
    metric : {"euclidean", "manhattan"}, default="euclidean"
        How rows and centres are compared.
    max_iter : int, default=300
        Most iterations.

    Returns
    -------
    LloydTrace
        Centres, labels and inertia of each iteration; `omnimeans.plots.lloyd_steps` draws them.

    Raises
    ------
    ValueError
        If the data or the start cannot be used; the message says why.

    Examples
    --------
    >>> from omnimeans.lloyd import trace_lloyd
    >>> trace = trace_lloyd([[0.0], [1.0], [9.0], [10.0]], start=[[0.0], [1.0]])
    >>> [c.ravel().tolist() for c in trace.centers]
    [[0.0, 1.0], [0.0, 6.666666666666667], [0.5, 9.5], [0.5, 9.5]]
    >>> trace.inertias[0] > trace.inertias[1] > trace.inertias[2]
    True
    """
    first = np.array(start, dtype=np.float64)
    reached = [first]

    def remember(record: Progress) -> None:
        if record.event == "iteration":
            reached.append(np.array(record.centers))

    model = KMeans(
        len(first),
        init=first,
        n_init=1,
        max_iter=max_iter,
        tol=0.0,
        metric=metric,
        callback=remember,
    ).fit(X)
    labels = []
    for centers in reached[:-1]:
        model.cluster_centers_ = centers
        labels.append(model.predict(X))
    inertias = tuple(record.inertia for record in model.history_)
    return LloydTrace(tuple(reached), tuple(labels), inertias)
