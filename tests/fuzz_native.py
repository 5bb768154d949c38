"""Fuzzes the compiled core: calls with arrays of all shapes, types, layouts and values."""

from __future__ import annotations

from collections.abc import Callable
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
from omnimeans import _core


def native(data: bytes) -> None:
    """Call the compiled core with arrays of all shapes, types, layouts and values."""
    choose = Choices(data)
    n, d, k = choose.whole(0, 70), choose.whole(0, 20), choose.whole(0, 30)
    dtype = np.float32 if choose.chance(50) else np.float64
    X = matrix(choose, n, d, dtype)
    with np.errstate(all="ignore"):
        for _ in range(choose.whole(1, 4)):
            call = choose.pick(CALLS)
            try:
                call(choose, X, n, d, k)
            except (*REFUSED, OSError):
                continue


def placed(choose: Choices, X: Any, n: int, d: int) -> Any:
    labels = np.full(n if not choose.chance(5) else n + 1, -1, np.int32)
    kind = _core.RowsF32 if X.dtype == np.float32 else _core.RowsF64
    exponents = whole_numbers(choose, d + 1, -60, 4, np.int64)
    if choose.chance(5) and len(exponents):
        exponents[0] = choose.pick([-(2**62), 2**62, -2000, 2000])
    rows = kind(
        X, weights_of(choose, n), labels, kernel_of(choose), exponents, choose.whole(-1, 52)
    )
    if not choose.chance(10):
        offset = matrix(choose, 1, d, X.dtype).reshape(-1)
        rows.set_frame(offset, float(choose.pick([1.0, 0.0, 1e-200, 1e200, np.nan, np.inf, -1.0])))
    return rows


def call_rows(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    rows = placed(choose, X, n, d)
    for _ in range(choose.whole(1, 5)):
        centers = centers_of(choose, k, d, X.dtype)
        try:
            what = choose.whole(0, 7)
            if what <= 2:
                rows.step(centers, threads_of(choose))
            elif what == 3:
                rows.relabel(
                    whole_numbers(choose, choose.whole(0, 5), 0, n, np.int64), choose.whole(-1, 31)
                )
            elif what == 4:
                labels = None if choose.chance(30) else whole_numbers(choose, n, 0, k, np.int32)
                rows.distances(centers, labels, threads_of(choose))
            elif what == 5:
                rows.medians(choose.pick([k, k, k + 1, 0, 1000]), threads_of(choose))
            elif what == 6:
                rows.total(threads_of(choose))
            else:
                rows.sums()
        except REFUSED:
            continue


def call_store(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Rows of any number type and layout, read in place."""
    kind = choose.pick([np.uint8, np.int8, np.int16, np.int32, np.uint64, np.float16, bool])
    if choose.chance(60):
        X = matrix(choose, n, d, kind)
    dtype = choose.pick([np.float32, np.float64])
    store = (_core.lend_f32 if dtype == np.float32 else _core.lend_f64)(X)
    labels = np.full(n, -1, np.int32)
    exponents = whole_numbers(choose, d + 1, -60, 4, np.int64)
    held = store.hold(
        weights_of(choose, n), labels, kernel_of(choose), exponents, choose.whole(-1, 52)
    )
    if choose.chance(80):
        held.set_frame(choose.values(d).astype(dtype), float(choose.pick([1.0, 1e200, np.nan])))
    look_around(choose, store, held, dtype, (n, d, k))


def look_around(choose: Choices, store: Any, held: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    """Some looks, mostly of rows that have a cluster already."""
    if choose.chance(60):
        with suppress(*REFUSED):
            held.step(centers_of(choose, shape[2], shape[1], dtype), threads_of(choose))
    for _ in range(choose.whole(1, 5)):
        with suppress(*REFUSED):
            one_look(choose, store, held, dtype, shape)


def one_look(choose: Choices, store: Any, held: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    n, d, k = shape
    centers, threads = centers_of(choose, k, d, dtype), threads_of(choose)
    given = whole_numbers(choose, n, 0, k, np.int32)
    calls: list[Callable[[], Any]] = [
        lambda: held.step(centers, threads),
        lambda: store.take(whole_numbers(choose, 5, 0, n, np.int64)),
        lambda: store.nearest(centers, kernel_of(choose), threads),
        lambda: store.own(centers, given, kernel_of(choose), threads),
        lambda: store.all_pairs(centers, kernel_of(choose), threads),
        lambda: store.peaks(weights_of(choose, n), threads),
        lambda: held.medians(choose.pick([k, k + 1]), threads),
        lambda: held.relabel(whole_numbers(choose, 3, 0, n, np.int64), choose.whole(-1, 31)),
        lambda: held.distances(centers, given, threads),
        lambda: held.inertia(centers, given, threads),
        lambda: held.total(threads),
        lambda: (held.sums(), held.resume(choose.pick([k, k, k + 1, 0]))),
        lambda: store.lengths(centers, kernel_of(choose), lengths_out(choose, n, k), threads),
        lambda: walk(choose, held.seeding(threads), n, d, k, dtype),
    ]
    choose.pick(calls)()


def lengths_out(choose: Choices, n: int, k: int) -> Any:
    """Room for distances, mostly as much as is needed."""
    return np.empty((n + choose.pick([0, 0, 0, 1]), k), choose.pick([np.float32, np.float64]))


def call_seeding(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    walk(choose, placed(choose, X, n, d).seeding(threads_of(choose)), n, d, k, X.dtype)


def walk(choose: Choices, seeding: Any, n: int, d: int, k: int, dtype: Any) -> None:
    for _ in range(choose.whole(1, 6)):
        try:
            what = choose.whole(0, 4)
            if what == 0:
                seeding.draw(whole_numbers(choose, k, 0, 2**62, np.uint64))
            elif what == 1:
                seeding.closest(whole_numbers(choose, k, 0, n, np.int64))
            elif what == 2:
                seeding.meet(centers_of(choose, k, d, dtype))
            elif what == 3:
                seeding.worth(whole_numbers(choose, choose.whole(0, 5), 0, k, np.int64))
            else:
                seeding.adopt(choose.whole(-1, 31))
        except REFUSED:
            continue


def call_nearest(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    labels = _core.nearest(
        X, centers_of(choose, k, d, X.dtype), kernel_of(choose), threads_of(choose)
    )
    assert len(labels) == X.shape[0]
    assert labels.min() >= 0
    assert labels.max() < max(k + 1, 1)


def call_pairs(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    if choose.chance(50):
        _core.pairs(X, matrix(choose, n, d, X.dtype), kernel_of(choose))
    else:
        centers = centers_of(choose, k, d, X.dtype)
        _core.all_pairs(X, centers, kernel_of(choose), threads_of(choose))


def call_sums(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    what = choose.whole(0, 2)
    if what == 0:
        _core.peaks(X, weights_of(choose, n), threads_of(choose))
    elif what == 1:
        _core.total(np.abs(X.reshape(-1)), weights_of(choose, X.size))
    else:
        sums = whole_numbers(choose, k * 2 * (d + 1), -(2**62), 2**62, np.int64)
        exponents = whole_numbers(choose, d + 1, -900, 900, np.int64)
        _core.means(sums.reshape(k, 2, d + 1), exponents, choose.whole(-1, 52))


def call_scores(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    labels = whole_numbers(choose, n, 0, k, np.int32)
    what, kernel, threads = choose.whole(0, 3), kernel_of(choose), threads_of(choose)
    if what == 0:
        several = np.tile(labels, (choose.pick([1, 2, 0]), 1))
        _core.silhouettes(X, several, k, weights_of(choose, n), kernel, choose.chance(50), threads)
    elif what == 1:
        _core.extremes(X, labels, kernel, threads)
    elif what == 2:
        _core.own_and_other(X, centers_of(choose, k, d, X.dtype), labels, kernel, threads)
    else:
        _core.unit_rows(X, threads)


Call = Callable[[Choices, Any, int, int, int], None]
CALLS: list[Call] = [call_rows, call_rows, call_seeding, call_nearest, call_pairs, call_sums]
CALLS += [call_scores, call_store, call_store]
