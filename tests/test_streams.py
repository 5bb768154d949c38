"""Streams: a summary that depends on the rows alone, merges in any order, and forgets if asked."""

from __future__ import annotations

import functools
import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

import hard_cases
import omnimeans as om
from omnimeans import _sketch
from stream_cases import blobs, streamed


def bits(model: Any) -> list[bytes]:
    kept = model._kept
    arrays = [kept.bag.rows, kept.bag.keys, kept.bag.words, kept.cells.ids, kept.cells.bag.rows]
    arrays += [kept.cells.bag.words, kept.cells.masses, np.array(kept.cells.level or 10**6)]
    return [array.tobytes() for array in (*arrays, *model.sample())]


# one summary, however the rows come


@pytest.mark.parametrize("n", [300, 4000])
def test_streams_merge_in_any_order_into_the_model_of_all(n: int) -> None:
    X = np.concatenate([blobs(n), blobs(n)[: n // 3]])  # with copies
    whole = streamed(X)
    parts = [streamed(part) for part in np.array_split(X, 4)]
    for order in itertools.permutations(parts):
        merged = functools.reduce(om.merge, order)
        assert merged.n_samples_seen_ == len(X)
        assert bits(merged) == bits(whole)
    assert bits(streamed(X[::-1], 3)) == bits(whole)
    assert merged.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()
    assert merged.inertia_ == whole.inertia_


def merged_at_random(models: list[Any], draw: Any) -> Any:
    """Merge models two by two, in an order that is drawn."""
    models = list(models)
    while len(models) > 1:
        i = draw(st.integers(0, len(models) - 2))
        a, b = models.pop(i), models.pop(draw(st.integers(0, len(models) - 1)))
        models.append(om.merge(a, b) if draw(st.booleans()) else om.merge(b, a))
    return models[0]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_split_and_any_tree_of_merges_give_the_same_bits(data: Any) -> None:
    draw = data.draw
    kind = draw(st.sampled_from(sorted(hard_cases.KINDS)))
    n, d, size = draw(st.integers(8, 200)), draw(st.integers(1, 5)), draw(st.integers(2, 60))
    X = hard_cases.rows(kind, n, d, draw(st.sampled_from([np.float32, np.float64])))
    X = X[draw(st.permutations(range(len(X))))]
    weights = None
    if draw(st.booleans()):
        weights = np.random.default_rng(draw(st.integers(0, 99))).choice([0, 0.1, 1, 3e7], len(X))
        weights[0] = 1.0
    cuts = sorted(draw(st.lists(st.integers(1, len(X) - 1), max_size=5, unique=True)))
    parts = np.split(np.arange(len(X)), cuts)
    if weights is not None:  # weights that are all zero are refused
        parts = [part for part in parts if weights[part].any()]
    changes = {"sample_size": size, "n_clusters": 1}
    seen = np.concatenate(parts)
    whole = streamed(X[seen], 1, None if weights is None else weights[seen], **changes)
    models = [
        streamed(X[part], 1, None if weights is None else weights[part], **changes)
        for part in parts
    ]
    merged = merged_at_random(models, draw)
    assert bits(merged) == bits(whole)
    assert merged.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(
        st.floats(-1e300, 1e300) | st.floats(-4, 4) | st.sampled_from([-1.0, -0.0, 2 / 3, -1 / 3]),
        min_size=2,
        max_size=40,
    ),
    level=st.integers(_sketch.FINEST, _sketch.COARSEST - 1),
    near=st.booleans(),
)
def test_cells_lie_in_those_of_the_next_level(values: Any, level: int, near: bool) -> None:
    rows = np.array(values)[:, None]
    level = int(np.frexp(np.abs(rows).max() or 1.0)[1]) - 3 if near else level
    fine, coarse = (_sketch.cell_hashes(rows, lev, 0) for lev in (level, level + 1))
    for i, j in itertools.combinations(range(len(rows)), 2):
        assert fine[i] != fine[j] or coarse[i] == coarse[j]
    last = _sketch.cell_hashes(rows, _sketch.COARSEST, 0)
    assert (last == last[0]).all()


def test_cells_are_cubes() -> None:
    x = np.array([-0.5, -0.34, -0.33, 0.0, 0.6, 0.67, 1.6, 1.67])[:, None]
    ids = _sketch.cell_hashes(x, 0, 0)
    assert [len(set(ids[a:b])) for a, b in ((0, 2), (2, 5), (5, 7))] == [1, 1, 1]
    assert len(set(ids)) == 4


# what it holds


def test_small_streams_are_exact() -> None:
    X = blobs(200)
    rows, weights = streamed(np.concatenate([X, X[:50]])).sample()
    assert_array_equal(np.unique(rows, axis=0), np.unique(X, axis=0))
    assert_array_equal(np.sort(weights), np.repeat([1.0, 2.0], [150, 50]))


def test_all_weight_is_kept() -> None:
    X, rng = blobs(30_000), np.random.default_rng(0)
    weights = rng.gamma(0.3, size=30_000) + 1e-9
    model = streamed(X, 9, weights)
    rows, found = model.sample()
    assert len(rows) <= 500
    assert found.sum() == pytest.approx(weights.sum(), rel=1e-9)
    near = (found[:, None] * rows).sum(axis=0) / found.sum()
    assert_allclose(near, np.average(X, axis=0, weights=weights), atol=1.0)


def test_whole_weights_are_copies() -> None:
    X, rng = blobs(3000), np.random.default_rng(0)
    times = rng.integers(0, 4, 3000)
    weighted, copied = streamed(X, 5, times.astype(float)), streamed(np.repeat(X, times, axis=0), 2)
    assert bits(weighted) == bits(copied)


def test_a_few_rows_far_away_and_one_that_comes_again_and_again_are_not_lost() -> None:
    rng = np.random.default_rng(0)
    common = np.repeat([[7.0, 7.0, 7.0]], 100_000, axis=0)
    X = np.concatenate([rng.normal(size=(60_000, 3)), common, [[1e6, 0, 0]] * 2, [[0, -1e6, 0]]])
    X = X[rng.permutation(len(X))]
    for seed in range(5):
        model = streamed(X, 50, n_clusters=4, random_state=seed)
        whole = om.KMeans(4, n_init=3, random_state=0).fit(X)
        assert -model.score(X) < 1.1 * whole.inertia_
        rows, weights = model.sample()
        assert weights[np.abs(rows).max(axis=1) > 1e5].sum() == 3.0
        near = ((rows - 7.0) ** 2).sum(axis=1) < 4.0
        assert weights[near].sum() == pytest.approx(100_000, rel=0.02)


def test_memory_does_not_grow() -> None:
    model, sizes = om.StreamKMeans(5, sample_size=200), []
    rng = np.random.default_rng(0)
    tracemalloc.start()
    for call in range(4000):
        model.partial_fit(rng.normal(size=(10, 3)) * 2.0 ** (call % 40))
        if call % 500 == 499:
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert model.n_samples_seen_ == 40_000
    assert max(sizes) < 200_000
    assert sizes[-1] < 1.2 * sizes[0]
    assert len(model.sample()[0]) <= 200


def test_float32_stays_until_something_wider_comes() -> None:
    X = blobs(100).astype(np.float32)
    model = streamed(X)
    assert model.cluster_centers_.dtype == np.float32
    assert model.partial_fit(X.astype(float)).cluster_centers_.dtype == np.float64


@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
def test_other_metrics(metric: str) -> None:
    X = blobs(20_000)
    model = streamed(X, 20, metric=metric)
    whole = om.KMeans(6, metric=metric, n_init=3, random_state=0).fit(X)
    assert -model.score(X) < 1.1 * whole.inertia_


# real data; the figures stand in docs/guide/scaling.md


def test_birch_is_found_from_a_fifth_of_its_rows(data_folder: Path) -> None:
    X = np.loadtxt(data_folder / "uef" / "birch1.txt")
    whole = om.KMeans(100, n_init=3, random_state=0).fit(X)
    model = om.StreamKMeans(100, n_init=3)
    for part in np.array_split(X, 100):
        model.partial_fit(part)
    assert -model.score(X) < 1.05 * whole.inertia_
    assert model.inertia_ == pytest.approx(-model.score(X), rel=0.05)


def test_digits_in_pieces(data_folder: Path) -> None:
    X = om.datasets.load("mnist-test", data=data_folder).X
    whole = om.KMeans(10, random_state=0).fit(X)
    model = om.StreamKMeans(10, sample_size=3000)
    for part in np.array_split(X, 30):
        model.partial_fit(part)
    assert -model.score(X) < 1.02 * whole.inertia_
    assert len(model.sample()[0]) <= 3000


# forgetting


def test_old_rows_are_forgotten() -> None:
    old, new = blobs(5000), blobs(5000) + 1000.0
    model = streamed(np.concatenate([old, new]), half_life=500.0)
    rows, weights = model.sample()
    assert weights[rows[:, 0] > 500].sum() / weights.sum() > 0.99
    assert (model.cluster_centers_[:, 0] > 500).sum() >= 5
    assert weights.sum() == pytest.approx(500 / np.log(2), rel=0.2)


def test_rows_fade_as_they_count() -> None:
    X = np.arange(8.0)[:, None]
    weights = np.array([1.0, 1, 1, 4, 1, 1, 1, 1])
    rows, found = streamed(X, 3, weights, half_life=2.0).sample()
    assert_allclose(found[np.argsort(rows[:, 0])], weights * 2.0 ** ((np.arange(8) - 8) / 2))


def test_a_fading_sample_is_right_on_average() -> None:
    X = blobs(3000)
    faded = 2.0 ** ((np.arange(3000) - 3000) / 1000)
    totals = [
        streamed(X, 5, half_life=1000.0, random_state=seed, sample_size=200).sample()[1].sum()
        for seed in range(40)
    ]
    assert np.mean(totals) == pytest.approx(faded.sum(), rel=0.05)


# what cannot be


def test_models_that_do_not_merge() -> None:
    a = streamed(blobs(100))
    with pytest.raises(ValueError, match=r"differ in random_state \(0 and 1\)"):
        om.merge(a, streamed(blobs(100), random_state=1))
    with pytest.raises(ValueError, match="4 and 2 features"):
        om.merge(a, streamed(blobs(100, 2)))
    with pytest.raises(ValueError, match="half_life"):
        om.merge(*[streamed(blobs(100), half_life=9.0)] * 2)
    with pytest.raises(NotFittedError, match="no rows"):
        om.merge(a, om.StreamKMeans(6, sample_size=500))
    with pytest.raises(TypeError, match="given a KMeans"):
        om.merge(a, om.KMeans(6))


def test_bad_rows_are_refused_and_leave_the_model_as_it_was() -> None:
    model = streamed(blobs(100))
    before = bits(model)
    wrong = blobs(10)
    wrong[7, 2] = np.nan
    with pytest.raises(ValueError, match="row 7, column 2"):
        model.partial_fit(wrong)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(blobs(10, 3))
    with pytest.raises(ValueError, match=r"sample_weight has 1e-20 in row 1"):
        model.partial_fit(blobs(2), sample_weight=[1.0, 1e-20])
    assert bits(model) == before
    assert model.n_samples_seen_ == 100


def test_too_few_rows_and_bad_parameters() -> None:
    few = om.StreamKMeans(3).partial_fit([[1.0], [1.0], [2.0]])
    with pytest.raises(ValueError, match="2 different rows so far, fewer than n_clusters=3"):
        few.predict([[1.0]])
    with pytest.raises(NotFittedError):
        om.StreamKMeans(3).predict([[1.0]])
    for wrong in ({"half_life": 0.0}, {"sample_size": 1}, {"random_state": None}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            om.StreamKMeans(3, **wrong).partial_fit([[1.0]])
    with pytest.raises(ValueError, match="metric='chebyshev'"):
        om.StreamKMeans(3, metric="chebyshev").partial_fit([[1.0]])
