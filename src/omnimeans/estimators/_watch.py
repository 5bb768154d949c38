"""Who is told about a fit while it runs: the screen, the user's callback, scikit-learn's callbacks.

And what is said when it is over, if it did not end as it should.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from omnimeans._control import Control
from omnimeans._types import Callback, Fit, Floats, Iteration
from omnimeans.estimators._callbacks import Tasks
from omnimeans.progress import Progress


@dataclass(slots=True)
class Follower:
    """Follows a fit: prints what scikit-learn prints, and shows the others what happens."""

    verbose: bool
    callback: Callback | None
    n_restarts: int
    max_iter: int
    tol: float
    tasks: Tasks | None = None
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
        self.last = record
        self.stopped = self._call("iteration", record, centers)
        self.iteration += 1
        ended = self.tasks is not None and self.tasks.end_iteration(centers)
        return self.stopped or ended

    def ended(self, fit: Fit) -> bool:
        """Take note of the end of a start; return true to end the fit with it."""
        self.best = fit.inertia if self.best is None else min(self.best, fit.inertia)
        ended = self.tasks is not None and self.tasks.end_start(fit)
        self.iteration = fit.n_iter - 1
        called = self._call("restart", fit.history[-1], fit.centers, fit)
        self.stopped = self.stopped or called
        return self.stopped or ended

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


def warn_of_the_end(owner: str, fit: Fit, control: Control, tol: float, n_restarts: int) -> None:
    """Say that a fit was interrupted, or how far it was from converging."""
    if control.stopped == "interrupt":
        on = (
            "It goes on from its checkpoint when fit is called again. "
            if control.recorder is not None
            else ""
        )
        starts = f" of start {control.restart + 1} of {n_restarts}" if n_restarts > 1 else ""
        warnings.warn(
            f"{owner} was interrupted in the middle{starts} and keeps the best model so far, with "
            f"an inertia of {fit.inertia} after {fit.n_iter} iterations. {on}Set "
            "raise_on_interrupt=True to get a KeyboardInterrupt instead.",
            RuntimeWarning,
            stacklevel=4,
        )
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
