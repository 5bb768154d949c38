"""Engines whose rows lie in parts: they send the compiled engine's verbs to each, and add up.

Which rows are in which part cannot be seen in the result: sums are integers, totals are exact,
draws go by shares over the global order of the rows, and row numbers count from the first of all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from omnimeans import _core
from omnimeans._sums import Grid, from_units
from omnimeans._types import F64, I32, I64, U64, Distance, Floats
from omnimeans.engines import _part
from omnimeans.engines._medians import medians
from omnimeans.engines._part import Plan
from omnimeans.engines._shares import bits_of, finest
from omnimeans.engines.cpu import CpuEngine

T = TypeVar("T")


class PartsRows:
    """What is known of rows in parts, as :class:`omnimeans._types.Rows` asks for it."""

    first = 0
    exponent = 0
    X: Any
    labels: Any
    plan: Plan
    spread: float
    weight: float
    remoteness: float

    def __init__(
        self, n: int, d: int, dtype: np.dtype[Any], weights: F64 | None, distance: Distance
    ) -> None:
        self.n, self.d, self.dtype = n, d, dtype
        self.weights, self.distance = weights, distance
        self.sums: I64 | None = None

    @property
    def grid(self) -> Grid:
        """The grid that the sums live on."""
        return self.plan.grid

    @property
    def mean(self) -> Floats:
        """The weighted mean of all rows."""
        return self.plan.mean


R = TypeVar("R", bound=PartsRows)


class PartsEngine(Generic[R]):
    """The verbs of an engine, by jobs that are done part by part."""

    name = "parts"

    def __init__(self, n_threads: int | None = None) -> None:
        self.cpu = CpuEngine(n_threads)
        self.n_threads = self.cpu.n_threads

    @abstractmethod
    def over(self, rows: R, job: Callable[..., T], *what: Any) -> list[T]:
        """Do a job with every part that has rows, in their order."""

    @abstractmethod
    def seeding(self, rows: R) -> Any:
        """Return what k-means++ needs to know about the rows, before the first centre."""

    def survey(self, rows: R) -> None:
        """Look at all rows for what a fit needs to know before it starts."""
        found = self.over(rows, _part.peaks)
        peaks = np.max([peak for peak, _ in found], axis=0)
        grid = Grid.fit(peaks, sum(counted for _, counted in found))
        sums = np.sum(self.over(rows, _part.total, grid), axis=0)
        means, totals = _core.means(sums, grid.exponents, grid.bits)
        mean, rows.weight = means[0].astype(rows.dtype), float(totals[0])
        rows.spread = from_units(sum(self.over(rows, _part.spread, grid, mean)))
        rows.plan = Plan(rows.distance, grid, mean, rows.spread / rows.weight)
        square = float(_core.pairs(mean[None], 0 * mean[None], "euclidean")[0])
        rows.remoteness = rows.weight * square

    def means(self, rows: R, sums: I64) -> tuple[F64, F64]:
        """Return the exact means (k, d), correctly rounded, and the weights (k,) of the sums."""
        return _core.means(sums, rows.plan.grid.exponents, rows.plan.grid.bits)

    def medians(self, rows: R, k: int) -> F64:
        """Return the coordinate-wise weighted medians (k, d) of the labelled rows."""
        return medians(lambda job, *what: self.over(rows, job, *what), rows.plan, rows.dtype, k)

    def inertia(self, rows: R, centers: Floats) -> float:
        """Return the exact weighted sum of the rows' distances to their own centres."""
        return from_units(sum(self.over(rows, _part.inertia, rows.plan, centers)))

    def each(self, rows: R, look: Callable[..., T], *what: Any) -> list[T]:
        """Return ``look(engine, part, *what)`` for each part that the rows are kept in."""
        return self.over(rows, _part.look, rows.plan, look, what)

    def distances(self, rows: R, centers: Floats, labels: I32 | None = None) -> F64:
        """Return the distance of each row to its own centre (to centre 0 without labels)."""
        kept = labels is not None and labels is rows.labels  # each part knows its own
        given = None if kept else labels
        return np.concatenate(self.over(rows, _away, rows.plan, centers, given, kept))

    def pairs(self, a: Floats, b: Floats, distance: Distance) -> F64:
        """Return the distance of each row of `a` to the same row of `b`."""
        return self.cpu.pairs(a, b, distance)

    def total(self, values: F64, weights: F64 | None) -> float:
        """Return the exact (weighted) sum of the values, correctly rounded."""
        return self.cpu.total(values, weights)


class SharingEngine(PartsEngine[R]):
    """One that keeps the parts' shares at hand, so that they need no look at the rows."""

    @abstractmethod
    def shares(self, rows: R, job: str, *what: Any, parts: Sequence[int] | None = None) -> Any:
        """Call a method of the parts' shares; see PartsSeeding."""

    def seeding(self, rows: R) -> PartsSeeding[R]:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        return PartsSeeding(self, rows)


class PartsSeeding(Generic[R]):
    """Draws rows by their shares, over all parts, as :class:`omnimeans._types.Seeding` asks."""

    def __init__(self, engine: SharingEngine[R], rows: R) -> None:
        self.engine, self.rows = engine, rows
        self.bits = bits_of(rows.n)
        self.candidates: Floats = np.empty((0, rows.d), dtype=rows.dtype)
        self.gains: I64 | None = None  # of each candidate, while no centre was added since
        self.listed = False
        self.started = False
        self.totals = self._finest(first=True)

    def draw(self, tickets: U64) -> I64:
        """Return a row number for each ticket; rows are drawn by their share."""
        below = np.cumsum(self.totals)
        targets = np.array([int(t) * int(below[-1]) >> 64 for t in tickets], dtype=np.int64)
        parts = np.minimum(np.searchsorted(below, targets, side="right"), len(below) - 1)
        drawn = np.empty(len(targets), dtype=np.int64)
        some = sorted(set(parts.tolist()))
        inside = targets - (below - self.totals)[parts]
        asked = [inside[parts == part].tolist() for part in some]
        found = self.engine.shares(self.rows, "draw", asked, parts=some)
        for part, (first, numbers) in zip(some, found, strict=True):
            drawn[parts == part] = first + numbers
        return np.minimum(drawn, self.rows.n - 1)

    def closest(self, numbers: I64) -> F64:
        """Return these rows' distances to the nearest centre, infinite before there is one."""
        return self.engine.shares(self.rows, "closest", numbers)  # type: ignore[no-any-return]

    def meet(self, candidates: Floats) -> None:
        """Look at all rows once, to know which of them each candidate would win."""
        self.candidates, self.listed = candidates, False
        self.gains = np.zeros(len(candidates), dtype=np.int64)  # the first is as good as any
        if self.started:
            self._list()

    def worth(self, which: I64) -> I64:
        """Return how much each of these candidates would take off all shares together."""
        if self.gains is None and not self.listed:
            self._list()
        if self.gains is not None:
            return self.gains[which]
        saved: I64 = np.sum(self.engine.shares(self.rows, "worth", which), axis=0, dtype=np.int64)
        return saved

    def adopt(self, which: int) -> None:
        """Make one of the candidates a centre."""
        if self.listed:
            self.totals = np.array(self.engine.shares(self.rows, "adopt", which), dtype=np.int64)
            self._settle()
        else:
            fresh = not self.started
            self._join(self.candidates[which : which + 1])
            self._settle(fresh)

    def join(self, centers: Floats) -> None:
        """Make all of these rows centres at once; `meet` and what follows it are then over."""
        self._join(centers)
        self.totals = self._finest()

    def _join(self, centers: Floats) -> None:
        fresh = not self.started
        if fresh:
            self.engine.shares(self.rows, "start")
            self.started = True
        self.listed = False
        totals = self.engine.over(self.rows, _part.join, self.rows.plan, centers, fresh)
        self.totals = np.array(totals, dtype=np.int64)

    def _settle(self, fresh: bool = False) -> None:
        self.gains = None
        if fresh or int(self.totals.sum()) < 1 << (self.bits - 10):
            self.totals = self._finest()  # the steps have become too coarse

    def _finest(self, first: bool = False) -> I64:
        """Give the largest share all its bits, so that no sum overflows."""
        peak = max(self.engine.shares(self.rows, "begin" if first else "peak"))
        exponent = finest(peak, self.rows.n)
        return np.array(self.engine.shares(self.rows, "count", exponent), dtype=np.int64)

    def _list(self) -> None:
        room = max(self.rows.n // 3, 1 << 16)
        found = self.engine.over(self.rows, _part.meet, self.rows.plan, self.candidates, room)
        self.listed = all(complete for complete, _ in found)
        self.gains = np.sum([gains for _, gains in found], axis=0, dtype=np.int64)


def _away(part: Any, plan: Plan, centers: Floats, labels: I32 | None, kept: bool) -> F64:
    rows = part.rows(plan)
    own = None if labels is None else labels[part.first : part.first + rows.n]
    own = part.labels if kept else own
    away: F64 = part.engine.distances(rows, centers, own)
    return away
