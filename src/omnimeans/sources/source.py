"""What a source is: rows that are read block by block, as often as wanted, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnimeans._inputs import refuse_no_time, unmasked
from omnimeans._types import I64, Floats
from omnimeans.sources.lent import FileRows

Block = tuple[int, Floats]  # number of the first row, rows (m, d)
Wanted = Callable[[int, int], bool]  # (first, stop) -> whether these rows are needed
TAKEN = 1 << 22  # bytes that `take` reads at a time

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Source:
    """Rows outside of memory.

    A subclass says how to read: ``_bounds(n)`` where blocks of at most `n` rows begin and end, and
    ``_read(first, stop)`` the rows of one of them, in any type.  Where reading goes forwards only,
    it overrides ``_stream``.

    Attributes
    ----------
    n_rows, n_cols : int
        Size of the table.
    dtype : dtype
        float32 or float64: what the rows are handed out as.
    names : tuple of str or None
        Names of the columns, where there are any.
    where : str
        What messages call it.
    """

    n_rows: int
    n_cols: int
    dtype: np.dtype[Any]
    names: tuple[str, ...] | None = None
    where: str = "the source"

    def __len__(self) -> int:
        return self.n_rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_rows, self.n_cols

    @property
    def size(self) -> int:
        """Number of values."""
        return self.n_rows * self.n_cols

    @property
    def nbytes(self) -> int:
        """Bytes that all rows would take in memory."""
        return self.n_rows * self.n_cols * self.dtype.itemsize

    def astype(self, dtype: Any, copy: bool = False) -> Source:
        """Return the same rows in the other type of floats."""
        return self if np.dtype(dtype) == self.dtype else _Cast(self, np.dtype(dtype))

    def blocks(self, n: int, wanted: Wanted | None = None) -> Iterator[Block]:
        """Hand out all rows in order, in blocks of at most `n`.

        Parameters
        ----------
        n : int
            Most rows of a block.  The same `n` always gives the same blocks.
        wanted : callable or None, default=None
            Asked as ``wanted(first, stop)`` before a block is read; one that is not wanted is
            left out, and not read where the source can help it.

        Yields
        ------
        first : int
            Number of the block's first row.
        rows : ndarray of shape (m, d)
            Its rows, of the source's type, row by row in memory.

        Raises
        ------
        ValueError
            If the source is not what it was when it was opened; the message names the row.
        """
        self._unchanged()
        for first, raw in self._stream(self._bounds(max(1, n)), wanted):
            yield first, self._plain(first, raw)
        self._unchanged()

    def lent(self, n: int, wanted: Wanted | None = None) -> Iterator[tuple[int, FileRows]] | None:
        """Hand out the same blocks unread, for the core to read; None where it cannot."""
        return None

    def take(self, numbers: Any) -> Floats:
        """Return the rows of these numbers, in their order."""
        numbers = np.asarray(numbers, dtype=np.int64)
        taken = np.empty((len(numbers), self.n_cols), dtype=self.dtype)
        order = np.argsort(numbers, kind="stable")
        ascending = numbers[order]

        def wanted(first: int, stop: int) -> bool:
            begin, end = np.searchsorted(ascending, (first, stop))
            return bool(end > begin)

        if len(numbers):
            n = max(1, TAKEN // (self.n_cols * self.dtype.itemsize))
            for first, rows in self.blocks(n, wanted):
                begin, end = np.searchsorted(ascending, (first, first + len(rows)))
                taken[order[begin:end]] = rows[ascending[begin:end] - first]
        return taken

    def _bounds(self, n: int) -> I64:
        """Return where the blocks begin and end, (m + 1,)."""
        return np.append(np.arange(0, self.n_rows, n), self.n_rows)

    def _stream(self, bounds: I64, wanted: Wanted | None) -> Iterator[tuple[int, Any]]:
        for first, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if wanted is None or wanted(first, stop):
                rows = self._read(first, stop)
                if rows.shape != (stop - first, self.n_cols):
                    raise self._shorter(first + len(rows))
                yield first, rows

    def _read(self, first: int, stop: int) -> Any:
        raise NotImplementedError

    def _unchanged(self) -> None:
        """Refuse to go on if what is read has been changed meanwhile."""

    def _shorter(self, row: int) -> ValueError:
        return ValueError(f"{row}".join(self._ends_early()))

    def _ends_early(self) -> tuple[str, str]:
        """Return what an error says before and after the row that the source ends in."""
        return (
            f"{self.where} ends at row ",
            f", but had {self.n_rows} rows of {self.n_cols} columns "
            "when it was opened. It was cut short or is still being written; open it again when "
            "it is whole.",
        )

    def _plain(self, first: int, raw: Any) -> Floats:
        refuse_no_time(raw, self.where, first)
        try:
            return np.ascontiguousarray(unmasked(raw), dtype=self.dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{self.where}: the rows from {first} on are no numbers ({error}). Leave such "
                "columns out, or encode them as numbers."
            ) from None


class _Cast(Source):
    """A source whose rows are handed out in another type."""

    def __init__(self, inner: Source, dtype: np.dtype[Any]) -> None:
        self.inner, self.dtype = inner, dtype
        self.n_rows, self.n_cols = inner.shape
        self.names, self.where = inner.names, inner.where

    def blocks(self, n: int, wanted: Wanted | None = None) -> Iterator[Block]:
        for first, rows in self.inner.blocks(n, wanted):
            yield first, rows.astype(self.dtype)

    def _bounds(self, n: int) -> I64:
        return self.inner._bounds(n)

    def take(self, numbers: Any) -> Floats:
        return self.inner.take(numbers).astype(self.dtype)


class _Unit(Source):
    """A source whose rows are handed out with unit length."""

    def __init__(self, inner: Source, unit: Callable[[Floats], tuple[Floats, I64]]) -> None:
        self.inner, self.unit, self.dtype = inner, unit, inner.dtype
        self.n_rows, self.n_cols = inner.shape
        self.names, self.where = inner.names, inner.where

    def blocks(self, n: int, wanted: Wanted | None = None) -> Iterator[Block]:
        for first, rows in self.inner.blocks(n, wanted):
            yield first, self.unit(rows)[0]

    def _bounds(self, n: int) -> I64:
        return self.inner._bounds(n)

    def take(self, numbers: Any) -> Floats:
        return self.unit(self.inner.take(numbers))[0]


def unit_source(source: Source, unit: Callable[[Floats], tuple[Floats, I64]]) -> tuple[Source, I64]:
    """Return the rows scaled to unit length, and the numbers of those that cannot be.

    Parameters
    ----------
    source : Source
        Any rows.
    unit : callable
        Returns a block's rows scaled, and the numbers of those without a direction.
    """
    n = max(1, TAKEN // (source.n_cols * source.dtype.itemsize))
    found = [first + unit(rows)[1] for first, rows in finite_blocks(source, n)]
    blank = np.concatenate(found)
    if len(blank) == source.n_rows:
        raise ValueError(f"All rows of {source.where} are zero; a row of zeros has no direction.")
    return _Unit(source, unit), blank


def float_type(*dtypes: Any) -> np.dtype[Any]:
    """Return float32 if everything is float32, else float64."""
    return FLOATS[0] if all(np.dtype(t) == FLOATS[0] for t in dtypes) else FLOATS[1]


def recut(pieces: Iterable[Any], bounds: I64, first: int = 0) -> Iterator[tuple[int, Any]]:
    """Cut pieces of any length, that follow each other from row `first` on, at these bounds."""
    held: list[NDArray[Any]] = []
    have, at = 0, first
    ends = iter(bounds[np.searchsorted(bounds, first, side="right") :].tolist())
    stop = next(ends, None)
    for whole in pieces:
        piece = whole
        while stop is not None and have + len(piece) >= stop - at:
            need = stop - at - have
            yield at, np.concatenate([*held, piece[:need]]) if held else piece[:need]
            held, have, at, piece = [], 0, stop, piece[need:]
            stop = next(ends, None)
        if len(piece):
            held.append(piece)
            have += len(piece)
    if have:
        yield at, np.concatenate(held)


def finite_blocks(source: Source, n: int, wanted: Wanted | None = None) -> Iterator[Block]:
    """Hand out all blocks; a value that is no finite number is an error that says where."""
    for first, rows in source.blocks(n, wanted):
        with np.errstate(over="ignore", invalid="ignore"):
            total = rows.sum(dtype=np.float64)
        if not np.isfinite(total) and not np.isfinite(rows).all():
            row = int(np.argmax(~np.isfinite(rows).all(axis=1)))
            column = int(np.argmax(~np.isfinite(rows[row])))
            called = "" if source.names is None else f" ({source.names[column]!r})"
            raise ValueError(
                f"Input X contains NaN or infinity: {rows[row, column]} in row {first + row}, "
                f"column {column}{called} of {source.where}, counted from 0. Remove such rows or "
                "fill in the values."
            )
        yield first, rows
