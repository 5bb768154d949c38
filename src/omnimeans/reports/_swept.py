"""A sweep over the number of clusters, whoever made it, as a report shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans.reports.records import Swept

SCORES = {  # the columns of a sweep that are drawn, and what they are called
    "inertia": "inertia",
    "explained_variance": "explained variance",
    "silhouette": "silhouette",
    "simplified_silhouette": "simplified silhouette",
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin (lower is better)",
    "bic": "BIC (lower is better)",
    "gap": "gap statistic",
    "stability": "stability",
}
ERRORS = {"gap": "gap_error"}


def swept(sweep: Any) -> Swept | None:
    """Return the curves of a sweep, or of the elbow method."""
    if sweep is None:
        return None
    if not hasattr(sweep, "ks"):
        raise TypeError(
            f"sweep is a {type(sweep).__name__}, which has no numbers of clusters; give what "
            "omnimeans.sweep or omnimeans.elbow_method returns"
        )
    columns = sweep.columns() if hasattr(sweep, "columns") else {"inertia": sweep.inertias}
    found = {key: _values(columns[key]) for key in SCORES if key in columns}
    drawn = {key: values for key, values in found.items() if any(v is not None for v in values)}
    verdict = getattr(sweep, "verdict", None)
    return Swept(
        ks=tuple(int(k) for k in sweep.ks),
        scores={SCORES[key]: values for key, values in drawn.items()},
        errors={SCORES[key]: _values(columns[ERRORS[key]]) for key in drawn if key in ERRORS},
        verdict=None if verdict is None else str(verdict),
        best_k=getattr(verdict, "k", None),
    )


def _values(values: Any) -> tuple[float | None, ...]:
    return tuple(float(v) if v is not None and np.isfinite(v) else None for v in values)
