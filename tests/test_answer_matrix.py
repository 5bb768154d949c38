"""One answer, enforced: two ways to the same fit, in pairs that are drawn, give the same bytes.

Threads, algorithms, sizes of chunks, layouts in memory and files are drawn against each other, on
adversarial data: exact ties, near ties one unit in the last place apart, copies, huge offsets.
Instruction sets are chosen when the core is loaded, so each has a process of its own.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import hard_cases
import omnimeans as om
import tally
from omnimeans import _core
from omnimeans.algorithms import NAMES
from omnimeans.engines import cpu

THREADS = (1, 2, 3, 7, 16)
CHUNKS = (0, 1, 7, 64, 10**9)
KINDS = ("blobs", "lattice", "copies", "offset", "far", "scales", "outlier", "near ties")


def rows(kind: str, n: int, d: int, dtype: Any, seed: int) -> Any:
    if kind == "near ties":
        return hard_cases.near_ties(n, d, dtype, seed)[0]
    return hard_cases.rows(kind, n, d, dtype, seed)


def near_tied(kind: str, X: Any, k: int, seed: int) -> Any:
    """Centres to start from: pairs that differ by a unit in the last place, or not at all."""
    if kind == "near ties":  # those that the rows lie between
        return np.resize(hard_cases.near_ties(*X.shape, X.dtype.type, seed)[1], (k, X.shape[1]))
    centers = X[:k].copy()
    pairs = centers[1::2]
    pairs[:] = centers[: 2 * len(pairs) : 2]
    pairs[:, seed % X.shape[1]] = np.nextafter(pairs[:, seed % X.shape[1]], X.dtype.type(99))
    centers[~centers.any(axis=1)] = 1  # has no direction
    return centers


def mapped(X: Any) -> Any:
    """The same rows in a file, read when they are needed."""
    folder = TemporaryDirectory()
    path = Path(folder.name) / "rows.npy"
    np.save(path, X)
    found = np.load(path, mmap_mode="r")
    KEPT.append(folder)
    return found


KEPT: list[Any] = []
HOLDERS: dict[str, Callable[[Any], Any]] = {
    "dense": lambda X: X,
    "column by column": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "csr": scipy.sparse.csr_array,
    "csc": scipy.sparse.csc_array,
    "memmap": mapped,
}


def digest(X: Any, w: Any, **parameters: Any) -> str:
    """All bits of an answer, timings and work aside."""
    model = om.KMeans(**({"max_iter": 10, "tol": 0.0} | parameters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, sample_weight=w)
    steps = [(h.inertia, h.moved, h.shift, h.repaired) for h in model.history_]
    parts: list[Any] = [model.labels_.tobytes(), model.cluster_centers_.tobytes()]
    parts += [model.inertia_, model.n_iter_, model.stop_reason_, steps]
    parts += [model.predict(X).tobytes(), model.score(X, sample_weight=w)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(5, 300),
    d=st.integers(1, 24),
    k=st.integers(1, 24),
    dtype=st.sampled_from([np.float32, np.float64]),
    metric=st.sampled_from(["euclidean", "manhattan", "cosine"]),
    tied=st.booleans(),
    weighting=st.sampled_from(sorted(hard_cases.WEIGHTS)),
    threads=st.sampled_from(THREADS),
    algorithm=st.sampled_from(sorted(NAMES)),
    chunk=st.sampled_from(CHUNKS),
    holder=st.sampled_from(sorted(HOLDERS)),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=250, deadline=None)
def test_any_two_ways(
    kind: str,
    n: int,
    d: int,
    k: int,
    dtype: Any,
    metric: str,
    tied: bool,
    weighting: str,
    threads: int,
    algorithm: str,
    chunk: int,
    holder: str,
    seed: int,
) -> None:
    X, w = rows(kind, n, d, dtype, seed), hard_cases.weights(weighting, n, seed)
    how = {"n_clusters": min(k, n), "metric": metric, "random_state": seed % 1000}
    how |= {"init": near_tied(kind, X, min(k, n), seed), "n_init": 1} if tied else {}
    small, cpu.SMALL = cpu.SMALL, 0  # so that threads are really used
    try:
        expected = digest(X, w, n_threads=1, algorithm="lloyd", **how)
        _core.set_chunk_rows(chunk)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # Elkan with one cluster
            found = digest(HOLDERS[holder](X), w, n_threads=threads, algorithm=algorithm, **how)
    finally:
        _core.set_chunk_rows(0)
        cpu.SMALL = small
        while KEPT:
            KEPT.pop().cleanup()
    tally.count("comparisons")
    assert found == expected


@given(
    n=st.integers(6, 60),
    d=st.integers(1, 24),
    k=st.integers(1, 6),
    dtype=st.sampled_from([np.float32, np.float64]),
    metric=st.sampled_from(["euclidean", "manhattan", "cosine"]),
    algorithm=st.sampled_from(sorted(NAMES)),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=100, deadline=None)
def test_near_ties_are_decided_by_definition(
    n: int, d: int, k: int, dtype: Any, metric: str, algorithm: str, seed: int
) -> None:
    """Rows and the centres that they lie between, a unit in the last place apart."""
    X = rows("near ties", n, d, dtype, seed)
    how = {"metric": metric, "n_init": 1, "max_iter": 4}
    how |= {"n_clusters": k, "init": near_tied("near ties", X, k, seed)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # Elkan with one cluster
        found = digest(X, None, engine="cpu", algorithm=algorithm, **how)
    tally.count("comparisons")
    assert found == digest(X, None, engine="reference", **how)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("algorithm", sorted(NAMES))
@pytest.mark.parametrize("threads", THREADS)
def test_every_thread_count_and_algorithm(
    threads: int, algorithm: str, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "SMALL", 0)
    for kind in ("lattice", "near ties"):
        X = rows(kind, 700, 5, np.float32, 1)
        how = {"n_clusters": 17, "metric": metric, "random_state": 0}
        expected = digest(X, None, n_threads=1, algorithm="lloyd", **how)
        assert digest(X, None, n_threads=threads, algorithm=algorithm, **how) == expected
        tally.count("comparisons")


def test_the_digest_sees_a_bit() -> None:
    X = rows("blobs", 100, 3, np.float64, 0)
    moved = X.copy()
    moved[5, 1] += 1e-13
    how = {"n_clusters": 4, "random_state": 0}
    assert digest(X, None, **how) != digest(moved, None, **how)


def across_instruction_sets() -> list[str]:
    """Digests of fits by every algorithm, with threads, chunks, holders and weights by turns."""
    cpu.SMALL = 0
    found = []
    turns = itertools.product(KINDS, (2, 9, 40), (np.float32, np.float64), METRICS, sorted(NAMES))
    for number, (kind, d, dtype, metric, algorithm) in enumerate(turns):
        X = rows(kind, 150, d, dtype, 3)
        w = hard_cases.weights(sorted(hard_cases.WEIGHTS)[number // len(NAMES) % 4], 150, 3)
        how = {"n_clusters": 13, "metric": metric, "random_state": 0}
        if kind == "near ties":
            how |= {"init": near_tied(kind, X, 13, 3), "n_init": 1}
        holder = HOLDERS[sorted(HOLDERS)[number % len(HOLDERS)]]
        _core.set_chunk_rows(CHUNKS[number % len(CHUNKS)])
        threads = THREADS[number // 7 % len(THREADS)]
        found.append(digest(holder(X), w, n_threads=threads, algorithm=algorithm, **how))
        while KEPT:
            KEPT.pop().cleanup()
    return found


METRICS = ("euclidean", "manhattan", "cosine")


def test_every_instruction_set() -> None:
    answers = {}
    for isa in _core.offered().split(", "):
        done = subprocess.run(
            [sys.executable, __file__],
            env={**os.environ, "OMNIMEANS_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
            timeout=200,
        )
        answers[isa] = done.stdout.split()
        tally.count("comparisons", len(answers[isa]))
    first = next(iter(answers.values()))
    assert len(first) == 8 * 3 * 2 * 3 * len(NAMES)
    assert len({tuple(found) for found in answers.values()}) == 1
    for begin in range(0, len(first), len(NAMES)):  # and all algorithms say the same
        assert len(set(first[begin : begin + len(NAMES)])) == 1


if __name__ == "__main__":
    print("\n".join(across_instruction_sets()))
