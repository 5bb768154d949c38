"""Rows that come in batches, and a model that has taken them in."""

from __future__ import annotations

from typing import Any

import numpy as np

import omnimeans as om


def blobs(n: int = 4000, d: int = 4, k: int = 6, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))


def streamed(X: Any, batches: int = 7, weights: Any = None, **changes: Any) -> Any:
    model = om.StreamKMeans(**{"n_clusters": 6, "sample_size": 500, **changes})
    for part in np.array_split(np.arange(len(X)), batches):
        model.partial_fit(X[part], sample_weight=None if weights is None else weights[part])
    return model
