"""Ctrl-C during fits of MiniBatchKMeans and BisectingKMeans: signals that come from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

import omnimeans as om
import tally
from alone import run
from omnimeans.engines.halves import Halves
from omnimeans.estimators._plan import Latest, Plan

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
MAKE = (
    lambda: om.MiniBatchKMeans(60, random_state=0),
    lambda: om.BisectingKMeans(60, random_state=0),
    lambda: om.BisectingKMeans(2, random_state=0, metric="cosine", tol=0),  # one split
)
whole = {make: make().fit(X) for make in MAKE}
for make, expected in whole.items():
    begun = time.perf_counter()
    make().fit(X)
    seconds = time.perf_counter() - begun
    for moment in np.linspace(0.02, 0.98, 25) * seconds:
        timer = threading.Timer(moment, lambda: signal.pthread_kill(main, signal.SIGINT))
        model, outcome = make(), "KeyboardInterrupt"
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
    again = make().fit(X)
    found.append([again.stop_reason_, again.inertia_ == expected.inertia_])
print(json.dumps(found))
"""


@pytest.mark.alone
def test_control_c_at_any_moment() -> None:
    """Labels, centres and inertia belong together, whatever was broken off; later fits are well."""
    found = run(AT_ANY_MOMENT, timeout=120)
    tally.count("interrupts", len(found) - 3)
    assert all(good for _, good in found)
    assert "interrupt" in {outcome for outcome, _ in found}


# ---- Ctrl-C in the first split of BisectingKMeans, which leaves what this split had come to

BLOBS = np.random.default_rng(0).normal(size=(5000, 4)) + 6.0 * np.arange(5000)[:, None] % 18.0
HOLED = np.where(np.random.default_rng(1).uniform(size=BLOBS.shape) < 0.2, np.nan, BLOBS)
HOLED[:, 0] = BLOBS[:, 0]
WEIGHTS = np.random.default_rng(2).integers(0, 3, size=len(BLOBS)).astype(np.float64)


def interrupted_in(owner: Any, method: str, call: int, patch: pytest.MonkeyPatch) -> None:
    """Let the Ctrl-C come in this call of a method, once."""
    inner, calls = getattr(owner, method), [0]

    def counted(*args: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise KeyboardInterrupt
        return inner(*args, **options)

    patch.setattr(owner, method, counted)


FIRST_SPLITS: dict[str, Any] = {
    "the core": (BLOBS, {}, Halves, "lloyd"),  # the first call is on a sample
    "manhattan": (BLOBS, {"metric": "manhattan"}, Latest, "iterated"),
    "cosine": (BLOBS, {"metric": "cosine"}, Latest, "iterated"),
    "sparse": (csr_matrix(BLOBS * (BLOBS > 1)), {}, Latest, "iterated"),
    "missing": (HOLED, {"missing": "partial"}, Latest, "iterated"),
    "second start": (BLOBS, {"n_init": 2}, Latest, "begin"),
    "scaled": (BLOBS * 1e-145, {}, Latest, "iterated"),
}


@pytest.mark.parametrize("case", FIRST_SPLITS)
def test_the_first_split_is_kept_as_far_as_it_has_come(
    case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows, options, owner, method = FIRST_SPLITS[case]
    make = lambda: om.BisectingKMeans(8, random_state=0, **options)  # noqa: E731
    interrupted_in(owner, method, 2, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"after 1 split\. It has 2 of 8 clusters\.") as caught:
        model = make().fit(rows, sample_weight=WEIGHTS)
    assert caught[0].filename == __file__
    assert (model.stop_reason_, model.converged_, len(model.history_)) == ("interrupt", False, 1)
    assert model.cluster_centers_.shape == (2, 4)
    assert model.history_[0].inertia == model.inertia_
    assert_array_equal(model.predict(rows), model.labels_)
    assert model.score(rows, sample_weight=WEIGHTS) == -model.inertia_
    om.save(model, tmp_path / "model.safetensors")
    again = om.load(tmp_path / "model.safetensors")
    assert_array_equal(again.predict(rows), model.labels_)
    monkeypatch.undo()
    whole = make().fit(rows, sample_weight=WEIGHTS)
    one = make().set_params(n_clusters=1).fit(rows, sample_weight=WEIGHTS)
    assert whole.inertia_ < model.inertia_ < one.inertia_


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_one_cluster_is_left_where_no_split_has_begun(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_in(Plan, "begin", 1, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"after 0 splits\. It has 1 of 8 clusters\."):
        model = om.BisectingKMeans(8, random_state=0, metric=metric).fit(BLOBS)
    one = om.BisectingKMeans(1, metric=metric).fit(BLOBS)
    assert (model.stop_reason_, model.history_, model.inertia_) == ("interrupt", (), one.inertia_)
    assert_array_equal(model.cluster_centers_, one.cluster_centers_)
    assert_array_equal(model.predict(BLOBS), np.zeros(len(BLOBS)))
    assert model.score(BLOBS) == -model.inertia_
    if metric == "euclidean":
        assert_allclose(model.cluster_centers_[0], BLOBS.mean(axis=0))


def test_the_first_split_raises_for_who_wants_that(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_in(Halves, "lloyd", 2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        om.BisectingKMeans(8, random_state=0, raise_on_interrupt=True).fit(BLOBS)
