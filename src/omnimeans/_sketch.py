"""What a stream leaves behind: a summary that depends on which rows came, not on their order.

It has two parts of bounded size.  The *sample* holds the different rows whose hashes are smallest
(E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).  The *cells* are
those of a grid, as fine as their number allows; each knows the weight of all its rows, and the one
with the smallest hash.  So a row that lies far from all others has a cell of its own and is not
lost, and rows that come again and again keep their weight, wherever the sample looks.

Both follow from the set of the rows with their weights alone, so summaries of two streams merge
into that of both.  Weights are added as whole numbers of small steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from omnimeans._types import F64, I64, U64

BITS = 44  # a weight is a whole number and one of 2**44 parts
FINEST, COARSEST = -1075, 1026  # exponents of the sides of cells
EVEN, ODD = np.float64(1 / 3), np.float64(2 / 3)  # both are below the true fractions
MANTISSA = 2.0**53


def mixed(values: U64) -> U64:
    """Return a hash of each value (splitmix64: G. L. Steele and others, OOPSLA 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def hashes(words: U64, seed: int) -> U64:
    """Return a hash of each line of words (n, d)."""
    columns = mixed(np.arange(words.shape[1], dtype=np.uint64) + np.uint64(seed % 2**64))
    return mixed(mixed(words ^ columns).sum(axis=1, dtype=np.uint64))


def row_hashes(rows: F64, seed: int) -> U64:
    """Return a hash of each row's values (n, d)."""
    return hashes(np.ascontiguousarray(rows).view(np.uint64), seed)


def cell_hashes(rows: F64, level: int | None, seed: int) -> U64:
    """Return a hash of the cell that each row lies in; without a level, of the row itself.

    Cells of level L are cubes with sides of ``2**L``, shifted by a third of it (two thirds for odd
    levels), so that each lies in one of the next level; and no value is on a border at all levels.
    """
    if level is None:
        return row_hashes(rows, seed)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        scaled = np.ldexp(rows, -level)
        cells = np.floor(scaled)
        rest = scaled - cells
        # what is left after floor() is exact, but for values just below zero
        if level % 2:
            up = np.where(cells == -1.0, scaled >= -ODD, rest > EVEN)
        else:
            up = np.where(cells == -1.0, scaled >= -EVEN, rest > ODD)
        wide = ~(np.abs(scaled) < MANTISSA)  # every such value has a cell of its own
    words = (cells + up + 0.0).view(np.uint64)
    words[wide] = rows[wide].view(np.uint64) ^ np.uint64(0xA5A5A5A5A5A5A5A5)
    return hashes(words, seed)


def words_of(weights: F64) -> I64:
    """Return weights (n,) as whole numbers and parts, (n, 2)."""
    whole = np.floor(weights)
    parts = np.rint((weights - whole) * 2.0**BITS)
    return carried(np.stack([whole, parts], axis=1).astype(np.int64))


def carried(words: I64) -> I64:
    """Return the words with as many whole ones as there are."""
    words[:, 0] += words[:, 1] >> BITS
    words[:, 1] &= (1 << BITS) - 1
    return words


def weights_of(words: I64) -> F64:
    """Return the weights (n,) that these words stand for."""
    weights: F64 = words[:, 0] + words[:, 1] * 2.0**-BITS
    return weights


@dataclass(slots=True)
class Bag:
    """Different rows in the order of their keys, with their weights."""

    rows: F64  # (m, d)
    keys: U64  # (m,)
    words: I64  # (m, 2)

    @classmethod
    def empty(cls, d: int) -> Self:
        """Return a bag without rows."""
        return cls(np.empty((0, d)), np.empty(0, np.uint64), np.empty((0, 2), np.int64))

    def joined(self, other: Bag) -> Bag:
        """Return the bag of the rows of both."""
        if not len(other.rows):
            return self
        keys = np.concatenate([self.keys, other.keys])
        words = np.concatenate([self.words, other.words])
        order = np.argsort(keys, kind="stable")
        new = np.append(True, keys[order[1:]] != keys[order[:-1]])
        twins = np.flatnonzero(~new)
        ahead = self._picked(other, order[twins - 1]) != self._picked(other, order[twins])
        if ahead.any():  # one hash for two rows
            rows = np.concatenate([self.rows, other.rows])
            order = np.lexsort((*rows.T[::-1], keys))
            new[twins] = (rows[order[twins - 1]] != rows[order[twins]]).any(axis=1)
        starts = np.flatnonzero(new)
        sums = carried(np.add.reduceat(words[order], starts, axis=0))
        first = order[starts]
        return Bag(self._picked(other, first), keys[first], sums)

    def _picked(self, other: Bag, which: I64) -> F64:
        """Return these of the rows of both, one after the other."""
        m = len(self.rows)
        mine = which < m
        rows = np.empty((len(which), self.rows.shape[1]))
        rows[mine] = self.rows[which[mine]]
        rows[~mine] = other.rows[which[~mine] - m]
        return rows

    def first(self, count: int) -> Bag:
        """Return the rows with the smallest keys."""
        return Bag(self.rows[:count], self.keys[:count], self.words[:count])

    def below(self, key: np.uint64) -> Bag:
        """Return the rows with keys up to this one."""
        some = self.keys <= key
        return Bag(self.rows[some], self.keys[some], self.words[some])


@dataclass(slots=True)
class Cells:
    """Cells of a grid, each with the row of its smallest key."""

    level: int | None  # of the grid; None: each row is a cell
    seed: int
    most: int  # cells
    ids: U64  # (c,) in ascending order
    bag: Bag  # one row for each cell, in the cells' order
    masses: I64  # (c, 2) weights of all rows of each cell, as words

    @classmethod
    def empty(cls, d: int, most: int, seed: int) -> Self:
        """Return no cells."""
        bag = Bag.empty(d)
        return cls(None, seed, most, bag.keys, bag, bag.words)

    def joined(self, bag: Bag, masses: I64, level: int | None = None) -> Cells:
        """Return the cells with further rows, or those of another summary of this level."""
        if not len(bag.keys):
            return self
        level = _coarser(self.level, level)
        mine, ids = self.at(level), cell_hashes(bag.rows, level, self.seed)
        found = mine._with(ids, bag, masses)
        return found if len(found.ids) <= self.most else found.at(found._coarse_enough())

    def at(self, level: int | None) -> Cells:
        """Return the cells of this level, which is as coarse as the present one or coarser."""
        if level == self.level:
            return self
        none = Cells(level, self.seed, self.most, self.ids[:0], self.bag.first(0), self.masses[:0])
        if not len(self.ids):
            return none
        return none._with(cell_hashes(self.bag.rows, level, self.seed), self.bag, self.masses)

    def _with(self, ids: U64, bag: Bag, masses: I64) -> Cells:
        """Return the cells with rows that lie in these."""
        ids = np.concatenate([self.ids, ids])
        keys = np.concatenate([self.bag.keys, bag.keys])
        words = np.concatenate([self.bag.words, bag.words])
        masses = np.concatenate([self.masses, masses])
        order = np.lexsort((keys, ids))
        starts = np.flatnonzero(np.append(True, ids[order[1:]] != ids[order[:-1]]))
        first = order[starts]
        lengths = np.diff(np.append(starts, len(order)))
        same = keys[order] == np.repeat(keys[first], lengths)  # the same row, that came before
        own = carried(np.add.reduceat(words[order] * same[:, None], starts, axis=0))
        sums = carried(np.add.reduceat(masses[order], starts, axis=0))
        chosen = Bag(self.bag._picked(bag, first), keys[first], own)
        return Cells(self.level, self.seed, self.most, ids[first], chosen, sums)

    def _coarse_enough(self) -> int:
        """Return the finest level that has few enough cells."""

        def fits(level: int) -> bool:
            ids = cell_hashes(self.bag.rows, level, self.seed)
            return len(np.unique(ids)) <= self.most

        low = FINEST if self.level is None else self.level  # too fine
        step = 1
        while self.level is not None and low + step < COARSEST and not fits(low + step):
            low, step = low + step, 2 * step
        high = COARSEST if self.level is None else min(COARSEST, low + step)
        if self.level is None and fits(low):
            return low
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle) else (middle, high)
        return high


def _coarser(a: int | None, b: int | None) -> int | None:
    """Return the coarser of two levels."""
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


@dataclass(slots=True)
class Sketch:
    """The summary of a stream: a sample of its rows, and cells that hold all their weight."""

    most: int  # rows of the sample
    bag: Bag  # one more is kept: it tells that others were left out
    cells: Cells

    @classmethod
    def empty(cls, d: int, size: int, seed: int) -> Self:
        """Return the summary of no rows; `size` is the number of points that it comes to."""
        return cls(size, Bag.empty(d), Cells.empty(d, max(1, size // 2), seed))

    def add(self, rows: F64, weights: F64) -> None:
        """Take rows in."""
        keys, words = row_hashes(rows, self.cells.seed), words_of(weights)
        some = Bag.empty(rows.shape[1]).joined(Bag(rows, keys, words))  # copies are one
        self.cells = self.cells.joined(some, some.words)
        self._sampled(some)

    def join(self, other: Sketch) -> None:
        """Take in what another summary holds."""
        self.cells = self.cells.joined(other.cells.bag, other.cells.masses, other.cells.level)
        self._sampled(other.bag)

    def _sampled(self, some: Bag) -> None:
        if len(self.bag.keys) > self.most:
            some = some.below(self.bag.keys[-1])
        self.bag = self.bag.joined(some).first(self.most + 1)

    def points(self) -> tuple[F64, F64]:
        """Return rows with weights that stand for all rows of the stream."""
        if len(self.bag.rows) <= self.most:
            return self.bag.rows, weights_of(self.bag.words)
        sample, cells = self.bag.first(self.most - len(self.cells.ids)), self.cells
        others = ~np.isin(cells.bag.keys, sample.keys)
        extra = Bag(cells.bag.rows[others], cells.bag.keys[others], cells.bag.words[others])
        both = sample.joined(extra)
        # the weight of a cell is shared out to the rows that stand for it, as they have come
        cell = np.searchsorted(cells.ids, cell_hashes(both.rows, cells.level, cells.seed))
        known = np.zeros((len(cells.ids), 2), dtype=np.int64)
        np.add.at(known, cell, both.words)
        share = weights_of(cells.masses) / weights_of(carried(known))
        return both.rows, weights_of(both.words) * share[cell]
