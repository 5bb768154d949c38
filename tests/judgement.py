"""What a right answer looks like: checks of what a library says about an input.

Nothing here knows omnimeans, so that its peers can be asked the same.  A check is a function that
returns a complaint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

Array = NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """What a library says about an input."""

    labels: Array  # (n,) of the fit
    predicted: Array  # (n,) of the fitted rows
    centers: Array  # (k, d)
    inertia: float
    score: float


Check = Callable[["Input", Answer], "str | None"]


@dataclass(frozen=True)
class Input:
    """What is clustered, and how a right answer is told."""

    X: Any
    k: int
    checks: Sequence[Check]
    truth: Array | None = None
    weights: Array | None = None
    init: Any = None
    max_iter: int = 300
    tol: float = 1e-4
    refused: bool = False  # an error in words is the right answer
    seed: int = 0


def groups(given: Input, answer: Answer) -> str | None:
    for what in ("labels", "predicted"):
        index = adjusted_rand_score(given.truth, getattr(answer, what))
        if index < 1.0:
            return f"{what} find the groups with ARI {index:.4f}"
    return None


def belongs(given: Input, answer: Answer) -> str | None:
    """Labels, predictions, inertia and score say the same; libraries may round differently."""
    differ = int(np.count_nonzero(answer.labels != answer.predicted))
    if differ:
        return f"predict differs from labels_ in {differ} rows of {len(answer.labels)}"
    if not np.isfinite(answer.centers).all():
        return "centres are not finite"
    if not np.isclose(answer.score, -answer.inertia, rtol=1e-3, atol=1e-9 * spread(given)):
        return f"score {answer.score:.6g} for an inertia of {answer.inertia:.6g}"
    return None


def nearest(given: Input, answer: Answer) -> str | None:
    """Every row is in a cluster whose centre is nearest, up to rounding, in 80 bits."""
    away = wide_distances(given.X, answer.centers)
    own = away[np.arange(len(away)), answer.predicted]
    worse = own > away.min(axis=1) * np.longdouble(1 + 1e-6)
    return f"{worse.sum()} rows have a nearer centre" if worse.any() else None


def inertia_is(value: float, rtol: float = 1e-6) -> Check:
    def check(given: Input, answer: Answer) -> str | None:
        if np.isclose(answer.inertia, value, rtol=rtol, atol=0.0):
            return None
        return f"inertia is {answer.inertia:.6g}, not {value:.6g}"

    return check


def centers_are(*values: Any, rtol: float = 1e-6) -> Check:
    def check(given: Input, answer: Answer) -> str | None:
        found = sorted(np.asarray(answer.centers, dtype=float).tolist())
        wanted = sorted(np.asarray(values, dtype=float).tolist())
        if np.allclose(found, wanted, rtol, atol=rtol * np.abs(wanted).max()):
            return None
        return f"centres are {str(found)[:60]}"

    return check


def inertia_is_zero(given: Input, answer: Answer) -> str | None:
    if abs(answer.inertia) <= 1e-9 * spread(given):
        return None
    return f"inertia is {answer.inertia:.6g}, not 0"


def spread(given: Input) -> float:
    """The sum of the squared distances to the mean, in 80 bits; it may be beyond float64."""
    X = np.asarray(given.X, dtype=np.longdouble)
    return np.square(X - X.mean(axis=0)).sum()


def clusters(count: int) -> Check:
    def check(given: Input, answer: Answer) -> str | None:
        found = len(np.unique(answer.labels))
        return None if found == count else f"{found} clusters, not {count}"

    return check


def wide_distances(X: Any, centers: Array) -> Array:
    """Squared distances in 80 bits, whose exponents do not run out."""
    gaps = np.asarray(X, dtype=np.longdouble)[:, None] - np.asarray(centers, dtype=np.longdouble)
    return np.square(gaps).sum(axis=2)


def all_found(given: Input, answer: Answer) -> str | None:
    return clusters(given.k)(given, answer)
