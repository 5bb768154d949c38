"""Fuzzes rounds of seeding, one by one, and what the core knows about groups and order of rows."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from fuzz_choices import (
    REFUSED,
    Choices,
    centers_of,
    kernel_of,
    threads_of,
    weights_of,
    whole_numbers,
)
from fuzz_native import CALLS
from fuzz_whole import grid_of, rows_with_a_grid
from omnimeans import _core


def call_play_each(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Rounds of k-means++ by random words, as many as there are words for."""
    rows, _, _ = rows_with_a_grid(choose, X, n)
    seeding = rows.seeding(threads_of(choose))
    for _ in range(choose.whole(1, 3)):
        trials, rounds = choose.whole(-1, 9), choose.whole(-1, 12)
        words = max(0, 2 + 2 * trials * (rounds - 1))
        words = choose.whole(0, 40) if choose.chance(20) else words
        rng = np.random.default_rng(choose.byte())
        bits = rng.integers(0, 2**64, words, dtype=np.uint64)
        if choose.chance(20) and words:
            bits[choose.whole(0, words - 1)] = choose.pick([0, 2**64 - 1, 2**63])
        with suppress(*REFUSED):
            chosen = seeding.play_each(bits, trials, choose.pick([rounds, rounds, 2**62, 0]))
            assert ((chosen >= 0) & (chosen < n)).all()
            assert len(chosen) <= max(1, words)


def call_groups(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """The nearest of centres that lie in groups round middles."""
    count = choose.whole(0, 6)
    cuts = np.random.default_rng(choose.byte()).integers(0, k + 1, max(0, count - 1))
    starts = np.array([0, *np.sort(cuts), k], np.int64)[: None if count else 1]
    if choose.chance(10):
        starts = whole_numbers(choose, count + 1, 0, k, np.int64)
    names = None if choose.chance(50) else whole_numbers(choose, k, 0, k, np.int32)
    centers, middles = centers_of(choose, k, d, X.dtype), centers_of(choose, count, d, X.dtype)
    probes, kernel = choose.pick([0, 1, 2, 7, 2**31, -1]), kernel_of(choose)
    labels, compared = _core.nearest_in_groups(
        X, centers, starts, middles, kernel, probes, threads_of(choose), names
    )
    assert ((labels >= 0) & (labels < k)).all()
    assert 0 <= compared <= len(X) * (k + count)


def call_label_sums(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    weights = weights_of(choose, n)
    exponents, bits = grid_of(choose, X, weights)
    labels = whole_numbers(choose, n, 0, k, np.int32)
    sums = _core.label_sums(X, weights, labels, k, exponents, bits, threads_of(choose))
    assert sums.shape == (k, 2, X.shape[1] + 1)


def call_order(choose: Choices, X: Any, n: int, d: int, k: int) -> None:
    """Rows in the order of a distance, equal ones beside each other."""
    away = np.rint(np.abs(choose.values(n))) if choose.chance(50) else np.abs(choose.values(n))
    found = _core.order_rows(X, away)
    if found is not None:
        order, firsts = found
        assert np.array_equal(np.sort(order), np.arange(n))
        assert ((firsts >= 0) & (firsts < max(n, 1))).all()


CALLS += [call_play_each, call_play_each, call_groups, call_label_sums, call_order]
