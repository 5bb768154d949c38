"""Exact rescaling of values whose squared distances would leave the range of float64.

Squares double exponents: values of 1e160 have squared distances of 1e320, which is infinite, and
values of 1e-200 have 1e-400, which is zero.  Such data are divided by a power of two before they
are placed, and centres and sums are multiplied by it afterwards.  A power of two changes no bit of
a mantissa, so the answer is that of ordinary data, scaled exactly; where the answer itself leaves
the range (an inertia of 1e320), it is rounded to infinity or zero as any float64 is.

Data is told by its *top*, the largest absolute value, and its *span*, the largest range of a
column: a constant column has no part in any distance, however large its values are.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from omnimeans import _core
from omnimeans._rows import Holed, csr_with, is_plain
from omnimeans._types import Distance, Fit, Floats, Iteration

# Binary exponents.  Within the first two, data stay as they are; the rest leave room for the sums
# of squares of many columns and rows, and for weights of up to 1e140.
ORDINARY = 200
HIGHEST = 400
REACH = 440  # what is compared with safe data may be this large
VANISHED = -450  # differences below 2**VANISHED have squares that lose digits
UNSUMMED = -780  # smaller values lose digits in sums

SAMPLE = 256  # rows that mostly tell that the span is ordinary


def exponent_of(*parts: Any) -> int | None:
    """Return the e for which rows, in these arrays, are safe to square; 0 for all ordinary data.

    They are to be divided by ``2**e``.  None says that no power of two suits all values: some
    squared distances would vanish beside the others.
    """
    if not any(_wide(X) for X in parts):
        return 0
    if len(parts) == 1 and is_plain(parts[0], np.dtype(np.float64)):  # mostly
        _, most, span = _core.survey(parts[0])
        if most < 2.0**ORDINARY and span >= 2.0**-ORDINARY:
            return 0
    highest = _exponent(max(top(X) for X in parts))
    sample = [X[:: max(1, X.shape[0] // SAMPLE)] for X in parts]
    if highest <= ORDINARY and _span(*sample) >= 2.0**-ORDINARY:
        return 0  # a sample is mostly enough
    span = _span(*parts)
    exponent = _suitable(highest, span)
    if exponent is None or (span and exponent == 0):
        return exponent
    lowest = exponent + (VANISHED if span else UNSUMMED)
    return exponent if min(_exponent(smallest(X)) for X in parts) > lowest else None


def exponent_between(X: Floats, centers: Floats) -> int | None:
    """Return the e for which distances of ``X / 2**e`` from ``centers / 2**e`` are safe.

    The centres decide.  Only where they are all alike, or where a row is beyond their reach, the
    rows are looked at as well; no label depends on it, for a power of two changes none.
    """
    if not _wide(centers):
        return 0
    _, most, span = _core.survey(centers)
    highest = _exponent(most)
    exponent = _suitable(highest, span) if span else None
    if exponent is not None and (not _wide(X) or top(X) <= reach(exponent)):
        return exponent
    return exponent_of(X, centers)


def divided(values: Any, exponent: int) -> Any:
    """Return ``values / 2**exponent``."""
    return scaled(values, -exponent) if exponent else values


def scaled(values: Any, exponent: int) -> Any:
    """Return ``values * 2**exponent``, rounded where that leaves the range."""
    if isinstance(values, Holed):
        return Holed(scaled(values.values, exponent), scaled(values.fill, exponent))
    if issparse(values):
        return csr_with(values, scaled(values.data, exponent))
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(values, exponent)


def held(centers: Floats, exponent: int) -> Floats:
    """Return centres as the user can hold them: tiny ones have fewer digits in the user's units."""
    return divided(scaled(centers, exponent), exponent) if exponent else centers


def restored_sum(total: float, exponent: int, distance: Distance) -> float:
    """Return a sum of distances in the user's units."""
    return _ldexp(total, exponent * (2 if distance.kernel == "euclidean" else 1))


def restored_shift(shift: float, exponent: int) -> float:
    """Return a sum of squared steps in the user's units; a step too small to square is a step."""
    return max(_ldexp(shift, 2 * exponent), sys.float_info.min) if shift else 0.0


def restored(fit: Fit, exponent: int, distance: Distance) -> Fit:
    """Return the fit in the user's units."""
    if exponent == 0:
        return fit
    return replace(
        fit,
        centers=scaled(fit.centers, exponent),
        inertia=restored_sum(fit.inertia, exponent, distance),
        history=tuple(restored_record(record, exponent, distance) for record in fit.history),
        start=None if fit.start is None else scaled(fit.start, exponent),
    )


def restored_record(record: Iteration, exponent: int, distance: Distance) -> Iteration:
    """Return a line of a history in the user's units."""
    if exponent == 0:
        return record
    return replace(
        record,
        inertia=restored_sum(record.inertia, exponent, distance),
        shift=restored_shift(record.shift, exponent),
    )


def reach(exponent: int) -> float:
    """Return the largest value that can be compared with data of this exponent."""
    return _ldexp(1.0, exponent + REACH)


def top(X: Any) -> float:
    """Return the largest absolute value; values that are missing do not count."""
    values = _values(X)
    if not values.size:
        return 0.0
    return max(float(np.fmax.reduce(values, axis=None)), -float(np.fmin.reduce(values, axis=None)))


def smallest(X: Any) -> float:
    """Return the smallest absolute value that is not zero."""
    values = _values(X)
    if values.dtype.kind != "f":
        return 1.0 if values.any() else math.inf  # of whole numbers none is smaller
    sizes = np.abs(values)
    return float(sizes.min(where=sizes > 0, initial=np.inf))


def _wide(values: Floats) -> bool:
    """Tell whether the type holds extreme values; the squares of all others are well in range."""
    return values.dtype.kind == "f" and values.dtype.itemsize >= 8


def _suitable(highest: int, span: float) -> int | None:
    """Return the exponent for data whose top lies below ``2**highest``."""
    if span == 0.0:  # rows that are all alike
        return highest if abs(highest) > ORDINARY else 0
    wide = _exponent(span)
    if highest <= ORDINARY and wide >= -ORDINARY:
        return 0
    exponent = max(wide - ORDINARY, highest - HIGHEST)
    return exponent if wide - exponent >= -HIGHEST else None


def _span(*parts: Floats) -> float:
    """Return half of the largest range of a column, over all rows of these arrays."""
    highest = np.fmax.reduce([_along(np.fmax.reduce, "max", X) for X in parts])
    lowest = np.fmin.reduce([_along(np.fmin.reduce, "min", X) for X in parts])
    half = 0.5 * highest - 0.5 * lowest
    return float(np.fmax.reduce(half))


def _values(X: Any) -> Floats:
    """Return the values that are there: of sparse rows, those that are stored."""
    return X.values if isinstance(X, Holed) else X.data if issparse(X) else X


def _along(reduce: Any, name: str, X: Any) -> Floats:
    """Return the largest or smallest value of each column, the zeros of sparse rows included."""
    if issparse(X):
        return getattr(X, name)(axis=0).toarray().ravel()  # type: ignore[no-any-return]
    found: Floats = reduce(_values(X), axis=0)
    return found


def _exponent(value: float) -> int:
    """Return e with ``2**(e - 1) <= value < 2**e``; of infinity, more than of any number."""
    return math.frexp(value)[1] if math.isfinite(value) else sys.float_info.max_exp + 1


def _ldexp(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf
