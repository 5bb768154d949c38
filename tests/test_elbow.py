"""The elbow: its curve never rises and has no holes, it is logged, and it is drawn once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning

from omnimeans import elbow_method
from omnimeans.lloyd import elbow as elbow_module
from omnimeans.lloyd import elbow_curve

TOY = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
IRIS = load_iris().data[:, :2]
BLOBS = make_blobs(n_samples=300, centers=3, random_state=1992)[0]


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_elbow_never_rises(metric: str, dtype: type) -> None:
    ks, inertias = elbow_method(IRIS.astype(dtype), 1, 30, metric=metric, num_starts=1)
    assert ks == tuple(range(1, 31))
    assert np.isfinite(inertias).all()
    assert (np.diff(inertias) < 0).all()  # one start alone would rise here and there
    assert inertias[29] < 0.2 * inertias[0]


def test_elbow_beyond_the_distinct_rows() -> None:
    X = TOY.repeat(2, axis=0)
    _, inertias = elbow_method(X, max_clusters=15)  # 6 distinct rows, 12 rows
    assert inertias[:6] == (275.0, 32.0, 20.0, 8.0, 4.0, 0.0)
    assert inertias[6:] == (0.0,) * 9
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(6\)"):
        assert elbow_method(X, 7, 8).inertias == (0.0, 0.0)


def test_elbow_draws_one_curve() -> None:
    _, ax = plt.subplots()
    elbow = elbow_method(BLOBS, max_clusters=4, ax=ax)
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert line.get_ydata().tolist() == list(elbow.inertias)
    elbow_method(BLOBS, max_clusters=2)
    assert len(plt.get_fignums()) == 2  # a new figure where no ax is given


LINES = [f"Running KMeans with {k} clusters" for k in (2, 3)]


def test_elbow_logs_one_line_per_k(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="omnimeans")
    elbow_method(BLOBS, 2, 3)
    assert caplog.messages == LINES


def test_elbow_is_heard_without_any_logging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = elbow_module.logger
    monkeypatch.setattr(logger, "hasHandlers", lambda: bool(logger.handlers))
    monkeypatch.setattr(logger, "propagate", False)
    elbow_method(BLOBS, 2, 3)
    assert capsys.readouterr().err.splitlines() == LINES
    assert not logger.handlers
    assert logger.level == logging.NOTSET


@pytest.mark.parametrize(("low", "high"), [(0, 3), (4, 3)])
def test_elbow_needs_a_range(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=f"min_clusters={low} and max_clusters={high} make no ran"):
        elbow_method(TOY, low, high)


def test_curve_is_the_methods_without_the_picture() -> None:
    assert elbow_curve(BLOBS, 2, 4) == elbow_method(BLOBS, 2, 4)
    assert len(plt.get_fignums()) == 1
