"""The gap statistic: how much tighter clusters are than those found where there are none.

Data without clusters are drawn uniformly from the box that holds the rows, along their principal
axes.  The gap is how much lower the logarithm of the rows' inertia is than the mean of theirs (R.
Tibshirani, G. Walther and T. Hastie, "Estimating the number of clusters in a data set via the gap
statistic", Journal of the Royal Statistical Society B 63, 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from omnimeans._types import F64, Floats
from omnimeans.selection.records import CLEAR, Structure
from omnimeans.selection.scores import log_inertia


class Box:
    """The box along the principal axes that holds some rows."""

    def __init__(self, rows: Floats) -> None:
        self.dtype = rows.dtype
        self.n = len(rows)
        self.middle = rows.mean(axis=0, dtype=np.float64)
        centred = rows - self.middle
        with threadpool_limits(1, "blas"):  # its sums depend on the number of threads
            self.axes = _axes(centred)
            along = centred @ self.axes.T
        self.low, self.high = along.min(axis=0), along.max(axis=0)

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return as many rows, spread evenly over the box."""
        along = rng.uniform(self.low, self.high, size=(self.n, len(self.low)))
        with threadpool_limits(1, "blas"):
            rows: Floats = (along @ self.axes + self.middle).astype(self.dtype)
        return rows


def _axes(centred: Floats) -> F64:
    """Return the principal axes of rows around zero, as rows."""
    if len(centred) <= centred.shape[1]:
        return np.asarray(np.linalg.svd(centred, full_matrices=False)[2], dtype=np.float64)
    scaled = centred.astype(np.float64) / max(float(np.abs(centred).max()), 1e-300)
    return np.ascontiguousarray(np.linalg.eigh(scaled.T @ scaled)[1].T)


class Gaps(NamedTuple):
    """The gap for each k, its standard error, and whether there is structure; None if not asked."""

    values: list[float | None]
    errors: list[float | None]
    structure: Structure | None


def gaps(ks: tuple[int, ...], inertias: F64 | None, references: Sequence[F64]) -> Gaps:
    """Compare the inertias of the rows, for k rising from 1, with those of each reference."""
    if inertias is None:
        nothing: list[float | None] = [None] * len(ks)
        return Gaps(nothing, nothing, None)
    observed, usual = _logs(inertias), np.stack([_logs(reference) for reference in references])
    error = usual.std(axis=0) * np.sqrt(1.0 + 1.0 / len(usual))
    found = None
    if len(ks) > 1:
        found = structure(ks, observed, usual)
    return Gaps((usual.mean(axis=0) - observed).tolist(), error.tolist(), found)


def _logs(inertias: F64) -> F64:
    return np.array([log_inertia(float(inertia), float(inertias[0])) for inertia in inertias])


def structure(ks: tuple[int, ...], observed: F64, references: F64) -> Structure:
    """Return whether the rows have clusters; the first of the ks is 1.

    What clusters take off the logarithm of the inertia of one cluster is compared, for each k, with
    what they take off it in the references.
    """
    gained, usual = observed[0] - observed, references[:, :1] - references
    advantage = _advantage(gained, usual)
    others = (np.delete(usual, b, axis=0) for b in range(len(usual)))
    reference = max(
        float(_advantage(mine, rest).max()) for mine, rest in zip(usual, others, strict=True)
    )
    best = int(np.argmax(advantage))
    score = float(advantage[best])
    return Structure(score, ks[1 + best], reference, score > max(CLEAR, reference))


def _advantage(gained: F64, usual: F64) -> F64:
    """Return how far what is gained lies above the usual, in standard deviations; not for k = 1."""
    deviation = usual.std(axis=0, ddof=1) * np.sqrt(1.0 + 1.0 / len(usual))
    ahead: F64 = (gained - usual.mean(axis=0)) / np.maximum(deviation, 1e-12)
    return ahead[1:]
