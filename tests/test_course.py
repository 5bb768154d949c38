"""A whole fit in one call of the core is the loop of `_fit.py`, to the bit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import omnimeans as om
from checks import assert_same_answer
from omnimeans.engines.checked import CheckedEngine
from omnimeans.engines.cpu import CpuEngine
from omnimeans.engines.reference import ReferenceEngine
from omnimeans.init import kmeans_plusplus_rows, play_rounds


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each call of the one-call loop led to an answer."""
    seen: list[bool] = []
    course = CpuEngine.course

    def counted(self: CpuEngine, *given: Any) -> Any:
        found = course(self, *given)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(CpuEngine, "course", counted)
    return seen


@st.composite
def fits(draw: st.DrawFn) -> tuple[Any, dict[str, Any], Any]:
    n, d, k = draw(st.integers(2, 120)), draw(st.integers(1, 20)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, d)) + 10.0 ** draw(st.integers(0, 7))
    if draw(st.booleans()):
        X = np.round(X)  # ties, copies
    weights = rng.integers(0, 4, n).astype(float) if draw(st.booleans()) else None
    if weights is not None and np.count_nonzero(weights) < k:
        weights = None
    options = {
        "n_clusters": min(n, k),
        "init": draw(st.sampled_from(["random", "k-means++"])),
        "n_init": draw(st.integers(1, 3)),
        "tol": draw(st.sampled_from([0.0, 1e-4])),
        "max_iter": draw(st.sampled_from([1, 2, 300])),
        "empty_clusters": draw(st.sampled_from(["farthest", "split", "drop"])),
        "random_state": draw(st.integers(0, 100)),
    }
    return X.astype(draw(st.sampled_from([np.float32, np.float64]))), options, weights


@settings(max_examples=300, deadline=None)
@given(fits())
def test_one_call_or_many(case: tuple[Any, dict[str, Any], Any]) -> None:
    X, options, weights = case
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        one = om.KMeans(**options).fit(X, sample_weight=weights)
        patch.delattr(CpuEngine, "course")
        many = om.KMeans(**options).fit(X, sample_weight=weights)
    assert_same_answer(one, many)
    assert one.history_ == many.history_
    assert [line.redecided for line in one.history_] == [line.redecided for line in many.history_]


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_an_infinite_tolerance_ends_after_one_iteration(engine: str) -> None:
    X = np.random.default_rng(0).standard_normal((60, 3))
    model = om.KMeans(3, tol=1e308, random_state=0, engine=engine).fit(X)
    assert (model.n_iter_, model.stop_reason_) == (1, "tolerance")


def test_small_fits_take_one_call_each(calls: list[bool]) -> None:
    X = np.random.default_rng(0).standard_normal((150, 4))
    model = om.KMeans(3, n_init=5, random_state=0).fit(X)
    assert calls == [True] * 5
    assert all(line.seconds > 0 for line in model.history_)


def test_a_watched_fit_and_an_empty_cluster_go_the_long_way(calls: list[bool]) -> None:
    X = np.array([[0.0], [1.0], [9.0], [10.0]])
    seen: list[Any] = []
    om.KMeans(2, random_state=0, callback=seen.append).fit(X)
    assert seen
    assert calls == []
    model = om.KMeans(3, init=[[0.0], [9.0], [500.0]], n_init=1).fit(X)
    assert calls == [False]
    assert model.history_[0].repaired == 1


def test_the_debug_switch_sees_every_pass(
    calls: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    step = CheckedEngine.step

    def counted(self: CheckedEngine, *given: Any) -> Any:
        seen.append(1)
        return step(self, *given)

    monkeypatch.setenv("OMNIMEANS_DEBUG", "1")
    monkeypatch.setattr(CheckedEngine, "step", counted)
    X = np.random.default_rng(0).standard_normal((150, 4))
    model = om.KMeans(3, tol=0, random_state=0).fit(X)
    assert len(seen) == model.n_iter_
    assert calls == []


def test_rounds_of_seeding_in_one_call_or_many() -> None:
    X = np.random.default_rng(0).standard_normal((3000, 5))
    for weights in (None, np.random.default_rng(1).integers(0, 5, 3000).astype(float)):
        rows = CpuEngine(1).place(X, weights, om.distances.DISTANCES["euclidean"])
        rng = np.random.default_rng(2)
        one, many = CpuEngine(1).seeding(rows), CpuEngine(1).seeding(rows)
        for turn in range(40):
            tickets = rng.integers(0, 2**64, size=1 if turn == 0 else 25, dtype=np.uint64)
            luck, how = rng.random(len(tickets)), (4, 1 if turn == 0 else 5, turn == 0)
            assert one.play is not None
            assert one.play(tickets, luck, *how) == play_rounds(many, rows, tickets, luck, *how)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("d", [1, 3, 7, 20, 300])
def test_a_round_of_its_own_chooses_as_exact_distances_do(d: int, metric: str, dtype: Any) -> None:
    rng = np.random.default_rng(d)
    near = np.round(rng.standard_normal((700, d)))  # copies, ties
    near[3] = 1e9  # a centre far from all others casts doubt on each
    light = rng.random(700) * 10.0 ** rng.integers(-200, 0, 700)
    cases = (
        (rng.standard_normal((700, d)) + 1e4, None),
        (near, rng.integers(0, 4, 700).astype(float)),
        (near, light),
    )
    for X, weights in cases:
        rows = CpuEngine(1).place(X.astype(dtype), weights, om.distances.DISTANCES[metric])
        alone, both, many = (CpuEngine(threads).seeding(rows) for threads in (1, 2, 1))
        for turn in range(30):
            tickets = rng.integers(0, 2**64, size=1 if turn == 0 else 4, dtype=np.uint64)
            how = (4, 1, turn == 0)
            luck = rng.random(len(tickets))
            assert alone.play is not None
            assert both.play is not None
            wanted = play_rounds(many, rows, tickets, luck, *how)
            assert alone.play(tickets, luck, *how) == wanted
            assert both.play(tickets, luck, *how) == wanted


@pytest.mark.parametrize("k", [1, 2, 9, 28, 29])
def test_all_rounds_in_one_call_or_one_by_one(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).standard_normal((900, 5))
    rows = CpuEngine(1).place(X, None, om.distances.DISTANCES["euclidean"])
    for trials in (None, 1, 7):
        rngs = [np.random.Generator(np.random.Philox(k)) for _ in range(2)]
        one = kmeans_plusplus_rows(CpuEngine(1), rows, k, rngs[0], trials)
        with monkeypatch.context() as patch:
            patch.setattr("omnimeans.init._at_once", lambda *_: None)
            many = kmeans_plusplus_rows(CpuEngine(1), rows, k, rngs[1], trials)
        np.testing.assert_array_equal(one, many)
        assert rngs[0].integers(2**60) == rngs[1].integers(2**60)
    old = np.random.Generator(np.random.MT19937(0))
    again = np.random.Generator(np.random.MT19937(0))
    plain = ReferenceEngine()
    placed = plain.place(X, None, om.distances.DISTANCES["euclidean"])
    np.testing.assert_array_equal(
        kmeans_plusplus_rows(CpuEngine(1), rows, k, old),
        kmeans_plusplus_rows(plain, placed, k, again),
    )
