"""Rows on a Dask cluster: their partitions, and how jobs are sent to them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import F64, I64, Floats
from omnimeans.engines import _work
from omnimeans.engines._work import Place
from omnimeans.sources import Source, is_dask
from omnimeans.sources.streams import partitions

ATTEMPTS = 20  # times that a job is sent again after workers were lost
FAN_IN = 8  # answers added up by one task
SHARE = 2  # groups of parts for each thread of a worker
PART = 1 << 26  # bytes of a part, where the rows come from one array or file


class ClusterRows(Source):
    """A Dask collection, an array or a source, in partitions on the workers of a client."""

    def __init__(self, data: Any, client: Any) -> None:
        self.client, self.where = client, f"the {type(data).__name__} on the cluster"
        if is_dask(data):
            names = getattr(data, "columns", None)
            self.names = None if names is None else tuple(map(str, names))
            delayed = need("dask", extra="dask").delayed
            made = [delayed(_work.prepare)(part, None) for part in partitions(data)]
            futures = client.compute(made)
        else:
            futures = [client.submit(_work.prepare, part, None) for part in self._cut(data)]
        self._describe(futures)

    def _cut(self, data: Any) -> list[Any]:
        """Send blocks of rows, or let the workers read them."""
        step = max(1, PART // max(1, data.shape[1] * 8))
        threads = sum(self.client.nthreads().values())
        step = max(1, min(step, -(-data.shape[0] // (SHARE * max(1, threads)))))
        if isinstance(data, Source):
            self.names = data.names
            bounds = data._bounds(step).tolist()
            cuts = itertools.pairwise(bounds)
            return [self.client.submit(_work.read, data, a, b, pure=False) for a, b in cuts]
        cuts = itertools.pairwise([*range(0, data.shape[0], step), data.shape[0]])
        return [self.client.submit(_work.keep, data[a:b], pure=False) for a, b in cuts]

    def _describe(self, futures: list[Any]) -> None:
        told = self.client.gather(self.client.map(_work.describe, futures, pure=False))
        some = [(future, *about) for future, about in zip(futures, told, strict=True) if about[0]]
        if not some:
            raise ValueError(f"{self.where} has no rows.")
        widths = {about[2] for about in some}
        if len(widths) > 1:
            raise ValueError(f"The partitions have {sorted(widths)} columns; all need the same.")
        self.n_cols = widths.pop()
        self.lengths = [about[1] for about in some]
        self.firsts = np.append(0, np.cumsum(self.lengths)).tolist()
        self.n_rows = self.firsts.pop()
        for first, (_, _, _, _, bad) in zip(self.firsts, some, strict=True):
            if bad is not None:
                row, column, value = bad
                called = "" if self.names is None else f" ({self.names[column]!r})"
                raise ValueError(
                    f"Input X contains NaN or infinity: {value} in row {first + row}, column "
                    f"{column}{called}, counted from 0. Remove such rows or fill in the values."
                )
        types = {about[3] for about in some}
        self.dtype = np.dtype(types.pop() if len(types) == 1 else np.float64)
        self.parts = [about[0] for about in some]
        if types:
            wide = self.client.map(_work.prepare, self.parts, dtype="float64", pure=False)
            self.parts = wide

    def unit(self) -> tuple[ClusterRows, I64]:
        """Return the rows scaled to unit length; each needs a direction."""
        other = copy(self)
        other.parts = self.client.map(_work.unit, self.parts, pure=False)
        blank = self.client.gather(self.client.map(_work.blank, self.parts, pure=False))
        for first, row in zip(self.firsts, blank, strict=True):
            if row is not None:
                raise ValueError(
                    f"Row {first + row} is zero and has no direction; on a cluster, "
                    "metric='cosine' takes rows with a direction only. Leave such rows out."
                )
        return other, np.empty(0, dtype=np.int64)

    def take(self, numbers: Any) -> Floats:
        raise TypeError("rows on a cluster are taken by the engine")


class Post:
    """Sends jobs to the parts of a fit."""

    def __init__(self, rows: ClusterRows, weights: F64 | None) -> None:
        self.client, self.rows = rows.client, rows
        self.fit = uuid.uuid4().hex
        ends = [*rows.firsts[1:], rows.n_rows]
        self.weights: list[Any] = [None] * len(rows.parts)
        if weights is not None:
            cuts = zip(rows.firsts, ends, strict=True)
            mine = [np.ascontiguousarray(weights[a:b]) for a, b in cuts]
            self.weights = [self.client.submit(_work.keep, w, pure=False) for w in mine]
        self.workers: dict[str, int] = {}
        self.groups: list[tuple[str | None, list[int]]] = []

    def send(
        self,
        place: Place,
        job: Callable[..., Any],
        *what: Any,
        parts: Sequence[int] | None = None,
    ) -> list[Any]:
        """Do a job with these parts, or all; return what each of them answers, in order."""
        numbers = range(len(self.rows.parts)) if parts is None else parts
        groups = self._groups(list(numbers))
        found = self._gather(lambda: self._submit(place, job, what, groups, add=False))
        answers = dict(
            zip(itertools.chain(*(g for _, g in groups)), itertools.chain(*found), strict=True)
        )
        return [answers[number] for number in numbers]

    def send_and_add(self, place: Place, job: Callable[..., Any], *what: Any) -> Any:
        """Do a job with all parts; return the sum of the answers, added up in a tree."""

        def ask() -> list[Any]:
            found = self._submit(
                place, job, what, self._groups(list(range(len(self.rows.parts)))), add=True
            )
            while len(found) > FAN_IN:
                found = [
                    self.client.submit(_work.total, found[i : i + FAN_IN], pure=False)
                    for i in range(0, len(found), FAN_IN)
                ]
            return found

        return _work.total(self._gather(ask))

    def close(self) -> None:
        """Let the workers forget this fit."""
        self.client.run(_work.forget, self.fit, on_error="ignore")

    def look_around(self) -> None:
        """Notice workers that came or went, and where the parts are now."""
        workers = dict(self.client.nthreads())
        if workers == self.workers and self.groups:
            return
        self.workers = workers
        where = self.client.who_has(self.rows.parts)
        homes: dict[str | None, list[int]] = {}
        for number, part in enumerate(self.rows.parts):
            at = sorted(where.get(part.key, ()))
            homes.setdefault(at[0] if at else None, []).append(number)
        self.groups = []
        for home, numbers in homes.items():
            many = min(len(numbers), SHARE * workers.get(home or "", 1))
            self.groups += [
                (home, part.tolist()) for part in np.array_split(np.array(numbers), many)
            ]

    def _groups(self, numbers: list[int]) -> list[tuple[str | None, list[int]]]:
        if not self.groups:
            self.look_around()
        if len(numbers) == len(self.rows.parts):
            return self.groups
        asked = set(numbers)
        some = [(home, [n for n in group if n in asked]) for home, group in self.groups]
        return [(home, group) for home, group in some if group]

    def _submit(
        self,
        place: Place,
        job: Callable[..., Any],
        what: tuple[Any, ...],
        groups: list[tuple[str | None, list[int]]],
        *,
        add: bool,
    ) -> list[Any]:
        return [
            self.client.submit(
                _work.work,
                self.fit,
                group,
                [self.rows.firsts[n] for n in group],
                [self.rows.parts[n] for n in group],
                [self.weights[n] for n in group],
                place,
                job,
                what,
                add,
                pure=False,
                workers=None if home is None else [home],
                allow_other_workers=home is not None,
            )
            for home, group in groups
        ]

    def _gather(self, ask: Callable[[], list[Any]]) -> list[Any]:
        """Ask, and ask again where workers were lost."""
        distributed = need("distributed", extra="dask")
        lost = (distributed.KilledWorker, distributed.CancelledError, OSError)
        for attempt in itertools.count(1):
            try:
                answers: list[Any] = _work.aligned(list(self.client.gather(ask())))
                return answers
            except lost:
                if attempt == ATTEMPTS or self.client.status != "running":
                    raise
                broken = [f for f in (*self.rows.parts, *self.weights) if f is not None]
                broken = [f for f in broken if f.status in ("error", "lost", "cancelled")]
                if broken:
                    self.client.retry(broken)
                self.groups = []
        raise AssertionError
