"""Reports as text, dict, JSON and frames; and the corners: one cluster, no spread, bad input."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import StandardScaler

import omnimeans as om

IRIS, SPECIES = load_iris(return_X_y=True, as_frame=True)
MODEL = om.KMeans(3, random_state=0).fit(IRIS)
SEEN = om.report(MODEL, IRIS, SPECIES)


def report_of(k: int, X: Any, **given: Any) -> om.Report:
    return om.report(om.KMeans(k, random_state=0).fit(X), X, **given)


# ---- text, dict, JSON, frames


def test_json_is_the_record() -> None:
    record = json.loads(SEEN.to_json())
    assert record == SEEN.to_dict()
    assert record["clusters"][1]["marks"][0]["feature"] == SEEN.clusters[1].marks[0].feature
    assert np.array_equal(record["centers"], SEEN.centers)
    assert record["view"]["explained"] == list(SEEN.view.explained or ())
    assert "points" not in record["view"]


def test_json_is_written(tmp_path: Any) -> None:
    text = SEEN.to_json(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == json.loads(text)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_hold_the_same_numbers(library: str) -> None:
    table = SEEN.to_frame(library=library)
    columns = table.to_pydict() if library == "pyarrow" else table
    assert list(columns["size"]) == [c.size for c in SEEN.clusters]
    centers = SEEN.to_frame("centers", library=library)
    names = centers.column_names if library == "pyarrow" else list(centers.columns)
    assert names == ["cluster", *IRIS.columns]


def test_every_table_is_a_frame() -> None:
    lengths = {
        "clusters": 3,
        "features": 4,
        "centers": 3,
        "z_scores": 3,
        "examples": 18,
        "history": 6,
    }
    assert {name: len(SEEN.to_frame(name)) for name in lengths} == lengths
    with pytest.raises(ValueError, match="there is no table 'rows'; choose one of clusters, feat"):
        SEEN.to_frame("rows")
    with pytest.raises(ValueError, match="library='numpy' has no frames here; use 'pandas'"):
        SEEN.to_frame(library="numpy")


def test_a_frame_keeps_columns_of_the_same_name() -> None:
    seen = report_of(2, [[0.0, 1], [5, 6]], feature_names=["cluster", "cluster"])
    assert list(seen.to_frame("centers").columns) == ["cluster", "cluster_", "cluster__"]


def test_text_says_the_main_things() -> None:
    text = SEEN.to_text()
    assert str(SEEN) == text
    for part in (
        "3 clusters of 150 rows x 4 features, by omnimeans.KMeans",
        "s, converged: nothing moved any more",
        "total 681.4 = within 78.85 + between 602.5; 88.4 % explained",
        "Agreement with 3 classes: purity 0.8933",
    ):
        assert part in text
    settings = " ".join(text[text.index("Settings: ") :].split())
    assert settings.startswith("Settings: metric=euclidean, ")
    assert "n_clusters=3, " in settings
    assert settings.endswith(f"engine cpu, {MODEL.algorithm_}; float64; omnimeans {om.__version__}")
    assert re.search(r"^6 iterations, [\d.e-]+ s, converged", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 100


def test_rows_are_called_by_their_names() -> None:
    named = IRIS.set_axis([f"flower {i}" for i in range(150)])
    seen = om.report(MODEL, named)
    place = seen.clusters[0].exemplars[0]
    assert place.name == f"flower {place.row}"
    assert SEEN.clusters[0].exemplars[0].name == str(place.row)


# ---- corners


@pytest.mark.parametrize("X", [[[1.0, 2.0]], [[3.0, 3.0]] * 5, [[0.0], [1.0], [5.0]]])
def test_one_cluster_is_described(X: list[list[float]]) -> None:
    seen = report_of(1, X)
    cluster = seen.clusters[0]
    assert (cluster.size, cluster.neighbor, cluster.gap, cluster.marks) == (len(X), None, None, ())
    assert seen.silhouette.mean is None
    assert seen.features[0].f_ratio is None
    assert seen.replay is None
    json.loads(seen.to_json())
    assert "1 cluster of" in str(seen)


def test_as_many_clusters_as_rows() -> None:
    seen = report_of(4, [[0.0], [1.0], [5.0], [9.0]])
    assert seen.dispersion.explained == 1.0
    assert seen.silhouette.mean is None
    assert all(c.spread == c.radius == 0.0 for c in seen.clusters)
    json.loads(seen.to_json())


def test_rows_that_are_all_equal_leave_clusters_empty() -> None:
    X = np.ones((6, 2))
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        model = om.KMeans(2, random_state=0).fit(X)
    seen = om.report(model, X)
    empty = seen.clusters[1]
    assert (empty.size, empty.radius, empty.spread, empty.exemplars) == (0, None, None, ())
    assert seen.dispersion.explained is None
    assert {"empty_clusters", "constant_features"} <= {w.code for w in seen.warnings}
    json.loads(seen.to_json())
    assert "Cluster 1 has no rows" in str(seen)


def test_bad_input_is_refused() -> None:
    with pytest.raises(NotFittedError):
        om.report(om.KMeans(), IRIS)
    with pytest.raises(TypeError, match="StandardScaler has no cluster_centers_; give a fitted"):
        om.report(StandardScaler().fit(IRIS), IRIS)
    with pytest.raises(ValueError, match="feature_names has 2 names, but X has 4 columns"):
        om.report(MODEL, IRIS, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="row_names has 1 names, but X has 150 rows"):
        om.report(MODEL, IRIS, row_names=["a"])
    with pytest.raises(ValueError, match="examples=0 shows no rows; use examples >= 1"):
        om.report(MODEL, IRIS, examples=0)
    with pytest.raises(ValueError, match=r"image_shape=\(5, 5\) fits neither the 4 features"):
        om.report(MODEL, IRIS, image_shape=(5, 5))
    with pytest.raises(ValueError, match=r"up to 1e\+180\) are too extreme for variances"):
        report_of(2, [[0.0], [1e180]])
    with pytest.raises(ValueError, match="features"):
        om.report(MODEL, IRIS.iloc[:, :2])
