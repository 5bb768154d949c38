"""Rows with missing values, against a plain NumPy definition."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics.pairwise import nan_euclidean_distances

import hard_cases
import omnimeans as om
from checks import assert_same_answer
from omnimeans import _core
from omnimeans.engines import cpu

METRICS = ["euclidean", "manhattan"]


@pytest.fixture(autouse=True)
def _threads_are_used(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cpu, "SMALL", 0)
    yield
    _core.set_chunk_rows(0)


def holed_rows(n: int, d: int, share: float = 0.2, dtype: Any = np.float64, seed: int = 0) -> Any:
    """Blobs with values missing at random; every row and column has some."""
    X = hard_cases.rows("blobs", n, d, dtype, seed)
    holes = np.random.default_rng([seed, n, d]).random((n, d)) < share
    holes[np.arange(n), np.arange(n) % d] = False
    X[holes] = np.nan
    return X


def fit(X: Any, metric: str = "euclidean", weights: Any = None, **options: Any) -> Any:
    chosen = {"n_clusters": 5, "random_state": 0, "max_iter": 30, "missing": "partial"} | options
    return om.KMeans(metric=metric, **chosen).fit(X, sample_weight=weights)


# ---- the definition


def distances(X: Any, centers: Any, metric: str) -> Any:
    """Sums over the features that a row has, times d over their number, (n, k)."""
    gaps = X[:, None].astype(np.float64) - centers
    terms = np.square(gaps) if metric == "euclidean" else np.abs(gaps)
    return np.nansum(terms, axis=2) * (X.shape[1] / (~np.isnan(X)).sum(axis=1))[:, None]


def center(values: Any, weights: Any, metric: str) -> float:
    """The weighted mean or median of the values that are there."""
    there = ~np.isnan(values) & (weights > 0)
    values, weights = values[there].astype(np.float64), weights[there]
    if metric == "euclidean":
        return float(np.average(values, weights=weights))
    order = np.argsort(values)
    values, below = values[order], np.cumsum(weights[order])
    low = values[np.argmax(below >= below[-1] / 2)]
    high = values[np.argmax(below > below[-1] / 2)]
    return float(low + high) / 2


def lloyd(X: Any, centers: Any, metric: str, weights: Any, max_iter: int) -> Any:
    centers = np.array(centers, dtype=np.float64)
    for _ in range(max_iter):
        labels = distances(X, centers, metric).argmin(axis=1)
        before = centers.copy()
        for j in range(len(centers)):
            for f in range(X.shape[1]):
                mine = labels == j
                if (~np.isnan(X[mine, f]) & (weights[mine] > 0)).any():
                    centers[j, f] = center(X[mine, f], weights[mine], metric)
        if np.array_equal(before, centers):
            break
    return centers, distances(X, centers, metric).argmin(axis=1)


@pytest.mark.parametrize("weighting", ["none", "counts"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d", "share"), [(200, 3, 0.2), (150, 11, 0.5), (300, 20, 0.05)])
def test_a_fit_is_that_of_the_definition(
    n: int, d: int, share: float, metric: str, weighting: str
) -> None:
    X = np.rint(4 * holed_rows(n, d, share)) / 4
    weights = hard_cases.weights(weighting, n)
    counted = np.ones(n) if weights is None else weights
    start = np.rint(fit(X, metric, weights, max_iter=1).cluster_centers_ * 8) / 8
    model = fit(X, metric, weights, init=start, n_init=1, tol=0.0)
    centers, labels = lloyd(X, start, metric, counted, 30)
    assert len(np.unique(labels)) == 5  # the definition repairs no empty clusters
    assert_array_equal(model.labels_, labels)
    assert_allclose(model.cluster_centers_, centers, rtol=1e-12, atol=1e-12)
    away = distances(X, model.cluster_centers_, metric)
    assert_allclose(model.inertia_, (away.min(axis=1) * counted).sum(), rtol=1e-12)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_


def test_transform_is_nan_euclidean() -> None:
    X = holed_rows(100, 7)
    model = fit(X)
    assert_allclose(model.transform(X), nan_euclidean_distances(X, model.cluster_centers_))
    manhattan = fit(X, "manhattan")
    expected = distances(X, manhattan.cluster_centers_, "manhattan")
    assert_allclose(manhattan.transform(X), expected)


def test_by_hand() -> None:
    X = np.array([[0.0, 0.0], [2.0, np.nan], [np.nan, 10.0], [10.0, 12.0]])
    model = fit(X, n_clusters=2, init=np.array([[0.0, 0.0], [10.0, 10.0]]), n_init=1)
    assert_array_equal(model.labels_, [0, 0, 1, 1])
    assert_array_equal(model.cluster_centers_, [[1.0, 0.0], [10.0, 11.0]])
    assert model.inertia_ == 1.0 + 2 * 1.0 + 2 * 1.0 + 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_the_unscaled_objective_never_rises(metric: str) -> None:
    X = holed_rows(400, 8, 0.4)
    objective = []

    def record(progress: Any) -> None:
        away = distances(X, progress.centers, metric) * ((~np.isnan(X)).sum(axis=1) / 8)[:, None]
        objective.append(away.min(axis=1).sum())

    fit(X, metric, init="random", n_init=1, callback=record, tol=0.0, n_clusters=12)
    assert len(objective) > 3
    assert (np.diff(objective) <= 1e-9 * objective[0]).all()


# ---- relations


@pytest.mark.parametrize("weighting", ["none", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [1, 3, 8, 21])
def test_complete_rows_have_the_answer_that_they_always_have(
    d: int, metric: str, dtype: Any, weighting: str
) -> None:
    """Both where there is no hole at all, and where the only one is in a row without weight."""
    X = hard_cases.rows("blobs", 200, d, dtype)
    weights = hard_cases.weights(weighting, 200)
    counted = np.ones(200) if weights is None else weights.copy()
    counted[7] = 0.0
    start = X[[0, 20, 40, 60, 80]]
    plain = fit(X, metric, counted, init=start, missing="error", n_init=1)
    assert_same_answer(fit(X, metric, counted, init=start, n_init=1), plain)
    if d > 1:
        X[7, 0] = np.nan
        holed = fit(X, metric, counted, init=start, n_init=1)
        assert holed.cluster_centers_.tobytes() == plain.cluster_centers_.tobytes()
        assert_array_equal(np.delete(holed.labels_, 7), np.delete(plain.labels_, 7))
        assert holed.inertia_ == plain.inertia_


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("chunk", "threads"), [(1, 3), (64, 2), (10**6, 3)])
def test_chunks_and_threads(chunk: int, threads: int, metric: str) -> None:
    X = holed_rows(500, 9)
    one = fit(X, metric, n_threads=1)
    _core.set_chunk_rows(chunk)
    assert_same_answer(fit(X, metric, n_threads=threads), one)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_weights_are_copies(data: Any) -> None:
    n, d = data.draw(st.integers(8, 40)), data.draw(st.integers(2, 9))
    X = holed_rows(n, d, 0.3, seed=data.draw(st.integers(0, 99)))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    counts[:3] = 1
    for f in range(d):
        counts[np.flatnonzero(~np.isnan(X[:, f]))[0]] = 1  # every column has a value that counts
    metric = data.draw(st.sampled_from(METRICS))
    start = np.nan_to_num(X[:3])
    options = {"init": start, "n_clusters": 3, "n_init": 1, "tol": 0.0}
    weighted = fit(X, metric, counts.astype(float), **options)
    copied = fit(np.repeat(X, counts, axis=0), metric, **options)
    assert weighted.cluster_centers_.tobytes() == copied.cluster_centers_.tobytes()
    assert weighted.inertia_ == copied.inertia_


def test_starts_draw_rows_and_fill_them() -> None:
    X = holed_rows(300, 6, 0.4)
    for init in ("k-means++", "random", lambda X, k, random_state: X[:k]):
        model = fit(X, init=init, n_init=1)
        assert np.isfinite(model.cluster_centers_).all()
        assert_array_equal(model.predict(X), model.labels_)


def test_a_cluster_without_a_value_of_a_feature_keeps_the_centres() -> None:
    X = np.array([[0.0, np.nan], [1.0, np.nan], [9.0, 3.0], [11.0, 5.0]])
    model = fit(X, n_clusters=2, init=np.array([[0.0, 7.0], [10.0, 4.0]]), n_init=1)
    assert_array_equal(model.cluster_centers_, [[0.5, 7.0], [10.0, 4.0]])


def test_empty_clusters_are_repaired() -> None:
    X = holed_rows(200, 5)
    start = np.tile(np.nan_to_num(X[:1]), (8, 1))
    model = fit(X, n_clusters=8, init=start, n_init=1)
    assert len(np.unique(model.labels_)) == 8


def test_a_blob_is_found_through_its_holes() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 900)
    X = np.array([[0.0] * 6, [6.0] * 6, [12.0] * 6])[truth] + rng.normal(size=(900, 6))
    X[rng.random(X.shape) < 0.3] = np.nan
    X = X[~np.isnan(X).all(axis=1)]
    model = fit(X, n_clusters=3, n_init=3)
    found = np.sort(model.cluster_centers_.mean(axis=1))
    assert_allclose(found, [0.0, 6.0, 12.0], atol=0.2)


@pytest.mark.parametrize("exponent", [-600, 500])
def test_extreme_values(exponent: int) -> None:
    X = np.ldexp(holed_rows(200, 6), exponent)
    usual = fit(holed_rows(200, 6))
    model = fit(X)
    assert_array_equal(model.labels_, usual.labels_)
    assert_array_equal(model.cluster_centers_, np.ldexp(usual.cluster_centers_, exponent))


@pytest.mark.parametrize(
    "make",
    [
        lambda X: pd.DataFrame(X, columns=["a", "b", "c"]),
        lambda X: pl.DataFrame(X, schema=["a", "b", "c"]).fill_nan(None),
        lambda X: pa.table(
            {n: pa.array(c, from_pandas=True) for n, c in zip("abc", X.T, strict=True)}
        ),
        lambda X: [[None if np.isnan(v) else v for v in row] for row in X.tolist()],
        np.asfortranarray,
        lambda X: X.astype(np.float16),
    ],
    ids=["pandas", "polars", "arrow", "lists", "columns first", "float16"],
)
def test_any_form(make: Any) -> None:
    X = np.rint(holed_rows(200, 3) * 2)
    assert_same_answer(fit(make(X)), fit(X))


# ---- what is refused


def test_missing_values_are_an_error_unless_allowed() -> None:
    with pytest.raises(ValueError, match="contains NaN"):
        om.KMeans(2).fit(holed_rows(20, 3))
    with pytest.raises(ValueError, match="contains NaN"):
        om.KMeans(2).fit(np.nan_to_num(holed_rows(20, 3))).predict(holed_rows(20, 3))


def test_rows_and_columns_without_any_value() -> None:
    X = holed_rows(30, 3)
    X[11] = np.nan
    with pytest.raises(ValueError, match="Row 11 of X has no value at all"):
        fit(X)
    X = hard_cases.rows("blobs", 30, 3, np.float64)
    X[:, 2] = np.nan
    with pytest.raises(ValueError, match="Column 2 of X has no value in any row"):
        fit(X)


def test_infinity_is_never_a_hole() -> None:
    X = holed_rows(30, 3)
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"infinity[^$]*row 3, column 1"):
        fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cosine"}, "no length to be divided by"),
        ({"engine": "reference"}, "use engine='auto'"),
        ({"missing": "drop"}, "The 'missing' parameter of KMeans must be"),
    ],
)
def test_what_does_not_go_with_holes(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(holed_rows(30, 3), **options)


def test_tags() -> None:
    assert om.KMeans(missing="partial").__sklearn_tags__().input_tags.allow_nan
    assert not om.KMeans().__sklearn_tags__().input_tags.allow_nan


def test_the_guide_runs() -> None:
    page = Path(__file__).parent.parent / "docs" / "guide" / "missing-values.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 3
    assert result.failed == 0
