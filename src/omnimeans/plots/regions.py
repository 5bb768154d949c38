"""Which centre is nearest where: Voronoi regions in the plane (G. Voronoi, 1908).

The regions are found by asking for the nearest centre of every pixel, so they are those of any
metric, and exactly those in which ``predict`` would put a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._optional import need
from omnimeans._types import F64, I32
from omnimeans._validate import metric as distance_named
from omnimeans.engines import open_engine
from omnimeans.plots._canvas import CENTER, COLORS, as_labels, as_plane, open_axes, scatter
from omnimeans.plots.scatter import draw_clusters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXELS = 400  # along each side
MARGIN = 0.08  # of the range of the rows, on each side


def voronoi(
    centers: ArrayLike,
    X: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    *,
    metric: str = "euclidean",
    ax: Axes | None = None,
) -> Axes:
    """Draw the region of the plane that belongs to each centre, and the rows in it.

    Parameters
    ----------
    centers : array-like of shape (k, 2)
        The centres.
    X : array-like of shape (n, 2), optional
        Rows to draw over the regions.
    labels : array-like of shape (n,), optional
        Their clusters; without them, each row takes the colour of its nearest centre.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What near means.
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

    References
    ----------
    G. Voronoi, "Nouvelles applications des paramètres continus à la théorie des formes
    quadratiques", Journal für die reine und angewandte Mathematik 134 (1908).

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.voronoi([[0, 0], [4, 0]], X=[[0, 1], [4, 1]]).get_title()
    '2 regions'
    """
    middles = as_plane(centers, "centers")
    plane = None if X is None else as_plane(X)
    distance = distance_named(metric)
    engine = open_engine("auto", None, distance)
    low, high = _frame(middles, plane)
    axes = [np.linspace(low[i], high[i], PIXELS) for i in (0, 1)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    nearest = engine.nearest(grid, middles, distance).reshape(PIXELS, PIXELS)
    ax = open_axes(ax)
    palette = need("matplotlib.colors", extra="plot").to_rgba_array(
        [COLORS[j % len(COLORS)] for j in range(len(middles))]
    )
    ax.imshow(
        palette[nearest],
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        aspect="auto",
        alpha=0.25,
    )
    _borders(ax, axes, nearest)
    if plane is not None:
        own = engine.nearest(plane, middles, distance) if labels is None else labels
        draw_clusters(ax, plane, as_labels(own, len(plane)), len(middles))
    scatter(ax, middles, s=110, **CENTER)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title=f"{len(middles)} regions")
    return ax


def _borders(ax: Axes, axes: list[F64], nearest: I32) -> None:
    """Draw a line where the nearest centre changes."""
    change = np.zeros(nearest.shape, dtype=bool)
    change[:, 1:] |= nearest[:, 1:] != nearest[:, :-1]
    change[1:] |= nearest[1:] != nearest[:-1]
    shown = np.zeros((*nearest.shape, 4))
    shown[change] = (0.0, 0.0, 0.0, 0.55)
    ax.imshow(
        shown,
        origin="lower",
        extent=(axes[0][0], axes[0][-1], axes[1][0], axes[1][-1]),
        aspect="auto",
        interpolation="nearest",
    )


def _frame(centers: F64, rows: F64 | None) -> tuple[F64, F64]:
    """Return the lower left and upper right corner."""
    seen = centers if rows is None else np.concatenate([centers, rows])
    low, high = seen.min(axis=0), seen.max(axis=0)
    room = MARGIN * np.where(high > low, high - low, 1.0)
    return low - room, high + room
