"""BisectingKMeans beside scikit-learn's: ``python -m bench.bisecting [threads]`` prints seconds.

200,000 x 16, k = 64: blobs with as many centres, and rows without clusters; best of three seeds
for each, and the mean inertia of all of them.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import sklearn.cluster
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

import omnimeans as om

N, D, K, SEEDS = 200_000, 16, 64, 3


def measured(make: Any, X: Any) -> tuple[float, float]:
    """Return the least seconds of a fit, and the mean inertia."""
    seconds, inertias = [], []
    for seed in range(SEEDS):
        model = make(seed)
        start = time.perf_counter()
        inertias.append(model.fit(X).inertia_)
        seconds.append(time.perf_counter() - start)
    return min(seconds), float(np.mean(inertias))


def main(threads: int) -> None:
    noise = np.random.default_rng(0).normal(size=(N, D))
    data = {"blobs": make_blobs(N, D, centers=K, random_state=0)[0], "no clusters": noise}
    print(f"{'':32s} ours, s  theirs, s  times as fast  inertia, ours / theirs")
    with threadpool_limits(threads):
        for name, rows in data.items():
            for dtype in (np.float64, np.float32):
                X = rows.astype(dtype)
                for init in ("random", "k-means++"):
                    options: dict[str, Any] = {"n_clusters": K, "init": init}
                    mine, inertia = measured(
                        lambda seed, options=options: om.BisectingKMeans(
                            **options, random_state=seed, n_threads=threads
                        ),
                        X,
                    )
                    other, reference = measured(
                        lambda seed, options=options: sklearn.cluster.BisectingKMeans(
                            **options, random_state=seed
                        ),
                        X,
                    )
                    print(
                        f"{name:12s} {np.dtype(dtype).name:8s} {init:10s} {mine:8.3f} {other:10.3f}"
                        f" {other / mine:13.1f}x {inertia / reference:12.4f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
