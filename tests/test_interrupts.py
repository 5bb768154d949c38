"""Ctrl-C ends a pass soon, with KeyboardInterrupt, and leaves everything fit for use.

Signals are sent when the work has been seen to begin, not at a time of day; and where a pass may be
over in no time, the core is made to ask for them after every row.
"""

from __future__ import annotations

from typing import Any

import pytest

import tally
from alone import run

pytestmark = pytest.mark.alone

INTERRUPT = """
signal.signal(signal.SIGINT, signal.default_int_handler)
def clocks():
    return time.perf_counter(), time.process_time()
def interrupted(act, begun):
    \"\"\"Send SIGINT as soon as begun(seconds) is true, which another thread watches.\"\"\"
    main, sent, go = threading.get_ident(), [], threading.Event()
    def watch():
        go.wait()
        start = time.perf_counter()
        while not begun(time.perf_counter() - start):
            time.sleep(0.0005)
        sent.extend(clocks())
        signal.pthread_kill(main, signal.SIGINT)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        go.set()
        act()
        outcome = "finished"
        watcher.join()  # if it was too quick
    except KeyboardInterrupt:
        outcome = locals().get("outcome", "KeyboardInterrupt")
    # by the clock, or by the work done where others hold the process up
    return outcome, min(after - before for before, after in zip(sent, clocks()))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_ends_a_long_pass(threads: int) -> None:
    """And the rows are as good as before: their sums are those of their labels."""
    code = (
        INTERRUPT
        + """
X = data(120_000, 64)
centers, few = X[:20_000].copy(), X[:500].copy()
engine = open_engine("cpu", THREADS)
rows = engine.place(X, None, EUCLIDEAN)
outcome, late = interrupted(
    lambda: engine.step(rows, centers), lambda _: (rows.labels >= 0).any())
partly = int((rows.labels >= 0).sum())
again = engine.step(rows, few)
fresh = engine.place(X, None, EUCLIDEAN)
expected = engine.step(fresh, few)
same = bool((again.sums == expected.sums).all() and (rows.labels == fresh.labels).all())
print(json.dumps([outcome, late, partly, same]))
""".replace("THREADS", str(threads))
    )
    outcome, late, partly, same = run(code)
    assert outcome == "KeyboardInterrupt"
    tally.count("interrupts")
    assert late < 0.5
    assert 0 < partly < 120_000
    assert same


def test_an_interrupted_pass_goes_on_with_the_same_centres() -> None:
    """The rows that were labelled before the interrupt keep their place in the sums."""
    code = (
        INTERRUPT
        + """
X = data(200_000, 16, np.float64)
centers = X[:400].copy()
engine = open_engine("cpu", 2)
rows, fresh = (engine.place(X, None, EUCLIDEAN) for _ in range(2))
expected = engine.step(fresh, centers)
_core.set_chunk_rows(1)
_core.set_patience(0)
outcome, late = interrupted(
    lambda: engine.step(rows, centers), lambda _: (rows.labels >= 0).any())
partly = int((rows.labels >= 0).sum())
again = engine.step(rows, centers)
same = bool((again.sums == expected.sums).all() and (rows.labels == fresh.labels).all())
print(json.dumps([outcome, partly, again.moved, same]))
"""
    )
    outcome, partly, moved, same = run(code)
    assert outcome == "KeyboardInterrupt"
    tally.count("interrupts")
    assert 0 < partly < 200_000
    assert moved == 200_000 - partly
    assert same


VERBS = {
    "peaks": "_core.peaks(X, w, t)",
    "total": "rows.core.total(t)",
    "distances": "rows.core.distances(few, None, t)",
    "own distances": "rows.core.distances(few, rows.labels, t)",
    "step": "rows.core.step(many, t)",
    "medians": "rows.core.medians(8, t)",
    "nearest": "_core.nearest(X, many, 'euclidean', t)",
    "all_pairs": "_core.all_pairs(X, few, 'euclidean', t)",
}


@pytest.fixture(scope="module")
def interrupts() -> Any:
    """What each verb does when a signal comes during its work."""
    code = (
        INTERRUPT
        + f"""
_core.set_patience(0)
X = data(2_000_000, 3)
w = np.full(len(X), 1.5)
few, many = X[:8].copy(), X[:64].copy()
engine = open_engine("cpu", 2)
rows = engine.place(X, w, EUCLIDEAN)
outcomes = {{}}
for t in (1, 2):
    for name, verb in {VERBS!r}.items():
        _core.set_chunk_rows(0)
        rows.labels.fill(-1)
        engine.step(rows, few)
        _core.set_chunk_rows(1)  # two million chunks: no machine is through before the signal comes
        act = compile(verb, name, "eval")
        outcomes[f"{{name}}, {{t}}"] = interrupted(lambda: eval(act), lambda t: t > 0.001)
_core.set_chunk_rows(0)
print(json.dumps([outcomes, answer() == answer(1)]))
"""
    )
    outcomes, sane = run(code, timeout=90)
    assert sane
    return outcomes


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("verb", VERBS)
def test_control_c_in_every_verb(verb: str, threads: int, interrupts: Any) -> None:
    outcome, late = interrupts[f"{verb}, {threads}"]
    assert outcome == "KeyboardInterrupt"
    tally.count("interrupts")
    assert late < 0.5


def test_control_c_at_any_moment_of_a_fit() -> None:
    code = (
        INTERRUPT
        + """
X = data(300_000, 3)
model = om.KMeans(60, random_state=0, n_threads=2, engine="cpu", max_iter=20)
whole = time.perf_counter()
expected = model.fit(X).inertia_
whole = time.perf_counter() - whole
_core.set_chunk_rows(64)
_core.set_patience(1000)
moments = (whole * np.linspace(0.02, 0.9, 12)).tolist()
outcomes = [interrupted(lambda: model.fit(X), lambda t: t > moment) for moment in moments]
print(json.dumps([outcomes, model.fit(X).inertia_ == expected]))
"""
    )
    outcomes, sane = run(code)
    assert {outcome for outcome, _ in outcomes} <= {"KeyboardInterrupt", "finished"}
    tally.count("interrupts", len(outcomes))
    assert "KeyboardInterrupt" in {outcome for outcome, _ in outcomes}
    assert max(late for _, late in outcomes) < 0.5
    assert sane
