"""What stands around the loop: the best fit so far, and who may end a fit before its time.

A fit that is ended by Ctrl-C or by its time limit, also in the middle of a long pass, leaves the
best model that it had.  Labels, centres and inertia of a model belong together, and finding them
takes a pass, for which there is no time if passes are long.  So long passes are followed, now and
then, by a snapshot of the assignment that has just been made; short ones are simply made again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

import numpy as np

from omnimeans import _core, _scaling
from omnimeans._types import (
    I32,
    Distance,
    Engine,
    Fit,
    Floats,
    Iteration,
    Rows,
    State,
    StopReason,
    Watcher,
)

QUICK = 0.05  # seconds: an iteration that takes no longer is made again after an interrupt
SHARE = 20  # snapshots may take one part in so many of the time
PROMPT = 0.12  # seconds: what is done after an interrupt beyond the necessary takes no longer
RESERVED = 0.5  # of the time that was given: no more is kept for what follows the iterations

# first centres, last centres, history, reason
Finish = Callable[[Floats, Floats, Sequence[Iteration], StopReason], Fit]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An assignment: all that a model needs but, mostly, its inertia."""

    labels: I32
    inertia: float | None
    before: Floats
    history: tuple[Iteration, ...]
    first: Floats


class Recorder(Protocol):
    """Writes down how far a fit has got, so that another process can go on with it."""

    def resume(self, engine: Engine, rows: Rows, finish: Finish) -> tuple[int, Fit | None]:
        """Return the start to go on with, and the best of those before."""
        ...

    def earlier(self) -> State | None:
        """Return how far that start had got; None if it had not been made."""
        ...

    def write(
        self, restart: int, state: State | None, best: Fit | None, at_once: bool = False
    ) -> None:
        """Write this down, at once or when enough time has passed."""
        ...

    def close(self) -> None:
        """Forget about it: the fit has come to its end."""
        ...


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let passes of this thread raise ``TimeIsUp`` when these seconds are over."""
    _core.set_deadline(seconds)
    try:
        yield
    finally:
        _core.set_deadline(None)


class Control:
    """Keeps the best fit, tells watchers and the recorder, and ends a fit when it is asked to.

    Parameters
    ----------
    watcher : Watcher or None
        Told of every iteration and every start.
    max_time : float or None
        Seconds after which the fit ends; one iteration is made in any case.
    keep_on_interrupt : bool
        Whether Ctrl-C leaves the best fit so far instead of raising KeyboardInterrupt.
    recorder : Recorder or None
        Writes checkpoints.
    """

    def __init__(
        self,
        watcher: Watcher | None = None,
        *,
        max_time: float | None = None,
        keep_on_interrupt: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        self.watcher, self.max_time, self.recorder = watcher, max_time, recorder
        self.best: Fit | None = None
        self.stopped: StopReason | None = None  # why no further start was made
        self.restart = 0  # the present start
        self.rescued: tuple[type[BaseException], ...] = (
            *((KeyboardInterrupt,) if keep_on_interrupt else ()),
            *((_core.TimeIsUp,) if max_time is not None else ()),
        )
        self.watch = self._watch if watcher or recorder or self.rescued else None
        # whether somebody waits for the single iterations; Ctrl-C does not
        self.watched = bool(watcher or recorder or max_time is not None)
        self._iterated = False  # one iteration is made in any case
        self._state: State | None = None  # the present start's last iteration
        self._snapshot: Snapshot | None = None  # of the present start
        self._spare: I32 | None = None  # labels to be written over
        self._next_snapshot = 0.0
        self._inertia_seconds = math.inf  # not known yet

    # ---- in the order in which a fit calls

    def begin(
        self,
        engine: Engine,
        rows: Rows,
        distance: Distance,
        finish: Finish,
        *,
        whole: bool = True,
        exponent: int | None = None,
    ) -> None:
        """Take note of what is clustered, and of what another process has left behind.

        The rows are not the `whole` if their labels are not those of the model, such as a sample's.
        The user's values are divided by two to this power; None is that of the rows.
        """
        self._engine, self._distance, self._finish = engine, distance, finish
        self._exponent = rows.exponent if exponent is None else exponent
        self.look_at(rows, whole=whole)
        self._reserved = 0.0
        self._begun = perf_counter()
        self._first = 0
        if self.recorder is not None:
            self._first, self.best = self.recorder.resume(engine, rows, finish)

    def look_at(self, rows: Rows, *, whole: bool) -> None:
        """Take note of the rows of the passes that follow."""
        self._rows = rows if whole else None  # a sample may go

    def reserve(self, seconds: float) -> None:
        """Take note of how long it takes to make a model when the iterations are over."""
        self._reserved = min(seconds, RESERVED * (self.max_time or 0.0))

    def restarts(self, count: int) -> Iterator[int]:
        """Go through the numbers of the starts, until somebody ends the fit."""
        for number in range(self._first, count):
            self.restart = number
            self._state = self.recorder.earlier() if self.recorder is not None else None
            self._snapshot = None
            if self._iterated:
                self._set_deadline()  # there is a model to leave
            yield number
            if self.stopped:
                return

    def earlier(self) -> State | None:
        """Return how far the present start was in another process."""
        return self._state

    def started(self, number: int, centers: Floats, earlier: State | None) -> None:
        """Take note that there are centres to start from."""
        self._state = earlier or State(centers, centers, centers, [], set())
        if not earlier:
            self._write(number, self._state)
        if self.watcher is not None:
            self.watcher.begin(number, len(self._state.history))

    def _watch(self, state: State) -> StopReason | None:
        """Take note of an iteration; return why it was the last, if that is so."""
        self._state, self._iterated = state, True
        if state.stop is None:
            self._take_snapshot(state)
            self._write(self.restart, state)
        else:
            self._spare = None  # no more snapshots: make room for the model
        asked = self._tell(state) and state.stop is None
        self._set_deadline(armed=not (asked or state.stop))
        if asked:
            self._write(self.restart, state, at_once=True)
        return "callback" if asked else None

    def keep(self, fit: Fit) -> None:
        """Take note of what a start has led to."""
        self._iterated = True
        self._set_deadline(armed=False)
        if self.best is None or fit.inertia < self.best.inertia:
            self.best = fit
        self._state = self._snapshot = None
        ended = _scaling.restored(fit, self._exponent, self._distance)
        if self.watcher is not None and self.watcher.ended(ended):
            self.stopped = "callback"
        if not self.stopped:
            self._write(self.restart + 1, None)

    def fall_back(self, make: Callable[[], Fit]) -> None:
        """Take something for the best, before the first iteration is over."""
        self._set_deadline(armed=False)
        if self.best is None:
            self.best = make()

    def rescue(self, interrupt: BaseException) -> None:
        """Make the best of a fit that was interrupted; raise again if there is nothing to keep."""
        self._set_deadline(armed=False)
        self.stopped = "max_time" if isinstance(interrupt, _core.TimeIsUp) else "interrupt"
        state, fit = self._state, None
        self._write(self.restart, state, at_once=True)
        if self._snapshot and state and state.history[-1].seconds > QUICK:
            fit = self._of_snapshot(self._snapshot, self.stopped)
        if fit is None and state and state.history:
            reason = state.stop or self.stopped
            fit = self._finish(state.first, state.centers, state.history, reason)
        if fit is not None and (self.best is None or fit.inertia < self.best.inertia):
            self.best = fit
        if self.best is None:
            raise interrupt

    def end(self) -> Fit:
        """Return the best fit."""
        if self.recorder is not None and not self.stopped:
            self.recorder.close()
        assert self.best is not None
        return self.best

    # ---- the parts of it

    def _tell(self, state: State) -> bool:
        if self.watcher is None:
            return False
        _core.set_deadline(None)  # not in the user's code
        exponent = self._exponent
        record = _scaling.restored_record(state.history[-1], exponent, self._distance)
        centers = _scaling.scaled(state.centers, exponent) if exponent else state.centers
        return self.watcher.iterated(record, centers)

    def _write(self, restart: int, state: State | None, at_once: bool = False) -> None:
        if self.recorder is not None:
            self.recorder.write(restart, state, self.best, at_once)

    def _take_snapshot(self, state: State) -> None:
        """Keep this assignment, if it was long in the making and there is time for it."""
        record, begun = state.history[-1], perf_counter()
        rows = self._rows
        if not self.rescued or rows is None or record.seconds <= QUICK:
            return
        if record.repaired or math.isinf(record.shift):
            return  # the labels are no longer those of the pass
        if begun < self._next_snapshot and self._left() > 0:
            return
        labels = rows.labels
        spare = self._spare if self._spare is not None else np.empty_like(labels)
        np.copyto(spare, labels)
        kept = Snapshot(spare, None, state.before, tuple(state.history), state.first)
        earlier = self._snapshot
        if self._inertia_seconds > QUICK:  # too slow to be found after an interrupt
            self._snapshot = earlier or kept  # one without inertia is better than none
            inertia, self._inertia_seconds = self._timed_inertia(rows, state.before)
            kept = replace(kept, inertia=inertia)
        self._spare = None if earlier is None else earlier.labels
        self._snapshot = kept
        ended = perf_counter()
        self._next_snapshot = ended + SHARE * (ended - begun)

    def _timed_inertia(self, rows: Rows, centers: Floats) -> tuple[float, float]:
        begun = perf_counter()
        return self._engine.inertia(rows, centers), perf_counter() - begun

    def _of_snapshot(self, kept: Snapshot, reason: StopReason) -> Fit | None:
        """Return the model of a snapshot; None where labels cannot be put back."""
        inertia, rows = kept.inertia, self._rows
        if inertia is None and rows is not None and isinstance(rows.labels, np.ndarray):
            rows.labels[:] = kept.labels
            if not np.array_equal(rows.labels, kept.labels):
                return None
            inertia = self._engine.inertia(rows, kept.before)
        if inertia is None:
            return None
        return Fit(kept.before, kept.labels, inertia, kept.history, reason, kept.first)

    def _left(self) -> float:
        """Return the seconds that are left."""
        if self.max_time is None:
            return math.inf
        return self._begun + self.max_time - self._reserved - perf_counter()

    def _set_deadline(self, armed: bool = True) -> None:
        """Let passes end at the time limit; raise at once if it is over."""
        if self.max_time is None:
            return
        _core.set_deadline(self._left() if armed else None)
        if armed and self._left() <= 0:
            raise _core.TimeIsUp("the time that was given is over")
