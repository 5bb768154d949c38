"""Mini-batches that grow: Lloyd's iterations on a sample, then on twice as many rows, then on all.

J. Newling and F. Fleuret, "Nested mini-batch k-means", NIPS 2016: each batch holds the one before
it, so every row counts once however often it has been seen, and the batch grows when it has told
what it can.  Here that is judged by the objective.  Centres that are estimated from `m` rows cost
about ``k / m`` of the objective more than the best ones, since each mean misses by its standard
error; once an iteration gains less than that, only more rows help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from omnimeans._fit import move, squared_shift
from omnimeans._types import F64, Distance, Engine, Floats, Iteration, Rows, StopReason

GROWTH = 2  # a batch has this many times the rows of the one before
ALMOST_ALL = 0.6  # of the rows: a batch of more is all of them


@dataclass(frozen=True, slots=True)
class Plan:
    """How a nested fit goes on and when it ends.

    Parameters
    ----------
    first : int
        Rows of the first batch.
    step : int
        Rows that count as one step.
    max_steps : int
        Most steps.
    tol : float
        Stop when the squared moves of the centres sum to no more than this share of the mean
        variance of the columns, on all rows; 0 is never.
    patience : int or None
        Stop after so many steps on all rows that gain less than all rows can tell; None is never.
    light : float
        A centre with less than this share of the heaviest cluster's weight is drawn anew when the
        batch grows.
    """

    first: int
    step: int
    max_steps: int
    tol: float
    patience: int | None
    light: float


@dataclass(frozen=True, slots=True)
class Ending:
    """What a nested fit ended with."""

    first: Floats  # centres before the first iteration
    centers: Floats
    rows: Rows  # the last batch
    size: int  # its number of rows
    history: tuple[Iteration, ...]
    steps: int
    stop_reason: StopReason


@dataclass(slots=True)
class Progress:
    """What a fit tells on its way; the estimator prints it."""

    say: Callable[[str], None]
    max_steps: int

    def round(self, step: int, mean: float) -> None:
        """Tell the mean distance of a batch's rows."""
        self.say(f"Minibatch step {step}/{self.max_steps}: mean batch inertia: {mean}")

    def converged(self, why: str, step: int) -> None:
        """Tell why the fit ends."""
        self.say(f"Converged ({why}) at step {step}/{self.max_steps}")

    def reassigned(self, count: int) -> None:
        """Tell that centres were drawn anew."""
        if count:
            self.say(f"[MiniBatchKMeans] Reassigning {count} cluster centers.")


def sizes(first: int, n: int) -> list[int]:
    """Return the sizes of the batches, the last of which holds all rows.

    Examples
    --------
    >>> from omnimeans._nested import sizes
    >>> sizes(1000, 10_000)
    [1000, 2000, 4000, 10000]
    """
    found = []
    while first < ALMOST_ALL * n:
        found.append(first)
        first *= GROWTH
    return [*found, n]


def run(
    engine: Engine,
    batch: Callable[[int], Rows],  # the first so many rows of a random order, placed
    n: int,
    centers: Floats,
    plan: Plan,
    rng: np.random.Generator,
    *,
    distance: Distance,
    progress: Progress,
) -> Ending:
    """Run Lloyd's iterations on growing batches."""
    history: list[Iteration] = []
    first = centers
    steps, waited, seen_rows = 0, 0, 0
    rows: Rows | None = None
    weights = np.empty(0)
    for size in sizes(plan.first, n):
        if rows is not None:
            centers, count = renewed(engine, rows, centers, weights, plan.light, rng)
            progress.reassigned(count)
        rows, before = batch(size), np.inf
        tol = plan.tol * rows.spread / (rows.weight * rows.d)
        while True:
            if seen_rows and seen_rows + size > plan.max_steps * plan.step:
                return Ending(first, centers, rows, size, tuple(history), steps, "max_iter")
            begun = perf_counter()
            seen = engine.step(rows, centers)
            moved_centers, inertia, repaired = move(engine, rows, centers, seen, distance)
            shift = squared_shift(engine, centers, moved_centers)
            centers = moved_centers
            seconds = perf_counter() - begun
            history.append(Iteration(inertia, seen.moved, shift, repaired, seen.redecided, seconds))
            seen_rows += size
            steps = max(1, min(plan.max_steps, seen_rows // plan.step))
            progress.round(steps, inertia / rows.weight)
            still = shift == 0.0 and not repaired
            gained = before - inertia
            enough = gained < inertia * len(centers) / size
            before = inertia
            if size < n:
                if still or enough or shift <= tol:
                    weights = engine.means(rows, seen.sums)[1]
                    break  # this batch has told what it can
                continue
            if plan.tol > 0.0 and shift <= tol:
                progress.converged("small centers change", steps)
                return Ending(first, centers, rows, size, tuple(history), steps, "tolerance")
            waited = waited + max(1, size // plan.step) if enough else 0
            if plan.patience is not None and waited >= plan.patience:
                progress.converged("lack of improvement in inertia", steps)
                return Ending(first, centers, rows, size, tuple(history), steps, "no improvement")
            if still and plan.patience is None:  # what is left of the steps would change nothing
                return Ending(
                    first, centers, rows, size, tuple(history), plan.max_steps, "fixed point"
                )
    raise AssertionError("the last batch ends the fit")


def renewed(
    engine: Engine,
    rows: Rows,
    centers: Floats,
    weights: F64,  # (k,) of the clusters
    light: float,
    rng: np.random.Generator,
) -> tuple[Floats, int]:
    """Return the centres with those of light clusters drawn anew, and how many there are.

    Rows are drawn from the batch in proportion to their weighted distance from their centres.
    """
    empty = np.flatnonzero(weights < light * weights.max())[: rows.n // 2]
    if not len(empty):
        return centers, 0
    away = engine.distances(rows, centers, rows.labels)
    away = away if rows.weights is None else away * rows.weights
    empty = empty[: np.count_nonzero(away)]
    if not len(empty):
        return centers, 0
    drawn = rng.choice(rows.n, len(empty), replace=False, p=away / away.sum())
    centers = centers.copy()
    centers[empty] = rows.take(np.sort(drawn))
    return centers, len(empty)
