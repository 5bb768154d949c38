"""Fuzzes later parts of the core: ways to step, sparse rows, rows with holes, partial passes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from fuzz_choices import (
    REFUSED,
    Choices,
    centers_of,
    kernel_of,
    matrix,
    threads_of,
    weights_of,
    whole_numbers,
)
from fuzz_native import CALLS, look_around, placed
from omnimeans import _core


def call_ways(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Steps with trees, bounds and codes by turns, with all that may come in between."""
    rows = placed(choose, X, n, d)
    centers = centers_of(choose, k, d, X.dtype)
    for _ in range(choose.whole(1, 8)):
        if choose.chance(40):
            centers = centers + centers.dtype.type(0.125) * centers_of(choose, k, d, X.dtype)
        with suppress(*REFUSED):
            way = choose.chance(30), choose.chance(50), choose.pick(SCREENS)
            rows.step(centers, threads_of(choose), *way)
            if choose.chance(30):
                rows.bounds()
        with suppress(*REFUSED):
            if choose.chance(15):
                rows.relabel(whole_numbers(choose, 2, 0, n, np.int64), choose.whole(-1, 31))
            if choose.chance(10):
                rows.resume(choose.pick([k, k + 1, 0, -1, 1000]))
            if choose.chance(10):
                rows.set_frame(choose.values(d).astype(X.dtype), choose.pick([1.0, 0.0, np.nan]))


SCREENS = ["tiles", "codes", "race", "tiles", "codes", "race", ""]


def lines(choose: Choices, n: int, d: int, dtype: Any) -> tuple[Any, Any, Any]:
    """Values, columns and starts of sparse rows, mostly as they ought to be."""
    rng = np.random.default_rng(choose.byte())
    held = [np.flatnonzero(rng.random(d) < 0.4) for _ in range(n)]
    columns = np.concatenate([*held, np.empty(0)]).astype(choose.pick([np.int32, np.int64]))
    starts = np.cumsum([0, *map(len, held)]).astype(np.int64)
    values = choose.values(len(columns)).astype(dtype)
    if choose.chance(15) and len(columns):
        columns[choose.whole(0, len(columns) - 1)] = choose.pick([-1, d, 0, 2**31 - 1])
    if choose.chance(15):
        starts[choose.whole(0, n)] = choose.pick([-1, 0, len(columns), len(columns) + 1, 2**62])
    if choose.chance(5):
        values = values[:-1]
    if choose.chance(5):
        starts = starts[:-1]
    return values, columns, starts


def call_sparse(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    dtype = choose.pick([np.float32, np.float64])
    parts = lines(choose, n, d, dtype)
    what = choose.whole(0, 9)
    if what == 0:
        _core.unit_sparse(*parts, d)
    elif what == 1:
        _core.ascending(*parts[1:], d)
    else:
        make = _core.sparse_f32 if dtype == np.float32 else _core.sparse_f64
        look_at(choose, make(*parts, d), dtype, (n, d, k))


def call_holes(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Missing values, and what takes their place."""
    X = np.where(np.random.default_rng(choose.byte()).random(X.shape) < 0.2, np.nan, X)
    fill = choose.values(X.shape[-1]).astype(X.dtype)
    if choose.chance(10):
        fill = matrix(choose, 1, d, X.dtype).reshape(-1)
    look_at(choose, _core.with_holes(X, fill), X.dtype, (n, d, k), 2 * d + 1)


def look_at(
    choose: Choices, store: Any, dtype: Any, shape: tuple[int, int, int], columns: int | None = None
) -> None:
    n, d, _ = shape
    labels = np.full(n, -1, np.int32)
    exponents = whole_numbers(choose, columns or d + 1, -60, 4, np.int64)
    held = store.hold(
        weights_of(choose, n), labels, kernel_of(choose), exponents, choose.whole(-1, 52)
    )
    if choose.chance(80):
        held.set_frame(choose.values(d).astype(dtype), float(choose.pick([1.0, 1e200, np.nan])))
    look_around(choose, store, held, dtype, shape)


def call_partial(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    frame = choose.values(d).astype(X.dtype), float(choose.pick([1.0, 0.0, 1e200, np.nan]))
    centers = centers_of(choose, k, d, X.dtype)
    if choose.chance(50):
        closest = np.abs(choose.values(n)) if choose.chance(70) else np.full(n, np.inf)
        room = choose.pick([1, 3, 64, 1000, 0, -1])
        _core.winners(
            X,
            closest,
            weights_of(choose, n),
            choose.whole(-1100, 1100),
            centers,
            kernel_of(choose),
            *frame,
            threads_of(choose),
            room,
        )
    else:
        labels = whole_numbers(choose, n, 0, k, np.int32)
        reach = float(choose.pick([0.0, 1.0, 1e30, np.inf, np.nan, -1.0]))
        _core.gaps(X, labels, centers, kernel_of(choose), *frame, reach, threads_of(choose))


def call_table(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    out = np.empty((n + choose.pick([0, 0, 0, 1]), k), choose.pick([X.dtype, np.float64]))
    centers = centers_of(choose, k, d, X.dtype)
    _core.distance_table(X, centers, kernel_of(choose), choose.chance(50), out, threads_of(choose))


CALLS += [call_ways, call_ways, call_sparse, call_sparse, call_holes, call_partial, call_table]
