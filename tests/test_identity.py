"""Clusters that keep their numbers across refits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import hard_cases
import omnimeans as om

X = hard_cases.rows("blobs", 300, 3, np.float64)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.permutations(range(6)))
def test_the_same_partition_gets_the_same_numbers(old: list[int], shuffle: list[int]) -> None:
    new = np.array(shuffle)[old]
    assert_array_equal(om.match_labels(old, new), old)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60),
)
def test_matching_keeps_the_partition_and_as_many_rows_as_any(pairs: list[Any]) -> None:
    old, new = np.array(pairs).T
    found = om.match_labels(old, new)
    assert len(set(zip(new, found, strict=True))) == len(set(new)) == len(set(found))
    kept = int((found == old).sum())
    # no single exchange of two numbers would keep more rows
    for a in range(5):
        for b in range(a):
            swapped = np.where(found == a, b, np.where(found == b, a, found))
            assert (swapped == old).sum() <= kept


def test_a_new_cluster_gets_a_new_number() -> None:
    assert om.match_labels([0, 0, 0, 1, 1], [0, 2, 2, 1, 1]).tolist() == [2, 0, 0, 1, 1]
    assert om.match_labels([0, 1, 2], [1, 1, 0]).tolist() in ([0, 0, 2], [1, 1, 2])


@pytest.mark.parametrize("Estimator", [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_refitted_models(metric: str, Estimator: Any) -> None:
    old = Estimator(5, metric=metric, random_state=0).fit(X)
    other = Estimator(5, metric=metric, random_state=0).fit(X[::-1] + 1e-6)
    shuffled = om.match_labels(old, other)
    for model in (shuffled, om.match_labels(old, old)):
        order = np.argsort(old.transform(model.cluster_centers_), axis=1)[:, 0]
        assert_array_equal(order, np.arange(5))
        assert_array_equal(model.predict(X[::-1] + 1e-6), model.predict((X + 1e-6)[::-1]))
    assert_array_equal(shuffled.predict(X[::-1] + 1e-6), shuffled.labels_)
    assert_array_equal(other.predict(X[::-1] + 1e-6), other.labels_)  # it is left as it was


def test_more_and_fewer_clusters() -> None:
    old = om.KMeans(4, random_state=0).fit(X)
    more = om.match_labels(old, om.KMeans(6, random_state=0).fit(X))
    assert_array_equal(more.predict(X), more.labels_)
    fewer = om.match_labels(more, old)
    assert_array_equal(fewer.predict(X), fewer.labels_)


def test_what_is_refused() -> None:
    model = om.KMeans(2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="old has 2 labels and new has 3"):
        om.match_labels([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="new has shape"):
        om.match_labels([0, 1], [0.5, 1.0])
    with pytest.raises(TypeError, match="one of each"):
        om.match_labels(model, model.labels_)
    with pytest.raises(ValueError, match="3 features and the new one 2"):
        om.match_labels(model, om.KMeans(2).fit(X[:, :2]))
    with pytest.raises(ValueError, match="metric is 'euclidean' and the new one's 'cosine'"):
        om.match_labels(model, om.KMeans(2, metric="cosine").fit(X))
