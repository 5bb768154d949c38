"""How fast this machine makes the parts of a fit: trials on some rows, scaled up to all of them.

The trials run the real engine.  What :mod:`omnimeans.engines.pilot` would choose for all rows is
asked of it pass by pass, so a tree or codes are tried, and counted, where a fit would make them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from omnimeans import _fit, _validate
from omnimeans._types import Engine, Floats
from omnimeans.algorithms import VARIANTS, Variant
from omnimeans.distances import DISTANCES
from omnimeans.engines.cpu import CpuEngine
from omnimeans.init import INITS

EUCLIDEAN = DISTANCES["euclidean"]
PATIENCE = 0.12  # seconds that a part of the trials may take
ROWS = 3 << 24  # bytes of rows to try with: more than a core's caches hold
WORK = 2e9  # multiply-adds of a pass that is tried, for each thread
NEAR_BRUTE = 0.3  # share of the distances from which a pass tells what a whole one takes
COMPONENTS = 64  # of the rows that stand for unknown ones

# With bounds, a pass takes as long as brute force at first, and less and less as the centres come
# to rest: a fraction SETTLED in the end, half-way there after about HALVING passes.  How fast is
# the data's secret; these are the middle of what the benchmark's data show.
WHOLE, SETTLED, HALVING = 4, 0.55, 5.5


Tried = tuple[Variant, float, float]  # of a pass: what made it, its seconds, those of the means


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for the parts of a fit.

    Parameters
    ----------
    place : float
        To look at all rows before the start.
    start : float
        To choose the first centres.
    brute : float
        One pass with all distances computed in the data's precision.
    passes : tuple of float
        Each iteration, with what it makes ready (codes, a tree) counted where it is made.
    finish : float
        The last look at the labels and the objective.
    variant : str
        What makes the last passes.
    """

    place: float
    start: float
    brute: float
    passes: tuple[float, ...]
    finish: float
    variant: str


def enough(n: int, d: int, k: int, itemsize: int, threads: int) -> int:
    """Return how many rows to try with."""
    by_memory = max(4 * k, 4096, ROWS // (d * itemsize))
    by_work = max(6 * k, 4096, WORK * threads // (d * k))
    return int(min(n, by_memory, by_work))


def stand_in(rows: int, d: int, k: int, dtype: np.dtype[Any]) -> Floats:
    """Return rows to try with where none are given: overlapping clusters."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, d), dtype=np.float32)
    middles = rng.standard_normal((min(k, COMPONENTS), d), dtype=np.float32)
    X += middles[rng.integers(0, len(middles), rows)]
    return X.astype(dtype, copy=False)


def calibrate(
    X: Floats, n: int, k: int, *, init: str, iterations: int, threads: int, blocks: bool
) -> Pace:
    """Return what a fit of `n` rows like these takes.

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Some of the rows.
    n : int
        Number of all rows.
    k : int
        Number of clusters.
    init : str
        A row of :data:`omnimeans.init.INITS`.
    iterations : int
        How many there will be.
    threads : int
        Threads to use.
    blocks : bool
        Whether the rows are read block by block, where all passes are brute force.
    """
    engine, more = CpuEngine(threads), n / len(X)
    kept: list[Any] = []
    _validate.rows(X[:2])
    check = _seconds(lambda: _validate.rows(X))
    place = _seconds(lambda: kept.append(engine.place(X, None, EUCLIDEAN)))
    rows = kept[-1]
    centers = X[np.sort(np.random.default_rng(0).choice(len(X), size=k, replace=False))]
    brute, passes, variant = _passes(engine, rows, centers, n, iterations, blocks)
    look = _seconds(lambda: engine.inertia(rows, centers)) * more
    start = _start(engine, X, n, k, init)
    return Pace(
        (check + place) * more, start, brute, tuple(passes), passes[-1] + look, variant.name
    )


def _passes(
    engine: CpuEngine, rows: Any, centers: Floats, n: int, iterations: int, blocks: bool
) -> tuple[float, list[float], Variant]:
    """Return the seconds of a brute-force pass, those of each pass, and what makes the last."""
    more, k = n / rows.n, len(centers)
    pilot = replace(rows.pilot, n=n, last={})
    engine.variant = brute = VARIANTS["brute"]
    engine.step(rows, centers)
    plain = _seconds(lambda: engine.step(rows, centers))
    if blocks:
        return plain * more, [plain * more] * iterations, brute
    found: list[Tried] = []
    rows.labels.fill(-1)
    end, made, whole = perf_counter() + 2.0 * PATIENCE, set(), []
    while len(found) < iterations and (len(found) < 4 or perf_counter() < end):
        engine.variant = variant = pilot.next(k)
        begun = perf_counter()
        seen = engine.step(rows, centers)
        took = (perf_counter() - begun) * more
        if variant.tree and variant not in made:
            took *= math.log2(max(n, 128) / 64) / math.log2(max(rows.n, 128) / 64)
        elif variant in made and not variant.tree and seen.compared:
            share = seen.compared / (rows.n * k)
            whole += [took / share] * (share > NEAR_BRUTE)
        made.add(variant)
        pilot.saw(variant, took)
        begun = perf_counter()
        centers, *_ = _fit.move(engine, rows, centers, seen, EUCLIDEAN)
        found.append((variant, took, perf_counter() - begun))
    steady = float(np.median(whole)) if whole else plain * more
    kept = len(found) if rows.n == n else 0
    return plain * more, _spread_out(found, iterations, steady, kept), variant


def _spread_out(found: list[Tried], iterations: int, steady: float, kept: int) -> list[float]:
    """Return the seconds of each pass: as tried, and what the later ones of its kind will take.

    A few rows come to rest sooner than all of them would, so of passes with bounds only the first,
    which makes codes, counts as it was tried.  The first `kept` are those of all rows.
    """
    moves = min(move for _, _, move in found)
    seen: set[Variant] = set()
    passes = []
    for number in range(iterations):
        variant, took, _ = found[min(number, len(found) - 1)]
        if number < kept:
            pass
        elif variant.tree and number >= len(found):
            took = min(t for v, t, _ in found[-3:] if v is variant)
        elif variant.bounded and variant in seen:
            took = steady * _left(number)
        elif variant in seen:
            took = min(t for v, t, _ in found if v is variant)
        seen.add(variant)
        passes.append(took + moves)
    return passes


def _left(number: int) -> float:
    """Return what is left of a pass with bounds by this iteration, as a share of the first."""
    settled = 0.5 ** (max(0, number - WHOLE) / HALVING)
    return float(SETTLED + (1.0 - SETTLED) * settled)


def _start(engine: Engine, X: Floats, n: int, k: int, init: str) -> float:
    """Return the seconds of the start: a part that grows with the rows, and one that does not."""

    def took(rows: int) -> float:
        placed = engine.place(X[:rows], None, EUCLIDEAN)
        begun = perf_counter()
        INITS[init](engine, placed, k, np.random.default_rng(0))
        return perf_counter() - begun

    least = min(len(X), max(2 * k, 1024))
    few = took(least)
    many = int(min(len(X), max(2 * least, least * PATIENCE / max(few, 1e-9))))
    if many <= least:
        return few * n / least
    long = took(many)
    slope = max(0.0, (long - few) / (many - least))
    slope = slope or long / many
    return float(max(0.0, long - slope * many) + slope * n)


def _seconds(work: Callable[[], Any]) -> float:
    """Return the shortest of a few runs, as many as patience allows."""
    found: list[float] = []
    end = perf_counter() + PATIENCE / 4
    while len(found) < 2 or (len(found) < 9 and perf_counter() < end):
        begin = perf_counter()
        work()
        found.append(perf_counter() - begin)
    return min(found)
