"""Spherical k-means: rows and centres of unit length, inertia the sum of one minus the cosine."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.metrics.pairwise import cosine_distances
from sklearn.preprocessing import normalize

import checks
import hard_cases
import omnimeans as om
import oracle
from omnimeans import _core
from omnimeans.directions import unit_rows

KINDS = sorted(hard_cases.KINDS)


def spherical(k: int = 4, **options: Any) -> om.KMeans:
    return om.KMeans(k, **{"metric": "cosine", "random_state": 0, "tol": 0.0, **options})


def with_zeros(X: Any, every: int = 7) -> Any:
    X = X.copy()
    X[3::every] = 0.0
    return X


# ---- rows of unit length


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3, 8, 21, 300])
def test_unit_rows_are_the_same_in_the_core(kind: str, d: int, dtype: Any) -> None:
    X = with_zeros(hard_cases.rows(kind, 300, d, dtype))
    unit, blank = unit_rows(X)
    for threads in (1, 3):
        core, core_blank = _core.unit_rows(X, threads)
        assert core.tobytes() == unit.tobytes()
        assert_array_equal(core_blank, blank)
    assert_array_equal(blank, np.flatnonzero(~X.any(axis=1)))
    assert unit.dtype == dtype
    assert not unit[blank].any()
    lengths = np.linalg.norm(np.delete(unit, blank, axis=0).astype(np.float64), axis=1)
    assert_allclose(lengths, 1.0, rtol=8 * np.finfo(dtype).eps)


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=20),
    st.sampled_from([1e-300, 1e-160, 1e-30, 1.0, 1e30, 1e160, 1e300]),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_unit_row_is_the_exact_quotient_and_stays(
    row: list[float], size: float, dtype: Any
) -> None:
    with np.errstate(over="ignore", under="ignore"):
        X = (np.array([row]) * size).astype(dtype)
    if not np.isfinite(X).all():
        X = np.nan_to_num(X, posinf=1.0, neginf=-1.0)
    unit, blank = unit_rows(X)
    for once in (unit_rows(unit)[0], _core.unit_rows(unit, 1)[0]):
        assert once.tobytes() == unit.tobytes()
    if blank.size:
        assert not X.any()
        return
    exact = [Fraction(float(value)) for value in X[0]]
    squared = sum(value * value for value in exact)
    for value, got in zip(exact, unit[0].tolist(), strict=True):
        quotient = math.copysign(math.sqrt(value * value / squared), value)
        assert got == pytest.approx(quotient, rel=8 * float(np.finfo(dtype).eps), abs=1e-40)


# ---- the objective


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("zeros", [False, True])
def test_inertia_is_the_sum_of_one_minus_the_cosine(
    zeros: bool, weighting: str, dtype: Any
) -> None:
    X = hard_cases.rows("blobs", 200, 5, dtype)
    X = with_zeros(X) if zeros else X
    w = hard_cases.weights(weighting, 200)
    model = spherical().fit(X, sample_weight=w)
    away = cosine_distances(X.astype(np.float64), model.cluster_centers_.astype(np.float64))
    rtol = 1e-12 if dtype is np.float64 else 1e-5
    assert_allclose(model.inertia_, checks.weighted_sum(away.min(axis=1), w), rtol=rtol)
    assert_allclose(model.transform(X), away, rtol=rtol, atol=rtol)
    assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1.0, rtol=1e-6)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    assert model.history_[-1].inertia == pytest.approx(model.inertia_, rel=1e-12)
    falls = [step.inertia for step in model.history_]
    assert falls == sorted(falls, reverse=True)
    directed = X.any(axis=1)
    assert_array_equal(model.labels_[directed], away[directed].argmin(axis=1))
    assert not model.labels_[~directed].any()


def test_fit_is_that_of_the_definition() -> None:
    """Spherical k-means in ten lines, on exact directions."""
    X = normalize(hard_cases.rows("blobs", 120, 4, np.float64))
    w = hard_cases.weights("any", 120)
    centers = X[:5].copy()
    model = spherical(5, init=centers).fit(X, sample_weight=w)
    for _ in range(model.n_iter_):
        labels = oracle.labels(X, centers, "euclidean")
        means, _ = oracle.means(X, labels, 5, w)
        centers = unit_rows(np.array(means))[0]
    assert_array_equal(model.cluster_centers_, centers)
    assert_array_equal(model.labels_, oracle.labels(X, centers, "euclidean"))
    exact = oracle.inertia(X, centers, model.labels_, "euclidean", w)
    assert model.inertia_ == exact / 2


def test_hand_computed() -> None:
    X = [[3.0, 0.0], [0.3, 0.4], [0.0, 0.0], [0.0, 7.0]]
    model = spherical(1, init=[[1.0, 2.0]]).fit(X)
    # the unit rows sum to (1.6, 1.8); the row of zeros costs 1
    length = math.hypot(1.6, 1.8)
    assert_allclose(model.cluster_centers_, [[1.6 / length, 1.8 / length]], rtol=1e-15)
    assert model.inertia_ == pytest.approx(3 - length + 1, rel=1e-14)
    assert_allclose(
        model.transform(X)[:, 0],
        [1 - 1.6 / length, 1 - (0.96 + 1.44) / length, 1.0, 1 - 1.8 / length],
        rtol=1e-13,
    )


def test_the_length_of_a_row_does_not_matter() -> None:
    X = hard_cases.rows("blobs", 200, 6, np.float64)
    stretch = 2.0 ** np.random.default_rng(0).integers(-200, 200, (200, 1))
    checks.assert_same_answer(spherical().fit(X), spherical().fit(X * stretch))
    huge = X / np.abs(X).max() * 1e300
    assert_array_equal(spherical().fit(huge).labels_, spherical().fit(X).labels_)


def test_opposite_rows_have_no_common_direction() -> None:
    X = np.array([[1.0, 0.0], [-1.0, 0.0]])
    model = spherical(1, init=[[0.6, 0.8]]).fit(X)
    assert_array_equal(model.cluster_centers_, [[0.6, 0.8]])
    assert model.inertia_ == pytest.approx(2.0)


# ---- rows of zeros


def test_a_row_of_zeros_changes_nothing_but_the_cost() -> None:
    X, w = hard_cases.rows("blobs", 90, 4, np.float64), np.linspace(1, 2, 90)
    start = X[:6]
    plain = spherical(6, init=start).fit(X, sample_weight=w)
    both = np.vstack([np.zeros((2, 4)), X])
    model = spherical(6, init=start).fit(both, sample_weight=[0.5, 3.0, *w])
    assert_array_equal(model.cluster_centers_, plain.cluster_centers_)
    assert_array_equal(model.labels_, [0, 0, *plain.labels_])
    assert model.inertia_ == plain.inertia_ + 3.5
    assert [step.moved for step in model.history_[1:]] == [s.moved for s in plain.history_[1:]]


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_a_row_of_zeros_is_never_a_start(init: str) -> None:
    X = np.zeros((200, 3))
    X[[5, 60, 150]] = np.eye(3)
    for seed in range(20):
        model = spherical(3, init=init, n_init=1, random_state=seed).fit(X)
        assert_array_equal(np.sort(model.cluster_centers_, axis=0), np.sort(np.eye(3), axis=0))
        assert model.inertia_ == 197.0


def test_an_empty_cluster_is_not_given_a_row_of_zeros() -> None:
    X = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.1], [1.0, 0.2], [0.0, 0.0]])
    model = spherical(2, init=[[1.0, 0.0], [-1.0, 0.0]]).fit(X)
    assert np.linalg.norm(model.cluster_centers_, axis=1) == pytest.approx(1.0)
    assert set(model.labels_[1:4]) == {0, 1}


def test_nothing_but_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match=r"All 3 rows of X .* are zero"):
        spherical(2).fit(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"All 2 rows of X .* are zero"):
        spherical(2).fit([[0, 0], [1, 1], [0, 0]], sample_weight=[1, 0, 1])


@pytest.mark.parametrize("init", [[[1, 0], [0, 0]], lambda X, k, random_state: 0 * X[:k]])
def test_a_start_without_direction_is_refused(init: Any) -> None:
    with pytest.raises(ValueError, match=r"init: centre [01] is zero and has no direction"):
        spherical(2, init=init, n_init=1).fit([[1, 2], [3, 4], [5, 0]])
    model = spherical(1).fit([[1.0, 2.0]])
    model.cluster_centers_ = np.zeros((1, 2))
    with pytest.raises(ValueError, match="cluster_centers_: centre 0 is zero"):
        model.predict([[1.0, 2.0]])


# ---- the rest of the estimator


def test_centers_of_any_length_predict_by_direction() -> None:
    X = hard_cases.rows("blobs", 50, 3, np.float32)
    model = spherical().fit(X)
    model.cluster_centers_ = model.cluster_centers_ * np.float32([[1], [10], [0.5], [3]])
    assert_array_equal(model.predict(X), model.labels_)


def test_a_callable_is_shown_directions() -> None:
    seen = []

    def init(X: Any, k: int, random_state: Any) -> Any:
        seen.append(X)
        return X[:k]

    X = np.random.default_rng(0).normal(3, 1, (30, 3))
    model = spherical(3, init=init, n_init=1, max_iter=1).fit(X)
    assert_allclose(np.linalg.norm(seen[0], axis=1), 1.0)
    checks.assert_same_answer(model, spherical(3, init=X[:3], max_iter=1).fit(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_engines_and_threads_agree(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnimeans.engines.cpu.SMALL", 0)
    monkeypatch.setattr("omnimeans.engines.spherical.SMALL", 0)
    X = with_zeros(hard_cases.rows("offset", 300, 11, dtype))
    w = hard_cases.weights("tiny and huge", 300)
    first = spherical(9, n_threads=1).fit(X, sample_weight=w)
    for options in ({"n_threads": 3}, {"engine": "reference"}):
        checks.assert_same_answer(first, spherical(9, **options).fit(X, sample_weight=w))


def test_the_same_clusters_as_on_normalised_rows() -> None:
    """On unit rows, Lloyd's own means are not of unit length; the partition is nearly the same."""
    X = load_digits().data.astype(np.float32)
    model = spherical(10).fit(X)
    units = normalize(X)
    euclid = om.KMeans(10, init=model.cluster_centers_, tol=0.0).fit(units)
    assert om.metrics.adjusted_rand_index(model.labels_, euclid.labels_) > 0.8
    # no other partition that Lloyd found serves the spherical objective better by much
    centers = normalize(euclid.cluster_centers_)
    assert model.inertia_ <= cosine_distances(units, centers).min(axis=1).sum() * 1.02


def test_the_metric_goes_through_the_teaching_interface() -> None:
    X = hard_cases.rows("blobs", 60, 3, np.float64)
    kmeans = om.KMeansLloyd(3, metric="cosine", random_state=1).fit(X)
    assert_allclose(np.linalg.norm(kmeans.centroids, axis=1), 1.0)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("engine", ["cpu", "reference", "blocks"])
def test_an_inertia_of_a_few_smallest_steps(engine: str) -> None:
    """Halving what is summed up already would round it twice; most of these would differ."""
    counted = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((12, 3)) * [1.0, 1e-160, 1e-160]
        weights = rng.choice([1.0, 1e100, 5e-324], 12)
        if seed % 2:
            X[0] = 0.0
        model = spherical(2, engine=engine).fit(X, sample_weight=weights)
        assert model.score(X, sample_weight=weights) == -model.inertia_
        counted += 0.0 < model.inertia_ < 1e-200
    assert counted > 5
