"""Extreme values: exact rescaling by powers of two, seen from outside and from inside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om
from omnimeans import _scaling
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

ENGINES = ("cpu", "reference")
BLOBS = hard_cases.rows("blobs", 300, 3, np.float64)
EXTREME = [-1060, -660, -205, 205, 530, 1015]  # of 1e-319 (subnormal) to 1e305


def fit(X: Any, **changes: Any) -> om.KMeans:
    return om.KMeans(**({"n_clusters": 5, "random_state": 0} | changes)).fit(X)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("exponent", [e for e in EXTREME if e > -1000])
def test_the_answer_is_that_of_ordinary_data_scaled(
    exponent: int, engine: str, metric: str
) -> None:
    w = np.append(np.random.default_rng(0).random(299), 1e8)
    usual = fit(BLOBS, engine=engine, metric=metric).fit(BLOBS, sample_weight=w)
    X = np.ldexp(BLOBS, exponent)
    model = fit(X, engine=engine, metric=metric).fit(X, sample_weight=w)
    assert_array_equal(model.cluster_centers_, np.ldexp(usual.cluster_centers_, exponent))
    assert_array_equal(model.labels_, usual.labels_)
    assert (model.n_iter_, model.stop_reason_) == (usual.n_iter_, usual.stop_reason_)
    degree = 2 if metric == "euclidean" else 1
    assert model.inertia_ == ldexp(usual.inertia_, degree * exponent)
    assert [h.inertia for h in model.history_] == [
        ldexp(h.inertia, degree * exponent) for h in usual.history_
    ]
    assert [h.shift > 0 for h in model.history_] == [h.shift > 0 for h in usual.history_]
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    assert_array_equal(model.transform(X), np.ldexp(usual.transform(BLOBS), exponent))


def ldexp(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf


@pytest.mark.parametrize("engine", ENGINES)
def test_subnormal_values_keep_the_promise(engine: str) -> None:
    """Centres have few digits then; labels and inertia are those of these very centres."""
    X = np.random.default_rng(1).integers(-40, 40, (200, 2)) * 5e-324
    model = fit(X, engine=engine, n_clusters=7)
    assert_array_equal(model.predict(X), model.labels_)
    assert len(np.unique(model.labels_)) == 7
    whole = np.rint(model.cluster_centers_ / 5e-324)
    assert_array_equal(whole * 5e-324, model.cluster_centers_)
    gaps = np.rint(X / 5e-324)[:, None] - whole
    assert_array_equal(np.square(gaps).sum(axis=2).argmin(axis=1), model.labels_)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("constant", [1e-290, 1e305, -1.7976931348623157e308, 5e-324])
def test_rows_that_are_all_alike(constant: float, engine: str) -> None:
    model = fit(np.full((4, 2), constant), engine=engine, n_clusters=1)
    assert_array_equal(model.cluster_centers_, [[constant, constant]])
    assert model.inertia_ == 0.0
    assert_array_equal(model.transform([[constant, constant]]), [[0.0]])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("constant", [1.0, 1e30, -1e-300])
def test_a_constant_column_beside_tiny_values(constant: float, engine: str) -> None:
    X = np.column_stack([np.ldexp(BLOBS, -664), np.full(300, constant)])
    usual = fit(np.column_stack([BLOBS, np.zeros(300)]), engine=engine)
    model = fit(X, engine=engine)
    assert_array_equal(model.labels_, usual.labels_)
    assert_array_equal(model.predict(X), usual.labels_)
    assert_array_equal(model.cluster_centers_[:, :3], np.ldexp(usual.cluster_centers_[:, :3], -664))
    assert_array_equal(model.cluster_centers_[:, 3], constant)


@pytest.mark.parametrize("X", [np.ldexp(BLOBS, 560), np.ldexp(BLOBS, -700)], ids=["large", "small"])
def test_starts_and_callbacks_are_in_the_users_units(
    X: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Any] = []

    def init(rows: Any, k: int, random_state: Any) -> Any:
        assert np.abs(rows).max() == pytest.approx(np.abs(X - X.mean(axis=0)).max())
        return rows[:k]

    def callback(record: Any) -> None:
        shown.append(record)
        assert not record.centers.flags.writeable

    given = fit(X, init=X[:5])
    called = fit(X, init=init, n_init=1, callback=callback, verbose=1)
    assert_array_equal(called.labels_, given.labels_)
    assert_array_equal(shown[-1].centers, called.cluster_centers_)
    assert shown.pop().inertia == called.inertia_
    steps = [(line.inertia, line.moved, line.shift) for line in called.history_]
    assert [(record.inertia, record.moved, record.shift) for record in shown] == steps
    assert f"inertia {called.history_[0].inertia}." in capsys.readouterr().out


def test_kmeans_plusplus_draws_the_same_rows() -> None:
    _, usual = om.kmeans_plusplus(BLOBS, 6, random_state=3)
    for exponent in (-800, 600):
        X = np.ldexp(BLOBS, exponent)
        centers, numbers = om.kmeans_plusplus(X, 6, random_state=3)
        assert_array_equal(numbers, usual)
        assert_array_equal(centers, X[numbers])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_label_does_not_depend_on_the_other_rows(engine: str) -> None:
    model = fit(BLOBS, engine=engine)
    X = np.vstack([BLOBS[:50], BLOBS[:3] * 1e120, BLOBS[50:60] * 1e-250])
    one_by_one = [model.predict(row[None])[0] for row in X]
    assert_array_equal(model.predict(X), one_by_one)


def test_one_cluster_measures_in_the_scale_of_the_rows() -> None:
    """The only centre is zero, and tells nothing about the scale."""
    X = np.array([[3e-200, 4e-200], [-3e-200, -4e-200]])
    model = fit(X, n_clusters=1)
    assert_array_equal(model.cluster_centers_, [[0.0, 0.0]])
    np.testing.assert_allclose(model.transform(X), [[5e-200], [5e-200]], rtol=1e-15)


@given(
    exponent=st.integers(-1000, 980),
    wide=st.floats(0.5, 1.0),
    offset=st.integers(-1, 1),
)
def test_every_suitable_exponent_is_safe(exponent: int, wide: float, offset: int) -> None:
    span = math.ldexp(wide, exponent)
    X = np.array([[0.0], [span]]) + offset * span
    found = _scaling.exponent_of(X)
    assert found is not None
    brought = math.ldexp(span, -found)
    assert math.ldexp(brought, found) == span  # exactly
    assert 2.0**-400 < brought * brought < 2.0**810
    if 1e-50 < span < 1e50:
        assert found == 0
    assert _scaling.exponent_between(X, X) == found


def test_sums_that_overflow_are_infinite() -> None:
    for engine in map(open_engine, ENGINES):
        assert engine.total(np.array([1e308, 1e308]), None) == math.inf
        assert engine.total(np.array([1e300, 1.0]), np.array([1e100, 1.0])) == math.inf
        assert engine.total(np.array([1.0, math.inf]), np.array([1.0, 2.0])) == math.inf
        assert engine.total(np.array([math.inf, 1.0]), None) == math.inf


def test_sums_and_shifts_come_back_in_range() -> None:
    euclidean, manhattan = DISTANCES["euclidean"], DISTANCES["manhattan"]
    assert _scaling.restored_sum(3.0, 10, euclidean) == 3.0 * 2**20
    assert _scaling.restored_sum(3.0, 10, manhattan) == 3.0 * 2**10
    assert _scaling.restored_sum(3.0, 600, euclidean) == math.inf
    assert _scaling.restored_shift(1.0, -600) > 0.0  # a step is a step
    assert _scaling.restored_shift(0.0, -600) == 0.0


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_a_row_far_beyond_the_centres_is_predicted_as_it_was_fitted(metric: str) -> None:
    """Medians, and means that forget a row of weight 0, stay near the other rows."""
    X = np.vstack([BLOBS, [[1e155, 0.0, 0.0]]])
    w = np.append(np.ones(300), 0.0)
    model = fit(X, metric=metric).fit(X, sample_weight=w)
    assert np.abs(model.cluster_centers_).max() < 100
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=w) == -model.inertia_
    assert_array_equal([model.predict(row[None])[0] for row in X], model.labels_)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [">f8", "<f8"])
def test_every_byte_order_and_layout_is_rescaled(dtype: str, order: Any) -> None:
    usual = fit(BLOBS)
    X = np.array(np.ldexp(BLOBS, 900), dtype=dtype, order=order)
    model = fit(X)
    assert_array_equal(model.labels_, usual.labels_)
    assert_array_equal(model.predict(X), usual.labels_)


@pytest.mark.parametrize("sparse", [scipy.sparse.csr_array, scipy.sparse.csc_array])
@pytest.mark.parametrize("exponent", [0, 600])
def test_sparse_rows_and_one_centre(sparse: Any, exponent: int) -> None:
    """Centres that are all alike leave the scale to the rows, sparse ones too."""
    X = sparse(np.ldexp(BLOBS, exponent))
    model = fit(X, n_clusters=1)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_


ESTIMATORS = [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans]


@pytest.mark.parametrize("scale", [1e-200, 1e-165, 1e160])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_sparse_rows_are_rescaled_by_every_estimator(Estimator: Any, scale: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 6)) * (rng.random((5000, 6)) < 0.5)
    dense, sparse = X * scale, scipy.sparse.csr_array(X * scale)
    model = Estimator(5, random_state=0).fit(dense)
    same = Estimator(5, random_state=0).fit(sparse)
    assert len(np.unique(model.labels_)) == 5
    assert model.cluster_centers_.tobytes() == same.cluster_centers_.tobytes()
    assert_array_equal(model.labels_, same.labels_)
    assert_array_equal(same.predict(sparse), same.labels_)
    assert model.inertia_ == same.inertia_ == -same.score(sparse)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize(("value", "dtype"), [(7, np.uint8), (-128, np.int8), (0, np.int64)])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_whole_numbers_that_are_all_alike(Estimator: Any, value: int, dtype: Any) -> None:
    X = np.full((2000, 10), value, dtype)
    model = Estimator(8, random_state=0).fit(X)
    assert_array_equal(model.predict(X), np.zeros(2000))
    assert_array_equal(model.cluster_centers_, np.full((8, 10), value))


def test_zeros_beside_a_single_tiny_centre() -> None:
    model = om.KMeans(1).fit([[0.0], [1e-250], [0.0]])
    assert_array_equal(model.predict([[0.0], [1e-250]]), [0, 0])
    assert model.transform([[0.0]]) == model.cluster_centers_


def test_a_sparse_row_out_of_reach_is_refused_in_words() -> None:
    model = fit(BLOBS)
    with pytest.raises(ValueError, match=r"value 1e\+300 in row 1, column 2 of X"):
        model.predict(scipy.sparse.csr_array([[1.0, 0.0, 0.0], [0.0, 0.0, 1e300]]))
