"""What has changed between two models; and streams in files, which such snapshots come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import omnimeans as om
from omnimeans.metrics import adjusted_rand_index
from omnimeans.persistence import sketches
from stream_cases import blobs, streamed

# files


@pytest.mark.parametrize("half_life", [None, 800.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stream_goes_on_from_a_file(tmp_path: Path, half_life: Any, dtype: Any) -> None:
    X = blobs(4000).astype(dtype)
    whole, parted = (om.StreamKMeans(6, sample_size=300, half_life=half_life) for _ in range(2))
    for part in np.array_split(X, 8):
        whole.partial_fit(part)
        parted.partial_fit(part)
        om.save(parted, tmp_path / "stream")
        parted = om.load(tmp_path / "stream")
        assert type(parted) is om.StreamKMeans
    assert parted.n_samples_seen_ == 4000
    assert parted.get_params() == whole.get_params()
    for a, b in zip(parted.sample(), whole.sample(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert parted.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()
    assert_array_equal(parted.predict(X), whole.predict(X))


def test_a_stream_of_fewer_rows_than_clusters_is_stored(tmp_path: Path) -> None:
    om.save(om.StreamKMeans(9).partial_fit([[1.0], [2.0]]), tmp_path / "stream")
    loaded = om.load(tmp_path / "stream").partial_fit(np.arange(3.0, 20.0)[:, None])
    assert loaded.cluster_centers_.shape == (9, 1)


def test_files_that_make_no_sense_are_refused() -> None:
    model = streamed(blobs(2000))
    good = sketches.arrays_of_stream(model)
    assert sketches.restored_stream(model, dict(good))
    for name in good:
        assert not sketches.restored_stream(model, {k: v for k, v in good.items() if k != name})
    for name, wrong in (
        ("stream.rows", good["stream.rows"][:-1]),
        ("stream.rows", np.full_like(good["stream.rows"], np.nan)),
        ("stream.keys", good["stream.keys"][::-1].copy()),
        ("stream.words", -good["stream.words"]),
        ("cells.ids", good["cells.ids"][::-1].copy()),
        ("cells.level", np.array([99_999])),
        ("cells.masses", good["cells.masses"][:3]),
    ):
        assert not sketches.restored_stream(model, {**good, name: wrong}), name


# drift


def test_drift_by_hand() -> None:
    before = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 50.0]])
    after = np.array([[10.0, 3.0], [0.0, 4.0]])
    seen = om.drift(before, after, X=[[0.0, 1.0], [9.0, 0.0], [5.0, 49.0]])
    assert seen.pairs.tolist() == [[0, 1], [1, 0]]
    assert_allclose(seen.moved, [4.0, 3.0])
    assert (seen.gone.tolist(), seen.new.tolist()) == ([2], [])
    assert seen.relabelled == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="2 and 3 features"):
        om.drift(before, np.zeros((2, 3)))


def test_drift_between_two_snapshots_of_a_stream(tmp_path: Path) -> None:
    middles = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    rng = np.random.default_rng(0)

    def day(shift: float) -> Any:
        moved = middles + np.array([[0, 0], [0, 0], [0, 0], [shift, 0]])
        return moved[rng.integers(0, 4, 4000)] + 0.5 * rng.normal(size=(4000, 2))

    model = om.StreamKMeans(4, half_life=1000.0, n_init=3).partial_fit(day(0.0))
    om.save(model, tmp_path / "monday")
    for _ in range(4):
        model.partial_fit(day(3.0))
    X = day(3.0)
    seen = om.drift(om.load(tmp_path / "monday"), model, X)
    order = np.argsort(seen.moved)
    assert_allclose(seen.moved[order], [0, 0, 0, 3.0], atol=0.3)
    farthest = seen.pairs[order[-1]]
    assert_allclose(model.cluster_centers_[farthest[1]], [13.0, 10.0], atol=0.3)
    assert seen.relabelled is not None
    assert seen.relabelled < 0.05
    assert adjusted_rand_index(model.predict(X), om.load(tmp_path / "monday").predict(X)) > 0.9
