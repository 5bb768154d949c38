"""Curves of the inertia: over the number of clusters, and over the iterations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans.plots._canvas import COLORS, MARKERS, open_axes, whole_numbers
from omnimeans.plots._record import is_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def elbow(ks: Any, inertias: ArrayLike | None = None, ax: Axes | None = None) -> Axes:
    """Draw the inertia over the number of clusters.

    Parameters
    ----------
    ks : array-like of shape (m,), Sweep or Elbow
        Numbers of clusters, or a record that holds them with their inertias.
    inertias : array-like of shape (m,)
        Inertia of each; left out for a record.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If there are no inertias.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.elbow([1, 2, 3], [90.0, 20.0, 15.0]).get_xlabel()
    'number of clusters'
    """
    if inertias is None:
        if not hasattr(ks, "ks"):
            raise TypeError("elbow has no inertias; give them, or a sweep in place of the ks")
        ks, inertias = ks.ks, _columns(ks)["inertia"]
    ax = open_axes(ax)
    _curve(ax, np.asarray(ks), np.asarray(inertias))
    whole_numbers(ax)
    ax.set(xlabel="number of clusters", ylabel="inertia", title="Elbow curve")
    ax.set_ylim(bottom=0)
    return ax


def sweep(tried: Any, score: str = "inertia", ax: Axes | None = None) -> Axes:
    """Draw one score of a sweep over the number of clusters, with its standard error if it has one.

    A dotted line marks the number of clusters that the sweep's verdict names, if it names one.

    Parameters
    ----------
    tried : Sweep or Elbow
        What `omnimeans.sweep` or `omnimeans.elbow_method` returns.
    score : str, default="inertia"
        A column of the sweep, such as "silhouette", "calinski_harabasz", "bic", "gap" or
        "stability".
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the sweep has no such score.

    Examples
    --------
    >>> from omnimeans import plots
    >>> from omnimeans.lloyd import Elbow
    >>> plots.sweep(Elbow((1, 2, 3), (90.0, 20.0, 15.0))).get_ylabel()
    'inertia'
    """
    columns = _columns(tried)
    scores = [name for name in columns if name != "k" and not name.endswith("_error")]
    if score not in scores:
        raise ValueError(f"the sweep has no score {score!r}; choose one of {', '.join(scores)}")
    ks, values = np.asarray(tried.ks), np.array(columns[score], dtype=np.float64)
    ax = open_axes(ax)
    _curve(ax, ks, values)
    if (errors := columns.get(f"{score}_error")) is not None:
        color = ax.lines[-1].get_color()
        bars = np.array(errors, dtype=np.float64)
        ax.errorbar(ks, values, yerr=bars, fmt="none", ecolor=color, capsize=3)
    if (best := getattr(getattr(tried, "verdict", None), "k", None)) is not None:
        ax.axvline(best, color="black", linestyle=":", linewidth=1)
    whole_numbers(ax)
    name = score.replace("_", " ")
    ax.set(xlabel="number of clusters", ylabel=name, title=f"Sweep, {name}")
    return ax


def convergence(history: Any, ax: Axes | None = None) -> Axes:
    """Draw the inertia over the iterations of a fit.

    Parameters
    ----------
    history : fitted estimator, iterable of records with an `inertia`, or Report
        Such as the `history_` of an estimator, or the estimator itself.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Examples
    --------
    >>> from omnimeans import KMeans, plots
    >>> model = KMeans(2, random_state=0).fit([[0.0], [1.0], [9.0]])
    >>> plots.convergence(model.history_).get_xlabel()
    'iteration'
    """
    if is_report(history):
        history = history.course.history
    inertias = [iteration.inertia for iteration in getattr(history, "history_", history)]
    ax = open_axes(ax)
    _curve(ax, range(1, len(inertias) + 1), inertias)
    whole_numbers(ax)
    ax.set(xlabel="iteration", ylabel="inertia of the assignment", title="Convergence")
    return ax


def _columns(tried: Any) -> dict[str, Any]:
    """Return the columns of a sweep or an elbow."""
    return tried.columns() if hasattr(tried, "columns") else {"inertia": tried.inertias}


def _curve(ax: Axes, x: Sequence[int] | NDArray[Any], y: Sequence[float] | NDArray[Any]) -> None:
    """Draw a curve; a further one on the same axes gets the next colour and marker."""
    drawn = len(ax.lines)
    color, marker = COLORS[drawn % len(COLORS)], MARKERS[drawn % len(MARKERS)]
    ax.plot(x, y, color=color, marker=marker, markersize=5)
