"""Stability: whether subsamples of the rows give the same clusters.

Each subsample is clustered by itself, all rows of the sample go to its nearest centres, and the
labels are compared with those of the fit by the adjusted Rand index.  A stable k is not always the
right one (U. von Luxburg, "Clustering stability: an overview", Foundations and Trends in Machine
Learning 2, 2010): stability tells how far to trust a k, not which one to choose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omnimeans._types import I32, I64, Distance, Engine, Floats


def stability(
    engine: Engine,
    distance: Distance,
    values: Floats,  # (m, d) rows of the sample
    labels: I32,  # (j, m) their labels for each k
    halves: Sequence[Sequence[Floats]],  # centres for each k, from each half of the sample
) -> list[float | None]:
    """Return the mean adjusted Rand index for each k; None where no half had enough rows."""
    found: list[float | None] = []
    for i, own in enumerate(labels):
        agreed = [
            adjusted_rand(own, engine.nearest(values, half[i], distance), len(half[i]))
            for half in halves
            if i < len(half)
        ]
        found.append(float(np.mean(agreed)) if agreed else None)
    return found


def adjusted_rand(a: I32, b: I32, k: int) -> float:
    """Return the adjusted Rand index of two labellings with labels below k."""
    table = np.bincount(a.astype(np.int64) * k + b, minlength=k * k).reshape(k, k)
    together = _pairs(table)
    rows, columns = _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0))
    every = _pairs(np.array([len(a)]))
    expected = rows * columns / every if every else 0.0
    best = 0.5 * (rows + columns)
    return 1.0 if best == expected else float((together - expected) / (best - expected))


def _pairs(counts: I64) -> float:
    """Return how many pairs lie within the groups of these sizes."""
    return float((counts * (counts - 1) // 2).sum())
