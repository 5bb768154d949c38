"""How a fit runs: starts and seeds, restarts, stopping, what it prints, whom it calls."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
from checks import assert_belongs_together, assert_same_answer

X, _ = make_blobs(n_samples=200, centers=5, n_features=2, random_state=7)
TOY = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])


# ---- seeds and starts


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_one_seed_one_answer(init: str) -> None:
    options = {"n_clusters": 9, "init": init, "n_init": 2, "max_iter": 2}
    model = om.KMeans(**options, random_state=11).fit(X)
    assert_same_answer(model, om.KMeans(**options, random_state=11).fit(X))
    state = om.KMeans(**options, random_state=np.random.RandomState(11)).fit(X)
    again = om.KMeans(**options, random_state=np.random.RandomState(11)).fit(X)
    assert_same_answer(state, again)
    other = om.KMeans(**options, random_state=12).fit(X)
    assert not np.array_equal(model.cluster_centers_, other.cluster_centers_)


def test_generators_are_taken_and_move_on() -> None:
    options = {"n_clusters": 9, "max_iter": 1}
    generator = np.random.default_rng(0)
    first = om.KMeans(**options, random_state=generator).fit(X)
    second = om.KMeans(**options, random_state=generator).fit(X)
    assert not np.array_equal(first.cluster_centers_, second.cluster_centers_)
    again = om.KMeans(**options, random_state=np.random.default_rng(0)).fit(X)
    assert_same_answer(first, again)


def test_no_seed_means_numpys_global_state() -> None:
    models = []
    for _ in range(2):
        np.random.seed(5)  # noqa: NPY002 - the global state is the point
        models.append(om.KMeans(n_clusters=9, max_iter=1).fit(X))
    assert_same_answer(*models)


def test_engines_and_algorithms_give_the_same_bits() -> None:
    options = {"n_clusters": 6, "random_state": 3}
    model = om.KMeans(**options).fit(X)
    for other in ({"engine": "reference"}, {"algorithm": "elkan"}, {"n_threads": 2}):
        assert_same_answer(model, om.KMeans(**options, **other).fit(X))
    assert om.KMeans(**options, engine="reference").fit(X).engine_ == "reference"
    assert om.KMeans(**options, engine="cpu").fit(X).engine_ == "cpu"


@pytest.mark.parametrize(
    ("init", "restarts"),
    [("k-means++", 1), ("random", 10), (X[:4], 1), (lambda X, k, random_state: X[:k], 10)],
    ids=["k-means++", "random", "array", "callable"],
)
def test_automatic_number_of_starts(init: Any, restarts: int) -> None:
    starts: list[int] = []

    def count(record: Any) -> None:
        if record.iteration == 0 and record.event == "iteration":
            starts.append(record.moved)

    model = om.KMeans(4, init=init, callback=count).fit(X)
    assert model._n_init == restarts
    assert starts == [len(X)] * restarts  # in a first iteration all rows move


def test_more_starts_are_never_worse() -> None:
    options = {"n_clusters": 12, "init": "random", "max_iter": 1, "random_state": 0}
    inertias = [om.KMeans(**options, n_init=n).fit(X).inertia_ for n in (1, 2, 4, 8, 16)]
    assert inertias == sorted(inertias, reverse=True)
    assert inertias[0] > inertias[-1]


def test_the_kept_history_is_that_of_the_best_start() -> None:
    model = om.KMeans(5, init="random", n_init=8, random_state=0, tol=0).fit(X)
    assert_belongs_together(model, X)
    assert_allclose(model.history_[-1].inertia, model.inertia_, rtol=1e-12)
    assert model.converged_


def test_a_callable_start_sees_rows_around_zero() -> None:
    seen = []

    def first_rows(rows: Any, k: int, random_state: Any) -> Any:
        assert isinstance(random_state, np.random.RandomState)
        seen.append(rows)
        return rows[:k]

    far = X + np.array([1000.0, -50.0])
    model = om.KMeans(3, init=first_rows, n_init=1, max_iter=1)
    model.fit(far, sample_weight=np.arange(len(X)))
    assert_allclose(seen[0], far - far.mean(axis=0), atol=1e-9)  # not the weighted mean
    given = om.KMeans(3, init=far[:3], max_iter=1).fit(far, sample_weight=np.arange(len(X)))
    assert_allclose(model.cluster_centers_, given.cluster_centers_, rtol=1e-12)


def test_a_callable_start_gets_its_own_numbers_each_time() -> None:
    drawn = []

    def start(rows: Any, k: int, random_state: Any) -> Any:
        drawn.append(random_state.uniform(size=(k, rows.shape[1])))
        return drawn[-1]

    om.KMeans(3, init=start, n_init=2, random_state=0).fit(X)
    om.KMeans(3, init=start, n_init=1, random_state=0).fit(X)
    assert not np.array_equal(drawn[0], drawn[1])
    assert_array_equal(drawn[0], drawn[2])


# ---- stopping


def test_stop_reasons() -> None:
    tight = om.KMeans(5, random_state=0, tol=0.0).fit(X)
    assert (tight.stop_reason_, tight.converged_) == ("fixed point", True)
    assert tight.history_[-1].shift == 0.0
    loose = om.KMeans(5, init="random", n_init=1, random_state=0, tol=10.0).fit(X)
    assert (loose.stop_reason_, loose.converged_) == ("tolerance", True)
    short = om.KMeans(5, init="random", n_init=1, random_state=0, tol=0.0, max_iter=1).fit(X)
    assert (short.stop_reason_, short.converged_, short.n_iter_) == ("max_iter", False, 1)


def test_inertia_never_rises() -> None:
    for metric in ("euclidean", "manhattan"):
        model = om.KMeans(12, metric=metric, init="random", n_init=1, tol=0, random_state=2).fit(X)
        course = [line.inertia for line in model.history_] + [model.inertia_]
        assert len(course) > 4
        assert (np.diff(course) <= 1e-12 * course[0]).all()


def test_fewer_distinct_rows_than_clusters_is_one_warning() -> None:
    rows = np.repeat(TOY[:3], 4, axis=0)
    with pytest.warns(ConvergenceWarning) as caught:
        model = om.KMeans(5, n_init=3, random_state=0).fit(rows)
    assert [str(warning.message) for warning in caught] == [
        "Number of distinct clusters (3) found smaller than n_clusters (5). Possibly due to "
        "duplicate points in X."
    ]
    assert caught[0].filename == __file__
    assert model.inertia_ == 0.0
    assert model.cluster_centers_.shape == (5, 2)
    assert np.isfinite(model.cluster_centers_).all()


# ---- verbose and callback


def test_verbose_prints_as_scikit_learn_does(capsys: pytest.CaptureFixture[str]) -> None:
    options = {"n_clusters": 5, "init": "random", "random_state": 0, "verbose": 1}
    model = om.KMeans(**options, n_init=1, tol=0.0).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Initialization complete"
    assert lines[1] == f"Iteration 0, inertia {model.history_[0].inertia}."
    assert len(lines) == model.n_iter_ + 2
    assert lines[-1] == f"Converged at iteration {model.n_iter_ - 1}: strict convergence."

    model = om.KMeans(**options, n_init=1, tol=10.0).fit(X)
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Converged at iteration {model.n_iter_ - 1}: center shift {model.history_[-1].shift} "
        f"within tolerance {model._tol}."
    )

    om.KMeans(**options, n_init=3).fit(X)
    text = capsys.readouterr().out
    assert text.count("Initialization complete") == 3
    assert len(re.findall(r"^Iteration 0, inertia [0-9.]+\.$", text, re.MULTILINE)) == 3


def test_silence_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    om.KMeans(3, random_state=0).fit(X)
    assert capsys.readouterr() == ("", "")


# ---- the functions


def test_k_means_is_the_estimator_in_one_call() -> None:
    options = {"n_clusters": 5, "random_state": 3, "n_init": 2, "max_iter": 4}
    weights = np.arange(1, 201)
    centers, labels, inertia, n_iter = om.k_means(
        X, sample_weight=weights, return_n_iter=True, **options
    )
    model = om.KMeans(**options).fit(X, sample_weight=weights)
    assert_array_equal(centers, model.cluster_centers_)
    assert_array_equal(labels, model.labels_)
    assert (inertia, n_iter) == (model.inertia_, model.n_iter_)
    assert len(om.k_means(X, **options)) == 3


@pytest.mark.parametrize("trials", [None, 1, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kmeans_plusplus_draws_rows(dtype: type, trials: int | None) -> None:
    rows = X.astype(dtype)
    centers, numbers = om.kmeans_plusplus(rows, 7, random_state=0, n_local_trials=trials)
    assert_array_equal(centers, rows[numbers])
    assert centers.dtype == dtype
    assert len(set(numbers)) == 7
    model = om.KMeans(7, random_state=0, max_iter=1).fit(rows)
    if trials is None:  # the estimator starts there as well
        assert_same_answer(model, om.KMeans(7, init=centers, max_iter=1).fit(rows))


def test_kmeans_plusplus_minds_the_weights() -> None:
    rng = np.random.default_rng(0)
    weights = rng.uniform(size=len(X))
    plain = om.kmeans_plusplus(X, 5, random_state=0)[1]
    assert not np.array_equal(
        om.kmeans_plusplus(X, 5, sample_weight=weights, random_state=0)[1], plain
    )
    weights[::2] = 0.0
    for seed in range(20):
        drawn = om.kmeans_plusplus(X, 10, sample_weight=weights, random_state=seed)[1]
        assert (drawn % 2 == 1).all()


def test_random_start_minds_the_weights() -> None:
    weights = np.zeros(len(X))
    weights[[3, 50, 120]] = [1.0, 2.0, 3.0]
    start: list[Any] = []
    model = om.KMeans(3, init="random", n_init=1, random_state=0)
    model.set_params(callback=lambda record: start.append(record.centers)).fit(X, None, weights)
    assert sorted(start[0].tolist()) == sorted(X[[3, 50, 120]].tolist())
