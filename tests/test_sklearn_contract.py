"""The scikit-learn contract, tested by scikit-learn: its estimator checks and its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

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

NOT_FOR_US = {
    "check_array_api_input": "the array API is not offered, and the tags say so",
    # As in scikit-learn itself; the next test runs them from a given start.
    "check_sample_weight_equivalence_on_dense_data": "rows are drawn by number; this shuffles them",
    "check_sample_weight_equivalence_on_sparse_data": "the same",
}
MODELS = {
    "euclidean": om.KMeans(n_clusters=2),
    "manhattan": om.KMeans(n_clusters=2, metric="manhattan"),
    "reference": om.KMeans(n_clusters=2, engine="reference"),
}
CHECKS = [
    pytest.param(model, check, id=f"{kind}-{check.func.__name__}")
    for kind, model in MODELS.items()
    for model, check in estimator_checks_generator(model)
    if isinstance(check, partial) and check.func.__name__ not in NOT_FOR_US
]


@pytest.mark.parametrize(("model", "check"), CHECKS)
def test_scikit_learns_checks(model: om.KMeans, check: Callable[[om.KMeans], None]) -> None:
    check(model)


def test_the_checks_are_there() -> None:
    assert len(CHECKS) >= 50 * len(MODELS)


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_weights_are_copies_by_scikit_learns_check(metric: str, form: str) -> None:
    start = np.random.default_rng(0).random((3, 30))  # the check's rows have 30 columns
    model = om.KMeans(n_clusters=3, init=start, metric=metric)
    (check,) = (
        check
        for _, check in estimator_checks_generator(model)
        if check.func.__name__ == f"check_sample_weight_equivalence_on_{form}_data"
    )
    check(model)


def test_every_parameter_is_checked() -> None:
    check_param_validation("KMeans", om.KMeans())


# ---- scikit-learn's own tests of KMeans

PASSED_IN_1_9 = 83


def run_scikit_learns_tests(folder: Path, mode: str) -> Counter[str]:
    """Run them with our names in place of scikit-learn's; count how they ended."""
    report = folder / "report.xml"
    options = ["-q", "--tb=no" if mode == "broken" else "--tb=short", "-p", "no:cacheprovider"]
    tests = ["-p", "sklearn_dropin", "--pyargs", "sklearn.cluster.tests.test_k_means"]
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests, f"--junitxml={report}"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMNIMEANS_DROPIN": mode,
            "SKLEARN_RUN_FLOAT32_TESTS": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert report.is_file(), outcome.stdout + outcome.stderr
    endings: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        trouble = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        endings[trouble[0] if trouble else "passed"] += 1
    if mode != "broken":
        print(outcome.stdout)  # shown if the test fails
    return endings


def test_scikit_learns_own_tests_pass(tmp_path: Path) -> None:
    endings = run_scikit_learns_tests(tmp_path, "omnimeans")
    assert set(endings) == {"passed"}, endings
    assert endings["passed"] >= PASSED_IN_1_9


def test_scikit_learns_own_tests_fail_for_a_broken_class(tmp_path: Path) -> None:
    endings = run_scikit_learns_tests(tmp_path, "broken")
    assert set(endings) == {"failure"}, endings
    assert endings["failure"] >= PASSED_IN_1_9


# ---- what the contract says besides


def test_constructor_is_scikit_learns_and_only_stores() -> None:
    theirs = sklearn.cluster.KMeans().get_params()
    ours = om.KMeans().get_params()
    own = {"metric", "engine", "n_threads", "callback", "memory", "missing"}
    assert set(ours) - set(theirs) >= own
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
