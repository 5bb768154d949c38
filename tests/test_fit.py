"""The loop: iterations, empty clusters, reasons to stop, and the record that comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans as TheirKMeans

import answers
import hard_cases
import oracle
from omnimeans import _fit, datasets
from omnimeans._types import Fit, Iteration, State, StopReason
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES, open_engine
from omnimeans.init import kmeans_plusplus, random_rows


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


# by hand


def test_six_points_by_hand(engine: str) -> None:
    X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=np.float64)
    good = answers.lloyd(X, X[[0, 3]], engine=engine)
    assert_array_equal(good.centers, [[1, 2], [10, 2]])
    assert (good.inertia, good.n_iter, good.stop_reason) == (16.0, 1, "fixed point")
    assert good.history == (Iteration(16.0, 6, 0.0, 0, good.history[0].redecided),)
    bad = answers.lloyd(X, [[5.5, 4], [5.5, 1]], engine=engine)
    assert_array_equal(bad.centers, [[5.5, 4], [5.5, 1]])
    assert_array_equal(bad.labels, [1, 0, 1, 1, 0, 1])
    assert bad.inertia == 125.5


def test_history_by_hand(engine: str) -> None:
    found = answers.lloyd(answers.column(0, 1, 2, 10), [[0.0], [1.0]], engine=engine)
    # {0}, {1, 2, 10} -> 0, 13/3;  {0, 1, 2}, {10} -> 1, 10;  nothing moves
    steps = [(h.moved, h.repaired) for h in found.history]
    assert steps == [(4, 0), (2, 0), (0, 0)]
    inertias = [1 + 81, 1 + 4 + (17 / 3) ** 2, 2]
    assert_allclose([h.inertia for h in found.history], inertias, rtol=1e-14)
    assert_allclose([h.shift for h in found.history], [100 / 9, 1 + (17 / 3) ** 2, 0.0])
    assert_array_equal(found.centers, answers.column(1, 10))
    assert (found.inertia, found.n_iter) == (2.0, 3)


# reasons to stop

# the mean is not what lowers a sum of city-block distances: this goes round in a circle
CIRCLE = np.array(
    [
        [0, 25, 0, 0, 34, 0, 0, 0],
        [0, 0, 30, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 30, 0, 0, 0],
        [0, 25, 0, 19, 0, 0, 42, 0],
        [0, 23, 0, 0, 0, 0, 88, 0],
        [0, 0, 0, 0, 94, 0, 0, 33],
        [60, 0, 0, 0, 0, 0, 0, 0],
        [0, 25, 0, 0, 0, 87, 0, 29],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=np.float64,
)


def test_a_circle_ends(engine: str) -> None:
    start = np.zeros((3, 8))
    start[0, 2] = start[1, 0] = 1
    found = answers.lloyd(CIRCLE, start, metric="manhattan-mean", engine=engine)
    assert found.stop_reason == "cycle"
    assert found.n_iter < 20
    assert found.history[-1].shift > 0.0
    assert_array_equal(found.labels, oracle.labels(CIRCLE, found.centers, "manhattan"))


def test_reasons_to_stop(engine: str) -> None:
    X = hard_cases.rows("blobs", 300, 2, np.float64)
    whole = answers.lloyd(X, X[:5], engine=engine)
    assert whole.stop_reason == "fixed point"
    assert whole.history[-1].shift == 0.0
    shifts = [h.shift for h in whole.history]
    assert len(shifts) >= 4
    short = answers.lloyd(X, X[:5], engine=engine, max_iter=3)
    assert (short.stop_reason, short.history) == ("max_iter", whole.history[:3])
    near = answers.lloyd(X, X[:5], engine=engine, tol=shifts[2])
    assert near.stop_reason == "tolerance"
    assert near.history == whole.history[: near.n_iter]
    assert near.n_iter == 1 + next(i for i, shift in enumerate(shifts) if shift <= shifts[2])


def test_a_callback_sees_every_iteration_and_may_stop(engine: str) -> None:
    X = hard_cases.rows("blobs", 300, 2, np.float64)
    seen: list[tuple[Iteration, Any]] = []

    def watch(state: State) -> StopReason | None:
        seen.append((state.history[-1], state.centers.copy()))
        return "callback" if len(seen) == 3 else None

    found = answers.lloyd(X, X[:5], engine=engine, watch=watch)
    assert tuple(record for record, _ in seen) == found.history
    assert_array_equal(seen[-1][1], found.centers)
    assert_array_equal(found.labels, oracle.labels(X, found.centers, "euclidean"))
    assert found.stop_reason == "callback"


# the record


@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("metric", sorted(set(DISTANCES) - {"cosine"}))
def test_history_is_that_of_the_textbook(metric: str, weighting: str) -> None:
    X, w = hard_cases.rows("blobs", 80, 3, np.float64), hard_cases.weights(weighting, 80)
    distance = DISTANCES[metric]
    visited = [X[:4].copy()]
    found = answers.lloyd(
        X, X[:4], metric=metric, weights=w, watch=lambda state: visited.append(state.centers)
    )
    centers, labels, n_iter = oracle.lloyd(X, X[:4], distance.kernel, distance.center, w, 300)
    assert_allclose(found.centers, centers, rtol=1e-15)
    assert_array_equal(found.labels, labels)
    assert found.n_iter == n_iter
    assert found.inertia == oracle.inertia(X, found.centers, labels, distance.kernel, w)
    before = [-1] * 80
    for step, start, end in zip(found.history, visited, visited[1:], strict=False):
        labels = oracle.labels(X, start, distance.kernel)
        assert step.moved == sum(a != b for a, b in zip(labels, before, strict=True))
        inertia = oracle.inertia(X, start, labels, distance.kernel, w)
        assert step.inertia == pytest.approx(inertia, rel=1e-12)
        assert step.shift == pytest.approx(np.square(end - start).sum(), rel=1e-12)
        before = labels


@pytest.mark.parametrize("far", [0.0, 1e9])
@pytest.mark.parametrize("gap", [0.0, 1e9])
def test_history_keeps_its_digits(engine: str, far: float, gap: float) -> None:
    """Also where the rows lie far from zero, or in clusters that lie far from each other."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(far, 1, (300, 2)), rng.normal(far + gap, 1, (300, 2))])
    visited = [X[[0, 1, 300, 301]]]
    found = answers.lloyd(
        X, visited[0], engine=engine, watch=lambda state: visited.append(state.centers)
    )
    for step, centers in zip(found.history, visited, strict=False):
        labels = oracle.labels(X, centers, "euclidean")
        expected = oracle.inertia(X, centers, labels, "euclidean")
        assert step.inertia == pytest.approx(expected, rel=1e-12)


def test_a_step_too_small_to_be_squared_is_a_step(engine: str) -> None:
    tiny = 1e-170
    X = np.array([[0, 0], [0, tiny], [0, 2 * tiny], [0, 9 * tiny], [0, 10 * tiny], [1, 0]])
    found = answers.lloyd(X, X[[0, 1, 5]], metric="manhattan", engine=engine)
    assert_array_equal(found.labels, oracle.labels(X, found.centers, "manhattan"))


def test_the_best_of_several_starts_is_kept(engine: str) -> None:
    X = hard_cases.rows("blobs", 120, 2, np.float64)
    opened = open_engine(engine)
    rows = opened.place(X, None, DISTANCES["euclidean"])
    how = {"distance": DISTANCES["euclidean"], "max_iter": 50, "tol": 0.0}

    def run(*seeds: int) -> Fit:
        rngs = [np.random.default_rng(seed) for seed in seeds]
        return _fit.run(opened, rows, 6, random_rows, rngs, **how)

    single = [run(seed) for seed in range(6)]
    inertias = [found.inertia for found in single]
    assert len(set(inertias)) > 1
    best = run(*range(6))
    first = single[int(np.argmin(inertias))]  # the first of the best
    assert best.inertia == min(inertias)
    assert_array_equal(best.labels, first.labels)
    assert best.history == first.history


# scikit-learn


@pytest.mark.parametrize("tol", [0.0, 1e-4])
@pytest.mark.parametrize(
    ("name", "k"),
    [
        ("toy", 2),
        ("iris", 3),
        ("iris", 8),
        ("blobs", 3),
        ("blobs", 10),
        ("digits", 10),
        ("mnist-test", 10),
    ],
)
def test_same_way_as_scikit_learn(
    name: str, k: int, tol: float, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue("data_folder") if name.startswith("mnist") else None
    X = datasets.load(name, data=folder).X.astype(np.float64)
    cpu = open_engine("cpu")
    rows = cpu.place(X, None, DISTANCES["euclidean"])
    start = kmeans_plusplus(cpu, rows, k, np.random.default_rng(1992))
    ours = answers.lloyd(X, start, tol=tol * np.var(X, axis=0).mean())
    theirs = TheirKMeans(k, init=start, n_init=1, tol=tol, algorithm="lloyd").fit(X)
    assert_array_equal(ours.labels, theirs.labels_)
    assert_allclose(ours.centers, theirs.cluster_centers_, rtol=1e-9, atol=1e-12)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-11)
    assert ours.n_iter == theirs.n_iter_
