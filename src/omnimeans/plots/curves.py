"""Curves of the inertia: over the number of clusters, and over the iterations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans.plots._canvas import COLORS, MARKERS, open_axes, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class HasInertia(Protocol):
    """A line of a fit's history, as far as a picture needs it."""

    @property
    def inertia(self) -> float:
        """Objective of the iteration."""
        ...


def elbow(ks: ArrayLike, inertias: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the inertia over the number of clusters.

    Parameters
    ----------
    ks : array-like of shape (m,)
        Numbers of clusters.
    inertias : array-like of shape (m,)
        Inertia of each.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.elbow([1, 2, 3], [90.0, 20.0, 15.0]).get_xlabel()
    'number of clusters'
    """
    ax = open_axes(ax)
    _curve(ax, np.asarray(ks), np.asarray(inertias))
    whole_numbers(ax)
    ax.set(xlabel="number of clusters", ylabel="inertia", title="Elbow curve")
    ax.set_ylim(bottom=0)
    return ax


def convergence(history: Iterable[HasInertia], ax: Axes | None = None) -> Axes:
    """Draw the inertia over the iterations of a fit.

    Parameters
    ----------
    history : iterable of records with an `inertia`
        Such as the `history_` of a fitted estimator.
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
    inertias = [iteration.inertia for iteration in history]
    ax = open_axes(ax)
    _curve(ax, range(1, len(inertias) + 1), inertias)
    whole_numbers(ax)
    ax.set(xlabel="iteration", ylabel="inertia of the assignment", title="Convergence")
    return ax


def _curve(ax: Axes, x: Sequence[int] | NDArray[Any], y: Sequence[float] | NDArray[Any]) -> None:
    """Draw a curve; a further one on the same axes gets the next colour and marker."""
    drawn = len(ax.lines)
    color, marker = COLORS[drawn % len(COLORS)], MARKERS[drawn % len(MARKERS)]
    ax.plot(x, y, color=color, marker=marker, markersize=5)
