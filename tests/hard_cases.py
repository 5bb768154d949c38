"""Rows that are hard to cluster right: ties, copies, offsets, odd scales, odd memory layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Maker = Callable[[np.random.Generator, int, int], Array]


def _blobs(rng: np.random.Generator, n: int, d: int) -> Array:
    centers = rng.normal(0, 5, (5, d))
    return centers[rng.integers(0, 5, n)] + rng.standard_normal((n, d))


def _lattice(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.integers(-2, 3, (n, d)).astype(np.float64)  # exact ties everywhere


def _copies(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((max(1, n // 4), d))[rng.integers(0, max(1, n // 4), n)]


def _offset(rng: np.random.Generator, n: int, d: int) -> Array:
    return _blobs(rng, n, d) + 10.0 ** rng.integers(3, 10, d)


def _far(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * 0.1 + 1e9


def _scales(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * 10.0 ** rng.integers(-8, 9, d)


def _outlier(rng: np.random.Generator, n: int, d: int) -> Array:
    X = _blobs(rng, n, d)
    X[rng.integers(n)] *= 1e7  # the screen's frame is made for the others
    return X


KINDS: dict[str, Maker] = {
    "blobs": _blobs,
    "lattice": _lattice,
    "copies": _copies,
    "offset": _offset,
    "far": _far,
    "scales": _scales,
    "outlier": _outlier,
}


def rows(kind: str, n: int, d: int, dtype: Any, seed: int = 0) -> Array:
    """Rows (n, d) of a kind, the same for the same seed."""
    return KINDS[kind](np.random.default_rng([seed, n, d]), n, d).astype(dtype)


def near_ties(n: int, d: int, dtype: Any, seed: int = 0) -> tuple[Array, Array]:
    """Rows within a few units in the last place of the middle between two of the six centres.

    Two centres are equal, and two differ in the last place of one coordinate only.
    """
    rng = np.random.default_rng([seed, n, d])
    centers = (rng.standard_normal((6, d)) + 3).astype(dtype)
    centers[3] = centers[1]
    centers[4] = centers[2]
    f = rng.integers(d)
    centers[4, f] = np.nextafter(centers[2, f], dtype(99))
    a, b = rng.integers(0, 6, (2, n))
    X = (0.5 * centers[a].astype(np.float64) + 0.5 * centers[b]).astype(dtype)
    for _ in range(2):
        side = rng.choice([-np.inf, np.inf], (n, d))
        X = np.where(rng.random((n, d)) < 0.3, np.nextafter(X, side.astype(dtype)), X)
    return X, centers


# Weights of n rows; None counts every row once.
WEIGHTS: dict[str, Callable[[np.random.Generator, int], Array | None]] = {
    "none": lambda rng, n: None,
    "counts": lambda rng, n: np.append(rng.integers(0, 4, n - 1), 2.0),
    "any": lambda rng, n: rng.random(n),
    "tiny and huge": lambda rng, n: np.append(rng.choice([0.0, 1e-8, 0.3, 1e8], n - 1), 1.0),
}


def weights(kind: str, n: int, seed: int = 0) -> Array | None:
    """Weights of a kind, the same for the same seed."""
    return WEIGHTS[kind](np.random.default_rng([seed, n]), n)


# The same values in memory in another way; all of them have rows whose values lie side by side.
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "plain": lambda X: X,
    "left part of a wider array": lambda X: np.hstack([X, X[:, :1], X])[:, : X.shape[1]],
    "right part of a wider array": lambda X: np.hstack([X, X])[:, X.shape[1] :],
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "read-only": lambda X: _frozen(X.copy()),
}


def _frozen(X: Array) -> Array:
    X.flags.writeable = False
    return X
