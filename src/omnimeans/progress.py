"""What a fit tells a callback, and a progress bar that listens to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from omnimeans._types import Floats, StopReason

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars


@dataclass(frozen=True, slots=True)
class Progress:
    """What ``callback(record)`` is shown after an iteration, and when a start has come to its end.

    Parameters
    ----------
    event : {"iteration", "restart"}
        An iteration was made, or the iterations of one start have ended.
    restart : int
        Number of the start, from 0.
    n_restarts : int
        How many starts there are.
    iteration : int
        Number of the (last) iteration of this start, from 0: its place in ``history_``.
    max_iter : int
        How many iterations there are at most.
    inertia : float
        After an iteration the objective of its assignment; at the end of a start, of its result.
    moved : int
        Rows whose label changed in the iteration.
    shift : float
        Sum of the squared moves of all centres.
    tol : float
        The iterations end when `shift` is no larger.
    repaired : int
        Empty clusters that were given a row.
    redecided : int
        Rows that were decided by exact distances.
    seconds : float
        Time since the fit began to look for centres.
    centers : ndarray of shape (k, d)
        The centres as they are now; read-only.
    best_inertia : float or None
        The lowest inertia of the starts that have ended; None before the first end.
    stop_reason : str or None
        Why the start has ended, one of those of ``stop_reason_``; None after an iteration.
    rows : int
        Rows that the iteration looked at: all, or those of a mini-batch's sample.
    done : float
        The part of the start's work that is done, from 0 to 1, as far as that can be told.
    """

    event: Literal["iteration", "restart"]
    restart: int
    n_restarts: int
    iteration: int
    max_iter: int
    inertia: float
    moved: int
    shift: float
    tol: float
    repaired: int
    redecided: int
    seconds: float
    centers: Floats
    best_inertia: float | None
    stop_reason: StopReason | None
    rows: int = 0
    done: float = 0.0


class ProgressBar:
    """Show how a fit goes on, as a bar with the time that is left, drawn by rich.

    How far a start of :class:`KMeans` has come is judged by its iterations and, as it mostly ends
    long before `max_iter`, by how near the moves of its centres have come to the tolerance; of
    :class:`MiniBatchKMeans` by the size of its sample, of :class:`BisectingKMeans` by its splits.

    Parameters
    ----------
    console : rich.console.Console or None, default=None
        Where to draw; None is the terminal or notebook.
    transient : bool, default=False
        Whether the bar vanishes when the fit is over.

    Examples
    --------
    >>> import omnimeans as om
    >>> model = om.KMeans(n_clusters=2, random_state=0, callback=om.ProgressBar())
    >>> model = model.set_params(callback=None)  # one line on a terminal while it fits
    """

    def __init__(self, console: Console | None = None, *, transient: bool = False) -> None:
        self.console = console
        self.transient = transient
        self._bars: Bars | None = None
        self._task: Any = None

    def __call__(self, record: Progress) -> None:
        """Draw what has been reached."""
        if self._bars is None:
            self._open(record)
        assert self._bars is not None
        start = f"start {record.restart + 1}/{record.n_restarts}, " * (record.n_restarts > 1)
        self._bars.update(
            self._task,
            completed=record.restart + record.done,
            text=f"{start}iteration {record.iteration + 1}, inertia {record.inertia:.6g}, "
            f"{record.moved} rows moved",
        )

    def close(self) -> None:
        """Let go of the terminal; `fit` calls this when it is over, however it ended."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = None

    def _open(self, record: Progress) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            TextColumn("k-means"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=self.console,
            transient=self.transient,
        )
        self._task = self._bars.add_task("k-means", total=record.n_restarts, text="")
        self._bars.start()
