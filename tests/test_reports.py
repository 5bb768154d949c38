"""Reports: every figure against one computed another way, and every warning seen to fire."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans as Peer
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.feature_selection import f_classif
from sklearn.metrics import silhouette_samples
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omnimeans as om
from omnimeans.reports import _view

IRIS, SPECIES = load_iris(return_X_y=True, as_frame=True)
MODEL = om.KMeans(3, random_state=0).fit(IRIS)
SEEN = om.report(MODEL, IRIS, SPECIES)


def report_of(k: int, X: Any, **given: Any) -> om.Report:
    return om.report(om.KMeans(k, random_state=0).fit(X), X, **given)


# ---- the figures


def test_dispersion_is_that_of_the_literature() -> None:
    # R's kmeans(iris[, 1:4], 3): totss 681.3706, tot.withinss 78.85144, betweenss 602.5192
    found = SEEN.dispersion
    assert round(found.total, 4) == 681.3706
    assert round(found.within, 5) == 78.85144
    assert round(found.between, 4) == 602.5192
    assert found.explained == pytest.approx(0.884275)
    assert found.within == MODEL.inertia_
    assert sorted(c.size for c in SEEN.clusters) == [38, 50, 62]


def test_clusters_are_what_brute_force_finds() -> None:
    X, labels, centers = IRIS.to_numpy(), MODEL.labels_, MODEL.cluster_centers_
    near = np.array([math.dist(x, centers[j]) for x, j in zip(X, labels, strict=True)])
    for j, cluster in enumerate(SEEN.clusters):
        rows = np.flatnonzero(labels == j)
        assert cluster.size == cluster.weight == len(rows)
        assert cluster.share == pytest.approx(len(rows) / 150)
        assert cluster.within == pytest.approx(math.fsum(near[rows] ** 2))
        assert cluster.spread == pytest.approx(math.sqrt(math.fsum(near[rows] ** 2) / len(rows)))
        assert cluster.radius == pytest.approx(near[rows].max())
        others = {i: math.dist(centers[i], centers[j]) for i in range(3) if i != j}
        assert cluster.neighbor == min(others, key=lambda i: others[i])
        assert cluster.neighbor_distance == pytest.approx(min(others.values()))
        ranked = sorted(rows, key=lambda row: (near[row], row))
        assert [p.row for p in cluster.exemplars] == ranked[:3]
        assert [p.row for p in cluster.outliers] == sorted(rows, key=lambda r: (-near[r], r))[:3]
        line = centers[cluster.neighbor] - centers[j]
        along = (X[rows] - centers[j]) @ line / np.linalg.norm(line)
        assert cluster.gap == pytest.approx(np.linalg.norm(line) / along.std())
    assert sum(c.within for c in SEEN.clusters) == pytest.approx(MODEL.inertia_)


def test_centers_in_their_own_units_and_as_z_scores() -> None:
    np.testing.assert_array_equal(SEEN.centers, MODEL.cluster_centers_)
    scaler = StandardScaler().fit(IRIS.to_numpy())
    np.testing.assert_allclose(SEEN.z_scores, scaler.transform(SEEN.centers), atol=1e-12)


def test_features_by_the_analysis_of_variance() -> None:
    ratios, _ = f_classif(IRIS.to_numpy(), MODEL.labels_)
    assert [f.f_ratio for f in SEEN.features] == pytest.approx(ratios)
    variance = IRIS.to_numpy().var(axis=0)
    assert [f.share for f in SEEN.features] == pytest.approx(variance / variance.sum())
    assert [f.std for f in SEEN.features] == pytest.approx(np.sqrt(variance))
    assert [f.mean for f in SEEN.features] == pytest.approx(IRIS.mean())
    assert [f.minimum for f in SEEN.features] == IRIS.min().tolist()
    assert [f.maximum for f in SEEN.features] == IRIS.max().tolist()
    explained = sum(f.explained * v for f, v in zip(SEEN.features, variance, strict=True))
    assert explained / variance.sum() == pytest.approx(SEEN.dispersion.explained)


def test_marks_are_the_features_with_the_highest_ratio_of_one_against_the_rest() -> None:
    for cluster in SEEN.clusters:
        ratios, _ = f_classif(IRIS.to_numpy(), MODEL.labels_ == cluster.label)
        ranked = np.argsort(-ratios)
        assert [m.feature for m in cluster.marks] == IRIS.columns[ranked].tolist()
        assert [m.f_ratio for m in cluster.marks] == pytest.approx(ratios[ranked])
        assert cluster.marks[0].center == MODEL.cluster_centers_[cluster.label, ranked[0]]


def test_silhouettes_are_those_of_scikit_learn() -> None:
    values = silhouette_samples(IRIS.to_numpy(), MODEL.labels_)
    assert SEEN.silhouette.mean == pytest.approx(values.mean())
    assert SEEN.silhouette.n_sampled == 150
    for cluster in SEEN.clusters:
        assert cluster.silhouette == pytest.approx(values[MODEL.labels_ == cluster.label].mean())
    two = np.sort(MODEL.transform(IRIS), axis=1)[:, :2]
    assert SEEN.silhouette.simplified == pytest.approx((1 - two[:, 0] / two[:, 1]).mean())


def test_agreement_is_that_of_the_metrics() -> None:
    agreement = SEEN.agreement
    assert agreement is not None
    assert agreement.scores["purity"] == om.purity_score(SPECIES, MODEL.labels_)
    assert agreement.scores["Rand index"] == om.rand_index(SPECIES, MODEL.labels_)
    np.testing.assert_array_equal(
        agreement.contingency, om.contingency_matrix(SPECIES, MODEL.labels_)
    )
    assert agreement.classes == ("0", "1", "2")


def test_the_course_is_the_history() -> None:
    course = SEEN.course
    assert course.iterations == MODEL.n_iter_
    assert (course.converged, course.stop_reason) == (True, "fixed point")
    assert [s.inertia for s in course.history] == [s.inertia for s in MODEL.history_]
    assert course.seconds == sum(step.seconds for step in MODEL.history_) > 0.0
    assert SEEN.settings.parameters["n_clusters"] == 3
    assert SEEN.settings.parameters["random_state"] == 0
    assert SEEN.settings.estimator == "omnimeans.KMeans"
    assert SEEN.data.trained_on is True


# ---- the same with weights, elsewhere, in other units


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=30, max_size=30).filter(lambda w: sum(w) > 5))
def test_a_weight_is_a_number_of_copies(weights: list[int]) -> None:
    X, _ = make_blobs(30, n_features=3, centers=2, random_state=1)
    model = om.KMeans(2, init=X[:2]).fit(X)
    weighted = om.report(model, X, sample_weight=weights)
    copied = om.report(model, np.repeat(X, weights, axis=0))
    assert weighted.dispersion.within == pytest.approx(copied.dispersion.within)
    assert weighted.dispersion.total == pytest.approx(copied.dispersion.total)
    np.testing.assert_allclose(weighted.z_scores, copied.z_scores, atol=1e-9)
    for a, b in zip(weighted.features, copied.features, strict=True):
        assert (a.mean, a.std, a.f_ratio) == pytest.approx((b.mean, b.std, b.f_ratio))
        assert (a.minimum, a.maximum) == (b.minimum, b.maximum)
    for a, b in zip(weighted.clusters, copied.clusters, strict=True):
        assert a.weight == b.weight
        assert a.radius == pytest.approx(b.radius)
        assert a.spread == pytest.approx(b.spread)
        assert a.simplified_silhouette == pytest.approx(b.simplified_silhouette)
        assert all(weights[place.row] for place in (*a.exemplars, *a.outliers))


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_figures_far_from_zero_keep_their_digits(offset: float) -> None:
    X, _ = make_blobs(400, n_features=3, centers=3, random_state=0)
    X = np.round(X * 2**10) / 2**10  # so that the offset is exact
    here, there = (om.report(om.KMeans(3, init=Y[:3], tol=0).fit(Y), Y) for Y in (X, X + offset))
    assert there.dispersion.within == pytest.approx(here.dispersion.within)
    assert there.dispersion.total == pytest.approx(here.dispersion.total)
    np.testing.assert_allclose(there.z_scores, here.z_scores, atol=1e-6)
    for a, b in zip(here.features, there.features, strict=True):
        assert a.f_ratio == pytest.approx(b.f_ratio, rel=1e-5)


def test_one_answer_for_any_number_of_threads() -> None:
    X, _ = make_blobs(30_000, n_features=4, centers=5, random_state=0)
    texts = set()
    for threads in (1, 2, 7):
        model = om.KMeans(5, random_state=0, n_threads=threads).fit(X)
        text = om.report(model, X).to_json()
        texts.add(re.sub(r'"(n_threads|seconds)": [^,\n]*', "", text))
    assert len(texts) == 1


@pytest.mark.parametrize("form", [np.uint8, np.float16, np.int64, np.asfortranarray])
def test_one_answer_for_any_form_of_rows(form: Any) -> None:
    X = load_digits().data[:500]
    model = om.KMeans(5, random_state=0).fit(X)
    plain, other = om.report(model, X), om.report(model, form(X))
    assert other.to_dict() == plain.to_dict()
    np.testing.assert_array_equal(other.view.points, plain.view.points)


def test_manhattan_is_summed_as_it_is() -> None:
    X = IRIS.to_numpy()
    model = om.KMeans(3, metric="manhattan", random_state=0).fit(X)
    found = om.report(model, X).dispersion
    assert found.within == model.inertia_
    assert found.total == pytest.approx(np.abs(X - np.median(X, axis=0)).sum())
    assert found.measure == "sum of city-block distances"


def test_cosine_is_summed_as_it_is() -> None:
    X = IRIS.to_numpy()
    model = om.KMeans(3, metric="cosine", random_state=0).fit(X)
    seen = om.report(model, X)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    mean = unit.mean(axis=0) / np.linalg.norm(unit.mean(axis=0))
    assert seen.dispersion.within == pytest.approx(model.inertia_)
    assert seen.dispersion.total == pytest.approx((1 - unit @ mean).sum())
    assert seen.dispersion.measure == "sum of 1 - cosine"
    np.testing.assert_allclose(seen.centers[0], X[model.labels_ == 0].mean(axis=0))
    assert seen.replay is not None
    np.testing.assert_allclose(seen.replay.centers[-1], seen.view.centers)


def test_a_pipeline_is_described_in_the_units_of_its_input() -> None:
    pipe = make_pipeline(StandardScaler(), om.KMeans(3, random_state=0)).fit(IRIS)
    seen = om.report(pipe, IRIS)
    labels = pipe.predict(IRIS)
    np.testing.assert_allclose(seen.centers, IRIS.groupby(labels).mean().to_numpy())
    assert seen.dispersion.within == pipe[-1].inertia_
    assert seen.dispersion.total == pytest.approx(600.0)  # 150 rows, 4 features of variance 1
    assert seen.settings.steps_before == ("StandardScaler",)
    assert seen.data.feature_names == tuple(IRIS.columns)
    assert "by StandardScaler, omnimeans.KMeans" in str(seen)


def test_models_of_others_are_read_too() -> None:
    theirs = Peer(3, init=MODEL.cluster_centers_, n_init=1).fit(IRIS.to_numpy())
    seen = om.report(theirs, IRIS.to_numpy(), feature_names=IRIS.columns)
    assert seen.settings.estimator == "sklearn.KMeans"
    assert seen.course.history == ()
    assert seen.course.stop_reason is None
    assert seen.dispersion.within == pytest.approx(theirs.inertia_)
    assert seen.replay is not None
    assert "does not tell where it started" in seen.replay.note


def test_other_rows_than_those_of_the_fit() -> None:
    half = om.report(MODEL, IRIS[::2])
    assert half.data.trained_on is False
    assert "other rows" in str(half)
    assert half.dispersion.within == -MODEL.score(IRIS[::2])


# ---- the plane and the steps


def test_the_steps_are_those_of_the_fit() -> None:
    plane = IRIS.to_numpy()[:, :2]
    model = om.KMeans(4, random_state=3).fit(plane)
    replay = om.report(model, plane).replay
    assert replay is not None
    assert replay.note.startswith("These are the steps of the fit itself")
    np.testing.assert_array_equal(replay.centers[0], model.initial_centers_)
    np.testing.assert_array_equal(replay.centers[-1], model.cluster_centers_)
    np.testing.assert_array_equal(replay.labels[-1], model.labels_)
    assert list(replay.inertias) == [step.inertia for step in model.history_]
    assert list(replay.moved) == [step.moved for step in model.history_]


def test_the_projection_is_that_of_the_main_directions() -> None:
    X = IRIS.to_numpy()
    _, sizes, directions = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    shares = sizes**2 / (sizes**2).sum()
    assert SEEN.view.explained == pytest.approx(shares[:2], abs=1e-6)
    expected = (X - X.mean(axis=0)) @ directions[:2].T
    np.testing.assert_allclose(np.abs(SEEN.view.points), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(
        SEEN.view.centers,
        [SEEN.view.points[MODEL.labels_ == j].mean(axis=0) for j in range(3)],
        atol=1e-9,
    )


def test_two_features_are_shown_as_they_are() -> None:
    plane = IRIS.to_numpy()[:, :2]
    view = report_of(3, plane).view
    np.testing.assert_array_equal(view.points, plane)
    assert view.note == ""


def test_many_rows_are_sampled_but_no_cluster_is_lost() -> None:
    X = np.concatenate([np.random.default_rng(0).normal(size=(60_000, 2)), [[90.0, 90.0]] * 3])
    seen = om.report(om.KMeans(2, init=[[0.0, 0.0], [90.0, 90.0]]).fit(X), X)
    assert len(seen.view.rows) == _view.MOST_ROWS
    assert np.count_nonzero(seen.view.labels == 1) == 3
    assert len(np.unique(seen.view.rows)) == len(seen.view.rows)
    assert "20,000 of 60,003 rows are shown" in seen.view.note
