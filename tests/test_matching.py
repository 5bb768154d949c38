"""Scores by rows and by information: by definition, by hand, and by trying every naming."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnimeans import metrics

Labels = list[int]
label_pairs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30
).map(lambda pairs: ([a for a, _ in pairs], [b for _, b in pairs]))


def entropy(labels: list[object]) -> float:
    n = len(labels)
    return -math.fsum(c / n * math.log(c / n) for c in Counter(labels).values())


@given(label_pairs)
def test_variation_of_information_is_what_is_not_shared(labels: tuple[Labels, Labels]) -> None:
    trues, preds = labels
    joint = entropy(list(zip(trues, preds, strict=True)))
    definition = 2 * joint - entropy(list(trues)) - entropy(list(preds))
    assert metrics.variation_of_information(*labels) == pytest.approx(definition, abs=1e-12)
    assert metrics.variation_of_information(*labels) >= 0.0


@given(label_pairs, st.randoms())
def test_variation_of_information_is_a_distance(labels, random) -> None:
    a, b = labels
    c = [random.randrange(3) for _ in a]
    d = metrics.variation_of_information
    assert d(a, b) == pytest.approx(d(b, a), abs=1e-12)
    assert d(a, c) <= d(a, b) + d(b, c) + 1e-12
    assert d(a, a) == 0.0


@given(label_pairs)
def test_bcubed_row_by_row(labels: tuple[Labels, Labels]) -> None:
    trues, preds = labels
    n, rows = len(trues), range(len(trues))
    precision = recall = 0.0
    for i in rows:
        both = sum(trues[i] == trues[j] and preds[i] == preds[j] for j in rows)
        precision += both / preds.count(preds[i]) / n
        recall += both / trues.count(trues[i]) / n
    got = metrics.bcubed(trues, preds)
    f1 = 2 * precision * recall / (precision + recall)
    assert got == pytest.approx((precision, recall, f1), abs=1e-12)
    assert metrics.bcubed_f1(trues, preds) == got.f1


@given(label_pairs)
def test_best_match_is_the_best_of_all_namings(labels: tuple[Labels, Labels]) -> None:
    trues, preds = labels
    names = [0, 1, 2, 3, None]  # five clusters may need a name that is no class
    best = max(
        sum(t == naming[p] for t, p in zip(trues, preds, strict=True))
        for naming in permutations(names)
    )
    assert metrics.best_match_accuracy(trues, preds) == best / len(trues)


def test_cluster_table_by_hand() -> None:
    trues = ["cat", "cat", "dog", "dog", "dog", "emu"]
    preds = [1, 0, 1, 1, 1, 0]
    first, second = metrics.cluster_table(trues, preds)
    assert first == metrics.ClusterRow(0, 2, "cat", 0.5, 0.5, 0.5)  # a tie: the first in order
    assert second == metrics.ClusterRow(1, 4, "dog", 0.75, 0.75, 1.0)


@given(label_pairs)
def test_cluster_table_adds_up_to_the_purity(labels: tuple[Labels, Labels]) -> None:
    table = metrics.cluster_table(*labels)
    n = sum(row.size for row in table)
    assert n == len(labels[0])
    assert [row.cluster for row in table] == sorted(set(labels[1]))
    right = sum(row.purity * row.size for row in table)
    assert right / n == pytest.approx(metrics.purity_score(*labels), abs=1e-12)


def test_the_table_says_what_each_score_is() -> None:
    for table in (metrics.AGREEMENT, metrics.SEPARATION):
        for name, row in table.items():
            assert row.name == name
            assert row.best in ("max", "min")
            assert row.cost
            assert row.reference
            assert "References\n" in (row.function.__doc__ or "")
            assert row.function.__name__ in metrics.__all__
