"""Starts on few rows: drawn from the different rows, in an order of their own.

Rows are drawn by number, so another order of the same rows, or copies in place of weights, would
lead to another start.  For up to :data:`FEW` rows it costs next to nothing to do better: copies are
merged into one row of their weights' sum, and the rows are put in the order of their distance from
one fixed point.  Then the start depends only on which rows there are, and what they weigh.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from omnimeans import _core
from omnimeans._rows import Holed
from omnimeans._types import F64, I64, Distance, Engine, Floats, Rows, Start
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

FEW, VALUES = 4096, 1 << 22  # rows, and values of all of them together


def of_different_rows(start: Start, distance: Distance) -> Start:
    """Return the same start, on the different rows where there are few."""
    known: tuple[Rows, Engine, Rows] | None = None  # those of the last start, mostly

    def ordered_start(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
        nonlocal known
        if known is None or known[0] is not rows:
            known = (rows, *_different(engine, rows, distance))
        _, engine, rows = known
        if rows.n <= k:  # each of them is a centre, one of them more than once
            values = rows.take(np.arange(rows.n))
            return np.concatenate([values, np.repeat(values[-1:], k - rows.n, axis=0)])
        return start(engine, rows, k, rng)

    return ordered_start


def _different(engine: Engine, rows: Rows, distance: Distance) -> tuple[Engine, Rows]:
    """Return the different rows, placed, where they are few, and else the rows as they are."""
    if engine.name not in ("cpu", "reference") and is_few(rows.X, rows.weights):
        engine = open_engine("cpu", None, distance)  # these few rows fit into memory
    found = different_rows(engine, rows)
    if found is None:
        return engine, rows
    return engine, engine.place(rows.take(found[0]), found[1], distance)


def is_few(X: Any, weights: F64 | None) -> bool:
    """Tell whether finding the different rows costs next to nothing; holes have no order.

    Rows of weight zero do not count.
    """
    n, d = X.shape
    if n > FEW and weights is not None:
        n = np.count_nonzero(weights)
    return n <= FEW and n * d <= VALUES and not isinstance(X, Holed)


def different_rows(engine: Engine, rows: Rows) -> tuple[I64, F64 | None] | None:
    """Return the numbers of the different rows that count, in order, and their weights.

    The weights are None where each row counts once.  There is no answer where the rows are many or
    miss values.
    """
    if not is_few(rows.X, rows.weights):
        return None
    numbers = np.arange(rows.n) if rows.weights is None else np.flatnonzero(rows.weights > 0.0)
    values = rows.take(numbers)
    alike = np.zeros(len(numbers), dtype=np.int32)
    away = engine.own(values, _landmark(rows)[None], alike, DISTANCES["euclidean"])
    found = _core.order_rows(values, away)
    if found is None:
        return None
    order, firsts = found
    numbers = numbers[order]
    if rows.weights is None and len(firsts) == len(numbers):
        return numbers, None
    copies = np.diff(firsts, append=len(numbers))
    if rows.weights is None:
        return numbers[firsts], copies.astype(np.float64)
    weights = rows.weights[numbers]
    totals = weights[firsts]
    for i in np.flatnonzero(copies > 1):
        totals[i] = math.fsum(weights[firsts[i] : firsts[i] + copies[i]])
    return numbers[firsts], totals


def _landmark(rows: Rows) -> Floats:
    """Return a point from which hardly any two rows are equally far."""
    side = math.sqrt(rows.spread / rows.weight / rows.d)
    return (rows.mean + side * _odd(rows.d)).astype(rows.mean.dtype)


@cache
def _odd(d: int) -> F64:
    return np.random.Generator(np.random.Philox(0)).random(d)
