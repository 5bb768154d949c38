"""``omnimeans choose-k``, ``evaluate`` and ``plot``: what the library says, from files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import metrics as reference
from sklearn.datasets import make_blobs

import omnimeans as om
from cli_runs import FRAME, X, answer, run
from omnimeans import metrics


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Each test works in a folder of its own that holds iris.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    FRAME.to_csv("iris.csv", index=False)
    return tmp_path


def blobs(k: int) -> np.ndarray:
    corners = [(10.0 * (j % 6), 10.0 * (j // 6)) for j in range(k)]
    rows, _ = make_blobs(60 * k, centers=corners, cluster_std=0.8, random_state=k)
    pd.DataFrame(rows, columns=["x", "y"]).to_csv(f"blobs{k}.csv", index=False)
    return rows


def test_choose_k_is_the_librarys_sweep() -> None:
    record = answer("choose-k", "iris.csv", "-k", "1-4", "--references", 5, "--subsamples", 2)
    sweep = om.sweep(X, range(1, 5), random_state=0, n_references=5, n_subsamples=2)
    assert record["verdict"]["votes"] == sweep.verdict.votes
    assert [row["inertia"] for row in record["rows"]] == list(sweep.inertias)
    assert record["input"] == "iris.csv"


def test_choose_k_writes_table_and_picture() -> None:
    rows = blobs(4)
    done = run("choose-k", "blobs4.csv", "-k", "1-8", "-t", "k.csv", "--plot", "k.png")
    assert "k = 4" in done.stdout
    knee = om.sweep(rows, range(1, 9), random_state=0).verdict.knee
    assert f"bends most at k = {knee}" in done.stdout
    table = pd.read_csv("k.csv")
    assert table["k"].tolist() == list(range(1, 9))
    assert np.isnan(table["silhouette"][0])
    with Image.open("k.png") as picture:
        assert picture.size == (960, 1440)


def test_fit_chooses_k() -> None:
    rows = blobs(4)
    record = answer("fit", "blobs4.csv")
    assert record["k"] == 4
    assert record["verdict"].startswith("k = 4")
    assert record["inertia"] == om.sweep(rows, range(1, 21), random_state=0).row(4).inertia
    assert (answer("fit", "blobs4.csv", "-k", "2-6"))["k_chosen"].startswith("chosen among 2 to 6")


def test_more_clusters_are_tried_where_the_last_one_wins() -> None:
    blobs(27)
    record = answer("fit", "blobs27.csv")
    assert (record["k"], len(record["sweep"]["rows"])) == (27, 40)


def test_rows_without_clusters() -> None:
    rows = np.random.default_rng(0).uniform(size=(500, 2))
    np.save("noise.npy", rows)
    done = run("fit", "noise.npy")
    assert "warning: no cluster structure among 1 to 20" in done.stderr
    assert set(np.load("noise-labels.npy")) == {0}
    record = answer("fit", "noise.npy", "-k", "2-6")  # one cluster was not among those to try
    assert record["k_chosen"] == "no cluster structure among 2 to 6"
    assert 2 <= record["k"] <= 6


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (5, 1)])
def test_too_few_rows_to_choose(n: int, k: int) -> None:
    pd.DataFrame(X[:n]).to_csv("few.csv", index=False)
    assert answer("fit", "few.csv")["k_chosen"] == "too few rows to choose"
    assert answer("fit", "few.csv", "-k", n)["inertia"] == 0.0
    assert "too few" in run("choose-k", "few.csv", code=3).stderr


def test_choose_k_mistakes() -> None:
    assert "nothing to choose" in run("choose-k", "iris.csv", "-k", 3, code=2).stderr
    assert "'3-2' is not" in run("choose-k", "iris.csv", "-k", "3-2", code=2).stderr
    assert "pictures end in" in run("choose-k", "iris.csv", "--plot", "a.txt", code=2).stderr


def test_evaluate_a_model() -> None:
    run("fit", "iris.csv", "-k", 3, "--scale", "standard")
    words = ("evaluate", "iris.csv", "-m", "iris-model.safetensors", "--truth", "species", "--json")
    record = json.loads(run(*words).stdout)
    labels = pd.read_csv("iris-labels.csv")["cluster"]
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    assert record["separation"]["silhouette"] == pytest.approx(
        reference.silhouette_score(scaled, labels)
    )
    assert record["agreement"]["adjusted Rand index"] == pytest.approx(
        reference.adjusted_rand_score(FRAME["species"], labels)
    )
    assert list(record["agreement"]) == list(metrics.AGREEMENT)
    assert list(record["separation"]) == list(metrics.SEPARATION)
    expected = pd.crosstab(FRAME["species"], labels).to_numpy()
    np.testing.assert_array_equal(record["contingency"]["counts"], expected)
    assert "setosa" in run(*words[:-1]).stdout


def test_evaluate_labels_of_others() -> None:
    labels = np.arange(150) // 50
    FRAME.assign(mine=labels).to_csv("both.csv", index=False)
    pd.DataFrame({"id": range(150), "mine": labels}).to_csv("labels.csv", index=False)
    expected = reference.silhouette_score(X, labels)
    for word in ("mine", "labels.csv:mine"):
        data = "both.csv" if word == "mine" else "iris.csv"
        record = json.loads(run("evaluate", data, "-l", word, "--json", "-q").stdout)
        assert record["separation"]["silhouette"] == pytest.approx(expected)
        assert record["agreement"] == {}
    np.save("labels.npy", labels)
    words = ("evaluate", "iris.csv", "-l", "labels.npy", "--truth", "species", "--sample", 60)
    record = json.loads(run(*words, "--json", "-q").stdout)
    assert record["agreement"]["purity"] == 1.0
    assert "silhouette (60 rows)" in record["separation"]
    assert "simplified silhouette" in record["separation"]


def test_evaluate_mistakes() -> None:
    assert "--model FILE, or --labels" in run("evaluate", "iris.csv", code=2).stderr
    np.save("short.npy", np.arange(7))
    said = run("evaluate", "iris.csv", "-l", "short.npy", code=3).stderr
    assert "short.npy has 7 rows, but iris.csv has 150" in said
    assert "has no column 'kind'" in run("evaluate", "iris.csv", "-l", "kind", code=3).stderr
    FRAME.to_csv("two.csv", index=False)
    said = run("evaluate", "iris.csv", "-l", "two.csv", code=3).stderr
    assert "say which holds the labels: two.csv:species" in said


def test_evaluate_leaves_out_rows_without_a_class() -> None:
    some = FRAME.copy()
    some.loc[:9, "species"] = None
    some.to_csv("some.csv", index=False)
    record = json.loads(run("evaluate", "some.csv", "-l", "species", "--json", "-q").stdout)
    assert record["rows_used"] == 140


KINDS = ("clusters", "silhouette", "sizes", "heatmap", "parallel", "convergence")
PICTURES = [*((kind, ()) for kind in KINDS), ("contingency", ("--truth", "species"))]


@pytest.mark.parametrize(("kind", "more"), PICTURES)
def test_plot(kind: str, more: tuple[str, ...]) -> None:
    run("fit", "iris.csv", "-k", 3, "-m", "m.safetensors")
    words = ("plot", "iris.csv", "-m", "m.safetensors", "--kind", kind, *more)
    assert run(*words).stdout == f"iris-{kind}.png\n"
    pixels = np.asarray(Image.open(f"iris-{kind}.png").convert("L"))
    assert pixels.shape == (720, 960)
    assert pixels.std() > 10
    run(*words, "-o", "a.svg", "--width", 3)
    run(*words, "-o", "b.svg", "--width", 3)
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()


def test_plot_of_regions() -> None:
    run("fit", "iris.csv", "-k", 3, "-c", "petal*", "--scale", "robust", "-m", "two.safetensors")
    run("plot", "iris.csv", "-m", "two.safetensors", "--kind", "regions", "-o", "r.png")
    assert np.asarray(Image.open("r.png").convert("L")).std() > 10
    run("fit", "iris.csv", "-k", 3, "-m", "four.safetensors")
    words = ("plot", "iris.csv", "-m", "four.safetensors", "--kind", "regions", "-o", "f.png")
    assert "but the model has 4 columns" in run(*words, code=2).stderr


def test_plot_of_two_columns() -> None:
    run("fit", "iris.csv", "-k", 3, "-m", "m.safetensors")
    words = ("plot", "iris.csv", "-m", "m.safetensors", "-o", "a.svg", "--axes")
    run(*words, "petal*")
    text = Path("a.svg").read_text()
    assert "petal" in text or "<path" in text
    assert "names 1 columns; name two" in run(*words, "1", "-f", code=2).stderr
    assert (
        "needs known classes"
        in run("plot", "iris.csv", "-m", "m.safetensors", "--kind", "contingency", code=2).stderr
    )
    assert (
        "is not clusters"
        in run("plot", "iris.csv", "-m", "m.safetensors", "--kind", "pie", code=2).stderr
    )


def test_a_model_without_labels_of_its_own_file(tmp_path: Path) -> None:
    """A model saved in Python works on the command line, with scikit-learn's names of columns."""
    om.save(om.KMeans(3, random_state=0).fit(FRAME.iloc[:, :4]), "python.safetensors")
    done = run("predict", "iris.csv", "-m", "python.safetensors", "-l", "-", "-q")
    labels = pd.read_csv(io.StringIO(done.stdout))["cluster"]
    np.testing.assert_array_equal(labels, om.KMeans(3, random_state=0).fit(X).labels_)


def test_report_on_one_page() -> None:
    run("fit", "iris.csv", "-k", 3, "--scale", "standard", "-m", "m.safetensors")
    done = run("report", "iris.csv", "-m", "m.safetensors", "--truth", "species")
    assert "3 clusters of 150 rows x 4 features" in done.stdout
    assert "report -> iris-report.html" in done.stdout
    page = Path("iris-report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "setosa" in page
    words = ("report", "iris.csv", "-m", "m.safetensors", "-q")
    record = json.loads(run(*words, "-o", "r.json", "--json").stdout)
    assert record == json.loads(Path("r.json").read_text(encoding="utf-8"))
    labels = om.load("m.safetensors").labels_
    sizes = [cluster["size"] for cluster in record["clusters"]]
    assert sizes == np.bincount(labels).tolist()
    said = run(*words, "-o", "r.pdf", code=2).stderr
    assert "reports end in .html, .json, .txt" in said
    assert (
        "is not such as 28x28" in run(*words, "--image-shape", "28", "-o", "b.txt", code=2).stderr
    )


def test_report_on_a_picture() -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)).save("p.png")
    run("fit", "p.png", "-k", 3)
    run("report", "p.png", "-m", "p-model.safetensors", "-o", "p.txt")
    assert "3 clusters of 72 rows x 3 features" in Path("p.txt").read_text(encoding="utf-8")


def test_report_names_rows_by_their_ids() -> None:
    FRAME.assign(name=[f"flower {i}" for i in range(150)]).to_csv("named.csv", index=False)
    run("fit", "named.csv", "-k", 3, "--id", "name", "-m", "m.safetensors")
    done = run("report", "named.csv", "-m", "m.safetensors", "-o", "r.txt")
    assert "flower " in done.stdout
