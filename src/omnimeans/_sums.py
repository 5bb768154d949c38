"""Sums that do not depend on the order of their terms.

Each term is rounded, before it is added, to a grid of two words: ``high * 2**e + low * 2**(e - b)``
with integers `high` and `low`.  Integers add without rounding, so the sum is the same for any order
and grouping, and taking a row out again gives back the very same bits.  The grid is as fine as 64
bits allow (about ``2 * (62 - log2(n))`` bits below the largest term), so that the sums of ordinary
data are simply exact.

The pre-rounding idea is that of reproducible summation: J. Demmel and H. D. Nguyen, "Fast
Reproducible Floating-Point Summation", ARITH 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnimeans._types import F64, I64

# The compiled core rounds by adding 1.5 * 2**52 grid steps, which leaves room for 50 bits.
MAX_BITS = 50
# Exponents are kept where neither word's rounding constant overflows or becomes subnormal.
MIN_EXPONENT, MAX_EXPONENT = -850, 960


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid that the sums of some data live on.

    Parameters
    ----------
    exponents : ndarray of shape (d + 1,), int64
        Exponent of one step of the high word, per column; the last column is the weight's.
    bits : int
        One step of the low word is ``2**-bits`` steps of the high word.
    """

    exponents: I64
    bits: int

    @classmethod
    def fit(cls, peaks: F64, n: int) -> Grid:
        """Return the finest grid on which `n` terms of at most `peaks` can be summed.

        Parameters
        ----------
        peaks : ndarray of shape (d + 1,)
            Largest absolute value of each column of weighted rows, and of the weights.
        n : int
            Number of rows.
        """
        bits = min(MAX_BITS, 62 - int(n).bit_length())
        exponents = np.frexp(peaks)[1].astype(np.int64) - bits
        return cls(np.minimum(np.maximum(exponents, MIN_EXPONENT), MAX_EXPONENT), bits)


def two_product(a: F64, b: F64) -> tuple[F64, F64]:
    """Return ``a * b`` rounded, and what the rounding lost (T. J. Dekker, 1971)."""
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, lost


def _upper_half(a: F64) -> F64:
    scaled = 134217729.0 * a  # 2**27 + 1
    return scaled - (scaled - a)


# Exact totals of float64 values are whole numbers of this many times the smallest normal step.
UNIT_BITS = 1127
_AT_ONCE = 1 << 17  # values whose halves add up exactly in float64, and which fit into a cache
_PEEL = 36  # leading bits that are taken off all values at a time; their sum is exact, too
_PEELS = 4  # times; what values of very different size leave over is taken one by one


def exact_units(values: F64, weights: F64 | None = None) -> int | float:
    """Return the exact sum of the values, times the weights, in units of ``2**-UNIT_BITS``.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Terms, none of them negative.
    weights : ndarray of shape (n,) or None, default=None
        What each of them is multiplied by, exactly.

    Returns
    -------
    int or float
        Sums over disjoint rows add up without rounding; infinity where a term is infinite.
    """
    total = 0
    for i in range(0, len(values), _AT_ONCE):
        some = values[i : i + _AT_ONCE]
        terms = (some,) if weights is None else two_product(some, weights[i : i + _AT_ONCE])
        if not np.isfinite(terms[0]).all():
            return float("inf")
        for term in terms:
            peeled, term = _peel(term)
            total += peeled
            if not len(term):
                continue
            mantissa, exponent = np.frexp(term)
            whole = (mantissa * 2.0**53).astype(np.int64)
            lowest = int(exponent.min(initial=0))
            place = exponent - lowest
            highs = np.bincount(place, weights=(whole >> 32).astype(np.float64))
            lows = np.bincount(place, weights=(whole & 0xFFFFFFFF).astype(np.float64))
            for shift, (high, low) in enumerate(zip(highs.tolist(), lows.tolist(), strict=True)):
                total += ((int(high) << 32) + int(low)) << (shift + lowest + UNIT_BITS - 53)
    return total


def _peel(term: F64) -> tuple[int, F64]:
    """Return the exact sum of the leading bits of values, in units, and what is left of them."""
    total = 0
    for _ in range(_PEELS):
        largest = int(np.frexp(max(term.max(initial=0.0), -term.min(initial=0.0)))[1])
        if not -900 < largest < 900:
            break
        step = 2.0 ** (largest - _PEEL)
        whole = np.trunc(term * (1.0 / step))
        total += int(whole.sum()) << (largest - _PEEL + UNIT_BITS)
        term = term - whole * step
        if not term.any():
            break
    return total, term[term != 0.0]


def from_units(total: int | float) -> float:
    """Return an exact total as the nearest float64, infinity if it is too large."""
    if isinstance(total, float):
        return total
    try:
        return total / (1 << UNIT_BITS)
    except OverflowError:
        return float("inf")
