"""Fits in many threads at once, on many threads each: what ThreadSanitizer watches.

Only the compiled core reports to the sanitizer; Python itself was not built for it.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import omnimeans as om
import omnimeans.distances
from omnimeans import _core
from omnimeans.engines import cpu

cpu.SMALL = 0  # so that threads are really used
SECONDS = float(sys.argv[1]) if sys.argv[1:] and sys.argv[1] != "race" else 20.0


def fits(number: int, end: float, done: list[int]) -> None:
    rng, fitted = np.random.default_rng(number), 0
    while time.monotonic() < end:
        n, d, k = int(rng.integers(50, 900)), int(rng.integers(1, 20)), int(rng.integers(1, 20))
        X: Any = rng.standard_normal((n, d)).astype(rng.choice(["f4", "f8"]))
        model = om.KMeans(
            min(k, n),
            metric=str(rng.choice(["euclidean", "manhattan", "cosine"])),
            random_state=number,
            n_threads=int(rng.integers(1, 6)),
            max_iter=5,
            tol=1.0,
        )
        weights = rng.random(n) if rng.random() < 0.3 else None
        model.fit(X, sample_weight=weights)
        assert (model.predict(X) == model.labels_).all()
        fitted += 1
    done[number] = fitted


def race() -> None:
    """Two threads step on the same rows, which is not allowed: the sanitizer must complain."""
    X = np.random.default_rng(0).standard_normal((400000, 8))
    engine = cpu.CpuEngine(1)
    rows = engine.place(X, None, om.distances.DISTANCES["euclidean"])
    steps = [lambda: [engine.step(rows, X[i : i + 9].copy()) for i in range(20)]] * 2
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    if "race" in sys.argv:
        return race()
    done, end = [0] * 4, time.monotonic() + SECONDS
    with ThreadPoolExecutor(len(done)) as pool:
        running = [pool.submit(fits, number, end, done) for number in range(len(done))]
    for one in running:
        one.result()  # what goes wrong in a thread is a finding, too
    print(f"{sum(done)} fits in {len(done)} threads at once; core {_core.__file__}")


if __name__ == "__main__":
    main()
