"""The exported graph gives the labels of ``predict``, except for near ties, which are counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

import hard_cases
import omnimeans as om
from omnimeans import datasets
from omnimeans.directions import unit_rows


def outputs(exported: Any, X: Any) -> tuple[Any, Any]:
    """Labels and distances from onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        exported.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    label, distance = session.run(["label", "distance"], {"X": X})
    return label, distance


def near_ties(model: Any, X: Any) -> Any:
    """Rows whose two nearest centres are equally far, to within the rounding of the graph.

    A sum of d products in float64 is off by at most about d units in the last place of the sum of
    their sizes; the sums here are around the mean of the centres.
    """
    wide, centers = X, model.cluster_centers_
    if model.metric == "cosine":
        wide, centers = unit_rows(X)[0], unit_rows(centers)[0]
    wide, centers = wide.astype(np.float64), centers.astype(np.float64)
    gaps = [wide - center for center in centers]
    if model.metric == "manhattan":
        away = np.stack([np.abs(gap).sum(axis=1) for gap in gaps], axis=1)
        size = np.abs(wide).sum(axis=1)[:, None] + np.abs(centers).sum(axis=1)
    else:
        away = np.stack([np.square(gap).sum(axis=1) for gap in gaps], axis=1)
        middle = np.median(centers, axis=0)
        lengths = np.linalg.norm(wide - middle, axis=1)[:, None]
        size = (lengths + np.linalg.norm(centers - middle, axis=1)) ** 2
        # a difference is rounded, too: by a bit of what was subtracted
        size += (lengths + np.linalg.norm(centers - middle, axis=1)) * np.abs(middle).max()
    order = np.argsort(away, axis=1)[:, :2]
    best, second = np.take_along_axis(away, order, axis=1).T
    size = np.take_along_axis(size, order, axis=1).max(axis=1)
    return second - best <= 4 * (X.shape[1] + 8) * 2.0**-53 * size


def check(model: Any, X: Any) -> tuple[int, int]:
    """Compare all rows; return how many there were, and how many near ties."""
    label, distance = outputs(om.to_onnx(model), X)
    assert label.dtype == np.int64
    ours = model.predict(X)
    ties = near_ties(model, X) if model.n_clusters > 1 else np.zeros(len(X), dtype=bool)
    assert_array_equal(label[~ties], ours[~ties])
    theirs = model.transform(X)
    assert distance.dtype == theirs.dtype
    scale = np.abs(theirs).max()
    eps = np.finfo(theirs.dtype).eps
    assert_allclose(distance, theirs, rtol=16 * eps, atol=1e-7 * scale)
    return len(X), int(ties.sum())


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["blobs", "offset", "scales", "copies", "outlier"])
def test_labels_are_those_of_predict(kind: str, dtype: Any, metric: str) -> None:
    X = hard_cases.rows(kind, 600, 7, dtype)
    model = om.KMeans(9, metric=metric, random_state=0, n_init=1).fit(X)
    rows, ties = check(model, X)
    assert ties < 0.05 * rows or kind == "copies"
    rng = np.random.default_rng(1)
    check(model, (X[rng.integers(0, 600, 500)] + rng.standard_normal((500, 7))).astype(dtype))


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_near_ties_are_counted(metric: str) -> None:
    """Rows in the middle between two centres: found to be near ties, and the rest agrees."""
    X, centers = hard_cases.near_ties(800, 5, np.float64)
    model = om.KMeans(6, random_state=0, metric=metric).fit(X)
    model.cluster_centers_ = centers
    rows, ties = check(model, X)
    assert ties > rows // 2


def test_real_data(data_folder: Path) -> None:
    """All rows of Iris, the digits, a photograph and the MNIST test images."""
    counts = {}
    for name, k in {"iris": 3, "digits": 10, "china": 64, "mnist-test": 10}.items():
        folder = data_folder if name.startswith("mnist") else None
        X = datasets.load(name, data=folder).X.astype(np.float32)
        model = om.KMeans(k, random_state=0, n_init=1).fit(X)
        counts[name] = check(model, X)
    print({name: f"{ties} near ties of {rows}" for name, (rows, ties) in counts.items()})
    assert sum(rows for rows, _ in counts.values()) > 280_000
    assert all(ties <= 1e-4 * rows for rows, ties in counts.values())


@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
def test_real_data_by_other_metrics(metric: str, data_folder: Path) -> None:
    for name, k in {"iris": 3, "digits": 10, "mnist-test": 10}.items():
        folder = data_folder if name.startswith("mnist") else None
        X = datasets.load(name, data=folder).X.astype(np.float32)
        rows, ties = check(om.KMeans(k, metric=metric, random_state=0, n_init=1).fit(X), X)
        assert ties <= 1e-3 * rows


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("kind", [om.KMeans, om.MiniBatchKMeans])
def test_models_of_sparse_rows(kind: Any, metric: str) -> None:
    rng = np.random.default_rng(0)
    X = sp.random(800, 30, 0.15, format="csr", rng=rng, dtype=np.float32)
    rows, ties = check(kind(8, metric=metric, random_state=0).fit(X), X.toarray())
    assert ties <= 0.01 * rows


@pytest.mark.parametrize("exponent", [-900, -600, 560, 900])
def test_extreme_values(exponent: int) -> None:
    X = np.ldexp(hard_cases.rows("blobs", 200, 3, np.float64), exponent)
    model = om.KMeans(5, random_state=0).fit(X)
    label, distance = outputs(om.to_onnx(model), X)
    assert_array_equal(label, model.labels_)
    assert_allclose(distance.min(axis=1), model.transform(X).min(axis=1), rtol=1e-6)


def test_small_shapes_and_zeros() -> None:
    one = om.KMeans(1).fit([[3.0]])
    assert outputs(om.to_onnx(one), np.array([[5.0], [3.0]]))[1].tolist() == [[2.0], [0.0]]
    rows = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    round_ = om.KMeans(2, init=rows[:2], metric="cosine").fit(rows)
    label, distance = outputs(om.to_onnx(round_), np.array([[0.0, 0.0], [0.0, 1e-300], [9, 1]]))
    assert label.tolist() == [0, 1, 0]
    assert distance[0].tolist() == [1.0, 1.0]
    assert outputs(om.to_onnx(round_), np.empty((0, 2)))[0].shape == (0,)


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    X = pd.DataFrame(hard_cases.rows("blobs", 50, 2, np.float64), columns=["a", "b"])
    model = om.KMeans(3, random_state=0).fit(X)
    exported = om.to_onnx(model, tmp_path / "model.onnx")
    read = onnx.load(str(tmp_path / "model.onnx"))
    assert read == exported
    properties = {item.key: item.value for item in read.metadata_props}
    assert properties["estimator"] == "KMeans"
    assert properties["feature_names"] == "a\nb"
    assert read.producer_name == "omnimeans"


def test_what_cannot_be_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="object cannot be exported; KMeans and MiniBatchKMeans"):
        om.to_onnx(object())
    with pytest.raises(TypeError, match="BisectingKMeans cannot be exported"):
        om.to_onnx(om.BisectingKMeans(2, random_state=0).fit([[0.0], [1.0], [9.0]]))
    with pytest.raises(ValueError, match="the graph knows no missing values"):
        om.to_onnx(om.KMeans(1, missing="partial").fit([[1.0, 2.0], [np.nan, 2.0]]))
    with pytest.raises(NotFittedError):
        om.to_onnx(om.KMeans())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        ImportError, match=r'onnx, which is not installed; pip install "omnimeans\['
    ):
        om.to_onnx(om.KMeans(1).fit([[1.0]]))
