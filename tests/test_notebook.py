"""The course notebook's cells run with only their imports changed, and so does our own notebook.

The cells here are written anew after the course notebook: the same calls with the same arguments.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.model_selection import train_test_split

from conftest import find_data
from omnimeans import (
    KMeansLloyd,
    contingency_matrix,
    datasets,
    display_contingency_and_purity,
    display_results,
    elbow_method,
    euclidean_distance,
    manhattan_distance,
    plot_kmeans,
    purity_score,
    rand_index,
    seed_all,
)
from omnimeans.plots import use_svg_display

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


# ---- the course notebook, cell by cell


def test_cell_setup() -> None:
    use_svg_display()
    assert seed_all(1992) == 1992


def plot_kmeans_clusters_and_elbow(K: int = 3, **kmeans_kwargs: Any) -> None:
    X, _ = make_blobs(n_samples=1000, centers=K, n_features=2, random_state=1992)

    kmeans = KMeansLloyd(num_clusters=K, **kmeans_kwargs)
    kmeans.fit(X)
    plot_kmeans(X, kmeans.labels, kmeans.centroids)

    kmeans_sklearn = KMeans(n_clusters=3, random_state=1992, init="random", n_init=10)
    kmeans_sklearn.fit(X)
    # The course asks for equal bits.  Ours is the exact sum, correctly rounded; scikit-learn's
    # last digits depend on the order in which it adds.
    np.testing.assert_allclose(kmeans.inertia, kmeans_sklearn.inertia_, rtol=1e-14)

    _ = elbow_method(X, min_clusters=1, max_clusters=10)


def test_cell_blobs(capsys: Capture, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    plot_kmeans_clusters_and_elbow(K=3, init="random", max_iter=500, random_state=1992)
    assert capsys.readouterr().out.startswith("Converged at iteration ")
    assert caplog.messages == [f"Running KMeans with {k} clusters" for k in range(1, 11)]
    assert len(plt.get_fignums()) == 2


def test_cell_six_points(capsys: Capture) -> None:
    X = np.array(
        [
            [1, 2],
            [1, 4],
            [1, 0],
            [10, 2],
            [10, 4],
            [10, 0],
        ]
    )
    kmeans = KMeansLloyd(num_clusters=2, init="random", max_iter=500, random_state=1992)
    kmeans.fit(X)
    y_preds = kmeans.predict([[0, 0], [12, 3]])

    sk_kmeans = KMeans(
        n_clusters=2, random_state=1992, n_init="auto", algorithm="lloyd", max_iter=500
    )
    sk_kmeans.fit(X)
    sk_y_preds = sk_kmeans.predict([[0, 0], [12, 3]])

    df = display_results(kmeans, sk_kmeans, X, y_preds, sk_y_preds)
    assert df.columns.tolist() == ["Attribute", "Mine", "Sklearn"]
    assert df.Attribute.tolist() == [
        "Number of Clusters",
        "Centroids",
        "Labels",
        "Inertia",
        "Clusters",
        "Predicted Labels for New Data",
    ]
    assert set(df.loc[3, ["Mine", "Sklearn"]]) <= {16.0, 125.5}


def test_cell_distances() -> None:
    a, b = np.array([1.0, 2.0]), np.array([4.0, 6.0])
    assert euclidean_distance(a, b) == 5.0
    assert euclidean_distance(a, b, squared=True) == 25.0
    assert manhattan_distance(a, b) == 7.0


def test_cell_iris(capsys: Capture) -> None:
    X, y = load_iris(return_X_y=True)
    X = X[:, :2]  # only use the first two features

    # the course draws another split in each run; this one makes the figures checkable
    X_train, X_test, _y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=123)
    kmeans = KMeansLloyd(num_clusters=3, init="random", max_iter=500, random_state=2023)
    kmeans.fit(X_train)
    print(f"There are {kmeans.num_clusters} clusters.")
    print(f"The centroids are\n{kmeans.centroids}.")
    print(f"The labels predicted are {kmeans.labels}.")
    print(f"The inertia is {kmeans.inertia}.")
    capsys.readouterr()

    y_preds = kmeans.predict(X_test)
    display_contingency_and_purity(y_test, y_preds, per_cluster=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["pred=0", "pred=1", "pred=2"]
    assert [line.split()[0] for line in lines[1:4]] == ["true=0", "true=1", "true=2"]
    assert lines[4] == "Purity score: 0.9000"
    assert 28.6 < kmeans.inertia < 29.0

    fig, ax = plt.subplots(figsize=(10, 6))
    labels, centroids = kmeans.labels, kmeans.centroids
    for cluster in range(3):
        rows = X_train[labels == cluster]
        ax.scatter(rows[:, 0], rows[:, 1], label=f"Cluster {cluster + 1}")
    ax.scatter(centroids[:, 0], centroids[:, 1], marker="x", c="red")
    fig.legend()

    sk_kmeans = KMeans(n_clusters=3, random_state=2023, n_init=1, max_iter=1000, init="random")
    sk_kmeans.fit(X_train)
    np.testing.assert_allclose(kmeans.inertia, sk_kmeans.inertia_, rtol=1e-1)
    display_contingency_and_purity(y_test, sk_kmeans.predict(X_test), per_cluster=False)

    elbow = elbow_method(X_train, min_clusters=1, max_clusters=10)  # nan from 5 on in the course
    assert np.isfinite(elbow.inertias).all()
    assert (np.diff(elbow.inertias) < 0).all()
    _ = elbow_method(X_train, min_clusters=1, max_clusters=6)


def test_cell_iris_with_all_features() -> None:
    X, y = load_iris(return_X_y=True)
    X_train, _, y_train, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    kmeans = KMeansLloyd(num_clusters=3, init="random", max_iter=500, random_state=2023)
    kmeans.fit(X_train)
    y_preds = kmeans.predict(X_train)
    assert np.all(y_preds == kmeans.labels)
    assert contingency_matrix(y_train, y_preds).sum() == len(X_train)
    purity = purity_score(y_train, y_preds)
    purity_per_cluster = purity_score(y_train, y_preds, per_cluster=True)
    assert 0.85 < purity < 0.95
    assert np.shape(purity_per_cluster) == (3,)
    assert rand_index(y_train, y_preds) != purity  # the course takes one for the other


def mnist_images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the 10,000 test images as `tf.keras.datasets.mnist` does: bytes, not yet scaled."""
    mnist = datasets.load("mnist-test", data=folder)
    assert mnist.y is not None
    return np.rint(mnist.X * 255).astype(np.uint8).reshape(-1, 28, 28), mnist.y


def test_cell_mnist(data_folder: Path) -> None:
    X_test, y_test = mnist_images(data_folder)
    num_classes = np.unique(y_test).size
    X_test = X_test.reshape(-1, 28 * 28)
    X_test = X_test / 255.0

    kmeans = KMeansLloyd(num_clusters=num_classes, init="random", max_iter=20, random_state=42)
    kmeans.fit(X_test)
    assert 389_400 < kmeans.inertia < 396_000
    sk_kmeans = KMeans(n_clusters=num_classes, random_state=42, n_init=1, init="random")
    sk_kmeans.fit(X_test)
    assert kmeans.inertia == pytest.approx(sk_kmeans.inertia_, rel=0.02)

    y_preds = kmeans.labels
    contingency_matrix_ = contingency_matrix(y_test, y_preds, as_dataframe=True)
    assert contingency_matrix_.shape == (10, 10)
    assert 0.5 < purity_score(y_test, y_preds) < 0.65
    assert np.shape(purity_score(y_test, y_preds, per_cluster=True)) == (10,)

    kmeans = KMeansLloyd(
        num_clusters=num_classes,
        init="random",
        max_iter=150,
        random_state=2023,
        metric="manhattan",
    )
    kmeans.fit(X_test)
    assert kmeans.inertia < 920_098  # what the course reaches: it updates by means


def test_cell_digits() -> None:
    X, y = load_digits(return_X_y=True)
    n_digits = np.unique(y).size
    X_train, X_test, _, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    X_train = X_train / 255.0
    X_test = X_test / 255.0

    kmeans = KMeansLloyd(num_clusters=n_digits, init="random", max_iter=50000, random_state=42)
    kmeans.fit(X_train)
    y_preds = kmeans.predict(X_test)
    contingency_matrix_ = contingency_matrix(y_test, y_preds, as_dataframe=True)
    assert contingency_matrix_.to_numpy().sum() == len(X_test)
    assert 0.6 < purity_score(y_test, y_preds) < 0.9

    sk_kmeans = KMeans(n_clusters=n_digits, random_state=42, n_init=1, max_iter=500, init="random")
    sk_kmeans.fit(X_train)
    assert kmeans.inertia == pytest.approx(sk_kmeans.inertia_, rel=0.05)


# ---- our own notebook


def load_maker() -> ModuleType:
    path = Path(__file__).parents[1] / "examples" / "make_notebook.py"
    spec = importlib.util.spec_from_file_location("make_notebook", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = load_maker()


@pytest.fixture(scope="module")
def executed() -> Any:
    """Our notebook, run from top to bottom as on a machine that cannot download anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MPLBACKEND", raising=False)  # pictures go into the notebook
        patch.setenv("OMNIMEANS_MIRROR", "http://127.0.0.1:9/")
        patch.setenv("OMNIMEANS_DATA", os.fspath(find_data() or ""))
        return MAKER.execute(MAKER.read())


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def pictures(cell: Any) -> int:
    return sum("image/svg+xml" in output.get("data", {}) for output in cell.outputs)


def code_cells(notebook: Any) -> list[Any]:
    """Return the cells whose output does not depend on whether MNIST is there."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (find_data() is not None or "mnist" not in cell.metadata.get("tags", []))
    ]


def test_stored_outputs_are_fresh(executed: Any) -> None:
    advice = "the results have changed: run python examples/make_notebook.py (with OMNIMEANS_DATA)"
    stored = code_cells(MAKER.read())
    for now, before in zip(code_cells(executed), stored, strict=True):
        assert printed(now) == printed(before), advice
        assert pictures(now) == pictures(before), advice


def test_nothing_went_wrong_unnoticed(executed: Any) -> None:
    outputs = [output for cell in code_cells(executed) for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "display_data"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
    assert not any("nan" in printed(cell).lower() for cell in code_cells(executed))


def test_says_in_one_line_that_mnist_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMNIMEANS_MIRROR", "http://127.0.0.1:9/")
    monkeypatch.setenv("OMNIMEANS_CACHE", os.fspath(tmp_path))
    monkeypatch.delenv("OMNIMEANS_DATA", raising=False)
    notebook = MAKER.read()
    cells = [cell for cell in notebook.cells if "mnist" in cell.metadata.get("tags", [])]
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source = "from omnimeans import datasets"
    notebook.cells = [setup, *cells]
    lines = [printed(cell) for cell in MAKER.execute(notebook).cells]
    assert lines[0] == ""
    assert lines[1].startswith("MNIST is left out: ")
    assert lines[1].count("\n") == 1
    assert lines[2:] == [""] * (len(cells) - 1)


def test_an_error_in_a_cell_is_noticed() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(Exception, match="ZeroDivisionError"):
        MAKER.execute(notebook)


def test_notebook_is_small() -> None:
    assert MAKER.NOTEBOOK.stat().st_size < 500_000
    assert any(pictures(cell) for cell in code_cells(MAKER.read()))


def test_pictures_are_shrunk() -> None:
    svg = '<svg>\n <metadata>\n  today</metadata><!-- x -->\n <path d="M 1.23456 7"/>\n</svg>'
    assert MAKER.shrink(svg) == '<svg><path d="M 1.23 7"/></svg>'
    cell = SimpleNamespace(outputs=[], metadata={}, execution_count=3)
    MAKER.tidy(cell)
    assert cell.execution_count is None
