"""MiniBatchKMeans: growing samples, batch after batch, and scikit-learn's interface."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import make_blobs

import checks
import hard_cases
import omnimeans as om
import oracle
from omnimeans import _nested
from omnimeans.directions import unit_rows

METRICS = ["euclidean", "manhattan", "cosine"]


def minibatch(k: int = 4, **options: Any) -> om.MiniBatchKMeans:
    return om.MiniBatchKMeans(k, **{"random_state": 0, **options})


# ---- fit


@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("batch_size", [20, 1024])
def test_everything_belongs_together(
    batch_size: int, metric: str, dtype: Any, weighting: str
) -> None:
    X, w = hard_cases.rows("blobs", 500, 4, dtype), hard_cases.weights(weighting, 500)
    model = minibatch(metric=metric, batch_size=batch_size).fit(X, sample_weight=w)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    assert model.cluster_centers_.dtype == dtype
    assert model.labels_.dtype == np.int32
    assert set(model.labels_) == set(range(4))
    assert type(model.inertia_) is float
    assert type(model.n_steps_) is type(model.n_iter_) is int
    counted = 500 if w is None else np.count_nonzero(w)
    assert model.n_iter_ == np.ceil(model.n_steps_ * min(batch_size, counted) / counted)
    if metric != "cosine":
        away = checks.pairwise(X, model.cluster_centers_, metric)
        assert_array_equal(model.labels_, away.argmin(axis=1))
        assert model.inertia_ == pytest.approx(checks.weighted_sum(away.min(axis=1), w), rel=1e-12)


def test_batches_hold_each_other_and_grow() -> None:
    assert _nested.sizes(100, 100) == [100]
    assert _nested.sizes(61, 100) == [100]
    assert _nested.sizes(10, 100) == [10, 20, 40, 100]
    model = minibatch(batch_size=50, init_size=50).fit(hard_cases.rows("blobs", 900, 3, np.float64))
    # in the first iteration of a batch its new rows move, and some of the others
    assert model.history_[0].moved == 50
    assert len(model.history_) >= 5


@pytest.mark.parametrize("metric", METRICS)
def test_on_all_rows_it_is_lloyds_algorithm(metric: str) -> None:
    X = hard_cases.rows("blobs", 300, 3, np.float64)
    how = {"metric": metric, "init": X[:6], "tol": 0.0, "random_state": 0}
    lloyd = om.KMeans(6, **how).fit(X)
    model = om.MiniBatchKMeans(6, max_no_improvement=None, **how).fit(X)
    assert_array_equal(model.cluster_centers_, lloyd.cluster_centers_)
    assert model.inertia_ == lloyd.inertia_
    assert model.history_ == lloyd.history_
    assert (model.stop_reason_, model.n_iter_) == ("fixed point", model.max_iter)


def test_engines_and_threads_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnimeans.engines.cpu.SMALL", 0)
    X = hard_cases.rows("blobs", 400, 5, np.float32)
    first = minibatch(7, batch_size=20, n_threads=1).fit(X)
    for options in ({"n_threads": 3}, {"engine": "reference"}):
        other = minibatch(7, batch_size=20, **options).fit(X)
        checks.assert_same_answer(first, other)
        assert first.n_steps_ == other.n_steps_


def test_float32_far_from_zero_does_not_drift() -> None:
    """One city block in degrees: four blobs 4e-4 apart at 48.8566, as scikit-learn loses them."""
    corners = np.array([[0, 0], [0, 4e-4], [4e-4, 0], [4e-4, 4e-4]])
    block, corner = make_blobs(20_000, centers=corners, cluster_std=5e-5, random_state=0)
    gps = np.float32(block + np.array([48.8566, 2.3522]))
    model = minibatch(batch_size=100).fit(gps)
    assert om.metrics.adjusted_rand_index(corner, model.labels_) > 0.99
    stream = minibatch(init=gps[[np.argmax(corner == j) for j in range(4)]], n_init=1)
    for part in np.array_split(gps, 500):
        stream.partial_fit(part)
    means = [gps[corner == j].astype(np.float64).mean(axis=0) for j in range(4)]
    assert_allclose(stream.cluster_centers_ - means, 0.0, atol=8e-6)
    assert om.metrics.adjusted_rand_index(corner, stream.predict(gps)) > 0.99


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e5, 1e6, 1e7])
def test_float32_at_any_offset_finds_separated_blobs(offset: float) -> None:
    """Blobs some hundred float32 steps apart; the squares of the values lose them at once."""
    step = float(np.spacing(np.float32(offset)))
    corners = 400.0 * step * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    blobs, corner = make_blobs(6000, centers=corners, cluster_std=8.0 * step, random_state=0)
    X = np.float32(blobs + offset)
    model = minibatch(batch_size=100).fit(X)
    assert om.metrics.adjusted_rand_index(corner, model.labels_) == 1.0
    assert_array_equal(model.predict(X), model.labels_)
    stream = minibatch(init=X[[np.argmax(corner == j) for j in range(4)]], n_init=1)
    for part in np.array_split(X, 60):
        stream.partial_fit(part)
    assert om.metrics.adjusted_rand_index(corner, stream.predict(X)) == 1.0
    means = [X[corner == j].astype(np.float64).mean(axis=0) for j in range(4)]
    assert_allclose(stream.cluster_centers_ - means, 0.0, atol=step)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, csr_array, np.float16])
def test_stopped_before_all_rows_were_seen(form: Any, metric: str) -> None:
    """The labels of rows that no pass has met are found as by predict, on every engine."""
    X = form(hard_cases.rows("blobs", 400, 40, np.float32))
    w = hard_cases.weights("any", 400)
    how = {"batch_size": 20, "max_iter": 2, "max_no_improvement": None, "metric": metric}
    model = minibatch(5, n_threads=1, **how).fit(X, sample_weight=w)
    assert model.stop_reason_ == "max_iter"
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    for other in ({"n_threads": 3}, {"engine": "reference"}):
        checks.assert_same_answer(model, minibatch(5, **how, **other).fit(X, sample_weight=w))


@pytest.mark.parametrize("k", [11, 12, 13])
def test_exactly_as_many_centres(k: int) -> None:
    X = np.random.default_rng(0).normal(size=(16, 3))
    for seed in range(10):
        for batch_size in (1, 4, 100):
            model = minibatch(k, batch_size=batch_size, random_state=seed).fit(X)
            assert len(np.unique(model.labels_)) == k


def test_two_hundred_rows_and_fifty_centres() -> None:
    X = np.random.default_rng(1).normal(size=(200, 2))
    assert len(np.unique(minibatch(50, batch_size=20).fit(X).labels_)) == 50


@pytest.mark.filterwarnings("ignore:.*stopped after max_iter=")
@pytest.mark.parametrize("form", [np.asarray, csr_array])
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("n", [600, 9000])
def test_rows_without_weight_are_absent(n: int, init: str, form: Any) -> None:
    X = np.vstack([hard_cases.rows("blobs", n, 3, np.float64), np.full((n, 3), 1e6)])
    w = np.r_[np.random.default_rng(0).integers(1, 4, n), np.zeros(n)]
    order = np.random.default_rng(1).permutation(2 * n)
    X, w = X[order], w[order]
    for options in ({"batch_size": 30}, {"max_iter": 2}, {"batch_size": 10**6, "tol": 1e-3}):
        both = minibatch(init=init, **options).fit(form(X), sample_weight=w)
        alone = minibatch(init=init, **options).fit(form(X[w > 0]), sample_weight=w[w > 0])
        assert both.cluster_centers_.tobytes() == alone.cluster_centers_.tobytes()
        assert_array_equal(both.labels_[w > 0], alone.labels_)
        for name in ("inertia_", "n_iter_", "n_steps_", "stop_reason_", "converged_"):
            assert getattr(both, name) == getattr(alone, name), name


@pytest.mark.parametrize("n", [60, 6000])
def test_an_inertia_of_zero_is_an_end(n: int) -> None:
    model = minibatch(2).fit(np.repeat([[0.0], [1.0]], n // 2, axis=0))  # warns of nothing
    assert (model.inertia_, model.stop_reason_) == (0.0, "no improvement")


def test_without_labels() -> None:
    X, _ = make_blobs(5000, 3, centers=5, random_state=0)
    model = minibatch(5, batch_size=100).fit(X)
    quick = clone_of(model, compute_labels=False).fit(X)
    assert_array_equal(quick.cluster_centers_, model.cluster_centers_)
    assert not hasattr(quick, "labels_")
    assert quick.inertia_ == pytest.approx(model.inertia_, rel=0.05)
    model.set_params(compute_labels=False).fit(X)
    assert not hasattr(model, "labels_")


def clone_of(model: Any, **changes: Any) -> Any:
    return om.MiniBatchKMeans(**{**model.get_params(), **changes})


def test_the_budget_of_rows_is_kept() -> None:
    X, _ = make_blobs(5000, 3, centers=5, cluster_std=9.0, random_state=0)
    model = minibatch(9, batch_size=100, max_iter=2, max_no_improvement=None).fit(X)
    assert model.stop_reason_ == "max_iter"
    assert not model.converged_
    assert model.n_iter_ <= 2
    assert model.n_steps_ <= 100
    assert_array_equal(model.predict(X), model.labels_)


def test_light_clusters_are_drawn_anew(capsys: pytest.CaptureFixture[str]) -> None:
    X, _ = make_blobs(4000, 2, centers=8, cluster_std=0.3, random_state=3)
    start = np.vstack([X[:4], X[:4] + 1e-9])
    X[0] += 500.0  # a cluster of its own, which weighs next to nothing
    options = {"init": start, "n_init": 1, "batch_size": 50, "verbose": 1}
    renewed = minibatch(8, reassignment_ratio=0.1, **options).fit(X)
    assert "[MiniBatchKMeans] Reassigning" in capsys.readouterr().out
    assert len(np.unique(renewed.labels_)) == 8
    minibatch(8, reassignment_ratio=0.0, **options).fit(X)
    assert "Reassigning" not in capsys.readouterr().out


# ---- partial_fit


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_partial_fit_is_the_mean_of_all_rows_seen(metric: str) -> None:
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(30, 3)) + 2 for _ in range(6)]
    weights = [rng.random(30) for _ in range(6)]
    start = batches[0][:3]
    model = minibatch(3, init=start, n_init=1, metric=metric, reassignment_ratio=0.0)
    centers = unit_rows(start)[0] if metric == "cosine" else start
    seen: list[list[Any]] = [[], [], []]
    for X, w in zip(batches, weights, strict=True):
        model.partial_fit(X, sample_weight=w)
        X = unit_rows(X)[0] if metric == "cosine" else X
        for x, share, j in zip(X, w, oracle.labels(X, centers, "euclidean"), strict=True):
            seen[j].append((x, share))
        centers = np.array(
            [
                np.average([x for x, _ in rows], axis=0, weights=[s for _, s in rows])
                for rows in seen
            ]
        )
        centers = unit_rows(centers)[0] if metric == "cosine" else centers
        assert_allclose(model.cluster_centers_, centers, rtol=1e-12)
        assert_array_equal(model.labels_, model.predict(X))
        assert model.score(X, sample_weight=w) == -model.inertia_
    assert model.n_steps_ == 6
    assert_allclose(model._counts, [sum(share for _, share in rows) for rows in seen])


def test_a_batch_without_any_direction_moves_nothing() -> None:
    model = minibatch(2, metric="cosine").partial_fit(np.eye(3))
    before = model.cluster_centers_.copy()
    model.partial_fit(np.zeros((4, 3)))
    assert_array_equal(model.cluster_centers_, before)
    assert_array_equal(model.labels_, np.zeros(4))
    assert (model.inertia_, model.n_steps_) == (4.0, 2)
    with pytest.raises(ValueError, match="All 4 rows of X"):  # nothing to start from
        minibatch(2, metric="cosine").partial_fit(np.zeros((4, 3)))


def test_partial_fit_of_medians_comes_near() -> None:
    X, _ = make_blobs(6000, 3, centers=4, random_state=0)
    whole = om.KMeans(4, metric="manhattan", random_state=0).fit(X)
    model = minibatch(metric="manhattan", init=whole.cluster_centers_ + 0.5, n_init=1)
    for part in np.array_split(X, 40):
        model.partial_fit(part)
    assert -model.score(X) <= whole.inertia_ * 1.02


def test_partial_fit_takes_batches_of_any_size_and_type() -> None:
    X = hard_cases.rows("blobs", 200, 3, np.float32)
    model = minibatch().partial_fit(X[:50])
    for i in range(50, 60):
        model.partial_fit(X[i : i + 1])
    model.partial_fit(X[60:].astype(np.float64)).partial_fit(X[:5].tolist())
    assert model.cluster_centers_.dtype == np.float32
    assert model.n_steps_ == 13
    with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
        minibatch().partial_fit(X[:3])


def test_partial_fit_finds_every_centre_a_row() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[::2] = 0.0
    model = minibatch(20, init="random", n_init=1)
    for _ in range(20):
        model.partial_fit(X)
    assert len(np.unique(model.predict(X))) == 20


def test_partial_fit_goes_on_after_fit_and_after_new_centres() -> None:
    X = hard_cases.rows("blobs", 300, 2, np.float64)
    model = minibatch().fit(X)
    assert model._counts.sum() == 300
    model.partial_fit(X + 0.01)
    assert model._counts.sum() == 600
    model.cluster_centers_ = X[:4].copy()
    model.partial_fit(X)  # goes on from these
    assert model._counts.sum() == 900
    again = pickle.loads(pickle.dumps(model)).partial_fit(X)
    assert_array_equal(again.cluster_centers_, model.partial_fit(X).cluster_centers_)


def test_extreme_values() -> None:
    X = hard_cases.rows("blobs", 300, 3, np.float64)
    plain, huge = minibatch(batch_size=20), minibatch(batch_size=20)
    plain.fit(X), huge.fit(X * 2.0**500)
    assert_array_equal(plain.cluster_centers_ * 2.0**500, huge.cluster_centers_)
    plain.partial_fit(X[:50]), huge.partial_fit(X[:50] * 2.0**500)
    assert_allclose(plain.cluster_centers_ * 2.0**500, huge.cluster_centers_, rtol=1e-15)


# ---- against scikit-learn


def test_signature_is_scikit_learns() -> None:
    ours, theirs = om.MiniBatchKMeans().get_params(), sklearn.cluster.MiniBatchKMeans().get_params()
    assert set(ours) - set(theirs) == {
        *("metric", "missing", "engine", "n_threads"),
        *("callback", "max_time", "raise_on_interrupt"),
    }
    assert {name for name in theirs if ours[name] != theirs[name]} == set()


def test_better_than_scikit_learns_on_birch(data_folder: Path) -> None:
    """And in less time, which the bench shows."""
    X = np.loadtxt(data_folder / "uef" / "birch1.txt", dtype=np.float32)
    ours = [om.MiniBatchKMeans(100, random_state=seed).fit(X).inertia_ for seed in range(5)]
    theirs = [
        sklearn.cluster.MiniBatchKMeans(100, random_state=seed).fit(X).inertia_ for seed in range(2)
    ]
    assert np.mean(ours) < np.mean(theirs)


@pytest.mark.parametrize("Estimator", [om.MiniBatchKMeans, om.BisectingKMeans])
def test_files_and_other_types(Estimator: Any, tmp_path: Path) -> None:
    X = np.random.default_rng(0).integers(0, 200, (500, 3)).astype(np.uint8)
    np.save(tmp_path / "rows.npy", X.astype(np.float64))
    plain = Estimator(4, random_state=0).fit(X.astype(np.float64))
    for same in (X, np.asfortranarray(X), tmp_path / "rows.npy"):
        model = Estimator(4, random_state=0).fit(same)
        assert model.cluster_centers_.tobytes() == plain.cluster_centers_.tobytes()
        assert_array_equal(model.labels_, plain.labels_)
        assert_array_equal(model.predict(same), plain.labels_)
        assert model.score(same) == -plain.inertia_
