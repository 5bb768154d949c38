"""Every verb of every engine against its definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import hard_cases
import oracle
from omnimeans._types import Engine, Rows
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES, open_engine

DTYPES = [np.float32, np.float64]
DIMENSIONS = [*range(1, 10), 16, 17, 33, 100]
KERNELS = ["euclidean", "manhattan"]
N, K = 45, 7


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return open_engine(request.param)


def step(
    engine: Engine, X: Any, centers: Any, kernel: str = "euclidean", weights: Any = None
) -> tuple[Rows, Any, Any]:
    """Place the rows and make one pass; return the rows, the means and the weights."""
    rows = engine.place(X, weights, DISTANCES[kernel])
    seen = engine.step(rows, centers)
    return rows, *engine.means(rows, seen.sums)


def centers_for(X: Any, k: int = K) -> Any:
    """Rows and middles between rows: ties and copies where the data has them."""
    rng = np.random.default_rng(len(X))
    picked = X[rng.integers(0, len(X), (2, k))].astype(np.float64)
    picked[1, ::2] = picked[0, ::2]
    return (0.5 * picked[0] + 0.5 * picked[1]).astype(X.dtype)


# by hand


def test_three_rows_by_hand(engine: Engine) -> None:
    X, centers = np.array([[0.0, 0.0], [1.0, 1.0], [5.0, 2.0]]), np.array([[4.0, 2.0], [1.0, 0.0]])
    rows, means, weights = step(engine, X, centers)
    assert_array_equal(rows.labels, [1, 1, 0])
    assert_array_equal(means, [[5.0, 2.0], [0.5, 0.5]])
    assert_array_equal(weights, [1.0, 2.0])
    assert_array_equal(engine.distances(rows, centers, rows.labels), [1.0, 1.0, 1.0])
    assert_array_equal(engine.distances(rows, centers), [20.0, 10.0, 1.0])
    assert_array_equal(rows.mean, [2.0, 1.0])
    assert (rows.spread, rows.weight, rows.n, rows.d) == (16.0, 3.0, 3, 2)


def test_three_rows_by_hand_with_weights(engine: Engine) -> None:
    X, w = np.array([[0.0], [2.0], [7.0], [9.0]]), np.array([3.0, 1.0, 0.0, 2.0])
    rows, means, weights = step(engine, X, np.array([[8.0], [1.0]]), "manhattan", w)
    assert_array_equal(rows.labels, [1, 1, 0, 0])  # a row without weight has a label
    assert_array_equal(means, [[9.0], [0.5]])
    assert_array_equal(weights, [2.0, 4.0])
    assert_array_equal(engine.medians(rows, 2), [[9.0], [0.0]])
    assert (rows.mean, rows.weight) == (20 / 6, 6.0)


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [
        ([3, 1, 2], None, 2),
        ([4, 1, 2, 9], None, 3),
        ([1, 2, 3, 4], [1, 1, 1, 3], 3.5),
        ([1, 2, 3, 4], [1, 1, 1, 4], 4),
        ([5, 6, 7], [0, 1, 0], 6),
        ([1, 2, 8, 9], [1, 0, 0, 1], 5),
        ([0.5, 0.5, 0.5], [0.1, 0.2, 0.3], 0.5),
        ([1, 2, 3], [0.1, 0.2, 0.3], 2.0),  # in float64 0.1 + 0.2 > 0.3
    ],
)
def test_medians_by_hand(engine: Engine, values: Any, weights: Any, median: float) -> None:
    w = None if weights is None else np.array(weights, dtype=np.float64)
    X = np.array(values, dtype=np.float64)[:, None]
    rows, _, _ = step(engine, X, X[:1], "manhattan", w)
    assert_array_equal(engine.medians(rows, 1), [[median]])


def test_the_lowest_of_equal_centres_is_taken(engine: Engine) -> None:
    X = np.array([[0.0], [1.0], [2.0]])
    rows, means, weights = step(engine, X, np.array([[9.0], [1.0], [1.0], [0.0], [0.0]]))
    assert_array_equal(rows.labels, [3, 1, 1])
    assert_array_equal(weights, [0.0, 2.0, 0.0, 1.0, 0.0])
    assert_array_equal(means[weights == 0.0], 0.0)


def test_moved_rows_are_counted(engine: Engine) -> None:
    X = np.arange(10.0)[:, None]
    rows = engine.place(X, None, DISTANCES["euclidean"])
    assert rows.labels[0] == -1
    assert engine.step(rows, np.array([[0.0], [9.0]])).moved == 10
    assert engine.step(rows, np.array([[0.0], [9.0]])).moved == 0
    assert engine.step(rows, np.array([[0.0], [7.0]])).moved == 1  # row 4, now nearer to 7
    assert engine.step(rows, np.array([[7.0], [0.0]])).moved == 10


# against the oracle


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", DIMENSIONS)
def test_labels_and_distances(engine: Engine, d: int, kernel: str, dtype: Any) -> None:
    for kind in hard_cases.KINDS:
        X = hard_cases.rows(kind, N, d, dtype)
        centers = centers_for(X)
        expected = oracle.labels(X, centers, kernel)
        rows, _, _ = step(engine, X, centers, kernel)
        assert_array_equal(rows.labels, expected, err_msg=kind)
        assert_array_equal(engine.nearest(X, centers, DISTANCES[kernel]), expected, err_msg=kind)
        away = oracle.own_distances(X, centers, expected, kernel)
        assert_array_equal(engine.distances(rows, centers, rows.labels), away, err_msg=kind)
        own = centers[expected]
        assert_array_equal(engine.pairs(X, own, DISTANCES[kernel]), away, err_msg=kind)
        every = engine.all_pairs(X, centers, DISTANCES[kernel])
        assert_array_equal(every[np.arange(N), expected], away, err_msg=kind)
        assert_array_equal(every.argmin(axis=1), expected, err_msg=kind)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", DIMENSIONS)
def test_labels_next_to_a_tie(engine: Engine, d: int, kernel: str, dtype: Any) -> None:
    for offset in (0.0, 1e4, -3e7):
        X, centers = hard_cases.near_ties(N, d, dtype)
        X, centers = X + dtype(offset), centers + dtype(offset)
        rows, _, _ = step(engine, X, centers, kernel)
        assert_array_equal(rows.labels, oracle.labels(X, centers, kernel))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 8, 9, 40])
@pytest.mark.parametrize("size", [1e4, 1e19, 1e30, 3e38, 1e150])
def test_labels_beside_a_centre_very_far_away(
    engine: Engine, size: float, d: int, kernel: str
) -> None:
    """Whether or not it overflows the float32 numbers of the screen."""
    X = hard_cases.rows("blobs", 20, d, np.float64)
    for far in (size, -size):
        for at in range(0, 10, 3):
            centers = X[:10].copy()
            centers[at] = far
            rows, _, _ = step(engine, X, centers, kernel)
            assert_array_equal(rows.labels, oracle.labels(X, centers, kernel))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", DIMENSIONS)
def test_d_is_close_to_the_true_distance(d: int, kernel: str) -> None:
    X = hard_cases.rows("scales", 20, d, np.float64).tolist()
    for x, c in itertools.pairwise(X):
        true = oracle.true_distance(x, c, kernel)
        assert abs(oracle.distance(x, c, kernel) / true - 1) <= (d / 8 + 8) * 2.0**-53


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighting", ["none", "counts"])
@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 33])
def test_means_are_correctly_rounded(engine: Engine, d: int, weighting: str, dtype: Any) -> None:
    for kind in hard_cases.KINDS:
        X, w = hard_cases.rows(kind, N, d, dtype), hard_cases.weights(weighting, N)
        rows, means, weights = step(engine, X, centers_for(X), weights=w)
        expected = oracle.means(X, rows.labels, K, w)
        assert_array_equal(means, expected[0], err_msg=kind)
        assert_array_equal(weights, expected[1], err_msg=kind)
        whole, weight = oracle.means(X, [0] * N, 1, w)
        assert_array_equal(rows.mean, np.array(whole[0]).astype(dtype), err_msg=kind)
        assert rows.weight == weight[0]


@pytest.mark.parametrize("d", [1, 3, 9])
def test_weighted_means_are_correctly_rounded(engine: Engine, d: int) -> None:
    for kind in hard_cases.KINDS:
        X, w = hard_cases.rows(kind, N, d, np.float64), hard_cases.weights("any", N)
        rows, means, weights = step(engine, X, centers_for(X), weights=w)
        expected = oracle.means(X, rows.labels, K, w)
        assert_array_equal(weights, expected[1], err_msg=kind)
        assert_array_equal(means, expected[0], err_msg=kind)


def test_weights_of_very_different_size(engine: Engine) -> None:
    """A light cluster beside a heavy one has its centre to at least 40 bits."""
    X = hard_cases.rows("blobs", N, 3, np.float64)
    w = hard_cases.weights("tiny and huge", N)
    rows, means, weights = step(engine, X, centers_for(X), weights=w)
    expected = oracle.means(X, rows.labels, K, w)
    assert_allclose(weights, expected[1], rtol=2.0**-40)
    assert_allclose(means, expected[0], rtol=2.0**-40)


def test_the_mean_of_copies_is_the_row(engine: Engine) -> None:
    """Whatever their weights sum up to: a cluster of one distinct row has inertia 0."""
    rng = np.random.default_rng(0)
    for x in rng.uniform(1.5, 2.0, 40):
        _, means, _ = step(engine, np.full((7, 1), x), np.array([[0.0]]), weights=rng.random(7))
        assert means == x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighting", sorted(hard_cases.WEIGHTS))
@pytest.mark.parametrize("d", [1, 2, 8, 9, 17, 33])
def test_medians(engine: Engine, d: int, weighting: str, dtype: Any) -> None:
    for kind in hard_cases.KINDS:
        X, w = hard_cases.rows(kind, N, d, dtype), hard_cases.weights(weighting, N)
        rows, _, _ = step(engine, X, centers_for(X), "manhattan", w)
        expected = oracle.medians(X, rows.labels, K, w)
        assert_array_equal(engine.medians(rows, K), expected, err_msg=kind)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("weighting", sorted(hard_cases.WEIGHTS))
def test_inertia_and_spread(engine: Engine, weighting: str, kernel: str, dtype: Any) -> None:
    for kind in hard_cases.KINDS:
        X, w = hard_cases.rows(kind, N, 5, dtype), hard_cases.weights(weighting, N)
        centers = centers_for(X)
        rows, _, _ = step(engine, X, centers, kernel, w)
        inertia = engine.total(engine.distances(rows, centers, rows.labels), w)
        assert inertia == oracle.inertia(X, centers, rows.labels, kernel, w), kind
        # the spread is squared, whatever the distance
        assert rows.spread == oracle.inertia(X, rows.mean[None], [0] * N, "euclidean", w), kind


def met(engine: Engine, rows: Any, centers: Any) -> Any:
    """What the other centres are worth once the first is chosen."""
    seeding = engine.seeding(rows)
    seeding.meet(centers)
    seeding.adopt(0)
    seeding.meet(centers)
    return seeding.worth(np.arange(len(centers)))


@pytest.mark.parametrize("layout", sorted(hard_cases.LAYOUTS))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 3, 8, 17, 40])
def test_layout_in_memory_is_not_seen(engine: Engine, layout: str, dtype: Any, d: int) -> None:
    X = hard_cases.rows("offset", N, d, dtype)
    view = hard_cases.LAYOUTS[layout](X)
    assert_array_equal(view, X)
    centers = centers_for(X)
    plain, means, _ = step(engine, X, centers)
    rows, same_means, _ = step(engine, view, centers)
    assert_array_equal(rows.labels, plain.labels)
    assert_array_equal(same_means, means)
    assert rows.spread == plain.spread
    assert_array_equal(engine.nearest(view, centers, DISTANCES["euclidean"]), plain.labels)
    assert_array_equal(engine.distances(rows, centers), engine.distances(plain, centers))
    assert_array_equal(engine.medians(rows, K), engine.medians(plain, K))
    assert_array_equal(met(engine, rows, centers), met(engine, plain, centers))


@pytest.mark.parametrize("k", [1, 2, 11, 12, 13, 31, 64])
@pytest.mark.parametrize("d", [3, 20])
def test_every_number_of_centres(engine: Engine, k: int, d: int) -> None:
    """Centres are packed in groups; the last one may be shorter."""
    X = hard_cases.rows("blobs", 70, d, np.float32)
    centers = X[:k].copy()
    rows, _, weights = step(engine, X, centers)
    assert_array_equal(rows.labels, oracle.labels(X, centers, "euclidean"))
    assert weights.sum() == 70


def test_one_row_and_one_centre(engine: Engine) -> None:
    X = np.array([[3.0, -4.0]])
    rows, means, weights = step(engine, X, np.zeros((1, 2)))
    assert_array_equal(rows.labels, [0])
    assert_array_equal(means, X)
    assert (weights, rows.spread) == (1.0, 0.0)
    assert_array_equal(engine.distances(rows, np.zeros((1, 2))), [25.0])


def test_relabel_moves_rows_by_force(engine: Engine) -> None:
    X, w = np.arange(8.0)[:, None], np.array([1.0, 2.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0])
    rows, _, _ = step(engine, X, np.array([[1.0], [6.0], [99.0]]), weights=w)
    assert_array_equal(rows.labels, [0, 0, 0, 0, 1, 1, 1, 1])
    seen = engine.relabel(rows, np.array([1, 5]), 2)
    assert_array_equal(rows.labels, [0, 2, 0, 0, 1, 2, 1, 1])
    assert seen.moved == 2
    means, weights = engine.means(rows, seen.sums)
    assert_array_equal(means, [[5 / 3], [17 / 3], [4.5 / 2.5]])
    assert_array_equal(weights, [3.0, 3.0, 2.5])
    again = engine.step(rows, np.array([[1.0], [6.0], [99.0]]))  # the sums went along
    assert again.moved == 2
    assert_array_equal(engine.means(rows, again.sums)[1], [5.0, 3.5, 0.0])
