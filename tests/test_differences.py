"""Where omnimeans differs from scikit-learn on purpose: each point of docs/guide/differences.md.

What scikit-learn does is asserted, too, where it shows why: if it changes, the page has to.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster as theirs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om

X, TRUTH = make_blobs(600, centers=6, n_features=3, random_state=0)
ALL = [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Theirs may warn of what they like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def far_from_zero() -> np.ndarray:
    """Four blobs in one city block, as float32 degrees."""
    corners = np.array([[0, 0], [0, 4e-4], [4e-4, 0], [4e-4, 4e-4]])
    block, _ = make_blobs(2000, centers=corners, cluster_std=5e-5, random_state=0)
    return np.float32(block + np.array([48.8566, 2.3522]))


@pytest.mark.parametrize("Estimator", ALL)
def test_predict_is_labels_and_score_is_inertia(Estimator: Any) -> None:
    gps = far_from_zero()
    ours = Estimator(4, random_state=0).fit(gps)
    assert_array_equal(ours.predict(gps), ours.labels_)
    assert ours.score(gps) == -ours.inertia_
    other = theirs.KMeans(4, random_state=0).fit(gps)
    assert (other.predict(gps) != other.labels_).mean() > 0.1
    assert abs(other.score(gps) + other.inertia_) > 0.1 * other.inertia_


@pytest.mark.parametrize("Estimator", ALL)
def test_shuffled_rows_and_copies_for_weights_give_the_same_clusters(Estimator: Any) -> None:
    rng = np.random.default_rng(0)
    weights, order = rng.integers(0, 4, 600), rng.permutation(600)
    fit = Estimator(6, random_state=0).fit(X, sample_weight=weights)
    copies = Estimator(6, random_state=0).fit(np.repeat(X, weights, axis=0))
    assert_array_equal(copies.labels_, np.repeat(fit.labels_, weights))
    assert copies.inertia_ == fit.inertia_
    if Estimator is om.KMeans:
        mixed = Estimator(6, random_state=0).fit(X[order], sample_weight=weights[order])
        assert_array_equal(mixed.labels_, fit.labels_[order])


def test_a_row_without_weight_does_not_change_the_stop() -> None:
    rows, weights = np.vstack([X, [[1e6] * 3]]), np.r_[np.ones(600), 0.0]
    ours = om.KMeans(6, random_state=0).fit(rows, sample_weight=weights)
    assert ours._tol == om.KMeans(6, random_state=0).fit(X)._tol
    other = theirs.KMeans(6, random_state=0).fit(rows, sample_weight=weights)
    assert other._tol > 1e6 * theirs.KMeans(6, random_state=0).fit(X)._tol


@pytest.mark.parametrize("Estimator", ALL)
def test_negative_weights_are_refused(Estimator: Any) -> None:
    weights = np.r_[-1.0, np.ones(599)]
    with pytest.raises(ValueError, match=r"row 0"):
        Estimator(6).fit(X, sample_weight=weights)
    theirs.KMeans(6, init=X[:6], n_init=1).fit(X, sample_weight=weights)


@pytest.mark.parametrize("Estimator", ALL)
def test_a_model_predicts_rows_of_another_type_and_never_writes(Estimator: Any) -> None:
    whole = np.round(X * 4).astype(np.int8)
    before = X.copy()
    model = Estimator(6, random_state=0).fit(whole)
    for dtype in (np.int8, np.int64, np.float16, np.float32, np.float64):
        assert_array_equal(model.predict(whole.astype(dtype)), model.labels_)
    how = {} if Estimator is om.MiniBatchKMeans else {"copy_x": False}
    Estimator(6, random_state=0, **how).fit(X)
    assert X.tobytes() == before.tobytes()
    changed = X.copy()
    theirs.KMeans(6, random_state=0, copy_x=False).fit(changed)
    assert changed.tobytes() != before.tobytes()


@pytest.mark.parametrize("exponent", [-600, 600])
@pytest.mark.parametrize("Estimator", ALL)
def test_extreme_values_are_nothing_special(Estimator: Any, exponent: int) -> None:
    extreme = X * 2.0**exponent
    assert_array_equal(
        Estimator(6, random_state=0).fit(extreme).labels_,
        Estimator(6, random_state=0).fit(X).labels_,
    )
    try:
        other = theirs.KMeans(6, random_state=0).fit(extreme)
    except ValueError:
        return  # it may also fail
    assert len(np.unique(other.labels_)) < 6 or not 0.0 < other.inertia_ < np.inf


@pytest.mark.parametrize("Estimator", ALL)
def test_bad_data_is_named(Estimator: Any) -> None:
    bad = X.copy()
    bad[7, 2] = np.nan
    with pytest.raises(ValueError, match=r"(?s)Input X contains NaN.*row 7, column 2"):
        Estimator(6).fit(bad)


@pytest.mark.parametrize("Estimator", ALL)
def test_columns_of_sparse_rows_may_have_64_bits(Estimator: Any) -> None:
    rows = sp.random(200, 30, 0.3, format="csr", rng=np.random.default_rng(0))
    wide = rows.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    fits = [Estimator(3, random_state=0).fit(one) for one in (rows, wide, rows.toarray())]
    assert len({fit.cluster_centers_.tobytes() for fit in fits}) == 1
    with pytest.raises(ValueError, match="Only sparse matrices with 32-bit"):
        theirs.KMeans(3).fit(wide)


def test_copies_go_with_a_row_that_gets_an_empty_cluster() -> None:
    rows = np.array([[0.0], [1.0], [10.0], [10.0], [10.0]])
    ours = om.KMeans(2, init=[[0.0], [-100.0]], max_iter=1).fit(rows)
    assert_array_equal(ours.cluster_centers_.ravel(), [0.5, 10.0])
    other = theirs.KMeans(2, init=np.array([[0.0], [-100.0]]), n_init=1, max_iter=1).fit(rows)
    assert_allclose(sorted(other.cluster_centers_.ravel()), [5.25, 10.0])


def test_an_end_before_convergence_is_a_warning() -> None:
    for model in (
        om.KMeans(6, init="random", n_init=1, max_iter=1, random_state=0),
        om.MiniBatchKMeans(6, max_iter=1, batch_size=50, random_state=0),
        om.BisectingKMeans(6, max_iter=1, random_state=0),
    ):
        with pytest.warns(ConvergenceWarning, match="before"):
            model.fit(X)
        assert not model.converged_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs.KMeans(6, init="random", n_init=1, max_iter=1, random_state=0).fit(X)


def test_mini_batches_come_lower() -> None:
    digits = load_digits().data
    ours, other = (
        [of(10, random_state=seed, n_init=3).fit(digits).inertia_ for seed in range(5)]
        for of in (om.MiniBatchKMeans, theirs.MiniBatchKMeans)
    )
    assert np.mean(ours) < 0.99 * np.mean(other)


def test_splits_do_not_depend_on_the_unit() -> None:
    rows = load_digits().data
    metres, millimetres = (
        om.BisectingKMeans(8, random_state=0).fit(rows * unit) for unit in (1.0, 1024.0)
    )
    assert_array_equal(metres.labels_, millimetres.labels_)
    assert metres.n_iter_ == millimetres.n_iter_
    small, large = (
        theirs.BisectingKMeans(8, random_state=0, tol=0.1).fit(rows * unit).labels_
        for unit in (2.0**-10, 1.0)
    )
    assert (small != large).any()


def test_splits_of_few_different_rows() -> None:
    rows = np.repeat(X[:3], 20, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\)"):
        ours = om.BisectingKMeans(5, random_state=0).fit(rows)
    assert ours.cluster_centers_.shape == (5, 3)
    assert ours.inertia_ == pytest.approx(0.0, abs=1e-20)
    assert ours.score(rows) == -ours.inertia_


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("metric", ["chebyshev", "hamming", "mahalanobis"])
def test_other_metrics_are_refused_with_a_reason(Estimator: Any, metric: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)metric.*mean.*"):
        Estimator(3, metric=metric).fit(X)
