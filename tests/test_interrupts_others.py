"""Ctrl-C during fits of MiniBatchKMeans and BisectingKMeans: signals that come from outside."""

from __future__ import annotations

import pytest

import tally
from alone import run

INTERRUPTED = """
import warnings
signal.signal(signal.SIGINT, signal.default_int_handler)
X = data(300_000, 16)
main, found = threading.get_ident(), []
MAKE = {
    "mini-batch": lambda **how: om.MiniBatchKMeans(
        300, random_state=0, max_no_improvement=None, max_iter=1000, **how),
    "bisecting": lambda **how: om.BisectingKMeans(2000, random_state=0, tol=0, **how),
}
for name, make in MAKE.items():
    for wait in (0.0, 0.01, 0.05, 0.2, 0.5):
        sent, records = [], []
        def send():
            sent.append((time.perf_counter(), time.process_time()))
            signal.pthread_kill(main, signal.SIGINT)
        def watch(record):
            records.append(record)
            if len(records) == 2:  # the work is seen to have begun
                threading.Timer(wait, send).start()
        model = make(callback=watch)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X)
        ended = time.perf_counter(), time.process_time()
        late = min(after - before for after, before in zip(ended, sent[0]))
        labels = getattr(model, "labels_", None)
        good = labels is None or bool(
            (model.predict(X) == labels).all() and model.score(X) == -model.inertia_)
        found.append([name, model.stop_reason_, late, good, labels is None,
                      len(model.cluster_centers_), [str(w.message) for w in caught]])
print(json.dumps(found))
"""


@pytest.mark.alone
@pytest.mark.slow
def test_control_c_leaves_the_best_model_so_far() -> None:
    found = run(INTERRUPTED, timeout=250)
    tally.count("interrupts", len(found))
    for name, stop, late, good, without, k, said in found:
        assert stop == "interrupt"
        assert late < 0.2
        assert good
        assert len(said) == 1
        owner = {"mini-batch": "MiniBatchKMeans", "bisecting": "BisectingKMeans"}[name]
        assert said[0].startswith(f"{owner} was interrupted in the middle and keeps the best")
        assert ("predict finds them" in said[0]) == without
        assert name == "mini-batch" or (not without and 3 <= k < 2000)
        assert name == "bisecting" or k == 300


AT_ANY_MOMENT = """
import warnings
signal.signal(signal.SIGINT, signal.default_int_handler)
_core.set_chunk_rows(64)
_core.set_patience(0)
warnings.simplefilter("ignore")
X = data(40_000, 4)
main, found = threading.get_ident(), []
whole = {make: make(60, random_state=0).fit(X) for make in (om.MiniBatchKMeans, om.BisectingKMeans)}
for make, expected in whole.items():
    begun = time.perf_counter()
    make(60, random_state=0).fit(X)
    seconds = time.perf_counter() - begun
    for moment in np.linspace(0.02, 0.98, 25) * seconds:
        timer = threading.Timer(moment, lambda: signal.pthread_kill(main, signal.SIGINT))
        model, outcome = make(60, random_state=0), "KeyboardInterrupt"
        try:
            timer.start()
            model.fit(X)
            outcome = model.stop_reason_
            timer.join()  # if the fit was too quick
        except KeyboardInterrupt:
            pass
        labels = getattr(model, "labels_", None)
        good = outcome == "KeyboardInterrupt" or labels is None or bool(
            (model.predict(X) == labels).all() and model.score(X) == -model.inertia_)
        found.append([outcome, good])
    again = make(60, random_state=0).fit(X)
    found.append([again.stop_reason_, again.inertia_ == expected.inertia_])
print(json.dumps(found))
"""


@pytest.mark.alone
def test_control_c_at_any_moment() -> None:
    """Labels, centres and inertia belong together, whatever was broken off; later fits are well."""
    found = run(AT_ANY_MOMENT, timeout=120)
    tally.count("interrupts", len(found) - 2)
    assert all(good for _, good in found)
    assert "interrupt" in {outcome for outcome, _ in found}
