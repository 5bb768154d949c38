"""Decisions and arrays read from the bytes that a fuzzer draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
REFUSED = (TypeError, ValueError, MemoryError, OverflowError, RuntimeError)

VALUES = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-310, 5e-324, 1e-160, 1e30, 1e155, 1e308, 3e38, 2.0**53]
VALUES += [float("nan"), float("inf"), float("-inf"), 1.0 + 2**-52, 16777217.0]


class Choices:
    """Decisions read from bytes; when they run out, the first choice is taken."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def whole(self, low: int, high: int) -> int:
        """A number from low to high, both included."""
        span = high - low + 1
        value = (
            self.byte() if span <= 256 else int.from_bytes(bytes(self.byte() for _ in "12345678"))
        )
        return low + value % span

    def pick(self, options: Sequence[T]) -> T:
        return options[self.whole(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        return self.whole(0, 99) >= 100 - percent

    def values(self, count: int) -> np.ndarray:
        """Ordinary numbers, with others strewn in."""
        rng = np.random.default_rng(self.whole(0, 255))
        made = rng.choice([1.0, 1e-3, 1e9], 1) * rng.standard_normal(count)
        if self.chance(30):
            made = np.rint(made)
        for _ in range(self.whole(0, 3) if count else 0):
            made[self.whole(0, count - 1)] = self.pick(VALUES)
        return made


def matrix(choose: Choices, n: int, d: int, dtype: Any) -> Any:
    """An array, mostly of this shape and type, in some layout."""
    if choose.chance(10):
        n, d = n + choose.whole(-1, 1), max(0, d + choose.whole(-1, 1))
    dtype = choose.pick([np.float16, np.int64, ">f8", bool]) if choose.chance(5) else dtype
    n = max(n, 0)
    with np.errstate(all="ignore"):
        made = choose.values(n * d).reshape(n, d).astype(dtype)
    layout = choose.whole(0, 11)
    if layout == 1:
        made = np.asfortranarray(made)
    elif layout == 2:
        made = np.hstack([made, made])[:, :d]
    elif layout == 3:
        made = np.ascontiguousarray(made[::-1])[::-1]
    elif layout == 4:
        made = np.repeat(made, 2, axis=0)[::2]
    elif layout == 5:
        made = made.ravel()
    elif layout == 6:
        made = np.hstack([made, made])[:, ::2]
    elif layout == 7:
        made.flags.writeable = False
    elif layout == 8 and n:
        made = np.broadcast_to(made[0], (n, d))
    elif layout == 9:
        held = np.empty(made.nbytes + 1, np.uint8)
        unaligned = held[1:].view(made.dtype).reshape(made.shape) if made.nbytes else made
        unaligned[...] = made
        made = unaligned
    return made


def centers_of(choose: Choices, k: int, d: int, dtype: Any) -> Any:
    """An array for what must lie row by row in memory, which it mostly does."""
    made = matrix(choose, k, d, dtype)
    return (
        made if choose.chance(15) else np.ascontiguousarray(made, np.dtype(dtype).newbyteorder("="))
    )


def whole_numbers(choose: Choices, count: int, low: int, high: int, dtype: Any) -> Any:
    """Mostly in range, sometimes one that is not, sometimes too few."""
    if choose.chance(8):
        count += choose.whole(-2, 2)
    made = np.random.default_rng(choose.byte()).integers(low, max(high, low + 1), max(count, 0))
    made = made.astype(np.float64 if choose.chance(3) else dtype)
    if choose.chance(15) and len(made):
        made[choose.whole(0, len(made) - 1)] = choose.pick([-1, -2, high, high + 1, 2**31 - 1, 0])
    return made


def weights_of(choose: Choices, n: int) -> Any:
    if choose.chance(60):
        return None
    return np.abs(matrix(choose, n, 1, np.float64).reshape(-1))


def kernel_of(choose: Choices) -> str:
    return choose.pick(["euclidean", "manhattan", "euclidean", "manhattan", "cosine", ""])


def threads_of(choose: Choices) -> int:
    return choose.pick([1, 2, 3, 5, 0, -1, 64])
