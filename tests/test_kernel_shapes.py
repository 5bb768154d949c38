"""Few centres of many features, and many of few, have kernels whose labels are the definition's.

The first works where k <= 12 and d >= lanes (k + 1), the second where d <= 8 and k >= 4 lanes +
16 d; lanes are 16, 8 or 4, by instruction set.  A set is chosen when the core is loaded, so each
has a process of its own, which prints what it finds.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest

import hard_cases
from omnimeans import _core
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

N, TIES = 71, 8  # rows: whole tiles and a part of one; the first lie in the middle to the last bit
COUNTS = (1, 2, 3, 7, 10, 12, 13)
FRAMES = ("float32", "float64", "float32 moved", "float64 moved", "uint8", "int16")
UNEVEN = ("float32 far", "float32 copies")
LAYOUTS = ("plain", "right part of a wider array", "every other row")


def widths(k: int) -> set[int]:
    """Around where the kernel begins to work; some leave features behind whole vectors."""
    begins = {lanes * (k + 1) + more for lanes in (4, 8, 16) for more in (-1, 0, 1)}
    return begins | {16 * (k + 1) + 5, 784}


def many(d: int) -> list[int]:
    """Around where centres begin to compete in groups, whole groups and others."""
    return sorted({4 * lanes + 16 * d + more for lanes in (4, 8, 16) for more in (-1, 0, 3)})


CASES = [(k, d, frame) for k in COUNTS for d in sorted(widths(k)) for frame in FRAMES]
CASES += [(k, d, frame) for d in range(1, 9) for k in many(d) for frame in (*FRAMES, *UNEVEN)]
TURNS = list(itertools.product(CASES, LAYOUTS, ("euclidean",)))
TURNS += [
    (case, layout, "manhattan")
    for case, layout in itertools.product(CASES, LAYOUTS)
    if case[1] in (1, 3, 4, 8) and case[0] > max(COUNTS) and case[2].startswith("float32")
]


def problem(k: int, d: int, frame: str) -> tuple[Any, Any]:
    """Rows near the middle between two centres, so that a small error shows, and the centres.

    What is moved needs a frame that takes away a mean and multiplies by a power of two.
    """
    rng = np.random.default_rng([k, d, (*FRAMES, *UNEVEN).index(frame)])
    centers = rng.standard_normal((k, d))
    if frame.endswith("far"):
        centers[k // 2] *= 1e6
    elif frame.endswith("copies"):
        centers[k // 2 :] = centers[: k - k // 2]
    a, b = rng.integers(0, k, (2, N))
    share = 0.5 + rng.choice([-1, 1], N) * rng.uniform(2e-3, 1e-2, N)
    share[:TIES] = 0.5
    if frame in ("uint8", "int16"):
        dtype = np.dtype(frame)
        middle, unit = (128, 28) if frame == "uint8" else (9000, 4000)
        centers = np.round(centers * unit + middle).clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
        X = share[:, None] * centers[a] + (1 - share[:, None]) * centers[b]
        return np.round(X).astype(dtype), centers
    if frame.endswith("moved"):
        centers = (centers + rng.uniform(5, 30, d)) * 2.0 ** rng.choice([-45, 45])
    X = share[:, None] * centers[a] + (1 - share[:, None]) * centers[b]
    return X.astype(frame.split()[0]), centers.astype(frame.split()[0])


def digest(labels: Any) -> str:
    return hashlib.sha256(labels.astype(np.int32).tobytes()).hexdigest()[:12]


def found() -> dict[str, list[Any]]:
    """Labels by a pass of a fit and by a prediction, and the rows not proved."""
    engine = open_engine("cpu", 1, algorithm="brute")
    seen: dict[str, list[Any]] = {"labels": [], "doubtful": []}
    for case, layout, metric in TURNS:
        X, centers = problem(*case)
        X = hard_cases.LAYOUTS[layout](X)
        distance = DISTANCES[metric]
        rows = engine.place(X, None, distance)
        seen["doubtful"].append(engine.step(rows, centers).redecided)
        predicted = engine.nearest(X, centers, distance)
        seen["labels"].append([digest(rows.labels), digest(predicted)])
    return seen


@cache
def expected(case: tuple[int, int, str], metric: str) -> str:
    X, centers = problem(*case)
    engine = open_engine("reference")
    return digest(engine.nearest(X.astype(centers.dtype), centers, DISTANCES[metric]))


def is_even(case: tuple[int, int, str]) -> bool:
    """Tell whether the rows are near no other centres than those in whose middle they lie."""
    _, d, frame = case
    return d > 2 and frame.startswith("float") and frame not in UNEVEN


@pytest.mark.parametrize("isa", _core.offered().split(", "))
def test_labels_are_those_of_the_definition(isa: str) -> None:
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "OMNIMEANS_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    seen = json.loads(done.stdout)
    wrong = [
        (*turn, verb)
        for turn, labels in zip(TURNS, seen["labels"], strict=True)
        for verb, label in zip(("step", "nearest"), labels, strict=True)
        if label != expected(turn[0], turn[2])
    ]
    assert wrong == []
    # a kernel whose sums are senseless may prove nothing, and then the labels are right, but slow
    doubtful = [
        found for turn, found in zip(TURNS, seen["doubtful"], strict=True) if is_even(turn[0])
    ]
    assert max(doubtful) <= 2 * TIES


if __name__ == "__main__":
    print(json.dumps(found()))
