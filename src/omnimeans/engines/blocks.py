"""The engine for data that lies outside of memory: the compiled one, block by block.

The next block is read while the last one is worked on.  Only what is known of each row stays: its
label (4 bytes), and during k-means++ its distance to the nearest centre (8 bytes); where even that
is too much for the memory allowed, it goes into files of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from omnimeans._types import F64, I32, I64, Distance, Floats, Pass
from omnimeans.engines import _part
from omnimeans.engines._bounds import Bounds
from omnimeans.engines._part import Part
from omnimeans.engines._parts import PartsRows, SharingEngine
from omnimeans.engines._scratch import release, scratch
from omnimeans.engines._shares import Shares
from omnimeans.sources import Source
from omnimeans.sources.ahead import HELD, ahead
from omnimeans.sources.files import StoreSource
from omnimeans.sources.memory import available, parse_bytes, resident
from omnimeans.sources.source import Wanted, finite_blocks

T = TypeVar("T")

LARGEST_BLOCK, LEAST_BLOCK = 1 << 25, 1 << 16  # bytes
BLOCKS_ALIVE = HELD + 2  # those read ahead, and copies on the way from the file's type
IN_PLACE = {_part.peaks, _part.total, _part.spread, _part.inertia, _part.join}  # need no copy
LEAST = 1 << 25  # bytes beyond what the process holds anyway


class BlockRows(PartsRows):
    """Rows of a source."""

    X: Source
    closest: F64  # (n,) during k-means++

    def __init__(self, source: Source, weights: F64 | None, distance: Distance, spare: int) -> None:
        super().__init__(source.n_rows, source.n_cols, source.dtype, weights, distance)
        self.X = source
        width = source.n_cols * source.dtype.itemsize
        size = min(LARGEST_BLOCK, max(LEAST_BLOCK, spare // (4 * BLOCKS_ALIVE)))
        self.block = max(1, size // width)
        self.in_files = 16 * source.n_rows > spare // 2
        self.labels: I32 = scratch(self.n, np.int32, in_file=self.in_files)
        self.labels.fill(-1)
        starts = source._bounds(self.block)[:-1]
        self.bounds = Bounds(starts, distance)
        self.starts = starts
        self.parts: list[Shares] = []
        self.moved_share = 1.0

    def take(self, numbers: Any) -> Floats:
        """Return these rows as a plain array, in the order of their numbers."""
        return self.X.take(numbers)


class BlocksEngine(SharingEngine[BlockRows]):
    """Makes passes over a source."""

    name = "blocks"

    def __init__(self, n_threads: int | None = None, memory: str | int | None = None) -> None:
        super().__init__(n_threads)
        held = resident()
        self.limit = held + available() // 2 if memory is None else parse_bytes(memory)
        self.spare = self.limit - held
        if self.spare < LEAST:
            raise ValueError(
                f"memory={memory!r} leaves {max(0, self.spare) >> 20} MiB beyond the "
                f"{held >> 20} MiB that this process holds already; at least {LEAST >> 20} MiB are "
                f"needed. Allow {(held + LEAST >> 20) + 1}MiB or more."
            )

    def place(self, X: Any, weights: F64 | None, distance: Distance) -> BlockRows:
        """Look at all rows and return them ready for passes."""
        source = X if isinstance(X, Source) else StoreSource(X, "X")
        rows = BlockRows(source, weights, distance, self.spare)
        self._checking = True
        try:
            self.survey(rows)
        finally:
            self._checking = False
        return rows

    _checking = False

    def over(self, rows: BlockRows, job: Callable[..., T], *what: Any) -> list[T]:
        """Do a job with every block, in order."""
        found = [job(part, *what) for part in self._parts(rows, lent=job in IN_PLACE)]
        self._checking = False  # every row has been seen
        return found

    def _blocks(self, rows: BlockRows, wanted: Wanted | None, lent: bool) -> Iterator[Any]:
        unread = rows.X.lent(rows.block, wanted) if lent else None
        if unread is None:
            read = finite_blocks(rows.X, rows.block) if self._checking else None
            return ahead(read or rows.X.blocks(rows.block, wanted))
        return self._finite(rows, unread) if self._checking else unread

    def _finite(self, rows: BlockRows, unread: Iterator[Any]) -> Iterator[Any]:
        for first, X in unread:
            if not X.finite(self.n_threads):  # say where
                list(finite_blocks(rows.X, rows.block, _only(first)))
            yield first, X

    def _parts(
        self, rows: BlockRows, wanted: Wanted | None = None, lent: bool = False
    ) -> Iterator[Part]:
        for first, X in self._blocks(rows, wanted, lent):
            some = slice(first, first + len(X))
            yield Part(
                first,
                X,
                None if rows.weights is None else np.asarray(rows.weights[some]),
                np.asarray(rows.labels[some]),
                rows.parts[rows.bounds._block(first)] if rows.parts else None,
                self.cpu,
            )
            if rows.in_files:
                self._release(rows)

    @staticmethod
    def _release(rows: BlockRows) -> None:
        release(rows.labels)
        if rows.parts:
            release(rows.closest)

    def step(self, rows: BlockRows, centers: Floats) -> Pass:
        """Assign every row to its nearest centre and sum up the clusters."""
        k = len(centers)
        if rows.labels[0] < 0 or rows.sums is None or len(rows.sums) != k:
            self._room_for(k, rows)
            rows.labels.fill(-1)
            rows.sums = np.zeros((k, 2, rows.d + 1), dtype=np.int64)
            rows.bounds.before, rows.moved_share = None, 1.0
        bounds = rows.bounds
        bounds.begin(self.cpu, centers, rows.moved_share)
        moved = redecided = 0
        for part in self._parts(rows, bounds.wanted, lent=True):
            labels = part.labels.copy()
            bounds.forget(part.first)
            try:
                changed, some, again = _part.assign(part, rows.plan, centers, k)
            except BaseException:
                part.labels[:] = labels  # as if the block had not been looked at
                raise
            rows.sums += changed
            moved, redecided = moved + some, redecided + again
            if bounds.measuring:
                bounds.keep(part.first, _part.gaps(part, rows.plan, centers, bounds.reach))
        rows.moved_share = moved / rows.n
        return Pass(rows.sums.copy(), moved, redecided)

    def relabel(self, rows: BlockRows, numbers: I64, cluster: int) -> Pass:
        """Put these rows into another cluster, by force; return the sums as they are then."""
        assert rows.sums is not None
        weights = None if rows.weights is None else rows.weights[numbers]
        k, before = len(rows.sums), np.asarray(rows.labels[numbers])
        rows.sums += _part.move_words(rows.take(numbers), weights, before, cluster, rows.plan, k)
        rows.labels[numbers] = cluster
        for row in numbers.tolist():
            rows.bounds.forget(row)
        return Pass(rows.sums.copy(), len(numbers))

    def shares(
        self, rows: BlockRows, job: str, *what: Any, parts: Sequence[int] | None = None
    ) -> Any:
        """Call a method of the blocks' shares, without reading the blocks."""
        if job == "begin":
            rows.closest = scratch(rows.n, np.float64, in_file=rows.in_files)
            rows.closest.fill(np.inf)
            cuts = [*rows.starts.tolist(), rows.n]
            rows.parts = [
                Shares(np.asarray(rows.closest[a:b])) for a, b in itertools.pairwise(cuts)
            ]
            job = "peak"
        if job == "closest":
            return np.asarray(rows.closest[what[0]])
        found = []
        for i, number in enumerate(range(len(rows.parts)) if parts is None else parts):
            first, shares = int(rows.starts[number]), rows.parts[number]
            end = first + len(shares.closest)
            weights = None if rows.weights is None else np.asarray(rows.weights[first:end])
            found.append(self._of_part(shares, first, weights, job, i, *what))
            if rows.in_files:
                self._release(rows)
        return found

    @staticmethod
    def _of_part(
        shares: Shares, first: int, weights: F64 | None, job: str, i: int, *what: Any
    ) -> Any:
        if job == "start":
            shares.started = True
            return None
        if job == "count":
            shares.exponent = what[0]
            return shares.count(weights)
        if job == "draw":
            return first, shares.draw(weights, what[0][i])
        return getattr(shares, job)(weights, *what)

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

    def _room_for(self, k: int, rows: BlockRows) -> None:
        """Refuse more centres than the memory allowed can take."""
        needed = 16 * k * (rows.d + 1) * (self.n_threads + 4)
        if needed > self.spare // 2:
            raise ValueError(
                f"The sums of {k} centres of {rows.d} features take {needed >> 20} MiB with "
                f"{self.n_threads} threads, too much for memory={self.limit >> 20}MiB. Allow "
                f"{(self.limit - self.spare + 2 * needed >> 20) + 1}MiB, or use fewer threads."
            )


def _only(first: int) -> Wanted:
    """Return what wants the block that begins with this row."""
    return lambda begin, _: begin == first
