"""Sums that do not depend on order: the grid, its two words, and the way back to floats."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
import oracle
from omnimeans import _core
from omnimeans._sums import MAX_BITS, Grid, two_product
from omnimeans._types import Engine
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES, open_engine

EUCLIDEAN = DISTANCES["euclidean"]
steady = settings(max_examples=150, deadline=None, derandomize=True, database=None)
ordinary = st.floats(-1e100, 1e100).filter(lambda x: x == 0.0 or abs(x) > 1e-100)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return open_engine(request.param)


def exactly(words: Any, grid: Grid) -> list[Fraction]:
    """What the two words per column stand for."""
    return [
        (int(high) + int(low) * Fraction(2) ** -grid.bits) * Fraction(2) ** int(exponent)
        for high, low, exponent in zip(*words, grid.exponents, strict=True)
    ]


# the grid


@pytest.mark.parametrize("n", [1, 2, 3, 4095, 4096, 10**6, 2**31, 2**40])
@pytest.mark.parametrize("peak", [1e-200, 1.0, np.nextafter(1.0, 0.0), 255.0, 1e200])
def test_the_largest_possible_sum_fits_a_word(n: int, peak: float) -> None:
    grid = Grid.fit(np.array([peak, 1.0]), n)
    largest = Fraction(peak) / Fraction(2) ** int(grid.exponents[0])
    assert n * math.ceil(largest) < 2**63
    assert largest <= 2**50  # room for the rounding constant of the core
    # and the grid is no coarser than that asks for
    assert grid.bits == MAX_BITS or n * largest * 8 > 2**62


def test_words_of_float32_data_are_exact() -> None:
    """A million rows of float32 values that differ by a factor of 2**30 lose nothing."""
    grid = Grid.fit(np.array([1.0, 1.0]), 10**6)
    finest = Fraction(2) ** (int(grid.exponents[0]) - grid.bits)
    assert finest <= Fraction(2) ** (-30 - 24)


@given(ordinary, ordinary)
@steady
def test_two_product_loses_nothing(a: float, b: float) -> None:
    if a and b and not 1e-250 < abs(a * b) < 1e250:
        return
    product, lost = two_product(np.array([a]), np.array([b]))
    assert float(product[0]) == a * b
    assert Fraction(float(product[0])) + Fraction(float(lost[0])) == Fraction(a) * Fraction(b)


# sums of passes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighting", ["none", "counts", "any"])
def test_sums_are_exact(engine: Engine, weighting: str, dtype: Any) -> None:
    for kind in ("blobs", "lattice", "far", "scales"):
        X, w = hard_cases.rows(kind, 40, 3, dtype), hard_cases.weights(weighting, 40)
        rows = engine.place(X, w, EUCLIDEAN)
        seen = engine.step(rows, X[:4].copy())
        for j in range(4):
            mine = np.flatnonzero(rows.labels == j)
            shares = [Fraction(1 if w is None else float(w[i])) for i in mine]
            columns = [[Fraction(float(v)) for v in X[mine, f]] for f in range(3)]
            columns.append([Fraction(1)] * len(mine))
            expected = [
                sum((s * v for s, v in zip(shares, column, strict=True)), Fraction(0))
                for column in columns
            ]
            found = exactly(seen.sums[j], rows.grid)
            if weighting == "any" and dtype == np.float64:  # products of 106 bits
                finest = [Fraction(2) ** (int(e) - rows.grid.bits) for e in rows.grid.exponents]
                for a, b, step in zip(found, expected, finest, strict=True):
                    assert abs(a - b) <= len(mine) * step, kind
            else:
                assert found == expected, kind


def test_what_does_not_fit_the_grid_loses_half_a_step_at_most(engine: Engine) -> None:
    X = np.array([[1e30], [1.0], [1e-5], [-1e30], [1 / 3]])
    rows = engine.place(X, None, EUCLIDEAN)
    seen = engine.step(rows, X[:1].copy())
    true = sum(Fraction(float(v)) for v in X[:, 0])
    step = Fraction(2) ** (int(rows.grid.exponents[0]) - rows.grid.bits)
    assert 0 < abs(exactly(seen.sums[0], rows.grid)[0] - true) <= 5 * step / 2


def test_engines_have_the_same_words() -> None:
    for kind in hard_cases.KINDS:
        for weighting in hard_cases.WEIGHTS:
            X, w = hard_cases.rows(kind, 50, 5, np.float64), hard_cases.weights(weighting, 50)
            words = []
            for name in ENGINES:
                engine = open_engine(name)
                rows = engine.place(X, w, EUCLIDEAN)
                words.append(engine.step(rows, X[:6].copy()).sums)
            assert_array_equal(words[0], words[1], err_msg=f"{kind}, {weighting}")


@pytest.mark.parametrize("weighting", ["none", "any", "tiny and huge"])
def test_passes_over_disjoint_rows_add_up(weighting: str) -> None:
    n, d, k = 300, 9, 7
    X, w = hard_cases.rows("scales", n, d, np.float32), hard_cases.weights(weighting, n)
    engine = open_engine("cpu")
    rows = engine.place(X, w, EUCLIDEAN)
    centers = X[:k].copy()
    whole = engine.step(rows, centers)

    def part(numbers: Any) -> Any:
        labels = np.full(len(numbers), -1, dtype=np.int32)
        share = None if w is None else w[numbers]
        grid = rows.grid
        core = _core.RowsF32(X[numbers], share, labels, "euclidean", grid.exponents, grid.bits)
        core.set_frame(rows.mean, 1.0)
        moved, redecided, _ = core.step(centers, 1)
        return type(whole)(core.sums(), moved, redecided)

    order = np.random.default_rng(0).permutation(n)
    parts = [part(numbers) for numbers in np.split(order, [1, 50, 180])]
    for arranged in (parts, parts[::-1]):
        added = arranged[0]
        for one in arranged[1:]:
            added = added + one
        assert_array_equal(added.sums, whole.sums)
        assert added.moved == whole.moved == n


def test_a_row_that_comes_and_goes_leaves_no_trace(engine: Engine) -> None:
    """The sums are those of the labels, however the rows came to their labels."""
    X, w = hard_cases.rows("scales", 200, 5, np.float64), hard_cases.weights("any", 200)
    rng = np.random.default_rng(0)
    starts = [X[rng.integers(0, 200, 8)] for _ in range(6)]
    rows = engine.place(X, w, EUCLIDEAN)
    for centers in starts:
        seen = engine.step(rows, centers)
    fresh = engine.place(X, w, EUCLIDEAN)
    assert_array_equal(seen.sums, engine.step(fresh, starts[-1]).sums)


# back to floats

words = st.integers(-(2**61), 2**61)


@given(words, st.integers(-(2**61), 2**61), st.integers(1, 2**61), st.integers(40, 50))
@steady
def test_means_are_rounded_once(high: int, low: int, count: int, bits: int) -> None:
    sums = np.array([[[high, count], [low, 0]]], dtype=np.int64)
    exponents = np.array([-70, 0], dtype=np.int64)
    means, weights = _core.means(sums, exponents, bits)
    exact = (high + low * Fraction(2) ** -bits) * Fraction(2) ** -70
    assert weights[0] == float(count)
    assert means[0, 0] == float(exact / count)


@given(st.data())
@steady
def test_means_beside_a_tie_fall_on_the_right_side(data: st.DataObject) -> None:
    """Sums are made from quotients half way between two floats, and some steps beside that."""
    bits = data.draw(st.integers(20, 50))
    count = data.draw(st.integers(1, 2**31))
    middles = st.integers(2**53, 2**54 - 1).map(lambda whole: 2 * (whole // 2) + 1)
    sums = np.zeros((1, 2, 12), dtype=np.int64)
    sums[0, 0, -1] = count
    for column in range(11):
        whole = data.draw(middles) * count >> data.draw(st.integers(0, 30))
        whole += data.draw(st.integers(-2, 2))
        high = max(-(2**62), min(2**62, whole >> bits))
        sums[0, :, column] = high, whole - (high << bits) if abs(high) < 2**62 else 1
    means, _ = _core.means(sums, np.zeros(12, dtype=np.int64), bits)
    for column, mean in enumerate(means[0]):
        high, low = map(int, sums[0, :, column])
        assert mean == float((high + low * Fraction(2) ** -bits) / count)


@pytest.mark.parametrize("k", [0, 1, 7, 100])
def test_means_are_the_same_on_any_number_of_threads(k: int) -> None:
    sums = np.random.default_rng(k).integers(1, 2**40, (k, 2, 4))
    expected = _core.means(sums, np.zeros(4, dtype=np.int64), 45)
    assert expected[0].shape == (k, 3)
    for threads in (2, 3, 16):
        for one, other in zip(
            expected, _core.means(sums, np.zeros(4, dtype=np.int64), 45, threads), strict=True
        ):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tie_goes_to_the_even_neighbour(sign: int) -> None:
    one, half = 2**53, Fraction(1, 2)
    for whole in (one, one + 1):  # even and odd
        sums = np.array([[[sign * whole, 1], [sign * 2**49, 0]]], dtype=np.int64)
        means, _ = _core.means(sums, np.zeros(2, dtype=np.int64), 50)
        assert means[0, 0] == sign * float(whole + half)
        just_above = np.array([[[sign * whole, 1], [sign * (2**49 + 1), 0]]], dtype=np.int64)
        means, _ = _core.means(just_above, np.zeros(2, dtype=np.int64), 50)
        assert means[0, 0] == sign * (whole + 1)


# sums of scalars

terms = st.lists(st.floats(0, 1e300, allow_subnormal=True), min_size=1, max_size=20)


@given(terms)
@steady
def test_totals_are_rounded_once(values: list[float]) -> None:
    expected = oracle.total(values)
    for name in ENGINES:
        assert open_engine(name).total(np.array(values), None) == expected


@given(
    st.lists(st.tuples(st.floats(1e-100, 1e100), st.floats(1e-40, 1e40)), min_size=1, max_size=20)
)
@steady
def test_weighted_totals_are_rounded_once(pairs: list[tuple[float, float]]) -> None:
    values, weights = np.array(pairs).T.copy()
    expected = oracle.total(values, weights)
    for name in ENGINES:
        assert open_engine(name).total(values, weights) == expected


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [5e-324] * 3,
        [1.0, 2.0**-53],  # a tie, to even
        [1.0, 2.0**-53, 5e-324],  # just above it
        [1.0 + 2.0**-52, 2.0**-53],  # a tie, to even, upwards
        [2.0**1000, 1.0, 2.0**-1000],
        [1.7e308, 5e-324],
        [float(2**32 - 1)] * 7,  # digits that are full
    ],
)
def test_totals_at_the_edges(engine: Engine, values: list[float]) -> None:
    assert engine.total(np.array(values), None) == oracle.total(values)


def test_totals_do_not_depend_on_order(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(0, 20, 20_000))
    first = engine.total(values, None)
    assert first == math.fsum(values)
    for _ in range(3):
        assert engine.total(rng.permutation(values), None) == first


@pytest.mark.parametrize(
    ("n", "share"), [(100, 2e-30), (4000, 2e-30), (10**6, 1.1e-25), (10**9, 1.1e-19)]
)
def test_how_fine_the_grid_is(n: int, share: float) -> None:
    """The shares of the largest term that RELIABILITY.md names."""
    grid = Grid.fit(np.array([1.0]), n)
    finest = 2.0 ** (int(grid.exponents[0]) - grid.bits)
    assert share / 2 < finest < share


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_weights_below_the_grid_are_lost() -> None:
    X = np.repeat([[0.0, 0.0], [3.0, 5.0]], 50, axis=0)
    for weight, found in ((1e-20, True), (1e-25, True), (1e-33, False)):
        w = np.repeat([1.0, weight], 50)
        model = om.KMeans(2, init=X[[0, 50]], max_iter=1, tol=1e9).fit(X, sample_weight=w)
        assert np.allclose(model.cluster_centers_[1], [3.0, 5.0], rtol=1e-2) == found
