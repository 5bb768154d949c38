"""What k-means++ knows of one part's rows: their distances to the centres so far, in shares.

The shares of all parts together are those of :class:`omnimeans._types.Seeding`: whole steps of one
power of two, so a draw from many parts is the draw from one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._types import F64, I32, I64, U64, Distance, Floats


def bits_of(n: int) -> int:
    """Return the bits that one of `n` shares may have, so that no sum overflows."""
    return min(50, 62 - int(n).bit_length())


def finest(peak: float, n: int) -> int:
    """Return the exponent of the finest steps in which `n` shares of at most `peak` are counted."""
    return max(int(np.frexp(peak)[1]) - bits_of(n), -1000)


@dataclass(slots=True)
class Winners:
    """Rows that candidates would win: those of one candidate after those of the other."""

    starts: I64  # (c + 1,)
    rows: I32
    away: F64

    def of(self, which: int) -> tuple[I32, F64]:
        """Return the rows that this candidate would win, and their distances to it."""
        some = slice(int(self.starts[which]), int(self.starts[which + 1]))
        return self.rows[some], self.away[some]


@dataclass(slots=True)
class Shares:
    """Distances of a part's rows to the nearest centre so far."""

    closest: F64  # (m,) infinite before there is a centre; may lie in a file
    exponent: int = 0  # a share counts steps of 2**exponent
    started: bool = False
    total: int = 0
    winners: Winners | None = field(default=None)

    def peak(self, weights: F64 | None) -> float:
        """Return the largest weighted distance."""
        return float(self._weighted(weights).max())

    def count(self, weights: F64 | None) -> int:
        """Count the shares anew."""
        self.total = int(self._shares(weights).sum())
        return self.total

    def draw(self, weights: F64 | None, targets: list[int]) -> I64:
        """Return the first row with more shares up to and with its own than each target."""
        below = np.cumsum(self._shares(weights))
        return np.searchsorted(below, np.array(targets, dtype=np.int64), side="right")

    def draw_tickets(self, weights: F64 | None, tickets: U64) -> I64:
        """Return a row for each ticket, where this part is all there is."""
        targets = [int(ticket) * self.total >> 64 for ticket in tickets]
        return np.minimum(self.draw(weights, targets), len(self.closest) - 1)

    def join(self, engine: Any, X: Any, distance: Distance, centers: Floats) -> None:
        """Make all of these rows centres: only the nearest of them counts."""
        labels = engine.nearest(X, centers, distance)
        away = engine.own(X, centers, labels, distance)
        np.minimum(self.closest, away, out=self.closest)

    def use_finest(self, weights: F64 | None, n: int) -> None:
        """Give the largest share all its bits, where this part is all there is."""
        self.exponent = finest(self.peak(weights), n)
        self.count(weights)

    def meet(
        self,
        X: Floats,
        weights: F64 | None,
        plan: Any,
        candidates: Floats,
        threads: int,
        room: int,  # rows that may be listed
    ) -> tuple[bool, I64]:
        """List the rows that each candidate would win; return whether they fit, and the gains."""
        complete, gains, counts, rows, away = _core.winners(
            X,
            self.closest,
            weights,
            self.exponent,
            candidates,
            plan.distance.kernel,
            plan.mean,
            plan.mean_square,
            threads,
            room,
        )
        self.winners = Winners(np.append(0, np.cumsum(counts)), rows, away) if complete else None
        return complete, gains

    def worth(self, weights: F64 | None, which: I64) -> I64:
        """Return what each of these candidates would save, from the lists."""
        assert self.winners is not None
        saved = np.zeros(len(which), dtype=np.int64)
        for m, j in enumerate(which.tolist()):
            rows, away = self.winners.of(j)
            before = self.closest[rows]
            won = away < before
            mine = None if weights is None else weights[rows[won]]
            gain = self._steps(before[won], mine) - self._steps(away[won], mine)
            saved[m] = gain.sum()
        return saved

    def adopt(self, weights: F64 | None, which: int) -> int:
        """Make a listed candidate a centre; return the shares that are left."""
        assert self.winners is not None
        rows, away = self.winners.of(which)
        before = self.closest[rows]
        won = away < before
        rows, mine = rows[won], None if weights is None else weights[rows[won]]
        self.total -= int((self._steps(before[won], mine) - self._steps(away[won], mine)).sum())
        self.closest[rows] = away[won]
        return self.total

    def _weighted(self, weights: F64 | None) -> F64:
        if not self.started:
            return np.ones(len(self.closest)) if weights is None else weights
        return self.closest if weights is None else self.closest * weights

    def _shares(self, weights: F64 | None) -> I64:
        return self._whole(self._weighted(weights))

    def _steps(self, away: F64, weights: F64 | None) -> I64:
        return self._whole(away if weights is None else away * weights)

    def _whole(self, values: F64) -> I64:
        return np.rint(np.ldexp(values, -self.exponent)).astype(np.int64)
