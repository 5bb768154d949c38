"""Sparse rows beside scikit-learn's: ``python -m bench.sparse [threads]`` prints seconds.

The rows are random, 50,000 x 20,000 at a density of 0.5 %, k = 100, float64; five iterations from
the same given centres for both, k-means++ and predict by themselves.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.cluster
from threadpoolctl import threadpool_limits

import omnimeans as om

N, D, DENSITY, K, ITERATIONS = 50_000, 20_000, 0.005, 100, 5


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def main(threads: int) -> None:
    X = sp.random(N, D, DENSITY, format="csr", rng=np.random.default_rng(0))
    options = {"n_clusters": K, "n_init": 1, "max_iter": ITERATIONS, "tol": 0.0}
    options["init"] = X[:K].toarray()
    ours, theirs = om.KMeans(n_threads=threads, **options), sklearn.cluster.KMeans(**options)
    calls: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "fit": (lambda: ours.fit(X), lambda: theirs.fit(X)),
        "predict": (lambda: ours.predict(X), lambda: theirs.predict(X)),
        "k-means++": (
            lambda: om.kmeans_plusplus(X, K, random_state=0),
            lambda: sklearn.cluster.kmeans_plusplus(X, K, random_state=0),
        ),
        "transform": (lambda: ours.transform(X), lambda: theirs.transform(X)),
    }
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, pair in calls.items():
            (mine, _), (other, _) = seconds(pair[0]), seconds(pair[1])
            print(f"{name:12s} {mine:8.3f} {other:8.3f}   {other / mine:6.1f}x", flush=True)
    print(f"inertia      {ours.inertia_:.6f} {theirs.inertia_:.6f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
