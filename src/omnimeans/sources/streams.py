"""Sources that can only be walked through: anything that hands out its blocks again and again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import narwhals as nw
import numpy as np

from omnimeans._inputs import unmasked
from omnimeans._types import I64
from omnimeans.sources.source import Source, Wanted, float_type, recut


class StreamSource(Source):
    """Blocks that an iterable, or a function that returns one, hands out in a fixed order."""

    def __init__(self, blocks: Iterable[Any] | Callable[[], Iterable[Any]]) -> None:
        if isinstance(blocks, Iterator):
            raise TypeError(
                f"{type(blocks).__name__} can be walked through only once, but k-means makes many "
                "passes. Give the function that makes it, or an object whose __iter__ starts "
                "again."
            )
        self.again = blocks if callable(blocks) else lambda: blocks
        self.where = "the stream of blocks"
        self.n_rows, kinds, self.n_cols = 0, set(), -1
        for block in self._pieces():
            if self.n_cols not in (-1, block.shape[1]):
                raise ValueError(
                    f"The block from row {self.n_rows} on has {block.shape[1]} columns, those "
                    f"before it have {self.n_cols}. All blocks need the same columns."
                )
            self.n_cols = block.shape[1]
            self.n_rows += len(block)
            kinds.add(block.dtype)
        if self.n_cols < 0:
            raise ValueError("The stream has no block; at least one row is needed.")
        self.dtype = float_type(*kinds)

    def _pieces(self) -> Iterator[Any]:
        at = 0
        for block in self.again():
            rows = as_array(block)
            if rows.ndim != 2:
                raise ValueError(
                    f"The block from row {at} on has shape {rows.shape}; rows of features are "
                    "needed, (m, d)."
                )
            at += len(rows)
            yield rows

    def _stream(self, bounds: I64, wanted: Wanted | None) -> Iterator[tuple[int, Any]]:
        at = 0
        for first, rows in recut(self._pieces(), bounds):
            at = first + len(rows)
            if at > self.n_rows or rows.shape[1] != self.n_cols:
                break
            if wanted is None or wanted(first, at):
                yield first, rows
        if at != self.n_rows:
            raise ValueError(
                f"{self.where} handed out {at} rows or more, but {self.n_rows} on its first walk. "
                "Every walk must give the same rows: copy them, or fix the seed."
            )


class DaskSource(Source):
    """The partitions of a Dask collection, computed one by one where no cluster is at hand."""

    def __init__(self, collection: Any) -> None:
        self.where = f"the Dask {type(collection).__name__}"
        self.parts = partitions(collection)
        names = getattr(collection, "columns", None)
        self.names = None if names is None else tuple(map(str, names))
        kinds, counts, self.n_cols = set(), [], 0
        for i in range(len(self.parts)):
            rows = self._part(i)
            kinds.add(rows.dtype)
            counts.append(len(rows))
            self.n_cols = max(self.n_cols, rows.shape[1])
        self.starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        self.n_rows, self.dtype = int(self.starts[-1]), float_type(*kinds)

    def _part(self, number: int) -> Any:
        # What comes out of a message may lie at an odd address, which the core cannot read.
        return np.require(as_array(self.parts[number].compute()), requirements="A")

    def _bounds(self, n: int) -> I64:
        cuts = [np.arange(a, b, n) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
        return np.concatenate([*cuts, [self.n_rows]]).astype(np.int64)

    def _stream(self, bounds: I64, wanted: Wanted | None) -> Iterator[tuple[int, Any]]:
        for number in range(len(self.parts)):
            begin, end = self.starts[number : number + 2].tolist()
            inside = [begin, *bounds[(bounds > begin) & (bounds < end)].tolist(), end]
            blocks = list(itertools.pairwise(inside)) if end > begin else []
            chosen = [block for block in blocks if wanted is None or wanted(*block)]
            if chosen:
                rows = self._part(number)
                if len(rows) != end - begin:
                    raise self._shorter(begin + len(rows))
                yield from ((a, rows[a - begin : b - begin]) for a, b in chosen)


def partitions(collection: Any) -> list[Any]:
    """Return a Dask collection's row blocks as delayed objects, in order.

    Raises
    ------
    TypeError
        If it is no array with rows and columns, and no data frame.
    """
    if hasattr(collection, "to_delayed"):
        if getattr(collection, "ndim", 2) != 2:
            raise TypeError(
                f"The Dask array has {collection.ndim} dimensions; rows of features are needed."
            )
        if hasattr(collection, "rechunk") and collection.numblocks[1] > 1:
            collection = collection.rechunk({1: -1})  # whole rows
        return [part for row in np.asarray(collection.to_delayed()).ravel() for part in [row]]
    raise TypeError(
        f"{type(collection).__name__} cannot be cut into rows; a Dask array or data frame can."
    )


def as_array(block: Any) -> Any:
    """Return a block of rows as a plain array: arrays, data frames and sparse matrices."""
    if isinstance(block, np.ndarray):
        return unmasked(block)
    if hasattr(block, "toarray"):
        return block.toarray()
    frame = nw.from_native(block, pass_through=True)
    return frame.to_numpy() if isinstance(frame, nw.DataFrame) else np.asarray(block)
