"""One number per fit, to compare fits across threads, processes and instruction sets.

Run as a script, it prints the digests of all cases as JSON.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from typing import Any, NamedTuple

import numpy as np

import hard_cases
from omnimeans import _fit
from omnimeans._types import Distance, Engine, Fit
from omnimeans.distances import DISTANCES
from omnimeans.engines import cpu, open_engine
from omnimeans.init import INITS


class Case(NamedTuple):
    """What is clustered, and how."""

    data: str
    dtype: str
    metric: str
    start: str
    weighting: str


# name -> (kind of rows, n, d, k); narrow and wide rows take different paths in the core
DATA: dict[str, tuple[str, int, int, int]] = {
    "narrow": ("blobs", 1500, 3, 12),
    "wide": ("blobs", 700, 21, 13),
    "long": ("scales", 80, 130, 14),
    "ties": ("lattice", 600, 2, 9),
    "offset": ("offset", 500, 9, 5),
    "copies": ("copies", 400, 4, 120),  # 100 distinct rows: empty clusters
}
CASES = [
    Case(*chosen)
    for chosen in itertools.product(
        DATA, ("float32", "float64"), DISTANCES, INITS, ("none", "tiny and huge")
    )
]


def opened(engine: Engine, distance: Distance) -> Engine:
    """The same engine, for this distance."""
    threads = getattr(engine, "n_threads", None)
    return open_engine(engine.name, threads, distance)


def fit(case: Case, engine: Engine, max_iter: int = 12) -> Fit:
    """Run Lloyd's algorithm on a case."""
    kind, n, d, k = DATA[case.data]
    distance = DISTANCES[case.metric]
    engine = opened(engine, distance)
    X = hard_cases.rows(kind, n, d, np.dtype(case.dtype).type)
    rows = engine.place(X, hard_cases.weights(case.weighting, n), distance)
    centers = INITS[case.start](engine, rows, k, np.random.default_rng(n))
    return _fit.lloyd(engine, rows, centers, distance=distance, max_iter=max_iter, tol=0.0)


def digest(found: Fit) -> str:
    """All bits of an answer; how many rows had to be decided again is the engine's affair."""
    steps = [(step.inertia, step.moved, step.shift, step.repaired) for step in found.history]
    parts = (
        found.centers.dtype.str,
        found.centers.tobytes(),
        found.labels.tobytes(),
        found.inertia,
        found.stop_reason,
        steps,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def digests(engine: Engine, max_iter: int = 12) -> dict[str, str]:
    """The digest of every case, by its name."""
    return {" ".join(case): digest(fit(case, engine, max_iter)) for case in CASES}


OUTLINE = {"engine": "cpu", "metric": "euclidean", "weights": None, "max_iter": 300, "tol": 0.0}


def lloyd(X: Any, centers: Any, **changes: Any) -> Fit:
    """Lloyd's algorithm from these centres, as OUTLINE says but for the changes."""
    how = OUTLINE | changes
    distance = DISTANCES[how["metric"]]
    engine = open_engine(how["engine"], distance=distance)
    return _fit.lloyd(
        engine,
        engine.place(X, how["weights"], distance),
        np.array(centers, dtype=X.dtype),
        distance=distance,
        max_iter=how["max_iter"],
        tol=how["tol"],
        watch=how.get("watch"),
    )


def column(*values: float) -> Any:
    """Rows of one value."""
    return np.array(values, dtype=np.float64)[:, None]


if __name__ == "__main__":
    cpu.SMALL = 0  # so that threads are really used
    json.dump(digests(open_engine("cpu", int(sys.argv[1]))), sys.stdout)
