"""Matrices as pictures: centres that are images, and contingency matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans.plots._canvas import COLORS, open_axes
from omnimeans.plots._record import is_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def centroid_images(
    centers: ArrayLike, shape: tuple[int, int], ax: Axes | None = None, *, columns: int = 5
) -> Axes:
    """Draw each centre as a grey picture, dark where the value is high.

    Parameters
    ----------
    centers : array-like of shape (k, height * width)
        One picture per row.
    shape : (int, int)
        Height and width of a picture, in pixels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    columns : int, default=5
        Pictures side by side.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the rows do not have ``height * width`` columns.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.centroid_images([[0, 1, 1, 0], [1, 0, 0, 1]], shape=(2, 2)).get_title()
    '2 centres'
    """
    rows = np.asarray(centers, dtype=np.float64)
    height, width = shape
    if rows.ndim != 2 or rows.shape[1] != height * width:
        raise ValueError(
            f"centers has shape {rows.shape}, which does not hold pictures of {height} x {width} "
            f"pixels; give {height * width} columns or another shape"
        )
    columns = min(columns, len(rows))
    gap = max(1, height // 8)
    sheet = np.full(
        (math.ceil(len(rows) / columns) * (height + gap), columns * (width + gap)), np.nan
    )
    ax = open_axes(ax)
    for j, row in enumerate(rows):
        top, left = (j // columns) * (height + gap), (j % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = row.reshape(shape)
        ax.text(left, top, f"{j} ", color=COLORS[0], ha="right", va="top", fontsize="small")
    ax.imshow(sheet, cmap="gray_r")
    ax.set_axis_off()
    ax.set_title(f"{len(rows)} centres")
    return ax


def contingency(matrix: Any, ax: Axes | None = None) -> Axes:
    """Draw a contingency matrix: classes down, clusters across, darker for more rows.

    Parameters
    ----------
    matrix : array-like of shape (n_classes, n_clusters), DataFrame, or Report
        As `omnimeans.metrics.contingency_matrix` returns it; a frame's names are kept.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If a report is given that knows no classes.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.contingency([[0, 2], [1, 1]]).get_title()
    'Contingency matrix'
    """
    named: tuple[Any, Any] | None = None
    if is_report(matrix):
        if matrix.agreement is None:
            raise ValueError("this report knows no classes; make it with om.report(model, X, y)")
        named = matrix.agreement.classes, matrix.agreement.clusters
        matrix = matrix.agreement.contingency
    elif hasattr(matrix, "columns"):
        named = matrix.index, matrix.columns
    counts = np.asarray(matrix)
    ax = open_axes(ax)
    ax.imshow(counts, cmap="Blues", vmin=0, aspect="auto")
    for (i, j), count in np.ndenumerate(counts):
        color = "white" if count > 0.6 * counts.max() else "black"
        ax.text(j, i, f"{count}", ha="center", va="center", color=color, fontsize="small")
    down, across = named or map(range, counts.shape)
    ax.set_xticks(range(counts.shape[1]), [str(name).removeprefix("pred=") for name in across])
    ax.set_yticks(range(counts.shape[0]), [str(name).removeprefix("true=") for name in down])
    ax.set(xlabel="cluster", ylabel="true class", title="Contingency matrix")
    return ax
