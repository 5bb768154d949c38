"""The benchmark measures fairly and says what it did; no timing is asserted here."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench import machine, measure, modes, table, targets, workloads
from bench.peers import LIBRARIES, Library, Outcome
from bench.peers import select as select_libraries
from bench.records import FORMAT, Peak, Report, Row, Verdict
from bench.workloads import WORKLOADS, Workload, starting_rows

ROOT = Path(__file__).resolve().parent.parent
PEAK = Peak(1, {"float32": 100.0, "float64": 50.0}, {"float32": 90.0, "float64": 45.0}, read=20.0)
TINY = Workload(
    "tiny", "noise", lambda n: workloads.noise(n, 5), 600, 7, quick=(100, 3), few=1, many=4
)


def settings(*names: str) -> modes.Settings:
    return modes.Settings([LIBRARIES[name] for name in names], threads=1, pairs=2, seeds=2)


def row(library: str, seconds: float | None, **fields: object) -> Row:
    base = Row("a", "title", 1000, 4, 8, "float32", library, 1, "iteration", seconds=seconds)
    return replace(base, **fields)  # type: ignore[arg-type]


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
    assert [r.library for r in rows] == ["omnimeans", "sklearn", "elkan"]
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


# Tables and targets


def test_targets_are_judged_against_the_best_unpruned_peer():
    peers = [row("sklearn", 0.5, ratio=5.0), row("faiss", 0.2, ratio=2.0),
             row("elkan", 0.1, ratio=1.0)]  # fmt: skip
    ours = row("omnimeans", 0.1, ratio=1.0)
    found = {(v.what, v.target): v for v in targets.judge("iterations", [ours, *peers], PEAK)}
    best = found["times faster than the best unpruned peer", "≥ 1.6"]
    assert (best.measured, best.reached) == (2.0, True)
    mark = found["mark: times faster than scikit-learn", "≥ 8"]
    assert (mark.measured, mark.reached) == (5.0, False)
    alone = targets.judge("iterations", [ours], PEAK)
    assert {v.reached for v in alone} == {None}


def test_every_target_belongs_to_a_workload_that_its_mode_runs():
    for target in targets.TARGETS:
        mode = modes.MODES[target.mode]
        assert WORKLOADS[target.workload] in workloads.select(mode.workloads)
        assert WORKLOADS[target.workload].action in mode.actions


def test_shares_use_the_peak_of_the_metric_the_dtype_and_the_threads():
    rows = [
        row("omnimeans", 1.0, gflops=50.0),
        row("omnimeans", 1.0, gflops=25.0, dtype="float64"),
        row("omnimeans", 1.0, gflops=45.0, metric="manhattan"),
        row("omnimeans", 1.0, gflops=100.0, threads=2),
        row("omnimeans", 1.0),
    ]
    shares = [r.share for r in modes.with_shares(rows, PEAK)]
    assert shares == [0.5, 0.5, 0.5, 0.5, None]
    assert modes.with_shares(rows, None) == rows


def test_the_peak_is_measured_or_its_absence_explained(monkeypatch):
    monkeypatch.setattr(machine, "compiler", lambda: None)
    assert machine.peak([0]) == (
        None, "not measured: no C++ compiler found (install g++, or name one in CXX)",
    )  # fmt: skip
    monkeypatch.setattr(machine, "compiler", lambda: "/bin/false")
    peak, how = machine.peak([0])
    assert peak is None
    assert "cannot compile" in how


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """One real run of the command, on the smallest workload."""
    out = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "k-iris",
         "--peers", "sklearn,checks,intelex", "--pairs", "2", "--out", str(out)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "omnimeans" in done.stdout
    assert "targets" in done.stdout
    (out / "printed.txt").write_text(done.stdout)
    return out


def test_the_json_holds_every_field_of_the_records(saved):
    data = json.loads((saved / "results.json").read_text())
    assert data["format"] == FORMAT
    assert data["mode"] == "iterations"
    assert data["quick"] is True
    for name in ("processor", "cores", "caches", "versions", "threads", "commit", "date"):
        assert data["header"][name]
    assert data["peak"] is None or Peak(**data["peak"]).fma["float32"] > 1.0
    rows = [Row(**fields) for fields in data["rows"]]
    assert {r.library for r in rows} == {"omnimeans", "sklearn", "checks", "intelex"}
    assert {r.workload for r in rows} == {"k-iris"}
    for r in rows:
        assert set(fields_of(Row)) == set(data["rows"][0])
        if r.note == "not installed":
            assert r.seconds is None
        else:
            assert not r.note.startswith("failed"), r.note
            assert r.seconds == np.median(r.samples) > 0.0
            assert len(r.samples) == 2
    installed = importlib.util.find_spec("sklearnex") is not None
    assert ("not installed" in {r.note for r in rows}) is not installed
    verdicts = [Verdict(**fields) for fields in data["verdicts"]]
    assert {v.workload for v in verdicts} == {"k-iris"}


def test_the_markdown_table_has_a_line_per_row(saved):
    text = (saved / "RESULTS.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| (k-")]
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "QUICK RUN" in text
    assert "## Targets" in text


def test_a_report_is_written_and_drawn_from_its_rows_alone(tmp_path):
    pytest.importorskip("matplotlib", reason="the picture needs the extra 'plot'")
    from bench import plot

    rows = [
        row("omnimeans", 0.1, ratio=1.0, redecided=0.029, samples=[0.1, 0.1]),
        row("sklearn", 0.5, ratio=5.0, samples=[0.4, 0.6], inertia=76.6258871, gflops=12.0),
        row("faiss", None, note="not installed | yet"),
    ]
    report = Report("iterations", False, {"threads": 1, "processor": "x"}, PEAK, rows)
    pictures = plot.draw(report, tmp_path)
    assert {p.suffix for p in pictures} == {".svg", ".png"}
    _, text = table.save(report, tmp_path, pictures[0].name)
    assert "![time relative to omnimeans](results.svg)" in text.read_text()
    assert "| 2.9 % |" in text.read_text()
    assert "not installed \\| yet" in text.read_text()
    assert plot.draw(replace(report, rows=rows[:1]), tmp_path) == []


def test_a_wrong_choice_is_answered_in_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "z"],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no workload 'z'" in done.stdout
    assert "Traceback" not in done.stderr


def fields_of(record: type) -> list[str]:
    return list(record.__dataclass_fields__)  # type: ignore[attr-defined]


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
    assert [x.name for x in LIBRARIES.values() if x.pruned] == ["elkan"]
