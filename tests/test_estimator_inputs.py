"""What rows may come in: frames with names, any memory layout, any number type."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om
from checks import assert_belongs_together, assert_same_answer
from omnimeans import _validate

NAMES = ["left", "middle", "right"]
X = np.random.default_rng(0).normal(size=(200, 3))
OPTIONS = {"n_clusters": 4, "random_state": 0}

FRAMES = {
    "pandas": lambda rows: pd.DataFrame(rows, columns=NAMES),
    "polars": lambda rows: pl.DataFrame(rows, schema=NAMES),
    "arrow": lambda rows: pa.table(dict(zip(NAMES, rows.T, strict=True))),
}


# ---- data frames


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("kind", FRAMES)
def test_frames_give_the_answer_of_the_array(kind: str, dtype: type) -> None:
    rows = (10 * X).astype(dtype)
    frame = FRAMES[kind](rows)
    model = om.KMeans(**OPTIONS).fit(frame)
    assert_same_answer(model, om.KMeans(**OPTIONS).fit(rows))
    assert_array_equal(model.feature_names_in_, NAMES)
    assert model.n_features_in_ == 3
    assert_array_equal(model.predict(frame), model.labels_)
    assert model.score(frame) == -model.inertia_


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_one_kind_are_predicted_by_another(kind: str) -> None:
    model = om.KMeans(**OPTIONS).fit(FRAMES[kind](X))
    for make in FRAMES.values():
        assert_array_equal(model.predict(make(X)), model.labels_)


@pytest.mark.parametrize("kind", FRAMES)
def test_names_must_match(kind: str) -> None:
    model = om.KMeans(**OPTIONS).fit(FRAMES[kind](X))
    swapped = FRAMES["arrow"](X).rename_columns(NAMES[::-1])
    with pytest.raises(ValueError, match="The feature names should match those that were passed"):
        model.predict(swapped)
    with pytest.warns(
        UserWarning,
        match="X does not have valid feature names, but KMeans was fitted with feature names",
    ):
        model.predict(X)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_hole_in_a_frame_has_a_name(kind: str) -> None:
    holed = X.copy()
    holed[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"row 5, column 1 \('middle'\), counted from 0; 1 of"):
        om.KMeans().fit(FRAMES[kind](holed))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64")}),
        pl.DataFrame({"a": [1, None, 3]}),
        pa.table({"a": [1, None, 3]}),
    ],
    ids=FRAMES,
)
def test_a_null_is_a_hole(frame: Any) -> None:
    with pytest.raises(ValueError, match=r"^Input X contains NaN[^$]*row 1, column 0 \('a'\)"):
        om.KMeans(1).fit(frame)


def test_lazy_frames_are_refused() -> None:
    with pytest.raises(TypeError, match=r"X is a lazy frame \(LazyFrame\).*X\.collect\(\)"):
        om.KMeans().fit(pl.DataFrame(X).lazy())


def test_columns_of_text_are_refused() -> None:
    with pytest.raises(ValueError, match="could not convert string to float: 'x'"):
        om.KMeans(1).fit(pl.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_distances_as_a_frame(library: str) -> None:
    model = om.KMeans(**OPTIONS).set_output(transform=library)
    distances = model.fit_transform(X)
    assert list(distances.columns) == ["kmeans0", "kmeans1", "kmeans2", "kmeans3"]
    assert_array_equal(distances.to_numpy(), model.set_output(transform="default").transform(X))


def test_weights_may_come_as_a_column() -> None:
    weights = np.arange(1.0, 201.0)
    model = om.KMeans(**OPTIONS).fit(X, sample_weight=weights)
    for column in (pd.Series(weights), pl.Series(weights), pa.array(weights), weights.tolist()):
        assert_same_answer(model, om.KMeans(**OPTIONS).fit(X, sample_weight=column))


# ---- memory

WIDE = np.zeros((400, 5))
WIDE[::2, :3] = X
LAYOUTS = {
    "rows of a wider array": WIDE[::2, :3],
    "rows from the end": X[::-1].copy()[::-1],
    "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
    "columns first": np.asfortranarray(X),
    "every second column": np.repeat(X, 2, axis=1)[:, ::2],
    "other byte order": X.astype(">f8"),
    "unaligned": np.frombuffer(b"?" + X.tobytes(), offset=1).reshape(X.shape),
    "field of a record": np.rec.fromarrays([X[:, 0], X], dtype="i4, (3,)f8").f1,
}
IN_PLACE = {"rows of a wider array", "rows from the end", "read-only"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_same_bits(layout: str) -> None:
    rows = LAYOUTS[layout]
    assert_array_equal(rows, X)
    model = om.KMeans(**OPTIONS).fit(rows)
    assert_same_answer(model, om.KMeans(**OPTIONS).fit(X))
    assert_array_equal(model.predict(rows), model.labels_)
    assert model.score(rows) == -model.inertia_
    assert_array_equal(model.transform(rows), model.transform(X))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_lies_row_by_row_is_not_copied(layout: str) -> None:
    taken = _validate.rows(LAYOUTS[layout])
    assert np.shares_memory(taken, LAYOUTS[layout]) == (layout in IN_PLACE)
    assert taken.strides[1] == taken.itemsize
    assert taken.strides[0] % taken.itemsize == 0
    assert taken.flags.aligned
    assert taken.dtype == np.float64  # in this machine's byte order


def test_a_single_column_of_a_table() -> None:
    column = X[:, 1:2]
    assert_same_answer(om.KMeans(**OPTIONS).fit(column), om.KMeans(**OPTIONS).fit(column.copy()))


def test_a_memory_map(tmp_path: Any) -> None:
    np.save(tmp_path / "rows.npy", X)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert np.shares_memory(_validate.rows(rows), rows)
    assert_same_answer(om.KMeans(**OPTIONS).fit(rows), om.KMeans(**OPTIONS).fit(X))


def test_fitting_does_not_copy_the_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 60)).astype(np.float32)
    model = om.KMeans(3, max_iter=2, random_state=0, n_init=1)
    model.fit(rows)  # all imports done
    gc.collect()
    tracemalloc.start()
    model.fit(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows.nbytes / 2


# ---- number types


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("float16", "float64"),
        ("longdouble", "float64"),
        ("int8", "float64"),
        ("uint64", "float64"),
        ("bool", "float64"),
        ("object", "float64"),
    ],
)
def test_float32_stays_and_all_else_becomes_float64(given: str, kept: str) -> None:
    rows = np.rint(np.abs(X)).astype(given)
    model = om.KMeans(2, random_state=0).fit(rows)
    assert model.cluster_centers_.dtype == kept
    assert model.labels_.dtype == np.int32
    assert_belongs_together(model, rows.astype(kept))
    assert model.transform(rows).dtype == kept


@pytest.mark.parametrize("fitted", [np.float32, np.float64])
@pytest.mark.parametrize("asked", [np.float32, np.float64, np.float16, np.int64, list])
def test_predict_takes_any_type(fitted: type, asked: type) -> None:
    whole = np.rint(10 * X)  # the same numbers in every type
    model = om.KMeans(**OPTIONS).fit(whole.astype(fitted))
    other = whole.tolist() if asked is list else whole.astype(asked)
    assert_array_equal(model.predict(other), model.labels_)
    assert model.score(other) == -model.inertia_


def unaligned(values: np.ndarray) -> np.ndarray:
    """The same values one byte further, where a processor does not expect them."""
    held = np.empty(values.nbytes + 1, dtype=np.uint8)
    moved = held[1:].view(values.dtype).reshape(values.shape)
    moved[...] = values
    assert not moved.flags.aligned
    return moved


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_unaligned_arrays_are_taken(metric: str) -> None:
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(30, 3)), rng.random(30)
    usual = om.KMeans(3, metric=metric, init=X[:3]).fit(X, sample_weight=w)
    moved = om.KMeans(3, metric=metric, init=unaligned(X[:3]))
    moved.fit(unaligned(X), sample_weight=unaligned(w))
    assert moved.inertia_ == usual.inertia_
    moved.cluster_centers_ = unaligned(moved.cluster_centers_)
    np.testing.assert_array_equal(moved.predict(unaligned(X)), usual.labels_)
