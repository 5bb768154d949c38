"""Sparse rows give the answer of the same rows dense, bit for bit, and are never made dense."""

from __future__ import annotations

import doctest
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import hard_cases
import omnimeans as om
import oracle
from alone import run
from checks import assert_same_answer
from omnimeans import _core
from omnimeans.distances import DISTANCES
from omnimeans.engines import cpu, open_engine

METRICS = ["euclidean", "manhattan", "cosine"]
FORMATS = ["csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array"]


@pytest.fixture(autouse=True)
def _threads_are_used(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cpu, "SMALL", 0)
    yield
    _core.set_chunk_rows(0)


def sparse_rows(n: int, d: int, density: float, dtype: Any = np.float64, seed: int = 0) -> Any:
    """Rows of quarters, so that many distances are equal; some of them empty, some of them full."""
    rng = np.random.default_rng([seed, n, d])
    X = sp.random(n, d, density, format="csr", rng=rng, dtype=dtype)
    X.data = (np.round(rng.normal(size=X.nnz) * 8) / 4).astype(dtype)
    dense = X.toarray()
    dense[n // 3] = 0
    dense[n // 2] = 1.5
    return sp.csr_array(dense.astype(dtype))


def fit(X: Any, metric: str = "euclidean", weights: Any = None, **options: Any) -> Any:
    chosen = {"n_clusters": 9, "random_state": 0, "max_iter": 10} | options
    return om.KMeans(metric=metric, **chosen).fit(X, sample_weight=weights)


SHAPES = [(400, 60, 0.1), (300, 500, 0.02), (200, 3, 0.6), (250, 8, 0.3), (250, 2, 0.7)]


@pytest.mark.parametrize("weighting", ["none", "any", "tiny and huge"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", SHAPES)
def test_sparse_is_dense(shape: Any, metric: str, dtype: Any, weighting: str) -> None:
    X = sparse_rows(*shape, dtype)
    dense, weights = X.toarray(), hard_cases.weights(weighting, X.shape[0])
    model, other = fit(X, metric, weights, n_init=2), fit(dense, metric, weights, n_init=2)
    assert_same_answer(model, other)
    assert model.history_ == other.history_
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    assert model.transform(X).dtype == dtype
    if metric == "euclidean" and dtype == np.float64:  # which are expanded
        assert_allclose(model.transform(X), other.transform(dense), rtol=1e-12, atol=0)
    else:
        assert_array_equal(model.transform(X), other.transform(dense))


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("metric", METRICS)
def test_any_sparse_format(metric: str, kind: str, index: Any) -> None:
    X = sparse_rows(300, 40, 0.1)
    other = getattr(sp, kind)(X)
    if hasattr(other, "indices"):
        other.indices, other.indptr = other.indices.astype(index), other.indptr.astype(index)
    else:
        other.coords = tuple(part.astype(index) for part in other.coords)
    assert_same_answer(fit(other, metric), fit(X.toarray(), metric))


def test_mixed_index_types() -> None:
    X = sparse_rows(300, 40, 0.1)
    other = X.copy()
    other.indptr = other.indptr.astype(np.int64)
    assert_same_answer(fit(other), fit(X))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("start", ["k-means++", "random", "array", "callable"])
def test_starts(start: str, metric: str) -> None:
    X = sparse_rows(300, 40, 0.1)
    full = np.flatnonzero(X.count_nonzero(axis=1))[:9]

    def first(rows: Any, k: int, random_state: Any) -> Any:
        return X.toarray()[full] if metric == "cosine" or sp.issparse(rows) else rows[full]

    init = {"array": X.toarray()[full], "callable": first}.get(start, start)
    assert_same_answer(fit(X, metric, init=init), fit(X.toarray(), metric, init=init))


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("k", [3, 40, 150])
def test_kmeans_plusplus_draws_the_same_rows(metric: str, k: int) -> None:
    X = sparse_rows(400, 70, 0.05)
    found = [fit(rows, metric, n_clusters=k, max_iter=1) for rows in (X, X.toarray())]
    assert_same_answer(*found)
    if metric == "euclidean":
        centers, numbers = om.kmeans_plusplus(X, k, random_state=2)
        dense, same = om.kmeans_plusplus(X.toarray(), k, random_state=2)
        assert_array_equal(numbers, same)
        assert_array_equal(centers, dense)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize(("chunk", "threads"), [(0, 1), (1, 3), (7, 2), (10**6, 3)])
def test_chunks_and_threads(chunk: int, threads: int, metric: str) -> None:
    X = sparse_rows(400, 70, 0.05, np.float32)
    expected = fit(X.toarray(), metric)
    _core.set_chunk_rows(chunk)
    assert_same_answer(fit(X, metric, n_threads=threads), expected)


def test_sums_too_large_for_each_thread() -> None:
    """k d is so large that threads share out clusters instead of rows."""
    X = sparse_rows(300, 9000, 0.01)
    for threads in (1, 3):
        model = fit(X, n_clusters=70, n_threads=threads, n_init=1)
        assert_same_answer(model, fit(X.toarray(), n_clusters=70, n_init=1))


@pytest.mark.parametrize("isa", _core.offered().split(", "))
def test_instruction_sets(isa: str) -> None:
    code = """
import hashlib, scipy.sparse as sp
rng = np.random.default_rng(0)
X = sp.random(500, 90, 0.1, format="csr", rng=rng, dtype=np.float32)
X.data = (np.round(X.data * 16) / 8).astype(np.float32)
found = []
for metric in ("euclidean", "manhattan"):
    for k in (2, 17, 70):
        model = om.KMeans(k, metric=metric, random_state=0, max_iter=6).fit(X)
        found.append((model.inertia_, hashlib.sha256(model.cluster_centers_.tobytes()).hexdigest()))
print(json.dumps(found))
"""
    assert run(code, OMNIMEANS_ISA=isa) == run(code)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_the_oracle(metric: str) -> None:
    X = sparse_rows(60, 19, 0.3)
    centers = X.toarray()[[0, 7, 11, 30]]
    kernel = DISTANCES[metric]
    found, labels, n_iter = oracle.lloyd(
        X.toarray(), centers, kernel.kernel, kernel.center, None, 30
    )
    model = fit(X, metric, n_clusters=4, init=centers, n_init=1, tol=0.0, max_iter=30)
    assert_array_equal(model.labels_, labels)
    assert_array_equal(model.cluster_centers_, found)
    assert model.n_iter_ == n_iter


def test_the_reference_engine() -> None:
    X = sparse_rows(200, 40, 0.1)
    for metric in METRICS:
        ours, reference = (fit(X, metric, engine=name, max_iter=4) for name in ("cpu", "reference"))
        assert_same_answer(ours, reference)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_near_ties(data: Any) -> None:
    """Rows in the middle between two centres, for the Euclidean proof and the other one."""
    n, d = data.draw(st.integers(8, 40)), data.draw(st.integers(1, 30))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    metric = data.draw(st.sampled_from(["euclidean", "manhattan"]))
    X, centers = hard_cases.near_ties(n, d, dtype, seed=data.draw(st.integers(0, 1000)))
    holes = np.random.default_rng(n).random((n, d)) < 0.3
    X[holes] = 0.0
    shift = dtype(data.draw(st.sampled_from([0.0, -3.0, 1e4])))
    X, centers = X * (X != 0) + shift * (X != 0), centers + shift
    engine = open_engine("cpu", 1)
    found = engine.nearest(sp.csr_array(X), centers, DISTANCES[metric])
    assert_array_equal(found, oracle.labels(X, centers, metric))


@pytest.mark.parametrize("exponent", [-900, -120, 0, 60, 120, 600])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_extreme_values(metric: str, exponent: int) -> None:
    X = sparse_rows(300, 40, 0.1)
    X.data = np.ldexp(X.data, exponent)
    assert_same_answer(fit(X, metric), fit(X.toarray(), metric))
    assert_array_equal(fit(X, metric).predict(X), fit(X, metric).labels_)


def test_one_far_row_casts_no_doubt_on_the_others() -> None:
    X = sparse_rows(2000, 50, 0.1)
    X.data[7] = 1e9
    model = fit(X, n_clusters=30, max_iter=5)
    assert_same_answer(model, fit(X.toarray(), n_clusters=30, max_iter=5))


def test_the_screen_proves_nearly_every_row() -> None:
    X = sp.random(5000, 2000, 0.01, format="csr", rng=np.random.default_rng(0))
    for metric in ("euclidean", "manhattan"):
        model = fit(X, metric, n_clusters=30, max_iter=6)
        assert all(step.redecided < 250 for step in model.history_[1:])


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_empty_clusters_and_copies(metric: str) -> None:
    X = sp.csr_array(np.repeat(sparse_rows(30, 40, 0.1).toarray(), 30, axis=0))
    start = np.repeat(X.toarray()[:1], 20, axis=0)
    models = [fit(rows, metric, n_clusters=20, init=start, n_init=1) for rows in (X, X.toarray())]
    assert_same_answer(*models)
    assert sum(step.repaired for step in models[0].history_) > 0


# ---- what else may come


def test_order_and_duplicates_are_seen_to() -> None:
    X = sparse_rows(300, 40, 0.1)
    muddled = X.copy()
    for start, end in itertools.pairwise(X.indptr):
        muddled.indices[start:end] = X.indices[start:end][::-1]
        muddled.data[start:end] = X.data[start:end][::-1]
    muddled.has_sorted_indices = True  # a lie
    before = muddled.indices.copy()
    assert_same_answer(fit(muddled), fit(X))
    assert_array_equal(muddled.indices, before)  # the user's own are not touched

    twice = sp.coo_array((np.tile(X.data / 2, 2), np.tile(X.nonzero(), 2)), shape=X.shape)
    assert_same_answer(fit(twice.tocsr()), fit(X))
    parts = sp.csr_array(X.shape)
    parts.indptr = 2 * X.indptr
    parts.indices, parts.data = np.repeat(X.indices, 2), np.repeat(X.data / 2, 2)
    assert_same_answer(fit(parts), fit(X))


def test_stored_zeros_are_zeros() -> None:
    X = sparse_rows(300, 40, 0.1)
    stored = X.copy()
    stored.data[::5] = 0.0
    assert_same_answer(fit(stored), fit(stored.toarray()))
    assert_same_answer(fit(stored, "manhattan"), fit(stored.toarray(), "manhattan"))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.bool_])
def test_whole_numbers(dtype: Any) -> None:
    X = sparse_rows(300, 40, 0.1).astype(np.int8).astype(dtype)
    model = fit(X)
    assert_same_answer(model, fit(X.toarray()))
    assert model.cluster_centers_.dtype == np.float64


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("narrow_first", [True, False])
def test_fit_in_one_type_and_predict_in_another(narrow_first: bool, metric: str) -> None:
    fitted, asked = (np.float32, np.float64) if narrow_first else (np.float64, np.float32)
    X = sparse_rows(300, 40, 0.1)
    model = fit(X.astype(fitted), metric)
    for other in (X.astype(asked), X.astype(asked).toarray()):
        assert_array_equal(model.predict(other), model.predict(X))
        assert model.score(other) == model.score(X)


def test_frames_of_sparse_columns() -> None:
    X = sparse_rows(300, 10, 0.1)
    frame = pd.DataFrame.sparse.from_spmatrix(X, columns=list("abcdefghij"))
    model = fit(frame)
    assert_same_answer(model, fit(X))
    assert_array_equal(model.feature_names_in_, list("abcdefghij"))
    assert_array_equal(model.predict(frame), model.labels_)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_found(bad: float) -> None:
    X = sparse_rows(300, 40, 0.1)
    at = X.indptr[17]
    X.data[at] = bad
    where = f"row 17, column {X.indices[at]}, counted from 0"
    with pytest.raises(ValueError, match=rf"Input X contains (NaN|infinity)[^$]*{where}"):
        fit(X)


def test_what_does_not_go_with_sparse_rows() -> None:
    with pytest.raises(ValueError, match="engine='blocks' reads dense rows"):
        fit(sparse_rows(30, 4, 0.5), engine="blocks")
    holed = sparse_rows(30, 4, 0.5)
    holed.data[3] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        fit(holed, missing="partial")


def test_zeros_only() -> None:
    empty = sp.csr_array((50, 7))
    with pytest.warns(UserWarning, match="distinct clusters"):
        model = fit(empty, n_clusters=2)
    assert model.inertia_ == 0.0
    with pytest.raises(ValueError, match=r"All 50 rows of X .* are zero"):
        fit(empty, "cosine", n_clusters=2)


def test_rows_are_never_made_dense() -> None:
    """Dense, these rows would take 1 GB; the sums of k clusters are what takes room."""
    grown = run(
        """
import scipy.sparse as sp
def high_water():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
X = sp.random(3_000, 80_000, 0.001, format="csr", rng=np.random.default_rng(0), dtype=np.float32)
def use(X, metric):
    # each thread has sums of its own
    model = om.KMeans(8, metric=metric, max_iter=3, random_state=0, n_threads=2).fit(X)
    model.predict(X), model.score(X), model.transform(X), om.kmeans_plusplus(X, 8, random_state=0)
use(X[:200], "euclidean")
before = high_water()
for metric in ("euclidean", "manhattan", "cosine"):
    use(X, metric)
    use(X.tocsc(), metric)
print(json.dumps((high_water() - before) / 2**20))
""",
        timeout=120,
    )
    assert grown < 150, f"{grown:.0f} MiB"


def test_the_guide_runs() -> None:
    page = Path(__file__).parent.parent / "docs" / "guide" / "sparse.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 3
    assert result.failed == 0
