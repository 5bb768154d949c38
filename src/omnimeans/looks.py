"""Looks: small questions about the rows, asked where the rows are.

A look is a function ``(engine, rows, *what)`` of some rows; :meth:`Engine.each` sends it to all of
them, in as many parts as the engine keeps them in, and returns the answers in the rows' order.  So
a question is written once, for rows in memory, in a file, or on other machines.  Row numbers in an
answer count from the first row of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omnimeans._types import F64, I64, Engine, Floats, Rows, equal_rows

# away (m,), numbers (m,), clusters (m,) and values (m, d) of some rows
Far = tuple[F64, I64, I64, Floats]


def members(engine: Engine, rows: Rows, k: int) -> I64:
    """Return how many rows each cluster has; a row without weight is no row."""
    labels = rows.labels if rows.weights is None else rows.labels[rows.weights > 0.0]
    return np.bincount(labels, minlength=k)


def farthest(
    engine: Engine,
    rows: Rows,
    centers: Floats,  # (k, d)
    count: int,  # as many as this, those farthest from their own centres
    after: tuple[float, int],  # that come after the row of this distance and number
    gone: I64,  # sorted numbers of rows that are left out
) -> Far:
    """Return the rows worst off, the farthest first and of equals the lowest number."""
    away = _own_distances(engine, rows, centers)
    limit, last = after
    numbers = np.arange(rows.first, rows.first + rows.n)
    open_ = (away > 0.0) & ((away < limit) | ((away == limit) & (numbers > last)))
    if len(gone):
        open_ &= ~np.isin(numbers, gone)
    found = np.flatnonzero(open_)
    if len(found) > count:
        found = found[away[found] >= np.partition(away[found], -count)[-count]]
    found = found[np.argsort(-away[found], kind="stable")][:count]
    labels = rows.labels[found].astype(np.int64)
    return away[found], numbers[found], labels, rows.take(found)


def first_of(parts: list[Far], count: int) -> Far:
    """Return the first `count` of several parts' rows, in the order of one part's."""
    away, numbers, labels, values = (np.concatenate(of) for of in zip(*parts, strict=True))
    order = np.lexsort((numbers, -away))[:count]
    return away[order], numbers[order], labels[order], values[order]


def copies(engine: Engine, rows: Rows, centers: Floats, far: Far) -> list[I64]:
    """Return the numbers of the rows in the same cluster that are copies of each of these."""
    away = _own_distances(engine, rows, centers)
    distances, _, clusters, values = far
    kinds, kind = np.unique(distances, return_inverse=True)
    near = np.flatnonzero(np.isin(away, kinds))  # few: each distance is mostly one row's
    mark = rows.labels[near] * np.int64(len(kinds)) + np.searchsorted(kinds, away[near])
    order = np.argsort(mark, kind="stable")
    near, mark = near[order], mark[order]
    wanted = clusters * len(kinds) + kind
    begins, ends = (np.searchsorted(mark, wanted, side=side) for side in ("left", "right"))
    found = []
    for begin, end, model in zip(begins, ends, values, strict=True):
        alike = near[begin:end]
        if len(alike):
            alike = alike[equal_rows(rows, alike, model)]
        found.append(alike + rows.first)
    return found


def one_value(engine: Engine, rows: Rows) -> tuple[bool, Floats]:
    """Return whether the rows that count are copies of one, and the first of them, if any."""
    counted = np.arange(rows.n) if rows.weights is None else np.flatnonzero(rows.weights > 0.0)
    one = rows.take(counted[:1])
    return not len(one) or bool(equal_rows(rows, counted, one[0]).all()), one


def marks(engine: Engine, rows: Rows, center: Floats) -> int:
    """Return a number that changes with any row, weight or the order of the rows.

    Each row is hashed with its number, from its distance to a centre (1, d) and its weight, and
    the hashes are added modulo 2**64, so that the parts may be added, too.
    """
    numbers = np.arange(rows.first, rows.first + rows.n, dtype=np.uint64)
    hashes = _mixed(numbers) ^ engine.distances(rows, center).view(np.uint64)
    if rows.weights is not None:
        hashes = _mixed(hashes) ^ rows.weights.view(np.uint64)
    return int(_mixed(hashes).sum(dtype=np.uint64))


def digest(engine: Engine, rows: Rows) -> str:
    """Return the digest of all rows: the same for any engine and any parts."""
    parts = engine.each(rows, marks, rows.mean[None])
    return f"{sum(parts) % 2**64:016x}"


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash of each value (the finaliser of SplitMix64, G. Steele et al., OOPSLA 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _own_distances(engine: Engine, rows: Rows, centers: Floats) -> F64:
    away = engine.distances(rows, centers, rows.labels)
    if rows.weights is not None:
        away[rows.weights == 0.0] = -1.0
    return away
