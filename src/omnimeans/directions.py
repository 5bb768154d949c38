"""Rows scaled to unit length: what the cosine metric compares.

The definition, in plain NumPy: the squared length is summed like every distance (float64, term f in
lane f mod 8, lanes paired up), a row is divided by its root and rounded once.  A row whose squared
length is one as nearly as its type can say stays as it is, so that scaling twice changes nothing:
``unit_rows(unit_rows(X)) == unit_rows(X)``, bit for bit.  The compiled core has the same function.
"""

from __future__ import annotations

import numpy as np

from omnimeans._types import F64, I64, Floats

BLOCK = 4096  # rows
SMALL, LARGE, STEP = 2.0**-500, 2.0**500, 2.0**600  # beyond them, squares could leave float64


def unit_rows(X: Floats, n_threads: int = 1) -> tuple[Floats, I64]:
    """Return the rows divided by their lengths, and the numbers of those without a direction.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64
        Finite rows.
    n_threads : int, default=1
        For the compiled core's sake, whose function takes the place of this one.

    Returns
    -------
    unit : ndarray of shape (n, d)
        Rows of length one, of the type of `X`; a row of zeros stays zero.
    blank : ndarray of shape (b,), int64
        Numbers of the rows of zeros, in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from omnimeans.directions import unit_rows
    >>> unit, blank = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]]))
    >>> unit.tolist(), blank.tolist()
    ([[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]], [1])
    """
    unit = np.array(X, order="C")
    tolerance = 4.0 * float(np.finfo(X.dtype).eps) + (X.shape[1] + 64) * 2.0**-54
    blank = []
    for start in range(0, len(X), BLOCK):
        part = X[start : start + BLOCK].astype(np.float64)
        peak = np.abs(part).max(axis=1)
        scale = np.where(peak < SMALL, STEP, np.where(peak > LARGE, 1 / STEP, 1.0))
        part *= scale[:, None]
        squared = lane_sum(part * part)
        change = (peak > 0.0) & ((scale != 1.0) | (np.abs(squared - 1.0) > tolerance))
        unit[start : start + BLOCK][change] = part[change] / np.sqrt(squared[change])[:, None]
        blank.append(start + np.flatnonzero(peak == 0.0))
    return unit, np.concatenate(blank)


def lane_sum(terms: F64) -> F64:
    """Return the sums over the last axis in the order that every distance is summed in."""
    lanes = np.zeros((*terms.shape[:-1], 8))
    for start in range(0, terms.shape[-1], 8):
        part = terms[..., start : start + 8]
        lanes[..., : part.shape[-1]] += part
    a, b, c, d, e, f, g, h = np.moveaxis(lanes, -1, 0)
    total: F64 = ((a + e) + (c + g)) + ((b + f) + (d + h))
    return total
