"""The scores of one fit of a sweep, from what the fit knows and from a sample of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from omnimeans import _core
from omnimeans._types import F64, I32, I64, Distance, Fit, Floats, Rows
from omnimeans.metrics.labels import threads_for
from omnimeans.metrics.separation import mean_likeness, variance_ratio
from omnimeans.metrics.silhouette import compared, mean, silhouettes

LEAST = 1e-30  # an inertia of nothing counts as this share of that of one cluster


class Sampled(NamedTuple):
    """Scores of one labelling of the sample; None for one cluster."""

    silhouette: float | None
    simplified: float | None
    davies_bouldin: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that scores are taken from, all of them where they are few.

    Parameters
    ----------
    rows : ndarray of shape (m, d)
        Their values; of unit length for the cosine metric.
    weights : ndarray of shape (m,) or None
        Their weights, the smallest 1 or more.
    distance : Distance
        How rows and centres are compared.
    n_threads : int or None
        Threads to use.
    """

    rows: Floats
    weights: F64 | None
    distance: Distance
    n_threads: int | None
    compared: I64 | None = None  # those that exact silhouettes compare with each other, if not all

    def scores(self, labels: I32, centers: list[Floats]) -> list[Sampled]:
        """Return the scores of each labelling (j, m) with its centres; distances are shared."""
        most = max(len(c) for c in centers)
        metric = self.distance.name
        rows, weights, own = self.rows, self.weights, labels
        if self.compared is not None:
            rows, own = rows[self.compared], np.ascontiguousarray(labels[:, self.compared])
            weights = None if weights is None else weights[self.compared]
        values = silhouettes(rows, own, most, weights, metric, self.n_threads)
        exact = [
            mean(one, weights) if np.ptp(given) else None
            for one, given in zip(values, own, strict=True)
        ]
        return [self._scores(*one) for one in zip(labels, centers, exact, strict=True)]

    def _scores(self, labels: I32, centers: Floats, exact: float | None) -> Sampled:
        k = len(centers)
        sizes = np.bincount(labels, weights=self.weights, minlength=k).astype(np.float64)
        if np.count_nonzero(sizes) < 2:
            return Sampled(None, None, None)
        own, other = self._away(labels, centers)
        return Sampled(
            exact,
            mean(compared(own, other), self.weights),
            mean_likeness(own, centers.astype(np.float64), labels, sizes, self.weights),
        )

    def _away(self, labels: I32, centers: Floats) -> tuple[F64, F64]:
        """Return each row's distance to its own centre and to the nearest other one."""
        kernel = "manhattan" if self.distance.kernel == "manhattan" else "euclidean"
        threads = threads_for(self.rows.size * len(centers), self.n_threads)
        own, other = _core.own_and_other(self.rows, centers, labels, kernel, threads)
        if self.distance.kernel == "cosine":  # half the squared distance of unit rows
            return 0.5 * own, 0.5 * other
        return (own, other) if kernel == "manhattan" else (np.sqrt(own), np.sqrt(other))


@dataclass(frozen=True, slots=True)
class Whole:
    """What the scores that need all rows know about them.

    Parameters
    ----------
    n : float
        Rows, or the sum of weights that count copies.
    weight : float
        Sum of the weights.
    d : int
        Features.
    inertia_of_one : float
        Inertia of one cluster.
    exponent : int
        Values are the user's, divided by ``2**exponent``.
    """

    n: float
    weight: float
    d: int
    inertia_of_one: float
    exponent: int

    @classmethod
    def of(cls, rows: Rows, one: Fit) -> Whole:
        """Return what is known of these rows and the fit of one cluster.

        Weights of 1 and more are taken for copies; others count as one row each.
        """
        n, weights = rows.weight, rows.weights
        if weights is not None and weights.min(where=weights > 0.0, initial=1.0) < 1.0:
            n = float(np.count_nonzero(weights))
        return cls(n, rows.weight, rows.d, one.inertia, rows.exponent)

    def explained(self, fit: Fit) -> float:
        """Return the share of the inertia of one cluster that the fit takes away."""
        return 1.0 - fit.inertia / self.inertia_of_one if self.inertia_of_one > 0.0 else 0.0

    def calinski_harabasz(self, fit: Fit) -> float | None:
        """Return the variance ratio; with another metric than the Euclidean, that of its sums."""
        k = len(fit.centers)
        if k < 2 or self.n <= k:
            return None
        between = max(0.0, self.inertia_of_one - fit.inertia)
        return variance_ratio(between, fit.inertia, self.n, k)

    def bic(self, fit: Fit, sizes: F64, kernel: str) -> float | None:
        """Return the Bayesian information criterion of clusters that are round and equally wide.

        Rows are drawn from the cluster that they were assigned to: normally distributed with one
        variance (D. Pelleg and A. Moore, "X-means", ICML 2000), or by Laplace's law for city-block
        distances.  k - 1 shares, k d coordinates and one width are estimated.
        """
        n, d, k = self.n, self.d, len(fit.centers)
        if n <= k:
            return None
        shares = sizes[sizes > 0.0] / self.weight
        among = n * float((shares * np.log(shares)).sum())
        freedom = d * (n - k)
        width = log_inertia(fit.inertia, self.inertia_of_one) + math.log(n / self.weight / freedom)
        if kernel == "manhattan":
            log_scale = math.log(2.0) + width + self.exponent * math.log(2.0)
            within = -n * d * log_scale - freedom
        else:
            log_scale = math.log(2.0 * math.pi) + width + 2.0 * self.exponent * math.log(2.0)
            within = -0.5 * (n * d * log_scale + freedom)
        return -2.0 * (among + within) + k * (d + 1) * math.log(n)


def log_inertia(inertia: float, of_one: float) -> float:
    """Return the logarithm of the inertia; where nothing is left, of a small share of one's."""
    return math.log(max(inertia, LEAST * of_one, 1e-300))
