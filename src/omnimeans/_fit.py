"""Lloyd's algorithm, once: the only loop, the only place where empty clusters are repaired.

S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
An engine makes the passes; which one it is cannot be seen in the result.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from time import perf_counter

import numpy as np

from omnimeans import _scaling, looks
from omnimeans._control import Control
from omnimeans._empty import Rules, dropped, refused, split
from omnimeans._types import (
    F64,
    I64,
    Distance,
    Engine,
    Fit,
    Floats,
    Iteration,
    Pass,
    Rows,
    Start,
    State,
    StopReason,
    Watch,
)
from omnimeans.directions import unit_rows
from omnimeans.distances import DISTANCES
from omnimeans.engines.spherical import SphericalRows

RULES = Rules()


def run(
    engine: Engine,
    rows: Rows,
    k: int,
    start: Start,
    rngs: Sequence[np.random.Generator],
    *,
    distance: Distance,
    max_iter: int,
    tol: float,
    control: Control | None = None,
    rules: Rules = RULES,
) -> Fit:
    """Run Lloyd's algorithm from one start per generator and return the best fit.

    Rows may have been rescaled; the caller sees the user's units.
    """
    control = control or Control()
    control.begin(engine, rows, distance, partial(finish, engine, rows, distance, rules=rules))
    try:
        for number in control.restarts(len(rngs)):
            earlier = control.earlier()
            centers = earlier.before if earlier else start(engine, rows, k, rngs[number])
            control.started(number, centers, earlier)
            fit = lloyd(
                engine,
                rows,
                centers,
                distance=distance,
                max_iter=max_iter,
                tol=tol,
                watch=control.watch,
                at_once=not control.watched,
                earlier=earlier,
                rules=rules,
            )
            control.keep(fit)
    except control.rescued as interrupt:
        control.rescue(interrupt)
    return _scaling.restored(control.end(), rows.exponent, distance)


def lloyd(
    engine: Engine,
    rows: Rows,
    centers: Floats,  # (k, d) in the data's dtype
    *,
    distance: Distance,
    max_iter: int,
    tol: float,  # absolute: stop when the squared moves of the centres sum to no more
    watch: Watch | None = None,
    earlier: State | None = None,  # what another process got to, before its centres
    rules: Rules = RULES,
    at_once: bool | None = None,  # nobody waits for the single iterations; None: if none watches
) -> Fit:
    """Alternate assignment and update until the centres stand still."""
    history: list[Iteration] = []
    visited: set[int] = set()
    first = centers
    stop: StopReason | None = None
    rows.labels.fill(-1)
    at_once = watch is None if at_once is None else at_once
    if at_once and (found := _course(engine, rows, centers, max_iter, tol, rules)):
        history, centers = found
        return finish(engine, rows, distance, first, centers, history, _end_of(history, tol))
    if earlier and earlier.history:  # its last iteration, once more, for the labels
        first = earlier.first
        centers, *_ = move(engine, rows, centers, engine.step(rows, centers), distance, rules)
        history, visited = list(earlier.history), set(earlier.visited)
    for _ in range(len(history), max_iter):
        begun = perf_counter()
        before = centers
        seen = engine.step(rows, before)  # assignment: every row to its nearest centre
        centers, inertia, repaired = move(engine, rows, before, seen, distance, rules)  # update
        shift = squared_shift(engine, before, centers)
        seconds = perf_counter() - begun
        history.append(
            Iteration(
                inertia,
                seen.moved,
                shift,
                repaired,
                seen.redecided,
                seconds,
                1.0 if seen.compared is None else seen.compared / (rows.n * len(centers)),
                seen.algorithm,
            )
        )
        mark = _mark(centers)
        if shift <= tol:
            stop = _end_of(history, tol)
        elif mark in visited:
            stop = "cycle"
        visited.add(mark)
        if watch is not None:
            stop = watch(State(first, before, centers, history, visited, stop)) or stop
        if stop:
            break
    return finish(engine, rows, distance, first, centers, history, stop or "max_iter", rules=rules)


def _course(
    engine: Engine, rows: Rows, centers: Floats, max_iter: int, tol: float, rules: Rules
) -> tuple[list[Iteration], Floats] | None:
    """Return what the loop leads to, from an engine that runs it in one call where rows are few."""
    course = getattr(engine, "course", None)
    if course is None or rules.frozen is not None or rows.exponent:
        return None
    found: tuple[list[Iteration], Floats] | None = course(rows, centers, max_iter, tol)
    return found


def _end_of(history: Sequence[Iteration], tol: float) -> StopReason:
    """Return why a fit that has moved the centres this far goes no further."""
    if not history or history[-1].shift > tol:
        return "max_iter"
    last = history[-1]
    return "fixed point" if last.shift == 0.0 and not last.repaired else "tolerance"


def move(
    engine: Engine,
    rows: Rows,
    centers: Floats,
    seen: Pass,
    distance: Distance,
    rules: Rules = RULES,
) -> tuple[Floats, float, int]:
    """Return the centres that the pass asks for, the pass's inertia, and the repairs made."""
    means, weights = engine.means(rows, seen.sums)
    inertia = _inertia(engine, rows, centers, means, weights, distance)
    repaired, empty = 0, not weights.all()
    if empty and (lost := np.flatnonzero(rules.lost(weights))).size:
        if rules.empty == "error":
            raise refused(lost, len(centers))
        if rules.empty in REPAIRS:
            seen, repaired = REPAIRS[rules.empty](engine, rows, centers, seen, lost)
            means, weights = engine.means(rows, seen.sums)
    if distance.center == "median":
        means = engine.medians(rows, len(centers))
    elif distance.center == "direction":
        units, cancelled = unit_rows(means)
        means = units.astype(np.float64, copy=False)
        means[cancelled] = centers[cancelled]  # no direction is better than another
    if empty:
        means[weights == 0.0] = means[np.argmax(weights)]  # fewer distinct rows than clusters
    if rules.frozen is not None:
        means[rules.frozen] = centers[rules.frozen]
    if empty and rules.empty == "drop":
        means = means[~rules.lost(weights)]
        rows.labels.fill(-1)  # the others have new numbers
    return _scaling.held(means.astype(centers.dtype), rows.exponent), inertia, repaired


def repair(engine: Engine, rows: Rows, centers: Floats, seen: Pass, empty: I64) -> tuple[Pass, int]:
    """Give each empty cluster the row that is farthest from its centre, copies included.

    A row that carries its whole cluster, or sits on its centre, stays where it is.
    """
    sizes = np.sum(engine.each(rows, looks.members, len(centers)), axis=0)
    gone, after, count, filled = np.empty(0, dtype=np.int64), (math.inf, -1), 8, 0
    while filled < len(empty):
        count = min(rows.n, 4 * max(count, len(empty)))
        far = looks.first_of(engine.each(rows, looks.farthest, centers, count, after, gone), count)
        if not len(far[0]):
            break
        found = engine.each(rows, looks.copies, centers, far)
        for i, (number, cluster) in enumerate(zip(*far[1:3], strict=True)):
            if filled == len(empty) or number in gone:  # a copy of one that has moved
                continue
            copies = np.concatenate([part[i] for part in found])
            if sizes[cluster] > len(copies):
                seen = engine.relabel(rows, copies, int(empty[filled]))
                sizes[cluster] -= len(copies)
                gone = np.union1d(gone, copies)
                filled += 1
        after = (float(far[0][-1]), int(far[1][-1]))
    return seen, filled


REPAIRS = {"farthest": repair, "split": split}


def finish(
    engine: Engine,
    rows: Rows,
    distance: Distance,
    first: Floats,
    centers: Floats,
    history: Sequence[Iteration],
    stop: StopReason,
    *,
    rules: Rules = RULES,
) -> Fit:
    """Make the record: labels and inertia are those of these very centres."""
    if stop != "fixed point":
        engine.step(rows, centers)
    inertia = engine.inertia(rows, centers)
    fit = Fit(centers, rows.labels.copy(), inertia, tuple(history), stop, first)
    return dropped(fit, rows.weights) if rules.empty == "drop" else fit


def _inertia(
    engine: Engine, rows: Rows, centers: Floats, means: F64, weights: F64, distance: Distance
) -> float:
    """Return the objective of a pass, from its means where that is accurate.

    By the parallel axis theorem the inertia is the spread of all rows, less the spread of the
    means, plus the weighted distances from the means to the centres: O(k d) instead of O(n d).
    Where little is left of the spread, or the data lie far from zero, so that even means rounded
    once are too coarse, the sum is taken.
    """
    if distance.kernel != "manhattan":
        euclidean = DISTANCES["euclidean"]
        grand = rows.mean.astype(np.float64)[None]
        between = weights * engine.all_pairs(means, grand, euclidean)[:, 0]
        behind = weights * engine.pairs(means, centers, euclidean)
        inertia = math.fsum([rows.spread, *(-between).tolist(), *behind.tolist()])
        lost = rows.spread + math.sqrt(rows.spread) * math.sqrt(rows.remoteness)  # times 2**-52
        if inertia > lost * 2.0**-12:
            return rows.halved(inertia) if isinstance(rows, SphericalRows) else inertia
    return engine.inertia(rows, centers)


def squared_shift(engine: Engine, before: Floats, after: Floats) -> float:
    """Return the sum of squared steps; a step too small to be squared is still a step."""
    if np.array_equal(before, after):
        return 0.0
    if len(before) != len(after):
        return math.inf  # a centre has gone
    steps = engine.pairs(before, after, DISTANCES["euclidean"])
    return max(math.fsum(steps.tolist()), sys.float_info.min)


def _mark(centers: Floats) -> int:
    """Return a number that tells these centres from any others, in any process."""
    return int.from_bytes(blake2b(np.ascontiguousarray(centers).data, digest_size=8).digest())
