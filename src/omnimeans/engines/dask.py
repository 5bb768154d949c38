"""The engine for a Dask cluster: the compiled one, on the workers that hold the rows.

Rows stay where they are; centres travel to them, and sums come back, added up in a tree.  A worker
that is lost is replaced by any other: the partition is computed again by Dask, and its labels by
what every job says of where the fit stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from omnimeans._optional import need
from omnimeans._types import F64, I32, I64, U64, Distance, Floats, Pass
from omnimeans.algorithms import VARIANTS, Variant
from omnimeans.engines import _work
from omnimeans.engines._cluster import ClusterRows
from omnimeans.engines._parts import PartsEngine, PartsRows
from omnimeans.engines._post import Post
from omnimeans.engines._scratch import release, scratch
from omnimeans.engines._shares import bits_of, finest
from omnimeans.engines._work import Place
from omnimeans.sources.memory import available

T = TypeVar("T")

FETCHED = 1 << 26  # labels that are brought home at a time


def current_client() -> Any:
    """Return the client that Dask uses now, None if there is none."""
    import sys

    distributed = sys.modules.get("distributed")
    try:
        return distributed.get_client() if distributed is not None else None
    except ValueError:
        return None


class DaskRows(PartsRows):
    """Rows on a cluster."""

    X: ClusterRows

    def __init__(self, X: ClusterRows, weights: F64 | None, distance: Distance) -> None:
        super().__init__(X.n_rows, X.n_cols, X.dtype, weights, distance)
        self.X, self.post = X, Post(X, weights)
        self.place = Place()
        self.labels: Any = Labels(self)
        self.drawn: dict[int, Floats] = {}

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array, in the order of their numbers."""
        numbers = np.asarray(numbers, dtype=np.int64)
        missing = np.array(sorted({n for n in numbers.tolist() if n not in self.drawn}))
        known = dict(self.drawn)
        if len(missing):
            missing = missing.astype(np.int64)
            own = np.searchsorted(self.X.firsts, missing, side="right") - 1
            some = sorted(set(own.tolist()))
            found = np.concatenate(self.post.send(self.place, _work.values, missing, parts=some))
            known |= dict(zip(missing.tolist(), found, strict=True))
        if not len(numbers):
            return np.empty((0, self.d), dtype=self.dtype)
        return np.stack([known[n] for n in numbers.tolist()]).astype(self.dtype, copy=False)


class Labels:
    """The labels of rows on a cluster, which stay there until they are asked for."""

    def __init__(self, rows: DaskRows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows.n

    @property
    def known(self) -> bool:
        """Whether there are any."""
        return self.rows.place.centers is not None

    def fill(self, value: int) -> None:
        """Begin anew; only -1 makes sense."""
        place = self.rows.place
        place.mark, place.centers, place.forced = place.mark + 1, None, []

    def copy(self) -> I32:
        """Bring all labels here, some parts at a time; into a file if there is no room for them."""
        rows, at = self.rows, 0
        labels: I32 = scratch(rows.n, np.int32, in_file=8 * rows.n > available())
        for parts in _some(rows.X.lengths):
            for found in rows.post.send(rows.place, _work.labels, parts=parts):
                labels[at : at + len(found)] = found
                at += len(found)
            release(labels)
        return labels

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> I32:
        return self.copy()


def _some(lengths: list[int]) -> Iterator[list[int]]:
    """Yield the numbers of parts that together have at most FETCHED rows, or of a larger one."""
    some: list[int] = []
    total = 0
    for number, length in enumerate(lengths):
        if some and total + length > FETCHED:
            yield some
            some, total = [], 0
        some.append(number)
        total += length
    yield some


class DaskEngine(PartsEngine[DaskRows]):
    """Makes passes on the workers of a client."""

    name = "dask"

    def __init__(
        self, client: Any = None, n_threads: int | None = None, variant: Variant | None = None
    ) -> None:
        need("distributed", extra="dask")
        super().__init__(n_threads)
        self.variant = variant  # None: chosen pass by pass
        self.client = client or current_client()
        if self.client is None:
            raise ValueError(
                "engine='dask' needs a cluster, but there is no client. Make one first: "
                "client = dask.distributed.Client(...), or pass it: engine=client."
            )
        self.posts: list[Post] = []

    def place(self, X: Any, weights: F64 | None, distance: Distance) -> DaskRows:
        """Look at all rows and return them ready for passes."""
        rows = DaskRows(
            X if isinstance(X, ClusterRows) else ClusterRows(X, self.client), weights, distance
        )
        self.posts.append(rows.post)
        self.survey(rows)
        rows.place.plan = rows.plan
        rows.place.variant = None if self.variant is None else self.variant.name
        return rows

    def close(self) -> None:
        """Let the workers forget what they hold."""
        while self.posts:
            self.posts.pop().close()

    def over(self, rows: DaskRows, job: Callable[..., T], *what: Any) -> list[T]:
        """Do a job with every part, in order."""
        return rows.post.send(rows.place, _work.on_part, job, what)

    def step(self, rows: DaskRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        place = rows.place
        place.seeds, place.candidates, place.chosen = None, None, []  # the start is made
        if place.centers is not None and len(place.centers) != len(centers):
            rows.labels.fill(-1)
        size = 16 * len(centers) * (rows.d + 1)
        found = rows.post.send_and_add(place, _work.step, centers, place.mark + 1, size=size)
        place.mark, place.centers, place.forced = place.mark + 1, centers.copy(), []
        sums, moved, redecided, compared, ran = found
        variant = list(VARIANTS)[int(np.argmax(ran))]  # that most rows met
        return Pass(sums, int(moved), int(redecided), int(compared), variant)

    def relabel(self, rows: DaskRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        place = rows.place
        place.forced = [*place.forced, (numbers, cluster)]
        place.mark += 1
        size = 0 if place.centers is None else 16 * len(place.centers) * (rows.d + 1)
        (sums,) = rows.post.send_and_add(place, _work.relabel, size=size)
        return Pass(sums, len(numbers))

    def seeding(self, rows: DaskRows) -> Any:
        """Return what k-means++ needs to know about the rows, before the first centre."""
        return DaskSeeding(self, rows)

    def nearest(self, X: Any, centers: Floats, distance: Distance) -> I32:
        """Return the nearest centre of rows that were never placed."""
        return self.cpu.nearest(X, centers, distance)

    def own(self, X: Any, centers: Floats, labels: I32, distance: Distance) -> F64:
        """Return the distance of each row to its own centre, of rows that were never placed."""
        return self.cpu.own(X, centers, labels, distance)

    def all_pairs(self, X: Any, centers: Floats, distance: Distance) -> F64:
        """Return the distance of each row to each centre, (n, k)."""
        return self.cpu.all_pairs(X, centers, distance)

    def lengths(self, X: Any, centers: Floats, distance: Distance, dtype: Any) -> Floats:
        """Return the distance of each row to each centre, not squared, rounded to this type."""
        return self.cpu.lengths(X, centers, distance, dtype)


class DaskSeeding:
    """Draws rows by their shares, with as few trips to the workers as can be.

    What a candidate saves is known for each part before it is chosen, so choosing it needs no trip:
    the workers are told with the next question.
    """

    def __init__(self, engine: DaskEngine, rows: DaskRows) -> None:
        self.engine, self.rows = engine, rows
        self.bits = bits_of(rows.n)
        rows.place.seeds, rows.place.chosen = np.empty((0, rows.d), dtype=rows.dtype), []
        rows.place.seeding, rows.place.meeting = rows.place.seeding + 1, rows.place.meeting + 1
        self.away: dict[int, float] = {}  # of the rows drawn last
        self.saved: dict[int, I64] = {}  # candidate -> what it saves in each part now
        self.totals = self._finest()

    def draw(self, tickets: U64) -> I64:
        """Return a row number for each ticket; rows are drawn by their share."""
        below = np.cumsum(self.totals)
        targets = np.array([int(t) * int(below[-1]) >> 64 for t in tickets], dtype=np.int64)
        parts = np.minimum(np.searchsorted(below, targets, side="right"), len(below) - 1)
        inside = targets - (below - self.totals)[parts]
        firsts, some = self.rows.X.firsts, sorted(set(parts.tolist()))
        asked = {firsts[part]: inside[parts == part].tolist() for part in some}
        found = self._ask(_work.draw, asked, parts=some)
        drawn = np.empty(len(targets), dtype=np.int64)
        self.away, self.rows.drawn = {}, {}
        for part, (numbers, away, values) in zip(some, found, strict=True):
            drawn[parts == part] = numbers
            self.away |= dict(zip(numbers.tolist(), away.tolist(), strict=True))
            self.rows.drawn |= dict(zip(numbers.tolist(), values, strict=True))
        return drawn

    def closest(self, numbers: I64) -> F64:
        """Return these rows' distances to the nearest centre, infinite before there is one."""
        return np.array([self.away[n] for n in numbers.tolist()])

    def meet(self, candidates: Floats) -> None:
        """Look at all rows once, to know which of them each candidate would win."""
        place = self.rows.place
        place.candidates, place.meeting = candidates, place.meeting + 1
        self.saved = {}
        if place.chosen:
            found = self._ask(_work.meet)
            gains = np.stack([gains for _, gains in found], axis=1)
            self.saved = dict(enumerate(gains))
        else:
            nothing = np.zeros(len(self.totals), dtype=np.int64)
            self.saved = dict.fromkeys(range(len(candidates)), nothing)

    def worth(self, which: I64) -> I64:
        """Return how much each of these candidates would take off all shares together."""
        asked = np.array([j for j in which.tolist() if j not in self.saved], dtype=np.int64)
        if len(asked):
            found = self._ask(_work.worth, asked)
            gains = np.stack([gains for _, gains in found], axis=1)
            self.saved |= dict(zip(asked.tolist(), gains, strict=True))
        return np.array([self.saved[j].sum() for j in which.tolist()], dtype=np.int64)

    def adopt(self, which: int) -> None:
        """Make one of the candidates a centre."""
        place = self.rows.place
        assert place.candidates is not None
        first = not place.chosen
        if not first:
            self.totals = self.totals - self.saved[which]
        self._choose(place.candidates[which : which + 1], [(place.meeting, which)])
        if first or int(self.totals.sum()) < 1 << (self.bits - 10):
            self.totals = self._finest()

    def join(self, centers: Floats) -> None:
        """Make all of these rows centres at once; `meet` and what follows it are then over."""
        self._choose(centers, [(-1, 0)] * len(centers))
        self.totals = self._finest()

    def _choose(self, centers: Floats, how: list[tuple[int, int]]) -> None:
        place = self.rows.place
        place.seeds = np.concatenate([place.seeds, centers])
        place.chosen = [*place.chosen, *how]
        self.saved = {}
        numbers = list(self.away)
        if numbers and self.rows.drawn:
            near = self.engine.cpu.all_pairs(
                self.rows.take(np.array(numbers)), centers, self.rows.distance
            ).min(axis=1)
            before = [self.away[n] for n in numbers]
            self.away = dict(zip(numbers, np.minimum(before, near).tolist(), strict=True))

    def _finest(self) -> I64:
        """Give the largest share all its bits, so that no sum overflows."""
        peak = max(self._ask(_work.peak))
        self.rows.place.exponent = finest(peak, self.rows.n)
        return np.array(self._ask(_work.count), dtype=np.int64)

    def _ask(self, job: Callable[..., Any], *what: Any, parts: Any = None) -> list[Any]:
        return self.rows.post.send(self.rows.place, job, *what, parts=parts)
