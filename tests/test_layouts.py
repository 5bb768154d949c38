"""Rows keep their number type and layout in memory, and the answer does not depend on either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from alone import run
from checks import assert_same_answer
from omnimeans import _core, _validate
from omnimeans.engines import cpu

NARROW = ["float16", "int8", "uint8", "bool", "int16", "uint16", "int32", "uint32", "int64"]
NARROW += ["uint64"]
N, D, K = 3000, 21, 7
METRICS = ["euclidean", "manhattan"]

# The same values, not row by row.
LAYOUTS = {
    "columns first": np.asfortranarray,
    "transposed": lambda X: np.ascontiguousarray(X.T).T,
    "rows backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "columns backwards": lambda X: np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "all backwards": lambda X: np.asfortranarray(X[::-1, ::-1])[::-1, ::-1],
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "part of a block": lambda X: np.stack([X, X], axis=2)[:, :, 1],
    "read-only": lambda X: _frozen(np.asfortranarray(X)),
}


def _frozen(X: Any) -> Any:
    X.flags.writeable = False
    return X


@pytest.fixture(autouse=True)
def _threads_are_used(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cpu, "SMALL", 0)
    yield
    _core.set_chunk_rows(0)


def rows_of(dtype: str) -> Any:
    X = np.rint(np.abs(hard_cases.rows("blobs", N, D, np.float64)) * 3)
    return (X % 2 if dtype == "bool" else X).astype(dtype)


def fit(X: Any, metric: str = "euclidean", weights: Any = None, **options: Any) -> Any:
    given = {"n_clusters": K, "random_state": 0, "max_iter": 8} | options
    return om.KMeans(metric=metric, **given).fit(X, sample_weight=weights)


@pytest.mark.parametrize("weighting", ["none", "any"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", NARROW)
def test_any_number_type_gives_the_answer_of_float64(
    dtype: str, metric: str, weighting: str
) -> None:
    X, weights = rows_of(dtype), hard_cases.weights(weighting, N)
    model, wide = fit(X, metric, weights), fit(X.astype(np.float64), metric, weights)
    assert_same_answer(model, wide)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    assert_array_equal(model.transform(X), wide.transform(X.astype(np.float64)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "float16"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_answer_of_plain_rows(layout: str, metric: str, dtype: str) -> None:
    X = rows_of(dtype)
    laid_out = LAYOUTS[layout](X)
    assert_array_equal(laid_out, X)
    model, plain = fit(laid_out, metric), fit(X, metric)
    assert_same_answer(model, plain)
    assert_array_equal(model.predict(laid_out), model.labels_)
    assert model.score(laid_out) == -model.inertia_
    assert_array_equal(model.transform(laid_out), plain.transform(X))


@pytest.mark.parametrize("start", ["k-means++", "random", "callable"])
def test_starts(start: Any) -> None:
    def spread(X: Any, k: int, random_state: Any) -> Any:
        return X[random_state.permutation(len(X))[:k]]

    init = spread if start == "callable" else start
    X = rows_of("uint8")
    options = {"init": init, "n_init": 2}
    assert_same_answer(fit(np.asfortranarray(X), **options), fit(X.astype(float), **options))


def test_kmeans_plusplus() -> None:
    X = rows_of("int16")
    for given in (X, np.asfortranarray(X.astype(np.float32)), X.T.copy().T):
        centers, numbers = om.kmeans_plusplus(given, 40, random_state=1)
        assert_array_equal(numbers, om.kmeans_plusplus(X.astype(float), 40, random_state=1)[1])
        assert_array_equal(centers, X[numbers])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("chunk", "threads"), [(0, 1), (1, 3), (64, 2), (65, 3), (10**6, 2)])
def test_chunks_and_threads(chunk: int, threads: int, metric: str) -> None:
    X = np.asfortranarray(rows_of("float16"))
    wide = fit(X.astype(np.float64, order="C"), metric)
    _core.set_chunk_rows(chunk)
    assert_same_answer(fit(X, metric, n_threads=threads), wide)


@pytest.mark.parametrize("metric", METRICS)
def test_the_reference_engine(metric: str) -> None:
    X = np.asfortranarray(rows_of("uint8")[:400])
    options = {"max_iter": 4, "n_clusters": 5}
    ours = fit(X, metric, engine="cpu", **options)
    reference = fit(X, metric, engine="reference", **options)
    assert_same_answer(ours, reference)
    assert reference.score(X) == ours.score(X) == -ours.inertia_


def test_empty_clusters_are_repaired() -> None:
    X = np.repeat(rows_of("uint8")[:30], 40, axis=0)  # 30 distinct rows
    start = np.repeat(X[:1].astype(float), 25, axis=0)
    model = fit(X, init=start, n_clusters=25, n_init=1)
    assert_same_answer(model, fit(X.astype(float), init=start, n_clusters=25, n_init=1))
    assert sum(step.repaired for step in model.history_) > 0


def test_extreme_float64_columns_first() -> None:
    X = np.asfortranarray(rows_of("float64") * 1e200)
    assert_same_answer(fit(X), fit(np.ascontiguousarray(X)))


@pytest.mark.parametrize("metric", [*METRICS, "cosine"])
@pytest.mark.parametrize("fitted", ["float32", "float64", "uint8", "float16"])
@pytest.mark.parametrize("asked", ["float32", "float64", "uint8", "float16", "int64"])
def test_fit_in_one_type_and_predict_in_another(fitted: str, asked: str, metric: str) -> None:
    X = np.maximum(rows_of("uint8"), 1)
    model = fit(X.astype(fitted), metric)
    other = np.asfortranarray(X.astype(asked))
    assert_array_equal(model.predict(other), model.predict(X.astype(float)))
    same = np.float32 if metric == "cosine" and fitted == asked == "float32" else np.float64
    assert model.score(other) == model.score(X.astype(same))  # units are rounded to float32


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_found(dtype: str, bad: float) -> None:
    X = np.asfortranarray(rows_of(dtype))
    X[2000, 13] = bad
    found = r"Input X contains (NaN|infinity)[^$]*row 2000, column 13"
    with pytest.raises(ValueError, match=found):
        fit(X)


def test_rows_are_never_written_to() -> None:
    for dtype in ("uint8", "float16", "float32"):
        X = np.asfortranarray(rows_of(dtype))
        before = X.copy()
        om.KMeans(K, copy_x=False, max_iter=3, random_state=0).fit(X).transform(X)
        assert_array_equal(X, before)


def test_exotic_forms_are_converted() -> None:
    X = rows_of("float64")
    for strange in (X.astype(">f8"), X.astype(np.longdouble), X.astype(object)):
        taken = _validate.rows(strange, as_given=True)
        assert taken.dtype == np.float64
        assert_array_equal(taken, X)


# ---- memory

WATCH = """
import gc, resource, tempfile
def high_water():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
n, d = 400_000, 100
model = om.KMeans(4, init=np.linspace(0, 200, 4 * d).reshape(4, d), n_init=1, max_iter=2)
def use(X):
    model.fit(X)
    model.predict(X)
    model.score(X)
    om.kmeans_plusplus(X, 3, random_state=0)
X = (np.arange(n * d, dtype=np.uint32) * np.uint32(2654435761) >> 24).astype(np.uint8).reshape(n, d)
use(X[:20_000])
made = (lambda X: {MAKE})(X)
X = None
gc.collect()
open("/proc/self/clear_refs", "w").write("5")
before = high_water()
use(made)
print(json.dumps([(high_water() - before) / (n * d), made.itemsize]))
"""
# how the rows are made from uint8 ones
KEPT = {
    "uint8": "X",
    "int8": "X.view(np.int8)",
    "bool": "X > 100",
    "float16, columns first": "np.asfortranarray(X.astype(np.float16))",
    "float32, columns first": "np.asfortranarray(X.astype(np.float32))",
    "float32, columns backwards": "X.astype(np.float32)[:, ::-1]",
}


@pytest.mark.parametrize("kind", KEPT)
def test_no_hidden_copy(kind: str) -> None:
    """The resident set grows by some bytes a row; a copy would be a byte a value, or 100 a row."""
    grown, size = run(WATCH.replace("{MAKE}", KEPT[kind]))
    assert grown < 0.75, f"{grown:.2f} bytes a value beside the {size} there are"


@pytest.mark.parametrize("kind", ["float32, columns first", "float32, columns backwards"])
def test_no_hidden_copy_for_a_sample(kind: str) -> None:
    """Samples are taken from where the rows are; the last one is a quarter of them."""
    code = WATCH.replace("{MAKE}", KEPT[kind]).replace("om.KMeans(4,", "om.MiniBatchKMeans(4,")
    code = code.replace("max_iter=2", "max_iter=1, compute_labels=False")
    grown, size = run(code)
    assert grown < 2, f"{grown:.2f} bytes a value beside the {size} there are"


@pytest.mark.parametrize(("kind", "unit"), [("uint8", 8), ("float32, columns first", 4)])
def test_directions_are_one_copy_in_a_fit_and_none_afterwards(kind: str, unit: int) -> None:
    code = WATCH.replace("{MAKE}", KEPT[kind]).replace("om.kmeans_plusplus(X, 3, ", "dict(")
    code = code.replace("max_iter=2", 'max_iter=2, metric="cosine", algorithm="brute"')
    assert run(code)[0] < unit + 1
    code = code.replace(
        "use(made)", "model.predict(made), model.score(made), model.transform(made)"
    )
    assert run(code)[0] < 1


def test_a_hidden_copy_would_be_seen() -> None:
    made = "X"
    code = WATCH.replace("{MAKE}", made).replace("model.fit(X)", "model.fit(X.astype(np.float32))")
    assert run(code)[0] > 3


def test_a_memory_map_is_read_where_it_is() -> None:
    """All that becomes resident is the file itself, once."""
    make = (
        "[np.save(folder.name + '/x.npy', np.asfortranarray(X)), "
        "np.load(folder.name + '/x.npy', mmap_mode='r')][1]"
    )
    code = WATCH.replace("made = ", "folder = tempfile.TemporaryDirectory(); made = ")
    grown, _ = run(code.replace("{MAKE}", make))
    assert grown < 1.6
