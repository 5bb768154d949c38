"""Lloyd's iterations as small multiples: what the assignment does, and what the update does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans._optional import need
from omnimeans._types import F64
from omnimeans.plots._canvas import CENTER, QUIET, as_labels, as_plane, marker_size, sample, scatter
from omnimeans.plots.scatter import draw_clusters

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lloyd_steps(
    X: ArrayLike,
    centers: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    axes: NDArray[Any] | None = None,
    *,
    most: int = 5,
) -> NDArray[Any]:
    """Draw Lloyd's iterations side by side: above the assignment, below the update.

    Rows that change their cluster have a black rim; arrows lead from the old centres to the new.

    Parameters
    ----------
    X : array-like of shape (n, 2)
        The rows.
    centers : sequence of t + 1 arrays of shape (k, 2)
        The centres at the start and after each iteration.
    labels : sequence of t arrays of shape (n,)
        The nearest centre of each row in each iteration.
    axes : ndarray of Axes of shape (2, min(t, most)), optional
        Where to draw; a new figure without it.
    most : int, default=5
        Iterations to draw: the first ones, and always the last.

    Returns
    -------
    ndarray of Axes of shape (2, min(t, most))
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is not one more set of centres than of labels.

    Examples
    --------
    >>> from omnimeans import plots
    >>> X = [[0, 0], [0, 2], [6, 0], [6, 2]]
    >>> axes = plots.lloyd_steps(X, [[[0, 0], [0, 2]], [[3, 0], [3, 2]]], [[0, 1, 0, 1]])
    >>> axes.shape
    (2, 1)
    """
    plane, places = as_plane(X), [as_plane(c, "centers") for c in centers]
    if not labels or len(places) != len(labels) + 1:
        raise ValueError(
            f"got {len(places)} sets of centres and {len(labels)} of labels; give the centres "
            "at the start and after each iteration, and the labels of each iteration"
        )
    seen = [as_labels(label, len(plane)) for label in labels]
    chosen = [*range(min(most, len(seen)) - 1), len(seen) - 1]
    if axes is None:
        axes = _grid(len(chosen))
    for i, (above, below) in zip(chosen, axes.T, strict=True):
        moved = seen[i] != seen[i - 1] if i else np.zeros(len(plane), dtype=bool)
        _draw_assignment(above, plane, seen[i], places[i], moved)
        above.set_title(f"iteration {i + 1}: assignment\n{_moved(i, moved)}", fontsize="medium")
        _draw_update(below, plane, seen[i], places[i], places[i + 1])
        still = np.array_equal(places[i], places[i + 1])
        news = "no centre moves: converged" if still else "centres move to the middle"
        below.set_title(f"iteration {i + 1}: update\n{news}", fontsize="medium")
    return axes


def _grid(columns: int) -> NDArray[Any]:
    grid: NDArray[Any] = need("matplotlib.pyplot", extra="plot").subplots(
        2,
        columns,
        figsize=(2.9 * columns, 5.8),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )[1]
    return grid


def _draw_assignment(
    ax: Axes, plane: F64, labels: NDArray[Any], centers: F64, moved: NDArray[np.bool_]
) -> None:
    draw_clusters(ax, plane, labels, len(centers))
    shown = sample(len(plane))
    size = 2.5 * marker_size(len(plane))
    scatter(
        ax,
        plane[shown][moved[shown]],
        s=size,
        facecolors="none",
        edgecolors="black",
        linewidths=0.8,
    )
    scatter(ax, centers, s=90, **CENTER)


def _draw_update(ax: Axes, plane: F64, labels: NDArray[Any], old: F64, new: F64) -> None:
    draw_clusters(ax, plane, labels, len(new), alpha=0.35)
    scatter(ax, old, s=45, marker="X", color=QUIET, zorder=2)
    for a, b in zip(old, new, strict=True):
        if not np.array_equal(a, b):
            ax.annotate("", xy=b, xytext=a, arrowprops={"arrowstyle": "->", "shrinkB": 5})
    scatter(ax, new, s=90, **CENTER)


def _moved(iteration: int, moved: NDArray[np.bool_]) -> str:
    if iteration == 0:
        return "each row to its nearest centre"
    count = int(np.count_nonzero(moved))
    return {0: "no row changes", 1: "1 row changes"}.get(count, f"{count:,} rows change")
