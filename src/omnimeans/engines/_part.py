"""One part of larger data, and the jobs that are done with it: in a file's block, or on a worker.

A job is a function ``(part, plan, *what)`` that looks at the rows of one part and returns something
small.  Whoever sends the jobs (a loop over blocks, a cluster) adds up what comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from omnimeans import _core
from omnimeans._rows import plain
from omnimeans._sums import Grid, exact_units
from omnimeans._types import F64, I32, I64, Distance, Floats
from omnimeans.distances import DISTANCES
from omnimeans.engines._shares import Shares
from omnimeans.engines.cpu import CpuEngine, CpuRows
from omnimeans.engines.stores import open_store

T = TypeVar("T")


@dataclass(slots=True)
class Plan:
    """What all parts of some rows have in common."""

    distance: Distance
    grid: Grid
    mean: Floats
    mean_square: float


@dataclass(slots=True)
class Part:
    """Some rows, all of them in memory now, and what is known of each."""

    first: int  # number of the first row
    X: Any  # (m, d) plain, or in any form that the compiled engine takes
    weights: F64 | None  # (m,)
    labels: I32  # (m,) in and out
    shares: Shares | None = None
    engine: CpuEngine = field(default_factory=lambda: CpuEngine(1))
    placed: CpuRows | None = None

    def rows(self, plan: Plan) -> CpuRows:
        """Return the rows as the compiled engine wants them."""
        if self.placed is None:
            grid, kernel, store = plan.grid, plan.distance.kernel, open_store(self.X)
            core = store.hold(self.weights, self.labels, kernel, grid.exponents, grid.bits)
            core.set_frame(plan.mean, plan.mean_square)
            self.placed = CpuRows(
                X=self.X,
                store=store,
                weights=self.weights,
                distance=plan.distance,
                labels=self.labels,
                grid=grid,
                core=core,
                n=self.X.shape[0],
                d=self.X.shape[1],
                mean=plan.mean,
                spread=np.nan,
                weight=np.nan,
                remoteness=np.nan,
                first=self.first,
            )
        return self.placed

    def threads(self, work: int) -> int:
        """Return how many threads this much work is worth."""
        return self.engine._threads(work)


def peaks(part: Part) -> tuple[F64, int]:
    """Return the largest absolute values per column, and the number of rows that count."""
    found: F64 = open_store(part.X).peaks(part.weights, part.threads(part.X.size))
    weights = part.weights
    return found, part.X.shape[0] if weights is None else int(np.count_nonzero(weights))


def total(part: Part, grid: Grid) -> I64:
    """Return the exact sum of all rows, (1, 2, d + 1)."""
    store = open_store(part.X)
    core = store.hold(part.weights, part.labels, "euclidean", grid.exponents, grid.bits)
    sums: I64 = core.total(part.threads(part.X.size))
    return sums


def spread(part: Part, grid: Grid, mean: Floats) -> int | float:
    """Return the exact sum of the squared distances to the mean, in units."""
    plan = Plan(DISTANCES["euclidean"], grid, mean, 1.0)
    away = Part(part.first, part.X, part.weights, part.labels).rows(plan).core
    threads = part.threads(4 * part.X.size)
    return exact_units(away.distances(mean[None], None, threads), part.weights)


def assign(part: Part, plan: Plan, centers: Floats, k: int) -> tuple[I64, int, int]:
    """Label the rows anew; return what changed in the sums, and the rows moved and redecided.

    Rows that have no label yet, -1, count as moved.
    """
    core = part.rows(plan).core
    if part.labels[0] >= 0:
        core.resume(k)
    moved, redecided, *_ = core.step(centers, part.threads(len(centers) * part.X.size))
    return core.sums(), moved, redecided


def inertia(part: Part, plan: Plan, centers: Floats) -> int | float:
    """Return the exact weighted sum of the distances to the rows' own centres, in units."""
    away = part.engine.distances(part.rows(plan), centers, part.labels)
    return exact_units(away, part.weights)


def look(part: Part, plan: Plan, ask: Callable[..., T], what: tuple[Any, ...]) -> T:
    """Return what the rows of a part answer."""
    return ask(part.engine, part.rows(plan), *what)


def gaps(part: Part, plan: Plan, centers: Floats, reach: float) -> F64:
    """Return how much nearer each cluster's rows are to their own centre than to any other."""
    return _core.gaps(
        plain(part.X),
        part.labels,
        centers,
        plan.distance.kernel,
        plan.mean,
        plan.mean_square,
        reach,
        part.threads(2 * len(centers) * part.X.size),
    )


def meet(part: Part, plan: Plan, candidates: Floats, room: int) -> tuple[bool, I64]:
    """Let candidates meet the rows; return whether all winners fit, and what each would save."""
    assert part.shares is not None
    threads = part.threads(len(candidates) * part.X.size)
    return part.shares.meet(plain(part.X), part.weights, plan, candidates, threads, room)


def join(part: Part, plan: Plan, centers: Floats, first: bool) -> int:
    """Make all of these centres at once; return the shares that are left.

    The steps have still to be chosen where these are the first centres.
    """
    assert part.shares is not None
    part.shares.join(part.engine, part.X, plan.distance, centers)
    return 0 if first else part.shares.count(part.weights)


def move_words(
    values: Floats,  # (m, d) rows that change their cluster
    weights: F64 | None,  # (m,)
    labels: I32,  # (m,) where they were
    cluster: int,  # where they go
    plan: Plan,
    k: int,
) -> I64:
    """Return what moving these rows changes in the sums."""
    part = Part(0, np.ascontiguousarray(values), weights, labels.copy())
    core = part.rows(plan).core
    core.resume(k)
    core.relabel(np.arange(len(values)), cluster)
    changed: I64 = core.sums()
    return changed
