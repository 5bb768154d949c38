"""What users pass in: every message of the contract, and what is accepted as it stands."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

import omnimeans as om
from omnimeans import _validate
from omnimeans.distances import DISTANCES

X = np.random.default_rng(0).normal(size=(300, 3))


def fit(rows: Any = X, weights: Any = None, **options: Any) -> om.KMeans:
    return om.KMeans(**{"random_state": 0, **options}).fit(rows, sample_weight=weights)


def holed(value: float) -> np.ndarray:
    rows = X.copy()
    rows[17, 2] = rows[40, 0] = value
    return rows


ONE_TO_INF = "an int in the range [1, inf)"
PARAMETERS = [
    ("n_clusters", 0, ONE_TO_INF),
    ("n_clusters", 2.0, ONE_TO_INF),
    (
        "init",
        "k-means",
        "a str among {'k-means++', 'k-means||', 'random'}, a callable or an array-like",
    ),
    ("n_init", 0, "a str among {'auto'} or an int in the range [1, inf)"),
    ("max_iter", 0, ONE_TO_INF),
    ("tol", -1.0, "a float in the range [0.0, inf)"),
    ("verbose", -1, "an int in the range [0, inf), an instance of 'bool'"),
    ("copy_x", "yes", "an instance of 'bool' or an instance of 'numpy.bool'"),
    ("algorithm", "full", "a str among {'auto', 'bounded', 'bounded-coded', "),
    ("engine", "gpu", "a str among {'auto', 'blocks', 'cpu', "),
    ("n_threads", 0, "an int in the range [1, inf), below 2**63 or None"),
    ("callback", 1, "a callable or None"),
    ("random_state", "seed", "an instance of 'numpy.random._generator.Generator'"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), PARAMETERS)
def test_parameters(name: str, value: Any, allowed: str) -> None:
    model = om.KMeans(**{name: value})  # the constructor only stores
    with pytest.raises(InvalidParameterError) as caught:
        model.fit(X)
    message = re.sub(  # scikit-learn lists the options in no order
        r"\{(.*)\}",
        lambda found: f"{{{', '.join(sorted(found[1].split(', ')))}}}",
        str(caught.value),
    )
    assert message.startswith(f"The '{name}' parameter of KMeans must be ")
    assert allowed in message
    assert message.endswith(f". Got {value!r} instead.")


def test_init_text_is_scikit_learns() -> None:
    texts = []
    for family in (om, sklearn.cluster):
        with pytest.raises(InvalidParameterError) as caught:
            family.KMeans(n_clusters=0).fit(X)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


TOO_FEW = "Found array with 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required by KMeans."
MESSAGES: dict[str, tuple[Any, type[Exception], str]] = {
    "more clusters than rows": (
        lambda: fit(n_clusters=301),
        ValueError,
        "n_samples=300 should be >= n_clusters=301.",
    ),
    "rows of init": (
        lambda: fit(n_clusters=3, init=X[:2]),
        ValueError,
        "The shape of the initial centers (2, 3) does not match the number of clusters 3.",
    ),
    "columns of init": (
        lambda: fit(n_clusters=2, init=X[:2, :2]),
        ValueError,
        "The shape of the initial centers (2, 2) does not match the number of features of the "
        "data 3.",
    ),
    "rows of a callable's centres": (
        lambda: fit(n_clusters=3, init=lambda rows, k, random_state: rows[:2]),
        ValueError,
        "The shape of the initial centers (2, 3) does not match the number of clusters 3.",
    ),
    "init with NaN": (
        lambda: fit(n_clusters=2, init=[[0, 0, np.nan], [1, 1, 1]]),
        ValueError,
        "Input init contains NaN.",
    ),
    "length of weights": (
        lambda: fit(weights=[1, 2, 3]),
        ValueError,
        "sample_weight.shape == (3,), expected (300,)!",
    ),
    "weights in a table": (
        lambda: fit(weights=np.ones((300, 2))),
        ValueError,
        "Sample weights must be 1D array or scalar, got 2D array. Expected either a scalar value "
        "or a 1D array of length 300.",
    ),
    "no weight at all": (
        lambda: fit(weights=np.zeros(300)),
        ValueError,
        "Sample weights must contain at least one non-zero number.",
    ),
    "negative weight": (
        lambda: fit(weights=np.where(np.arange(300) == 7, -0.5, 1.0)),
        ValueError,
        "Negative values in data passed to `sample_weight`: -0.5 in row 7. Weights must be zero "
        "or more; leave a row out by giving it weight 0.",
    ),
    "one dimension": (
        lambda: fit([1.0, 2.0]),
        ValueError,
        "Expected 2D array, got 1D array instead:\narray=[1. 2.].",
    ),
    "no rows": (lambda: fit(np.empty((0, 3))), ValueError, TOO_FEW),
    "not fitted": (
        lambda: om.KMeans().predict(X),
        NotFittedError,
        "This KMeans instance is not fitted yet. Call 'fit' with appropriate arguments before "
        "using this estimator.",
    ),
    "other number of features": (
        lambda: fit().predict(X[:, :2]),
        ValueError,
        "X has 2 features, but KMeans is expecting 3 features as input.",
    ),
    "text": (lambda: fit([["a", "b"]]), ValueError, "could not convert string to float: 'a'"),
    "squared norms": (
        lambda: om.kmeans_plusplus(X, 2, x_squared_norms=[1.0]),
        ValueError,
        "The length of x_squared_norms 1 should be equal to the length of n_samples 300.",
    ),
    "values too far apart": (
        lambda: fit(np.vstack([X, X * 1e250])),
        ValueError,
        "The values of X lie too far apart, from ",
    ),
    "columns too far apart": (
        lambda: fit(np.hstack([X * 1e-150, np.full((300, 1), 1e250)])),
        ValueError,
        "The values of X lie too far apart, from ",
    ),
    "new rows too far away": (
        lambda: fit(X).predict([[1.0, 2.0, 3.0], [0.0, -1e200, 0.0]]),
        ValueError,
        "The value -1e+200 in row 1, column 1 of X, counted from 0, is so far from the centres ",
    ),
    "centres too far apart": (
        lambda: _with_centers(np.array([[0.0, 0.0, 1e300], [1e-150, 0.0, 1e300]])).predict(X),
        ValueError,
        "The values of the centres lie too far apart, up to 1e+300 in absolute value",
    ),
    "centres of another width": (
        lambda: _with_centers(np.zeros((2, 4))).predict(X),
        ValueError,
        "cluster_centers_ has shape (2, 4), but X has 3 features; give every centre one value per "
        "feature.",
    ),
}


def _with_centers(centers: Any) -> om.KMeans:
    model = fit(n_clusters=2)
    model.cluster_centers_ = centers
    return model


@pytest.mark.parametrize("case", MESSAGES)
def test_messages(case: str) -> None:
    trigger, kind, text = MESSAGES[case]
    with pytest.raises(kind) as caught:
        trigger()
    assert str(caught.value).startswith(text)


SCIKIT_LEARNS_NAN = (
    "Input X contains NaN.\nKMeans does not accept missing values encoded as NaN natively."
)
SCIKIT_LEARNS_INF = "Input X contains infinity or a value too large for dtype('float64')."


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.nan, SCIKIT_LEARNS_NAN), (np.inf, SCIKIT_LEARNS_INF), (-np.inf, SCIKIT_LEARNS_INF)],
)
@pytest.mark.parametrize("use", ["fit", "predict", "score", "transform"])
def test_values_that_are_no_numbers_have_a_place(use: str, value: float, text: str) -> None:
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)") as caught:
        getattr(fit(), use)(holed(value))
    message = str(caught.value)
    assert message.startswith(text)
    assert message.endswith(
        f"\nThe first such value is {value} in row 17, column 2, counted from 0; 2 of them in 2 "
        "rows. Remove these rows or fill in the values"
        + (", or use missing='partial'." if np.isnan(value) else ".")
    )


def test_finite_check_can_be_switched_off_as_in_scikit_learn() -> None:
    with sklearn.config_context(assume_finite=True):
        assert np.isnan(_validate.rows(holed(np.nan))[17, 2])


@pytest.mark.parametrize("name", sorted({"any", *_validate._INSTEAD}))
def test_other_metrics_are_refused_with_a_reason(name: str) -> None:
    with pytest.raises(ValueError, match="is not offered") as caught:
        fit(metric=name)
    message = str(caught.value)
    assert message.startswith(f"metric={name!r} is not offered. ")
    assert "does not minimise" in message
    assert "Use metric='euclidean' or metric='manhattan' or metric='cosine'." in message
    assert message.endswith(_validate._INSTEAD.get(name, "."))


@pytest.mark.parametrize("make", [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans])
@pytest.mark.parametrize("metric", [lambda a, b: 0.0, 2, None, ["euclidean"]])
def test_a_metric_that_is_no_name_is_refused_with_the_same_reason(make: Any, metric: Any) -> None:
    with pytest.raises(InvalidParameterError, match="is not offered") as caught:
        make(2, metric=metric).fit(X)
    message = str(caught.value)
    assert "does not minimise" in message
    assert "Use metric='euclidean' or metric='manhattan' or metric='cosine'." in message
    assert ("nobody can tell which point that is" in message) == callable(metric)
    assert message.endswith("see the package kmedoids." if callable(metric) else "'cosine'.")


def test_every_distance_is_offered_or_has_advice() -> None:
    assert set(DISTANCES) == set(_validate.METRICS) | {"manhattan-mean"}
    assert "manhattan-mean" in _validate._INSTEAD


# ---- warnings


def test_array_start_makes_more_starts_pointless() -> None:
    text = (
        "Explicit initial center position passed: performing only one init in KMeans instead of "
        "n_init=5."
    )
    with pytest.warns(RuntimeWarning) as caught:
        model = fit(n_clusters=2, init=X[:2], n_init=5)
    assert [str(warning.message) for warning in caught] == [text]
    assert caught[0].filename == __file__
    assert model._n_init == 1


def test_elkan_for_one_cluster() -> None:
    with pytest.warns(RuntimeWarning) as caught:
        fit(n_clusters=1, algorithm="elkan")
    assert [str(warning.message) for warning in caught] == [
        "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead."
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"init": np.str_("random")},
        {"n_clusters": 2, "init": [[0, 0, 0], [1, 1, 1]]},
        {"n_clusters": np.int64(3), "max_iter": np.int32(5), "tol": np.float32(0.1)},
        {"weights": 2},
        {"weights": 0.5},
        {"weights": list(range(300))},
        {"tol": 0},
        {"verbose": False},
    ],
    ids=str,
)
def test_accepted_in_silence(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(**options)


def test_checks_come_in_scikit_learns_order() -> None:
    """Parameters, rows, their number, weights, start: the first fault is the one reported."""
    order = [
        ({"max_iter": 0, "rows": X[:1]}, "max_iter"),
        ({"rows": X[:1]}, "n_samples=1"),
        ({}, "sample_weight.shape"),
        ({"weights": None}, "shape of the initial centers"),
    ]
    for options, text in order:
        with pytest.raises(ValueError, match=text):
            fit(**{"n_clusters": 2, "weights": [1.0, 2.0], "init": X[:, :2], **options})


# ---- nothing of the user's is changed


@pytest.mark.parametrize("copy_x", [True, False])
def test_inputs_are_left_alone(copy_x: bool) -> None:
    rows, weights, init = X.copy(), np.arange(300.0), X[:4].copy()
    before = [array.tobytes() for array in (rows, weights, init)]
    for array in (rows, weights, init):
        array.flags.writeable = False
    model = fit(rows, weights, n_clusters=4, init=init, copy_x=copy_x)
    assert [array.tobytes() for array in (rows, weights, init)] == before
    assert not np.shares_memory(model.cluster_centers_, init)


def test_settled_start_is_still_a_copy() -> None:
    init = np.array([[1.0], [5.0]])
    model = fit([[1.0], [5.0]], n_clusters=2, init=init)
    assert_array_equal(model.cluster_centers_, init)
    assert not np.shares_memory(model.cluster_centers_, init)


@pytest.mark.parametrize("weight", [1e-290, 1e200])
def test_weights_too_small_or_large_to_be_summed_are_refused(weight):
    with pytest.raises(ValueError, match=r"The largest weight is 1e.*divide them by the largest"):
        om.KMeans(2).fit([[0.0], [1.0], [9.0]], sample_weight=np.full(3, weight))


def test_a_start_too_far_away_is_refused():
    with pytest.raises(ValueError, match=r"value of 1e.160, which is so far from"):
        om.KMeans(3, init=[[0, 0], [1e160, 0], [1, 1]]).fit([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]])
