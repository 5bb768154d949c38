"""Empty clusters, centres given in part, frozen centres, and clusters numbered by size."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import checks
import hard_cases
import omnimeans as om

X = hard_cases.rows("blobs", 200, 2, np.float64)
FAR = np.vstack([X[:3], [[1e3, 1e3], [2e3, 1e3]]])  # the last two lose all rows at once
METRICS = ["euclidean", "manhattan", "cosine"]


def fit(rows: Any = X, weights: Any = None, k: int = 5, **options: Any) -> om.KMeans:
    return om.KMeans(k, **{"random_state": 0, "tol": 0.0, **options}).fit(
        rows, sample_weight=weights
    )


# ---- empty clusters


@pytest.mark.parametrize("policy", ["farthest", "split", "drop"])
@pytest.mark.parametrize("weighting", ["none", "counts"])
@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_everything_still_belongs_together(engine: str, weighting: str, policy: str) -> None:
    w = hard_cases.weights(weighting, 200)
    model = fit(X, w, init=FAR, empty_clusters=policy, engine=engine)
    k = len(model.cluster_centers_)
    assert k == (3 if policy == "drop" else 5)
    assert set(model.labels_) == set(range(k))
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    away = checks.pairwise(X, model.cluster_centers_, "euclidean")
    assert_array_equal(away.argmin(axis=1), model.labels_)
    assert model.transform(X).shape == (200, k)
    assert len(model.get_feature_names_out()) == k


def test_a_split_takes_from_the_worst_cluster() -> None:
    rows = np.array([[0.0], [1.0], [100.0], [110.0], [111.0], [112.0]])
    model = fit(rows, k=3, init=[[0.5], [101.0], [9e9]], empty_clusters="split", max_iter=1)
    # the row at 112 is farthest from 101, and 110 and 111 are nearer to it than to 101
    assert_array_equal(model.cluster_centers_.ravel(), [0.5, 100.0, 111.0])
    assert model.history_[0].repaired == 1


def test_a_split_leaves_copies_together_and_every_cluster_a_row() -> None:
    rows = np.repeat([[0.0], [5.0], [9.0]], 4, axis=0)
    start = [[5.0], [50.0], [60.0], [70.0]]
    with pytest.warns(UserWarning, match=r"distinct clusters \(3\)"):
        model = fit(rows, k=4, init=start, empty_clusters="split")
    assert model.inertia_ == 0.0
    assert len(np.unique(model.labels_)) == 3


def test_dropped_clusters_leave_what_the_others_make() -> None:
    dropped = fit(init=FAR, empty_clusters="drop")
    three = fit(k=3, init=FAR[:3])
    assert_array_equal(dropped.cluster_centers_, three.cluster_centers_)
    assert_array_equal(dropped.labels_, three.labels_)


@pytest.mark.parametrize("metric", METRICS)
def test_the_history_of_a_fit_that_drops_clusters_is_that_of_all_engines(metric: str) -> None:
    """Cluster numbers change when one goes, so all rows count as moved in the next pass."""
    far = -1000.0 * np.ones((1, X.shape[1]))
    start = np.concatenate([X[:1], far, X[1:2], 2.0 * far, X[2:4]])
    if metric == "cosine":
        start[[1, 3]] *= np.linspace(1.0, 2.0, X.shape[1])
    first, *others = (
        fit(init=start, k=6, empty_clusters="drop", metric=metric, engine=engine)
        for engine in ("cpu", "reference", "blocks")
    )
    assert len(first.cluster_centers_) < 6
    assert [math.isinf(record.shift) for record in first.history_[:2]] == [True, False]
    assert [record.moved for record in first.history_[:2]] == [len(X), len(X)]
    for other in others:
        assert other.history_ == first.history_
        assert_array_equal(other.labels_, first.labels_)
        assert_array_equal(other.cluster_centers_, first.cluster_centers_)


def test_a_fit_that_drops_clusters_is_whole_when_it_is_broken_off() -> None:
    def interrupt(record: om.progress.Progress) -> None:
        raise KeyboardInterrupt

    with pytest.warns(RuntimeWarning, match="was interrupted"):
        model = fit(init=FAR, empty_clusters="drop", callback=interrupt)
    assert len(model.history_) == 1
    assert len(np.unique(model.labels_)) == len(model.cluster_centers_) == 3
    assert_array_equal(model.predict(X), model.labels_)


def test_an_empty_cluster_may_be_an_error() -> None:
    with pytest.raises(om.EmptyClusterError, match=r"2 of 5 clusters have no rows .* number 3"):
        fit(init=FAR, empty_clusters="error")
    assert fit(empty_clusters="error").converged_
    assert issubclass(om.EmptyClusterError, ValueError)


# ---- centres given in part


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("fill", ["k-means++", "random"])
def test_missing_centres_are_drawn(fill: str, metric: str) -> None:
    given = X[[3, 50]]
    model = fit(init=given, fill=fill, metric=metric, max_iter=1)
    start = model.initial_centers_
    if metric != "cosine":
        assert_array_equal(start[:2], given)
        assert all((center == X).all(axis=1).any() for center in start)
    assert len(np.unique(start, axis=0)) == 5
    assert_array_equal(fit(init=X[:5], fill=fill).labels_, fit(init=X[:5]).labels_)


def test_drawn_centres_lie_far_from_those_given() -> None:
    corners = np.array([[0.0, 0.0], [0.0, 100.0], [100.0, 0.0], [100.0, 100.0]])
    rows = np.concatenate([corner + X[:50] / 100 for corner in corners])
    for seed in range(10):
        model = fit(rows, k=4, init=corners[:2], fill="k-means++", random_state=seed, max_iter=1)
        assert len(set(om.KMeans(4, init=corners).fit(rows).predict(model.initial_centers_))) == 4


def test_fewer_centres_need_to_be_asked_for() -> None:
    for other in (om.MiniBatchKMeans(5, init=X[:3]), om.KMeans(5, init=lambda *_, **__: X[:3])):
        with pytest.raises(ValueError, match=r"does not match the number of clusters 5\.$"):
            other.fit(X)  # it has no fill, or none that would help
    with pytest.raises(ValueError, match=r"does not match the number of clusters 5. Use fill="):
        fit(init=X[:3])
    with pytest.raises(ValueError, match=r"does not match the number of clusters 5\.$"):
        fit(init=X[:6], fill="random")


# ---- frozen centres


@pytest.mark.parametrize("metric", METRICS)
def test_frozen_centres_do_not_move(metric: str) -> None:
    init = X[[3, 50, 90, 120, 7]]
    model = fit(init=init, frozen=[0, 3], metric=metric)
    start = model.initial_centers_
    same = (model.cluster_centers_ == start).all(axis=1)
    assert same.tolist() == [True, False, False, True, False]
    assert_array_equal(model.predict(X), model.labels_)
    falls = [step.inertia for step in model.history_]
    assert all(b <= a * (1 + 1e-12) for a, b in itertools.pairwise(falls))


def test_frozen_centres_may_stay_without_rows() -> None:
    model = fit(init=FAR, frozen=[4])
    assert_array_equal(model.cluster_centers_[4], FAR[4])
    assert set(model.labels_) == {0, 1, 2, 3}
    filled = fit(init=FAR[4:], frozen=[0], fill="k-means++")
    assert_array_equal(filled.cluster_centers_[0], FAR[4])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frozen": [0]}, "init must be an array"),
        ({"init": X[:5], "frozen": [5]}, "frozen holds 5 to 5, but init has 5 centres"),
        ({"init": X[:5], "frozen": [0.5]}, "list of numbers of centres"),
        ({"init": X[:5], "frozen": [0], "empty_clusters": "drop"}, "none can be frozen"),
        ({"empty_clusters": "ignore"}, "The 'empty_clusters' parameter of KMeans must be"),
        ({"fill": "zeros"}, "The 'fill' parameter of KMeans must be"),
        ({"sort_labels": "name"}, "The 'sort_labels' parameter of KMeans must be"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(**options)


# ---- numbers by size


@pytest.mark.parametrize("weighting", ["none", "any"])
@pytest.mark.parametrize("scale", [1.0, 2.0**500])
def test_clusters_are_numbered_by_size(scale: float, weighting: str) -> None:
    w = hard_cases.weights(weighting, 200)
    plain = fit(X * scale, w)
    model = fit(X * scale, w, sort_labels="size")
    sizes = np.bincount(model.labels_, w, minlength=5)
    assert_array_equal(sizes, np.sort(sizes)[::-1])
    assert model.inertia_ == plain.inertia_
    assert_array_equal(model.predict(X * scale), model.labels_)
    for centers in ("cluster_centers_", "initial_centers_"):
        ours, theirs = getattr(model, centers), getattr(plain, centers)
        assert {tuple(c) for c in ours} == {tuple(c) for c in theirs}
