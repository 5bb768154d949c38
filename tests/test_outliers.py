"""Rows without weight that lie as far out as numbers reach: no variant may trip over them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import omnimeans as om
import tally
from omnimeans.algorithms import VARIANTS

SEEDS = range(40)


def case(dtype: Any, seed: int) -> tuple[Any, Any, Any]:
    """Ordinary rows, three outliers of next to no weight, and a start that may be one of them."""
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(20, 200)), int(rng.integers(1, 20)), int(rng.integers(2, 16))
    X = rng.normal(size=(n, d)).astype(dtype)
    weights, out = np.ones(n), rng.choice(n, 3, replace=False)
    weights[out] = rng.choice([0.0, 1e-30])
    X[out] *= dtype(10.0) ** rng.integers(3, 30 if dtype == np.float32 else 150)
    init = X[rng.choice(n, k, replace=False)].copy()
    if seed % 3 == 0:
        init[0] *= dtype(10.0) ** rng.integers(1, 9)
    return X, weights, init


def answer(X: Any, weights: Any, init: Any, algorithm: str) -> tuple[Any, ...]:
    model = om.KMeans(len(init), init=init, algorithm=algorithm, max_iter=6, tol=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, sample_weight=weights)
    except ValueError as error:
        return (str(error),)
    steps = [(h.inertia, h.moved, h.shift, h.repaired) for h in model.history_]
    return model.labels_.tobytes(), model.cluster_centers_.tobytes(), model.inertia_, steps


@pytest.mark.parametrize("algorithm", [name for name in VARIANTS if name != "brute"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outliers_are_the_same_to_all_variants(dtype: Any, algorithm: str) -> None:
    for seed in SEEDS:
        given = case(dtype, seed)
        assert answer(*given, algorithm) == answer(*given, "brute"), seed
    tally.count("comparisons", len(SEEDS))


@pytest.mark.parametrize("exponent", [-400, -300, -200, -100, 100, 200, 400])
@pytest.mark.parametrize("algorithm", [name for name in VARIANTS if name != "brute"])
def test_any_power_of_two(algorithm: str, exponent: int) -> None:
    X, weights, init = case(np.float64, 1)
    X = np.clip(X, -1e3, 1e3)
    scaled = [np.ldexp(values, exponent) for values in (X, np.clip(init, -1e3, 1e3))]
    found, expected = (answer(scaled[0], weights, scaled[1], name) for name in (algorithm, "brute"))
    assert found == expected
    tally.count("comparisons")


def test_directions_of_no_weight_are_refused() -> None:
    X, weights = np.zeros((20, 3)), np.ones(20)
    X[0], weights[0] = 0.1, 5e-324
    with pytest.raises(ValueError, match="have a direction add up to nothing"):
        om.KMeans(1, metric="cosine").fit(X, sample_weight=weights)
