"""What a Dask worker does: jobs on the parts it holds, and catching up where it has lost its place.

A worker keeps, beside each part's rows, the labels and distances that the last job left.  They are
no more than a memory: every job says which centres they come from, so a worker that joins late, or
takes over from a lost one, finds them again by itself, with the same bits.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._rows import number_type, plain
from omnimeans._types import F64, I64, Floats
from omnimeans.engines._part import Part, Plan
from omnimeans.engines._shares import Shares
from omnimeans.engines.stores import open_store
from omnimeans.sources.streams import as_array

FITS_HELD = 2  # fits whose parts a worker remembers at a time


@dataclass(slots=True)
class Place:
    """Where a fit stands: all that a worker needs to catch up."""

    plan: Plan | None = None
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


def forget(fit: str) -> None:
    """Drop what is held for a fit."""
    with _guard:
        _held.pop(fit, None)


def _hold(fit: str, number: int, first: int, X: Any, weights: F64 | None) -> Held:
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
        return held


def work(
    fit: str,
    numbers: list[int],  # of the parts
    firsts: list[int],
    parts: list[Any],
    weights: list[Any],
    place: Place,
    job: Callable[..., Any],
    what: tuple[Any, ...],
    add: bool,
) -> Any:
    """Do a job with some parts; return the answers, or their sum."""
    place, what = aligned(place), aligned(what)
    found = []
    for number, first, X, mine in zip(numbers, firsts, parts, weights, strict=True):
        held = _hold(fit, number, first, X, mine)
        with held.lock:
            found.append(job(held, place, *what))
    return total(found) if add else found


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


def step(held: Held, place: Place, centers: Floats, mark: int) -> tuple[I64, int, int]:
    """Label the rows anew; return sums, rows moved and rows redecided."""
    assert place.plan is not None
    _labelled(held, place)
    core = held.part.rows(place.plan).core
    held.mark = -1  # until all is done
    moved, redecided, *_ = core.step(centers, 1)
    held.mark = mark
    return core.sums(), moved, redecided


def relabel(held: Held, place: Place) -> tuple[I64]:
    """Return the sums of the labels as they are, by force."""
    assert place.plan is not None
    _labelled(held, place)
    return (held.part.rows(place.plan).core.sums(),)


def labels(held: Held, place: Place) -> Any:
    """Return the labels of a part."""
    _labelled(held, place)
    return held.part.labels


def _labelled(held: Held, place: Place) -> None:
    """See that the labels are those of the place."""
    if held.mark == place.mark:
        return
    part = held.part
    part.labels.fill(-1)
    if place.centers is not None:
        assert place.plan is not None
        part.placed = None  # with the sums of other labels
        core = part.rows(place.plan).core
        core.step(place.centers, 1)
        for numbers, cluster in place.forced:
            mine = numbers[(numbers >= part.first) & (numbers < part.first + part.X.shape[0])]
            if len(mine):
                core.relabel(mine - part.first, cluster)
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
    found = shares.meet(plain(part.X), part.weights, place.plan, place.candidates, 1, room)
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


# partitions, before a fit


def prepare(block: Any, dtype: str | None = None) -> Floats:
    """Return a partition as plain rows: arrays, data frames, sparse blocks."""
    rows = as_array(block)
    if rows.ndim == 1:
        rows = rows.reshape(len(rows), -1)
    return np.ascontiguousarray(rows, dtype=dtype or number_type(rows))


def describe(X: Floats) -> tuple[int, int, str, tuple[int, int, float] | None]:
    """Return a partition's size, type, and its first value that is no finite number."""
    bad = None
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0].tolist()
        bad = (row, column, float(X[row, column]))
    return (X.shape[0], X.shape[1], str(X.dtype), bad)


def unit(X: Any) -> Floats:
    """Return the rows of a partition with unit length."""
    rows: Floats = _core.unit_rows(plain(X), 1)[0]
    return rows


def blank(X: Any) -> int | None:
    """Return the first row of a partition that has no direction, None if all have one."""
    zero = np.flatnonzero(~plain(X).any(axis=1))
    return int(zero[0]) if len(zero) else None


def keep(value: Any) -> Any:
    """Return a value: what came with the task is then on the worker."""
    return value


def read(source: Any, first: int, stop: int) -> Any:
    """Read rows of a source on the worker."""
    return np.concatenate([rows for _, rows in source.blocks(stop - first, _exactly(first, stop))])


def _exactly(first: int, stop: int) -> Callable[[int, int], bool]:
    return lambda a, b: first <= a and b <= stop
