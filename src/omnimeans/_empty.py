"""What becomes of clusters without rows, and which centres stay where they are.

The default, to give an empty cluster the farthest row, is :func:`omnimeans._fit.repair`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnimeans._types import F64, I64, Engine, Fit, Floats, Pass, Rows

POLICIES = ("farthest", "split", "drop", "error")


class EmptyClusterError(ValueError):
    """A cluster has lost all its rows, and was not to be repaired."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How centres are updated, besides by their rows.

    Parameters
    ----------
    empty : {"farthest", "split", "drop", "error"}
        What becomes of an empty cluster: it gets the row that is farthest from its centre, or a
        part of the cluster of the highest inertia, or goes, or ends the fit.
    frozen : ndarray of shape (k,), bool, or None
        Centres that never move, with or without rows.
    """

    empty: str = "farthest"
    frozen: NDArray[np.bool_] | None = None

    def lost(self, weights: F64) -> NDArray[np.bool_]:
        """Tell which clusters have no weight, and ought to have some."""
        lost: NDArray[np.bool_] = weights == 0.0
        return lost if self.frozen is None else lost & ~self.frozen


def split(engine: Engine, rows: Rows, centers: Floats, seen: Pass, empty: I64) -> tuple[Pass, int]:
    """Give each empty cluster a part of the cluster that then has the highest inertia.

    Its farthest row becomes the new centre, and takes along the rows that are nearer to it than to
    their old one, unless these are all; copies of a row stay together.
    """
    labels = rows.labels.copy()
    away = engine.distances(rows, centers, labels)
    weights = np.ones(rows.n) if rows.weights is None else rows.weights
    away[weights == 0.0] = 0.0
    filled = 0
    closed: set[int] = set()  # clusters whose rows are all alike
    while filled < len(empty):
        cost = np.bincount(labels, away * weights, minlength=len(centers))
        cost[list(closed)] = 0.0
        worst = int(np.argmax(cost))
        if cost[worst] == 0.0:
            break
        members = np.flatnonzero((labels == worst) & (weights > 0.0))
        far = int(members[np.argmax(away[members])])
        gap = engine.distances(rows, np.ascontiguousarray(rows.take(np.array([far]))))
        for movers in (members[gap[members] < away[members]], members[gap[members] == 0.0]):
            if 0 < len(movers) < len(members):
                break
        else:
            closed.add(worst)
            continue
        cluster = int(empty[filled])
        seen = engine.relabel(rows, movers, cluster)
        labels[movers], away[movers] = cluster, gap[movers]
        filled += 1
    return seen, filled


def refused(empty: I64, k: int) -> EmptyClusterError:
    """Return the error for clusters without rows."""
    return EmptyClusterError(
        f"{len(empty)} of {k} clusters have no rows (the first is number {empty[0]}), and "
        "empty_clusters='error' was asked for. Use fewer clusters or another start, or "
        "empty_clusters='farthest', 'split' or 'drop'."
    )


def dropped(fit: Fit, weights: F64 | None) -> Fit:
    """Return the fit without the centres that have no rows."""
    counted = fit.labels if weights is None else fit.labels[weights > 0.0]
    kept = np.bincount(counted, minlength=len(fit.centers)) > 0
    kept[fit.labels] = True  # a row without weight keeps its nearest centre
    if kept.all():
        return fit
    numbers = (np.cumsum(kept) - 1).astype(np.int32)
    return replace(fit, centers=fit.centers[kept], labels=numbers[fit.labels])


def frozen_mask(numbers: Any, init: Any, k: int, empty: str) -> NDArray[np.bool_] | None:
    """Return which centres do not move, None if all do."""
    if numbers is None:
        return None
    if isinstance(init, str) or callable(init):
        raise ValueError(
            "frozen names centres of init that do not move, so init must be an array of centres; "
            f"got init={init!r}."
        )
    if empty == "drop":
        raise ValueError(
            "empty_clusters='drop' renumbers the centres, so none can be frozen. Use another "
            "empty_clusters, or frozen=None."
        )
    found = np.asarray(numbers)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ValueError(f"frozen must be a list of numbers of centres in init; got {numbers!r}.")
    if found.size and not 0 <= found.min() <= found.max() < len(init):
        raise ValueError(
            f"frozen holds {found.min()} to {found.max()}, but init has {len(init)} centres, "
            f"numbered from 0 to {len(init) - 1}."
        )
    mask = np.zeros(k, dtype=np.bool_)
    mask[found] = True
    return mask
