"""Draw the pictures of the README and the guide into docs/images: ``python docs/make_pictures.py``.

Each is a function that returns a figure; what it shows is computed here and now, by the library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_iris, make_blobs, make_moons

import omnimeans as om
from omnimeans.lloyd import trace_lloyd

FOLDER = Path(__file__).parent / "images"
DOTS = 144  # for an inch


def clusters() -> Figure:
    """Lloyd's algorithm from a poor start to its end: the picture of the README."""
    places = [[0, 0], [6, 1], [2, 6], [9, 7], [4, -5]]
    X, _ = make_blobs(500, centers=places, cluster_std=1.1, random_state=0)
    trace = trace_lloyd(X, start=X[np.argsort(X[:, 0])[:5]])
    shown = {"the start": 0, "after 2 iterations": 2, "the end": len(trace.inertias) - 1}
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.9), layout="constrained")
    for ax, (title, t) in zip(axes, shown.items(), strict=True):
        om.plots.voronoi(trace.centers[t], X, trace.labels[t], ax=ax)
        ax.set_title(f"{title}: inertia {trace.inertias[t]:,.0f}", fontsize=10)
        bare(ax)
    return figure


def lloyd_steps() -> Figure:
    """Every assignment and every update of one run, as in the notebook."""
    X, groups = make_blobs(60, centers=3, cluster_std=1.5, random_state=23)
    trace = trace_lloyd(X, start=X[groups == 0][:3])
    axes = om.plots.lloyd_steps(X, trace.centers, trace.labels)
    return axes.flat[0].figure


def two_optima() -> Figure:
    """Six points, the good optimum beside the bad one."""
    X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.6), layout="constrained")
    starts = ([[1, 2], [10, 2]], [[1, 4], [1, 2]])
    for ax, start in zip(axes, starts, strict=True):
        model = om.KMeans(2, init=np.array(start, float), n_init=1).fit(X)
        om.plots.clusters(X, model.labels_, model.cluster_centers_, ax)
        ax.set(title=f"inertia {model.inertia_}", xlabel="", ylabel="")
        ax.margins(0.2)
        ax.get_legend().remove()
    return figure


def hard_shapes() -> Figure:
    """Three shapes that k-means does not see as a reader would."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 400)
    rings = np.column_stack([np.cos(angle), np.sin(angle)]) * np.repeat([1, 3], 200)[:, None]
    stretched, _ = make_blobs(400, centers=[[0, 0], [0, 6]], random_state=0)
    shapes = {
        "rings": rings + rng.normal(0, 0.12, rings.shape),
        "half-moons": make_moons(400, noise=0.07, random_state=0)[0],
        "stretched": stretched * [6, 1],
    }
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.8), layout="constrained")
    for ax, (name, X) in zip(axes, shapes.items(), strict=True):
        model = om.KMeans(2, n_init=10, random_state=0).fit(X)
        om.plots.clusters(X, model.labels_, model.cluster_centers_, ax)
        bare(ax)
        ax.set_title(name)
    return figure


def metrics() -> Figure:
    """The regions of the same three centres by each of the metrics."""
    X, _ = make_blobs(300, centers=[[4, 1], [1, 4], [4, 4]], cluster_std=0.7, random_state=3)
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.0), layout="constrained")
    for ax, metric in zip(axes, ("euclidean", "manhattan", "cosine"), strict=True):
        model = om.KMeans(3, metric=metric, random_state=0).fit(X)
        centers = model.cluster_centers_ * (4.5 if metric == "cosine" else 1)
        om.plots.voronoi(centers, X, model.labels_, metric=metric, ax=ax)
        bare(ax)
        ax.set_title(metric)
    return figure


def sweep() -> Figure:
    """Two curves of a sweep over six blobs."""
    X, _ = make_blobs(1000, centers=6, cluster_std=0.8, random_state=7)
    tried = om.sweep(X, range(1, 13), random_state=0)
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.8), layout="constrained")
    for ax, score in zip(axes, ("inertia", "silhouette", "gap"), strict=True):
        om.plots.sweep(tried, score, ax=ax)
    return figure


def reading() -> Figure:
    """Two pictures of a report on Iris."""
    iris = load_iris(as_frame=True)
    model = om.KMeans(3, random_state=0).fit(iris.data)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
    om.plots.heatmap(om.report(model, iris.data), ax=axes[0])
    om.plots.silhouette(iris.data, model.labels_, ax=axes[1])
    return figure


def bare(ax: plt.Axes) -> None:
    """Leave the points and take away all that is beside them."""
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    if legend := ax.get_legend():
        legend.remove()


PICTURES: dict[str, Callable[[], Figure]] = {
    "clusters": clusters,
    "lloyd-steps": lloyd_steps,
    "two-optima": two_optima,
    "hard-shapes": hard_shapes,
    "metrics": metrics,
    "sweep": sweep,
    "reading": reading,
}


def make(folder: Path = FOLDER, names: tuple[str, ...] = tuple(PICTURES)) -> list[Path]:
    """Draw these pictures, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in names:
        files.append(folder / f"{name}.png")
        PICTURES[name]().savefig(files[-1], dpi=DOTS, pil_kwargs={"optimize": True})
        plt.close("all")
    return files


if __name__ == "__main__":
    for file in make(names=tuple(sys.argv[1:]) or tuple(PICTURES)):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")
