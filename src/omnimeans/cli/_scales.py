"""The scale of the columns: found, checked, and warned of where one column decides alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import typer

from omnimeans.scaling import SCALES, Scaling, find_scaling

if TYPE_CHECKING:
    from omnimeans.cli._talk import Talk
    from omnimeans.tables import Features

DOMINATES = 0.99  # share of the variance that leaves the other columns no say


def check_scale(kind: str) -> None:
    """Refuse a scale that is not offered."""
    if kind not in SCALES:
        raise typer.BadParameter(f"{kind!r} is not {', '.join(SCALES)}", param_hint="--scale")


def find(kind: str, found: Features, threads: int | None) -> Scaling:
    """Return how these rows are scaled."""
    from omnimeans.engines import open_engine

    check_scale(kind)
    return find_scaling(kind, found.X, found.weights, open_engine("auto", threads))


def warn_of_scales(found: Features, scaling: Scaling, talk: Talk) -> None:
    """Warn where one column has almost all of the variance, and so decides alone."""
    if scaling.kind != "none" or found.X.shape[1] < 2:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        variance = np.nanvar(found.X, axis=0, dtype=np.float64)
        share = variance / variance.sum()
    if not np.isfinite(share).all():
        return
    top = int(np.argmax(share))
    rest = float(np.delete(variance, top).max())
    if share[top] > DOMINATES and rest > 0:
        times = np.sqrt(variance[top] / rest)
        talk.warn(
            f"column {found.names[top]!r} spreads {times:,.0f} times as wide as any other and has "
            f"{100 * share[top]:.2f} % of the variance, so that it decides almost alone; --scale "
            "standard gives every column the same say"
        )
