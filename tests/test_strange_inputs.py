"""Values that are not what they seem: booleans of any byte, times that are not there, masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import omnimeans as om
from checks import assert_same_answer

BYTES = np.random.default_rng(0).integers(0, 256, (40_000, 5)).astype(np.uint8)
HELD = np.array([[1.0, 2.0], [3.0, 999.0], [5.0, 6.0], [9.0, 9.0]])
MASK = np.array([[0, 0], [0, 1], [0, 0], [0, 0]])


@pytest.mark.parametrize("layout", ["rows", "columns", "others", "file", "blocks"])
def test_a_boolean_of_any_byte_is_true(layout: str, tmp_path: Path) -> None:
    clean: Any = BYTES != 0
    strange: Any = BYTES.view(np.bool_)
    if layout == "columns":
        clean, strange = np.asfortranarray(clean), np.asfortranarray(BYTES).view(np.bool_)
    elif layout == "others":
        clean, strange = clean[::2, ::2], strange[::2, ::2]
    elif layout == "file":
        np.save(tmp_path / "x.npy", strange)
        strange = tmp_path / "x.npy"
    elif layout == "blocks":
        np.save(tmp_path / "x.npy", strange)
        strange = np.load(tmp_path / "x.npy", mmap_mode="r")
    engine = "blocks" if layout == "blocks" else "auto"
    model = om.KMeans(3, random_state=0, engine=engine).fit(strange)
    assert_same_answer(model, om.KMeans(3, random_state=0).fit(clean))
    assert (model.predict(strange) == model.labels_).all()


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[D]"])
def test_a_time_that_is_not_there_is_refused(kind: str) -> None:
    times = np.arange(40).reshape(20, 2).astype(kind)
    whole = om.KMeans(2, random_state=0).fit(times)
    assert_same_answer(whole, om.KMeans(2, random_state=0).fit(times.astype(np.float64)))
    times[7, 1] = times[9, 0] = "NaT"
    message = r"contains NaT, .*: 2 of them, the first in row 7, column 1, counted from 0"
    with pytest.raises(ValueError, match=f"Input X {message}"):
        om.KMeans(2).fit(times)
    with pytest.raises(ValueError, match=f"Input X {message}"):
        whole.predict(times)
    with pytest.raises(ValueError, match=f"stream of blocks {message}"):
        om.KMeans(2, engine="blocks").fit(lambda: [times[:5], times[5:8], times[8:]])
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=f"Input X {message}"):
        om.KMeans(2).fit(pandas.DataFrame(times.astype("M8[ns]"), columns=["a", "b"]))


def test_a_weight_that_is_no_time_is_refused() -> None:
    weights = np.array([1, 2, "NaT", 3], dtype="m8[s]")
    with pytest.raises(ValueError, match=r"sample_weight contains NaT, .*the first in row 2"):
        om.KMeans(2).fit(HELD, sample_weight=weights)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"sample_weight contains NaT, .*the first in row 2"):
        om.KMeans(2).fit(HELD, sample_weight=pandas.Series(weights))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_what_is_masked_is_missing(kind: Any) -> None:
    masked = np.ma.array(HELD.astype(kind), mask=MASK)
    holed = np.where(MASK, np.nan, HELD).astype(np.float32 if kind is np.float32 else np.float64)
    with pytest.raises(ValueError, match=r"nan in row 1, column 1"):
        om.KMeans(2).fit(masked)
    how: dict[str, Any] = {"n_clusters": 2, "missing": "partial", "random_state": 0}
    model = om.KMeans(**how).fit(masked)
    assert_same_answer(model, om.KMeans(**how).fit(holed))
    assert model.cluster_centers_.dtype == holed.dtype
    assert_same_answer(
        om.KMeans(2, random_state=0).fit(np.ma.array(HELD.astype(kind))),
        om.KMeans(2, random_state=0).fit(HELD.astype(kind)),
    )
    with pytest.raises(ValueError, match=r"contains NaN or infinity: nan in row 1, column 1"):
        om.KMeans(2, engine="blocks").fit(lambda: [masked[:1], masked[1:]])


def test_what_is_masked_among_objects_and_times_is_missing() -> None:
    with pytest.raises(ValueError, match=r"nan in row 1, column 1"):
        om.KMeans(2).fit(np.ma.array(HELD.astype(object), mask=MASK))
    with pytest.raises(ValueError, match=r"contains NaT, .*the first in row 1, column 1"):
        om.KMeans(2).fit(np.ma.array(HELD.astype("m8[s]"), mask=MASK))


def test_a_masked_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        om.KMeans(2).fit(HELD, sample_weight=np.ma.array([1, 2, 999, 1], mask=[0, 0, 1, 0]))
