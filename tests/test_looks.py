"""Looks: the questions that repairs ask, against answers found by going through all rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from omnimeans import _fit, looks
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

EUCLIDEAN = DISTANCES["euclidean"]


def placed(X: Any, centers: Any, weights: Any = None) -> tuple[Any, Any]:
    engine = open_engine("cpu", 1)
    rows = engine.place(X, weights, EUCLIDEAN)
    engine.step(rows, centers)
    return engine, rows


def lattice(n: int, seed: int) -> Any:
    """Rows with many copies and many equal distances."""
    return np.random.default_rng(seed).integers(0, 7, (n, 2)).astype(np.float64)


def repaired_by_hand(rows: Any, away: Any, empty: Any) -> Any:
    """Row by row, farthest first: give each empty cluster a row and its copies."""
    labels, taken = rows.labels.copy(), np.zeros(rows.n, dtype=bool)
    for row in np.argsort(-away, kind="stable"):
        if not len(empty) or away[row] <= 0:
            break
        alike = (labels == labels[row]) & (away == away[row]) & (rows.X[row] == rows.X).all(axis=1)
        others = (labels == labels[row]) & ~alike & (away >= 0)
        if not taken[row] and others.any():
            labels[alike], taken[alike], empty = empty[0], True, empty[1:]
    return labels, len(empty)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_repairs_take_the_rows_that_a_walk_through_all_of_them_takes(
    seed: int, weighted: bool
) -> None:
    X = lattice(120, seed)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 3, len(X)).astype(np.float64) if weighted else None
    centers = np.concatenate([X[:3] + 0.25, 99.0 + np.arange(40)[:, None] * [1.0, 1.0]])
    engine, rows = placed(X, centers, weights)
    seen = engine.step(rows, centers)
    empty = np.flatnonzero(engine.means(rows, seen.sums)[1] == 0.0)
    away = engine.distances(rows, centers, rows.labels)
    if weights is not None:
        away[weights == 0] = -1.0
    expected, unfilled = repaired_by_hand(rows, away, empty)
    after, filled = _fit.repair(engine, rows, centers, seen, empty)
    assert_array_equal(rows.labels, expected)
    assert filled == len(empty) - unfilled > 10
    means, _ = engine.means(rows, after.sums)
    counted = np.ones(len(X)) if weights is None else weights
    for j in np.unique(expected[counted > 0]):
        mine = expected == j
        assert means[j] == pytest.approx(np.average(X[mine], axis=0, weights=counted[mine]))


def test_the_farthest_rows_come_in_order_and_in_pages() -> None:
    X = lattice(200, 1)
    centers = np.zeros((1, 2))
    engine, rows = placed(X, centers)
    squares = (X**2).sum(axis=1)
    expected = [i for i in np.argsort(-squares, kind="stable") if squares[i] > 0]
    nobody = np.empty(0, dtype=np.int64)
    pages, after = [], (math.inf, -1)
    while len((page := looks.farthest(engine, rows, centers, 7, after, nobody))[1]):
        pages += page[1].tolist()
        after = (page[0][-1], page[1][-1])
    assert pages == expected
    far = looks.farthest(engine, rows, centers, 7, (math.inf, -1), np.array(expected[:3]))
    assert far[1].tolist() == expected[3:10]
    assert_array_equal(far[3], X[far[1]])


def test_parts_are_merged_in_the_order_of_one() -> None:
    X = lattice(90, 2)
    centers = np.zeros((1, 2))
    nobody = np.empty(0, dtype=np.int64)
    parts = []
    for first in (0, 30, 60):
        engine, rows = placed(X[first : first + 30], centers)
        rows.first = first
        parts.append(looks.farthest(engine, rows, centers, 11, (math.inf, -1), nobody))
    engine, rows = placed(X, centers)
    whole = looks.farthest(engine, rows, centers, 11, (math.inf, -1), nobody)
    for found, expected in zip(looks.first_of(parts, 11), whole, strict=True):
        assert_array_equal(found, expected)


def test_one_value() -> None:
    engine, rows = placed(np.full((5, 2), 3.0), np.zeros((1, 2)))
    assert looks.one_value(engine, rows)[0]
    engine, rows = placed(np.array([[1.0], [2.0], [1.0]]), np.zeros((1, 1)), np.array([1, 0, 1.0]))
    alike, one = looks.one_value(engine, rows)
    assert alike
    assert_array_equal(one, [[1.0]])
    engine, rows = placed(np.array([[1.0], [2.0], [1.0]]), np.zeros((1, 1)))
    assert not looks.one_value(engine, rows)[0]
