"""k-means by its definitions, one number at a time: what every engine is measured against.

Nothing here knows omnimeans.  Distances are Python floats added in the documented order, everything
else is exact: fractions, rounded once at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

Row = Sequence[float]


def floats(array: Any) -> list[list[float]]:
    """The rows as Python floats; float32 values are float64 values too."""
    return [[float(value) for value in row] for row in array]


def distance(x: Row, c: Row, kernel: str) -> float:
    """D, the distance that decides: term f goes to lane f mod 8, then the lanes are paired up.

    Lane i is added to lane i + 4, the result to that of lane i + 2, and the even half to the odd.
    """
    lanes = [0.0] * 8
    for f, (a, b) in enumerate(zip(x, c, strict=True)):
        gap = float(a) - float(b)
        lanes[f % 8] += gap * gap if kernel == "euclidean" else abs(gap)
    quads = [lanes[i] + lanes[i + 4] for i in range(4)]
    return (quads[0] + quads[2]) + (quads[1] + quads[3])


def true_distance(x: Row, c: Row, kernel: str) -> Fraction:
    """The distance without any rounding."""
    gaps = [Fraction(a) - Fraction(b) for a, b in zip(x, c, strict=True)]
    return sum((g * g if kernel == "euclidean" else abs(g) for g in gaps), Fraction(0))


def nearest(x: Row, centers: Sequence[Row], kernel: str) -> int:
    """The lowest number of the centres at the smallest D."""
    away = [distance(x, c, kernel) for c in centers]
    return away.index(min(away))


def labels(X: Any, centers: Any, kernel: str) -> list[int]:
    """The nearest centre of each row."""
    centers = floats(centers)
    return [nearest(x, centers, kernel) for x in floats(X)]


def total(values: Any, weights: Any = None) -> float:
    """The exact sum of values times weights, rounded once."""
    values = [Fraction(float(v)) for v in values]
    if weights is not None:
        values = [v * Fraction(float(w)) for v, w in zip(values, weights, strict=True)]
    return float(sum(values, Fraction(0)))


def means(
    X: Any, labels: Sequence[int], k: int, weights: Any = None
) -> tuple[list[list[float]], list[float]]:
    """The weighted mean of each cluster, each coordinate rounded once, and the weights.

    A cluster without weight has mean 0.
    """
    X = floats(X)
    shares = [Fraction(1)] * len(X) if weights is None else [Fraction(float(w)) for w in weights]
    centers, masses = [], []
    for j in range(k):
        mine = [i for i, label in enumerate(labels) if label == j]
        mass = sum((shares[i] for i in mine), Fraction(0))
        sums = [sum((shares[i] * Fraction(X[i][f]) for i in mine), Fraction(0)) for f in columns(X)]
        centers.append([float(s / mass) if mass else 0.0 for s in sums])
        masses.append(float(mass))
    return centers, masses


def medians(X: Any, labels: Sequence[int], k: int, weights: Any = None) -> list[list[float]]:
    """The coordinate-wise weighted median of each cluster, the middle where it is an interval.

    The median minimises the weighted sum of absolute differences: half of the weight is not above
    it, and half is not below it.  Rows without weight do not count; no row at all gives 0.
    """
    X = floats(X)
    shares = [Fraction(1)] * len(X) if weights is None else [Fraction(float(w)) for w in weights]
    centers = []
    for j in range(k):
        mine = [i for i, label in enumerate(labels) if label == j and shares[i] > 0]
        center = []
        for f in columns(X):
            pairs = sorted((X[i][f], shares[i]) for i in mine)
            low, high = _from_below(pairs), -_from_below([(-v, w) for v, w in reversed(pairs)])
            center.append(low if low == high else 0.5 * low + 0.5 * high)
        centers.append(center)
    return centers


def _from_below(pairs: list[tuple[float, Fraction]]) -> float:
    """The first value that has half of the weight at or below it."""
    half = sum((w for _, w in pairs), Fraction(0)) / 2
    below = Fraction(0)
    for value, weight in pairs:
        below += weight
        if below >= half:
            return value
    return 0.0


def own_distances(X: Any, centers: Any, labels: Sequence[int], kernel: str) -> list[float]:
    """The distance of each row to its own centre."""
    X, centers = floats(X), floats(centers)
    return [distance(x, centers[j], kernel) for x, j in zip(X, labels, strict=True)]


def inertia(X: Any, centers: Any, labels: Sequence[int], kernel: str, weights: Any = None) -> float:
    """The weighted sum of the distances of the rows to their centres, rounded once."""
    return total(own_distances(X, centers, labels, kernel), weights)


def lloyd(X: Any, centers: Any, kernel: str, center: str, weights: Any, max_iter: int) -> Any:
    """Lloyd's algorithm as in the textbook; returns centres, labels, and iterations.

    Only for starts that leave no cluster empty.
    """
    dtype = np.asarray(X).dtype
    centers = np.array(centers)
    for iteration in itertools.count(1):
        found = labels(X, centers, kernel)
        if center == "mean":
            moved, masses = means(X, found, len(centers), weights)
            assert all(masses), "the oracle does not repair empty clusters"
        else:
            moved = medians(X, found, len(centers), weights)
        before, centers = centers, np.array(moved).astype(dtype)
        if iteration == max_iter or (centers == before).all():
            return centers, labels(X, centers, kernel), iteration


def columns(X: list[list[float]]) -> range:
    return range(len(X[0]))
