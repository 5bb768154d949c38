"""Who is told about a fit while it runs: the screen, the user's callback, scikit-learn's callbacks.

And what is said when it is over, if it did not end as it should.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from time import perf_counter
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

from omnimeans._bisect import Split
from omnimeans._control import Control, Recorder
from omnimeans._types import Callback, Fit, Floats, Iteration
from omnimeans.estimators._callbacks import Tasks
from omnimeans.progress import Progress

# The parameters that say who watches a fit and ends it, alike for all estimators.
WATCHED: dict[str, Any] = {
    "callback": [callable, None],
    "max_time": [Interval(Real, 0, None, closed="neither"), None],
    "raise_on_interrupt": ["boolean"],
}


@dataclass(slots=True)
class Follower:
    """Follows a fit: prints what scikit-learn prints, and shows the others what happens."""

    verbose: bool
    callback: Callback | None
    n_restarts: int
    max_iter: int
    tol: float
    tasks: Tasks | None = None
    judge: Callable[[Follower, Iteration], float] | None = None  # what part of a start is done
    rows: int = 0  # of the passes
    all_rows: int = 0
    first: float = math.nan  # the shift of a start's first iteration
    restart: int = 0
    iteration: int = 0
    stopped: bool = False
    best: float | None = None
    last: Iteration | None = None
    begun: float = field(default_factory=perf_counter)

    @property
    def listens(self) -> bool:
        """Whether there is anybody to tell."""
        return self.verbose or self.callback is not None or self.tasks is not None

    def begin(self, restart: int, iteration: int) -> None:
        """Take note of a start."""
        self.restart, self.iteration = restart, iteration
        self._say("Initialization complete")
        if self.tasks is not None:
            self.tasks.begin_start()

    def iterated(self, record: Iteration, centers: Floats) -> bool:
        """Take note of an iteration; return true to end the start with it."""
        self._tell(record)
        if self.iteration == 0:
            self.first = record.shift
        self.last = record
        self.stopped = self._call("iteration", record, centers)
        self.iteration += 1
        ended = self.tasks is not None and self.tasks.end_iteration(centers)
        return self.stopped or ended

    def ended(self, fit: Fit) -> bool:
        """Take note of the end of a start; return true to end the fit with it."""
        self.best = fit.inertia if self.best is None else min(self.best, fit.inertia)
        ended = self.tasks is not None and self.tasks.end_start(fit)
        self.iteration = max(0, fit.n_iter - 1)
        last = fit.history[-1] if fit.history else Iteration(fit.inertia, 0, 0.0, 0, 0)
        called = self._call("restart", last, fit.centers, fit)
        self.stopped = self.stopped or called
        return self.stopped or ended

    def end(self) -> None:
        """Tell scikit-learn's callbacks that the model is fitted."""
        if self.tasks is not None:
            self.tasks.end()

    def close(self) -> None:
        """Let go of what the callbacks hold, such as the terminal."""
        if self.tasks is not None:
            self.tasks.close()
        close = getattr(self.callback, "close", None)
        if close is not None:
            close()

    def _call(self, event: Any, record: Iteration, centers: Floats, fit: Fit | None = None) -> bool:
        if self.callback is None:
            return False
        shown = centers.view()
        shown.flags.writeable = False
        judge = self.judge or by_moves
        told = Progress(
            event=event,
            restart=self.restart,
            n_restarts=self.n_restarts,
            iteration=self.iteration,
            max_iter=self.max_iter,
            inertia=record.inertia if fit is None else fit.inertia,
            moved=record.moved,
            shift=record.shift,
            tol=self.tol,
            repaired=record.repaired,
            redecided=record.redecided,
            seconds=perf_counter() - self.begun,
            centers=shown,
            best_inertia=self.best,
            stop_reason=None if fit is None else fit.stop_reason,
            rows=self.rows,
            done=judge(self, record) if fit is None else 1.0,
        )
        return bool(self.callback(told))

    def _tell(self, record: Iteration) -> None:
        self._say(f"Iteration {self.iteration}, inertia {record.inertia}.")
        if record.shift == 0.0:
            self._say(f"Converged at iteration {self.iteration}: strict convergence.")
        elif record.shift <= self.tol:
            self._say(
                f"Converged at iteration {self.iteration}: center shift {record.shift} within "
                f"tolerance {self.tol}."
            )

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)  # noqa: T201 - the job


def by_moves(follower: Follower, record: Iteration) -> float:
    """Judge how much of a start is done by its iterations and by how near it is to standing still.

    Mostly it ends long before `max_iter`.
    """
    counted = (follower.iteration + 1) / follower.max_iter
    tol, first = follower.tol, follower.first
    if record.shift <= tol:
        return 1.0
    if 0.0 < tol < first and record.shift < first:
        return max(counted, math.log(first / record.shift) / math.log(first / tol))
    return counted


def followed(
    model: Any,
    given: tuple[Any, Any, Any],  # X, y, sample_weight
    *,
    max_iter: int,
    n_restarts: int = 1,
    tol: float = 0.0,
    recorder: Recorder | None = None,
    rows: int = 0,
    verbose: bool = False,
    judge: Callable[[Follower, Iteration], float] | None = None,
    fitted: Callable[[Floats], dict[str, Any]] | None = None,  # what callbacks may predict with
) -> tuple[Follower, Control]:
    """Return who tells of a fit, and who may end it, as the estimator's parameters have it."""
    tasks = Tasks.of(model, n_restarts, max_iter, *given, fitted)
    follower = Follower(verbose, model.callback, n_restarts, max_iter, tol, tasks, judge, rows)
    control = Control(
        follower if follower.listens else None,
        max_time=model.max_time,
        keep_on_interrupt=not model.raise_on_interrupt,
        recorder=recorder,
    )
    return follower, control


def warn_of_interrupt(
    owner: str, fit: Fit, control: Control, *, of: str = "", one: str = "iteration", on: str = ""
) -> None:
    """Say that a fit was interrupted, if it was, and what became of it."""
    if control.stopped == "interrupt":
        counted = one if fit.n_iter == 1 else f"{one}s"
        warnings.warn(
            f"{owner} was interrupted in the middle{of} and keeps the best model so far, with "
            f"an inertia of {fit.inertia} after {fit.n_iter} {counted}. {on}Set "
            "raise_on_interrupt=True to get a KeyboardInterrupt instead.",
            RuntimeWarning,
            stacklevel=5,
        )


def warn_of_the_end(owner: str, fit: Fit, control: Control, tol: float, n_restarts: int) -> None:
    """Say that a fit was interrupted, or how far it was from converging."""
    if control.stopped == "interrupt":
        again = "It goes on from its checkpoint when fit is called again. "
        of = f" of start {control.restart + 1} of {n_restarts}" if n_restarts > 1 else ""
        on = again if control.recorder is not None else ""
        warn_of_interrupt(owner, fit, control, of=of, on=on)
    elif fit.stop_reason == "max_iter":
        last = fit.history[-1]
        times = f", {last.shift / tol:.3g} times the tolerance of {tol:.3g}" if tol else ""
        warnings.warn(
            f"{owner} stopped after max_iter={fit.n_iter} iterations, before it converged: in the "
            f"last one {last.moved} of {len(fit.labels)} rows changed their cluster, and the "
            f"squared moves of the centres summed to {last.shift:.3g}{times}. Raise max_iter, or "
            "tol if that is near enough.",
            ConvergenceWarning,
            stacklevel=4,
        )


def warn_of_the_last_batch(model: Any, fit: Fit, control: Control, rows: int, n: int) -> None:
    """Say that a mini-batch fit was interrupted, or that it came to its most passes before."""
    owner = type(model).__name__
    without = model.compute_labels and not len(fit.labels)
    on = "There are no labels_, which would take longer; predict finds them. " if without else ""
    warn_of_interrupt(owner, fit, control, on=on)
    if fit.stop_reason == "max_iter":
        warnings.warn(
            f"{owner} stopped after max_iter={model.max_iter} passes, before it converged: its "
            f"last iteration looked at {rows} of {n} rows, {fit.history[-1].moved} of which "
            "changed their cluster. Raise max_iter, or max_no_improvement or tol if that is near "
            "enough.",
            ConvergenceWarning,
            stacklevel=4,
        )


def warn_of_the_splits(model: Any, fit: Fit, control: Control, splits: Sequence[Split]) -> None:
    """Say that a bisecting fit was interrupted, or that splits of it did not converge."""
    owner, k = type(model).__name__, int(model.n_clusters)
    on = f"It has {len(fit.centers)} of {k} clusters. "
    warn_of_interrupt(owner, fit, control, one="split", on=on)
    short = sum(split.stop_reason == "max_iter" for split in splits)
    if short and control.stopped is None:
        warnings.warn(
            f"{short} of the {len(splits)} splits of {owner} stopped after "
            f"max_iter={model.max_iter} iterations, before they converged. Raise max_iter, or tol "
            "if that is near enough.",
            ConvergenceWarning,
            stacklevel=4,
        )
