"""Sources of numbers row by row: NumPy's .npy files and memory maps, Zarr, HDF5, plain arrays."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans._foreign import HEADER, npy_header, understood
from omnimeans._optional import need
from omnimeans._rows import NUMBERS
from omnimeans._types import I64, Floats
from omnimeans.sources.lent import FileRows, announced
from omnimeans.sources.source import Source, Wanted, float_type


class FileStamp:
    """What a file was when it was opened: it must not change under a fit."""

    def __init__(self, *paths: Path) -> None:
        self.seen = {path: self._look(path) for path in paths}

    def check(self) -> None:
        """Raise an error if a file has changed its size or was written to."""
        for path, before in self.seen.items():
            now = self._look(path)
            if now != before:
                what = "is gone" if now is None else "has changed"
                sizes = "" if now is None or before is None else f" ({before[0]} -> {now[0]} bytes)"
                raise ValueError(
                    f"{path} {what}{sizes} since it was opened, so no pass over it would be like "
                    "the last one. Finish writing it, then open it again."
                )

    @staticmethod
    def _look(path: Path) -> tuple[int, int] | None:
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns


class NpySource(Source):
    """A two-dimensional array in a file, read by plain reads into memory of our own.

    A memory map would count every page that was looked at as resident; a read does not.
    """

    def __init__(
        self, path: Path, dtype: Any, shape: tuple[int, ...], offset: int, stride: int | None = None
    ) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"{path} holds an array of shape {shape}; rows of features are needed, (n, d)."
            )
        if 0 in shape:
            raise ValueError(f"{path} holds an array of shape {shape}: no rows of values.")
        self.path, self.where = path, str(path)
        self.stored = np.dtype(dtype)
        if self.stored.kind not in "fiub":
            raise ValueError(f"{path} holds values of type {self.stored}; numbers are needed.")
        self.dtype = float_type(self.stored)
        self.n_rows, self.n_cols = shape
        self.offset = offset
        self.width = self.n_cols * self.stored.itemsize  # bytes of a row
        self.stride = self.width if stride is None else stride
        self.stamp = FileStamp(path)
        needed = offset + (self.n_rows - 1) * self.stride + self.width
        size = path.stat().st_size
        if size < needed:
            whole = max(0, (size - offset) // self.stride)
            raise ValueError(
                f"{path} is cut short: its header promises {self.n_rows} rows, but it ends in row "
                f"{whole} ({size} of {needed} bytes). Write it again."
            )

    @classmethod
    def open(cls, path: Path) -> Source:
        """Read the header of a .npy file."""
        with path.open("rb") as file:
            shape, fortran, dtype, offset = npy_header(file.read(HEADER), str(path))
        if fortran and len(shape) == 2 and 1 not in shape:
            return ColumnsFile(path, dtype, shape, offset)
        return cls(path, dtype, shape, offset)

    def _unchanged(self) -> None:
        self.stamp.check()

    def lent(self, n: int, wanted: Wanted | None = None) -> Iterator[tuple[int, FileRows]] | None:
        """Hand out the blocks unread, for the core to read; None where it cannot."""
        size = self.stored.itemsize
        if self.stored == np.bool_:  # a byte of a file may be anything, a boolean may not
            return None
        if self.stored not in NUMBERS or not self.stored.isnative or self.stride % size:
            return None
        return self._lent(n, wanted, self.stride // size)

    def _lent(self, n: int, wanted: Wanted | None, step: int) -> Iterator[tuple[int, FileRows]]:
        self._unchanged()
        cuts = itertools.pairwise(self._bounds(max(1, n)).tolist())
        blocks = [
            FileRows(
                path=self.path,
                offset=self.offset + first * self.stride,
                step=step,
                stored=self.stored,
                dtype=self.dtype,
                shape=(stop - first, self.n_cols),
                first=first,
                ends_early=self._ends_early(),
            )
            for first, stop in cuts
            if wanted is None or wanted(first, stop)
        ]
        for block in announced(blocks):
            yield block.first, block
        self._unchanged()

    def _read(self, first: int, stop: int) -> Any:
        count = stop - first
        buffer = np.empty((count - 1) * self.stride + self.width, dtype=np.uint8)
        got = _read_into(self.path, self.offset + first * self.stride, buffer)
        if got < len(buffer):
            raise self._shorter(first + got // self.stride)
        strides = (self.stride, self.stored.itemsize)
        return np.ndarray((count, self.n_cols), self.stored, buffer, strides=strides)

    def take(self, numbers: Any) -> Floats:
        """Return the rows of these numbers, in their order."""
        numbers = np.asarray(numbers, dtype=np.int64)
        taken = np.empty((len(numbers), self.n_cols), dtype=self.dtype)
        for i in np.argsort(numbers, kind="stable"):  # forwards through the file
            taken[i] = self._read(int(numbers[i]), int(numbers[i]) + 1)[0]
        return taken


class ColumnsFile(NpySource):
    """An array in a file that was written column by column."""

    def __init__(self, path: Path, dtype: Any, shape: tuple[int, ...], offset: int) -> None:
        super().__init__(path, dtype, shape, offset)

    def _read(self, first: int, stop: int) -> Any:
        size = self.stored.itemsize
        columns = np.empty((self.n_cols, stop - first), dtype=self.stored)
        for j, column in enumerate(columns):
            place = self.offset + (j * self.n_rows + first) * size
            got = _read_into(self.path, place, column.view(np.uint8))
            if got < column.nbytes:
                raise self._shorter(first + got // size)
        return columns.T

    take = Source.take
    lent = Source.lent


class StoreSource(Source):
    """Anything with a shape, a type and slices by row: Zarr and HDF5 arrays, arrays in memory."""

    def __init__(
        self, array: Any, where: str, stamp: FileStamp | None = None, kind: str | None = None
    ) -> None:
        if len(array.shape) != 2:
            raise ValueError(
                f"{where} has shape {array.shape}; rows of features are needed (n, d)."
            )
        self.array, self.where, self.stamp, self.kind = array, where, stamp, kind
        self.dtype = float_type(array.dtype)
        self.n_rows, self.n_cols = (int(extent) for extent in array.shape)
        chunks = getattr(array, "chunks", None)
        self.chunk = int(chunks[0]) if chunks and isinstance(chunks[0], int) else 1

    def _bounds(self, n: int) -> I64:
        step = n if n < self.chunk else n // self.chunk * self.chunk  # whole chunks are read once
        return super()._bounds(step)

    def _unchanged(self) -> None:
        if self.stamp is not None:
            self.stamp.check()
        if tuple(self.array.shape) != self.shape:
            raise self._shorter(int(self.array.shape[0]))

    def _read(self, first: int, stop: int) -> Any:
        if self.kind is None:  # what goes wrong is the business of whoever made the array
            return np.asarray(self.array[first:stop])
        with understood(f"{self.where}, in the rows from {first} on,", self.kind):
            return np.asarray(self.array[first:stop])


def open_memmap(array: np.memmap[Any, Any]) -> Source:
    """Read what a memory map shows from its file, where it shows whole rows of it."""
    base = array
    if array.filename is None or array.ndim != 2 or array.strides[1] != array.itemsize:
        return StoreSource(base, "the memory map")
    begin = array.__array_interface__["data"][0]
    whole: Any = array
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    offset = whole.offset + begin - whole.__array_interface__["data"][0]
    if array.strides[0] < array.shape[1] * array.itemsize:
        return StoreSource(base, "the memory map")
    array.flush()
    path = Path(os.fsdecode(array.filename))
    return NpySource(path, array.dtype, array.shape, offset, array.strides[0])


def open_zarr(path: Path) -> Source:
    """Open a Zarr array in a folder."""
    zarr, kind = need("zarr", extra="io"), "a Zarr array"
    with understood(str(path), kind):
        array = zarr.open_array(str(path), mode="r")
    return StoreSource(array, str(path), kind=kind)


def open_hdf5(path: Path, key: str | None = None) -> Source:
    """Open the array of this name in an HDF5 file, or the only one with two dimensions."""
    h5py, kind = need("h5py", extra="io"), "an HDF5 file"
    found: dict[str, Any] = {}
    with understood(str(path), kind):
        file = h5py.File(path, "r")
        file.visititems(
            lambda name, item: found.update({name: item}) if getattr(item, "ndim", 0) == 2 else None
        )
    if key is not None:
        if key not in file:
            raise ValueError(f"{path} has no array {key!r}; it has {', '.join(found) or 'none'}.")
        return StoreSource(file[key], f"{path}, {key!r}", FileStamp(path), kind)
    if len(found) != 1:
        raise ValueError(
            f"{path} holds {len(found)} two-dimensional arrays ({', '.join(found) or 'none'}); "
            "name one of them: open_source(path, key=...)."
        )
    name, array = found.popitem()
    return StoreSource(array, f"{path}, {name!r}", FileStamp(path), kind)


def _read_into(path: Path, offset: int, buffer: Any) -> int:
    """Fill the buffer from this place of the file; return how many bytes there were."""
    handle = os.open(path, os.O_RDONLY)
    try:
        view, got = memoryview(buffer), 0
        while got < len(view):
            step = os.preadv(handle, [view[got : got + (1 << 30)]], offset + got)
            if step == 0:
                break
            got += step
        return got
    finally:
        os.close(handle)
