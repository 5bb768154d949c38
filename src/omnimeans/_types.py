"""The records and protocols that the parts of omnimeans exchange.

Everything that k-means does with data is a *pass*: every row finds its nearest centre and is added
to that centre's sum.  The result of a pass over some rows is a small :class:`Pass`, and passes over
disjoint rows add up, so threads, blocks, files and machines differ only in who makes the passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]

StopReason = Literal[
    "fixed point",
    "tolerance",
    "max_iter",
    "cycle",
    "callback",
    "max_time",
    "interrupt",
    "no improvement",
]


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over some rows found.  Passes over disjoint rows add up.

    Parameters
    ----------
    sums : ndarray of shape (k, 2, d + 1), int64
        Exact weighted sums of ``(row, 1)`` per cluster, as two words on the grid of the data
        (see :mod:`omnimeans._sums`).
    moved : int
        Rows whose label changed.
    redecided : int
        Rows that the fast screen could not prove and that were decided by exact distances.
    compared : int or None
        Distances computed, at any precision; None where all were.
    algorithm : str
        The row of :mod:`omnimeans.algorithms` that ran.
    """

    sums: I64
    moved: int
    redecided: int = 0
    compared: int | None = None
    algorithm: str = "brute"

    def __add__(self, other: Pass) -> Pass:
        """Return the pass over the rows of both."""
        return Pass(
            self.sums + other.sums,
            self.moved + other.moved,
            self.redecided + other.redecided,
            None
            if self.compared is None or other.compared is None
            else self.compared + other.compared,
            self.algorithm,
        )


@dataclass(frozen=True, slots=True)
class Iteration:
    """One line of a fit's history.

    Parameters
    ----------
    inertia : float
        Objective of the assignment, at the centres that the rows were assigned to.
    moved : int
        Rows whose label changed.
    shift : float
        Sum of the squared moves of all centres.
    repaired : int
        Empty clusters that were given a row.
    redecided : int
        Rows that were decided by exact distances after the fast screen.
    seconds : float
        How long the iteration took.
    compared : float
        Distances computed, as a share of rows times centres.
    algorithm : str
        The row of :mod:`omnimeans.algorithms` that made the pass.

    What a pass cost is no part of the answer: records that differ only in the last four are equal.
    """

    inertia: float
    moved: int
    shift: float
    repaired: int
    redecided: int = field(compare=False)
    seconds: float = field(default=0.0, compare=False)
    compared: float = field(default=1.0, compare=False)
    algorithm: str = field(default="brute", compare=False)


def most_used(names: Iterable[str]) -> str:
    """Return the name that comes most often, the first of them in a tie."""
    counts = Counter(names)
    return max(counts, key=counts.__getitem__) if counts else "brute"


@dataclass(frozen=True, slots=True)
class Fit:
    """Centres, labels and inertia that belong together, and how they were reached."""

    centers: Floats
    labels: I32
    inertia: float
    history: tuple[Iteration, ...]
    stop_reason: StopReason
    start: Floats | None = None  # the centres before the first iteration

    @property
    def algorithm(self) -> str:
        """The variant that made most of the passes."""
        return most_used(record.algorithm for record in self.history)

    @property
    def n_iter(self) -> int:
        """Number of iterations."""
        return len(self.history)


@dataclass(frozen=True, slots=True)
class State:
    """A run of Lloyd's algorithm after an iteration.

    Parameters
    ----------
    first : ndarray of shape (k, d)
        The centres before the first iteration.
    before : ndarray of shape (k, d)
        The centres that the rows are assigned to.
    centers : ndarray of shape (k, d)
        The centres that come next.
    history : list of Iteration
        What has happened; it goes on growing.
    visited : set of int
        Marks of the centres that have been met; it goes on growing.
    stop : str or None
        Why this was the last iteration, if it was.
    """

    first: Floats
    before: Floats
    centers: Floats
    history: list[Iteration]
    visited: set[int]
    stop: StopReason | None = None


class Watcher(Protocol):
    """Somebody who is told how a fit goes on, and may end it."""

    def begin(self, restart: int, iteration: int) -> None:
        """Take note of a start that was made, or is taken up again after so many iterations."""
        ...

    def iterated(self, record: Iteration, centers: Floats) -> bool:
        """Take note of an iteration and the centres that it led to; return true to end the fit."""
        ...

    def ended(self, fit: Fit) -> bool:
        """Take note of what a start has led to; return true to end the fit."""
        ...


@dataclass(frozen=True, slots=True)
class Distance:
    """A way to compare a row with a centre, and the centre that it asks for.

    Parameters
    ----------
    name : str
        The user's name for it.
    kernel : {"euclidean", "manhattan", "cosine"}
        What the engine minimises: squared Euclidean distance, city-block distance, or one minus
        the cosine of the angle.
    center : {"mean", "median", "direction"}
        How a cluster's centre is found; a direction is the mean scaled to unit length.
    """

    name: str
    kernel: Literal["euclidean", "manhattan", "cosine"]
    center: Literal["mean", "median", "direction"]


class Rows(Protocol):
    """Data as an engine holds it, with what one look at all rows told about it."""

    first: int  # number of the first row; more than 0 in a part of larger data
    n: int  # rows
    d: int  # columns
    dtype: np.dtype[Any]  # of the centres: float32 for float32 rows, else float64
    X: Any  # (n, d) as it was placed; rows are read by `take`
    weights: F64 | None  # (n,) what can pull a centre, or None for unit weights
    labels: I32  # (n,) nearest centre in the last step; before it, the first row's is -1
    mean: Floats  # (d,) weighted mean of the rows, in their dtype
    spread: float  # weighted sum of squared distances to the mean
    weight: float  # sum of the weights
    remoteness: float  # weight times the squared distance of the mean from zero
    exponent: int  # the values are the user's, divided by 2**exponent; 0 unless they are extreme

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array of `dtype`, in the order of their numbers."""
        ...


class Seeding(Protocol):
    """The rows' distances to the centres chosen so far, counted in whole steps.

    The shares of the rows, weight times distance (before the first centre: the weight), are
    rounded to multiples of a power of two, so that their sums are integers: what is drawn does not
    depend on blocks or threads.
    """

    def draw(self, tickets: U64) -> I64:
        """Return a row number for each ticket; rows are drawn by their share."""
        ...

    def closest(self, numbers: I64) -> F64:
        """Return these rows' distances to the nearest centre, infinite before there is one."""
        ...

    def meet(self, candidates: Floats) -> None:
        """Look at all rows once, to know which of them each candidate would win."""
        ...

    def worth(self, which: I64) -> I64:
        """Return how much each of these candidates would take off all shares together."""
        ...

    def adopt(self, which: int) -> None:
        """Make one of the candidates a centre."""
        ...

    def join(self, centers: Floats) -> None:
        """Make all of these rows centres at once; `meet` and what follows it are then over."""
        ...


def equal_rows(rows: Rows, numbers: I64, model: Floats) -> NDArray[np.bool_]:
    """Tell which of these rows are copies of this one (d,); a missing value is like another."""
    same = np.empty(len(numbers), dtype=np.bool_)
    some = max(1, 2**18 // rows.d)  # rows looked at together
    for first in range(0, len(numbers), some):
        seen = rows.take(numbers[first : first + some])
        equal = (seen == model) | ((seen != seen) & (model != model))
        same[first : first + some] = equal.all(axis=1)
    return same


R = TypeVar("R", bound=Rows)
T = TypeVar("T")


class EngineOf(Protocol[R]):
    """Makes the passes.  Plain arrays in and out; no validation, no randomness, no loop.

    The labels, sums and distances of any two engines are the same, bit for bit.
    """

    name: str

    def place(self, X: Any, weights: F64 | None, distance: Distance) -> R:
        """Look at all rows once and return them ready for passes."""
        ...

    def step(self, rows: R, centers: Floats) -> Pass:
        """Assign every row to its nearest centre (``rows.labels``) and sum up the clusters."""
        ...

    def means(self, rows: R, sums: I64) -> tuple[F64, F64]:
        """Return the exact means (k, d), correctly rounded, and the weights (k,) of the sums."""
        ...

    def medians(self, rows: R, k: int) -> F64:
        """Return the coordinate-wise weighted medians (k, d) of the labelled rows."""
        ...

    def relabel(self, rows: R, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        ...

    def distances(self, rows: R, centers: Floats, labels: I32 | None = None) -> F64:
        """Return the distance of each row to its own centre (to centre 0 without labels)."""
        ...

    def pairs(self, a: Floats, b: Floats, distance: Distance) -> F64:
        """Return the distance of each row of `a` to the same row of `b`."""
        ...

    def total(self, values: F64, weights: F64 | None) -> float:
        """Return the exact (weighted) sum of the values, correctly rounded."""
        ...

    def inertia(self, rows: R, centers: Floats) -> float:
        """Return the exact weighted sum of the rows' distances to their own centres."""
        ...

    def each(self, rows: R, look: Callable[..., T], *what: Any) -> list[T]:
        """Return ``look(engine, part, *what)`` for each part that the rows are kept in.

        See :mod:`omnimeans.looks`.
        """
        ...

    def seeding(self, rows: R) -> Seeding:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        ...

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed."""
        ...

    def own(self, X: Any, centers: Floats, labels: I32, distance: Distance) -> F64:
        """Return the distance of each row to its own centre, of rows that were never placed."""
        ...

    def all_pairs(self, X: Any, centers: Floats, distance: Distance) -> F64:
        """Return the distance of each row to each centre, (n, k)."""
        ...

    def lengths(self, X: Any, centers: Floats, distance: Distance, dtype: Any) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        ...


Engine: TypeAlias = EngineOf[Any]
Watch = Callable[[State], StopReason | None]
Callback = Callable[[Any], Any]  # of an omnimeans.progress.Progress; true ends the fit
Start = Callable[[Engine, Rows, int, np.random.Generator], Floats]
