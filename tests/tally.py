"""Counts what a test run puts the library through; the run prints the counts at its end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

KINDS = {
    "tests": "tests passed",
    "inputs": "pairs of a hostile input and an estimator: a right answer, or a refusal in words",
    "comparisons": "fits compared bit for bit",
    "faults": "faults: full and read-only disks, damaged files, lost workers, limits",
    "interrupts": "interrupts",
    "kills": "kills",
    "executions": "fuzz executions",
    "seconds": "hours of fuzzing; make fuzz and make sanitize run for as long as asked",
    "forks": "processes forked, spawned or served",
    "fits": "fits in loops and threads",
}

counts: Counter[str] = Counter()


def count(kind: str, number: int = 1) -> None:
    """Add to a count."""
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is not counted; name one of {', '.join(KINDS)}")
    counts[kind] += number


def lines() -> list[str]:
    """What was counted, a line for each kind."""
    shown = {kind: f"{counts[kind]:,}" for kind in KINDS}
    shown["seconds"] = f"{counts['seconds'] / 3600:.4f}"
    return [f"{shown[kind]:>12} {what}" for kind, what in KINDS.items() if counts[kind]]


def merge(path: Path) -> None:
    """Add what an earlier run has left in this file, and leave the sum there."""
    if path.exists():
        counts.update(json.loads(path.read_text()))
    path.write_text(json.dumps(counts))
