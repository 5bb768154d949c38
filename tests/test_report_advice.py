"""Warnings of a report: each is seen to fire where it should, and to be silent where not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans as Peer
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
from omnimeans.reports import _advice


def codes(seen: om.Report) -> set[str]:
    return {warned.code for warned in seen.warnings}


def text_of(seen: om.Report, code: str) -> str:
    return next(warned.text for warned in seen.warnings if warned.code == code)


def fitted(X: Any, k: int, **parameters: Any) -> om.Report:
    return om.report(om.KMeans(k, random_state=0, **parameters).fit(X), X)


def test_clear_clusters_bring_no_warning() -> None:
    X, _ = make_blobs(600, n_features=3, centers=4, cluster_std=0.6, random_state=3)
    assert fitted(X, 4).warnings == ()
    iris = load_iris(as_frame=True).data
    assert fitted(iris, 3).warnings == ()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_not_converged() -> None:
    X, _ = make_blobs(600, centers=8, cluster_std=3.0, random_state=0)
    seen = fitted(X, 8, max_iter=1)
    text = text_of(seen, "not_converged")
    assert "after 1 iterations max_iter was reached" in text
    assert f"{seen.course.history[-1].moved:,} rows moved" in text


def test_dominant_feature_is_named() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), rng.normal(size=300) * 1000])
    seen = om.report(om.KMeans(3, random_state=0).fit(X), X, feature_names=["age", "income"])
    assert "'income' holds 100 % of all variance" in text_of(seen, "dominant_feature")


def test_tiny_clusters_are_named() -> None:
    X = np.concatenate([make_blobs(500, centers=2, random_state=0)[0], [[1e3, 1e3]]])
    seen = fitted(X, 3, n_init=5)
    (tiny,) = [warned for warned in seen.warnings if warned.code == "tiny_clusters"]
    assert [seen.clusters[label].size for label in tiny.clusters] == [1]
    assert f"Cluster {tiny.clusters[0]} has only 1 row of 501" in tiny.text


def test_near_duplicates_are_named_once() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) + 50])
    model = om.KMeans(3, init=[[0, 0], [50, 50], [50.1, 50.1]]).fit(X)
    model.cluster_centers_ = np.array([[0, 0], [50, 50], [50.1, 50.1]])
    seen = om.report(model, X)
    pairs = [w.clusters for w in seen.warnings if w.code == "near_duplicates"]
    assert pairs == [(1, 2)]


def test_remote_rows_are_named() -> None:
    X = np.concatenate([np.random.default_rng(0).normal(size=(2000, 2)), [[40.0, 0.0]]])
    seen = fitted(X, 1)
    assert "the farthest is row 2000 in cluster 0" in text_of(seen, "remote_rows")


def test_weak_structure_is_said() -> None:
    X = np.random.default_rng(0).normal(size=(1500, 8))
    assert "no substantial structure" in text_of(fitted(X, 6), "weak_structure")


def test_strange_labels_are_counted() -> None:
    X, _ = make_blobs(100, centers=2, random_state=0)
    theirs = Peer(2, n_init=1, random_state=0).fit(X)
    theirs.labels_ = theirs.labels_.copy()
    theirs.labels_[:7] = 1 - theirs.labels_[:7]
    assert "on 7 of these rows" in text_of(om.report(theirs, X), "strange_labels")


def test_constant_features_and_empty_clusters() -> None:
    with pytest.warns(ConvergenceWarning):
        seen = fitted(np.ones((9, 2)), 2)
    assert {"constant_features", "empty_clusters"} <= codes(seen)
    assert "2 of 2 features never vary" in text_of(seen, "constant_features")


def test_another_k() -> None:
    facts: Any = SimpleNamespace(best_k=5, settings=SimpleNamespace(n_clusters=3))
    (warned,) = _advice.another_k(facts)
    assert warned.text == "The sweep prefers k = 5; this model has 3 clusters."
    facts.best_k = 3
    assert not list(_advice.another_k(facts))


def test_every_question_is_asked_here() -> None:
    source = Path(__file__).read_text("utf-8")
    assert [q.__name__ for q in _advice.QUESTIONS if q.__name__ not in source] == []
