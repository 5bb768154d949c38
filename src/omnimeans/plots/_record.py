"""What a picture takes from a report: wherever arrays may be given, a report may be given too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._types import F64


def is_report(given: Any) -> bool:
    """Tell a report from arrays."""
    return hasattr(given, "z_scores") and hasattr(given, "clusters")


def centers_and_names(
    given: Any,
    feature_names: Any,
    X: ArrayLike | None,
) -> tuple[F64, list[str], bool]:
    """Return centres as z-scores where these are known, names of features, and whether they are."""
    if is_report(given):
        return given.z_scores, list(given.data.feature_names), True
    centers = np.asarray(given, dtype=np.float64)
    if centers.ndim != 2:
        raise ValueError(
            f"centers has shape {centers.shape}; give one row per cluster, "
            "shape (k, d), or a report"
        )
    names = [f"feature {j}" for j in range(centers.shape[1])]
    if feature_names is not None:
        names = [str(name) for name in feature_names]
        if len(names) != centers.shape[1]:
            raise ValueError(
                f"feature_names has {len(names)} names, but the centres have {centers.shape[1]} "
                "features; give one name per feature"
            )
    if X is None:
        return centers, names, False
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != centers.shape[1]:
        raise ValueError(
            f"X has shape {rows.shape}, but the centres have {centers.shape[1]} features; give the "
            "rows that were clustered"
        )
    std = rows.std(axis=0)
    return (centers - rows.mean(axis=0)) / np.where(std > 0.0, std, 1.0), names, True
