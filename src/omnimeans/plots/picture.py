"""A picture as it is: an array of pixels, such as a photograph painted with few colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from omnimeans.plots._canvas import open_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def picture(pixels: ArrayLike, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw a colour picture.

    Parameters
    ----------
    pixels : array-like of shape (height, width, 3)
        Red, green and blue of each pixel, from 0 to 1.
    title : str, default=""
        What to write above it.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the array does not hold three values per pixel.

    Examples
    --------
    >>> from omnimeans import plots
    >>> plots.picture([[[1, 0, 0], [0, 0, 1]]], title="red and blue").get_title()
    'red and blue'
    """
    image = np.asarray(pixels, dtype=np.float64)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"pixels has shape {image.shape}; give (height, width, 3), "
            "such as centers[labels].reshape(height, width, 3)"
        )
    ax = open_axes(ax)
    ax.imshow(image.clip(0.0, 1.0))
    ax.set_axis_off()
    ax.set_title(title)
    return ax
