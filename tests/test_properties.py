"""What must hold for any data: found by searching for a counterexample."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

import answers
import hard_cases
import oracle
from omnimeans._types import Fit
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

steady = settings(max_examples=200, deadline=None, derandomize=True, database=None)

metrics = st.sampled_from([name for name, row in DISTANCES.items() if row.kernel != "cosine"])
dtypes = st.sampled_from([np.float32, np.float64])
shapes = st.tuples(st.integers(1, 40), st.integers(1, 11))
seeds = st.integers(0, 2**32)


@st.composite
def dyadic(draw: st.DrawFn, bits: int = 8) -> Any:
    """Rows on a coarse binary grid: their sums and distances are exact in float64."""
    whole = draw(arrays(np.int64, draw(shapes), elements=st.integers(-(2**bits), 2**bits)))
    return whole / 16.0


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, Any, str]:
    """Rows, some of them as a start, and a distance."""
    dtype = draw(dtypes)
    kind = draw(st.sampled_from(sorted(hard_cases.KINDS)))
    X = hard_cases.rows(kind, *draw(shapes), dtype, draw(seeds))
    k = draw(st.integers(1, min(len(X), 7)))
    return X, X[np.random.default_rng(draw(seeds)).permutation(len(X))[:k]], draw(metrics)


def steps(found: Fit) -> list[tuple[Any, ...]]:
    return [(step.inertia, step.moved, step.shift, step.repaired) for step in found.history]


def assert_same(a: Fit, b: Fit) -> None:
    """Equal bits of centres, labels and inertia, and as many iterations."""
    assert a.centers.tobytes() == b.centers.tobytes()
    assert_array_equal(a.labels, b.labels)
    assert a.inertia == b.inertia
    assert a.n_iter == b.n_iter


@given(problems(), seeds)
@steady
def test_the_order_of_the_rows_is_not_seen(problem: Any, seed: int) -> None:
    X, start, metric = problem
    order = np.random.default_rng(seed).permutation(len(X))
    found = answers.lloyd(X, start, metric=metric, max_iter=20)
    if any(step.repaired for step in found.history):
        return  # of several rows equally far away, the first is taken
    shuffled = answers.lloyd(X[order], start, metric=metric, max_iter=20)
    assert shuffled.centers.tobytes() == found.centers.tobytes()
    assert_array_equal(shuffled.labels, found.labels[order])
    assert shuffled.inertia == found.inertia
    assert steps(shuffled) == steps(found)


@given(dyadic(), metrics, seeds)
@steady
def test_a_weight_is_a_number_of_copies(X: Any, metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = X[: min(len(X), 4)]
    counts = rng.integers(1, 6, len(X))
    weighted = answers.lloyd(X, start, metric=metric, weights=counts.astype(float), max_iter=20)
    copied = answers.lloyd(np.repeat(X, counts, axis=0), start, metric=metric, max_iter=20)
    assert weighted.centers.tobytes() == copied.centers.tobytes()
    assert_array_equal(np.repeat(weighted.labels, counts), copied.labels)
    assert weighted.inertia == copied.inertia
    assert weighted.n_iter == copied.n_iter


@given(problems(), st.integers(-60, 60), seeds)
@steady
def test_the_unit_of_the_weights_is_not_seen(problem: Any, power: int, seed: int) -> None:
    X, start, metric = problem
    w = np.random.default_rng(seed).random(len(X)) + 0.01
    found = answers.lloyd(X, start, metric=metric, weights=w, max_iter=20)
    unit = 2.0**power
    scaled = answers.lloyd(X, start, metric=metric, weights=w * unit, max_iter=20)
    assert scaled.centers.tobytes() == found.centers.tobytes()
    assert_array_equal(scaled.labels, found.labels)
    assert scaled.inertia == found.inertia * unit
    assert [h.shift for h in scaled.history] == [h.shift for h in found.history]


@given(problems(), st.integers(-40, 40))
@steady
def test_the_unit_of_the_data_is_not_seen(problem: Any, power: int) -> None:
    X, start, metric = problem
    unit = X.dtype.type(2.0**power)
    found = answers.lloyd(X, start, metric=metric, max_iter=20)
    scaled = answers.lloyd(X * unit, start * unit, metric=metric, max_iter=20)
    degree = {"euclidean": 2, "cosine": 0}.get(metric, 1)
    assert_array_equal(scaled.centers, found.centers * (unit if degree else 1))
    assert_array_equal(scaled.labels, found.labels)
    assert scaled.inertia == found.inertia * float(unit) ** degree


@given(problems(), seeds)
@steady
def test_a_row_without_weight_is_absent(problem: Any, seed: int) -> None:
    X, start, metric = problem
    rng = np.random.default_rng(seed)
    ghosts = rng.integers(0, 8)
    at = np.sort(rng.integers(0, len(X) + 1, ghosts))
    haunted = np.insert(X, at, rng.normal(0, 1e6, (ghosts, X.shape[1])), axis=0)
    weights = np.insert(np.ones(len(X)), at, 0.0)
    found = answers.lloyd(X, start, metric=metric, max_iter=20)
    other = answers.lloyd(haunted, start, metric=metric, weights=weights, max_iter=20)
    assert other.centers.tobytes() == found.centers.tobytes()
    assert_array_equal(other.labels[weights > 0.0], found.labels)
    assert other.inertia == found.inertia
    assert other.n_iter == found.n_iter


@given(dyadic(), metrics, st.integers(-(2**20), 2**20))
@steady
def test_a_shift_of_the_data_shifts_the_centres(X: Any, metric: str, shift: int) -> None:
    start = X[: min(len(X), 3)]
    found = answers.lloyd(X, start, metric=metric, max_iter=20)
    shifted = answers.lloyd(X + shift, start + shift, metric=metric, max_iter=20)
    # a mean may be rounded differently there, and break a tie: compare up to the first such case
    same = 0
    for a, b in zip(found.history, shifted.history, strict=False):
        if a.moved != b.moved:
            break
        same += 1
        assert abs(a.inertia - b.inertia) <= 1e-9 * (1 + a.inertia)
    assert same >= 1
    if metric == "manhattan":  # medians are exact: nothing is rounded
        assert_array_equal(shifted.centers, found.centers + shift)
        assert_array_equal(shifted.labels, found.labels)
        assert shifted.inertia == found.inertia
        assert shifted.n_iter == found.n_iter


@given(problems(), st.booleans(), seeds)
@steady
def test_inertia_never_rises(problem: Any, weighted: bool, seed: int) -> None:
    X, start, metric = problem
    if metric == "manhattan-mean":
        metric = "euclidean"
    w = np.random.default_rng(seed).random(len(X)) + 0.01 if weighted else None
    found = answers.lloyd(X, start, metric=metric, weights=w, max_iter=30)
    inertias = [*(step.inertia for step in found.history), found.inertia]
    # float32 centres are rounded means: they cost up to half a unit in the last place each
    size = float(np.abs(X).max()) * float(np.finfo(X.dtype).eps)
    degree = 2 if metric == "euclidean" else 1
    slack = len(X) * X.shape[1] * size**degree
    for before, after in itertools.pairwise(inertias):
        assert after <= before * (1 + 1e-12) + slack


@given(shapes, dtypes, st.sampled_from(["euclidean", "manhattan"]), seeds, st.integers(-20, 30))
@steady
def test_labels_are_those_of_d_next_to_a_tie(
    shape: Any, dtype: Any, kernel: str, seed: int, power: int
) -> None:
    X, centers = hard_cases.near_ties(*shape, dtype, seed)
    offset = dtype(2.0**power)
    X, centers = X + offset, centers + offset
    expected = oracle.labels(X, centers, kernel)
    for name in ("cpu", "reference"):
        engine = open_engine(name)
        rows = engine.place(X, None, DISTANCES[kernel])
        engine.step(rows, centers)
        assert_array_equal(rows.labels, expected)
        assert_array_equal(engine.nearest(X, centers, DISTANCES[kernel]), expected)


@given(problems(), st.sampled_from([0, 3, 30]), seeds)
@steady
def test_labels_centres_and_inertia_belong_together(problem: Any, spread: int, seed: int) -> None:
    """Also where a weight is lost beside another that is 10**60 times as large."""
    X, start, metric = problem
    kernel = DISTANCES[metric].kernel
    w = 10.0 ** np.random.default_rng(seed).uniform(-spread, spread, len(X)) if spread else None
    for max_iter in (1, 2, 50):
        found = answers.lloyd(X, start, metric=metric, weights=w, max_iter=max_iter)
        assert_array_equal(found.labels, oracle.labels(X, found.centers, kernel))
        assert found.inertia == oracle.inertia(X, found.centers, found.labels, kernel, w)


@given(problems(), seeds)
@steady
def test_engines_agree(problem: Any, seed: int) -> None:
    X, start, metric = problem
    w = hard_cases.weights("tiny and huge", len(X), seed)
    how = {"metric": metric, "weights": w, "max_iter": 10}
    cpu, reference = (answers.lloyd(X, start, engine=name, **how) for name in ("cpu", "reference"))
    assert_same(cpu, reference)
    assert steps(cpu) == steps(reference)
