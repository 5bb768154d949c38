"""What the pictures share: axes, palette, and checks of what is drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans._optional import need
from omnimeans._palette import COLORS as COLORS
from omnimeans._types import F64

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "p", "*")  # with the colours: 42 looks
QUIET = "0.6"  # grey: rows without a cluster, and whatever stands in the background
CENTER: dict[str, Any] = {
    "marker": "X",
    "c": "red",
    "edgecolors": "white",
    "linewidths": 1.2,
    "zorder": 3,
}
MOST_ROWS = 20_000  # of a larger matrix only every n/20,000th row is drawn


def open_axes(ax: Axes | None) -> Axes:
    """Return the given axes, or those of a new figure."""
    if ax is not None:
        return ax
    new: Axes = need("matplotlib.pyplot", extra="plot").subplots(layout="constrained")[1]
    return new


def scatter(ax: Axes, plane: F64, **style: Any) -> None:
    """Put a marker at each row."""
    ax.scatter(plane[:, 0], plane[:, 1], **style)


def as_plane(X: ArrayLike, name: str = "X") -> F64:
    """Return the rows of a matrix that has two columns, or say how to get there."""
    plane = np.asarray(X, dtype=np.float64)
    if plane.ndim != 2 or plane.shape[1] != 2:
        raise ValueError(
            f"{name} has shape {plane.shape}, but a plane has two columns; "
            f"give two of them, such as {name}[:, :2], or project the data first (PCA)"
        )
    return plane


def as_labels(labels: ArrayLike, n: int) -> NDArray[Any]:
    """Return one label for each of `n` rows."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ValueError(f"labels has shape {array.shape}; give one label per row, shape ({n},)")
    return array


def sample(n: int) -> slice:
    """Return every row, or evenly spaced ones where there are too many to draw."""
    return slice(None, None, math.ceil(n / MOST_ROWS))


def marker_size(n: int) -> float:
    """Return the area of a marker, so that many rows do not melt into one spot."""
    return float(np.clip(6000 / n, 3, 45))


def whole_numbers(ax: Axes) -> None:
    """Put ticks at whole numbers only."""
    ax.xaxis.set_major_locator(need("matplotlib.ticker", extra="plot").MaxNLocator(integer=True))
