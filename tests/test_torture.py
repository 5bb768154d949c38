"""T1 to T33: every input that others get wrong, in variants drawn at random.

The right answer, or one clear error: nothing else passes.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
import tally
from judgement import Answer, Input
from torture_cases import CASES, Case

VARIANTS = 8
NAMES = [case.number for case in CASES]


def answer(model: Any, given: Input) -> Answer:
    X, w = given.X, given.weights
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters
        model.fit(X, sample_weight=w)
    score = model.score(X, sample_weight=w)
    return Answer(model.labels_, model.predict(X), model.cluster_centers_, model.inertia_, score)


def estimator(kind: type, given: Input, **more: Any) -> Any:
    more = {"init": "k-means++" if given.init is None else given.init} | more
    return kind(
        given.k,
        n_init=5 if given.init is None else 1,
        max_iter=given.max_iter,
        random_state=given.seed,
        **more,
    )


def judge(case: Case, variant: int, found: Any, given: Input) -> None:
    complaints = [check(given, found) for check in given.checks]
    assert complaints == [None] * len(complaints), f"{case.number}, variant {variant}"


@pytest.mark.parametrize("kind", [om.KMeans, om.MiniBatchKMeans])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_case(case: Case, kind: Any) -> None:
    for variant in range(VARIANTS):
        given = case.make(np.random.default_rng([variant, len(case.number)]))
        model = estimator(kind, given, tol=given.tol)
        tally.count("inputs")
        if given.refused:
            with pytest.raises(ValueError, match=r"NaN|infinity|n_samples=\d+ should be >="):
                model.fit(given.X)
            continue
        found = answer(model, given)
        judge(case, variant, found, given)
        np.testing.assert_array_equal(found.predicted, found.labels)
        assert found.score == -found.inertia  # to the bit, whatever a case asks for


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_reference_engine_says_the_same(case: Case) -> None:
    given = case.make(np.random.default_rng(5))
    if given.refused or given.X.size > 5000:
        return
    found = [
        answer(estimator(om.KMeans, given, tol=given.tol, engine=engine), given)
        for engine in ("cpu", "reference")
    ]
    tally.count("comparisons")
    assert found[0].centers.tobytes() == found[1].centers.tobytes()
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    assert found[0].inertia == found[1].inertia


# The checks, seen to complain: case, what is changed in a right answer, the complaint.
SPOILT: list[tuple[str, dict[str, Any], str]] = [
    ("T1", {"predicted": np.zeros(4000, int)}, "predicted find the groups with ARI 0.0000"),
    ("T1", {"labels": np.zeros(4000, int)}, "labels find the groups with ARI 0.0000"),
    ("T6", {"inertia": 0.0}, "inertia is 0"),
    ("T7", {"labels": np.array([0, 0, 1])}, "predict differs from labels_"),
    ("T11", {"centers": np.array([[1.0], [6.0]])}, "centres are "),
    ("T13", {"inertia": 1e-9}, "inertia is 1e-09, not 0"),
    ("T25", {"labels": np.zeros(17, int), "predicted": np.zeros(17, int)}, "1 clusters, not 9"),
    ("T30", {"score": -1.0}, "score -1 for an inertia of "),
    ("T30", {"centers": np.full((50, 8), np.nan)}, "centres are not finite"),
    ("T33", {"predicted": np.zeros(300, int)}, " rows have a nearer centre"),
]


@pytest.mark.parametrize(("number", "changes", "complaint"), SPOILT)
def test_a_wrong_answer_is_seen(number: str, changes: dict[str, Any], complaint: str) -> None:
    case = CASES[NAMES.index(number)]
    given = case.make(np.random.default_rng(0))
    found = answer(estimator(om.KMeans, given, tol=given.tol), given)
    judge(case, 0, found, given)
    complaints = [check(given, replace(found, **changes)) for check in given.checks]
    assert any(complaint in (said or "") for said in complaints)
