"""Very many centres: the tree, its refinement, and labels through it or exact."""

from __future__ import annotations

import signal
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
from omnimeans import _core
from omnimeans.estimators._levels import shares

Model = om.HierarchicalKMeans


def blobs(n: int = 8000, d: int = 6, k: int = 40, dtype: Any = np.float32) -> Any:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(
        dtype
    )


# the tree


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tree_of_centres(dtype: Any) -> None:
    X = blobs(dtype=dtype)
    model = Model(300, random_state=0).fit(X)
    flat = om.KMeans(300, random_state=0, max_iter=300).fit(X)
    assert model.cluster_centers_.shape == (300, 6)
    assert model.cluster_centers_.dtype == dtype
    assert model.inertia_ < 1.06 * flat.inertia_
    assert model.starts_[-1] == 300
    exact = model.predict(X)
    assert_array_equal(exact, model.labels_)
    assert model.score(X) == -model.inertia_
    assert_array_equal(model.predict_tree(X, probes=10**6), exact)
    assert (model.predict_tree(X) == exact).mean() > 0.7
    assert (model.predict_tree(X, probes=4) == exact).mean() > 0.97


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("exact", [True, False])
def test_one_answer_for_any_number_of_threads(metric: str, exact: bool) -> None:
    X, weights = blobs(3000), np.random.default_rng(0).integers(0, 3, 3000)
    X[:3] = 0.0
    settings = {"exact": exact, "metric": metric, "random_state": 0}
    one, two = (
        Model(150, **settings, n_threads=threads).fit(X, sample_weight=weights)
        for threads in (1, 3)
    )
    assert one.cluster_centers_.tobytes() == two.cluster_centers_.tobytes()
    assert_array_equal(one.labels_, two.labels_)
    assert one.inertia_ == two.inertia_
    found = one.predict(X) if exact else one.predict_tree(X, probes=4)
    assert_array_equal(found, one.labels_)
    plain = om.KMeans(150, init=one.cluster_centers_, n_init=1, metric=metric, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = plain.fit(X, sample_weight=weights).history_[0].inertia
    assert one.inertia_ == pytest.approx(first, rel=1e-6 if exact else 0.02)
    assert one.inertia_ >= first * (1 - 1e-6)


def test_each_group_has_its_share() -> None:
    sizes, room = np.array([60.0, 30, 9, 1, 0]), np.array([60, 30, 9, 1, 0])
    for k in (4, 5, 17, 50, 99, 100):
        found = shares(sizes, room, k)
        assert found.sum() == k
        assert (found <= room).all()
        assert (found[:4] >= 1).all()
    assert_array_equal(shares(sizes * 1e-9, room, 50), shares(sizes, room, 50))


def test_whole_weights_are_copies() -> None:
    X, times = blobs(2000), np.random.default_rng(0).integers(0, 4, 2000)
    weighted = Model(50, random_state=0).fit(X, sample_weight=times)
    copied = Model(50, random_state=0).fit(np.repeat(X, times, axis=0))
    assert weighted.inertia_ == pytest.approx(copied.inertia_, rel=0.05)
    moved = X.copy()
    moved[times == 0] = 1e6  # rows without weight pull nothing
    assert Model(50, random_state=0).fit(moved, sample_weight=times).inertia_ < (
        1.05 * weighted.inertia_
    )


def test_nearly_as_many_centres_as_rows() -> None:
    X = blobs(900)
    assert Model(900, random_state=0).fit(X).inertia_ == 0.0
    model = Model(880, random_state=0).fit(X)
    assert len(np.unique(model.labels_)) == 880
    closest = np.sort(_core.all_pairs(X, X, "euclidean", 1), axis=1)[:, 1]
    assert model.inertia_ < 20 * np.median(closest)


def test_copies_of_a_few_rows() -> None:
    X = np.repeat(blobs(700), np.random.default_rng(0).geometric(0.05, 700), axis=0)
    model = Model(700, random_state=0).fit(X)
    assert model.inertia_ == 0.0
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(700\)"):
        more = Model(720, random_state=0).fit(X)
    assert more.inertia_ == 0.0
    assert more.cluster_centers_.shape == (720, 6)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(1\)"):
        same = Model(600, random_state=0).fit(np.ones((2000, 3)))
    assert same.inertia_ == 0.0


def test_most_rows_in_one_place() -> None:
    """A group that holds nearly all rows is split again."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(20_000, 2)), rng.normal(size=(30, 2)) * 1e4])
    model = Model(2000, random_state=0).fit(X)
    flat = om.KMeans(2000, random_state=0, max_iter=20).fit(X)
    assert model.inertia_ < 1.15 * flat.inertia_


@pytest.mark.parametrize("scale", [1e-160, 1e150])
def test_values_of_extreme_size(scale: float) -> None:
    X = blobs(2000, dtype=np.float64)
    model, scaled = (Model(60, random_state=0).fit(Y) for Y in (X, X * scale))
    assert_array_equal(scaled.predict(X * scale), scaled.labels_)
    assert_array_equal(scaled.predict_tree(X * scale, 3), scaled.predict_tree(X * scale, 3))
    assert np.isfinite(scaled.cluster_centers_).all()
    assert len(np.unique(scaled.labels_)) == 60 == len(np.unique(model.labels_))


def test_centres_put_there_by_hand() -> None:
    X = blobs(1000)
    model = Model(50, random_state=0).fit(X)
    model.cluster_centers_ = X[:7]
    assert_array_equal(model.predict(X[:7]), np.arange(7))


def test_files(tmp_path: Path) -> None:
    X = blobs(2000)
    for metric in ("euclidean", "cosine"):
        model = Model(60, random_state=0, metric=metric, refine=2).fit(X)
        om.save(model, tmp_path / "tree")
        loaded = om.load(tmp_path / "tree")
        assert type(loaded) is Model
        assert loaded.get_params() == model.get_params()
        for name in ("cluster_centers_", "labels_", "groups_", "starts_"):
            assert_array_equal(getattr(loaded, name), getattr(model, name))
        assert_array_equal(loaded.predict_tree(X, 2), model.predict_tree(X, 2))
        assert_array_equal(loaded.predict(X), model.labels_)
        assert loaded.inertia_ == model.inertia_


def test_a_file_is_read(tmp_path: Path) -> None:
    X = blobs(1000)
    np.save(tmp_path / "rows.npy", X)
    model = Model(40, random_state=0).fit(tmp_path / "rows.npy")
    assert model.inertia_ == Model(40, random_state=0).fit(X).inertia_
    assert_array_equal(model.predict(tmp_path / "rows.npy"), model.labels_)


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    X, told = blobs(2000), []
    model = Model(60, random_state=0, refine=3, verbose=1, callback=told.append).fit(X)
    said = capsys.readouterr().out
    assert "4 groups of rows found in" in said
    assert "60 centres found in the groups" in said
    last = [record for record in told if record.centers.shape[0] == 60]
    assert [record.iteration for record in last if record.event == "iteration"] == [0, 1, 2]
    assert model.n_iter_ == 3
    stopped = Model(60, random_state=0, refine=9, callback=lambda record: True).fit(X)
    assert stopped.n_iter_ == 1
    assert_array_equal(stopped.predict(X), stopped.labels_)


def test_ctrl_c_ends_a_fit() -> None:
    X = blobs(200_000, 16, 2000)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            Model(20_000, random_state=0, max_iter=50, refine=200).fit(X)
    finally:
        timer.cancel()
    assert Model(20, random_state=0).fit(X[:1000]).inertia_ > 0  # and the next one works


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": 2001}, "n_samples=2000 should be >= n_clusters=2001"),
        ({"branching": 0}, "branching"),
        ({"probes": 0}, "probes"),
        ({"refine": -1}, "refine"),
        ({"metric": "minkowski"}, "metric='minkowski' is not offered"),
    ],
)
def test_bad_parameters(change: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Model(**{"n_clusters": 20, **change}).fit(blobs(2000))


def test_bad_rows() -> None:
    X = blobs(100)
    model = Model(9, random_state=0).fit(X)
    with pytest.raises(ValueError, match="probes=0"):
        model.predict_tree(X, probes=0)
    with pytest.raises(ValueError, match="features"):
        model.predict_tree(X[:, :3])
    X[17, 2] = np.nan
    with pytest.raises(ValueError, match="row 17, column 2"):
        Model(9).fit(X)
