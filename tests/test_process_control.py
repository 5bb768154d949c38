"""Who may watch a fit and end it: callbacks, max_time, Ctrl-C; and what is said about the end."""

from __future__ import annotations

import io
import re
import time
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from rich.console import Console
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omnimeans as om
import tally
from alone import run
from checks import assert_belongs_together, assert_same_answer
from omnimeans.progress import Progress

X, TRUTH = make_blobs(n_samples=200, centers=5, n_features=2, random_state=7)
HARD = np.random.default_rng(0).uniform(size=(400, 3))


# ---- the callback


def test_callback_sees_each_iteration_and_each_start() -> None:
    seen: list[Progress] = []
    model = om.KMeans(9, init="random", n_init=4, random_state=0, callback=seen.append).fit(HARD)
    ends = [record for record in seen if record.event == "restart"]
    assert [record.restart for record in ends] == [0, 1, 2, 3]
    best = min(ends, key=lambda record: record.inertia)
    assert (best.inertia, best.stop_reason) == (model.inertia_, model.stop_reason_)
    assert [record.best_inertia for record in ends] == np.minimum.accumulate(
        [record.inertia for record in ends]
    ).tolist()
    assert_array_equal(best.centers, model.cluster_centers_)

    mine = [r for r in seen if r.restart == best.restart and r.event == "iteration"]
    assert [r.iteration for r in mine] == list(range(model.n_iter_))
    for record, line in zip(mine, model.history_, strict=True):
        assert (record.inertia, record.moved, record.shift, record.repaired, record.redecided) == (
            (line.inertia, line.moved, line.shift, line.repaired, line.redecided)
        )
    assert_array_equal(mine[-1].centers, model.cluster_centers_)
    assert {(r.n_restarts, r.max_iter, r.tol) for r in seen} == {(4, 300, model._tol)}
    times = [record.seconds for record in seen]
    assert times == sorted(times)
    assert all(line.seconds > 0 for line in model.history_)
    with pytest.raises(ValueError, match="read-only"):
        seen[0].centers[0] = 0.0
    assert model.cluster_centers_.flags.writeable


def test_callback_can_stop_the_fit() -> None:
    def after_two(record: Progress) -> bool:
        calls.append(record)
        return len(calls) == 2

    calls: list[Progress] = []
    model = om.KMeans(9, init="random", n_init=5, random_state=0, callback=after_two).fit(HARD)
    assert [record.event for record in calls] == ["iteration", "iteration", "restart"]
    assert (model.n_iter_, model.stop_reason_, model.converged_) == (2, "callback", False)
    assert_belongs_together(model, HARD)


def test_callback_can_stop_between_starts() -> None:
    def enough(record: Progress) -> bool:
        return record.event == "restart" and record.restart == 1

    options = {"n_clusters": 9, "init": "random", "random_state": 0}
    model = om.KMeans(**options, n_init=50, callback=enough).fit(HARD)
    assert_same_answer(model, om.KMeans(**options, n_init=2).fit(HARD))


def test_a_callback_that_fails_ends_the_fit_with_its_error() -> None:
    def fail(record: Progress) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        om.KMeans(3, callback=fail, max_time=100, random_state=0).fit(X)


def test_callbacks_do_not_change_the_answer() -> None:
    plain = om.KMeans(9, n_init=2, random_state=0).fit(HARD)
    watched = om.KMeans(9, n_init=2, random_state=0, max_time=1e6, callback=lambda record: None)
    assert_same_answer(plain, watched.fit(HARD))


# ---- the bar


def draw(width: int = 120, **options: Any) -> str:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width)
    om.KMeans(9, random_state=0, callback=om.ProgressBar(console), **options).fit(HARD)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())


def test_the_bar_says_where_the_fit_is() -> None:
    model = om.KMeans(9, random_state=0).fit(HARD)
    text = draw()
    assert f"iteration {model.n_iter_}, inertia {model.inertia_:.6g}" in text
    assert "k-means ━━━" in text
    assert "start" not in text
    assert "start 3/3, iteration" in draw(init="random", n_init=3)


def test_the_bar_lets_go_of_the_terminal_after_a_fault() -> None:
    class Breaks(om.ProgressBar):
        def __call__(self, record: Progress) -> None:
            super().__call__(record)
            raise ZeroDivisionError

    bar = Breaks(Console(file=io.StringIO(), force_terminal=True))
    with pytest.raises(ZeroDivisionError):
        om.KMeans(3, random_state=0, callback=bar).fit(X)
    assert bar._bars is None
    assert "iteration" in draw()  # and another can be drawn


# ---- scikit-learn's callbacks

CALLBACKS = pytest.mark.skipif(
    find_spec("sklearn.callback") is None, reason="scikit-learn has callbacks from 1.9 on"
)


class Recorder:
    """Follows scikit-learn's protocol."""

    def __init__(self, stop_at: tuple[str, int] | None = None) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self.scores: list[float] = []
        self.stop_at = stop_at

    def setup(self, estimator: Any, context: Any) -> None:
        self.calls.append(("setup", context.task_name, context.task_id))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.calls.append(("teardown", context.task_name, context.task_id))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.calls.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any = None, fitted_estimator: Any = None
    ) -> bool:
        self.calls.append(("end", context.task_name, context.task_id))
        if context.task_name == "iteration":
            self.scores.append(fitted_estimator.score(X))
        return (context.task_name, context.task_id) == self.stop_at


@CALLBACKS
def test_scikit_learns_callbacks_see_every_task() -> None:
    recorder = Recorder()
    model = om.KMeans(9, n_init=2, random_state=0, max_iter=20).set_callbacks(recorder).fit(HARD)
    calls = recorder.calls
    assert calls[:2] == [("setup", "fit", 0), ("begin", "fit", 0)]
    assert calls[2:4] == [("begin", "start", 0), ("begin", "iteration", 0)]
    assert calls[-2:] == [("end", "fit", 0), ("teardown", "fit", 0)]
    assert [call for call in calls if call[:2] == ("end", "start")] == [
        ("end", "start", 0),
        ("end", "start", 1),
    ]
    assert max(recorder.scores) == -model.inertia_
    assert len(recorder.scores) == sum(call[:2] == ("end", "iteration") for call in calls)
    first = [c for c in calls[: calls.index(("end", "start", 0))] if c[:2] == ("end", "iteration")]
    assert (np.diff(recorder.scores[: len(first)]) >= 0).all()
    assert_same_answer(model, om.KMeans(9, n_init=2, random_state=0, max_iter=20).fit(HARD))


@CALLBACKS
def test_scikit_learns_callbacks_can_stop_a_start_or_the_fit() -> None:
    options = {"n_clusters": 9, "init": "random", "random_state": 0}
    short = om.KMeans(**options, n_init=3).set_callbacks(Recorder(("iteration", 1))).fit(HARD)
    assert (short.n_iter_, short.stop_reason_) == (2, "callback")
    few = om.KMeans(**options, n_init=30).set_callbacks(Recorder(("start", 1))).fit(HARD)
    assert_same_answer(few, om.KMeans(**options, n_init=2).fit(HARD))


@CALLBACKS
def test_scikit_learns_own_callbacks_and_pipelines() -> None:
    from sklearn.callback import ProgressBar, ScoringMonitor

    monitor = ScoringMonitor(scoring="adjusted_rand_score")
    model = om.KMeans(5, random_state=0).set_callbacks(monitor, ProgressBar()).fit(X, TRUTH)
    log = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    assert len(log) == model.n_iter_
    assert log[-1]["adjusted_rand_score"] == adjusted_rand_score(TRUTH, model.labels_)
    pipeline = make_pipeline(StandardScaler(), om.KMeans(5, random_state=0))
    pipeline.set_callbacks(ProgressBar())
    assert_array_equal(
        pipeline.fit(X).predict(X),
        make_pipeline(StandardScaler(), om.KMeans(5, random_state=0)).fit_predict(X),
    )


@CALLBACKS
def test_callbacks_are_let_go_after_a_fault() -> None:
    recorder = Recorder()

    def fail(record: Progress) -> None:
        raise ZeroDivisionError

    model = om.KMeans(3, callback=fail).set_callbacks(recorder)
    with pytest.raises(ZeroDivisionError):
        model.fit(X)
    assert recorder.calls[-1] == ("teardown", "fit", 0)


# ---- how far it was from converging


def test_max_iter_is_a_warning_that_says_how_far_it_was() -> None:
    with pytest.warns(ConvergenceWarning) as caught:
        model = om.KMeans(9, init="random", n_init=1, max_iter=2, random_state=0).fit(HARD)
    last = model.history_[-1]
    assert str(caught[0].message) == (
        f"KMeans stopped after max_iter=2 iterations, before it converged: in the last one "
        f"{last.moved} of 400 rows changed their cluster, and the squared moves of the centres "
        f"summed to {last.shift:.3g}, {last.shift / model._tol:.3g} times the tolerance of "
        f"{model._tol:.3g}. Raise max_iter, or tol if that is near enough."
    )
    assert caught[0].filename == __file__
    assert (model.stop_reason_, model.converged_) == ("max_iter", False)
    with pytest.warns(ConvergenceWarning, match=r"summed to [0-9.e-]+\. Raise max_iter"):
        om.KMeans(9, init="random", n_init=1, max_iter=2, tol=0, random_state=0).fit(HARD)


def test_a_fit_that_converges_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        om.KMeans(5, random_state=0).fit(X)
        om.KMeans(5, random_state=0, max_time=1000).fit(X)


# ---- max_time


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_one_iteration_is_made_in_any_case(engine: str) -> None:
    model = om.KMeans(9, init="random", random_state=0, max_time=1e-9, engine=engine).fit(HARD)
    assert (model.stop_reason_, model.converged_, model.n_iter_) == ("max_time", False, 1)
    assert_belongs_together(model, HARD)


def test_no_further_start_is_made_when_the_time_is_up() -> None:
    """The first start outlasts the time, however fast the machine is."""

    def wait(record: Progress) -> None:
        starts.append(record.restart)
        if record.event == "restart" and record.restart == 1:
            time.sleep(1.0)  # the fit's clock began before this

    starts: list[int] = []
    options = {"n_clusters": 9, "init": "random", "random_state": 0}
    model = om.KMeans(**options, n_init=50, max_time=1.0, callback=wait).fit(HARD)
    assert set(starts) <= {0, 1}
    assert_belongs_together(model, HARD)


@pytest.mark.parametrize("bad", [0, -1, "1"])
def test_max_time_is_a_time(bad: Any) -> None:
    with pytest.raises(ValueError, match="'max_time' parameter of KMeans must be a float"):
        om.KMeans(2, max_time=bad).fit(X)


LONG = """
import warnings
X = data(100_000, 48)
HOW = dict(init="random", random_state=0, tol=0)
def passed():
    return time.perf_counter(), time.process_time()
def at_the_moment():
    moment.append(passed())
    if not LIMIT:
        signal.pthread_kill(main, signal.SIGINT)
def watch(record):
    passes.append(record)
    if len(passes) == 3:  # the signal comes in the middle of the fourth
        timer.start()
main, found = threading.get_ident(), []
for dtype in (np.float32, np.float64):
    for threads in (1, 2):
        Y = X.astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = om.KMeans(100, max_iter=3, n_threads=threads, n_init=1, **HOW).fit(Y)
        # as many centres as make passes of this length, on this machine
        k = int(np.clip(100 * LENGTH / trial.history_[-1].seconds, 100, 40_000))
        for part in (0.3, 0.7):
            moment, passes = [], []
            timer = threading.Timer((part + (3 if LIMIT else 0)) * LENGTH, at_the_moment)
            model = om.KMeans(
                k, n_init=1000, n_threads=threads, max_time=timer.interval if LIMIT else None,
                callback=None if LIMIT else watch, **HOW)
            if LIMIT:
                timer.start()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model.fit(Y)
            ended = passed()
            timer.join()
            late = [after - before for after, before in zip(ended, moment[0])]
            good = bool((model.predict(Y) == model.labels_).all()) and (
                model.score(Y) == -model.inertia_)
            found.append([model.stop_reason_, late, good, model.n_iter_,
                          [str(w.message) for w in caught], max(h.seconds for h in model.history_)])
print(json.dumps(found))
"""


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("limit", [False, True], ids=["Ctrl-C", "max_time"])
def test_the_best_model_is_kept_in_the_middle_of_long_passes(limit: bool) -> None:
    """Passes of several tenths of a second; the model is there within two of them."""
    found = run(LONG.replace("LIMIT", str(limit)).replace("LENGTH", "0.4"), timeout=250)
    tally.count("interrupts", len(found))
    for stop, late, good, n_iter, said, longest in found:
        # the best of the starts may be one that had come to its end before
        assert stop in ("max_time" if limit else "interrupt", "fixed point")
        # neither later, by the clock or by the work done where others hold the process up, nor,
        # with so many starts, of its own accord before
        assert min(late) < 0.2
        assert max(late) > -0.2
        assert good
        assert n_iter >= 1
        assert [line.startswith("KMeans was interrupted in the middle") for line in said] == (
            [] if limit else [True]
        )
        assert longest > 0.05  # beside the 0.02 s of a poll
