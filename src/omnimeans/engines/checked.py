"""Any engine, watched: the debug switch ``OMNIMEANS_DEBUG=1``.

After every pass each label is found again by D, from all distances, and each sum is taken again
from all rows.  Engines promise the same answer as this slow way; where one breaks it, the fit stops
with a :class:`Disagreement` that names the row.  :data:`CHECKS` is the list of what is looked at;
an engine that keeps more about its rows than their labels, such as bounds, adds a look at it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from omnimeans._types import I32, Distance, Engine, Floats, Pass, Rows
from omnimeans.engines.reference import words

BLOCK = 1 << 21  # distances held at a time


class Disagreement(RuntimeError):
    """A fast path gave another answer than the definition: a fault in omnimeans."""


# (engine, rows, centers, distances of all rows in a block to all centres, number of its first row)
# -> what is wrong with the block, or None
Check = Callable[[Engine, Any, Floats, Any, int], str | None]


def labels_by_definition(
    engine: Engine, rows: Any, centers: Floats, away: Any, first: int
) -> str | None:
    """Find the block's labels again: the lowest centre at the smallest distance."""
    return _difference(rows.labels[first : first + len(away)], away, rows.first + first)


def bounds_by_definition(
    engine: Engine, rows: Any, centers: Floats, away: Any, first: int
) -> str | None:
    """Find out whether the bounds that a pass keeps hold for the block's distances."""
    core = getattr(rows, "core", None)
    if core is None or not hasattr(core, "bounds"):
        return None
    if not len(core.sums()):  # no pass yet, as in a block read anew
        return None
    bounds = core.bounds()
    if bounds is None:
        return None
    block = slice(first, first + len(away))
    lower, upper = bounds[:, block]
    others = np.array(away)
    at = np.arange(len(others)), rows.labels[block]
    own = others[at].copy()
    others[at] = np.inf
    least = others.min(axis=1)
    if rows.distance.kernel == "euclidean":
        own, least = np.sqrt(own), np.sqrt(least)
    broken = (lower > least) | (upper < own)
    if not broken.any():
        return None
    i = int(np.argmax(broken))
    return (
        f"row {rows.first + first + i} lies {own[i]!r} from its centre and {least[i]!r} from the "
        f"next, but its bounds are {upper[i]!r} and {lower[i]!r}"
    )


CHECKS: list[Check] = [labels_by_definition, bounds_by_definition]


class CheckedEngine:
    """Hands every verb on, and looks at what came of it."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def step(self, rows: Rows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre, and find labels and sums again."""
        seen = self.inner.step(rows, centers)
        _raise(self.inner.each(rows, _look_at_blocks, centers))
        parts = self.inner.each(rows, _sums_by_definition, len(centers))
        if all(part is not None for part in parts) and not np.array_equal(sum(parts), seen.sums):
            cluster = int(np.argmax((np.asarray(sum(parts)) != seen.sums).any(axis=(1, 2))))
            _raise([f"the sums of cluster {cluster} are not those of its rows"])
        return seen

    def course(self, *given: Any) -> None:
        """Leave the loop to :mod:`omnimeans._fit`, so that every pass is looked at."""

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed, found twice."""
        labels = self.inner.nearest(X, centers, distance)
        size = max(1, BLOCK // len(centers))
        for first in range(0, X.shape[0], size):
            away = self.inner.all_pairs(X[first : first + size], centers, distance)
            _raise([_difference(labels[first : first + size], away, first)])
        return labels


def checked(engine: Engine) -> Engine:
    """Return the engine with its passes checked."""
    return cast(Engine, CheckedEngine(engine))


def _look_at_blocks(engine: Engine, rows: Any, centers: Floats) -> str | None:
    size = max(1, BLOCK // len(centers))
    for first in range(0, rows.n, size):
        block = rows.take(np.arange(first, min(first + size, rows.n)))
        away = engine.all_pairs(block, centers, rows.distance)
        for check in CHECKS:
            complaint = check(engine, rows, centers, away, first)
            if complaint:
                return complaint
    return None


def _sums_by_definition(engine: Engine, rows: Any, k: int) -> Any:
    """Return the sums of the part's clusters from all its rows; None where they have no grid."""
    if not hasattr(rows, "grid"):
        return None
    sums = np.zeros((k, 2, rows.d + 1), dtype=np.int64)
    size = max(1, BLOCK // rows.d)
    for first in range(0, rows.n, size):
        block = slice(first, min(first + size, rows.n))
        weights = None if rows.weights is None else rows.weights[block]
        added = words(rows.take(np.arange(block.start, block.stop)), weights, rows.grid)
        np.add.at(sums, rows.labels[block], added)
    return sums


def _difference(labels: I32, away: Any, first: int) -> str | None:
    right = away.argmin(axis=1)
    if np.array_equal(right, labels):
        return None
    row = int(np.argmax(right != labels))
    got, wanted = int(labels[row]), int(right[row])
    return (
        f"row {first + row} has label {got} at a distance of {away[row, got]!r}, but centre "
        f"{wanted} is at {away[row, wanted]!r}"
    )


def _raise(complaints: list[str | None]) -> None:
    for complaint in complaints:
        if complaint:
            raise Disagreement(
                f"{complaint}. This is a fault in omnimeans, not in your data: please report it "
                "with the data, or use engine='reference' meanwhile."
            )
