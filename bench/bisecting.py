"""BisectingKMeans beside scikit-learn's: ``python -m bench.bisecting [threads]``.

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
from bench import machine

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


def line(threads: int, name: str, X: Any, init: str) -> str:
    """Return the line of the table for rows and a way to start."""
    options: dict[str, Any] = {"n_clusters": K, "init": init}
    mine, inertia = measured(
        lambda seed: om.BisectingKMeans(**options, random_state=seed, n_threads=threads), X
    )
    other, reference = measured(
        lambda seed: sklearn.cluster.BisectingKMeans(**options, random_state=seed), X
    )
    return (
        f"| {name} | {X.dtype.name} | {init} | {mine:.3f} | {other:.3f} "
        f"| {other / mine:.1f} | {inertia / reference:.4f} |"
    )


def main(threads: int) -> None:
    noise = np.random.default_rng(0).normal(size=(N, D))
    data = {"blobs": make_blobs(N, D, centers=K, random_state=0)[0], "no clusters": noise}
    about = machine.describe(threads, [])
    lines = ["# BisectingKMeans", "", __doc__ or ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [
        "",
        "| data | type | init | ours, s | scikit-learn, s | times as fast | inertia, share |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    print(*lines, sep="\n", flush=True)
    with threadpool_limits(threads):
        for name, rows in data.items():
            for dtype in (np.float64, np.float32):
                X = rows.astype(dtype)
                for init in ("random", "k-means++"):
                    lines.append(line(threads, name, X, init))
                    print(lines[-1], flush=True)
    more = "" if threads == 1 else f"-{threads}-threads"
    (machine.ROOT / "bench" / f"RESULTS-bisecting{more}.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
