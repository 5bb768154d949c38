"""How large the clusters are, and how well each row fits into its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans._types import F64
from omnimeans.metrics import silhouette_samples
from omnimeans.plots._canvas import COLORS, QUIET, as_labels, open_axes
from omnimeans.plots._record import is_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo")
MOST_SILHOUETTES = 4000  # of a larger matrix, every n/4000th row is taken


def sizes(labels: Any, ax: Axes | None = None) -> Axes:
    """Draw the number of rows in each cluster.

    Parameters
    ----------
    labels : array-like of shape (n,), or Report
        Cluster of each row.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is not one label per row.

    Examples
    --------
    >>> from omnimeans import plots
    >>> [bar.get_height() for bar in plots.sizes([0, 0, 1]).patches]
    [np.int64(2), np.int64(1)]
    """
    if is_report(labels):
        counts = np.array([cluster.size for cluster in labels.clusters])
        names = np.array([cluster.label for cluster in labels.clusters])
    else:
        given = np.asarray(labels)
        names, counts = np.unique(as_labels(given, len(np.atleast_1d(given))), return_counts=True)
    ax = open_axes(ax)
    places = np.arange(len(counts))
    bars = ax.bar(places, counts, color=[COLORS[j % len(COLORS)] for j in places])
    for j, bar in enumerate(bars):
        bar.set(hatch=HATCHES[(j // len(COLORS)) % len(HATCHES)], edgecolor="white")
    if len(counts) <= 15:
        ax.bar_label(bars, [f"{count:,}" for count in counts], fontsize="small")
    step = -(-len(counts) // 20)
    ax.set_xticks(places[::step], [str(name) for name in names[::step]])
    ax.set(xlabel="cluster", ylabel="rows", title="Cluster sizes")
    return ax


def silhouette(
    X: Any,
    labels: ArrayLike | None = None,
    *,
    metric: str = "euclidean",
    ax: Axes | None = None,
) -> Axes:
    """Draw the silhouette of each row, sorted within its cluster; a line marks their mean.

    Of more than 4,000 rows, evenly spaced ones are compared among themselves.

    Parameters
    ----------
    X : array-like of shape (n, d), or Report
        The rows.  A report has its silhouettes already.
    labels : array-like of shape (n,)
        Cluster of each row; not for a report.
    metric : str, default="euclidean"
        Distance of rows; not for a report.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is not one label per row, or there are not at least two clusters.

    References
    ----------
    P. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis", Journal of Computational and Applied Mathematics 20 (1987).

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.silhouette([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]).get_title()
    'Silhouettes, mean 0.89'
    """
    if is_report(X):
        found = X.silhouette
        values, label = found.values, found.labels
        if found.mean is None:
            raise ValueError("this report has no silhouettes: they need at least two clusters")
    else:
        values, label = _silhouettes(X, labels, metric)
    ax = open_axes(ax)
    _draw(ax, values, label)
    mean = float(values.mean())
    ax.axvline(mean, color="black", linestyle="--", linewidth=1)
    ax.set(xlabel="silhouette", ylabel="cluster", title=f"Silhouettes, mean {mean:.2f}")
    ax.invert_yaxis()
    return ax


def _silhouettes(X: Any, labels: ArrayLike | None, metric: str) -> tuple[F64, NDArray[Any]]:
    rows = np.asarray(X)
    if labels is None:
        raise ValueError("labels is missing; give one label per row, or a report instead of X")
    label = as_labels(labels, len(rows))
    shown = slice(None, None, -(-len(rows) // MOST_SILHOUETTES))
    rows, label = rows[shown], label[shown]
    found = len(np.unique(label))
    if not 1 < found < len(rows):
        raise ValueError(
            f"silhouettes need 2 to n - 1 clusters, but there are {found} clusters in {len(rows)} "
            "rows; give a clustering that groups some rows and separates others"
        )
    values: F64 = silhouette_samples(rows, label, metric=metric)
    return values, label


def _draw(ax: Axes, values: F64, labels: NDArray[Any]) -> None:
    top, ticks, names = 0, [], np.unique(labels)
    gap = max(1, len(values) // 100)
    for j, name in enumerate(names):
        mine = np.sort(values[labels == name])[::-1]
        places = np.arange(top, top + len(mine))
        color = COLORS[j % len(COLORS)]
        ax.barh(places, mine, height=1.0, color=color, linewidth=0, label=f"cluster {name}")
        ticks.append(top + len(mine) / 2)
        top += len(mine) + gap
    step = -(-len(names) // 25)
    ax.set_yticks(ticks[::step], [str(name) for name in names[::step]])
    ax.axvline(0.0, color=QUIET, linewidth=0.8)
