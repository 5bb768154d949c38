"""transform of sparse rows: squares are expanded where that is good enough, else defined."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om

ROWS = sp.random(60, 300, 0.05, format="csr", rng=np.random.default_rng(0))


@pytest.mark.parametrize("exponent", [-560, -66, 0, 66, 560])
@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-3, 1.0, 1e5])
def test_near_a_centre_and_far_away(apart: float, exponent: int) -> None:
    rng, scale = np.random.default_rng(0), 2.0**exponent
    noise = apart * rng.normal(size=(9, 300)) * (rng.random((9, 300)) < 0.1)
    centers = ROWS[:9].toarray() + noise
    away = np.sqrt(np.square(ROWS.toarray()[:, None] - centers).sum(axis=2)) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = om.KMeans(9, init=centers * scale, max_iter=1).fit(ROWS * scale)
    model.cluster_centers_ = centers * scale
    found = model.transform(ROWS * scale)
    assert_allclose(found, away, rtol=1e-12, atol=0)
    slices = [model.transform(ROWS[i : i + 1] * scale) for i in range(60)]
    assert_array_equal(np.vstack(slices), found)
    if abs(exponent) < 100:  # rounded to float32, the lengths are those of dense rows
        single = (ROWS * scale).astype(np.float32)
        assert_array_equal(model.transform(single), model.transform(single.toarray()))
        assert model.transform(single).dtype == np.float32


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("k", [1, 7, 8, 25, 100])
def test_any_number_of_centres_and_threads(k: int, threads: int) -> None:
    X = sp.random(500, 40, 0.2, format="csr", rng=np.random.default_rng(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = om.KMeans(k, n_threads=threads, random_state=0, max_iter=2).fit(X)
    dense = X.toarray()
    assert_allclose(model.transform(X), model.transform(dense), rtol=1e-12, atol=0)
    wide = X.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    assert_array_equal(model.transform(wide), model.transform(X))


def test_a_row_on_a_centre_has_no_distance() -> None:
    model = om.KMeans(5, init=ROWS[:5].toarray(), max_iter=1, tol=1e9).fit(ROWS)
    model.cluster_centers_ = ROWS[:5].toarray()
    assert_array_equal(np.diag(model.transform(ROWS[:5])), 0.0)
