"""Starts: rows drawn by number, from exact sums; blocks and threads cannot be seen in them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
import oracle
from omnimeans import init
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


def seeded(engine: Engine, rows: Any, center: Any) -> Any:
    """The state of k-means++ after one centre."""
    seeding = engine.seeding(rows)
    seeding.meet(np.atleast_2d(center).astype(rows.X.dtype))
    seeding.adopt(0)
    return seeding


def test_draws_by_hand(engine: Engine) -> None:
    X = np.arange(4.0)[:, None]
    rows = engine.place(X, np.array([1.0, 2.0, 0.0, 1.0]), EUCLIDEAN)
    tickets = (np.array([0, 15, 16, 47, 48, 63], dtype=np.uint64) << np.uint64(58)).copy()
    assert_array_equal(engine.seeding(rows).draw(tickets), [0, 0, 1, 1, 3, 3])
    seeding = seeded(engine, rows, 0.0)  # weight times square: 0, 2, 0, 9
    assert_array_equal(seeding.draw(tickets), [1, 3, 3, 3, 3, 3])  # 15/64 of 11 is past 2
    assert_array_equal(seeding.closest(np.array([3, 0, 2])), [9.0, 0.0, 4.0])
    last = np.array([2**64 - 1], dtype=np.uint64)
    assert seeding.draw(last) == 3
    for center in X:
        seeding.meet(center[None])
        seeding.adopt(0)
    assert seeding.draw(last) == 3  # nothing left to choose by


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 1000, 10_000])
def test_draws_follow_exact_prefix_sums(engine: Engine, n: int) -> None:
    rng = np.random.default_rng(n)
    X = rng.integers(0, 50, (n, 1)).astype(np.float64) + 1.0
    rows = engine.place(X, None, EUCLIDEAN)
    tickets = rng.integers(0, 2**64, 200, dtype=np.uint64)
    ends = np.cumsum(np.square(X[:, 0]).astype(int)).tolist()
    targets = [int(ticket) * ends[-1] >> 64 for ticket in tickets]
    expected = np.searchsorted(ends, targets, side="right")
    assert_array_equal(seeded(engine, rows, 0.0).draw(tickets), expected)


@pytest.mark.parametrize("kernel", ["euclidean", "manhattan"])
def test_worth_is_what_a_candidate_takes_off_the_objective(engine: Engine, kernel: str) -> None:
    X = hard_cases.rows("lattice", 300, 4, np.float32)
    w = hard_cases.weights("counts", 300)
    seeding = seeded(engine, engine.place(X, w, DISTANCES[kernel]), X[0])
    closest = np.array([oracle.distance(x, X[0].tolist(), kernel) for x in X.tolist()])
    steps = set()
    for adopted in range(1, 4):  # from the lists of one look, while centres are added
        seeding.meet(X[adopted:20])
        for chosen in range(3):
            others = np.arange(20 - adopted)
            worth = seeding.worth(others)
            for c in others.tolist():
                away = [oracle.distance(x, X[adopted + c].tolist(), kernel) for x in X.tolist()]
                saved = oracle.total(closest, w) - oracle.total(np.minimum(away, closest), w)
                assert (worth[c] == 0) == (saved == 0)
                steps |= {math.frexp(worth[c] / saved)[0]} if saved else set()
            away = [oracle.distance(x, X[adopted + chosen].tolist(), kernel) for x in X.tolist()]
            closest = np.minimum(closest, away)
            seeding.adopt(chosen)
            assert_array_equal(seeding.closest(np.arange(300)), closest)
    assert steps == {0.5}  # whole numbers: exactly so many steps of a power of two


def test_a_row_too_light_to_count_is_never_drawn(engine: Engine) -> None:
    rows = engine.place(np.arange(3.0)[:, None], np.array([1.0, 1e-300, 1.0]), EUCLIDEAN)
    tickets = generator().integers(0, 2**64, 500, dtype=np.uint64)
    assert set(engine.seeding(rows).draw(tickets)) == {0, 2}


def test_steps_become_finer_as_the_distances_shrink(engine: Engine) -> None:
    """Once the outlier is a centre, rows at a trillionth of its distance are drawn properly."""
    X = np.array([[1e12], [0.0], [1.0], [3.0]])
    seeding = seeded(engine, engine.place(X, None, EUCLIDEAN), 0.0)
    tickets = generator().integers(0, 2**64, 2000, dtype=np.uint64)
    assert set(seeding.draw(tickets)) == {0}
    seeding.meet(X[:1])
    seeding.adopt(0)
    drawn = Counter(seeding.draw(tickets).tolist())
    assert drawn[2] / 2000 == pytest.approx(1 / 10, abs=0.03)
    assert drawn[3] / 2000 == pytest.approx(9 / 10, abs=0.03)


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


@pytest.mark.parametrize("engine", [name for name in sorted(ENGINES) if name != "dask"])
def test_random_rows_of_weights_are_those_of_copies(engine: str) -> None:
    X, w = np.arange(5000.0)[:, None], np.random.default_rng(0).integers(0, 4, 5000)
    opened = open_engine(engine)
    weighted = opened.place(X, w.astype(float), EUCLIDEAN)
    copied = opened.place(np.repeat(X, w, axis=0), None, EUCLIDEAN)
    for k in (1, 2, 40, 3000):
        drawn = random_rows(opened, weighted, k, generator(k))
        assert_array_equal(drawn, random_rows(opened, copied, k, generator(k)))
        assert len(np.unique(drawn)) == k


def test_random_rows_where_nearly_all_weigh_next_to_nothing() -> None:
    engine = open_engine("cpu")
    w = np.r_[1.0, 1.0, np.full(48, 1e-12), np.zeros(50)]
    rows = engine.place(np.arange(100.0)[:, None], w, EUCLIDEAN)
    drawn = random_rows(engine, rows, 20, generator())
    assert len(np.unique(drawn)) == 20
    assert drawn.max() < 50  # none of weight 0


@pytest.mark.parametrize("seed", range(20))
def test_kmeans_plusplus_never_returns_a_row_of_weight_zero(seed: int) -> None:
    """Not even when all rows that count lie on centres."""
    X, w = [[0.0], [1.0], [1.0], [5.0]], [0.0, 1.0, 2.0, 0.0]
    centers, numbers = om.kmeans_plusplus(X, 3, sample_weight=w, random_state=seed)
    assert set(numbers) <= {1, 2}
    assert_array_equal(centers, np.ones((3, 1)))


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


def test_rounds_that_share_a_look_draw_by_the_distances_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rejection sampling: pairs of later centres are as frequent as if drawn one by one."""
    monkeypatch.setattr(init, "ROUNDS_SHARE", 1)  # two rounds a look from the second centre on
    engine = open_engine("cpu")
    x = [0.0, 1.0, 3.0, 7.0]
    rows = engine.place(np.array(x)[:, None], None, EUCLIDEAN)
    found: Counter[tuple[int, ...]] = Counter()
    for seed in range(8000):
        found[tuple(kmeans_plusplus_rows(engine, rows, 3, generator(seed), trials=1))] += 1
    for order, count in one_by_one(x).items():
        assert found[order] / 8000 == pytest.approx(count, abs=0.02)  # four standard deviations


def one_by_one(x: list[float]) -> dict[tuple[int, ...], float]:
    """The probability of each order of three centres, by the definition of k-means++."""
    chances = {}
    for order in itertools.permutations(range(len(x)), 3):
        chance, chosen = 1 / len(x), [order[0]]
        for j in order[1:]:
            closest = [min((a - x[c]) ** 2 for c in chosen) for a in x]
            chance *= closest[j] / sum(closest)
            chosen.append(j)
        chances[order] = chance
    return chances


@pytest.mark.parametrize("k", [6, 60])
def test_kmeans_plusplus_keeps_the_best_of_its_candidates(k: int) -> None:
    """Against the same greedy algorithm, one number at a time."""
    engine = open_engine("cpu")
    X = hard_cases.rows("lattice", 200, 3, np.float64)
    w = hard_cases.weights("counts", 200)
    for seed in range(4):
        rows = engine.place(X, w, EUCLIDEAN)
        chosen = kmeans_plusplus_rows(engine, rows, k, generator(seed))
        assert_array_equal(chosen, greedy(X, w, k, generator(seed)))
        assert_array_equal(kmeans_plusplus(engine, rows, k, generator(seed)), X[chosen])


def greedy(X: Any, w: Any, k: int, rng: np.random.Generator) -> list[int]:
    """Greedy k-means++ whose every distance and sum is a whole number."""
    away = [oracle.own_distances(X, c[None], [0] * len(X), "euclidean") for c in X]
    trials = 2 + int(math.log(k))
    chosen: list[int] = []
    closest = np.ones(len(X))
    while len(chosen) < k:
        rounds = min(1 + len(chosen) // init.ROUNDS_SHARE, k - len(chosen))
        spare = trials * rounds // init.SPARE if rounds > 1 else 0
        size = trials * rounds + spare if chosen else 1
        ends = np.cumsum((closest * w).astype(int)).tolist()
        tickets = rng.integers(0, 2**64, size=size, dtype=np.uint64).tolist()
        pool = [int(np.searchsorted(ends, t * ends[-1] >> 64, side="right")) for t in tickets]
        before, luck = [closest[j] for j in pool], rng.random(size)
        waiting = list(range(size))
        for _ in range(rounds):
            fair = [p for p in waiting if not chosen or luck[p] * before[p] <= closest[pool[p]]]
            if chosen and len(fair) < trials:
                break
            tried = fair[:trials]
            left = [float((np.minimum(closest, away[pool[p]]) * w).sum()) for p in tried]
            best = pool[tried[left.index(min(left)) if chosen else 0]]
            closest = np.minimum(closest, away[best]) if chosen else np.array(away[best])
            chosen.append(best)
            waiting = [p for p in waiting if p > tried[-1]]
    return chosen


def test_too_few_distinct_rows_still_give_a_start(engine: Engine) -> None:
    X = np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0)
    rows = engine.place(X, None, EUCLIDEAN)
    centers = kmeans_plusplus(engine, rows, 4, generator())
    assert_array_equal(np.unique(centers, axis=0), np.unique(X, axis=0))


@pytest.mark.parametrize("k", [5, 60])
def test_parallel_seeding_is_about_as_good_as_one_by_one(k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(0, 20, (k, 6))[rng.integers(0, k, 6000)] + rng.normal(size=(6000, 6))
    parallel, greedy = (
        np.median([om.KMeans(k, init=start, random_state=s).fit(X).inertia_ for s in range(5)])
        for start in ("k-means||", "k-means++")
    )
    assert parallel < 1.1 * greedy


def test_parallel_seeding_of_few_distinct_rows() -> None:
    X = np.repeat(np.arange(4.0), 25)[:, None]
    assert om.KMeans(4, init="k-means||", random_state=0).fit(X).inertia_ == 0.0
