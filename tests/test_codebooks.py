"""Many small codebooks at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om


def blobs(n: int = 8000, d: int = 6, k: int = 40, dtype: Any = np.float32) -> Any:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(
        dtype
    )


def test_many_codebooks_are_the_same_for_any_number_of_threads() -> None:
    X = blobs(3000, 12)
    one, two = (om.fit_many(X, 16, parts=4, random_state=0, n_threads=t) for t in (1, 2))
    for a, b in zip(one.centers, two.centers, strict=True):
        assert a.tobytes() == b.tobytes()
    assert_array_equal(one.inertia, two.inertia)
    for part, centers, labels in zip(np.split(X, 4, axis=1), one.centers, one.labels, strict=True):
        away = ((part[:, None].astype("f8") - centers) ** 2).sum(axis=2)
        assert_array_equal(away.argmin(axis=1), labels)
    assert len(om.fit_many([X[:50], X[:70, :2]], 3, random_state=0).centers) == 2
    assert len(om.fit_many(X.reshape(3, 1000, 12), 3, random_state=0).centers) == 3


def test_codebooks_that_cannot_be() -> None:
    X = blobs(3000, 12)
    with pytest.raises(ValueError, match="parts=5 does not divide the 12 columns"):
        om.fit_many(X, 16, parts=5)
    with pytest.raises(ValueError, match="parts="):
        om.fit_many(X, 16)
    with pytest.raises(ValueError, match="init='best' is not known"):
        om.fit_many(X, 16, parts=4, init="best")
    with pytest.raises(ValueError, match=r"n_samples=9 should be >= n_clusters=16"):
        om.fit_many([X, X[:9]], 16)
