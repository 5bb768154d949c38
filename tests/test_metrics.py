"""Distances and agreement scores: by hand, by definition, and beside scikit-learn's."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk_metrics

from omnimeans import metrics
from omnimeans.metrics import AGREEMENT, euclidean_distance, manhattan_distance

Labels = list[int]
label_pairs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40
).map(lambda pairs: ([a for a, _ in pairs], [b for _, b in pairs]))


# ---- distances


def test_distance_of_two_vectors_is_a_float() -> None:
    a, b = [1.0, 2.0, 3.0], np.array([1, 4, 6])
    assert euclidean_distance(a, b) == math.sqrt(13.0)
    assert euclidean_distance(a, b, squared=True) == 13.0
    assert manhattan_distance(a, b) == 5.0
    assert type(euclidean_distance(a, b)) is type(manhattan_distance(a, b)) is float


def test_distance_of_two_matrices_is_every_pair() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    euclidean, squared = euclidean_distance(a, b), euclidean_distance(a, b, squared=True)
    manhattan = manhattan_distance(a, b)
    assert np.shape(euclidean) == np.shape(squared) == np.shape(manhattan) == (4, 5)
    for i, j in np.ndindex(4, 5):
        terms = (a[i] - b[j]).tolist()
        np.testing.assert_allclose(euclidean[i, j], math.hypot(*terms), rtol=1e-15)
        np.testing.assert_allclose(squared[i, j], math.hypot(*terms) ** 2, rtol=1e-14)
        np.testing.assert_allclose(manhattan[i, j], math.fsum(map(abs, terms)), rtol=1e-15)
        assert euclidean[i, j] == euclidean_distance(a[i], b[j])


def test_distance_far_from_the_origin_keeps_its_digits() -> None:
    # the short formula |a|² - 2ab + |b|² gives 0 here
    far = 1e9 + np.array([[0.0, 0.0], [3.0, 4.0]])
    assert euclidean_distance(far, far).tolist() == [[0.0, 5.0], [5.0, 0.0]]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0], [[1.0, 2.0]]),
        ([[1.0]], [[1.0, 2.0]]),
        (1.0, 2.0),
    ],
)
@pytest.mark.parametrize("distance", [euclidean_distance, manhattan_distance])
def test_shapes_that_do_not_fit_are_refused(distance: Any, a: Any, b: Any) -> None:
    with pytest.raises(ValueError, match=r"a has shape .* and b has shape .*; give two vectors"):
        distance(a, b)


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        euclidean_distance([math.nan], [1.0])


# ---- contingency and purity


def test_contingency_by_hand() -> None:
    y_trues, y_preds = ["b", "a", "b", "c", "a", "b"], [7, 3, 7, 3, 3, 3]
    matrix = metrics.contingency_matrix(y_trues, y_preds)
    assert matrix.tolist() == [[2, 0], [1, 2], [1, 0]]
    frame = metrics.contingency_matrix(y_trues, y_preds, as_dataframe=True)
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.tolist() == ["true=a", "true=b", "true=c"]
    assert frame.columns.tolist() == ["pred=3", "pred=7"]
    assert frame.to_numpy().tolist() == matrix.tolist()


def test_purity_by_hand() -> None:
    y_trues, y_preds = ["b", "a", "b", "c", "a", "b"], [7, 3, 7, 3, 3, 3]
    assert metrics.purity_score(y_trues, y_preds) == (2 + 2) / 6
    assert metrics.purity_score(y_trues, y_preds, per_cluster=True).tolist() == [2 / 4, 2 / 2]


def test_display_prints_both(capsys: pytest.CaptureFixture[str]) -> None:
    y_trues, y_preds = [0, 0, 1, 1], [1, 1, 1, 0]
    metrics.display_contingency_and_purity(y_trues, y_preds)
    table, score = capsys.readouterr().out.rsplit("Purity score: ", 1)
    assert [line.split() for line in table.splitlines()] == [
        ["pred=0", "pred=1"],
        ["true=0", "0", "2"],
        ["true=1", "1", "1"],
    ]
    assert score == "0.7500\n"
    metrics.display_contingency_and_purity(y_trues, y_preds, as_dataframe=False, per_cluster=True)
    assert capsys.readouterr().out == "[[0 2]\n [1 1]]\nPurity score: 1.0000 0.6667\n"


# ---- Rand indices


def rand_by_definition(y_trues: Labels, y_preds: Labels) -> float:
    """Pairs that both labellings treat alike, counted one by one."""
    alike = [
        (y_trues[i] == y_trues[j]) == (y_preds[i] == y_preds[j])
        for i, j in combinations(range(len(y_trues)), 2)
    ]
    return sum(alike) / len(alike)


@given(label_pairs)
def test_rand_index_is_the_share_of_pairs(labels: tuple[Labels, Labels]) -> None:
    assert metrics.rand_index(*labels) == pytest.approx(rand_by_definition(*labels), abs=1e-12)


def test_rand_index_and_purity_differ() -> None:
    y_trues = [0, 0, 0, 0, 1, 1, 1, 1]
    own_cluster_each = list(range(8))
    assert metrics.purity_score(y_trues, own_cluster_each) == 1.0
    assert metrics.rand_index(y_trues, own_cluster_each) == 16 / 28  # only the pairs apart
    assert metrics.adjusted_rand_index(y_trues, own_cluster_each) == 0.0


def test_adjusted_rand_index_is_zero_for_chance() -> None:
    rng = np.random.default_rng(0)
    scores = [
        metrics.adjusted_rand_index(rng.integers(3, size=300), rng.integers(3, size=300))
        for _ in range(50)
    ]
    assert abs(np.mean(scores)) < 0.003
    chance = metrics.rand_index(rng.integers(3, size=300), rng.integers(3, size=300))
    assert chance > 0.5  # the plain index is far above 0


# ---- what holds for every score of the table


@pytest.mark.parametrize("name", AGREEMENT)
@given(labels=label_pairs)
def test_scores_do_not_depend_on_the_names_of_clusters(
    name: str, labels: tuple[Labels, Labels]
) -> None:
    y_trues, y_preds = labels
    renamed = [[3, 1, 4, 0, 2][label] for label in y_preds]
    score = AGREEMENT[name].function
    assert score(y_trues, y_preds) == pytest.approx(score(y_trues, renamed), abs=1e-12)


@pytest.mark.parametrize("name", AGREEMENT)
def test_scores_say_which_way_is_better(name: str) -> None:
    score = AGREEMENT[name]
    y = [0, 0, 1, 1, 2, 2]
    equal, poor = score.function(y, y), score.function(y, [0, 1, 0, 1, 0, 1])
    assert score.name == name
    assert score.reference
    assert (equal > poor) == (score.best == "max")
    assert equal == (1.0 if score.best == "max" else 0.0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Rand index", "rand_score"),
        ("adjusted Rand index", "adjusted_rand_score"),
        ("normalized mutual information", "normalized_mutual_info_score"),
        ("adjusted mutual information", "adjusted_mutual_info_score"),
        ("homogeneity", "homogeneity_score"),
        ("completeness", "completeness_score"),
        ("V-measure", "v_measure_score"),
        ("Fowlkes-Mallows index", "fowlkes_mallows_score"),
    ],
)
def test_scores_are_scikit_learns(ours: str, theirs: str) -> None:
    rng = np.random.default_rng(1)
    y_trues, y_preds = rng.integers(4, size=100), rng.integers(3, size=100)
    assert AGREEMENT[ours].function(y_trues, y_preds) == getattr(sk_metrics, theirs)(
        y_trues, y_preds
    )


BAD_LABELS = [
    ([0, 1, 2], [0, 1], "y_trues has 3 labels and y_preds has 2"),
    ([[0, 1]], [0, 1], r"y_trues has shape \(1, 2\); give one label per row"),
    ([0, 1], [], r"y_preds has shape \(0,\); give one label per row"),
    ([0.0, math.nan], [0, 1], "y_trues has no label in row 1"),
    ([0, 1], np.array([None, 1], dtype=object), "y_preds has no label in row 0"),
]


@pytest.mark.parametrize(("y_trues", "y_preds", "message"), BAD_LABELS)
@pytest.mark.parametrize("name", AGREEMENT)
def test_bad_labels_are_refused(name: str, y_trues: Any, y_preds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AGREEMENT[name].function(y_trues, y_preds)
