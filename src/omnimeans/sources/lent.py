"""Rows in a file that the core's threads read themselves, right before they compute with them.

No thread stands between the file and the cores, and no block waits in memory: each worker reads
some rows into its own cache.  What is coming up is announced to the system, so that a disk goes on
reading meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._types import Floats

AHEAD = 3  # blocks that are announced before they are needed
PROBES = 4  # places of a block at which the system is asked whether it has it already


@dataclass(frozen=True, slots=True)
class FileRows:
    """Some rows of an array in a file.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Bytes before the first of these rows.
    step : int
        Values from one row to the next.
    stored : dtype
        Type of the values in the file.
    dtype : dtype
        float32 or float64: what is computed with.
    shape : tuple of int
        Rows and columns.
    first : int
        Number of the first row.
    ends_early : tuple of str
        What an error says before and after the row that the file ends in.
    """

    path: Path
    offset: int
    step: int
    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    first: int
    ends_early: tuple[str, str]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes from the first value to the last."""
        return ((self.shape[0] - 1) * self.step + self.shape[1]) * self.stored.itemsize

    def store(self, dtype: np.dtype[Any]) -> Any:
        """Return what the core can do with these rows, as values of this type."""
        lend = _core.lend_file_f32 if dtype == np.float32 else _core.lend_file_f64
        where = os.fspath(self.path), self.offset, self.step
        return lend(*where, *self.shape, np.empty(0, self.stored), self.first, *self.ends_early)

    def finite(self, threads: int) -> bool:
        """Tell whether all values are finite numbers."""
        return _core.finite(self.store(self.dtype), threads)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        rows: Floats
        flat = np.empty(0)
        if self.step == self.shape[1]:  # in one piece
            flat = np.fromfile(self.path, self.stored, self.size, offset=self.offset)
        if flat.size == self.size:
            rows = flat.reshape(self.shape).astype(self.dtype, copy=False)
        else:
            rows = self.store(self.dtype).take(np.arange(len(self)))
        return rows if dtype is None else rows.astype(dtype, copy=False)


def announced(blocks: list[FileRows]) -> Iterator[FileRows]:
    """Hand out blocks of one file; the next ones are read by the system meanwhile."""
    if not blocks or not hasattr(os, "posix_fadvise"):
        yield from blocks
        return
    handle = os.open(blocks[0].path, os.O_RDONLY)
    try:
        coming = iter(blocks)
        for _ in range(AHEAD):
            _announce(handle, next(coming, None))
        for block in blocks:
            _announce(handle, next(coming, None))
            yield block
    finally:
        os.close(handle)


def _announce(handle: int, block: FileRows | None) -> None:
    if block is not None and not _at_hand(handle, block):
        os.posix_fadvise(handle, block.offset, block.nbytes, os.POSIX_FADV_WILLNEED)


def _at_hand(handle: int, block: FileRows) -> bool:
    """Tell whether the system has kept the block from an earlier pass, as a few places show."""
    places = (block.offset + part * (block.nbytes - 1) // PROBES for part in range(PROBES + 1))
    try:
        return all(os.preadv(handle, [bytearray(1)], at, os.RWF_NOWAIT) for at in places)
    except (AttributeError, OSError):  # no such question here; it would have to wait
        return False
