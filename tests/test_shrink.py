"""Fits of small samples in one call: against hand-computed cases, scikit-learn, and themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_samples

import omnimeans as om
from omnimeans import _core

SEEDS = np.arange(4, dtype=np.uint64)


def falling(most: int) -> Any:
    return np.arange(most, 0, -1, dtype=np.int32)


def shrunk(X: Any, most: int, weights: Any = None, seed: int = 0) -> Any:
    return _core.shrunk(X, weights, falling(most), min(len(X), most + 4), 20, 1e-4, seed)


def references(low: Any, width: Any, n: int, most: int, threads: int = 1) -> Any:
    plan = (falling(most), most + 4, 20, 1e-4)
    return _core.shrunk_references(low, width, n, None, *plan, SEEDS, threads)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_fits_are_near_the_best_of_many_starts(d: int) -> None:
    X = np.ascontiguousarray(make_blobs(400, d, centers=6, random_state=d)[0])
    for k, inertia in zip(falling(9), shrunk(X, 9), strict=True):
        best = KMeans(int(k), n_init=10, random_state=0).fit(X).inertia_
        assert best * 0.98 <= inertia <= best * 1.1, (k, inertia, best)
    assert shrunk(X, 9)[-1] == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-12)


def test_hand_computed_pairs() -> None:
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert shrunk(X, 4).tolist() == [0.0, 0.5, 1.0, 101.0]


def test_a_weight_counts_copies() -> None:
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    weights = np.array([3.0, 1.0, 1.0, 0.0])
    assert shrunk(X, 2, weights)[0] == pytest.approx(0.75)  # 0 three times and 1: mean 1/4


def test_rows_that_are_all_alike_cost_nothing() -> None:
    assert shrunk(np.ones((20, 2)), 5).tolist() == [0.0] * 5


def test_references_are_spread_evenly_over_their_box() -> None:
    found = references(np.array([5.0]), np.array([6.0]), 3000, 4)
    expected = 3000 * 6.0**2 / 12 / np.array([16, 9, 4, 1])
    assert found.mean(axis=0) == pytest.approx(expected, rel=0.04)
    assert len(np.unique(found)) == found.size  # each seed draws rows of its own


def test_agreement_is_the_adjusted_rand_index() -> None:
    X, y = make_blobs(300, 2, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    rng = np.random.default_rng(0)
    wrong = np.where(rng.random(300) < 0.2, rng.integers(0, 3, 300), y).astype(np.int32)
    labels = np.stack([wrong, (wrong > 1).astype(np.int32), 0 * wrong])
    numbers = np.stack([np.sort(rng.choice(300, 150, replace=False)) for _ in SEEDS])
    plan = (falling(3), 7, 20, 1e-4)
    found = _core.shrunk_parts(np.ascontiguousarray(X), None, numbers, labels, *plan, SEEDS, 1)
    assert found[:, 0] == pytest.approx(adjusted_rand_score(y, wrong), rel=1e-12)
    assert found[:, 2].tolist() == [1.0] * len(SEEDS)


def test_threads_make_no_difference() -> None:
    box = np.zeros(3), np.ones(3)
    alone, together = (references(*box, 200, 6, threads) for threads in (1, 3))
    assert alone.tobytes() == together.tobytes()


SAME = """
import numpy as np
from omnimeans import _core
import omnimeans as om
rng = np.random.default_rng(0)
X, y = rng.normal(size=(700, 5)), rng.integers(0, 4, 700)
ks = np.arange(6, 0, -1, dtype=np.int32)
print(_core.shrunk(X, None, ks, 10, 4, 1e-3, 7).tobytes().hex())
print(om.metrics.silhouette_samples(X, y).tobytes().hex())
"""


@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_instruction_sets_make_no_difference(isa: str) -> None:
    if isa not in _core.offered():
        isa = _core.isa()

    def said(**more: str) -> str:
        environment = {**os.environ, **more}
        done = subprocess.run(
            [sys.executable, "-c", SAME], env=environment, capture_output=True, text=True
        )
        return done.stdout or done.stderr

    assert said(OMNIMEANS_ISA=isa) == said()


@pytest.mark.parametrize(
    ("n", "k", "d"), [(16, 2, 1), (17, 2, 3), (640, 3, 2), (1111, 13, 40), (900, 60, 300)]
)
def test_silhouettes_of_tiles_and_blocks_of_any_size(n: int, k: int, d: int) -> None:
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, d)), np.sort(rng.integers(0, k, n))
    y[:k] = range(k)
    rng.shuffle(y)
    found = om.metrics.silhouette_samples(X, y)
    assert found == pytest.approx(silhouette_samples(X, y), abs=1e-9)
    assert found.tobytes() == om.metrics.silhouette_samples(X, y, n_threads=3).tobytes()


def test_what_does_not_fit_together_is_refused() -> None:
    X, ks = np.ones((5, 2)), falling(3)
    for bad in (
        lambda: _core.shrunk(X, None, ks[::-1].copy(), 3, 1, 0.0, 0),
        lambda: _core.shrunk(X, None, ks, 6, 1, 0.0, 0),
        lambda: _core.shrunk(X, None, ks, 2, 1, 0.0, 0),
        lambda: _core.shrunk(X, np.ones(4), ks, 3, 1, 0.0, 0),
        lambda: _core.shrunk(X, None, ks, 3, 0, 0.0, 0),
        lambda: references(np.zeros(2), np.ones(3), 5, 1),
    ):
        with pytest.raises(ValueError, match=r"rows|clusters|weight|iterations|corners"):
            bad()
