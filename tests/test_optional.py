"""A missing optional package is named together with the extra that brings it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.cluster import KMeans

from omnimeans import KMeansLloyd, metrics, plots
from omnimeans._optional import in_notebook, need
from omnimeans.lloyd import display_results

X = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
MINE = KMeansLloyd(2, init=X[[0, 2]]).fit(X)
THEIRS = KMeans(2, init=X[[0, 2]]).fit(X)


def draw() -> None:
    plots.points(X)


def tabulate() -> None:
    metrics.contingency_matrix([0, 1], [0, 1], as_dataframe=True)


def compare() -> None:
    display_results(MINE, THEIRS, X, MINE.labels, THEIRS.labels_)


@pytest.mark.parametrize(
    ("module", "extra", "job"),
    [
        ("matplotlib.pyplot", "plot", draw),
        ("pandas", "frames", tabulate),
        ("pandas", "frames", compare),
    ],
)
def test_the_extra_is_named(
    module: str, extra: str, job: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    package = module.partition(".")[0]
    with pytest.raises(ImportError, match=rf"{package}, which is .* \"omnimeans\[{extra}\]\""):
        job()


def test_an_installed_package_is_returned() -> None:
    assert need("json", extra="all") is sys.modules["json"]


def test_pytest_is_no_notebook() -> None:
    assert not in_notebook()
