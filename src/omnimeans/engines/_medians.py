"""Medians of rows in parts, digit by digit: each look at the rows settles some bits of a value.

Values are taken as whole numbers in the same order (the sign bit turned, negative ones reversed),
and each look counts how much weight of a cluster has each next digit behind the digits known
already: selection by radix, exact, in four looks for float32 and eight for float64, or twice as
many where many centres leave less room for counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnimeans._rows import plain
from omnimeans._types import F64, I64, Floats

DIGIT, SHORT = 8, 4  # bits settled by a look, where there is room for the counts and where not
ROOM = 1 << 13  # values of centres that may have a count of each of 256 digits
SIDES = 2  # the lower median and the upper one: the middle of both where they differ
Over = Callable[..., list[Any]]


def medians(over: Over, plan: Any, dtype: np.dtype[Any], k: int) -> F64:
    """Return the coordinate-wise weighted medians (k, d), 0 for a cluster without weight.

    Parameters
    ----------
    over : callable
        Does a job with every part.
    plan : Plan
        What the parts have in common.
    dtype : dtype
        float32 or float64.
    k : int
        Number of clusters.
    """
    d, bits = len(plan.mean), 8 * dtype.itemsize
    keys = np.zeros((SIDES, k, d), dtype=np.uint64)
    passed: Any = 0  # weight below the digits known
    total: Any = None
    width = DIGIT if k * d <= ROOM else SHORT
    for shift in range(bits - width, -1, -width):
        counted = _merged(over(weigh, plan, keys, shift, width), plan.grid.bits)
        below = np.cumsum(counted, axis=-1) + np.asarray(passed)[..., None]
        if total is None:
            total = below[..., -1]
        enough = np.stack([2 * below[0] >= total[0, ..., None], 2 * below[1] > total[1, ..., None]])
        digit = np.argmax(enough, axis=-1)
        before = np.take_along_axis(below - counted, digit[..., None], axis=-1)[..., 0]
        passed = before
        keys |= digit.astype(np.uint64) << np.uint64(shift)
    lower, upper = (_values(side, dtype).astype(np.float64) for side in keys)
    middle = np.where(lower == upper, lower + 0.0, 0.5 * lower + 0.5 * upper)  # never -0.0
    return np.where(total[0] > 0, middle, 0.0)


def weigh(
    part: Any,
    plan: Any,
    keys: NDArray[np.uint64],  # (sides, k, d) the digits known so far
    shift: int,  # bits behind the next digit
    width: int,  # bits of it
) -> I64:
    """Return the weight of each next digit, (words, sides, k, d, digits), in grid steps."""
    words = _weight_words(part, plan)
    counts = np.zeros((len(words), *keys.shape, 1 << width), dtype=np.int64)
    X = plain(part.X)
    first_look = shift + width == 8 * X.itemsize
    for j in range(keys.shape[1]):
        mine = np.flatnonzero(part.labels == j)
        found = _ordered(X[mine])
        digits = ((found >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)
        for side in range(SIDES):
            if side and (keys[0, j] == keys[1, j]).all():
                counts[:, 1, j] = counts[:, 0, j]
                continue
            known = np.uint64(0 if first_look else shift + width)  # a shift by 64 is undefined
            fits = (found >> known == keys[side, j] >> known) | first_look
            rows, columns = np.nonzero(fits)
            cells = (columns, digits[rows, columns])
            for word, amounts in enumerate(words):
                np.add.at(counts[word, side, j], cells, amounts[mine[rows]])
    return counts


def _weight_words(part: Any, plan: Any) -> I64:
    """Return each row's weight as the two words of the grid, (2, m); (1, m) where all are one."""
    if part.weights is None:
        return np.ones((1, part.X.shape[0]), dtype=np.int64)
    step = np.ldexp(1.0, int(plan.grid.exponents[-1]))
    high = np.rint(part.weights / step)
    low = np.rint((part.weights - high * step) / (step * 2.0**-plan.grid.bits))
    return np.stack([high, low]).astype(np.int64)


def _merged(parts: list[I64], bits: int) -> Any:
    """Add up the counts of all parts; two words need Python's whole numbers."""
    words = sum(parts[1:], start=parts[0])
    if len(words) == 1:
        return words[0]
    whole = words.astype(object)
    return whole[0] * (1 << bits) + whole[1]


def _ordered(values: Floats) -> NDArray[np.uint64]:
    """Return whole numbers in the order of the values; both zeros are one."""
    signed = (values + 0).view(np.int32 if values.dtype == np.float32 else np.int64)
    found = signed.astype(np.int64)
    half = np.uint64(1 << (8 * values.itemsize - 1))
    return np.where(found < 0, found ^ np.int64(half - np.uint64(1)), found).view(np.uint64) + half


def _values(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> Floats:
    """Return the values whose place in the order these are."""
    half = np.uint64(1 << (8 * dtype.itemsize - 1))
    found = (keys - half).view(np.int64)
    signed = np.where(found < 0, found ^ np.int64(half - np.uint64(1)), found)
    plain: Floats = signed.astype(np.int32 if dtype.itemsize == 4 else np.int64).view(dtype)
    return plain
