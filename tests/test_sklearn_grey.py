"""What five of scikit-learn's tests ask of private names, asked of our classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om

X = np.random.default_rng(0).normal(size=(100, 5))


@pytest.mark.parametrize("Estimator", [om.KMeans, om.MiniBatchKMeans])
@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ("k-means++", {"KMeans": 1, "MiniBatchKMeans": 1}),
        ("random", {"KMeans": 10, "MiniBatchKMeans": 3}),
        (lambda X, k, random_state: X[:k], {"KMeans": 10, "MiniBatchKMeans": 3}),
        (X[:5], {"KMeans": 1, "MiniBatchKMeans": 1}),
    ],
    ids=["k-means++", "random", "callable", "array"],
)
def test_number_of_starts(Estimator: Any, init: Any, expected: dict[str, int]) -> None:
    model = Estimator(5, init=init, n_init="auto", random_state=0).fit(X)
    assert model._n_init == expected[Estimator.__name__]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"batch_size": 5}, 15),  # three batches
        ({"batch_size": 1}, 30),  # too few for ten clusters: three rows for each
        ({"batch_size": 5, "init_size": 101}, 100),  # no more than there are
    ],
)
def test_rows_of_the_first_sample(options: dict[str, int], expected: int) -> None:
    assert om.MiniBatchKMeans(10, n_init=1, **options).fit(X)._init_size == expected


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_weights_change_the_start(init: str) -> None:
    """Rows of much weight are drawn more often: the start is nearer to them."""
    heavy = np.where(X[:, 0] > 0, 1000.0, 1.0)
    drawn = [
        om.KMeans(5, init=init, n_init=1, random_state=seed)
        .fit(X, sample_weight=weights)
        .initial_centers_
        for weights in (None, heavy)
        for seed in range(20)
    ]
    even, uneven = np.array(drawn[:20])[..., 0], np.array(drawn[20:])[..., 0]
    assert (uneven > 0).mean() > 0.9 > 0.7 > (even > 0).mean()


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("Estimator", [om.KMeans, om.MiniBatchKMeans])
def test_rows_without_weight_are_never_a_start(Estimator: Any, init: str) -> None:
    weights = np.ones(100)
    weights[::2] = 0.0
    for seed in range(20):
        model = Estimator(5, init=init, n_init=1, max_iter=1, random_state=seed)
        model.fit(X, sample_weight=weights)
        absent = Estimator(5, init=init, n_init=1, max_iter=1, random_state=seed)
        absent.fit(X[1::2])
        assert model.cluster_centers_.shape == absent.cluster_centers_.shape
        if Estimator is om.KMeans:
            assert all((start == X[1::2]).all(axis=1).any() for start in model.initial_centers_)
    indices = om.kmeans_plusplus(X, 50, sample_weight=weights, random_state=0)[1]
    assert_array_equal(np.sort(indices), np.arange(1, 100, 2))
