"""The clustergram: how rows regroup while the number of clusters grows.

M. Schonlau, "The clustergram: a graph for visualizing hierarchical and nonhierarchical cluster
analyses", The Stata Journal 2 (2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from omnimeans._types import F64
from omnimeans._validate import metric as distance_named
from omnimeans.engines import open_engine
from omnimeans.plots._canvas import COLORS, as_labels, open_axes, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 14.0  # points: the line of all rows


def clustergram(
    X: ArrayLike, clusterings: Mapping[int, ArrayLike] | Any, ax: Axes | None = None
) -> Axes:
    """Draw where the clusters lie for each number of clusters, and how rows pass between them.

    Each dot is a cluster, at the mean of its rows along the first principal direction; its area
    shows its size.  The width of a line shows how many rows go from one cluster to the other.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The rows.
    clusterings : dict from k to labels of shape (n,), or Sweep
        The clusterings, for example ``{k: KMeans(k).fit(X).labels_ for k in range(1, 9)}``.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there are no clusterings, or not one label per row.

    References
    ----------
    M. Schonlau, "The clustergram: a graph for visualizing hierarchical and nonhierarchical cluster
    analyses", The Stata Journal 2 (2002).

    Examples
    --------
    >>> from omnimeans import plots
    >>> X = [[0.0, 0], [1, 0], [9, 0], [10, 1]]
    >>> ax = plots.clustergram(X, {1: [0, 0, 0, 0], 2: [0, 0, 1, 1]})
    >>> len(ax.lines), len(ax.collections)
    (2, 2)
    """
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"X has shape {rows.shape}; give rows of features, shape (n, d)")
    labelled = _labels(rows, clusterings)
    scores = _main_direction(rows)
    ax = open_axes(ax)
    before: tuple[int, NDArray[Any], F64] | None = None
    for k in sorted(labelled):
        names, label = np.unique(labelled[k], return_inverse=True)
        sizes = np.bincount(label)
        heights = np.bincount(label, scores) / sizes
        if before is not None:
            _draw_flows(ax, before, (k, label, heights), len(rows))
        colors = [COLORS[j % len(COLORS)] for j in range(len(names))]
        area = 12 + 260 * sizes / len(rows)
        ax.scatter(np.full(len(names), k), heights, s=area, c=colors, edgecolors="white", zorder=3)
        before = k, label, heights
    whole_numbers(ax)
    ax.set(xlabel="number of clusters", ylabel="mean along the main direction", title="Clustergram")
    return ax


def _labels(rows: F64, clusterings: Any) -> dict[int, NDArray[Any]]:
    if hasattr(clusterings, "centers_of"):  # a sweep keeps the centres
        distance = distance_named(clusterings.metric)
        engine = open_engine("auto", None, distance)
        return {
            k: engine.nearest(rows, np.asarray(clusterings.centers_of(k), np.float64), distance)
            for k in clusterings.ks
        }
    if not clusterings:
        raise ValueError("there are no clusterings; give labels for some numbers of clusters")
    return {int(k): as_labels(labels, len(rows)) for k, labels in clusterings.items()}


def _main_direction(rows: F64) -> F64:
    if rows.shape[1] == 1 or len(rows) == 1:
        return rows[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):  # equal rows have no variance
        scores: F64 = PCA(1, svd_solver="full").fit_transform(rows)[:, 0]
    return scores


def _draw_flows(
    ax: Axes,
    before: tuple[int, NDArray[Any], F64],
    after: tuple[int, NDArray[Any], F64],
    n: int,
) -> None:
    (k, old, old_heights), (next_k, new, new_heights) = before, after
    flows = np.zeros((len(old_heights), len(new_heights)))
    np.add.at(flows, (old, new), 1)
    for i, j in np.argwhere(flows):
        width = max(0.4, WIDEST * flows[i, j] / n)
        ends = [old_heights[i], new_heights[j]]
        ax.plot([k, next_k], ends, color="0.7", linewidth=width, solid_capstyle="butt", zorder=1)
