"""Starts: rows drawn by number, from exact sums; blocks and threads cannot be seen in them."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import oracle
from omnimeans._types import Engine
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES, open_engine
from omnimeans.init import INITS, kmeans_plusplus, kmeans_plusplus_rows, random_rows

EUCLIDEAN = DISTANCES["euclidean"]


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return open_engine(request.param)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# draws


def test_draws_by_hand(engine: Engine) -> None:
    X = np.arange(4.0)[:, None]
    rows = engine.place(X, np.array([1.0, 2.0, 0.0, 1.0]), DISTANCES["euclidean"])
    tickets = (np.array([0, 15, 16, 47, 48, 63], dtype=np.uint64) << np.uint64(58)).copy()
    assert_array_equal(engine.draw(rows, None, tickets), [0, 0, 1, 1, 3, 3])
    values = np.array([0.0, 1.0, 5.0, 6.0])  # times weights: 0, 2, 0, 6
    assert_array_equal(engine.draw(rows, values, tickets), [1, 1, 3, 3, 3, 3])
    last = np.array([2**64 - 1], dtype=np.uint64)
    assert engine.draw(rows, values, last) == 3
    assert engine.draw(rows, np.zeros(4), last) == 3  # nothing to choose by


@pytest.mark.parametrize("n", [1, 2, 1000, 4096, 4097, 10_000])
def test_draws_follow_exact_prefix_sums(engine: Engine, n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.integers(0, 50, n).astype(np.float64) + (n < 3)
    rows = engine.place(rng.standard_normal((n, 2)), None, DISTANCES["euclidean"])
    tickets = rng.integers(0, 2**64, 200, dtype=np.uint64)
    ends = np.cumsum(values.astype(int)).tolist()
    targets = [int(ticket) * ends[-1] >> 64 for ticket in tickets]
    expected = np.searchsorted(ends, targets, side="right")
    assert_array_equal(engine.draw(rows, values, tickets), expected)


@pytest.mark.parametrize("kernel", ["euclidean", "manhattan"])
def test_nearer_orders_candidates_by_their_objective(engine: Engine, kernel: str) -> None:
    X = hard_cases.rows("lattice", 300, 4, np.float32)
    w = hard_cases.weights("counts", 300)
    rows = engine.place(X, w, DISTANCES[kernel])
    closest = engine.distances(rows, X[:1])
    worth = engine.nearer(rows, X[1:9], closest)
    objective = []
    for c in X[1:9]:
        away = [oracle.distance(x, c, kernel) for x in X.tolist()]
        objective.append(oracle.total(np.minimum(away, closest), w))
    steps = {worth[c] / value for c, value in enumerate(objective)}
    assert len(steps) == 1  # whole numbers: exactly so many steps of a power of two
    assert math.frexp(steps.pop())[0] == 0.5


def test_a_row_too_light_to_count_is_never_drawn(engine: Engine) -> None:
    rows = engine.place(np.arange(3.0)[:, None], np.array([1.0, 1e-300, 1.0]), EUCLIDEAN)
    tickets = generator().integers(0, 2**64, 500, dtype=np.uint64)
    assert set(engine.draw(rows, None, tickets)) == {0, 2}


# starts


@pytest.mark.parametrize("name", sorted(INITS))
@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_start_is_made_of_different_rows(
    engine: Engine, name: str, weighting: str, dtype: Any
) -> None:
    X, w = hard_cases.rows("blobs", 60, 3, dtype), hard_cases.weights(weighting, 60)
    rows = engine.place(X, w, EUCLIDEAN)
    for seed in range(20):
        centers = INITS[name](engine, rows, 12, generator(seed))
        assert centers.dtype == dtype
        assert centers.flags.c_contiguous
        numbers = [int(np.flatnonzero((c == X).all(axis=1))[0]) for c in centers]
        assert len(set(numbers)) == 12
        if w is not None:
            assert w[numbers].all()  # a row without weight is no row


@pytest.mark.parametrize("name", sorted(INITS))
def test_a_start_depends_on_the_generator_only(engine: Engine, name: str) -> None:
    X = hard_cases.rows("blobs", 200, 2, np.float64)
    rows = engine.place(X, None, EUCLIDEAN)
    first, again, other = (INITS[name](engine, rows, 5, generator(s)) for s in (3, 3, 4))
    assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("name", sorted(INITS))
def test_every_row_is_a_centre_when_there_are_as_many(engine: Engine, name: str) -> None:
    X = hard_cases.rows("blobs", 30, 2, np.float64)
    rows = engine.place(X, None, EUCLIDEAN)
    centers = INITS[name](engine, rows, 30, generator())
    assert_array_equal(np.unique(centers, axis=0), np.unique(X, axis=0))


def test_random_rows_come_by_weight() -> None:
    engine = open_engine("cpu")
    X, w = np.arange(4.0)[:, None], np.array([1.0, 2.0, 0.0, 5.0])
    rows = engine.place(X, w, EUCLIDEAN)
    drawn = [float(random_rows(engine, rows, 1, generator(seed))[0, 0]) for seed in range(4000)]
    shares = Counter(drawn)
    for value, share in ((0.0, 1 / 8), (1.0, 2 / 8), (3.0, 5 / 8)):
        assert shares[value] / 4000 == pytest.approx(share, abs=0.03)  # four standard deviations


def test_random_rows_without_weights_are_uniform() -> None:
    engine = open_engine("cpu")
    rows = engine.place(np.arange(6.0)[:, None], None, EUCLIDEAN)
    drawn = Counter(
        float(value)
        for seed in range(3000)
        for value in random_rows(engine, rows, 2, generator(seed))[:, 0]
    )
    assert min(drawn.values()) > 880  # 1000 expected, four standard deviations
    assert max(drawn.values()) < 1120


def test_kmeans_plusplus_draws_by_squared_distance() -> None:
    """With one trial: the second centre comes with probability D / sum of D (Arthur, 2007)."""
    engine = open_engine("cpu")
    rows = engine.place(np.array([[0.0], [1.0], [3.0]]), None, EUCLIDEAN)
    second = Counter()
    for seed in range(6000):
        first, then = kmeans_plusplus_rows(engine, rows, 2, generator(seed), trials=1).tolist()
        second[first, then] += 1
    total = sum(second[0, other] for other in (1, 2))
    assert second[0, 1] / total == pytest.approx(1 / 10, abs=0.03)
    assert second[0, 0] == second[1, 1] == second[2, 2] == 0


def test_kmeans_plusplus_keeps_the_best_of_its_candidates() -> None:
    """Against the same greedy algorithm, one number at a time."""
    engine = open_engine("cpu")
    X = hard_cases.rows("lattice", 80, 3, np.float64)
    w = hard_cases.weights("counts", 80)
    for seed in range(10):
        rows = engine.place(X, w, EUCLIDEAN)
        chosen = kmeans_plusplus_rows(engine, rows, 6, generator(seed))
        assert_array_equal(chosen, greedy(X, w, 6, generator(seed)))
        assert_array_equal(kmeans_plusplus(engine, rows, 6, generator(seed)), X[chosen])


def greedy(X: Any, w: Any, k: int, rng: np.random.Generator) -> list[int]:
    away = [oracle.own_distances(X, c[None], [0] * len(X), "euclidean") for c in X]
    trials = 2 + int(math.log(k))
    chosen: list[int] = []
    closest = np.ones(len(X))
    for i in range(k):
        ends = np.cumsum((closest * w).astype(int)).tolist()
        tickets = rng.integers(0, 2**64, size=trials if i else 1, dtype=np.uint64).tolist()
        drawn = [int(np.searchsorted(ends, t * ends[-1] >> 64, side="right")) for t in tickets]
        worth = [float((np.minimum(closest, away[j]) * w).sum()) for j in drawn]
        chosen.append(drawn[worth.index(min(worth))] if i else drawn[0])
        closest = np.minimum(closest, away[chosen[-1]]) if i else np.array(away[chosen[0]])
    return chosen


def test_too_few_distinct_rows_still_give_a_start(engine: Engine) -> None:
    X = np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0)
    rows = engine.place(X, None, EUCLIDEAN)
    centers = kmeans_plusplus(engine, rows, 4, generator())
    assert_array_equal(np.unique(centers, axis=0), np.unique(X, axis=0))
