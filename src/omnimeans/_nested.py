"""Mini-batches that grow: Lloyd's iterations on a sample, then on twice as many rows, then on all.

J. Newling and F. Fleuret, "Nested mini-batch k-means", NIPS 2016: each batch holds the one before
it, so every row counts once however often it has been seen, and the batch grows when it has told
what it can.  Here that is judged by the objective.  Centres that are estimated from `m` rows cost
about ``k / m`` of the objective more than the best ones, since each mean misses by its standard
error; once an iteration gains less than that, only more rows help.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter

import numpy as np

from omnimeans._control import Control
from omnimeans._fit import move, squared_shift
from omnimeans._types import F64, Distance, Engine, Floats, Iteration, Rows, State, StopReason

GROWTH = 2  # a batch has this many times the rows of the one before
ALMOST_ALL = 0.6  # of the rows: a batch of more is all of them
LABELLING = 1.5  # iterations on all rows that labels and inertia of all rows take, about

CONVERGED: dict[StopReason, str] = {
    "tolerance": "small centers change",
    "no improvement": "lack of improvement in inertia",
}


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


@dataclass(slots=True)
class Progress:
    """How far a fit has got, and what it tells on its way; the estimator prints it."""

    say: Callable[[str], None]
    max_steps: int
    steps: int = 0
    mean: float = 0.0  # distance of a batch's rows, in the last iteration
    weights: F64 | None = None  # (k,) of the clusters when the last batch was left behind

    def round(self, steps: int, mean: float) -> None:
        """Tell the mean distance of a batch's rows."""
        self.steps, self.mean = steps, mean
        self.say(f"Minibatch step {steps}/{self.max_steps}: mean batch inertia: {mean}")

    def converged(self, stop: StopReason) -> None:
        """Tell why the fit ends."""
        why = CONVERGED.get(stop)
        if why:
            self.say(f"Converged ({why}) at step {self.steps}/{self.max_steps}")

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
    control: Control,
) -> State:
    """Run Lloyd's iterations on growing batches; return how that ended."""
    history: list[Iteration] = []
    first, waited, seen_rows = centers, 0, 0
    for size, larger in pairwise([*sizes(plan.first, n), 0]):
        rows, last = batch(size), math.inf
        control.look_at(rows, whole=size == n)
        tol = plan.tol * rows.spread / (rows.weight * rows.d)
        while True:
            begun, before = perf_counter(), centers
            seen = engine.step(rows, before)
            centers, inertia, repaired = move(engine, rows, before, seen, distance)
            shift = squared_shift(engine, before, centers)
            seconds = perf_counter() - begun
            history.append(Iteration(inertia, seen.moved, shift, repaired, seen.redecided, seconds))
            seen_rows += size
            steps = max(1, min(plan.max_steps, seen_rows // plan.step))
            progress.round(steps, inertia / rows.weight)
            still = shift == 0.0 and not repaired
            enough = last - inertia <= inertia * len(centers) / size  # both may be 0
            last = inertia
            told = size < n and (still or enough or shift <= tol)  # all that this batch can tell
            stop: StopReason | None = None
            if size == n:
                waited = waited + max(1, size // plan.step) if enough else 0
                if plan.tol > 0.0 and shift <= tol:
                    stop = "tolerance"
                elif plan.patience is not None and waited >= plan.patience:
                    stop = "no improvement"
                elif still and plan.patience is None:
                    stop = "fixed point"
                    progress.steps = plan.max_steps  # those that are left would change nothing
            if stop is None and seen_rows + (larger if told else size) > plan.max_steps * plan.step:
                stop = "max_iter"
            if stop:
                progress.converged(stop)
            control.reserve(LABELLING * seconds * n / size)
            state = State(first, before, centers, history, set(), stop)
            if control.watch is not None:
                stop = control.watch(state) or stop
            if stop:
                return replace(state, stop=stop)
            if told:
                break
        progress.weights = engine.means(rows, seen.sums)[1]
        centers, count = renewed(engine, rows, centers, progress.weights, plan.light, rng)
        progress.reassigned(count)
        del rows, seen  # the larger ones may take their place
    raise AssertionError("the last batch ends the fit")


def counted(n: int, weights: F64 | None) -> int:
    """Return how many of these rows have a weight."""
    return n if weights is None else int(np.count_nonzero(weights))


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
    n = counted(rows.n, rows.weights)
    empty = np.flatnonzero(weights < light * weights.max())[: n // 2]
    if not len(empty):
        return centers, 0
    away = engine.distances(rows, centers, rows.labels)
    away = away if rows.weights is None else away * rows.weights
    apart = np.flatnonzero(away)
    empty, away = empty[: len(apart)], away[apart]
    if not len(empty):
        return centers, 0
    drawn = rng.choice(apart, len(empty), replace=False, p=away / away.sum())
    centers = centers.copy()
    centers[empty] = rows.take(np.sort(drawn))
    return centers, len(empty)
