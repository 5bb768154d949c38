"""The inputs that k-means libraries are known to get wrong, as a table: T1 to T33.

Each case draws a variant of its input and knows what a right answer looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from judgement import (
    Check,
    Input,
    all_found,
    belongs,
    centers_are,
    clusters,
    groups,
    inertia_is,
    inertia_is_zero,
    nearest,
)

Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """One number of the list."""

    number: str
    says: str
    make: Callable[[Rng], Input]


# inputs


def blobs(
    rng: Rng, corners: Any, spread: float, n: int = 400, dtype: Any = np.float64, at: Any = 0.0
) -> dict[str, Any]:
    """Rows around corners, all of the same number, in random order."""
    corners = np.asarray(corners, dtype=float)
    truth = rng.permutation(np.arange(n) % len(corners))
    X = np.asarray(at, dtype=float) + corners[truth] + rng.normal(0, spread, (n, corners.shape[1]))
    return {"X": X.astype(dtype), "truth": truth, "k": len(corners)}


def grouped(checks: Sequence[Check] = (groups, belongs), **made: Any) -> Input:
    return Input(checks=checks, seed=1, **made)


SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def t1(rng: Rng) -> Input:
    at = np.array([48.8566, 2.3522])
    if rng.random() < 0.6:
        at = rng.uniform(-60, 60, 2)  # beyond 64, float32 is coarser than the blobs
    return grouped(**blobs(rng, 4e-4 * SQUARE, 4e-5, 4000, np.float32, at))


def t2(rng: Rng) -> Input:
    at = rng.uniform((4e5, 4.0e6), (6e5, 5.0e6))
    return grouped(**blobs(rng, 40 * SQUARE, 5, 1000, np.float32, at))


def t3(rng: Rng) -> Input:
    hours = np.array([[0], [6], [12], [18]]) * 3600.0
    return grouped(**blobs(rng, hours, 600, 1000, np.float32, rng.uniform(1.4e9, 1.8e9)))


def t4(rng: Rng) -> Input:
    steps = np.array([[0], [5], [10], [15]])
    return grouped(**blobs(rng, steps, 0.4, 1000, np.float32, rng.uniform(9e4, 1.1e5)))


def t5(rng: Rng) -> Input:
    at = 10.0 ** rng.uniform(3, 7)
    return grouped(**blobs(rng, [[0, 0], [1, 1]], 0.1, 1000, np.float32, round(at)))


def t6(rng: Rng) -> Input:
    gap = np.float32(10.0 ** -rng.integers(4, 6))
    X = np.array([[-1 - gap], [-1 + gap], [1 - gap], [1 + gap]], dtype=np.float32)
    exact = np.square(X.astype(float) - np.repeat([X[:2].mean(), X[2:].mean()], 2)[:, None]).sum()
    return Input(X, 2, (inertia_is(exact, 1e-2), belongs), init=X[[0, 3]])


def t7(rng: Rng) -> Input:
    at, unit = rng.integers(-5, 6), rng.integers(1, 9)
    X = np.array([[1.0], [2.0], [3.0]]) * unit + at
    init = np.array([[4.0], [0.0], [1.0]]) * unit + at
    return Input(X, 3, (belongs, inertia_is_zero, clusters(3)), init=init, tol=0.0)


def t8(rng: Rng) -> Input:
    """The first two rows are far nearer to each other than to the last."""
    rows = [[4208848, 2334863.5, 4171170.2], [4208843.5, 2334869.5, 4171171.5]]
    X = np.array([*rows, [4208292, 2335623.5, 4171305]]) + rng.integers(-9, 10, 3)
    X = X.astype(np.float32)
    return Input(X, 2, (groups, belongs), truth=np.array([0, 0, 1]), init=X[[1, 2]])


def t11(rng: Rng) -> Input:
    order = rng.permutation(6)
    X = np.array([1, 1, 5, 5, 100, 100.0])[order, None]
    w = np.array([1e8] * 4 + [1e-8] * 2)[order]
    init = np.array([[1.0], [5.0]])
    return Input(X, 2, (centers_are([1.0], [5.0]),), weights=w, init=init)


def t11_outlier(rng: Rng) -> Input:
    made = blobs(rng, [[0, 0], [9, 9]], 0.5, 60)
    X = np.vstack([made["X"], np.full((1, 2), 10.0 ** rng.integers(6, 100))])
    w = np.append(np.ones(60), 0.0)
    means = [made["X"][made["truth"] == j].mean(axis=0) for j in range(2)]
    return Input(X, 2, (centers_are(*means),), weights=w, seed=3)


def t12(rng: Rng) -> Input:
    X = np.array([[3000, 3000, 4000, 3100], [2, 4, 3, 1], [3100, 3100, 4100, 4100.0]])
    X = np.asfortranarray(np.repeat(X, rng.integers(1, 30), axis=0))
    truth = (X[:, 0] < 100).astype(int)
    return Input(X, 2, (groups, belongs), truth=truth, seed=int(rng.integers(99)))


def t13(rng: Rng) -> Input:
    value = np.float32(rng.choice([1000001.0, 16777215.0, 1.0 + 2**-23]))
    return Input(
        np.full((128, 1), value), 1, (centers_are([float(value)], rtol=0), inertia_is_zero)
    )


def t14(rng: Rng) -> Input:
    at = int(rng.integers(-9, 10))
    X = np.array([[1], [2]]) + at
    return Input(X, 1, (centers_are([1.5 + at], rtol=1e-12), inertia_is(0.5, 1e-12)))


def t14_squares(rng: Rng) -> Input:
    X = rng.permutation(np.array([[-2.0], [-1], [1], [2], [9]]))
    return Input(X, 2, (centers_are([0 - 0.0], [9.0]),), init=np.array([[-1.0], [1.0]]), tol=0.0)


def t17(rng: Rng) -> Input:
    scale = 10.0 ** rng.integers(19, 36)
    made = blobs(rng, [[0, 0], [9, 9]], 0.5, 100)
    return grouped((groups, belongs), **{**made, "X": (made["X"] * scale).astype(np.float32)})


def t18(rng: Rng) -> Input:
    made = blobs(rng, [[0, 0], [9, 9]], 0.5, 100)
    return grouped((groups, nearest), **{**made, "X": made["X"] * 10.0 ** rng.integers(150, 306)})


def t19(rng: Rng) -> Input:
    made = blobs(rng, [[1, 1], [9, 9]], 0.5, 100)
    return grouped((groups, nearest), **{**made, "X": made["X"] * 10.0 ** -rng.integers(160, 306)})


def t20(rng: Rng) -> Input:
    X = rng.standard_normal((50, 3))
    X[rng.integers(50), rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf])
    return Input(X, 3, (), refused=True)


def t21(rng: Rng) -> Input:
    colours = rng.integers(0, 256, (4, 3))
    while np.abs(colours[:, None] - colours).sum(axis=2)[np.triu_indices(4, 1)].min() < 60:
        colours = rng.integers(0, 256, (4, 3))
    made = blobs(rng, colours, 1.0, 4096, np.float16)
    return grouped((groups, belongs), **made)


def t22(rng: Rng) -> Input:
    X = rng.standard_normal((40, 2))
    return Input(X, 3, (belongs,), weights=rng.uniform(1, 2, 40) * 10.0 ** -rng.integers(10, 130))


def t24(rng: Rng) -> Input:
    grey = np.full((300, 3), 20)
    grey[rng.choice(300, 40, replace=False)] = rng.integers(0, 256, (40, 1))
    return Input(grey, 5, (belongs, nearest))


def t25(rng: Rng) -> Input:
    distinct = rng.permutation(30)[:9, None] * [1.0, 2.0]
    X = distinct[np.r_[np.arange(9), rng.integers(0, 9, 8)]]
    return Input(X, 10, (belongs, clusters(9), inertia_is_zero))


def t26(rng: Rng) -> Input:
    X = [[100, 100], [100, 102], [106, 100], [107, 101], [107, 101], [108, 100]]
    return Input(np.array(X, float), 6, (belongs, clusters(5)), init=np.array(X, float), tol=0.0)


def t27(rng: Rng) -> Input:
    X = rng.permutation(np.arange(16))[:, None] * [1.0, -2.0, 0.5] + rng.uniform(0, 0.1, (16, 3))
    return Input(X, int(rng.integers(11, 14)), (belongs, all_found))


def t28(rng: Rng) -> Input:
    two = rng.standard_normal((2, 512)).astype(np.float32)
    truth = rng.permutation(np.r_[0, 1, rng.integers(0, 2, 247)])
    return grouped(X=two[truth], k=2, truth=truth, checks=(groups, belongs))


def t29(rng: Rng) -> Input:
    return Input(rng.random((5000, 2)), 1000, (belongs, all_found), max_iter=5)


def t30(rng: Rng) -> Input:
    return Input(rng.standard_normal((200, 8)), 50, (belongs, all_found))


def t31_equal(rng: Rng) -> Input:
    row = rng.standard_normal(int(rng.integers(1, 9))) * 10.0 ** rng.integers(-9, 10)
    return Input(np.tile(row, (20, 1)), 1, (centers_are(row, rtol=1e-12), inertia_is_zero))


def t31_each(rng: Rng) -> Input:
    n = int(rng.integers(2, 40))
    X = rng.standard_normal((n, int(rng.integers(1, 4))))
    return Input(X, n, (belongs, all_found, inertia_is_zero))


def t31_one_cluster(rng: Rng) -> Input:
    X = rng.standard_normal((int(rng.integers(1, 50)), 3))
    return Input(X, 1, (belongs, centers_are(X.mean(axis=0)), clusters(1)))


def t31_too_few(rng: Rng) -> Input:
    n = int(rng.integers(1, 9))
    return Input(rng.standard_normal((n, 2)), n + int(rng.integers(1, 5)), (), refused=True)


def t31_one_feature(rng: Rng) -> Input:
    corners = rng.permutation(np.arange(-4, 5))[:5, None] * 10.0
    return grouped(**blobs(rng, corners, 0.5, 200))


def t31_wide(rng: Rng) -> Input:
    d = int(rng.integers(60, 600))
    corners = rng.standard_normal((2, d)) * 5
    return grouped(**blobs(rng, corners, 0.1, 6))


def t33(rng: Rng) -> Input:
    X = rng.standard_normal((300, 2)).astype(np.float32) + np.float32(rng.uniform(10, 1000))
    return Input(X, 9, (belongs, nearest), tol=0.0)


CASES = [
    Case("T1", "float32 latitude and longitude of one city block", t1),
    Case("T2", "float32 UTM metres", t2),
    Case("T3", "float32 Unix times", t3),
    Case("T4", "float32 air pressure in pascal", t4),
    Case("T5", "two float32 blobs at an offset of 1e3 to 1e7", t5),
    Case("T6", "an inertia of 1e-8 beside values of 1", t6),
    Case("T7", "a start that leaves a cluster empty, tol=0", t7),
    Case("T8", "geocentric metres in float32", t8),
    Case("T11", "weights of 1e8 and 1e-8", t11),
    Case("T11o", "an outlier without weight", t11_outlier),
    Case("T12", "rows from a column-major frame", t12),
    Case("T13", "a float32 constant and its mean", t13),
    Case("T14", "integers, and the mean of two", t14),
    Case("T14s", "squared, not plain distances", t14_squares),
    Case("T17", "float32 values of 1e19 to 1e35", t17),
    Case("T18", "float64 values of 1e150 to 1e305", t18),
    Case("T19", "float64 values of 1e-160 to 1e-305", t19),
    Case("T20", "NaN or infinity somewhere", t20),
    Case("T21", "float16 colours", t21),
    Case("T22", "tiny weights", t22),
    Case("T24", "a grey picture with many equal pixels", t24),
    Case("T25", "17 rows, 9 of them distinct, k=10", t25),
    Case("T26", "a start with two equal centres", t26),
    Case("T27", "16 rows and 11 to 13 clusters", t27),
    Case("T28", "two distinct rows, 249 x 512", t28),
    Case("T29", "as many as 1,000 clusters are all found", t29),
    Case("T30", "200 rows and 50 clusters", t30),
    Case("T31a", "all rows equal", t31_equal),
    Case("T31b", "as many clusters as rows", t31_each),
    Case("T31c", "one cluster", t31_one_cluster),
    Case("T31d", "fewer rows than clusters", t31_too_few),
    Case("T31e", "one feature", t31_one_feature),
    Case("T31f", "fewer rows than features", t31_wide),
    Case("T33", "rounding that could run in a circle, tol=0", t33),
]
