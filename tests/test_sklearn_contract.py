"""The scikit-learn contract, tested by scikit-learn: its estimator checks and its own tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_clusterer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_param_validation, estimator_checks_generator

import omnimeans as om

X = np.random.default_rng(0).normal(size=(60, 3))

# ---- scikit-learn's checks of any estimator

NOT_FOR_US = {"check_array_api_input": "the array API is not offered, and the tags say so"}
MODELS = {
    "euclidean": om.KMeans(n_clusters=2),
    "manhattan": om.KMeans(n_clusters=2, metric="manhattan"),
    "cosine": om.KMeans(n_clusters=2, metric="cosine"),
    "reference": om.KMeans(n_clusters=2, engine="reference"),
    "random": om.KMeans(init="random"),
    "default": om.KMeans(),
    "mini-batch": om.MiniBatchKMeans(),
    "mini-batch-cosine": om.MiniBatchKMeans(n_clusters=3, metric="cosine"),
    "mini-batch-manhattan": om.MiniBatchKMeans(n_clusters=3, metric="manhattan"),
    "bisecting": om.BisectingKMeans(),
    "bisecting-cosine": om.BisectingKMeans(n_clusters=3, metric="cosine"),
    "bisecting-manhattan": om.BisectingKMeans(n_clusters=3, metric="manhattan"),
}
CHECKS = [
    pytest.param(model, check, id=f"{kind}-{check.func.__name__}")
    for kind, model in MODELS.items()
    for model, check in estimator_checks_generator(model)
    if isinstance(check, partial) and check.func.__name__ not in NOT_FOR_US
]


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")  # four rows, eight clusters
@pytest.mark.parametrize(("model", "check"), CHECKS)
def test_scikit_learns_checks(model: om.KMeans, check: Callable[[om.KMeans], None]) -> None:
    check(model)


def test_the_checks_are_there() -> None:
    assert len(CHECKS) >= 50 * len(MODELS)


def test_weights_are_copies_by_scikit_learns_check() -> None:
    """scikit-learn declares these two an expected failure of its own three."""
    names = [case.id for case in CHECKS]
    for kind in MODELS:
        for form in ("dense", "sparse"):
            assert f"{kind}-check_sample_weight_equivalence_on_{form}_data" in names


def test_every_parameter_is_checked() -> None:
    for estimator in (om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans):
        check_param_validation(estimator.__name__, estimator())


# ---- what the contract says besides


def test_constructor_is_scikit_learns_and_only_stores() -> None:
    theirs = sklearn.cluster.KMeans().get_params()
    ours = om.KMeans().get_params()
    # what is ours alone has a default that changes nothing
    assert set(ours) - set(theirs) == {
        *("callback", "checkpoint", "empty_clusters", "engine", "fill", "frozen", "max_time"),
        *("memory", "metric", "missing", "n_threads", "raise_on_interrupt", "sort_labels"),
    }
    assert set(theirs) < set(ours)
    assert {name for name in theirs if ours[name] != theirs[name]} == {"algorithm"}
    with pytest.raises(TypeError, match="positional argument"):
        om.KMeans(8, "random")
    init = [[0, 0], [1, 1]]
    assert om.KMeans(init=init).init is init


def test_tags() -> None:
    tags, theirs = get_tags(om.KMeans()), get_tags(sklearn.cluster.KMeans())
    assert is_clusterer(om.KMeans())
    tags.no_validation = theirs.no_validation
    assert tags == theirs


def test_methods_ask_for_weights_as_in_scikit_learn() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        model = om.KMeans(2, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), model)
        weights = np.arange(1.0, 61.0)
        pipeline.fit(X, sample_weight=weights)
        score = pipeline.score(X, sample_weight=weights)
    assert score == -pipeline[-1].inertia_


@pytest.mark.parametrize("name", ["KMeans", "MiniBatchKMeans", "BisectingKMeans"])
def test_nothing_else_can_be_asked_for(name: str) -> None:
    ours, theirs = getattr(om, name)(), getattr(sklearn.cluster, name)()
    asked, wanted = (model.get_metadata_routing()._serialize() for model in (ours, theirs))
    assert asked == wanted


def test_works_in_a_search() -> None:
    search = GridSearchCV(om.KMeans(random_state=0), {"n_clusters": [2, 3, 9]}, cv=3).fit(X)
    assert search.best_params_ == {"n_clusters": 9}
    assert_array_equal(search.predict(X), search.best_estimator_.labels_)


def test_a_second_fit_forgets_the_first() -> None:
    model = om.KMeans(2, random_state=0).fit(X)
    model.set_params(n_clusters=3).fit(X[:, :2])
    fresh = clone(model).fit(X[:, :2])
    assert_array_equal(model.cluster_centers_, fresh.cluster_centers_)
    assert model.n_features_in_ == 2
    assert list(model.get_feature_names_out()) == ["kmeans0", "kmeans1", "kmeans2"]


def test_private_names_that_others_use() -> None:
    model = om.KMeans(3, n_threads=1, random_state=0).fit(X)
    assert (model._n_threads, model._n_features_out, model._n_init) == (1, 3, 1)
    assert model._algorithm == "auto"
    assert type(model._tol) is float
