"""Fits for many numbers of clusters, each from the one before: start with too many, merge, refine.

Going down from more centres than are asked for, the two clusters whose union costs least are merged
and Lloyd's iterations follow.  A merged start is nearly right already, so few iterations are left;
and since centres only ever leave where there are too many of them, the fits are better than those
from fresh starts (P. Fränti and O. Virmajoki, "Iterative shrinking method for clustering problems",
Pattern Recognition 39, 2006; the cost of a union is J. H. Ward's, 1963).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from omnimeans._types import F64, Distance, Engine, Fit, Floats, Rows
from omnimeans.directions import unit_rows
from omnimeans.init import kmeans_plusplus

SPARE = 0.25  # more centres to begin with, as a share of the largest k ...
LEAST_SPARE = 4  # ... and at least so many
BETWEEN = 2  # Lloyd's iterations after a merge that is not asked for
STRIDE = 32  # where no k is asked for nearby, one centre in so many is merged at a time


class Refine(Protocol):
    """Lloyd's iterations on the rows at hand."""

    def __call__(self, centers: Floats, most: int = ...) -> Fit:
        """Return the fit that begins at these centres, after so many iterations at most."""
        ...


def shrink(
    engine: Engine,
    rows: Rows,
    ks: Sequence[int],  # falling
    rng: np.random.Generator,
    distance: Distance,
    refine: Refine,
) -> Iterator[Fit]:
    """Yield a fit for each k, from the largest to the smallest."""
    k = min(rows.n, spare(ks[0]))
    centers = kmeans_plusplus(engine, rows, k, rng)
    fit: Fit | None = None
    for wanted in ks:
        while k > wanted:
            fit = fit or refine(centers, BETWEEN)
            merges = min(k - wanted, max(1, k // STRIDE))
            centers, fit = merged(engine, fit, cluster_sizes(fit, rows), merges, distance), None
            k = len(centers)
        fit = refine(centers)
        yield fit


def spare(k: int) -> int:
    """Return how many centres to begin with to end with k."""
    return k + max(LEAST_SPARE, int(SPARE * k))


def merged(engine: Engine, fit: Fit, sizes: F64, merges: int, distance: Distance) -> Floats:
    """Return the centres after so many merges of the pair whose union costs least."""
    centers = fit.centers.copy()
    sizes = sizes.copy()
    away = engine.all_pairs(centers, centers, distance)
    for _ in range(merges):
        cost = away * (sizes[:, None] * sizes[None, :] / np.maximum(sizes[:, None] + sizes, 1e-300))
        np.fill_diagonal(cost, np.inf)
        a, b = divmod(int(np.argmin(cost)), len(centers))
        both = sizes[a] + sizes[b]
        share = sizes[a] / both if both > 0.0 else 0.5
        centers[a] = share * centers[a] + (1.0 - share) * centers[b]
        sizes[a] = both
        centers, sizes = np.delete(centers, b, axis=0), np.delete(sizes, b)
        away = np.delete(np.delete(away, b, axis=0), b, axis=1)
        a -= a > b
        away[a] = away[:, a] = engine.all_pairs(centers, centers[a : a + 1], distance)[:, 0]
    if distance.center == "direction":
        centers = unit_rows(centers)[0]
    return np.ascontiguousarray(centers)


def cluster_sizes(fit: Fit, rows: Rows) -> F64:
    """Return the weight of each cluster."""
    sizes = np.bincount(fit.labels, weights=rows.weights, minlength=len(fit.centers))
    return sizes.astype(np.float64)
