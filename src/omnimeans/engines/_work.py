"""What a Dask worker does: jobs on the parts it holds, and catching up where it has lost its place.

A worker keeps, beside each part's rows, the labels and distances that the last job left.  They are
no more than a memory: every job says which centres they come from, so a worker that joins late, or
takes over from a lost one, finds them again by itself, with the same bits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans._rows import is_plain, plain
from omnimeans._types import F64, I64, Floats
from omnimeans.algorithms import VARIANTS
from omnimeans.engines._part import Part, Plan
from omnimeans.engines._shares import Shares
from omnimeans.engines.cpu import CpuRows, pilot_for
from omnimeans.engines.stores import open_store
from omnimeans.sources.memory import available, resident

FITS_HELD = 2  # fits whose parts a worker remembers at a time
FILLED = 0.6  # share of a worker's memory from which Dask moves data out of it


@dataclass(slots=True)
class Place:
    """Where a fit stands: all that a worker needs to catch up."""

    plan: Plan | None = None
    variant: str | None = None  # of VARIANTS; None: chosen part by part, pass by pass
    mark: int = 0  # counts steps and repairs
    centers: Floats | None = None  # that the labels come from
    forced: list[tuple[I64, int]] = field(default_factory=list)  # rows relabelled since
    seeding: int = 0  # counts starts
    seeds: Floats | None = None  # (m, d) centres chosen so far
    chosen: list[tuple[int, int]] = field(default_factory=list)  # meeting and candidate of each
    exponent: int = 0
    meeting: int = 0
    candidates: Floats | None = None


@dataclass(slots=True)
class Held:
    """A part, and what its labels and shares come from."""

    part: Part
    given: Any  # the rows as they came, which may lie at odd addresses
    mark: int = 0
    seeding: int = 0
    seeded: int = 0
    meeting: int = 0
    exponent: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_held: OrderedDict[str, dict[int, Held]] = OrderedDict()
_guard = threading.Lock()
_here: Any = None  # the Dask worker of this process, once it was called


def forget(fit: str, number: int | None = None) -> None:
    """Drop what is held for a fit, or for one of its parts."""
    with _guard:
        if number is None:
            _held.pop(fit, None)
        else:
            _held.get(fit, {}).pop(number, None)


def _hold(fit: str, number: int, first: int, X: Any, weights: F64 | None, threads: int) -> Held:
    with _guard:
        parts = _held.setdefault(fit, {})
        _held.move_to_end(fit)
        while len(_held) > FITS_HELD:
            _held.popitem(last=False)
        held = parts.get(number)
        if held is None or held.given is not X:
            labels = np.full(X.shape[0], -1, dtype=np.int32)
            mine = None if weights is None else np.require(weights, requirements=["C", "A"])
            part = Part(first, np.require(X, requirements=["C", "A"]), mine, labels)
            held = parts[number] = Held(part, X)
        held.part.engine.n_threads = threads
        return held


def work(
    fit: str,
    numbers: list[int],  # of the parts
    firsts: list[int],
    parts: list[Any],
    weights: list[Any],
    message: tuple[Place, tuple[Any, ...]],  # where the fit stands, and what the job needs
    job: Callable[..., Any],
    add: bool,
    threads: int,  # for all parts together
) -> Any:
    """Do a job with some parts; return the answers, or their sum."""
    place, what = aligned(message)
    variant = None if place.variant is None else VARIANTS[place.variant]
    lanes = max(1, min(threads, len(numbers)))

    def on(which: int) -> Any:
        first, X, mine = firsts[which], parts[which], weights[which]
        held = _hold(fit, numbers[which], first, X, mine, threads // lanes)
        held.part.engine.variant = variant
        with held.lock:
            return job(held, place, *what)

    if lanes == 1:
        found = [on(which) for which in range(len(numbers))]
    else:
        with ThreadPoolExecutor(lanes) as pool:
            found = list(pool.map(on, range(len(numbers))))
    return total(found) if add else found


async def call(
    fit: str,
    asked: dict[str, tuple[list[int], list[int], list[str], list[str | None]]],
    message: tuple[Place, tuple[Any, ...]],
    job: Callable[..., Any],
    add: bool,
    dask_worker: Any = None,  # filled in by Dask
) -> Any:
    """Do a job at once, without a task, with parts that a worker holds; None if it lacks one.

    `asked` says for each worker which parts, their first rows, and the keys of rows and weights.
    """
    global _here
    _here, held = dask_worker, dask_worker.data
    numbers, firsts, rows, weights = asked[dask_worker.address]
    if not all(key in held for key in (*rows, *weights) if key is not None):
        return None
    parts = [held[key] for key in rows]
    mine = [None if key is None else held[key] for key in weights]
    threads = dask_worker.state.nthreads
    ready = partial(work, fit, numbers, firsts, parts, mine, message, job, add, threads)
    pool = dask_worker.executors["default"]  # where tasks are done, too
    return await asyncio.get_running_loop().run_in_executor(pool, ready)


def aligned(value: Any) -> Any:
    """Return what came in a message with its arrays at even addresses, as the core needs them."""
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=["C", "A"]) if value.dtype != object else value
    if isinstance(value, (list, tuple)):
        return type(value)(aligned(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: aligned(getattr(value, f.name)) for f in fields(value)})
    return value


def total(found: list[Any]) -> Any:
    """Return the sum of answers, each a tuple of things that add up."""
    return tuple(sum(of[1:], start=of[0]) for of in zip(*found, strict=True))


def on_part(held: Held, place: Place, job: Callable[..., Any], what: tuple[Any, ...]) -> Any:
    """Do one of the jobs of :mod:`omnimeans.engines._part`, once the labels are right."""
    if place.plan is not None and place.centers is not None:
        _labelled(held, place)
    return job(held.part, *what)


def step(held: Held, place: Place, centers: Floats, mark: int) -> tuple[I64, int, int, int, I64]:
    """Label the rows anew.

    Return the sums, rows moved, rows redecided, distances computed, and the rows that each variant
    of :data:`VARIANTS` took.
    """
    assert place.plan is not None
    _labelled(held, place)
    part, rows = held.part, _rows(held, place.plan)
    held.mark = -1  # until all is done
    seen = part.engine.step(rows, centers)
    held.mark = mark
    compared = rows.n * len(centers) if seen.compared is None else seen.compared
    ran = np.array([rows.n * (name == seen.algorithm) for name in VARIANTS], dtype=np.int64)
    return seen.sums, seen.moved, seen.redecided, compared, ran


def relabel(held: Held, place: Place) -> tuple[I64]:
    """Return the sums of the labels as they are, by force."""
    assert place.plan is not None
    _labelled(held, place)
    return (held.part.rows(place.plan).core.sums(),)


def labels(held: Held, place: Place) -> Any:
    """Return the labels of a part."""
    _labelled(held, place)
    return held.part.labels


def _rows(held: Held, plan: Plan) -> CpuRows:
    """Return the rows of a part, ready for any variant of a pass that fits into the memory."""
    X, placed = held.part.X, held.part.rows(plan)
    if placed.pilot is None and is_plain(X, placed.dtype):
        placed.pilot = pilot_for(X, _spare(X.nbytes))
    return placed


def _spare(size: int) -> int:
    """Return the bytes that a worker may keep beside a part, its share of what is left."""
    left = available() // 2
    worker = _here or _worker()
    if worker is None:
        return left
    if worker.memory_manager.memory_limit:
        left = min(left, int(FILLED * worker.memory_manager.memory_limit) - resident())
    spare: int = left * size // max(size, worker.state.nbytes)
    return max(0, spare)


def _worker() -> Any:
    try:
        return need("distributed", extra="dask").get_worker()
    except ValueError:  # in a thread of a task, or in a trial without a cluster
        return None


def _labelled(held: Held, place: Place) -> None:
    """See that the labels are those of the place."""
    if held.mark == place.mark:
        return
    part = held.part
    part.labels.fill(-1)
    if place.centers is not None:
        assert place.plan is not None
        part.placed = None  # with the sums of other labels
        rows = _rows(held, place.plan)
        part.engine.step(rows, place.centers)
        for numbers, cluster in place.forced:
            mine = numbers[(numbers >= part.first) & (numbers < part.first + part.X.shape[0])]
            if len(mine):
                rows.core.relabel(mine - part.first, cluster)
    held.mark = place.mark


def _seeded(held: Held, place: Place, *, counted: bool = True) -> Shares:
    """See that the shares are those of the centres chosen so far."""
    part, plan = held.part, place.plan
    assert plan is not None
    seeds: Any = [] if place.seeds is None else place.seeds
    if part.shares is None or held.seeding != place.seeding or held.seeded > len(seeds):
        part.shares = Shares(np.full(part.X.shape[0], np.inf))
        held.seeding, held.seeded, held.meeting, held.exponent = place.seeding, 0, 0, None
    shares = part.shares
    late = []  # centres that the lists know nothing of
    for number in range(held.seeded, len(seeds)):
        meeting, which = place.chosen[number]
        if meeting == held.meeting and shares.winners is not None and shares.started:
            shares.adopt(part.weights, which)
        else:
            late.append(number)
    if late:
        shares.join(part.engine, part.X, plan.distance, seeds[late])
        shares.started, held.exponent = True, None
    held.seeded = len(seeds)
    if counted and held.exponent != place.exponent:
        shares.exponent = held.exponent = place.exponent
        shares.count(part.weights)
    return shares


def peak(held: Held, place: Place) -> float:
    """Return the largest weighted distance of a part."""
    return _seeded(held, place, counted=False).peak(held.part.weights)


def count(held: Held, place: Place) -> int:
    """Return the shares of a part."""
    return _seeded(held, place).total


def draw(held: Held, place: Place, targets: dict[int, list[int]]) -> tuple[I64, F64, Floats]:
    """Return the rows of these shares: numbers, distances, values."""
    part, shares = held.part, _seeded(held, place)
    mine = shares.draw(part.weights, targets[part.first])
    mine = np.minimum(mine, part.X.shape[0] - 1)
    assert place.plan is not None
    return mine + part.first, shares.closest[mine], part.rows(place.plan).take(mine)


def meet(held: Held, place: Place) -> tuple[bool, I64]:
    """Let the candidates meet a part; return whether the winners fit, and what each saves."""
    part, shares = held.part, _seeded(held, place)
    assert place.candidates is not None
    assert place.plan is not None
    room = max(part.X.shape[0] // 3, 1 << 14)
    threads = part.threads(len(place.candidates) * part.X.size)
    found = shares.meet(plain(part.X), part.weights, place.plan, place.candidates, threads, room)
    held.meeting = place.meeting
    return found


def worth(held: Held, place: Place, which: I64) -> tuple[bool, I64]:
    """Return what these candidates save in a part now."""
    shares = _seeded(held, place)
    if held.meeting != place.meeting or shares.winners is None:
        fits, gains = meet(held, place)
        return fits, gains[which]
    return True, shares.worth(held.part.weights, which)


def values(held: Held, place: Place, numbers: I64) -> Floats:
    """Return the rows of these numbers that lie in a part."""
    part = held.part
    mine = numbers[(numbers >= part.first) & (numbers < part.first + part.X.shape[0])]
    taken: Floats = open_store(part.X).take(mine - part.first)
    return taken
