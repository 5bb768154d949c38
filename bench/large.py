"""A fit of data larger than memory: seconds, bytes read, and the most memory held.

``python -m bench.large make X.npy --rows 40000000`` writes seeded rows; ``python -m bench.large run
X.npy`` fits them within a bound and says what it took.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np

import omnimeans as om

STEP = 100_000  # rows written at a time


def make(path: Path, rows: int, columns: int, centers: int) -> None:
    """Write overlapping blobs, the same for the same sizes."""
    rng = np.random.default_rng(7)
    middles = rng.normal(0, 1.5, (centers, columns)).astype(np.float32)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, columns))
    noise = rng.standard_normal((STEP, columns), dtype=np.float32)
    for first in range(0, rows, STEP):
        m = min(STEP, rows - first)
        drawn = middles[rng.integers(0, centers, m)]
        np.add(drawn, noise[rng.integers(0, STEP, m)], out=file[first : first + m])
    file.flush()


def run(path: Path, k: int, iterations: int, memory: str, init: str) -> dict[str, object]:
    """Fit, and say what it took."""
    size = path.stat().st_size
    steps: list[float] = []
    model = om.KMeans(
        k,
        init=init,
        n_init=1,
        random_state=0,
        max_iter=iterations,
        tol=0.0,
        memory=memory,
        callback=lambda *_: steps.append(time.perf_counter()),
    )
    begin = time.perf_counter()
    model.fit(path)
    whole = time.perf_counter() - begin
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    per_pass = float(np.median(np.diff(steps)))
    return {
        "rows": len(model.labels_),
        "bytes": size,
        "k": k,
        "engine": model.engine_,
        "init": init,
        "iterations": model.n_iter_,
        "inertia": model.inertia_,
        "seconds": round(whole, 1),
        "seconds until the first iteration": round(steps[0] - begin, 1),
        "seconds per iteration": round(per_pass, 2),
        "MB/s of an iteration": round(size / per_pass / 1e6),
        "peak MiB": int(peak[1]) >> 10 if peak else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "run"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=40_000_000)
    parser.add_argument("--columns", type=int, default=128)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--init", default="random")
    given = parser.parse_args()
    if given.what == "make":
        make(given.path, given.rows, given.columns, given.k)
    else:
        print(
            json.dumps(
                run(given.path, given.k, given.iterations, given.memory, given.init), indent=1
            )
        )


if __name__ == "__main__":
    main()
