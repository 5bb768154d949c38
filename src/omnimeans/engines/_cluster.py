"""Rows on a Dask cluster: their partitions, and what is known of them before a fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import I64, Floats
from omnimeans.engines import _partition, _patience
from omnimeans.engines._post import unwarned
from omnimeans.sources import Source, is_dask
from omnimeans.sources.streams import partitions

SHARE = 2  # parts for each thread of a worker, where the rows come from one array or file
PART = 1 << 26  # bytes of a part, likewise


class ClusterRows(Source):
    """A Dask collection, an array or a source, in partitions on the workers of a client."""

    def __init__(self, data: Any, client: Any) -> None:
        self.client, self.where = client, f"the {type(data).__name__} on the cluster"
        if is_dask(data):
            names = getattr(data, "columns", None)
            self.names = None if names is None else tuple(map(str, names))
            delayed = need("dask", extra="dask").delayed
            made = [delayed(_partition.prepare)(part, None) for part in partitions(data)]
            futures = client.compute(made)
        else:
            with unwarned():
                cut = self._cut(data)
            futures = [client.submit(_partition.prepare, part, None) for part in cut]
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
            return [self.client.submit(_partition.read, data, a, b, pure=False) for a, b in cuts]
        cuts = itertools.pairwise([*range(0, data.shape[0], step), data.shape[0]])
        return [self.client.submit(_partition.keep, data[a:b], pure=False) for a, b in cuts]

    def _describe(self, futures: list[Any]) -> None:
        told = self._ask(_partition.describe, futures)
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
            wide = self.client.map(_partition.prepare, self.parts, dtype="float64", pure=False)
            self.parts = wide

    def unit(self) -> tuple[ClusterRows, I64]:
        """Return the rows scaled to unit length, and the numbers of those that cannot be."""
        other = copy(self)
        other.parts = self.client.map(_partition.unit, self.parts, pure=False)
        blank = self._ask(_partition.blank, self.parts)
        numbers = np.concatenate([a + some for a, some in zip(self.firsts, blank, strict=True)])
        if len(numbers) == self.n_rows:
            raise ValueError(f"All rows of {self.where} are zero; a row of zeros has no direction.")
        return other, numbers

    def _ask(self, question: Callable[[Any], Any], futures: list[Any]) -> list[Any]:
        return _patience.gather(
            self.client,
            lambda: self.client.map(question, futures, pure=False),
            lambda: futures,
        )

    def take(self, numbers: Any) -> Floats:
        raise TypeError("rows on a cluster are taken by the engine")
