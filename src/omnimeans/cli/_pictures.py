"""The table of pictures that ``omnimeans plot`` draws, each by one function of omnimeans.plots."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from omnimeans import plots
from omnimeans._optional import need
from omnimeans._types import F64, I32, Floats
from omnimeans.cli._errors import UsageError
from omnimeans.cli._model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture can show.

    Parameters
    ----------
    model : Model
        The fitted model.
    X : ndarray of shape (n, d)
        Rows in their own units.
    labels : ndarray of shape (n,)
        Their clusters.
    classes : ndarray of shape (n,) or None
        Their known classes.
    axes : tuple of int
        Two columns to look at; empty for a projection.
    """

    model: Model
    X: Floats
    labels: I32
    classes: NDArray[Any] | None
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One kind of picture: who draws it, and what it needs beside data and model."""

    draw: Callable[[Scene, Axes], Any]
    about: str
    needs: tuple[str, ...] = ()


def _clusters(scene: Scene, ax: Axes) -> None:
    """Draw two columns, or the two directions in which the rows differ most."""
    rows, centers, names = _plane(scene)
    plots.clusters(rows, scene.labels, centers, ax)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])


def _plane(scene: Scene) -> tuple[F64, F64, Sequence[str]]:
    names, d = scene.model.names, scene.X.shape[1]
    axes = scene.axes or ((0, 1) if d == 2 else ())
    if axes:
        two = list(axes)
        rows, centers = scene.X[:, two].astype(np.float64), scene.model.centers[:, two]
        return rows, centers, [names[j] for j in two]
    if d == 1:
        own = scene.X[:, 0].astype(np.float64)
        centers = scene.model.centers
        flat = np.column_stack([centers[:, 0], np.arange(len(centers))])
        return np.column_stack([own, scene.labels]), flat, [names[0], "cluster"]
    from sklearn.decomposition import PCA

    scaled = scene.model.scaling.apply(scene.X)
    pca = PCA(2, svd_solver="covariance_eigh" if d < 1000 else "randomized", random_state=0)
    rows = pca.fit_transform(scaled)
    share = pca.explained_variance_ratio_
    called = [f"component {i + 1} ({100 * share[i]:.1f} % of the variance)" for i in range(2)]
    return rows, pca.transform(scene.model.estimator.cluster_centers_), called


def _convergence(scene: Scene, ax: Axes) -> None:
    plots.convergence(scene.model.estimator.history_, ax)


def _contingency(scene: Scene, ax: Axes) -> None:
    from omnimeans.metrics import contingency_matrix

    assert scene.classes is not None
    plots.contingency(contingency_matrix(scene.classes, scene.labels, as_dataframe=True), ax)


def _regions(scene: Scene, ax: Axes) -> None:
    """Draw the regions of two columns where the model compares rows: on its scale."""
    model = scene.model
    if len(model.names) != 2:
        raise UsageError(
            f"regions are drawn in the plane, but the model has {len(model.names)} columns; fit it "
            "on two (--columns), or draw --kind clusters"
        )
    rows = model.scaling.apply(scene.X)
    centers = model.estimator.cluster_centers_
    plots.voronoi(centers, rows, scene.labels, metric=model.estimator.metric, ax=ax)
    scaled = "" if model.scaling.kind == "none" else f" ({model.scaling.kind})"
    ax.set(xlabel=model.names[0] + scaled, ylabel=model.names[1] + scaled)


def _silhouette(scene: Scene, ax: Axes) -> None:
    model = scene.model
    rows = model.scaling.apply(scene.X)
    plots.silhouette(rows, scene.labels, metric=model.estimator.metric, ax=ax)


def _sizes(scene: Scene, ax: Axes) -> None:
    plots.sizes(scene.labels, ax)


def _heatmap(scene: Scene, ax: Axes) -> None:
    plots.heatmap(scene.model.centers, scene.X, scene.model.names, ax)


def _parallel(scene: Scene, ax: Axes) -> None:
    plots.parallel(scene.model.centers, scene.X, scene.model.names, ax)


PICTURES: dict[str, Picture] = {
    "clusters": Picture(_clusters, "rows by cluster and centres, in two columns or projected"),
    "regions": Picture(_regions, "the plane by nearest centre, for two columns"),
    "silhouette": Picture(_silhouette, "how well each row sits in its cluster"),
    "sizes": Picture(_sizes, "rows in each cluster"),
    "heatmap": Picture(_heatmap, "centres against features, as z-scores"),
    "parallel": Picture(_parallel, "centres as lines over the features"),
    "convergence": Picture(_convergence, "inertia over the iterations of the fit"),
    "contingency": Picture(_contingency, "rows of each class in each cluster", ("truth",)),
}


def drawn(scene: Scene, kind: str, suffix: str, size: tuple[float, float]) -> bytes:
    """Return a picture as the bytes of a file.

    Parameters
    ----------
    scene : Scene
        What it shows.
    kind : str
        A key of `PICTURES`.
    suffix : str
        One of `FORMATS`.
    size : tuple of float
        Width and height in inches.

    Returns
    -------
    bytes
        The same picture gives the same bytes.
    """
    matplotlib = need("matplotlib", extra="plot")
    figure = need("matplotlib.figure", extra="plot").Figure(size, layout="constrained")
    PICTURES[kind].draw(scene, figure.add_subplot())
    return saved(matplotlib, figure, suffix)


def saved(matplotlib: Any, figure: Any, suffix: str) -> bytes:
    """Return a figure as the bytes of a file."""
    sink = io.BytesIO()
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with matplotlib.rc_context({"svg.hashsalt": "omnimeans"}):
        figure.savefig(sink, format=suffix[1:], dpi=150, metadata=dates.get(suffix))
    return sink.getvalue()


def check_suffix(path: Path) -> None:
    """Refuse a file whose name ends in no format of pictures."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: pictures end in {', '.join(FORMATS)}")
