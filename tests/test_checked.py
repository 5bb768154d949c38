"""The debug switch: every pass is done again by definition, and a wrong one is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import answers
import hard_cases
import omnimeans as om
import tally
from checks import assert_same_answer
from omnimeans._types import Engine
from omnimeans.engines import checked, cpu, open_engine
from omnimeans.engines.checked import Disagreement


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMNIMEANS_DEBUG", raising=False)
    assert not isinstance(open_engine("cpu"), checked.CheckedEngine)
    monkeypatch.setenv("OMNIMEANS_DEBUG", "1")
    engine: Any = open_engine("cpu")
    assert isinstance(engine, checked.CheckedEngine)
    assert engine.name == "cpu"
    monkeypatch.setenv("OMNIMEANS_DEBUG", "0")
    assert not isinstance(open_engine("cpu"), checked.CheckedEngine)


@pytest.mark.parametrize("start", range(12))
def test_every_label_and_sum_is_right(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the answer is the same as without the switch."""
    monkeypatch.setattr(cpu, "SMALL", 0)
    for case in answers.CASES[start::12]:
        usual = answers.fit(case, open_engine("cpu", 2), 5)
        watched = answers.fit(case, checked.checked(open_engine("cpu", 2)), 5)
        assert answers.digest(watched) == answers.digest(usual)
        tally.count("comparisons")


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_estimators_under_the_switch(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X = hard_cases.rows("blobs", 400, 4, np.float64)
    usual = om.KMeans(6, metric=metric, random_state=0).fit(X)
    monkeypatch.setenv("OMNIMEANS_DEBUG", "1")
    monkeypatch.setattr(checked, "BLOCK", 1000)  # several blocks
    model = om.KMeans(6, metric=metric, random_state=0).fit(X)
    assert model.inertia_ == usual.inertia_
    np.testing.assert_array_equal(model.predict(X), usual.labels_)


class Liar:
    """An engine that spoils what another one finds."""

    def __init__(self, spoil: Callable[[Any, Any], Any]) -> None:
        self.inner: Any = open_engine("cpu", 1)
        self.spoil = spoil

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def step(self, rows: Any, centers: Any) -> Any:
        return self.spoil(rows, self.inner.step(rows, centers))

    def nearest(self, X: Any, centers: Any, distance: Any) -> Any:
        return self.spoil(None, self.inner.nearest(X, centers, distance))


def wrong_label(rows: Any, seen: Any) -> Any:
    labels = seen if rows is None else rows.labels
    labels[17] = (labels[17] + 1) % 5
    return seen


def wrong_sum(rows: Any, seen: Any) -> Any:
    sums = seen.sums.copy()
    sums[3, 0, 1] += 1  # one step of the grid
    return replace(seen, sums=sums)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (wrong_label, "row 17 has label"),
        (wrong_sum, "the sums of cluster 3 are not those of its rows"),
    ],
)
def test_a_wrong_pass_is_seen(spoil: Callable[[Any, Any], Any], complaint: str) -> None:
    engine: Engine = checked.checked(Liar(spoil))  # type: ignore[arg-type]
    X = hard_cases.rows("blobs", 300, 3, np.float32)
    rows = engine.place(X, None, answers.DISTANCES["euclidean"])
    with pytest.raises(Disagreement, match=complaint):
        engine.step(rows, X[:5].copy())
    if spoil is wrong_label:
        with pytest.raises(Disagreement, match=complaint):
            engine.nearest(X, X[:5].copy(), answers.DISTANCES["euclidean"])


def test_rows_in_a_file_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their blocks are read anew for every look, and hold no bounds."""
    X = hard_cases.rows("blobs", 3000, 4, np.float64)
    np.save(tmp_path / "x.npy", X)
    whole = om.KMeans(8, random_state=0).fit(X)
    monkeypatch.setenv("OMNIMEANS_DEBUG", "1")
    model = om.KMeans(8, random_state=0, engine="blocks").fit(tmp_path / "x.npy")
    assert_same_answer(model, whole)
