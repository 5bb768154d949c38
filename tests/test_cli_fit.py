"""``omnimeans fit`` and ``predict``: from files to the library's own answer, and into files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.preprocessing import RobustScaler, StandardScaler

import omnimeans as om
from cli_runs import FRAME, IRIS, X, answer, model_on, run


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Each test works in a folder of its own that holds iris.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    FRAME.to_csv("iris.csv", index=False)
    return tmp_path


def centers(record: dict[str, Any]) -> np.ndarray:
    return np.array([list(cluster["center"].values()) for cluster in record["clusters"]])


def test_the_answer_is_the_librarys() -> None:
    record, model = answer("fit", "iris.csv", "-k", 3), model_on(X, 3)
    assert record["inertia"] == model.inertia_
    np.testing.assert_array_equal(centers(record), model.cluster_centers_)
    labels = pd.read_csv("iris-labels.csv")
    assert labels.columns.tolist() == ["cluster"]
    np.testing.assert_array_equal(labels["cluster"], model.labels_)
    loaded = om.load("iris-model.safetensors")
    np.testing.assert_array_equal(loaded.predict(IRIS.data), model.labels_)
    assert record["files"] == {"labels": "iris-labels.csv", "model": "iris-model.safetensors"}
    assert record["notes"] == ["'species' is left out: text, such as 'setosa'"]


def test_options_reach_the_library() -> None:
    options = ("--init", "random", "--starts", 2, "--seed", 5, "--max-iter", 3, "--tol", 0)
    record = answer("fit", "iris.csv", "-k", 4, "--metric", "manhattan", *options, "--threads", 2)
    model = om.KMeans(
        4, init="random", n_init=2, random_state=5, max_iter=3, tol=0, metric="manhattan"
    ).fit(X)
    assert record["inertia"] == model.inertia_
    assert record["iterations"] == model.n_iter_
    assert record["seed"] == 5


FILES = ["a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.parquet", "a.feather", "a.npy", "a.npz"]


@pytest.mark.parametrize("name", FILES)
def test_one_answer_whatever_the_format(name: str) -> None:
    path, suffix = Path(name), name.split(".", 1)[1]
    write = {
        "csv": lambda: IRIS.data.to_csv(path, index=False),
        "tsv": lambda: IRIS.data.to_csv(path, index=False, sep="\t"),
        "csv.gz": lambda: IRIS.data.to_csv(path, index=False),
        "csv.zst": lambda: subprocess_free_zstd(path),
        "parquet": lambda: IRIS.data.to_parquet(path),
        "feather": lambda: IRIS.data.to_feather(path),
        "npy": lambda: np.save(path, X),
        "npz": lambda: np.savez(path, X=X),
    }
    write[suffix]()
    record, expected = answer("fit", path, "-k", 3), answer("fit", "iris.csv", "-k", 3)
    assert centers(record).tobytes() == centers(expected).tobytes()
    assert record["inertia"] == expected["inertia"]


def subprocess_free_zstd(path: Path) -> None:
    import pyarrow as pa

    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(IRIS.data.to_csv(index=False).encode())


SCALERS = {"standard": StandardScaler, "robust": RobustScaler}


@pytest.mark.parametrize("kind", SCALERS)
def test_scales(kind: str) -> None:
    record = answer("fit", "iris.csv", "-k", 3, "--scale", kind)
    scaler = SCALERS[kind]().fit(X)
    model = model_on(scaler.transform(X), 3)
    assert record["inertia"] == pytest.approx(model.inertia_, rel=1e-12)
    np.testing.assert_allclose(
        centers(record), scaler.inverse_transform(model.cluster_centers_), rtol=1e-12
    )
    labels = pd.read_csv("iris-labels.csv")["cluster"]
    run("predict", "iris.csv", "-m", "iris-model.safetensors", "-l", "again.csv")
    np.testing.assert_array_equal(pd.read_csv("again.csv")["cluster"], labels)
    loaded, extra = om.load("iris-model.safetensors", return_extra=True)
    assert extra["scale"] == kind
    scaled = (X - extra["scale_offset"]) / extra["scale_spread"]
    loaded.feature_names_in_ = None
    del loaded.feature_names_in_
    np.testing.assert_array_equal(loaded.predict(scaled), labels)


def test_a_scaled_model_refuses_a_frame_in_other_units() -> None:
    run("fit", "iris.csv", "-k", 3, "--scale", "standard")
    with pytest.raises(ValueError, match="feature names should match"):
        om.load("iris-model.safetensors").predict(IRIS.data)


def test_columns_ids_and_weights() -> None:
    weights = np.arange(150) % 3
    FRAME.assign(name=[f"flower {i}" for i in range(150)], w=weights).to_csv("w.csv", index=False)
    words = ("-c", "petal*", "--id", "name,species", "--weights", "w", "--distances")
    record = answer("fit", "w.csv", "-k", 2, *words, "-l", "labels.parquet")
    model = om.KMeans(2, n_init=10, random_state=0).fit(X[:, 2:], sample_weight=weights)
    assert record["inertia"] == model.inertia_
    assert record["columns"] == ["petal length (cm)", "petal width (cm)"]
    assert sum(cluster["weight"] for cluster in record["clusters"]) == weights.sum()
    written = pl.read_parquet("labels.parquet")
    assert written.columns == ["name", "species", "cluster", "distance"]
    assert written["name"][149] == "flower 149"
    np.testing.assert_array_equal(written["cluster"], model.labels_)
    own = model.transform(X[:, 2:])[np.arange(150), model.labels_]
    np.testing.assert_array_equal(written["distance"], own)


def test_labels_as_one_more_column() -> None:
    run("fit", "iris.csv", "-k", 3, "-t", "all.csv", "--label-name", "species")
    written = pd.read_csv("all.csv")
    assert written.columns.tolist() == [*FRAME.columns, "species_2"]
    pd.testing.assert_frame_equal(written[FRAME.columns], pd.read_csv("iris.csv"))
    np.testing.assert_array_equal(written["species_2"], model_on(X, 3).labels_)
    assert sorted(file.name for file in Path().iterdir()) == ["all.csv", "iris.csv"]


def test_rows_with_missing_cells() -> None:
    holed = FRAME.copy()
    holed.loc[[3, 70], "sepal width (cm)"] = np.nan
    holed.to_csv("holed.csv", index=False)
    done = run("fit", "holed.csv", "-k", 3, code=3)
    assert "holed.csv, line 5 (row 4), column 'sepal width (cm)' has no value" in done.stderr
    assert done.stdout == ""
    record = answer("fit", "holed.csv", "-k", 3, "--missing", "drop", "-t", "all.csv")
    assert (record["rows"], record["rows_used"]) == (150, 148)
    written = pd.read_csv("all.csv")["cluster"]
    assert written.isna().to_numpy().nonzero()[0].tolist() == [3, 70]
    expected = model_on(np.delete(X, [3, 70], axis=0), 3).labels_
    np.testing.assert_array_equal(written.dropna(), expected)


def test_rows_compared_by_what_they_have() -> None:
    holed = FRAME.copy()
    holed.loc[[3, 70], "sepal width (cm)"] = np.nan
    holed.to_csv("holed.csv", index=False)
    record = answer("fit", "holed.csv", "-k", 3, "--missing", "partial")
    model = model_on(holed.iloc[:, :4].to_numpy(), 3, missing="partial")
    assert record["inertia"] == model.inertia_
    labels = pd.read_csv("holed-labels.csv")["cluster"]
    np.testing.assert_array_equal(labels, model.labels_)
    words = ("predict", "holed.csv", "-m", "holed-model.safetensors", "--missing", "partial")
    run(*words, "-l", "again.csv")
    assert pd.read_csv("again.csv")["cluster"].equals(labels)
    said = run("fit", "holed.csv", "--missing", "partial", "-f", code=2).stderr
    assert "on complete rows; say --k N" in said


def test_centres_from_a_file() -> None:
    start = X[[0, 60, 120]]
    pd.DataFrame(start[:, ::-1], columns=FRAME.columns[:4][::-1]).to_csv("start.csv", index=False)
    np.save("start.npy", start)
    model = om.KMeans(3, init=start, n_init=1).fit(X)
    for name in ("start.csv", "start.npy"):
        record = answer("fit", "iris.csv", "-k", 3, "--init", name)
        assert (record["inertia"], record["iterations"]) == (model.inertia_, model.n_iter_)
    scaled = answer("fit", "iris.csv", "-k", 3, "--init", "start.npy", "--scale", "standard")
    scaler = StandardScaler().fit(X)
    expected = om.KMeans(3, init=scaler.transform(start), n_init=1).fit(scaler.transform(X))
    assert scaled["inertia"] == pytest.approx(expected.inertia_, rel=1e-12)
    assert (
        "holds 3 centres of 4 columns, but 2"
        in run("fit", "iris.csv", "-k", 2, "--init", "start.npy", "-f", code=3).stderr
    )
    assert (
        "nor a file of centres"
        in run("fit", "iris.csv", "-k", 2, "--init", "best", "-f", code=2).stderr
    )


def test_centres_of_a_fit_start_the_next(tmp_path: Path) -> None:
    record = answer("fit", "iris.csv", "-k", 3)
    pd.DataFrame([c["center"] for c in record["clusters"]]).to_csv("centres.csv", index=False)
    again = answer("fit", "iris.csv", "-k", 3, "--init", "centres.csv", "--tol", 0)
    assert again["inertia"] == record["inertia"]


def test_standard_input_and_output() -> None:
    text = Path("iris.csv").read_bytes()
    done = run("fit", "-", "-k", 3, "-l", "-", "-m", "m.safetensors", stdin=text)
    labels = pd.read_csv(io.StringIO(done.stdout))["cluster"]
    np.testing.assert_array_equal(labels, model_on(X, 3).labels_)
    assert "inertia" in done.stderr
    done = run("predict", "-", "-m", "m.safetensors", "-q", stdin=text)
    assert pd.read_csv(io.StringIO(done.stdout))["cluster"].equals(labels)
    done = run("fit", "-", "-k", 3, stdin=text)
    assert "inertia" in done.stdout
    assert "both want standard output" in run("fit", "iris.csv", "-l", "-", "--json", code=2).stderr


def test_pictures_in_few_colours() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("noise.png")
    record = answer("fit", "noise.png", "-k", 4)
    assert record["files"] == {"picture": "noise-clusters.png", "model": "noise-model.safetensors"}
    model = om.KMeans(4, n_init=1, random_state=0).fit(pixels.reshape(-1, 3).astype(np.float32))
    painted = np.asarray(Image.open("noise-clusters.png"))
    expected = np.rint(model.cluster_centers_[model.labels_]).reshape(12, 10, 3)
    np.testing.assert_array_equal(painted, expected)
    run("predict", "noise.png", "-m", "noise-model.safetensors", "--picture", "again.png")
    np.testing.assert_array_equal(np.asarray(Image.open("again.png")), painted)
    assert (
        "for which DATA must be a picture"
        in run("fit", "iris.csv", "-k", 2, "--picture", "x.png", code=2).stderr
    )


def test_predict_finds_columns_by_name() -> None:
    run("fit", "iris.csv", "-k", 3)
    FRAME[FRAME.columns[::-1]].head(20).to_csv("other.csv", index=False)
    record = answer("predict", "other.csv", "-m", "iris-model.safetensors", "-l", "o.npy")
    assert record["rows"] == 20
    np.testing.assert_array_equal(np.load("o.npy"), model_on(X, 3).labels_[:20])
    FRAME.drop(columns="sepal width (cm)").to_csv("less.csv", index=False)
    done = run("predict", "less.csv", "-m", "iris-model.safetensors", code=3)
    assert "less.csv lacks 'sepal width (cm)', which the model was fitted on" in done.stderr
    assert "omnimeans fit writes one" in run("predict", "iris.csv", "-m", "no", code=2).stderr
    Path("bad.safetensors").write_bytes(b"nothing")
    assert "bad.safetensors" in run("predict", "iris.csv", "-m", "bad.safetensors", code=3).stderr
