"""The elbow method: the inertia over the number of clusters, as a curve that never rises."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from omnimeans import plots
from omnimeans.estimators import KMeans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

logger = logging.getLogger(__name__)


class Elbow(NamedTuple):
    """The inertia for each number of clusters."""

    ks: tuple[int, ...]
    inertias: tuple[float, ...]


def elbow_method(
    X: Any,
    min_clusters: int = 1,
    max_clusters: int = 10,
    *,
    num_starts: int = 3,
    metric: str = "euclidean",
    max_iter: int = 300,
    random_state: Any = 0,
    ax: Axes | None = None,
) -> Elbow:
    """Cluster with one number of clusters after the other, and draw the inertia over it.

    Besides its k-means++ starts, each number of clusters starts once from the best centres for the
    number before and the row farthest from them.  One more centre cannot be worse there, and
    Lloyd's iterations only improve, so the curve never rises.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    min_clusters : int, default=1
        First number of clusters.
    max_clusters : int, default=10
        Last number of clusters.  It may exceed the number of distinct rows; the inertia is 0 there.
    num_starts : int, default=3
        k-means++ starts for each number of clusters.
    metric : {"euclidean", "manhattan"}, default="euclidean"
        How rows and centres are compared.
    max_iter : int, default=300
        Most iterations of a start.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the starts.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Elbow
        The numbers of clusters and their inertias: ``ks, inertias = elbow_method(X)``.

    Raises
    ------
    ValueError
        If the range of clusters is empty, or the data cannot be used.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    One line per number of clusters goes to the log, at level INFO; a program that has not set up
    logging sees it on the standard error stream.

    A bend in the curve is a hint, not a proof: the curve bends for data without clusters too.

    Examples
    --------
    >>> from omnimeans import elbow_method
    >>> elbow_method([[0.0], [1.0], [9.0], [10.0]], max_clusters=3).inertias
    (82.0, 1.0, 0.5)
    """
    with _heard(logger):
        elbow = elbow_curve(
            X,
            min_clusters,
            max_clusters,
            num_starts=num_starts,
            metric=metric,
            max_iter=max_iter,
            random_state=random_state,
        )
    plots.elbow(*elbow, ax=ax)
    return elbow


def elbow_curve(
    X: Any,
    min_clusters: int = 1,
    max_clusters: int = 10,
    *,
    num_starts: int = 3,
    metric: str = "euclidean",
    max_iter: int = 300,
    random_state: Any = 0,
) -> Elbow:
    """Return the inertia for one number of clusters after the other; the numbers never rise.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    min_clusters, max_clusters, num_starts, metric, max_iter, random_state
        As in `elbow_method`, which draws the curve too.

    Returns
    -------
    Elbow
        The numbers of clusters and their inertias.

    Raises
    ------
    ValueError
        If the range of clusters is empty, or the data cannot be used.

    Examples
    --------
    >>> from omnimeans.lloyd import elbow_curve
    >>> elbow_curve([[0.0], [1.0], [9.0], [10.0]], max_clusters=3).inertias
    (82.0, 1.0, 0.5)
    """
    if not 1 <= min_clusters <= max_clusters:
        raise ValueError(
            f"min_clusters={min_clusters} and max_clusters={max_clusters} make no range; "
            "use 1 <= min_clusters <= max_clusters"
        )
    ks = range(min_clusters, max_clusters + 1)
    shared: dict[str, Any] = {"metric": metric, "max_iter": max_iter, "tol": 0.0}
    best: KMeans | None = None
    inertias: list[float] = []
    for k in ks:
        logger.info("Running KMeans with %d clusters", k)
        if best is None or best.inertia_ > 0.0:  # at 0, one more centre changes nothing
            fits = [KMeans(k, n_init=num_starts, random_state=random_state, **shared).fit(X)]
            if best is not None:
                fits.append(KMeans(k, init=_one_more(best, X), n_init=1, **shared).fit(X))
            best = min(fits, key=lambda fit: fit.inertia_)
        inertias.append(best.inertia_)
    return Elbow(tuple(ks), tuple(inertias))


def _one_more(model: KMeans, X: Any) -> Any:
    """Return a model's centres, and the row that is farthest from them."""
    farthest = model.transform(X).min(axis=1).argmax()
    return np.vstack([model.cluster_centers_, np.asarray(X)[farthest]])


@contextmanager
def _heard(logger: logging.Logger) -> Iterator[None]:
    """Print the lines of a logger where the program has not set up any logging."""
    if logger.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
