"""KMeans: fits computed by hand, agreement with scikit-learn, and labels that always belong."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.metrics import adjusted_rand_score

import omnimeans as om
from checks import assert_agrees, assert_belongs_together, assert_same_answer, pairwise
from omnimeans._types import Iteration

TOY = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
BLOBS, BLOB_LABELS = make_blobs(n_samples=300, centers=4, n_features=3, random_state=5)
METRICS = ["euclidean", "manhattan"]
DTYPES = [np.float32, np.float64]


# ---- by hand


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ["auto", "lloyd", "elkan"])
def test_weighted_square(dtype: type, algorithm: str) -> None:
    X = np.array([[0, 0], [0.5, 0], [0.5, 1], [1, 1]], dtype=dtype)
    model = om.KMeans(n_clusters=2, init=[[0, 0], [1, 1]], algorithm=algorithm)
    model.fit(X, sample_weight=[3, 1, 1, 3])
    assert_array_equal(model.labels_, [0, 0, 1, 1])
    assert_array_equal(model.cluster_centers_, [[0.125, 0], [0.875, 1]])
    assert model.inertia_ == 0.375
    assert model.n_iter_ == 2
    assert model.stop_reason_ == "fixed point"
    assert model.algorithm_ == "brute"
    # at the given centres: 1 row of each cluster is half a unit away
    assert model.history_[0] == Iteration(
        inertia=0.5, moved=4, shift=0.03125, repaired=0, redecided=model.history_[0].redecided
    )


def test_good_and_bad_optimum_of_the_toy() -> None:
    assert om.KMeans(n_clusters=2, init=TOY[[0, 3]]).fit(TOY).inertia_ == 16.0
    bad = om.KMeans(n_clusters=2, init=[[5.5, 4.0], [5.5, 1.0]]).fit(TOY)
    assert bad.inertia_ == 125.5
    assert bad.n_iter_ == 1
    assert om.KMeans(n_clusters=2, n_init=10, random_state=0).fit(TOY).inertia_ == 16.0


def test_squares_are_what_is_minimised() -> None:
    X = np.array([[-2.0], [-1.0], [1.0], [2.0], [9.0]])
    model = om.KMeans(n_clusters=2, init=[[-1.0], [1.0]]).fit(X)
    assert_array_equal(model.cluster_centers_, [[0.0], [9.0]])
    assert model.inertia_ == 10.0


def test_manhattan_moves_to_weighted_medians() -> None:
    X = np.array([[0.0, 0.0], [1.0, 0.0], [8.0, 3.0], [20.0, 20.0], [22.0, 24.0]])
    model = om.KMeans(n_clusters=2, init=X[[0, 3]], metric="manhattan").fit(X)
    assert_array_equal(model.labels_, [0, 0, 0, 1, 1])
    assert_array_equal(model.cluster_centers_, [[1.0, 0.0], [21.0, 22.0]])
    assert model.inertia_ == 1.0 + 0.0 + 10.0 + 3.0 + 3.0
    heavy = clone(model).fit(X, sample_weight=[5, 1, 1, 1, 3])
    assert_array_equal(heavy.cluster_centers_, [[0.0, 0.0], [22.0, 24.0]])
    assert heavy.inertia_ == 0.0 + 1.0 + 11.0 + 6.0 + 0.0


def test_integers_have_a_fractional_mean() -> None:
    model = om.KMeans(n_clusters=1).fit(np.array([[1], [2]]))
    assert_array_equal(model.cluster_centers_, [[1.5]])
    assert model.cluster_centers_.dtype == np.float64


def test_ties_go_to_the_lowest_label() -> None:
    model = om.KMeans(n_clusters=2, init=[[0.0], [2.0]]).fit([[0.0], [2.0]])
    assert_array_equal(model.predict([[1.0]]), [0])


def test_an_empty_cluster_gets_the_farthest_row() -> None:
    model = om.KMeans(n_clusters=2, init=[[0.0], [100.0]]).fit([[0.0], [1.0], [9.0]])
    assert_array_equal(model.labels_, [0, 0, 1])
    assert_array_equal(model.cluster_centers_, [[0.5], [9.0]])
    assert [line.repaired for line in model.history_] == [1, 0]


def test_a_row_of_weight_zero_changes_nothing() -> None:
    X = np.vstack([TOY, [[1e6, 1e6]]])
    weights = [1, 1, 1, 1, 1, 1, 0]
    model = om.KMeans(n_clusters=2, n_init=5, random_state=0).fit(X, sample_weight=weights)
    assert model.inertia_ == 16.0
    assert sorted(model.cluster_centers_.tolist()) == [[1.0, 2.0], [10.0, 2.0]]


# ---- as scikit-learn, from the same start


def start_of(X: Any, k: int) -> Any:
    """Rows, moved a little: on a tie of whole-numbered rows, scikit-learn's rounding decides."""
    noise = np.random.default_rng(3).normal(scale=0.01, size=(k, X.shape[1]))
    return sklearn.cluster.kmeans_plusplus(X, k, random_state=3)[0] + noise


CASES = {
    "toy": (TOY, 2),
    "iris": (load_iris().data, 3),
    "iris, two features": (load_iris().data[:, :2], 3),
    "digits": (load_digits().data, 10),
    "blobs": (BLOBS, 4),
    "blobs, too many clusters": (BLOBS, 9),
}


@pytest.mark.parametrize("tol", [1e-4, 0.0])
@pytest.mark.parametrize("case", CASES)
def test_same_way_as_scikit_learn(case: str, tol: float) -> None:
    X, k = CASES[case]
    options = {"n_clusters": k, "init": start_of(X, k), "n_init": 1, "tol": tol}
    ours = om.KMeans(**options).fit(X)
    assert_agrees(ours, sklearn.cluster.KMeans(**options).fit(X))
    assert_belongs_together(ours, X)


def test_same_way_as_scikit_learn_with_weights() -> None:
    weights = np.random.default_rng(0).uniform(0.1, 3.0, len(BLOBS))
    options = {"n_clusters": 6, "init": start_of(BLOBS, 6), "n_init": 1, "tol": 0.0}
    ours, theirs = om.KMeans(**options), sklearn.cluster.KMeans(**options)
    assert_agrees(ours.fit(BLOBS, sample_weight=weights), theirs.fit(BLOBS, sample_weight=weights))


def test_tolerance_is_relative_to_the_mean_variance() -> None:
    model = om.KMeans(n_clusters=4, tol=0.25, random_state=0).fit(BLOBS)
    assert_allclose(model._tol, 0.25 * BLOBS.var(axis=0).mean(), rtol=1e-12)
    assert model.history_[-1].shift <= model._tol


# ---- labels, centres, inertia belong together


@pytest.mark.parametrize("max_iter", [1, 2, 300])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_belongs_together(dtype: type, metric: str, weighted: bool, max_iter: int) -> None:
    X = BLOBS.astype(dtype)
    weights = np.random.default_rng(1).uniform(size=len(X)) if weighted else None
    model = om.KMeans(n_clusters=7, metric=metric, max_iter=max_iter, random_state=1)
    assert_belongs_together(model.fit(X, sample_weight=weights), X, weights)


def grid_of_blobs(places: Any, sd: float, n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 rows around the places (never further than 3 sd), and the true labels."""
    places = np.asarray(places, dtype=np.float64)
    labels = np.arange(n) % len(places)
    noise = np.clip(np.random.default_rng(0).standard_normal((n, places.shape[1])), -3, 3)
    return (places[labels] + sd * noise).astype(np.float32), labels


SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
OFFSET_DATA = {
    "latitude and longitude": (SQUARE * 4e-4 + [48.8566, 2.3522], 5e-5),
    "UTM metres": (SQUARE * 40.0 + [5e5, 4.5e6], 5.0),
    "unix time": (np.arange(4)[:, None] * 6 * 3600.0 + 1.7e9, 600.0),
    "pressure": (np.arange(4)[:, None] * 5.0 + 101325.0, 0.5),
    **{f"offset {10.0**e:g}": (np.array([[0.0], [1.0]]) + 10.0**e, 0.1) for e in range(3, 8)},
}


@pytest.mark.parametrize("case", OFFSET_DATA)
def test_float32_data_far_from_zero(case: str) -> None:
    places, sd = OFFSET_DATA[case]
    X, truth = grid_of_blobs(places, sd)
    model = om.KMeans(n_clusters=len(places), n_init=10, random_state=0).fit(X)
    assert adjusted_rand_score(truth, model.labels_) == 1.0
    assert_belongs_together(model, X)


def test_small_inertia_keeps_its_digits() -> None:
    X = np.array([[-1.0001], [-0.9999], [0.9999], [1.0001]], dtype=np.float32)
    model = om.KMeans(n_clusters=2, init=X[[0, 3]]).fit(X)
    assert_allclose(model.inertia_, 4.0e-8, rtol=1e-3)  # the data themselves are rounded
    assert_belongs_together(model, X)


@pytest.mark.parametrize("metric", METRICS)
def test_a_whole_weight_is_that_many_copies(metric: str) -> None:
    weights = np.random.default_rng(2).integers(0, 5, size=len(BLOBS))
    copies = np.repeat(BLOBS, weights, axis=0)
    options = {"n_clusters": 5, "metric": metric, "random_state": 4}
    weighted = om.KMeans(**options).fit(BLOBS, sample_weight=weights)
    repeated = om.KMeans(**options).fit(copies)
    assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    assert_array_equal(np.repeat(weighted.labels_, weights), repeated.labels_)
    assert weighted.inertia_ == repeated.inertia_


# ---- predict and transform on other rows


def test_predict_compares_exact_values_of_any_type() -> None:
    # 0.1 is not a float32: the half-way point lies between the two roundings of it
    narrow, wide = np.array([[0.1]], dtype=np.float32), np.array([[0.1]])
    model = om.KMeans(n_clusters=2, init=[[0.0], [0.2]]).fit([[0.0], [0.2]])
    assert_array_equal(model.predict(wide), [0])  # exactly half-way: the lowest
    assert_array_equal(model.predict(narrow), [1])  # 0.1f is above 0.1
    assert_array_equal(model.predict(wide.tolist()), [0])

    model32 = om.KMeans(n_clusters=2, init=narrow * [[0], [1]]).fit(narrow * np.float32([[0], [1]]))
    half = np.float64(np.float32(0.1)) / 2
    assert_array_equal(model32.predict([[half], [np.nextafter(half, 1)]]), [0, 1])


def test_predict_follows_the_present_centers(tmp_path: Any) -> None:
    model = om.KMeans(n_clusters=2, init=TOY[[0, 3]]).fit(TOY)
    np.save(tmp_path / "centers.npy", model.cluster_centers_[::-1])
    model.cluster_centers_ = np.load(tmp_path / "centers.npy", mmap_mode="r")
    assert_array_equal(model.predict(TOY), 1 - model.labels_)
    model.cluster_centers_ = [[0, 0], [100, 100]]
    assert_array_equal(model.predict(TOY), np.zeros(6))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transform(dtype: type, metric: str) -> None:
    X = BLOBS.astype(dtype)
    model = om.KMeans(n_clusters=5, metric=metric, random_state=0).fit(X)
    own = model.transform(model.cluster_centers_)
    assert_array_equal(own.diagonal(), np.zeros(5))
    distances = pairwise(X, model.cluster_centers_, metric)
    expected = np.sqrt(distances) if metric == "euclidean" else distances
    found = model.transform(X)
    assert found.dtype == dtype
    assert_allclose(found, expected, rtol=1e-6 if dtype == np.float32 else 1e-12)
    assert_array_equal(clone(model).fit_transform(X), found)


def test_a_fitted_model_survives_pickle() -> None:
    model = om.KMeans(n_clusters=3, random_state=0).fit(BLOBS)
    again = pickle.loads(pickle.dumps(model))
    assert_same_answer(model, again)
    assert_array_equal(again.predict(BLOBS), model.labels_)
