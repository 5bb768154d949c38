"""MiniBatchKMeans and BisectingKMeans are watched and ended as KMeans is.

Callbacks, max_time, Ctrl-C, the bar, and warnings; for KMeans see tests/test_process_control.py.
"""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rich.console import Console
from sklearn.exceptions import ConvergenceWarning

import omnimeans as om
from omnimeans._control import Control
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine
from omnimeans.progress import Progress

X = np.random.default_rng(0).uniform(size=(4000, 3))
METRICS = ["euclidean", "manhattan", "cosine"]


def minibatch(**options: Any) -> om.MiniBatchKMeans:
    return om.MiniBatchKMeans(**{"n_clusters": 9, "batch_size": 100, "random_state": 0, **options})


def bisecting(**options: Any) -> om.BisectingKMeans:
    return om.BisectingKMeans(**{"n_clusters": 9, "random_state": 0, **options})


def assert_belongs_together(model: Any, rows: Any = X) -> None:
    assert_array_equal(model.predict(rows), model.labels_)
    assert model.score(rows) == -model.inertia_
    assert len(np.unique(model.labels_)) == len(model.cluster_centers_)


# ---- the callback


@pytest.mark.parametrize("scale", [1.0, 1e-200])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_callback_sees_each_iteration_and_the_end(make: Any, metric: str, scale: float) -> None:
    seen: list[Progress] = []
    model = make(metric=metric, callback=seen.append).fit(X * scale)
    *steps, end = seen
    assert [record.event for record in seen] == ["iteration"] * len(steps) + ["restart"]
    assert [record.iteration for record in steps] == list(range(len(model.history_)))
    for record, line in zip(steps, model.history_, strict=True):
        assert (record.inertia, record.moved, record.shift) == (
            (line.inertia, line.moved, line.shift)
        )
        assert record.seconds >= 0.0
    assert (end.inertia, end.stop_reason) == (model.inertia_, model.stop_reason_)
    assert_array_equal(end.centers, model.cluster_centers_)
    assert [r.done for r in seen] == sorted(r.done for r in seen)
    assert seen[-1].done == 1.0 > seen[0].done > 0.0
    assert_array_equal(make(metric=metric).fit(X * scale).labels_, model.labels_)


def test_records_of_a_mini_batch_say_how_many_rows_they_are_about() -> None:
    seen: list[Progress] = []
    minibatch(callback=seen.append).fit(X)
    sizes = [record.rows for record in seen if record.event == "iteration"]
    assert sizes == sorted(sizes)
    assert set(sizes) == {300, 600, 1200, 4000}


def test_records_of_splits_say_what_all_leaves_cost() -> None:
    """The tree after each split is that of a fit with so many clusters."""
    seen: list[Progress] = []
    model = bisecting(callback=seen.append).fit(X)
    assert [len(record.centers) for record in seen] == [2, 3, 4, 5, 6, 7, 8, 9, 9]
    for record in seen[:-1]:
        fewer = bisecting(n_clusters=record.iteration + 2).fit(X)
        assert_array_equal(record.centers, fewer.cluster_centers_)
        assert_allclose(record.inertia, fewer.inertia_, rtol=1e-14)
        assert fewer.history_ == model.history_[: record.iteration + 1]


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_callback_can_stop_the_fit(make: Any) -> None:
    def third(record: Progress) -> bool:
        seen.append(record)
        return len(seen) == 3

    seen: list[Progress] = []
    model = make(callback=third).fit(X)
    assert [record.event for record in seen] == ["iteration"] * 3 + ["restart"]
    assert (model.stop_reason_, model.converged_) == ("callback", False)
    assert len(model.history_) == 3
    assert_belongs_together(model)
    whole = make().fit(X)
    assert model.history_ == whole.history_[:3]
    if make is bisecting:
        assert model.cluster_centers_.shape == (4, 3)
        assert_array_equal(model.labels_, bisecting(n_clusters=4).fit(X).labels_)
        assert model.transform(X[:5]).shape == (5, 4)
        assert list(model.get_feature_names_out()) == [f"bisectingkmeans{j}" for j in range(4)]


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_a_callback_that_fails_ends_the_fit_with_its_error(make: Any) -> None:
    def fail(record: Progress) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        make(callback=fail, max_time=100).fit(X)
    make().fit(X)  # and no time limit is left behind


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_the_bar_says_where_the_fit_is(make: Any) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    model = make(callback=om.ProgressBar(console)).fit(X)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert f"iteration {len(model.history_)}, inertia {model.inertia_:.6g}" in text


def test_one_cluster_and_rows_that_are_all_alike_are_watched_too() -> None:
    seen: list[Progress] = []
    one = bisecting(n_clusters=1, callback=seen.append, max_time=100.0).fit(X)
    assert [record.event for record in seen] == ["restart"]
    assert_array_equal(one.cluster_centers_[0], om.KMeans(1).fit(X).cluster_centers_[0])
    assert_belongs_together(one)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(1\)"):
        alike = bisecting(n_clusters=3, callback=seen.append).fit(np.ones((5, 2)))
    assert (alike.inertia_, alike.history_, alike.converged_) == (0.0, (), True)


def test_splits_are_printed_as_they_are_made(capsys: Any) -> None:
    printed: list[int] = []
    lines = lambda: capsys.readouterr().out.count("New centroids")  # noqa: E731
    bisecting(n_clusters=4, verbose=1, callback=lambda record: printed.append(lines())).fit(X)
    assert printed == [1, 1, 1, 0]


# ---- scikit-learn's callbacks


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_scikit_learns_callbacks_see_every_task(make: Any) -> None:
    from sklearn.callback import ProgressBar, ScoringMonitor

    monitor = ScoringMonitor(scoring="adjusted_rand_score")
    truth = make().fit(X).labels_
    model = make().set_callbacks(monitor, ProgressBar()).fit(X, truth)
    log = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    assert len(log) == len(model.history_)
    assert log[-1]["adjusted_rand_score"] == 1.0
    assert log[0]["adjusted_rand_score"] < 1.0


# ---- warnings and reasons


def test_splits_that_do_not_converge_are_a_warning() -> None:
    with pytest.warns(
        ConvergenceWarning, match=r"of the 8 splits of BisectingKMeans stopped af"
    ) as w:
        model = bisecting(max_iter=1).fit(X)
    assert w[0].filename == __file__
    assert (model.stop_reason_, model.converged_) == ("max_iter", False)
    rest = bisecting(tol=0.0).fit(X)
    assert (rest.stop_reason_, rest.converged_) == ("fixed point", True)


def test_a_mini_batch_fit_that_runs_out_of_passes_is_a_warning() -> None:
    with pytest.warns(ConvergenceWarning) as caught:
        model = minibatch(max_iter=1).fit(X)
    assert str(caught[0].message).startswith(
        "MiniBatchKMeans stopped after max_iter=1 passes, before it converged: its last iteration "
        f"looked at 600 of 4000 rows, {model.history_[-1].moved} of which changed"
    )
    assert caught[0].filename == __file__
    assert (model.stop_reason_, model.converged_, model.n_iter_) == ("max_iter", False, 1)
    assert_belongs_together(model)


@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_without_labels_a_fit_may_end_with_any_batch(max_iter: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = minibatch(max_iter=max_iter, compute_labels=False).fit(X)
    assert not hasattr(model, "labels_")
    assert_allclose(model.inertia_, -model.score(X), rtol=0.1)
    before = model.cluster_centers_.copy()
    model.partial_fit(X[:50])
    assert np.abs(model.cluster_centers_ - before).max() < 0.1  # they stand for many rows


# ---- max_time


@pytest.mark.parametrize("engine", ["cpu", "reference"])
@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_one_iteration_is_made_in_any_case(make: Any, engine: str) -> None:
    model = make(max_time=1e-9, engine=engine).fit(X)
    assert (model.stop_reason_, model.converged_, len(model.history_)) == ("max_time", False, 1)
    assert_belongs_together(model)


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_time_that_suffices_changes_nothing(make: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        timed, free = make(max_time=1000).fit(X), make().fit(X)
    assert timed.history_ == free.history_
    assert_array_equal(timed.cluster_centers_, free.cluster_centers_)


@pytest.mark.parametrize("make", [minibatch, bisecting])
@pytest.mark.parametrize("bad", [0, -1, "1"])
def test_max_time_is_a_time(make: Any, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"'max_time' parameter of \w+ must be a float"):
        make(max_time=bad).fit(X)


def test_time_is_kept_for_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The iterations end before the time does, by what labels take, but not by more than half."""
    engine = open_engine("cpu", 1)
    rows = engine.place(X, None, DISTANCES["euclidean"])
    control = Control(max_time=10.0)
    control.begin(engine, rows, DISTANCES["euclidean"], lambda *_: None)
    assert 9.0 < control._left() <= 10.0
    control.reserve(3.0)
    assert 6.0 < control._left() <= 7.0
    control.reserve(100.0)
    assert 4.0 < control._left() <= 5.0
    seen: list[float] = []
    monkeypatch.setattr(Control, "reserve", lambda self, seconds: seen.append(seconds))
    model = minibatch(engine="reference").fit(X)
    # judged by the last iteration: on 4000 rows, it took so long
    assert seen[-1] == pytest.approx(1.5 * model.history_[-1].seconds)
    assert seen[0] == pytest.approx(1.5 * model.history_[0].seconds * 4000 / 300)


# ---- Ctrl-C, from within; for signals see tests/test_interrupts_others.py


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_who_wants_the_exception_gets_it(make: Any) -> None:
    def interrupt(record: Progress) -> None:
        if record.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(callback=interrupt, raise_on_interrupt=True).fit(X)
    with pytest.warns(RuntimeWarning, match="was interrupted in the middle") as caught:
        model = make(callback=interrupt).fit(X)
    assert caught[0].filename == __file__
    assert (model.stop_reason_, model.converged_, len(model.history_)) == ("interrupt", False, 3)
    assert_belongs_together(model)


@pytest.mark.parametrize("make", [minibatch, bisecting])
def test_a_model_that_was_ended_early_is_saved_and_loaded(make: Any, tmp_path: Path) -> None:
    def second(record: Progress) -> bool:
        return record.iteration == 1

    model = make(callback=second).fit(X)
    om.save(model, tmp_path / "model.safetensors")
    again = om.load(tmp_path / "model.safetensors")
    assert_array_equal(again.predict(X), model.labels_)
    assert (again.stop_reason_, again.converged_) == ("callback", False)
    assert again.history_ == model.history_


def test_a_model_with_dropped_clusters_is_saved_and_loaded(tmp_path: Path) -> None:
    model = om.KMeans(4, init=[*X[:3], [9.0, 9.0, 9.0]], empty_clusters="drop").fit(X)
    assert len(model.cluster_centers_) == 3
    om.save(model, tmp_path / "model.safetensors")
    again = om.load(tmp_path / "model.safetensors")
    assert_array_equal(again.predict(X), model.labels_)
    assert_array_equal(again.initial_centers_, model.initial_centers_)
