"""Fuzzes what the core does in one call: fits, seedings, splits in two, sweeps, time limits."""

from __future__ import annotations

from contextlib import suppress
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from fuzz_choices import REFUSED, Choices, centers_of, threads_of, weights_of, whole_numbers
from fuzz_native import CALLS, placed
from omnimeans import _core
from omnimeans._sums import Grid


def grid_of(choose: Choices, X: Any, weights: Any) -> tuple[Any, int]:
    """The grid that these rows ask for, or any."""
    if choose.chance(60):
        with suppress(*REFUSED):
            grid = Grid.fit(_core.peaks(X, weights, 1), X.shape[0])
            return grid.exponents, grid.bits
    return whole_numbers(choose, X.shape[-1] + 1, -60, 4, np.int64), choose.whole(-1, 52)


def rows_with_a_grid(choose: Choices, X: Any, n: int) -> tuple[Any, Any, tuple[Any, int]]:
    """Rows, their labels and their grid, with a frame mostly."""
    weights, labels = weights_of(choose, n), np.full(n, -1, np.int32)
    grid = grid_of(choose, X, weights)
    kind = _core.RowsF32 if X.dtype == np.float32 else _core.RowsF64
    rows = kind(X, weights, labels, choose.pick(["euclidean"] * 5 + ["cosine"]), *grid)
    if not choose.chance(10):
        with np.errstate(all="ignore"):
            offset = np.asarray(X, np.float64).mean(axis=0).astype(X.dtype)
        rows.set_frame(offset, float(choose.pick([1.0, 0.0, 1e-200, 1e200, np.nan])))
    return rows, labels, grid


def start_of(choose: Choices, X: Any, n: int, d: int, k: int) -> Any:
    """Rows of the matrix, or anything."""
    if n and choose.chance(60):
        numbers = np.random.default_rng(choose.byte()).integers(0, len(X), k)
        return np.ascontiguousarray(np.asarray(X)[numbers])
    return centers_of(choose, k, d, X.dtype)


def call_course(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Lloyd's loop in one call, again and again on the same rows."""
    rows, labels, grid = rows_with_a_grid(choose, X, n)
    for _ in range(choose.whole(1, 3)):
        with suppress(*REFUSED):
            found = rows.course(
                start_of(choose, X, n, d, k),
                *grid,
                choose.pick([1.0, 0.0, 1e300, np.nan, -1.0]),
                choose.pick([0.0, 1.0, 1e300, np.nan]),
                choose.pick([1, 2, 9, 0, -1, 300]),
                choose.pick([0.0, 1e-4, np.nan, -1.0, np.inf]),
                threads_of(choose),
            )
            if found is not None:
                lines, centers = found
                assert lines.ndim == 2
                assert centers.shape[1] == X.shape[1]
                assert len(lines) == 0 or ((labels >= 0) & (labels < len(centers))).all()


def call_play(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """All rounds of k-means++ in one call."""
    rows, _, _ = rows_with_a_grid(choose, X, n)
    seeding = rows.seeding(threads_of(choose))
    for _ in range(choose.whole(1, 3)):
        with suppress(*REFUSED):
            trials, rounds = choose.whole(-1, 5), choose.whole(-1, 12)
            count = max(0, trials * rounds)
            count = choose.whole(0, 20) if choose.chance(20) else count
            tickets = whole_numbers(choose, count, 0, 2**62, np.uint64)
            luck = np.random.default_rng(choose.byte()).random(len(tickets))
            if choose.chance(15) and len(luck):
                luck[choose.whole(0, len(luck) - 1)] = choose.pick([np.nan, -1.0, 2.0, np.inf, 1.0])
            chosen = seeding.play(tickets, luck, trials, rounds, choose.chance(50))
            assert all(0 <= row < n for row in chosen)


def call_halves(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Splits in two, of parts that are there and of others."""
    weights = weights_of(choose, n)
    grid = grid_of(choose, X, weights)
    halves = (_core.HalvesF32 if X.dtype == np.float32 else _core.HalvesF64)(X, weights)
    parts = [(0, n, 0)]
    for _ in range(choose.whole(1, 12)):
        part = choose.pick(parts)
        if choose.chance(10):
            part = choose.whole(-1, n + 1), choose.whole(-1, n + 1), choose.whole(-1, 4)
        size = max(0, part[1] - part[0])
        with suppress(*REFUSED):
            what = choose.whole(0, 5)
            centers = start_of(choose, X, n, d, 2)
            if what <= 1:
                most, tol = choose.pick([1, 5, 300, 0, -1]), choose.pick([0.0, 1e-4, np.nan])
                halves.lloyd(*part, centers, *grid, most, tol, threads_of(choose))
            elif what == 2:
                halves.put(*part, whole_numbers(choose, size, 0, 2, np.int32))
            elif what == 3:
                first, *_ = sides = halves.part(*part, centers, threads_of(choose))
                assert sum(side[0] for side in sides) == size
                middle = part[0] + first[0]
                made = (part[0], middle, part[2] + 1), (middle, part[1], part[2] + 1)
                parts += [one for one in made if one[0] < one[1]]
            elif what == 4:
                halves.take(*part, whole_numbers(choose, choose.whole(0, 5), 0, size, np.int64))
                assert sorted(halves.numbers(*part)) != []
            else:
                halves.total()


def falling(choose: Choices, n: int) -> tuple[Any, int]:
    """Numbers of clusters, and centres to begin with."""
    ks = np.sort(whole_numbers(choose, choose.whole(0, 5), 1, min(n, 12), np.int64))[::-1]
    ks = ks.astype(np.int32)[:: -1 if choose.chance(5) else 1]
    return np.ascontiguousarray(ks), choose.pick([int(ks.max(initial=1)), n, 12, n + 1, 0])


def call_shrunk(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Fits for many numbers of clusters."""
    wide = np.ascontiguousarray(X, dtype=np.float64) if choose.chance(90) else X
    ks, first = falling(choose, n)
    most, share = choose.pick([1, 3, 10, 0]), choose.pick([0.0, 1e-3, np.nan, 1.0])
    seeds = whole_numbers(choose, choose.whole(0, 3), 0, 2**62, np.uint64)
    what, weights = choose.whole(0, 2), weights_of(choose, n)
    if what == 0:
        _core.shrunk(wide, weights, ks, first, most, share, choose.byte())
    elif what == 1:
        low, width = choose.values(d), np.abs(choose.values(d))
        how = ks, first, most, share, seeds, threads_of(choose)
        _core.shrunk_references(low, width, choose.pick([n, 0, -1, 3]), weights, *how)
    else:
        part = choose.whole(0, n + 1)
        numbers = whole_numbers(choose, len(seeds) * part, 0, n, np.int64)
        labels = whole_numbers(choose, len(ks) * n, 0, int(ks.min(initial=1)), np.int32)
        numbers, labels = numbers.reshape(len(seeds), -1), labels.reshape(len(ks), -1)
        how = ks, first, most, share, seeds, threads_of(choose)
        _core.shrunk_parts(wide, weights, numbers, labels, *how)


def call_limits(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Passes in small chunks, with a time limit that may come in the middle."""
    _core.set_chunk_rows(choose.pick([0, 1, 3, 7, 10**9, -1]))
    try:
        _core.set_patience(choose.pick([1, 1000, 0, 10**9, -1]))
        _core.set_deadline(choose.pick([None, 0.0, 1e-6, 1e-4, 1e9, -1.0, np.nan, np.inf]))
        rows = placed(choose, X, n, d)
        for _ in range(choose.whole(1, 4)):
            with suppress(_core.TimeIsUp, *REFUSED):
                rows.step(centers_of(choose, k, d, X.dtype), threads_of(choose))
            with suppress(_core.TimeIsUp, *REFUSED):
                rows.total(threads_of(choose))
    finally:
        _core.set_deadline(None)
        _core.set_chunk_rows(0)
        with suppress(*REFUSED):
            _core.set_patience(USUAL_PATIENCE)


USUAL_PATIENCE = 20_000  # microseconds


def call_survey(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    finite, top, span = _core.survey(X)
    if finite and X.size:
        with np.errstate(over="ignore"):
            assert top == np.abs(X).max()
        assert span <= top


def call_file(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Rows that are read from a file in place, as long as is said or shorter."""
    kind = choose.pick([np.float32, np.float64, np.uint8, np.int16])
    with NamedTemporaryFile() as file:
        file.write(np.zeros(choose.whole(0, 2000), np.uint8).tobytes())
        file.flush()
        lend = choose.pick([_core.lend_file_f32, _core.lend_file_f64])
        store = lend(
            file.name if choose.chance(95) else file.name + ".gone",
            choose.pick([0, 0, 128, 1999, 2**40, 2**62, -1]),
            choose.pick([d, d, d + 1, 2**40, 2**62, -1, 0]),
            choose.pick([n, n, 2**31, 2**62, -1]),
            choose.pick([d, d, 2**31, 2**62, -1]) if choose.chance(20) else d,
            np.empty(0, kind),
            choose.pick([0, 5, -1]),
            "row ",
            " is missing",
        )
        dtype = np.float32 if lend is _core.lend_file_f32 else np.float64
        with suppress(*REFUSED, OSError):
            _core.finite(store, threads_of(choose))
        with suppress(*REFUSED, OSError):
            store.nearest(centers_of(choose, k, d, dtype), "euclidean", threads_of(choose))
        with suppress(*REFUSED, OSError):
            store.take(whole_numbers(choose, 4, 0, n, np.int64))


def call_inertia(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """The objective as it is summed up in one pass."""
    rows, _, _ = rows_with_a_grid(choose, X, n)
    for _ in range(choose.whole(1, 3)):
        labels = None if choose.chance(30) else whole_numbers(choose, n, 0, k, np.int32)
        with suppress(*REFUSED):
            rows.inertia(start_of(choose, X, n, d, k), labels, threads_of(choose))


CALLS += [
    call_file,
    call_inertia,
    call_course,
    call_course,
    call_play,
    call_halves,
    call_halves,
    call_shrunk,
]
CALLS += [call_limits, call_survey]
