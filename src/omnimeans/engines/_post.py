"""How jobs are sent to the parts of a fit on a Dask cluster, and how answers come back."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import F64
from omnimeans.engines import _partition, _patience, _work
from omnimeans.engines._balance import moves
from omnimeans.engines._work import Place

if TYPE_CHECKING:
    from omnimeans.engines._cluster import ClusterRows

FAN_IN = 8  # answers added up by one task
DIRECT = 1 << 26  # bytes of all messages and answers of a pass, up to which no tasks are made
LARGE = 1 << 20  # bytes of all messages of a pass, from which a worker is told once
FAREWELL = 3.0  # seconds that workers get to forget a fit


def unwarned() -> Any:
    """Return a context in which Dask takes large arrays with a task, as they are meant to go.

    Scattered arrays are lost with their worker; those that came with a task can be sent again.
    """
    settings = need("dask", extra="dask").config
    return settings.set({"distributed.admin.large-graph-warning-threshold": "1PB"})


def _size(value: Any) -> int:
    """Return the bytes of the arrays in a message."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    if is_dataclass(value):
        return sum(_size(getattr(value, each.name)) for each in fields(value))
    return 0


class Post:
    """Sends jobs to the parts of a fit."""

    def __init__(self, rows: ClusterRows, weights: F64 | None) -> None:
        self.client, self.rows = rows.client, rows
        self.fit = uuid.uuid4().hex
        self.parts = rows.parts  # the same list: what is moved is let go where it was
        self.told: list[Any] = []
        ends = [*rows.firsts[1:], rows.n_rows]
        self.weights: list[Any] = [None] * len(self.parts)
        if weights is not None:
            cuts = zip(rows.firsts, ends, strict=True)
            mine = [np.ascontiguousarray(weights[a:b]) for a, b in cuts]
            with unwarned():
                self.weights = [self.client.submit(_partition.keep, w, pure=False) for w in mine]
        self.workers: dict[str, int] = {}
        self.groups: list[tuple[str | None, list[int]]] = []
        self.settled = False  # whether all parts were found

    def send(
        self,
        place: Place,
        job: Callable[..., Any],
        *what: Any,
        parts: Sequence[int] | None = None,
    ) -> list[Any]:
        """Do a job with these parts, or all; return what each of them answers, in order."""
        numbers = list(range(len(self.parts)) if parts is None else parts)
        groups = self._groups(numbers)
        found = self._call((place, what), job, groups, add=False)

        def ask() -> list[Any]:
            groups[:] = self._groups(numbers)
            return self._submit((place, what), job, groups, add=False)

        found = self._gather(ask) if found is None else found
        answers = dict(
            zip(itertools.chain(*(g for _, g in groups)), itertools.chain(*found), strict=True)
        )
        return [answers[number] for number in numbers]

    def send_and_add(
        self,
        place: Place,
        job: Callable[..., Any],
        *what: Any,
        size: int,  # bytes of an answer, about
    ) -> Any:
        """Do a job with all parts; return the sum of the answers, added up in a tree."""
        numbers = list(range(len(self.parts)))
        found = self._call((place, what), job, self._groups(numbers), add=True, size=size)

        def ask() -> list[Any]:
            found = self._submit((place, what), job, self._groups(numbers), add=True)
            while len(found) > FAN_IN:
                found = [
                    self.client.submit(_work.total, found[i : i + FAN_IN], pure=False)
                    for i in range(0, len(found), FAN_IN)
                ]
            return found

        return _work.total(self._gather(ask) if found is None else found)

    def close(self) -> None:
        """Let the workers forget this fit; one that does not answer forgets it with the next."""
        if self.client.status != "running":
            return
        told = [self._tell(worker, _work.forget, self.fit) for worker in self.client.nthreads()]
        distributed = need("distributed", extra="dask")
        with suppress(TimeoutError):  # of a worker that has gone, or is busy
            distributed.wait(told, timeout=FAREWELL)

    def look_around(self) -> None:
        """Notice workers that came or went, and where the parts are now."""
        workers = dict(self.client.nthreads())
        if workers == self.workers and self.settled:
            return
        newcomers, self.workers = set(workers) - set(self.workers), workers
        homes = self._homes(self.parts)
        self.settled = None not in homes  # parts on their way are looked for again
        if newcomers and self.settled:
            self._even_out(homes)
        self._weights_follow(homes)
        groups: dict[str | None, list[int]] = {}
        for number, home in enumerate(homes):
            groups.setdefault(home, []).append(number)
        self.groups = []
        for home, numbers in groups.items():
            many = 1 if home else min(len(numbers), max(1, len(workers)))
            cuts = np.array_split(np.array(numbers), many)
            self.groups += [(home, part.tolist()) for part in cuts]

    def _homes(self, futures: list[Any]) -> list[str | None]:
        """Return a worker that holds each of these, None where none does now."""
        where = self.client.who_has(futures)
        return [min(where.get(future.key) or (), default=None) for future in futures]

    def _even_out(self, homes: list[str | None]) -> None:
        """Let workers that came take over parts; Dask remembers how to make them again."""
        held: dict[str, list[int]] = {}
        self.told = []
        for number, home in enumerate(homes):
            held.setdefault(str(home), []).append(number)
        for number, worker in moves(held, self.rows.lengths, self.workers).items():
            left = homes[number]
            self.parts[number] = self._move(self.parts[number], worker)
            homes[number] = worker
            if left is not None:
                self.told.append(self._tell(left, _work.forget, self.fit, number))

    def _weights_follow(self, homes: list[str | None]) -> None:
        """Bring the weights to where the rows are."""
        if self.weights[0] is None:
            return
        for number, (at, home) in enumerate(zip(self._homes(self.weights), homes, strict=True)):
            if home is not None and at != home:
                self.weights[number] = self._move(self.weights[number], home)

    def _move(self, future: Any, worker: str) -> Any:
        return self.client.submit(
            _partition.keep, future, workers=[worker], allow_other_workers=True, pure=False
        )

    def _tell_all(self, message: Any) -> Any:
        with unwarned():
            return self.client.submit(_partition.keep, message, pure=False)

    def _tell(self, worker: str, *what: Any) -> Any:
        return self.client.submit(*what, workers=[worker], pure=False, priority=1)

    def _groups(self, numbers: list[int]) -> list[tuple[str | None, list[int]]]:
        self.look_around()
        if len(numbers) == len(self.parts):
            return self.groups
        asked = set(numbers)
        some = [(home, [n for n in group if n in asked]) for home, group in self.groups]
        return [(home, group) for home, group in some if group]

    def _call(
        self,
        message: tuple[Place, tuple[Any, ...]],
        job: Callable[..., Any],
        groups: list[tuple[str | None, list[int]]],
        *,
        add: bool,
        size: int = 0,
    ) -> list[Any] | None:
        """Do a job at once, where every part is at home; None if it has to be done by tasks.

        That takes a few milliseconds instead of some for each task.  The scheduler passes on all
        messages and answers, so they must not be large.
        """
        if not self.settled or (_size(message) + size) * len(groups) > DIRECT:
            return None
        asked = {
            home: (
                group,
                [self.rows.firsts[n] for n in group],
                [self.parts[n].key for n in group],
                [None if self.weights[n] is None else self.weights[n].key for n in group],
            )
            for home, group in groups
        }
        rest = (message, job, add)
        told: dict[str, Any] = {}
        with suppress(OSError):  # a message that broke off on its way to the scheduler
            told = self.client.run(
                _work.call, self.fit, asked, *rest, workers=list(asked), on_error="return"
            )
        found = [told.get(str(home)) for home, _ in groups]
        for answer in found:
            if isinstance(answer, Exception) and not isinstance(answer, OSError):
                raise answer
        if any(answer is None or isinstance(answer, OSError) for answer in found):
            self.groups, self.settled = [], False  # somebody has gone
            return None
        answers: list[Any] = _work.aligned(found)
        return answers

    def _submit(
        self,
        message: Any,
        job: Callable[..., Any],
        groups: list[tuple[str | None, list[int]]],
        *,
        add: bool,
    ) -> list[Any]:
        if _size(message) * len(groups) > LARGE:  # once to a worker, not once to a task
            message = self._tell_all(message)
        return [
            self.client.submit(
                _work.work,
                self.fit,
                group,
                [self.rows.firsts[n] for n in group],
                [self.parts[n] for n in group],
                [self.weights[n] for n in group],
                message,
                job,
                add,
                self.workers.get(home or "", 1),
                pure=False,
                workers=None if home is None else [home],
                allow_other_workers=home is not None,
            )
            for home, group in groups
        ]

    def _gather(self, ask: Callable[[], list[Any]]) -> list[Any]:
        def afresh() -> list[Any]:
            self.groups, self.settled = [], False
            return [f for f in (*self.parts, *self.weights) if f is not None]

        answers: list[Any] = _work.aligned(_patience.gather(self.client, ask, afresh))
        return answers
