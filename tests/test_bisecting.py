"""BisectingKMeans: a tree of splits, the same going down when it is fitted and when it predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

import checks
import hard_cases
import omnimeans as om
from omnimeans import _bisect

METRICS = ["euclidean", "manhattan", "cosine"]


def bisecting(k: int = 5, **options: Any) -> om.BisectingKMeans:
    return om.BisectingKMeans(k, **{"random_state": 0, **options})


def definition(X: Any, tree: _bisect.Tree, metric: str) -> list[int]:
    """Go down the tree row by row."""
    leaves = tree.leaves.tolist()
    labels = []
    for x in X:
        node = 0
        while node not in leaves:
            left, right = tree.children[node]
            away = checks.pairwise(x[None], tree.centers[[left, right]], metric)[0]
            node = int(right if away[1] < away[0] else left)
        labels.append(leaves.index(node))
    return labels


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_everything_belongs_together(
    metric: str, dtype: Any, weighting: str, strategy: str
) -> None:
    X, w = hard_cases.rows("blobs", 150, 4, dtype), hard_cases.weights(weighting, 150)
    model = bisecting(metric=metric, bisecting_strategy=strategy).fit(X, sample_weight=w)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    assert model.cluster_centers_.shape == (5, 4)
    assert model.cluster_centers_.dtype == dtype
    assert model.labels_.dtype == np.int32
    assert set(model.labels_) == set(range(5))
    assert_array_equal(model.cluster_centers_, model.tree_.centers[model.tree_.leaves])
    assert type(model.n_iter_) is int
    assert model.n_iter_ >= 4
    if metric != "cosine":
        away = checks.pairwise(X, model.cluster_centers_, metric)[np.arange(150), model.labels_]
        assert model.inertia_ == pytest.approx(checks.weighted_sum(away, w), rel=1e-12)
        assert_array_equal(model.labels_, definition(X, model.tree_, metric))
    # every leaf is its rows' best centre, as KMeans with one cluster finds it
    for j in range(5):
        mine = model.labels_ == j
        one = om.KMeans(1, metric=metric).fit(X[mine], sample_weight=None if w is None else w[mine])
        if model.converged_ and metric == "euclidean":
            assert_allclose(model.cluster_centers_[j], one.cluster_centers_[0], atol=0.05)


def test_the_worst_cluster_is_split_first() -> None:
    X = np.array([[0.0], [1.0], [100.0], [101.0], [102.0], [103.0], [500.0], [530.0]])
    inertia = bisecting(3, n_init=5).fit(X)
    # 0..103 against 500..530, then the first (inertia over 13,000) before the second (450)
    assert_allclose(sorted(inertia.cluster_centers_.ravel()), [0.5, 101.5, 515.0])
    # four clusters: 450 is now the highest inertia, but 100..103 has the most rows
    by_inertia = bisecting(4, n_init=5).fit(X)
    assert_allclose(sorted(by_inertia.cluster_centers_.ravel()), [0.5, 101.5, 500.0, 530.0])
    by_size = bisecting(4, n_init=5, bisecting_strategy="largest_cluster").fit(X)
    assert_allclose(sorted(by_size.cluster_centers_.ravel()), [0.5, 100.5, 102.5, 515.0])
    # weights count: the pair at 500 weighs more than the four
    heavy = bisecting(4, n_init=5, bisecting_strategy="largest_cluster")
    heavy.fit(X, sample_weight=[1, 1, 1, 1, 1, 1, 9, 9])
    assert_allclose(sorted(heavy.cluster_centers_.ravel()), [0.5, 101.5, 500.0, 530.0])


@pytest.mark.filterwarnings("ignore:.*of BisectingKMeans stopped after max_iter=1")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("max_iter", [1, 300])
@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_as_many_clusters_as_there_are_different_rows(
    strategy: str, max_iter: int, metric: str
) -> None:
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(12, 2)), 3)[rng.integers(0, 12, 300)]
    for seed in range(5):
        options = {"metric": metric, "bisecting_strategy": strategy, "max_iter": max_iter}
        model = bisecting(12, random_state=seed, **options).fit(X)
        assert len(np.unique(model.labels_)) == 12
        if max_iter == 300:
            assert model.inertia_ == pytest.approx(0.0, abs=1e-12)
        with pytest.warns(ConvergenceWarning, match=r"clusters \(12\) found smaller than n_clus"):
            more = bisecting(15, random_state=seed, **options).fit(X)
        assert more.cluster_centers_.shape == (15, 2)
        assert_array_equal(more.predict(X), more.labels_)


def test_two_different_rows_and_four_clusters() -> None:
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        model = bisecting(4).fit([[0.0, 0.0]] * 3 + [[1.0, 1.0]] * 2)
    assert sorted(set(model.labels_)) == [0, 1]
    assert model.inertia_ == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_weights_are_copies(metric: str) -> None:
    X = hard_cases.rows("blobs", 60, 3, np.float64)
    w = np.random.default_rng(1).integers(1, 4, 60)
    corners = lambda rows, k, random_state: np.stack([rows.min(0), rows.max(0)])  # noqa: E731
    model = bisecting(4, metric=metric, init=corners, tol=0.0)
    weighted = model.fit(X, sample_weight=w).cluster_centers_
    assert model.inertia_ == -model.score(np.repeat(X, w, axis=0))
    copies = model.fit(np.repeat(X, w, axis=0)).cluster_centers_
    assert_allclose(weighted, copies, rtol=1e-12)


def test_rows_without_direction() -> None:
    X = hard_cases.rows("blobs", 80, 3, np.float64)
    X[::5] = 0.0
    model = bisecting(4, metric="cosine").fit(X)
    assert not model.labels_[::5].any()
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize(
    ("X", "weights", "metric", "centre"),
    [
        ([[0.0], [10.0], [20.0]], [0.0, 1.0, 0.0], "euclidean", 10.0),
        ([[0.0], [10.0], [20.0]], [0.0, 1.0, 0.0], "manhattan", 10.0),
        ([[0.0], [2.0]], None, "cosine", 1.0),
        ([[0.0], [2.0], [-2.0]], [3.0, 2.0, 0.0], "cosine", 1.0),
    ],
)
@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_a_row_that_does_not_count_is_no_centre(
    engine: str, X: Any, weights: Any, metric: str, centre: float
) -> None:
    model = bisecting(2, metric=metric, engine=engine).fit(X, sample_weight=weights)
    assert_array_equal(model.cluster_centers_, [[centre], [centre]])
    assert model.inertia_ == -model.score(X, sample_weight=weights)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("metric", METRICS)
def test_rows_without_weight_are_absent(metric: str, init: str) -> None:
    """Also where the splits start from samples."""
    rng = np.random.default_rng(2)
    X, w = rng.normal(size=(12_000, 3)), rng.integers(0, 3, 12_000).astype(float)
    both = bisecting(metric=metric, init=init).fit(X, sample_weight=w)
    alone = bisecting(metric=metric, init=init).fit(X[w > 0], sample_weight=w[w > 0])
    assert both.cluster_centers_.tobytes() == alone.cluster_centers_.tobytes()
    assert_array_equal(both.labels_[w > 0], alone.labels_)
    assert (both.inertia_, both.n_iter_) == (alone.inertia_, alone.n_iter_)


def test_float32_stays_and_the_tags_say_so() -> None:
    X = hard_cases.rows("blobs", 30, 2, np.float32)
    assert bisecting(2).fit(X).transform(X).dtype == np.float32
    assert get_tags(bisecting()).transformer_tags.preserves_dtype == ["float64", "float32"]


def test_extreme_values() -> None:
    X = hard_cases.rows("blobs", 80, 3, np.float64)
    plain, huge = bisecting(4).fit(X), bisecting(4).fit(X * 2.0**500)
    assert_array_equal(plain.labels_, huge.labels_)
    assert_array_equal(plain.cluster_centers_ * 2.0**500, huge.cluster_centers_)
    assert_array_equal(huge.predict(X * 2.0**500), huge.labels_)
    assert_array_equal(plain.tree_.inertia[1:] * 2.0**1000, huge.tree_.inertia[1:])


@pytest.mark.parametrize("metric", METRICS)
def test_engines_and_threads_agree(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnimeans.engines.cpu.SMALL", 0)
    X = hard_cases.rows("offset", 200, 5, np.float32)
    first = bisecting(7, metric=metric, n_threads=1).fit(X)
    for options in ({"n_threads": 3}, {"engine": "reference"}):
        other = bisecting(7, metric=metric, **options).fit(X)
        assert first.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
        assert_array_equal(first.labels_, other.labels_)
        assert (first.inertia_, first.n_iter_) == (other.inertia_, other.n_iter_)


def test_many_rows_start_from_a_sample() -> None:
    X, _ = make_blobs(20_000, 4, centers=16, random_state=0)
    ours = [bisecting(16, random_state=seed).fit(X).inertia_ for seed in range(3)]
    theirs = [
        sklearn.cluster.BisectingKMeans(16, random_state=seed).fit(X).inertia_ for seed in range(3)
    ]
    assert np.mean(ours) <= np.mean(theirs) * 1.05
    weighted = bisecting(16).fit(X, sample_weight=np.r_[np.ones(100), np.zeros(19_900)])
    assert len(np.unique(weighted.labels_[:100])) == 16


def test_one_cluster_and_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    X = hard_cases.rows("blobs", 30, 2, np.float64)
    model = bisecting(1, verbose=1).fit(X)
    assert_allclose(model.cluster_centers_, X.mean(axis=0)[None])
    assert not model.labels_.any()
    bisecting(2, verbose=1).fit(X)
    assert capsys.readouterr().out.count("New centroids from bisection: ") == 2


def test_signature_is_scikit_learns() -> None:
    ours, theirs = om.BisectingKMeans().get_params(), sklearn.cluster.BisectingKMeans().get_params()
    assert set(ours) - set(theirs) == {
        *("metric", "missing", "engine", "n_threads"),
        *("callback", "max_time", "raise_on_interrupt"),
    }
    assert {name for name in theirs if ours[name] != theirs[name]} == {"algorithm"}
