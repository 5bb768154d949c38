"""Label numbers that mean something: clusters in the order of their sizes."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from omnimeans._control import QUICK, Control
from omnimeans._scaling import divided
from omnimeans._types import F64, Engine, Fit, Rows

PART = 1 << 18  # rows that are weighed at a time; Ctrl-C is answered in between


def by_size(engine: Engine, rows: Rows, fit: Fit, control: Control, owner: str) -> Fit:
    """Return the fit with its clusters numbered from the heaviest to the lightest.

    Rows that are equally near to two centres go to the lower number, so labels are found again, in
    a pass over all rows.  For that there is no time after Ctrl-C, if passes are long; then, and
    after Ctrl-C in this pass, the fit is returned as it is.
    """
    try:
        longest = max((record.seconds for record in fit.history), default=0.0)
        if control.stopped == "interrupt" and longest > QUICK:
            raise KeyboardInterrupt
        order = np.argsort(-_weights(rows, fit), kind="stable")
        if (order == np.arange(len(order))).all():
            return fit
        centers = fit.centers[order]
        engine.step(rows, divided(centers, rows.exponent))
        start = fit.start if fit.start is None or len(fit.start) != len(order) else fit.start[order]
        return replace(fit, centers=centers, labels=rows.labels.copy(), start=start)
    except control.rescued:
        warnings.warn(
            f"{owner} was interrupted: its clusters are numbered as they were found, and not by "
            "size, which takes another pass. Set raise_on_interrupt=True to get a "
            "KeyboardInterrupt instead.",
            RuntimeWarning,
            stacklevel=4,
        )
        return fit


def _weights(rows: Rows, fit: Fit) -> F64:
    """Return the weight of each cluster."""
    total = np.zeros(len(fit.centers))
    for first in range(0, rows.n, PART):
        part = slice(first, first + PART)
        weights = None if rows.weights is None else rows.weights[part]
        total += np.bincount(fit.labels[part], weights, minlength=len(total))
    return total
