"""The benchmark measures fairly and says what it did; no timing is asserted here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench import measure, modes, workloads
from bench.peers import LIBRARIES, Library, Outcome
from bench.peers import select as select_libraries
from bench.workloads import WORKLOADS, starting_rows

from bench_cases import TINY, settings

ROOT = Path(__file__).resolve().parent.parent

# Workloads


def test_each_workload_makes_the_rows_it_names_in_its_dtype(tmp_path, monkeypatch):
    monkeypatch.delenv("OMNIMEANS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)  # no data folder here
    for workload in WORKLOADS.values():
        small = replace(workload, n=min(workload.n, 200))
        if workload.key in ("f-mnist", "g-mnist", "l", "m", "o"):
            with pytest.raises(FileNotFoundError, match="set OMNIMEANS_DATA"):
                small.data()
        else:
            X = small.data()
            assert X.shape[0] == small.n
            assert X.dtype == small.dtype
            assert X.flags.c_contiguous
            np.testing.assert_array_equal(X, small.data())


def test_a_start_has_distinct_rows_and_is_always_the_same():
    X = np.repeat(np.arange(40.0), 25).reshape(-1, 1)
    start = starting_rows(X, 30)
    assert len(np.unique(start, axis=0)) == 30
    np.testing.assert_array_equal(start, starting_rows(X, 30))
    with pytest.raises(ValueError, match="only 40 distinct rows"):
        starting_rows(X, 41)


def test_a_selection_takes_keys_letters_and_sets():
    assert [w.key for w in workloads.select("a,g-mnist")] == ["a", "g-mnist"]
    assert [w.key for w in workloads.select("g")] == ["g-noise", "g-mnist"]
    assert [w.key for w in workloads.select("n")] == ["n-a", "n-d", "n-e", "n-g"]
    assert [w.key for w in workloads.select("k")] == ["k-iris", "k-toy", "k-predict"]
    assert len(workloads.select("marks")) == 6
    assert workloads.select(None) == list(WORKLOADS.values())
    with pytest.raises(ValueError, match="no workload 'z'"):
        workloads.select("z")
    assert {x.name for x in select_libraries("faiss")} == {"omnimeans", "faiss"}
    with pytest.raises(ValueError, match="no library 'nltk'"):
        select_libraries("nltk")


def test_quick_mode_never_enlarges_a_workload():
    for workload in WORKLOADS.values():
        small = workload.reduced()
        assert small.n <= workload.n
        assert small.k <= workload.k
        assert small.k < small.n


# Fairness


def test_libraries_start_from_the_same_rows_and_reach_the_same_inertia():
    rows = modes.iterations(TINY, settings("omnimeans", "sklearn", "elkan"))
    assert [r.library for r in rows] == ["omnimeans-brute", "sklearn", "elkan"]
    assert {r.iterations for r in rows} == {TINY.many}
    inertias = [r.inertia for r in rows]
    X = TINY.data()
    by_hand = _lloyd_by_hand(X, starting_rows(X, TINY.k), TINY.many)
    np.testing.assert_allclose(inertias, by_hand, rtol=1e-5)


def test_a_worker_is_pinned_and_its_threads_are_limited(tmp_path):
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import json, os, sys\n"
        "from bench import worker\n"
        "worker.pin(json.loads(sys.argv[1]))\n"
        "print(sorted(os.sched_getaffinity(0)))\n"
    )
    core = measure.cores_for(1)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(probe), json.dumps(core)],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    assert json.loads(done.stdout) == core
    with (
        measure.prepared(TINY) as data,
        measure.started([LIBRARIES["sklearn"]], data, [1]) as (process,),
    ):
        child = Path(f"/proc/{process._child.pid}")
        allowed = re.search(r"Cpus_allowed_list:\s*(\S+)", (child / "status").read_text())
        assert allowed is not None
        assert allowed[1] == str(core[0])
        environment = (child / "environ").read_text().split("\0")
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            assert f"{name}=1" in environment
    with pytest.raises(ValueError, match="may use"):
        measure.cores_for(10_000)


class FakeProcess:
    """A process whose fits take 5 ms and 3 ms per iteration."""

    threads = 1
    error = None

    def __init__(self, name: str, log: list[str], stop: int = 99) -> None:
        self.name, self.log, self.stop = name, log, stop

    def ask(self, max_iter: int) -> dict[str, float]:
        self.log.append(self.name)
        n_iter = min(max_iter, self.stop)
        return {"seconds": 0.005 + 0.003 * n_iter, "n_iter": n_iter}


def test_fixed_costs_cancel_and_libraries_take_turns_in_rotating_order():
    log: list[str] = []
    processes = [FakeProcess(name, log) for name in "xyz"]
    timings = measure.take_turns(processes, 3, measure.pair_of_fits(2, 12))  # type: ignore[arg-type]
    assert "".join(log) == "xxyyzz" + "yyzzxx" + "zzxxyy"
    for timing in timings:
        np.testing.assert_allclose(timing.samples, 0.003)


def test_the_difference_of_iterations_counts_where_a_fit_converges_early():
    converged = FakeProcess("x", [], stop=7)
    (timing,) = measure.take_turns([converged], 2, measure.pair_of_fits(2, 12))  # type: ignore[list-item]
    np.testing.assert_allclose(timing.samples, 0.003)
    at_once = FakeProcess("x", [], stop=2)
    (timing,) = measure.take_turns([at_once], 2, measure.pair_of_fits(2, 12))  # type: ignore[list-item]
    assert timing.samples == []


def test_a_library_that_fails_or_is_missing_gets_a_row_that_says_so():
    absent = replace(LIBRARIES["faiss"], module="no_such_module", actions=("transform",))
    unable = replace(LIBRARIES["broadcast"], actions=("transform",), metrics=("euclidean",))
    chosen = modes.Settings([LIBRARIES["omnimeans"], unable, absent], pairs=1)
    rows = {r.library: r for r in modes.iterations(replace(TINY, action="transform"), chosen)}
    assert rows["faiss"].note == "not installed"
    assert rows["broadcast"].note.startswith("failed: NotImplementedError")
    assert rows["broadcast"].seconds is None
    assert rows["omnimeans"].note == "one sample"
    (gone,) = modes.run(
        modes.MODES["iterations"], replace(TINY, make=_missing), settings("omnimeans")
    )
    assert gone.note == "absent: no such data"


def test_the_inertia_is_that_of_the_nearest_centres_far_from_the_origin_too():
    rng = np.random.default_rng(1)
    X = (rng.random((300, 4)) + 1e4).astype(np.float64)
    C = X[:9] + 0.01
    exact = np.square(X[:, None] - C).sum(axis=2).min(axis=1).sum()
    assert measure.inertia(X, C) == pytest.approx(exact, rel=1e-9)
    l1 = np.abs(X[:, None] - C).sum(axis=2).min(axis=1).sum()
    assert measure.inertia(X, C, "manhattan") == pytest.approx(l1, rel=1e-9)


def test_the_numpy_peer_of_manhattan_moves_centres_to_medians():
    X = np.array([[0.0], [1.0], [9.0], [100.0], [104.0]])
    adapter = LIBRARIES["broadcast"].adapter(1, "manhattan")
    outcome = adapter.lloyd(X, X[[0, 3]], 10)
    assert isinstance(outcome, Outcome)
    np.testing.assert_array_equal(outcome.centers, [[1.0], [102.0]])


# Modes


def test_threads_agree_to_the_bit(monkeypatch):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two threads need two cores")
    monkeypatch.setattr(measure, "SETTLE", 0.0)
    one, two = modes.threads(TINY, settings("omnimeans"))
    assert (one.threads, two.threads) == (1, 2)
    assert one.digest == two.digest
    assert "DIFFERENT" not in two.note


def test_seeding_compares_potentials_seed_by_seed():
    ours, theirs = modes.seeding(TINY, settings("omnimeans", "sklearn"))
    assert ours.unit == theirs.unit == "seeding"
    assert len(ours.samples) == len(theirs.samples) == 2
    assert ours.inertia == pytest.approx(theirs.inertia, rel=0.5)
    assert "over 2 seeds" in theirs.note


def test_whole_fits_run_until_nothing_moves():
    (fit,) = modes.fits(TINY, settings("omnimeans"))
    X = TINY.data()
    assert fit.inertia == pytest.approx(_lloyd_by_hand(X, starting_rows(X, TINY.k), 300), rel=1e-5)
    with pytest.raises(ValueError, match="cannot run k-iris"):
        modes.fitting(modes.MODES["fits"], [WORKLOADS["k-iris"]])
    with pytest.raises(ValueError, match="no mode 'speed'"):
        modes.find("speed")


def _missing(n: int) -> np.ndarray:
    raise FileNotFoundError("no such data")


def _lloyd_by_hand(X: np.ndarray, centers: np.ndarray, max_iter: int) -> float:
    X, centers = X.astype(np.float64), centers.astype(np.float64)
    for _ in range(max_iter):
        labels = np.square(X[:, None] - centers).sum(axis=2).argmin(axis=1)
        centers = np.array([X[labels == j].mean(axis=0) for j in range(len(centers))])
    return float(np.square(X[:, None] - centers).sum(axis=2).min(axis=1).sum())


def test_the_table_of_libraries_is_sound():
    for name, library in LIBRARIES.items():
        assert isinstance(library, Library)
        assert library.name == name
        assert library.actions
    assert [x.name for x in LIBRARIES.values() if x.pruned and not x.own] == ["elkan"]
