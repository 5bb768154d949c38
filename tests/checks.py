"""Relations that hold between a model and its data, and between two models, whatever the data.

Each of them is seen to fail in tests/test_checks.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal


def assert_belongs_together(model: Any, X: Any, sample_weight: Any = None) -> None:
    """Labels, centres and inertia are of one kind, and say the same about the training data."""
    n, k = len(X), model.n_clusters
    assert model.cluster_centers_.shape == (k, X.shape[1])
    assert model.cluster_centers_.dtype == (np.float32 if X.dtype == np.float32 else np.float64)
    assert model.cluster_centers_.flags.c_contiguous
    assert model.labels_.shape == (n,)
    assert model.labels_.dtype == np.int32
    assert type(model.inertia_) is float
    assert type(model.n_iter_) is int
    assert 1 <= model.n_iter_ == len(model.history_) <= model.max_iter
    assert model.converged_ == (model.stop_reason_ in ("fixed point", "tolerance"))

    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=sample_weight) == -model.inertia_

    distances = pairwise(X, model.cluster_centers_, model.metric)
    assert_array_equal(distances.argmin(axis=1), model.labels_)
    assert_allclose(
        model.inertia_, weighted_sum(distances.min(axis=1), sample_weight), rtol=1e-12, atol=0
    )


def assert_same_answer(a: Any, b: Any) -> None:
    """Two fits gave the same answer, bit for bit."""
    assert a.cluster_centers_.dtype == b.cluster_centers_.dtype
    assert a.cluster_centers_.tobytes() == b.cluster_centers_.tobytes()
    assert_array_equal(a.labels_, b.labels_)
    assert a.inertia_ == b.inertia_
    assert a.stop_reason_ == b.stop_reason_
    # how many rows had to be decided again is the engine's affair
    steps = [[(h.inertia, h.moved, h.shift, h.repaired) for h in m.history_] for m in (a, b)]
    assert steps[0] == steps[1]


def assert_agrees(ours: Any, theirs: Any, rtol: float = 1e-9) -> None:
    """Our fit and scikit-learn's, from the same start, went the same way."""
    assert_array_equal(ours.labels_, theirs.labels_)
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=rtol, atol=rtol)
    assert_allclose(ours.inertia_, theirs.inertia_, rtol=rtol)
    assert ours.n_iter_ == theirs.n_iter_


def pairwise(X: Any, centers: Any, metric: str) -> np.ndarray:
    """All (squared) distances by their definition, in float64."""
    gaps = np.asarray(X, dtype=np.float64)[:, None] - np.asarray(centers, dtype=np.float64)
    return np.square(gaps).sum(axis=2) if metric == "euclidean" else np.abs(gaps).sum(axis=2)


def weighted_sum(values: np.ndarray, sample_weight: Any) -> float:
    weights = np.ones(len(values)) if sample_weight is None else np.asarray(sample_weight)
    return math.fsum((values * weights).tolist())
