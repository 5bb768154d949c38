"""A sweep over the number of clusters, whoever made it, as a report shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans.reports.records import Swept


def swept(sweep: Any) -> Swept | None:
    """Return the curves of a sweep, or of the elbow method."""
    if sweep is None:
        return None
    if not hasattr(sweep, "ks"):
        raise TypeError(
            f"sweep is a {type(sweep).__name__}, which has no numbers of clusters; give what "
            "omnimeans.elbow_method returns"
        )
    return Swept(
        ks=tuple(int(k) for k in sweep.ks),
        scores={"inertia": _values(sweep.inertias)},
        errors={},
        verdict=None,
        best_k=None,
    )


def _values(values: Any) -> tuple[float | None, ...]:
    return tuple(float(v) if v is not None and np.isfinite(v) else None for v in values)
