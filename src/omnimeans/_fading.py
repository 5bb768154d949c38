"""A sample of a stream that forgets: late rows are more likely to be in it, and count for more.

Each row gets an exponential variate from a hash of its values and its time, divided by what the row
counts; the smallest are kept.  Since all rows fade at the same rate, this order never changes
(forward decay: G. Cormode and others, "Forward decay", ICDE 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from omnimeans._sketch import hashes
from omnimeans._types import F64, I64, U64

LOG_2 = float(np.log(2.0))


@dataclass(slots=True)
class Fading:
    """The rows that are kept, in the order of their keys; one more than the sample has.

    Parameters
    ----------
    most : int
        Rows of the sample.
    half_life : float
        Rows of the stream after which a row counts half.
    seed : int
        Of the hash.
    rows, keys, weights, ages : ndarray
        What is kept: values (m, d), logarithms of variates, weights and times in half-lives (m,).
    """

    most: int
    half_life: float
    seed: int
    rows: F64
    keys: F64
    weights: F64
    ages: F64

    @classmethod
    def empty(cls, d: int, most: int, half_life: float, seed: int) -> Self:
        """Return a sample of no rows."""
        none = np.empty(0)
        return cls(most, half_life, seed, np.empty((0, d)), none, none, none)

    def add(self, rows: F64, weights: F64, begin: int) -> None:
        """Take rows in; `begin` rows have come before."""
        times: F64 = np.arange(begin, begin + len(rows), dtype=np.float64)
        ages: F64 = times / self.half_life
        words: U64 = np.column_stack([rows, times]).view(np.uint64)
        share = ((hashes(words, self.seed) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        keys = np.log(-np.log1p(-share)) - ages * LOG_2 - np.log(weights)
        if len(self.keys) > self.most:
            some = keys <= self.keys[-1]
            rows, keys, weights, ages = rows[some], keys[some], weights[some], ages[some]
        if not len(rows):
            return
        keys = np.append(self.keys, keys)
        order: I64 = np.argsort(keys, kind="stable")[: self.most + 1]
        self.rows, self.keys = np.concatenate([self.rows, rows])[order], keys[order]
        self.weights = np.append(self.weights, weights)[order]
        self.ages = np.append(self.ages, ages)[order]

    def points(self, seen: int) -> tuple[F64, F64]:
        """Return the sample, and for how much its rows stand after so many rows."""
        m = min(len(self.rows), self.most)
        counted = self.weights[:m] * np.exp2(self.ages[:m] - seen / self.half_life)
        if len(self.rows) <= self.most:
            return self.rows[:m], counted
        # a row is in if its key is below that of the first row left out
        logarithm = self.keys[m] + self.ages[:m] * LOG_2 + np.log(self.weights[:m])
        return self.rows[:m], counted / -np.expm1(-np.exp(logarithm))
