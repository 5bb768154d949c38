"""The knee of a falling curve: the point that hangs lowest below the line between its ends.

V. Satopää, J. Albrecht, D. Irwin and B. Raghavan, "Finding a 'Kneedle' in a haystack", ICDCS
Workshops 2011.  A curve of inertias bends for data without clusters too: a knee is no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def knee(x: Sequence[float], y: Sequence[float]) -> int | None:
    """Return the position of the knee of a falling, convex curve, or None if it has none.

    Parameters
    ----------
    x : sequence of float
        Rising, such as numbers of clusters.
    y : sequence of float
        The curve, such as inertias.

    Returns
    -------
    int or None
        Position in `x`, never the first or the last; None where no point lies below the line
        between the ends, or there are fewer than three.

    References
    ----------
    V. Satopää et al., ICDCS Workshops 2011.

    Examples
    --------
    >>> from omnimeans.selection import knee
    >>> knee([1, 2, 3, 4, 5], [100.0, 20.0, 15.0, 12.0, 10.0])
    1
    >>> knee([1, 2, 3], [3.0, 2.0, 1.0]) is None
    True
    """
    across, down = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(across) < 3 or not down[0] > down[-1]:
        return None
    across = (across - across[0]) / (across[-1] - across[0])
    down = (down - down[-1]) / (down[0] - down[-1])
    below = 1.0 - across - down
    best = int(np.argmax(below))
    return best if below[best] > 1e-9 else None
