"""Nearest centres through groups of them: the same answer, and looks spared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from omnimeans import _core, _fit
from omnimeans.distances import DISTANCES
from omnimeans.engines import grouped, open_engine


def blobs(n: int = 8000, d: int = 6, k: int = 40, dtype: Any = np.float32) -> Any:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(
        dtype
    )


def grouped_centers(draw: Any, X: Any) -> tuple[Any, Any]:
    """Draw centres, near rows or far, and cut them into groups, some of which are empty."""
    k = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    centers = X[rng.integers(0, len(X), k)]
    centers = centers + (rng.normal(size=centers.shape) * draw(st.sampled_from([0, 1e-3, 1])))
    cuts = sorted(draw(st.lists(st.integers(0, k), max_size=8)))
    return centers.astype(X.dtype), np.array([0, *cuts, k])


def rng_order(draw: Any, k: int) -> Any:
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(k)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nearest_through_groups_is_nearest(data: Any) -> None:
    draw = data.draw
    kind = draw(st.sampled_from(sorted(hard_cases.KINDS)))
    n, d = draw(st.integers(2, 150)), draw(st.integers(1, 20))
    X = hard_cases.rows(kind, n, d, draw(st.sampled_from([np.float32, np.float64])))
    centers, starts = grouped_centers(draw, X)
    middles = grouped.middles_of(centers, starts)
    kernel, threads = draw(st.sampled_from(["euclidean", "manhattan"])), draw(st.integers(1, 3))
    away = _core.all_pairs(X, centers, kernel, 1)
    found, compared = _core.nearest_in_groups(X, centers, starts, middles, kernel, 0, threads)
    assert_array_equal(found, away.argmin(axis=1))
    assert compared <= len(X) * (len(centers) + len(middles))
    names = np.concatenate(
        [np.sort(part) for part in np.split(rng_order(draw, len(centers)), starts[1:-1])]
    ).astype(np.int32)
    shuffled = np.empty_like(centers)
    shuffled[names] = centers
    found, _ = _core.nearest_in_groups(X, centers, starts, middles, kernel, 0, threads, names=names)
    assert_array_equal(found, _core.all_pairs(X, shuffled, kernel, 1).argmin(axis=1))
    # of the nearest groups only: those with the nearest middles, by definition
    probes = draw(st.integers(1, 4))
    found, _ = _core.nearest_in_groups(X, centers, starts, middles, kernel, probes, threads)
    filled = np.flatnonzero(np.diff(starts))
    to_middles = _core.all_pairs(X, middles[filled], kernel, 1)
    near = filled[np.argsort(to_middles, axis=1, kind="stable")[:, :probes]]
    group = np.searchsorted(starts, np.arange(len(centers)), side="right") - 1
    allowed = (near[:, :, None] == group).any(axis=1)
    assert_array_equal(found, np.where(allowed, away, np.inf).argmin(axis=1))


def test_far_groups_are_left_out() -> None:
    X = blobs(4000, 2, 400)
    model = om.HierarchicalKMeans(400, random_state=0).fit(X)
    centers, starts = model.cluster_centers_, model.starts_
    middles = grouped.middles_of(centers, starts)
    _, compared = _core.nearest_in_groups(X, centers, starts, middles, "euclidean", 0, 1)
    assert compared < 0.5 * len(X) * len(centers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_by_label(dtype: Any, weighted: bool) -> None:
    X, rng = blobs(3000, 5, dtype=dtype), np.random.default_rng(1)
    weights = rng.random(3000) if weighted else None
    engine = open_engine("cpu", 1)
    rows = engine.place(X, weights, DISTANCES["euclidean"])
    seen = engine.step(rows, X[:70])
    for threads in (1, 2, 5):
        grid = rows.grid.exponents, rows.grid.bits
        sums = _core.label_sums(X, weights, rows.labels, 70, *grid, threads)
        assert_array_equal(sums, seen.sums)


def test_a_fit_with_groups_is_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lloyd's algorithm through groups, repairs of empty clusters included."""
    monkeypatch.setattr(grouped, "FEW", 0)
    monkeypatch.setattr(grouped, "WORTH", 2.0)
    X = blobs(5000, 3, 30)
    centers = np.concatenate([X[:90], X[:10] + 500.0, X[:5]])  # some will be empty
    starts = np.array([0, 30, 60, 105])
    for weights in (None, np.random.default_rng(0).random(5000)):
        fits = []
        for engine in (grouped.GroupedEngine(starts, 2), open_engine("cpu", 2)):
            rows = engine.place(X, weights, DISTANCES["euclidean"])
            fits.append(
                _fit.lloyd(
                    engine, rows, centers, distance=DISTANCES["euclidean"], max_iter=7, tol=0.0
                )
            )
        assert fits[0].history[0].repaired >= 10
        assert fits[0].history[0].algorithm == "groups"
        assert fits[0].history == fits[1].history
        assert fits[0].centers.tobytes() == fits[1].centers.tobytes()
        assert_array_equal(fits[0].labels, fits[1].labels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts": np.array([0, 3])}, "groups"),
        ({"starts": np.array([0, 5, 3, 9])}, "groups"),
        ({"middles": np.zeros((3, 5), np.float32)}, "columns"),
        ({"probes": -1}, "fewer"),
        ({"threads": 0}, "thread"),
    ],
)
def test_the_core_refuses_groups_that_make_no_sense(change: Any, words: str) -> None:
    X = blobs(9, 4)
    given = {"starts": np.array([0, 3, 5, 9]), "middles": X[:3], "probes": 0, "threads": 1}
    with pytest.raises(ValueError, match=words):
        _core.nearest_in_groups(X, X, kernel="euclidean", **{**given, **change})
