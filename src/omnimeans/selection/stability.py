"""Stability: whether subsamples of the rows give the same clusters.

Each subsample is clustered by itself, all rows of the sample go to its nearest centres, and the
labels are compared with those of the fit by the adjusted Rand index.  A stable k is not always the
right one (U. von Luxburg, "Clustering stability: an overview", Foundations and Trends in Machine
Learning 2, 2010): stability tells how far to trust a k, not which one to choose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omnimeans._types import F64, I32, I64


def stability(count: int, agreements: Sequence[F64]) -> list[float | None]:
    """Return the mean agreement for each of so many k; None where halves had too few rows."""
    found: list[float | None] = [None] * count
    if agreements:
        means = np.mean(np.stack(agreements), axis=0)
        found[: len(means)] = means.tolist()
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
