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
        return cls(np.clip(exponents, MIN_EXPONENT, MAX_EXPONENT), bits)


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
