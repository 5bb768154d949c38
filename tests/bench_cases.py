"""A small workload and rows of a report, for the tests of the benchmark."""

from __future__ import annotations

from dataclasses import replace

from bench import modes, workloads
from bench.peers import LIBRARIES
from bench.records import Peak, Row
from bench.workloads import Workload

PEAK = Peak(1, {"float32": 100.0, "float64": 50.0}, {"float32": 90.0, "float64": 45.0}, read=20.0)
TINY = Workload(
    "tiny", "noise", lambda n: workloads.noise(n, 5), 600, 7, quick=(100, 3), few=1, many=4
)


def settings(*names: str) -> modes.Settings:
    return modes.Settings([LIBRARIES[name] for name in names], threads=1, pairs=2, seeds=2)


def row(library: str, seconds: float | None, **fields: object) -> Row:
    base = Row("a", "title", 1000, 4, 8, "float32", library, 1, "iteration", seconds=seconds)
    return replace(base, **fields)  # type: ignore[arg-type]
