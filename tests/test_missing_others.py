"""Rows with missing values in MiniBatchKMeans and BisectingKMeans, against the NumPy definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from test_missing import METRICS, center, distances, holed_rows


@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_mini_batches(metric: str, dtype: Any, weighting: str) -> None:
    X, weights = holed_rows(900, 4, dtype=dtype), hard_cases.weights(weighting, 900)
    model = om.MiniBatchKMeans(
        5, random_state=0, batch_size=100, metric=metric, missing="partial", max_no_improvement=None
    ).fit(X, sample_weight=weights)
    share = np.ones(900) if weights is None else weights
    away = distances(X, model.cluster_centers_.astype(np.float64), metric)
    assert_array_equal(model.labels_, away.argmin(axis=1))
    assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx(float(away.min(axis=1) @ share), rel=1e-6)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    assert model.stop_reason_ == "fixed point"
    for j in range(5):
        for f in range(4):
            mine = (model.labels_ == j) & ~np.isnan(X[:, f]) & (share > 0)
            if not mine.any():  # a cluster that has no value there keeps the centre's
                continue
            wanted = center(X[mine, f], share[mine], metric)
            assert model.cluster_centers_[j, f] == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    with pytest.raises(ValueError, match="contains NaN"):
        model.partial_fit(X)


@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_bisecting(metric: str, dtype: Any, weighting: str) -> None:
    X, weights = holed_rows(400, 4, dtype=dtype), hard_cases.weights(weighting, 400)
    model = om.BisectingKMeans(5, random_state=0, metric=metric, missing="partial", tol=0.0).fit(
        X, sample_weight=weights
    )
    share = np.ones(400) if weights is None else weights
    away = distances(X, model.cluster_centers_.astype(np.float64), metric)
    assert model.inertia_ == pytest.approx(
        float(away[np.arange(400), model.labels_] @ share), rel=1e-6
    )
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    node, tree = np.zeros(400, dtype=int), model.tree_
    for _ in range(5):  # down the tree, row by row
        for number in np.unique(node):
            if tree.children[number, 0] >= 0:
                mine = node == number
                two = tree.centers[tree.children[number]].astype(np.float64)
                node[mine] = tree.children[number][distances(X[mine], two, metric).argmin(axis=1)]
    assert_array_equal(tree.leaves[model.labels_], node)
    for j in range(5):
        for f in range(4):
            mine = (model.labels_ == j) & ~np.isnan(X[:, f]) & (share > 0)
            if mine.any():
                wanted = center(X[mine, f], share[mine], metric)
                assert model.cluster_centers_[j, f] == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", [om.MiniBatchKMeans, om.BisectingKMeans])
def test_complete_rows_are_like_any_others(kind: Any) -> None:
    X = hard_cases.rows("blobs", 300, 3, np.float64)
    plain = kind(4, random_state=0).fit(X)
    partial = kind(4, random_state=0, missing="partial").fit(X)
    assert_array_equal(plain.cluster_centers_, partial.cluster_centers_)
    with pytest.raises(ValueError, match="contains NaN"):
        kind(4).fit(holed_rows(50, 3))
    with pytest.raises(ValueError, match="cosine"):
        kind(4, missing="partial", metric="cosine").fit(holed_rows(50, 3))


@pytest.mark.filterwarnings("ignore:.*stopped after max_iter=")
@pytest.mark.parametrize("Estimator", [om.MiniBatchKMeans, om.BisectingKMeans])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_rows_without_weight_are_absent(Estimator: Any, init: str) -> None:
    """Also where a sample has no value in a column, which takes on the mean of all rows then."""
    X = np.c_[holed_rows(9000, 3), np.full(9000, np.nan)]
    X[:2, 3] = 1.0, 2.0
    weights = np.r_[np.ones(8000), np.zeros(1000)]
    X[8000:] = 1e3
    options = {"random_state": 1, "missing": "partial", "init": init}
    if Estimator is om.MiniBatchKMeans:
        options |= {"batch_size": 30, "max_iter": 1}
    both = Estimator(5, **options).fit(X, sample_weight=weights)
    alone = Estimator(5, **options).fit(X[:8000])
    assert both.cluster_centers_.tobytes() == alone.cluster_centers_.tobytes()
    assert_array_equal(both.labels_[:8000], alone.labels_)
    assert both.inertia_ == alone.inertia_
