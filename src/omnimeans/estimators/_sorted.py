"""Label numbers that mean something: clusters in the order of their sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omnimeans._scaling import divided
from omnimeans._types import Engine, Fit, Rows


def by_size(engine: Engine, rows: Rows, fit: Fit) -> Fit:
    """Return the fit with its clusters numbered from the heaviest to the lightest.

    Rows that are equally near to two centres go to the lower number, so labels are found again.
    """
    weights = np.bincount(fit.labels, rows.weights, minlength=len(fit.centers))
    order = np.argsort(-weights, kind="stable")
    if (order == np.arange(len(order))).all():
        return fit
    centers = fit.centers[order]
    engine.step(rows, divided(centers, rows.exponent))
    start = fit.start if fit.start is None or len(fit.start) != len(order) else fit.start[order]
    return replace(fit, centers=centers, labels=rows.labels.copy(), start=start)
