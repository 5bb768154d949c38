"""Rows in the plane, with and without their clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from omnimeans._types import F64
from omnimeans.plots._canvas import (
    CENTER,
    COLORS,
    MARKERS,
    QUIET,
    as_labels,
    as_plane,
    marker_size,
    open_axes,
    sample,
    scatter,
)
from omnimeans.plots._record import is_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 10  # clusters that a legend has room for
MOST_NUMBERED = 200  # clusters that have room for their numbers


def points(X: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the rows of a matrix with two columns.

    Parameters
    ----------
    X : array-like of shape (n, 2)
        The rows.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If `X` does not have two columns.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.points([[0, 0], [1, 2]]).get_title()
    '2 points'
    """
    plane = as_plane(X)
    ax = open_axes(ax)
    scatter(ax, plane[sample(len(plane))], s=marker_size(len(plane)), color=QUIET)
    ax.set_title(f"{len(plane):,} points")
    return ax


def clusters(
    X: Any,
    labels: ArrayLike | None = None,
    centers: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rows by cluster, and the centres as red crosses.

    Clusters differ by colour and marker, 42 of them; more than 10 have their numbers at the
    centres, and no legend.

    Parameters
    ----------
    X : array-like of shape (n, 2), or Report
        The rows.  A report brings labels and centres along, and a projection of more features.
    labels : array-like of shape (n,)
        Cluster of each row.
    centers : array-like of shape (k, 2)
        Centre of each cluster.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If `X` or `centers` does not have two columns, or there is not one label per row.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.clusters([[0, 0], [0, 1], [5, 5]], [0, 0, 1], [[0, 0.5], [5, 5]]).get_title()
    '2 clusters'
    """
    ax = open_axes(ax)
    if is_report(X):
        ax.set(xlabel=X.view.axes[0], ylabel=X.view.axes[1])
        X, labels, centers = X.view.points, X.view.labels, X.view.centers
    if labels is None or centers is None:
        raise ValueError("labels and centers are missing; give both, or a report instead of X")
    plane, middles = as_plane(X), as_plane(centers, "centers")
    draw_clusters(ax, plane, as_labels(labels, len(plane)), len(middles))
    scatter(ax, middles, s=110, label="centres", **CENTER)
    if len(middles) <= MOST_NAMED:
        ax.legend()
    elif len(middles) <= MOST_NUMBERED:
        for j, place in enumerate(middles):
            ax.annotate(str(j), place, xytext=(0, 6), textcoords="offset points", ha="center")
    ax.set_title(f"{len(middles)} clusters")
    return ax


def draw_clusters(ax: Axes, plane: F64, labels: NDArray[Any], k: int, alpha: float = 1.0) -> None:
    """Draw the rows of each of `k` clusters in its colour and marker."""
    shown = sample(len(plane))
    for j in range(k):
        mine = plane[shown][labels[shown] == j]
        scatter(
            ax,
            mine,
            s=marker_size(len(plane)),
            color=COLORS[j % len(COLORS)],
            marker=MARKERS[j % len(MARKERS)],
            alpha=alpha,
            linewidths=0,
            label=f"cluster {j}",
        )
