"""Ctrl-C where KMeans numbers its clusters by size: the fit is kept, at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om
import tally
from alone import run
from omnimeans.estimators import _sorted

X = np.random.default_rng(0).integers(0, 4, size=(300, 3)).astype(np.float64)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def divided(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_sorted, "divided", divided)


@pytest.mark.usefixtures("interrupted")
def test_the_fit_is_kept_as_it_was_found() -> None:
    plain = om.KMeans(5, random_state=1).fit(X)
    with pytest.warns(RuntimeWarning, match="numbered as they were found, and not by size"):
        model = om.KMeans(5, random_state=1, sort_labels="size").fit(X)
    assert_array_equal(model.cluster_centers_, plain.cluster_centers_)
    assert_array_equal(model.labels_, plain.labels_)
    assert (model.inertia_, model.stop_reason_) == (plain.inertia_, plain.stop_reason_)
    assert_array_equal(model.predict(X), model.labels_)
    tally.count("interrupts")


@pytest.mark.usefixtures("interrupted")
def test_it_is_kept_for_who_wants_the_interrupt_too() -> None:
    model = om.KMeans(5, random_state=1, sort_labels="size", raise_on_interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_
    tally.count("interrupts")


LONG = """
import warnings
from omnimeans.estimators import kmeans
signal.signal(signal.SIGINT, signal.default_int_handler)
X = data(60_000, 32)
main, found, sent, by_size = threading.get_ident(), [], [], kmeans.by_size
def send():
    sent.append((time.perf_counter(), time.process_time()))
    signal.pthread_kill(main, signal.SIGINT)
def sorting(*args):
    if where == "sort":
        threading.Timer(0.05, send).start()
    return by_size(*args)
def watch(record):
    if where == "fit" and not sent:
        threading.Timer(0.05, send).start()
kmeans.by_size = sorting
for where in ("sort", "fit"):
    for raises in (False, True):
        sent.clear()
        model = om.KMeans(6000, init=X[:6000], random_state=0, sort_labels="size", n_threads=1,
            algorithm="brute", raise_on_interrupt=raises, callback=watch,
            max_iter=1 if where == "sort" else 9)
        outcome = "fitted"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model.fit(X)
            except KeyboardInterrupt:
                outcome = "KeyboardInterrupt"
        ended = time.perf_counter(), time.process_time()
        late = min(after - before for after, before in zip(ended, sent[0]))
        good = hasattr(model, "labels_") and bool((model.predict(X) == model.labels_).all())
        unsorted = sum("not by size" in str(w.message) for w in caught)
        found.append([where, raises, outcome, late, good, unsorted])
print(json.dumps(found))
"""


@pytest.mark.alone
@pytest.mark.slow
def test_no_long_pass_is_made_after_control_c() -> None:
    for where, raises, outcome, late, good, unsorted in run(LONG, timeout=250):
        assert outcome == ("KeyboardInterrupt" if raises else "fitted")
        assert late < 0.2
        assert good == (where == "sort" or not raises)
        assert unsorted == (not raises)
        tally.count("interrupts")
