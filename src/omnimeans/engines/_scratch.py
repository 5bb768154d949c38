"""Arrays with one value per row: in memory where they fit, else in a file of their own."""

from __future__ import annotations

import mmap
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Scratch(np.memmap[Any, Any]):
    """An array in a temporary file that has no name any more and goes when the array does."""

    def copy(self, order: Any = "C") -> Any:
        """Return a copy, in a file as well."""
        other = scratch(len(self), self.dtype, in_file=True)
        for i in range(0, len(self), 1 << 20):
            other[i : i + (1 << 20)] = self[i : i + (1 << 20)]
            release(other)
        release(self)
        return other

    def fill(self, value: Any) -> None:
        """Set all values."""
        for i in range(0, len(self), 1 << 20):
            self[i : i + (1 << 20)] = value
            release(self)


def scratch(n: int, dtype: Any, *, in_file: bool) -> NDArray[Any]:
    """Return an array of zeros, one for each row."""
    if not in_file:
        return np.zeros(n, dtype=dtype)
    with tempfile.TemporaryFile(prefix="omnimeans-") as file:
        file.truncate(max(1, n * np.dtype(dtype).itemsize))
        return Scratch(file, dtype=dtype, mode="r+", shape=(n,))


def release(array: NDArray[Any]) -> None:
    """Let go of the pages that were looked at; what was written stays in the file."""
    mapped = getattr(array, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
