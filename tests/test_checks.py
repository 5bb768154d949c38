"""The shared checks are seen to fail on what they must reject."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import omnimeans as om
from checks import assert_agrees, assert_belongs_together, assert_same_answer

X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])

BROKEN = {
    "labels_": lambda v: v[::-1].copy(),
    "inertia_": lambda v: float(np.nextafter(v, 0.0)),
    "cluster_centers_": lambda v: np.nextafter(v, 0.0),
    "n_iter_": lambda v: v + 1,
    "stop_reason_": lambda v: "max_iter",
}


@pytest.fixture
def model() -> om.KMeans:
    return om.KMeans(n_clusters=2, init=X[[0, 3]]).fit(X)


def test_a_sound_model_passes(model: om.KMeans) -> None:
    assert_belongs_together(model, X)
    assert_same_answer(model, deepcopy(model))
    assert_agrees(model, deepcopy(model))


@pytest.mark.parametrize("attribute", BROKEN)
def test_a_broken_model_does_not_belong_together(model: om.KMeans, attribute: str) -> None:
    setattr(model, attribute, BROKEN[attribute](getattr(model, attribute)))
    with pytest.raises(AssertionError):
        assert_belongs_together(model, X)


@pytest.mark.parametrize("attribute", sorted(set(BROKEN) - {"n_iter_"}))
def test_a_changed_model_is_not_the_same(model: om.KMeans, attribute: str) -> None:
    other = deepcopy(model)
    setattr(other, attribute, BROKEN[attribute](getattr(other, attribute)))
    with pytest.raises(AssertionError):
        assert_same_answer(model, other)


@pytest.mark.parametrize("attribute", ["labels_", "n_iter_"])
def test_another_way_does_not_agree(model: om.KMeans, attribute: str) -> None:
    other = deepcopy(model)
    setattr(other, attribute, BROKEN[attribute](getattr(other, attribute)))
    with pytest.raises(AssertionError):
        assert_agrees(model, other)


def test_a_weighted_inertia_is_not_the_plain_one(model: om.KMeans) -> None:
    with pytest.raises(AssertionError):
        assert_belongs_together(model, X, sample_weight=np.full(len(X), 2.0))
