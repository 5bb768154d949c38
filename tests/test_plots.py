"""Pictures: what is drawn is what was given, nothing is shown, and bad input is refused."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from itertools import combinations
from types import ModuleType, SimpleNamespace
from typing import Any

import matplotlib.colors as mcolors
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from sklearn.datasets import make_blobs

import test_plots_more
from omnimeans import KMeans, metrics, plots
from omnimeans.lloyd import Elbow, trace_lloyd
from omnimeans.plots import _canvas

X, Y = make_blobs(n_samples=90, centers=3, random_state=0)
MIDDLES = np.array([X[j == Y].mean(axis=0) for j in range(3)])
HISTORY = [SimpleNamespace(inertia=value) for value in (9.0, 5.0, 4.0)]

DRAWN: dict[str, Callable[..., Axes]] = {
    "points": lambda ax=None: plots.points(X, ax),
    "clusters": lambda ax=None: plots.clusters(X, Y, MIDDLES, ax),
    "elbow": lambda ax=None: plots.elbow([1, 2, 3], [9.0, 5.0, 4.0], ax),
    "convergence": lambda ax=None: plots.convergence(HISTORY, ax),
    "centroid_images": lambda ax=None: plots.centroid_images(np.eye(6), (2, 3), ax),
    "picture": lambda ax=None: plots.picture([[[1, 0, 0], [0, 0, 1]]], ax=ax),
    "contingency": lambda ax=None: plots.contingency([[3, 0], [1, 2]], ax),
}


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


# ---- every picture


def test_every_picture_is_tested() -> None:
    drawn = {*DRAWN, *test_plots_more.DRAWN}
    assert set(plots.__all__) - drawn == {"animate", "lloyd_steps", "use_svg_display"}


@pytest.mark.parametrize("name", DRAWN)
def test_draws_where_it_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda *_: pytest.fail("a picture was shown"))
    _, ax = plt.subplots()
    assert DRAWN[name](ax) is ax
    assert len(plt.get_fignums()) == 1
    assert DRAWN[name]().figure is not ax.figure  # a new one where no ax is given
    ax.figure.canvas.draw()


def test_input_is_not_changed() -> None:
    rows, labels, centers = X.copy(), Y.copy(), MIDDLES.copy()
    plots.clusters(rows, labels, centers)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(labels, Y)
    np.testing.assert_array_equal(centers, MIDDLES)


# ---- rows in the plane


def test_points_are_the_rows() -> None:
    (dots,) = plots.points(X).collections
    np.testing.assert_array_equal(dots.get_offsets(), X)


def test_clusters_are_the_rows_of_each() -> None:
    ax = plots.clusters(X, Y, MIDDLES)
    *drawn, centers = ax.collections
    for j, dots in enumerate(drawn):
        np.testing.assert_array_equal(dots.get_offsets(), X[j == Y])
    np.testing.assert_array_equal(centers.get_offsets(), MIDDLES)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["cluster 0", "cluster 1", "cluster 2", "centres"]


def test_many_clusters_stay_apart_without_a_legend() -> None:
    k = len(_canvas.COLORS) * len(_canvas.MARKERS)
    spots = np.arange(2.0 * k).reshape(k, 2)
    ax = plots.clusters(spots, np.arange(k), spots)
    looks = {
        (tuple(dots.get_facecolor()[0]), dots.get_paths()[0].vertices.tobytes())
        for dots in ax.collections[:-1]
    }
    assert len(looks) == k == 42
    assert ax.get_legend() is None


def test_a_cluster_without_rows_is_no_trouble() -> None:
    ax = plots.clusters(X, np.where(Y == 1, 0, Y), MIDDLES)
    assert len(ax.collections[1].get_offsets()) == 0


def test_large_data_are_thinned_out() -> None:
    many = np.random.default_rng(0).normal(size=(100_001, 2))
    (dots,) = plots.points(many).collections
    np.testing.assert_array_equal(dots.get_offsets(), many[::6])
    drawn = plots.clusters(many, np.arange(len(many)) % 2, many[:2]).collections[:-1]
    assert sum(len(dots.get_offsets()) for dots in drawn) == len(many[::6])


@pytest.mark.parametrize("rows", [X[:, :1], np.ones((4, 3)), X[0]])
@pytest.mark.parametrize("draw", [plots.points, lambda rows: plots.clusters(X, Y, rows)])
def test_only_the_plane_is_drawn(draw: Callable[[Any], Axes], rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"has shape .*, but a plane has two columns; give two"):
        draw(rows)


def test_one_label_per_row() -> None:
    with pytest.raises(ValueError, match=r"labels has shape \(89,\); give one label per row"):
        plots.clusters(X, Y[:-1], MIDDLES)


# ---- curves


@pytest.mark.parametrize("name", ["elbow", "convergence"])
def test_curves_are_the_numbers(name: str) -> None:
    (line,) = DRAWN[name]().lines
    assert line.get_xydata().tolist() == [[1.0, 9.0], [2.0, 5.0], [3.0, 4.0]]


# ---- matrices


def test_curves_take_what_holds_their_numbers() -> None:
    model = KMeans(2, random_state=0).fit(X)
    drawn = plots.convergence(model).lines[0].get_ydata()
    assert list(drawn) == [step.inertia for step in model.history_]
    tried = Elbow((1, 2, 3), (9.0, 4.0, 1.0))
    line = plots.elbow(tried).lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 2, 3], [9.0, 4.0, 1.0])
    with pytest.raises(TypeError, match="elbow has no inertias; give them, or a sweep"):
        plots.elbow([1, 2, 3])


def test_centroid_images_are_the_rows() -> None:
    centers = np.random.default_rng(0).random((7, 12))
    ax = plots.centroid_images(centers, (3, 4), columns=3)
    sheet = np.asarray(ax.images[0].get_array().filled(np.nan))
    for j, center in enumerate(centers):
        top, left = j // 3 * 4, j % 3 * 5  # one pixel between two pictures
        np.testing.assert_array_equal(sheet[top : top + 3, left : left + 4].ravel(), center)
    assert np.isfinite(sheet).sum() == centers.size
    assert [text.get_text().strip() for text in ax.texts] == list("0123456")


def test_centroid_images_need_the_right_shape() -> None:
    message = r"centers has shape \(6, 6\), which does not hold pictures of 2 x 2 pixels; give 4"
    with pytest.raises(ValueError, match=message):
        plots.centroid_images(np.eye(6), (2, 2))


@pytest.mark.parametrize("as_dataframe", [False, True])
def test_contingency_shows_names_and_counts(as_dataframe: bool) -> None:
    classes = ["b", "a", "b", "b"]
    matrix = metrics.contingency_matrix(classes, [5, 7, 7, 7], as_dataframe=as_dataframe)
    ax = plots.contingency(matrix)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "1", "2"]
    across, down = ax.get_xticklabels(), ax.get_yticklabels()
    names = [text.get_text() for text in (*across, *down)]
    assert names == (["5", "7", "a", "b"] if as_dataframe else ["0", "1", "0", "1"])


# ---- Lloyd's steps


def test_steps_show_every_iteration() -> None:
    trace = trace_lloyd(X, X[:3])
    t = len(trace.labels)
    axes = plots.lloyd_steps(X, trace.centers, trace.labels, most=t)
    assert axes.shape == (2, t)
    for i, (above, below) in enumerate(axes.T):
        assert above.get_title().startswith(f"iteration {i + 1}: assignment")
        *clusters, rims, old = above.collections
        drawn = [len(dots.get_offsets()) for dots in clusters]
        assert drawn == np.bincount(trace.labels[i], minlength=3).tolist()
        changed = trace.labels[i] != trace.labels[i - 1] if i else np.zeros(len(X), dtype=bool)
        np.testing.assert_array_equal(rims.get_offsets(), X[changed])
        np.testing.assert_array_equal(old.get_offsets(), trace.centers[i])
        new = below.collections[-1]
        np.testing.assert_array_equal(new.get_offsets(), trace.centers[i + 1])
        assert len(below.texts) == (trace.centers[i] != trace.centers[i + 1]).any(axis=1).sum()
    assert "converged" in axes[1, -1].get_title()
    assert "converged" not in axes[1, 0].get_title()


def test_steps_always_show_the_last_iteration() -> None:
    trace = trace_lloyd(X, X[:3])
    _, axes = plt.subplots(2, 2)
    assert plots.lloyd_steps(X, trace.centers, trace.labels, axes, most=2) is axes
    titles = [ax.get_title().partition(":")[0] for ax in axes[0]]
    assert titles == ["iteration 1", f"iteration {len(trace.labels)}"]


def test_steps_need_one_more_set_of_centres() -> None:
    with pytest.raises(ValueError, match="got 1 sets of centres and 1 of labels; give the centres"):
        plots.lloyd_steps(X, [MIDDLES], [Y])


# ---- colours, and notebooks


def simulate_deuteranopia(color: str) -> np.ndarray:
    """Return a colour as it is seen without green cones (Viénot, Brettel and Mollon, 1999)."""
    linear = np.array(mcolors.to_rgb(color)) ** 2.2
    seen = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    return np.clip(seen @ linear, 0.0, 1.0) ** (1 / 2.2)


APART = 0.15  # in units of the RGB cube


@pytest.mark.parametrize("see", [mcolors.to_rgb, simulate_deuteranopia])
def test_colours_can_be_told_apart(see: Callable[[str], Any]) -> None:
    seen = [see(color) for color in _canvas.COLORS]
    assert min(math.dist(a, b) for a, b in combinations(seen, 2)) > APART


def test_the_simulation_makes_red_and_olive_alike() -> None:
    red, olive = "#d00000", "#8a7a00"
    assert math.dist(mcolors.to_rgb(red), mcolors.to_rgb(olive)) > 3 * APART
    assert math.dist(simulate_deuteranopia(red), simulate_deuteranopia(olive)) < APART


def test_svg_is_asked_for_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    backend = ModuleType("matplotlib_inline.backend_inline")
    backend.set_matplotlib_formats = asked.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    monkeypatch.setitem(plt.rcParams, "svg.fonttype", "path")
    plots.use_svg_display()
    assert asked == []  # no notebook
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: "a shell"))
    plots.use_svg_display()
    assert asked == ["svg"]
    assert plt.rcParams["svg.fonttype"] == "none"
