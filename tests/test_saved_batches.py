"""Mini-batch models in files: the same model, and it goes on with further batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from omnimeans.persistence import batches

METRICS = ["euclidean", "manhattan", "cosine"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compute_labels", [True, False])
@pytest.mark.parametrize("metric", METRICS)
def test_a_fit(tmp_path: Path, metric: str, compute_labels: bool, dtype: Any) -> None:
    X = hard_cases.rows("blobs", 300, 3, dtype)
    model = om.MiniBatchKMeans(
        4, random_state=0, metric=metric, compute_labels=compute_labels, batch_size=64
    ).fit(X)
    om.save(model, tmp_path / "model")
    loaded = om.load(tmp_path / "model")
    assert type(loaded) is om.MiniBatchKMeans
    assert loaded.get_params() == model.get_params()
    assert_array_equal(loaded.cluster_centers_, model.cluster_centers_)
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert hasattr(loaded, "labels_") == compute_labels
    for name in ("inertia_", "n_iter_", "n_steps_", "converged_", "stop_reason_", "history_"):
        assert getattr(loaded, name) == getattr(model, name)
    for one in (model, loaded):
        one.partial_fit(X[::3])
    assert loaded.cluster_centers_.tobytes() == model.cluster_centers_.tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_a_stream_goes_on(tmp_path: Path, metric: str) -> None:
    X = hard_cases.rows("blobs", 900, 3, np.float64)
    whole = om.MiniBatchKMeans(4, random_state=0, metric=metric)
    parted = om.MiniBatchKMeans(4, random_state=0, metric=metric)
    for begin in range(0, 900, 100):
        whole.partial_fit(X[begin : begin + 100])
        parted.partial_fit(X[begin : begin + 100])
        om.save(parted, tmp_path / "model")
        parted = om.load(tmp_path / "model")
    assert parted.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()
    assert parted.n_steps_ == 9
    assert not hasattr(parted, "history_")


def test_what_makes_no_sense_is_refused() -> None:
    X = hard_cases.rows("blobs", 100, 3, np.float64)
    model = om.MiniBatchKMeans(4, random_state=0).partial_fit(X)
    good = batches.arrays_of_batches(model)
    assert batches.restored_batches(model, dict(good))
    bad: list[dict[str, Any]] = [
        {batches.COUNTS: np.ones(3)},
        {batches.COUNTS: -np.ones(4)},
        {batches.COUNTS: np.ones(4, dtype=np.float32)},
        {batches.MEANS: np.full((4, 3), np.nan)},
        {batches.MEANS: np.ones((4, 2))},
        {batches.WAITING: np.array([-1])},
        {batches.WAITING: np.array([1.0])},
    ]
    for change in bad:
        assert not batches.restored_batches(model, good | change)
    for gone in good:
        assert not batches.restored_batches(model, {n: a for n, a in good.items() if n != gone})
