"""Estimates before work, many codebooks, trees of centres, streams and drift."""

from __future__ import annotations

import functools
import itertools
import time
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import omnimeans as om
from omnimeans.sources import open_source


def blobs(n: int = 4000, d: int = 4, k: int = 6, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))


# streams


def streamed(X: Any, batches: int = 7, **settings: Any) -> Any:
    model = om.StreamKMeans(6, sample_size=500, **settings)
    for part in np.array_split(X, batches):
        model.partial_fit(part)
    return model


def same_bits(a: Any, b: Any) -> bool:
    pairs = zip((*a.sample(), a.cluster_centers_), (*b.sample(), b.cluster_centers_), strict=True)
    return all(x.tobytes() == y.tobytes() for x, y in pairs)


@pytest.mark.parametrize("n", [300, 4000])
def test_streams_merge_in_any_order_into_the_model_of_all(n: int) -> None:
    X = np.concatenate([blobs(n), blobs(n)[: n // 3]])  # with copies
    whole = streamed(X)
    parts = [streamed(part) for part in np.array_split(X, 4)]
    for order in itertools.permutations(parts):
        merged = functools.reduce(om.merge, order)
        assert merged.n_samples_seen_ == len(X)
        assert same_bits(merged, whole)
    assert same_bits(streamed(X[::-1], 3), whole)


def test_a_stream_is_nearly_as_good_as_all_its_rows_and_stays_small() -> None:
    X = blobs(40_000)
    model = streamed(X, 40)
    assert len(model._rows) <= 501
    whole = om.KMeans(6, random_state=0).fit(X)
    assert -model.score(X) < 1.05 * whole.inertia_
    assert sum(model.sample()[1]) == pytest.approx(len(X), rel=0.15)
    assert model.inertia_ == pytest.approx(whole.inertia_, rel=0.2)


def test_small_streams_are_exact() -> None:
    X = blobs(400)
    rows, weights = streamed(X).sample()
    assert_array_equal(np.unique(rows, axis=0), np.unique(X, axis=0))
    assert_array_equal(weights, np.ones(400))


def test_old_rows_are_forgotten() -> None:
    old, new = blobs(5000), blobs(5000) + 1000.0
    model = streamed(np.concatenate([old, new]), half_life=500.0)
    rows, weights = model.sample()
    assert weights[rows[:, 0] > 500].sum() / weights.sum() > 0.99
    assert (model.cluster_centers_[:, 0] > 500).sum() >= 5
    assert weights.sum() == pytest.approx(500 / np.log(2), rel=0.2)


def test_models_that_do_not_merge() -> None:
    a = streamed(blobs(100))
    with pytest.raises(ValueError, match="differ in random_state"):
        om.merge(a, streamed(blobs(100), random_state=1))
    with pytest.raises(ValueError, match="4 and 2 features"):
        om.merge(a, streamed(blobs(100, 2)))
    with pytest.raises(ValueError, match="half_life"):
        om.merge(*[streamed(blobs(100), half_life=9.0)] * 2)
    with pytest.raises(ValueError, match="features"):
        a.partial_fit(blobs(10, 3))


def test_drift_by_hand() -> None:
    before = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 50.0]])
    after = np.array([[10.0, 3.0], [0.0, 4.0]])
    seen = om.drift(before, after, X=[[0.0, 1.0], [9.0, 0.0], [5.0, 49.0]])
    assert seen.pairs.tolist() == [[0, 1], [1, 0]]
    assert_allclose(seen.moved, [4.0, 3.0])
    assert (seen.gone.tolist(), seen.new.tolist()) == ([2], [])
    assert seen.relabelled == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="2 and 3 features"):
        om.drift(before, np.zeros((2, 3)))


# many centres


def test_many_codebooks_are_the_same_for_any_number_of_threads() -> None:
    X = blobs(3000, 12).astype(np.float32)
    one, two = (om.fit_many(X, 16, parts=4, random_state=0, n_threads=t) for t in (1, 2))
    for a, b in zip(one.centers, two.centers, strict=True):
        assert a.tobytes() == b.tobytes()
    assert_array_equal(one.inertia, two.inertia)
    for part, centers, labels in zip(np.split(X, 4, axis=1), one.centers, one.labels, strict=True):
        away = ((part[:, None].astype("f8") - centers) ** 2).sum(axis=2)
        assert_array_equal(away.argmin(axis=1), labels)
    with pytest.raises(ValueError, match="parts=5 does not divide the 12 columns"):
        om.fit_many(X, 16, parts=5)
    with pytest.raises(ValueError, match="parts="):
        om.fit_many(X, 16)
    assert len(om.fit_many([X[:50], X[:70, :2]], 3, random_state=0).centers) == 2


def test_a_tree_of_centres() -> None:
    X = blobs(8000, 6, 40).astype(np.float32)
    model = om.HierarchicalKMeans(300, random_state=0).fit(X)
    flat = om.KMeans(300, random_state=0, max_iter=10, tol=0).fit(X)
    assert model.cluster_centers_.shape == (300, 6)
    assert model.inertia_ < 1.08 * flat.inertia_
    assert model.starts_[-1] == 300
    exact = model.predict(X)
    assert_array_equal(exact, model.labels_)
    assert_array_equal(model.predict_tree(X, probes=10**6), exact)
    assert (model.predict_tree(X) == exact).mean() > 0.7
    assert (model.predict_tree(X, probes=4) == exact).mean() > 0.97


# estimates


@pytest.mark.alone
def test_an_estimate_is_near_what_a_fit_takes() -> None:
    X = np.random.default_rng(0).normal(size=(200_000, 16)).astype(np.float32)
    settings: dict[str, Any] = {"init": "random", "n_init": 1, "tol": 0.0, "max_iter": 12}
    ratios = []
    for _ in range(5):  # others on this machine may hold up either
        seen = om.estimate(*X.shape, 64, init="random", iterations=12, n_threads=1)
        begin = time.perf_counter()
        with pytest.warns(UserWarning, match="max_iter"):
            om.KMeans(64, random_state=0, algorithm="lloyd", n_threads=1, **settings).fit(X)
        ratios.append(seen.seconds / (time.perf_counter() - begin))
    assert 1 / 3 < np.median(ratios) < 3
    assert seen.in_memory
    assert seen.memory > X.nbytes


def test_estimates_of_files_and_of_what_does_not_fit(tmp_path: Any) -> None:
    np.save(tmp_path / "X.npy", np.zeros((5000, 8), dtype=np.float32))
    small = om.estimate(tmp_path / "X.npy", k=5)
    assert small.in_memory
    large = om.estimate(10**9, 64, 100, memory="8GiB", init="k-means||", read_speed=2e9)
    assert not large.in_memory
    assert large.bytes_read == large.passes * 256 * 10**9
    assert large.seconds > large.bytes_read / 2e9 * 0.9
    assert large.algorithm == "brute"  # blocks know no other way
    with pytest.raises(ValueError, match="must all be 1 or more"):
        om.estimate(100, k=3)
    with pytest.raises(ValueError, match="use one of k-means\\+\\+, k-means"):
        om.estimate(100, 2, init="best")


def test_an_estimate_from_rows_knows_where_a_tree_pays(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(60_000, 40)).astype(np.float32)
    flat[:, 2:] *= 0.01  # two dimensions in forty
    settings: dict[str, Any] = {"k": 400, "init": "random", "n_threads": 1}
    assert om.estimate(*flat.shape, **settings).algorithm == "bounded-coded"
    np.save(tmp_path / "flat.npy", flat)
    fitted = om.KMeans(400, init="random", n_init=1, max_iter=8, tol=0.0, random_state=0)
    with pytest.warns(UserWarning, match="max_iter"):
        fitted.fit(flat)
    for rows in (flat, tmp_path / "flat.npy", open_source([flat[:7], flat[7:]])):
        seen = om.estimate(rows, **settings)
        assert seen.algorithm == "tree" == fitted.algorithm_
        assert seen.seconds > seen.seconds_start
    again = om.estimate(flat, **settings, n_init=3)
    assert again.passes - seen.passes == 2 * (seen.passes - 3)
