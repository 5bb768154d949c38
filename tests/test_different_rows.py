"""Few rows: a start depends on which rows there are, not on their order or on copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from omnimeans import _core

METRICS = ["euclidean", "manhattan", "cosine"]
ESTIMATORS = [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("kind", ["blobs", "lattice", "offset"])
def test_order_and_copies_do_not_matter(kind: str, init: str, metric: str, Estimator: Any) -> None:
    X = hard_cases.rows(kind, 120, 3, np.float64)
    w = np.random.default_rng(0).integers(0, 4, 120)
    mixed = np.random.default_rng(1).permutation(120)
    for seed in range(3):
        model = Estimator(5, init=init, n_init=1, metric=metric, random_state=seed)
        weighted = model.fit(X, sample_weight=w).cluster_centers_
        shuffled = model.fit(X[mixed], sample_weight=w[mixed]).cluster_centers_
        copies = model.fit(np.repeat(X, w, axis=0)).cluster_centers_
        absent = model.fit(X[w > 0], sample_weight=w[w > 0]).cluster_centers_
        assert weighted.tobytes() == shuffled.tobytes()
        assert weighted.tobytes() == copies.tobytes()
        assert weighted.tobytes() == absent.tobytes()


def test_float32_and_float64_start_alike() -> None:
    X = hard_cases.rows("blobs", 500, 4, np.float32)
    for seed in range(5):
        starts = [
            om.KMeans(8, random_state=seed, max_iter=1).fit(Y).initial_centers_
            for Y in (X, X.astype(np.float64))
        ]
        assert_array_equal(*starts)


def test_as_many_centres_as_different_rows() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(7, 2)), 5, axis=0)
    model = om.KMeans(7, random_state=0).fit(X)
    assert model.inertia_ == 0.0
    centers, indices = om.kmeans_plusplus(X, 7, random_state=0)
    assert_array_equal(centers, X[indices])
    assert len(set(indices // 5)) == 7


def test_many_rows_are_drawn_by_number() -> None:
    X = np.random.default_rng(0).normal(size=(5000, 2))
    model = om.KMeans(3, random_state=0, max_iter=1)
    assert not np.array_equal(model.fit(X).initial_centers_, model.fit(X[::-1]).initial_centers_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_order_is_that_of_numpy(d: int, dtype: Any) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.integers(-1, 2, (60, d)).astype(dtype) * rng.choice([1, -1], (60, d))  # also -0.0
        away = np.abs(X).sum(axis=1).astype(np.float64)
        found = _core.order_rows(X, away)
        assert found is not None
        order, firsts = found
        assert_array_equal(order, np.lexsort((*X.T[::-1], away)))
        new = (X[order][1:] != X[order][:-1]).any(axis=1)
        assert_array_equal(firsts, np.flatnonzero(np.concatenate([[True], new])))
    away[7] = np.nan
    assert _core.order_rows(X, away) is None
