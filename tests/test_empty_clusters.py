"""Empty clusters: they are given the rows that are worst off, in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import oracle
from answers import column, lloyd
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES, open_engine
from omnimeans.init import INITS


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


# rows, centres, weights -> centres after one iteration, and repairs
REPAIRS: dict[str, tuple[Any, Any, Any, list[float], int]] = {
    "the farthest row": (column(0, 1, 2, 10), [[1], [99], [10]], None, [1.5, 0, 10], 1),
    "copies go together": (column(0, 6, 6, 6), [[1], [99]], None, [0, 6], 1),
    "the lone row stays": (column(0, 1, 50), [[0.4], [40], [999]], None, [0, 50, 1], 1),
    "lone copies stay": (column(0, 1, 50, 50), [[0.4], [40], [999]], None, [0, 50, 1], 1),
    "two empty, two rows": (column(0, 1, 9, 11), [[1], [98], [99]], None, [0.5, 11, 9], 2),
    "both of one cluster": (column(0, 4), [[3], [99]], None, [4, 0], 1),
    "no weight, no row": (column(0, 1, 9), [[0.2], [99]], [1, 1, 0], [0, 1], 1),
    "only weightless rows": (column(0, 1, 9), [[0.2], [9]], [1, 1, 0], [0, 1], 1),
    "too few distinct rows": (column(3, 3, 5), [[3], [98], [5], [99]], None, [3, 3, 5, 3], 0),
    "one distinct row": (column(7, 7, 7), [[7], [98], [99]], None, [7, 7, 7], 0),
}


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("name", sorted(REPAIRS))
def test_empty_clusters_by_hand(engine: str, name: str, metric: str) -> None:
    X, centers, weights, expected, repaired = REPAIRS[name]
    w = None if weights is None else np.array(weights, dtype=np.float64)
    found = lloyd(X, centers, engine=engine, metric=metric, weights=w, max_iter=1)
    assert_array_equal(found.centers.ravel(), expected)
    assert found.history[0].repaired == repaired
    assert_array_equal(found.labels, oracle.labels(X, found.centers, "euclidean"))


def test_a_start_without_rows_near_it_ends_well(engine: str) -> None:
    """A known failure elsewhere: labels that are not those of the centres, inertia 1 for 0."""
    found = lloyd(column(1, 2, 3), [[4.0], [0.0], [1.0]], engine=engine)
    assert_array_equal(found.centers.ravel(), [3, 2, 1])
    assert_array_equal(found.labels, [2, 1, 0])
    assert (found.inertia, found.stop_reason) == (0.0, "fixed point")
    assert [h.repaired for h in found.history] == [1, 0]


def test_more_clusters_than_distinct_rows(engine: str) -> None:
    """Another: six rows, five of them different, six clusters, which must come to an end."""
    X = np.array([[100, 100], [100, 102], [106, 100], [107, 101], [107, 101], [108, 100]], float)
    start = X.copy()
    start[[1, 4]] += [[1, 0], [0.5, 0.5]]
    for centers in (X, start):
        found = lloyd(X, centers, engine=engine)
        assert found.stop_reason == "fixed point"
        assert found.inertia == 0.0
        assert len(np.unique(found.labels)) == 5


@pytest.mark.parametrize("start", sorted(INITS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_seventeen_rows_nine_of_them_different(start: str, dtype: Any) -> None:
    cpu = open_engine("cpu")
    distinct = hard_cases.rows("blobs", 9, 2, dtype)
    X = np.vstack([distinct, distinct[:8]])
    for k in (9, 10, 13, 17):
        for seed in range(5):
            rows = cpu.place(X, None, DISTANCES["euclidean"])
            centers = INITS[start](cpu, rows, k, np.random.default_rng(seed))
            found = lloyd(X, centers)
            assert len(np.unique(found.labels)) == 9
            assert found.inertia == 0.0


@pytest.mark.parametrize("metric", sorted(DISTANCES))
def test_many_clusters_are_all_found(metric: str) -> None:
    X = np.random.default_rng(0).random((1000, 2))
    found = lloyd(X, np.vstack([X[:100], X[:100] + 5]), metric=metric, max_iter=30)
    assert len(np.unique(found.labels)) == 200


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_extreme_numbers_of_clusters(engine: str, metric: str, dtype: Any) -> None:
    X = hard_cases.rows("blobs", 40, 3, dtype)
    every = lloyd(X, X, engine=engine, metric=metric)
    assert (every.inertia, every.n_iter) == (0.0, 1)
    assert_array_equal(every.labels, np.arange(40))
    one = lloyd(X, X[:1], engine=engine, metric=metric)
    means, medians = oracle.means(X, [0] * 40, 1)[0], oracle.medians(X, [0] * 40, 1)
    assert_array_equal(one.centers, np.array(means if metric == "euclidean" else medians, dtype))
    assert one.inertia == oracle.inertia(X, one.centers, one.labels, metric)
    assert (one.n_iter, one.stop_reason) == (2, "fixed point")


def test_equal_rows(engine: str) -> None:
    X = np.full((20, 2), 1000001.0, dtype=np.float32)
    found = lloyd(X, X[:3] + np.float32(1), engine=engine)
    assert_array_equal(found.centers, X[:3])
    assert_array_equal(found.labels, 0)
    assert found.inertia == 0.0
