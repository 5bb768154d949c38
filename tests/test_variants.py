"""Every way to a pass gives the bits of brute force, at every iteration, and keeps true bounds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from bench import workloads
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
from omnimeans import _core
from omnimeans.algorithms import NAMES, VARIANTS, choose
from omnimeans.engines import open_engine
from omnimeans.engines.pilot import TINY, Pilot

REDUCED = ("a", "b", "c", "d", "e", "f-noise", "g-mnist", "h", "i", "l", "m")
WAYS = [name for name in VARIANTS if name != "brute"]


def answer(X: Any, start: Any, algorithm: str, **more: Any) -> tuple[Any, ...]:
    more = {"max_iter": 12, "tol": 0, **more}
    model = om.KMeans(len(start), init=start, n_init=1, algorithm=algorithm, **more)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X)
    return (
        model.labels_.tobytes(),
        model.cluster_centers_.tobytes(),
        model.inertia_,
        model.history_,
        model.stop_reason_,
    )


@pytest.fixture(scope="module")
def reduced(data_folder: Any) -> dict[str, tuple[Any, Any]]:
    """Each workload of the benchmark in a size that a test can afford, with its start."""
    found = {}
    for key in REDUCED:
        workload = workloads.select(key)[0].reduced()
        X = workload.data()
        X = X[:: -(-len(X) // (6_000 if workload.k > 100 else 20_000))].copy()
        found[key] = X, workloads.starting_rows(X, min(workload.k, len(X) // 8))
    return found


@pytest.mark.parametrize("key", REDUCED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_way_goes_through_the_same_iterations(reduced: Any, key: str, dtype: str) -> None:
    X, start = (part.astype(dtype) for part in reduced[key])
    expected = answer(X, start, "brute")
    for name in ["auto", *WAYS]:
        assert answer(X, start, name) == expected, name


@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
@pytest.mark.parametrize("key", ["b", "d", "m"])
def test_every_metric_has_every_way(reduced: Any, key: str, metric: str) -> None:
    X, start = reduced[key]
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    fits = set()
    for name in ["auto", "brute", *WAYS]:
        model = om.KMeans(
            len(start), init=start, n_init=1, tol=0, max_iter=5, metric=metric, algorithm=name
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, sample_weight=weights)
        fits.add((model.labels_.tobytes(), model.cluster_centers_.tobytes(), model.inertia_))
    assert len(fits) == 1


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9),
    st.integers(2, 60),
    st.sampled_from(["euclidean", "manhattan"]),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from(["even", "clouds", "lattice", "copies"]),
)
@settings(max_examples=120, deadline=None)
def test_margins_of_trees_hold_over_many_passes(
    seed: int, d: int, k: int, metric: str, dtype: str, shape: str
) -> None:
    """Centres that creep use margins up bit by bit; those that leap do so at once."""
    rng = np.random.default_rng(seed)
    X = rng.random((4_000, d))
    if shape == "clouds":
        X = rng.standard_normal((30, d))[rng.integers(0, 30, 4_000)] + 0.3 * X
    elif shape == "lattice":
        X = np.round(4 * X)
    elif shape == "copies":
        X[2_000:] = X[rng.integers(0, 9, 2_000)]
    X = (X * 2.0 ** rng.integers(-60, 60) + rng.choice([0, 5])).astype(dtype)
    start = np.unique(X, axis=0)[:: max(1, len(np.unique(X, axis=0)) // k)][:k]
    more = {"max_iter": 150, "metric": metric}
    assert answer(X, start, "tree", **more) == answer(X, start, "brute", **more)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_and_chunks_are_not_seen(reduced: Any, name: str, threads: int) -> None:
    X, start = reduced["d"]
    expected = answer(X, start, "brute", n_threads=1)
    try:
        _core.set_chunk_rows(100)
        assert answer(X, start, name, n_threads=threads) == expected
    finally:
        _core.set_chunk_rows(0)


@st.composite
def lattices(draw: Any) -> tuple[Any, Any]:
    """Rows on a coarse lattice, many of them equal, far from zero or not: ties everywhere."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(2, 300)), draw(st.sampled_from([1, 2, 3, 5, 8, 9, 17, 33]))
    steps = draw(st.sampled_from([1, 2, 8, 1000]))
    offset = draw(st.sampled_from([0.0, 1000.0, -12345.0]))
    X = (rng.integers(-steps, steps + 1, (n, d)) + offset).astype(
        draw(st.sampled_from([np.float32, np.float64]))
    )
    k = draw(st.integers(1, min(n, 24)))
    start = X[rng.choice(n, k, replace=False)] + draw(st.sampled_from([0, 0.5]))
    return X, start.astype(X.dtype)


@given(lattices(), st.sampled_from(["euclidean", "manhattan"]), st.sampled_from(WAYS))
@settings(max_examples=150, deadline=None)
def test_ties_are_broken_alike(problem: Any, metric: str, name: str) -> None:
    X, start = problem
    expected = answer(X, start, "brute", metric=metric, engine="reference")
    assert answer(X, start, name, metric=metric) == expected


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("name", ["auto", *WAYS])
def test_centres_that_begin_as_copies_go_their_own_ways(name: str, metric: str) -> None:
    """An empty cluster's centre leaves its copy by more than what bounds know of."""
    X = np.random.default_rng(0).integers(-2, 3, (3000, 2)).astype(np.float32)
    for start in ([[-1, 1], [-1, 1]], [[1, 1], [1, 1], [-1, -1], [-1, -1]]):
        few = np.array(start, dtype=np.float32)
        expected = answer(X, few, "brute", metric=metric, engine="reference")
        assert answer(X, few, name, metric=metric) == expected


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("key", ["d", "e", "m", "l"])
def test_labels_and_bounds_hold_by_definition(
    reduced: Any, key: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, start = reduced[key][0][:3000], reduced[key][1][:32]
    monkeypatch.setenv("OMNIMEANS_DEBUG", "1")
    assert answer(X, start, name) == answer(X, start, "brute")


def test_a_broken_bound_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the bounds is seen to fail where they are wrong."""
    from omnimeans.engines import checked

    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 12)).astype(np.float32)
    engine = open_engine("cpu", 1, algorithm="bounded")
    rows = engine.place(X, None, om.distances.DISTANCES["euclidean"])
    engine.step(rows, X[:5])
    away = engine.all_pairs(X, X[:5], rows.distance)
    assert checked.bounds_by_definition(engine, rows, X[:5], away, 0) is None
    nearer = np.where(np.arange(5) == rows.labels[:, None], away, away * 0.25)
    complaint = checked.bounds_by_definition(engine, rows, X[:5], nearer, 0)
    assert complaint is not None
    assert "its bounds are" in complaint


def test_bounds_and_boxes_spare_distances(reduced: Any) -> None:
    X, start = reduced["b"]
    for name in ("bounded", "tree"):
        model = om.KMeans(len(start), init=start, n_init=1, tol=0, algorithm=name).fit(X)
        assert model.algorithm_ == name
        assert np.mean([record.compared for record in model.history_]) < 0.5
        assert {record.algorithm for record in model.history_} == {name}


def test_restarts_and_repairs_with_every_way() -> None:
    """Rows that are moved by force, and labels that begin anew, leave no stale bounds behind."""
    rng = np.random.default_rng(3)
    X = np.repeat(rng.standard_normal((40, 10)), 5, axis=0).astype(np.float32)
    far = np.vstack([X[:3], np.full((5, 10), 1e3, np.float32)])  # five clusters start empty
    expected = answer(X, far, "brute", max_iter=50)
    assert any(record.repaired for record in expected[3])
    for name in WAYS:
        assert answer(X, far, name, max_iter=50) == expected
        models = [
            om.KMeans(6, n_init=4, random_state=0, algorithm=way).fit(X) for way in (name, "brute")
        ]
        assert models[0].inertia_ == models[1].inertia_
        assert models[0].labels_.tobytes() == models[1].labels_.tobytes()


def test_a_tree_that_cannot_be_is_not_reported() -> None:
    X = np.random.default_rng(0).standard_normal((300, 65)).astype(np.float32)
    model = om.KMeans(3, random_state=0, algorithm="tree").fit(X)
    assert model.algorithm_ == "brute"


def test_names() -> None:
    assert choose("auto") is choose("lloyd") is choose("elkan") is None
    assert {name for name in NAMES if NAMES[name]} == set(VARIANTS)


def test_the_pilot_rents_before_it_buys() -> None:
    pilot = Pilot(n=1_000_000, d=2, itemsize=4, dimensions=2.0)
    assert pilot.next(10).name == "brute"
    pilot.saw(VARIANTS["brute"], 1.0)
    assert pilot.next(10).name == "tree"
    pilot.saw(VARIANTS["tree"], 3.0)  # builds it
    for _ in range(3):  # slower than without, three times
        assert pilot.next(10).name == "tree"
        pilot.saw(VARIANTS["tree"], 2.0)
    assert pilot.next(10).name == "brute"


def test_the_pilot_keeps_to_the_memory() -> None:
    rows = {"n": 100_000, "d": 64, "itemsize": 4, "dimensions": 64.0}
    assert Pilot(**rows).next(256).name == "bounded-coded"
    assert Pilot(**rows, memory=100_000 * 20).next(256).name == "bounded"
    assert Pilot(**rows, memory=1000).next(256).name == "brute"
    assert Pilot(n=100, d=2, itemsize=4, dimensions=2.0).next(3).name == "brute"
    assert TINY > 100 * 2 * 3


def test_memory_of_a_fit_rules_out_ways() -> None:
    X = np.random.default_rng(0).standard_normal((20_000, 32)).astype(np.float32)
    free = om.KMeans(32, random_state=0, max_iter=3, tol=0)
    tight = om.KMeans(32, random_state=0, max_iter=3, tol=0, memory=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert free.fit(X).algorithm_ != "brute"
        assert tight.fit(X).algorithm_ == "brute"
    assert free.inertia_ == tight.inertia_
