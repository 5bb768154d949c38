"""Pictures of scores, profiles, regions and films: what is drawn is what was given."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import silhouette_samples

import omnimeans as om
from omnimeans import plots
from omnimeans.lloyd import trace_lloyd

X, Y = make_blobs(n_samples=90, centers=3, random_state=0)
MODEL = om.KMeans(3, random_state=0).fit(X)
LABELS, CENTERS = MODEL.labels_, MODEL.cluster_centers_
REPORT = om.report(MODEL, X, Y)
APART, _ = make_blobs(n_samples=240, centers=3, cluster_std=0.4, random_state=0)
SWEEP = om.sweep(APART, range(1, 5), random_state=0)

DRAWN: dict[str, Callable[..., Axes]] = {
    "sizes": lambda ax=None: plots.sizes(LABELS, ax),
    "silhouette": lambda ax=None: plots.silhouette(X, LABELS, ax=ax),
    "heatmap": lambda ax=None: plots.heatmap(CENTERS, X, ax=ax),
    "parallel": lambda ax=None: plots.parallel(CENTERS, X, ax=ax),
    "voronoi": lambda ax=None: plots.voronoi(CENTERS, X, LABELS, ax=ax),
    "sweep": lambda ax=None: plots.sweep(SWEEP, "gap", ax),
    "clustergram": lambda ax=None: plots.clustergram(APART, SWEEP, ax),
    "clusters of a report": lambda ax=None: plots.clusters(REPORT, ax=ax),
    "silhouette of a report": lambda ax=None: plots.silhouette(REPORT, ax=ax),
    "sizes of a report": lambda ax=None: plots.sizes(REPORT, ax),
    "heatmap of a report": lambda ax=None: plots.heatmap(REPORT, ax=ax),
    "parallel of a report": lambda ax=None: plots.parallel(REPORT, ax=ax),
    "contingency of a report": lambda ax=None: plots.contingency(REPORT, ax),
    "convergence of a report": lambda ax=None: plots.convergence(REPORT, ax),
}


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_draws_where_it_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda *_: pytest.fail("a picture was shown"))
    plt.close("all")
    _, ax = plt.subplots()
    assert DRAWN[name](ax) is ax
    assert len(plt.get_fignums()) == 1
    assert DRAWN[name]().figure is not ax.figure  # a new one where no ax is given
    ax.figure.canvas.draw()


# ---- sizes and silhouettes


def test_sizes_are_counted() -> None:
    bars = plots.sizes(["b", "a", "b", "b"]).patches
    assert [bar.get_height() for bar in bars] == [1, 3]
    assert [bar.get_height() for bar in plots.sizes(REPORT).patches] == np.bincount(LABELS).tolist()


def test_forty_bars_look_different() -> None:
    bars = plots.sizes(np.arange(42)).patches
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in bars}) == 42


def test_silhouettes_are_the_values_sorted_by_cluster() -> None:
    expected = silhouette_samples(X, LABELS)
    for ax in (plots.silhouette(X, LABELS), plots.silhouette(REPORT)):
        bars = [container.patches for container in ax.containers]
        assert [len(patches) for patches in bars] == np.bincount(LABELS).tolist()
        for j, patches in enumerate(bars):
            drawn = [bar.get_width() for bar in patches]
            assert drawn == pytest.approx(np.sort(expected[j == LABELS])[::-1])
        mean = next(line for line in ax.lines if line.get_linestyle() == "--")
        assert mean.get_xdata()[0] == pytest.approx(expected.mean())


def test_silhouettes_of_many_rows_are_thinned_out() -> None:
    many, label = make_blobs(9000, centers=2, random_state=0)
    ax = plots.silhouette(many, label)
    assert sum(len(container.patches) for container in ax.containers) == 3000


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "labels is missing; give one label per row, or a report instead of X"),
        ([0] * 90, "silhouettes need 2 to n - 1 clusters, but there are 1 clusters in 90 rows"),
        (range(90), "there are 90 clusters in 90 rows; give a clustering that groups some"),
        ([0, 1], r"labels has shape \(2,\); give one label per row"),
    ],
)
def test_silhouettes_need_clusters(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.silhouette(X, labels)


# ---- profiles


def test_heatmap_shows_z_scores_or_the_centers() -> None:
    z = (CENTERS - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(plots.heatmap(CENTERS, X).images[0].get_array(), z)
    np.testing.assert_allclose(plots.heatmap(REPORT).images[0].get_array(), z)
    np.testing.assert_array_equal(plots.heatmap(CENTERS).images[0].get_array(), CENTERS)
    ax = plots.heatmap(CENTERS, X, ["a$b", "$c$"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a$b", "$c$"]
    ax.figure.canvas.draw()
    written = [float(text.get_text()) for text in ax.texts]
    assert written == pytest.approx(z.ravel(), abs=0.051)


def test_parallel_lines_are_the_centers() -> None:
    lines = plots.parallel(CENTERS).lines
    np.testing.assert_array_equal([line.get_ydata() for line in lines], CENTERS)
    z = (CENTERS - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose([line.get_ydata() for line in plots.parallel(REPORT).lines], z)


def test_forty_lines_look_different() -> None:
    lines = plots.parallel(np.arange(80.0).reshape(40, 2)).lines
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(looks) == 40


@pytest.mark.parametrize("draw", [plots.heatmap, plots.parallel])
def test_profiles_need_shapes_that_fit(draw: Callable[..., Axes]) -> None:
    with pytest.raises(ValueError, match=r"centers has shape \(2,\); give one row per cluster"):
        draw([1.0, 2.0])
    with pytest.raises(ValueError, match="feature_names has 1 names, but the centres have 2"):
        draw(CENTERS, feature_names=["a"])
    with pytest.raises(ValueError, match=r"X has shape \(90, 1\), but the centres have 2 feat"):
        draw(CENTERS, X[:, :1])


# ---- regions


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_regions_are_where_predict_puts_rows(metric: str) -> None:
    model = om.KMeans(3, metric=metric, random_state=0).fit(X)
    ax = plots.voronoi(model.cluster_centers_, X, metric=metric)
    colors = np.asarray(ax.images[0].get_array())
    rows, columns = colors.shape[:2]
    low_x, high_x, low_y, high_y = ax.images[0].get_extent()
    grid = np.stack(
        np.meshgrid(np.linspace(low_x, high_x, columns), np.linspace(low_y, high_y, rows)), axis=-1
    )
    labels = model.predict(grid.reshape(-1, 2)).reshape(rows, columns)
    assert len({tuple(colors[labels == j][0]) for j in np.unique(labels)}) == len(np.unique(labels))
    for j in np.unique(labels):
        assert (colors[labels == j] == colors[labels == j][0]).all()
    drawn = [len(dots.get_offsets()) for dots in ax.collections[:-1]]
    assert drawn == np.bincount(model.labels_, minlength=3).tolist()


def test_regions_need_a_plane() -> None:
    with pytest.raises(ValueError, match=r"centers has shape \(2, 3\), but a plane has two"):
        plots.voronoi(np.ones((2, 3)))


# ---- sweeps


def test_a_sweep_has_error_bars_and_a_verdict() -> None:
    ax = plots.sweep(SWEEP, "gap")
    curve, best = [line for line in ax.lines if line.get_linestyle() != "None"][:2]
    columns = SWEEP.columns()
    np.testing.assert_allclose(curve.get_xydata(), np.transpose([columns["k"], columns["gap"]]))
    (bars,) = ax.containers[0].lines[2]
    heights = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
    assert heights == pytest.approx(columns["gap_error"])
    assert best.get_xdata()[0] == SWEEP.verdict.k == 3
    assert not plots.sweep(SWEEP, "inertia").containers
    with pytest.raises(ValueError, match="the sweep has no score 'elbow'; choose one of inertia"):
        plots.sweep(SWEEP, "elbow")


def test_a_clustergram_shows_means_and_flows() -> None:
    rows = np.array([[0.0], [1.0], [9.0], [10.0], [30.0]])
    ax = plots.clustergram(rows, {1: [0] * 5, 2: [0, 0, 0, 0, 1], 3: [0, 0, 1, 1, 2]})
    means = [dots.get_offsets().tolist() for dots in ax.collections]
    assert means == [[[1, 10]], [[2, 5], [2, 30]], [[3, 0.5], [3, 9.5], [3, 30]]]
    flows = {tuple(line.get_ydata()): line.get_linewidth() for line in ax.lines}
    assert set(flows) == {(10, 5), (10, 30), (5, 0.5), (5, 9.5), (30, 30)}
    assert flows[10, 5] == pytest.approx(4 * flows[10, 30])
    from_sweep = plots.clustergram(APART, SWEEP)
    assert [len(dots.get_offsets()) for dots in from_sweep.collections] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="there are no clusterings; give labels"):
        plots.clustergram(rows, {})


# ---- films


TRACE = trace_lloyd(X, X[:3])


def test_a_film_has_two_pictures_for_each_iteration(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    plots.animate(X, TRACE, path, seconds=0.5)
    pictures = []
    with Image.open(path) as film:
        for number in range(film.n_frames):
            film.seek(number)
            pictures.append(film.convert("RGB").tobytes())
            assert film.info["duration"] == 500
    # the last two pictures differ in their titles alone: nothing moves any more
    assert len(pictures) == len(set(pictures)) == 2 * len(TRACE.labels) + 1


def test_a_film_shows_the_steps() -> None:
    _, ax = plt.subplots()
    film = plots.animate(X, TRACE, ax=ax)
    for number in range(1, 2 * len(TRACE.labels) + 1):
        film._func(number)
        i, half = divmod(number - 1, 2)
        *rows, centers = ax.collections
        counts = [len(dots.get_offsets()) for dots in rows]
        assert counts == np.bincount(TRACE.labels[i], minlength=3).tolist()
        np.testing.assert_array_equal(centers.get_offsets(), TRACE.centers[i + half])
        assert ax.get_title().startswith(f"iteration {i + 1}, {'update' if half else 'assignment'}")
        assert f"{TRACE.inertias[i]:.6g}" in ax.get_title()


@pytest.mark.parametrize(("kind", "mark"), [("mp4", b"ftyp"), ("html", b"<script")])
def test_a_film_is_written_as(kind: str, mark: bytes, tmp_path: Path) -> None:
    short = SimpleNamespace(
        centers=TRACE.centers[:2], labels=TRACE.labels[:1], inertias=TRACE.inertias[:1]
    )
    path = tmp_path / f"film.{kind}"
    plots.animate(X, short, path)
    assert mark in path.read_bytes()[:5000]


def test_a_film_needs_steps_that_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"film\.avi is no film that can be written; end it with"):
        plots.animate(X, TRACE, tmp_path / "film.avi")
    broken = SimpleNamespace(centers=TRACE.centers[1:], labels=TRACE.labels, inertias=())
    with pytest.raises(ValueError, match="give the centres at the start and after each iteration"):
        plots.animate(X, broken)
    assert not list(tmp_path.iterdir())


# ---- reports


def test_a_report_of_more_features_is_projected() -> None:
    flowers = load_iris().data
    report = om.report(om.KMeans(3, random_state=0).fit(flowers), flowers)
    ax = plots.clusters(report)
    np.testing.assert_array_equal(ax.collections[-1].get_offsets(), report.view.centers)
    assert ax.get_xlabel().startswith("direction 1 (92.5 %")


def test_what_a_report_does_not_know_is_said() -> None:
    alone = om.report(om.KMeans(1).fit(X), X)
    with pytest.raises(ValueError, match="this report has no silhouettes"):
        plots.silhouette(alone)
    with pytest.raises(ValueError, match=r"this report knows no classes; make it with om\.report"):
        plots.contingency(alone)
    with pytest.raises(ValueError, match="labels and centers are missing; give both"):
        plots.clusters(X)


def test_every_picture_can_be_saved() -> None:
    for draw in DRAWN.values():
        draw().figure.savefig(io.BytesIO(), format="svg")
        plt.close("all")
