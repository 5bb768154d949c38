"""The table of distances: how a row is compared with a centre, and which centre that asks for.

A mean minimises squared Euclidean distances, a median absolute ones, and the direction of the mean
one minus the cosine; any other pairing lets the objective rise.  ``"manhattan-mean"`` is such a
pairing: it is kept because teaching material uses it, is not offered by the estimators, and stops
when it runs in a circle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans._types import F64, Distance, Floats

DISTANCES: dict[str, Distance] = {
    row.name: row
    for row in (
        Distance("euclidean", kernel="euclidean", center="mean"),
        Distance("manhattan", kernel="manhattan", center="median"),
        Distance("cosine", kernel="cosine", center="direction"),
        Distance("manhattan-mean", kernel="manhattan", center="mean"),
    )
}


def lengths_of(
    away: F64,  # in/out: what a row and a centre are apart, as distances are summed: squared
    distance: Distance,
    dtype: Any,
) -> Floats:
    """Return distances as a user reads them, not squared, rounded to this type."""
    if distance.kernel == "euclidean":
        np.sqrt(away, out=away)
    return away.astype(dtype, copy=False)
