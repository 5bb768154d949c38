"""The benchmark's tables, targets and files."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench import machine, modes, table, targets, workloads
from bench.records import FORMAT, Peak, Report, Row, Verdict
from bench.workloads import WORKLOADS

from bench_cases import PEAK, row

ROOT = Path(__file__).resolve().parent.parent


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
