"""Splits in two by the core: bit for bit what Lloyd's algorithm finds with two centres."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

import hard_cases
import omnimeans as om
from omnimeans import _core
from omnimeans._fit import lloyd
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine
from omnimeans.engines.halves import Halves, open_halves

EUCLIDEAN = DISTANCES["euclidean"]
SHAPES = ["blobs", "duplicates", "far", "lattice", "near ties", "outlier", "scales"]


def rows_of(kind: str, n: int, d: int, dtype: Any) -> NDArray[Any]:
    if kind == "duplicates":
        rng = np.random.default_rng(n + d)
        return rng.normal(size=(5, d)).astype(dtype)[rng.integers(0, 5, n)]
    if kind == "near ties":
        return hard_cases.near_ties(n, d, dtype)[0]
    return hard_cases.rows(kind, n, d, dtype)


@given(
    kind=st.sampled_from(SHAPES),
    n=st.integers(2, 700),
    d=st.integers(1, 21),
    dtype=st.sampled_from([np.float32, np.float64]),
    weighting=st.sampled_from(["none", "counts", "any"]),
    scale=st.sampled_from([0, -150, 150]),
    max_iter=st.sampled_from([1, 2, 40]),
    tol=st.sampled_from([0.0, 1e-3]),
    threads=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_lloyd_with_two_centers(
    kind: str,
    n: int,
    d: int,
    dtype: Any,
    weighting: str,
    scale: int,
    max_iter: int,
    tol: float,
    threads: int,
    seed: int,
) -> None:
    X = rows_of(kind, n, d, dtype)
    if dtype == np.float64:
        X = X * 2.0**scale
    weights = hard_cases.weights(weighting, n)
    start = X[np.random.default_rng(seed).choice(n, 2, replace=False)]
    tol *= float(np.square(X.std()))
    engine = open_engine("reference", 1, EUCLIDEAN)
    rows = engine.place(X, weights, EUCLIDEAN)
    theirs = lloyd(engine, rows, start, distance=EUCLIDEAN, max_iter=max_iter, tol=tol)
    halves = Halves(open_engine("cpu", threads, EUCLIDEAN), X, weights)
    halves._threads = lambda *_: threads  # type: ignore[method-assign]  # however few the rows
    ours = halves.lloyd(halves.root, start, max_iter=max_iter, tol=tol)
    if ours is None:  # a centre lost all its rows on the way: one is there already, or comes back
        repaired = sum(record.repaired for record in theirs.history)
        lost = not np.bincount(theirs.labels, weights, minlength=2).all()
        alike = len(np.unique(X if weights is None else X[weights > 0], axis=0)) < 2
        assert repaired or lost or alike or (start[0] == start[1]).all()
        return
    centers, n_iter, stop = ours
    assert centers.tobytes() == theirs.centers.tobytes()
    assert (n_iter, stop) == (theirs.n_iter, theirs.stop_reason)
    one, other = halves.split(halves.root, centers)
    assert (one.n, other.n) == tuple(np.bincount(theirs.labels, minlength=2))
    for side, half in enumerate((one, other)):
        mine = np.flatnonzero(theirs.labels == side)
        assert half.part is not None
        assert_array_equal(halves.numbers(half.part), mine)
        assert_array_equal(halves.take(half.part, np.arange(half.n)), X[mine])
        share = None if weights is None else weights[mine]
        away = engine.distances(rows, centers, theirs.labels)[mine]
        assert half.inertia == engine.total(away, share)
        assert half.weight == (len(mine) if share is None else engine.total(share, None))
        if half.part.grid is halves.root.grid:  # where all of its sums are exact
            low = half.part.grid.exponents[:d] - half.part.grid.bits
            some = X[mine][:5] / np.ones(d)  # as float64
            steps = [
                Fraction(x) / Fraction(2) ** int(e)
                for row in some.tolist()
                for x, e in zip(row, low, strict=True)
            ]
            assert share is None
            assert all(step.denominator == 1 for step in steps)
            continue
        placed = engine.place(X[mine], share, EUCLIDEAN)
        assert_array_equal(half.part.grid.exponents, placed.grid.exponents)
        assert half.part.grid.bits == placed.grid.bits
    assert halves.total() == theirs.inertia


@pytest.mark.filterwarnings("ignore:Number of distinct")  # far rows are copies in float32
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("weighting", ["none", "any"])
@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fast_way_cannot_be_told_from_the_definition(
    kind: str, weighting: str, strategy: str, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, weights = rows_of(kind, 9000, 6, dtype), hard_cases.weights(weighting, 9000)
    k = 5 if kind == "duplicates" else 12
    options: dict[str, Any] = {"bisecting_strategy": strategy, "random_state": 0}
    used = []

    def noted(*arguments: Any) -> Halves | None:
        used.append(open_halves(*arguments))
        return used[-1]

    monkeypatch.setattr("omnimeans.estimators._growing.open_halves", noted)
    fast = om.BisectingKMeans(k, **options).fit(X, sample_weight=weights)
    assert used[0] is not None
    monkeypatch.setattr("omnimeans.estimators._growing.open_halves", lambda *_: None)
    slow = om.BisectingKMeans(k, **options).fit(X, sample_weight=weights)
    assert fast.cluster_centers_.tobytes() == slow.cluster_centers_.tobytes()
    assert_array_equal(fast.labels_, slow.labels_)
    assert (fast.inertia_, fast.n_iter_) == (slow.inertia_, slow.n_iter_)
    assert fast.converged_ == slow.converged_
    assert_array_equal(fast.tree_.inertia, slow.tree_.inertia)
    assert_array_equal(fast.predict(X), fast.labels_)


def test_where_the_fast_way_is_open() -> None:
    X = rows_of("blobs", 200, 8, np.float64)
    engine = open_engine("cpu", 1, EUCLIDEAN)
    assert open_halves(engine, X, None, EUCLIDEAN) is not None
    assert open_halves(engine, X.astype(np.int64), None, EUCLIDEAN) is None
    assert open_halves(engine, X, None, DISTANCES["manhattan"]) is None
    assert open_halves(open_engine("reference", 1, EUCLIDEAN), X, None, EUCLIDEAN) is None


def test_the_core_refuses_what_it_cannot_use() -> None:
    X = rows_of("blobs", 50, 3, np.float64)
    halves = _core.HalvesF64(X, None)
    exponents = np.zeros(4, dtype=np.int64)
    two = X[:2].copy()
    for bad in [(0, 51, 0), (0, 50, 1), (1, 50, 0), (-1, 50, 0)]:
        with pytest.raises(ValueError, match="no such part"):
            halves.lloyd(*bad, two, exponents, 40, 10, 0.0, 1)
    with pytest.raises(ValueError, match="two centres"):
        halves.lloyd(0, 50, 0, X[:3].copy(), exponents, 40, 10, 0.0, 1)
    with pytest.raises(ValueError, match="exponent is needed"):
        halves.lloyd(0, 50, 0, two, exponents[:3], 40, 10, 0.0, 1)
    with pytest.raises(ValueError, match="at least one iteration"):
        halves.lloyd(0, 50, 0, two, exponents, 40, 0, 0.0, 1)
    with pytest.raises(ValueError, match="a side is needed"):
        halves.put(0, 50, 0, np.full(50, 2, dtype=np.int32))
    with pytest.raises(ValueError, match="no such row"):
        halves.take(0, 50, 0, np.array([50]))
    with pytest.raises(ValueError, match="never split"):
        halves.total()
    with pytest.raises(ValueError, match="weight is needed"):
        _core.HalvesF64(X, np.ones(49))
    halves.part(0, 50, 0, two, 1)
    with pytest.raises(ValueError, match="split already"):
        halves.numbers(0, 51, 0)
