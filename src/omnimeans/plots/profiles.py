"""Centres beside each other: as a heat map, and as lines over parallel axes (Inselberg, 1985)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._optional import need
from omnimeans._types import F64
from omnimeans.plots._canvas import COLORS, MARKERS, open_axes
from omnimeans.plots._record import centers_and_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_WRITTEN = 150  # cells that have room for a number
ROOM = 40  # characters side by side
MOST_NAMED = 20  # lines that a legend has room for
APART = ("#0072B2", "#FFFFFF", "#D55E00")  # below, at and above the mean


def heatmap(
    centers: Any,
    X: ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the centres as a heat map: clusters down, features across.

    Parameters
    ----------
    centers : array-like of shape (k, d), or Report
        The centres.
    X : array-like of shape (n, d), optional
        The rows that were clustered: with them, and for a report, colours are z-scores, which
        compare features of any unit.  Without them, colours are the centres' own values.
    feature_names : sequence of d strings, optional
        Names of the features.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If shapes do not fit each other.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.heatmap([[0, 5], [10, 5]], feature_names=["a", "b"]).get_ylabel()
    'cluster'
    """
    values, names, scored = centers_and_names(centers, feature_names, X)
    ax = open_axes(ax)
    most = max(float(np.abs(values).max(initial=0.0)), np.finfo(float).tiny)
    colors = need("matplotlib.colors", extra="plot").LinearSegmentedColormap.from_list("", APART)
    signed = scored or values.min() < 0.0
    image = ax.imshow(
        values,
        cmap=colors if signed else "Blues",
        aspect="auto",
        vmin=-most if signed else 0.0,
        vmax=most,
    )
    if values.size <= MOST_WRITTEN:
        _write(ax, values, most, scored)
    ax.figure.colorbar(image, ax=ax, label="z-score" if scored else "value")
    _name_columns(ax, names)
    ax.set_yticks(range(len(values)))
    ax.set(ylabel="cluster", title="Centres")
    return ax


def _name_columns(ax: Axes, names: list[str]) -> None:
    """Write the names below, turned where they would run into each other."""
    turned = sum(map(len, names)) > ROOM
    ax.set_xticks(range(len(names)), names, rotation=45 if turned else 0)
    for label in ax.get_xticklabels():  # a name is no formula, whatever signs it holds
        label.set(ha="right" if turned else "center", rotation_mode="anchor", parse_math=False)


def _write(ax: Axes, values: F64, most: float, scored: bool) -> None:
    for (i, j), value in np.ndenumerate(values):
        text = f"{value:+.1f}" if scored else f"{value:.3g}"
        color = "white" if abs(value) > 0.65 * most else "black"
        ax.text(j, i, text, ha="center", va="center", fontsize="small", color=color)


def parallel(
    centers: Any,
    X: ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each centre as a line over parallel axes, one axis for each feature.

    Parameters
    ----------
    centers : array-like of shape (k, d), or Report
        The centres.
    X : array-like of shape (n, d), optional
        The rows that were clustered: with them, and for a report, heights are z-scores.
    feature_names : sequence of d strings, optional
        Names of the features.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If shapes do not fit each other.

    References
    ----------
    A. Inselberg, "The plane with parallel coordinates", The Visual Computer 1 (1985).

    Examples
    --------
    >>> from omnimeans import plots
    >>> len(plots.parallel([[0, 5, 2], [10, 5, 1]]).lines)
    2
    """
    values, names, scored = centers_and_names(centers, feature_names, X)
    ax = open_axes(ax)
    for j, row in enumerate(values):
        ax.plot(row, label=f"cluster {j}", **line_style(j))
    _name_columns(ax, names)
    ax.grid(axis="x", alpha=0.4)
    if len(values) <= MOST_NAMED:
        ax.legend(fontsize="small", ncols=1 + (len(values) - 1) // 10)
    ax.set(ylabel="z-score" if scored else "value", title=f"{len(values)} centres")
    return ax


def line_style(j: int) -> dict[str, Any]:
    """Return how the line of a cluster looks: colour, marker and dashes, different for many."""
    dashes = ("-", "--", ":", "-.")
    return {
        "color": COLORS[j % len(COLORS)],
        "marker": MARKERS[j % len(MARKERS)],
        "linestyle": dashes[(j // len(COLORS)) % len(dashes)],
        "markersize": 5,
    }
