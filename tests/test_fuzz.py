"""Short runs of the fuzzers; ``make fuzz`` and ``make sanitize`` run them for longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fuzz_hours
import fuzzing
import tally
from fuzz_targets import TARGETS

SECONDS = 2


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_is_answered_wrongly(target: str) -> None:
    """In a process of its own: a crash is a finding, too."""
    command = [sys.executable, fuzzing.__file__, target, "--seconds", str(SECONDS), "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:] or f"died of signal {-done.returncode}"
    tried = json.loads(done.stdout)["executions"]
    assert tried > 20
    tally.count("executions", tried)
    tally.count("seconds", SECONDS)


def test_a_finding_is_reported(tmp_path: Path) -> None:
    """With the bytes that lead to it."""

    def fragile(data: bytes) -> None:
        if len(data) > 10 and data[3] > 200:
            raise KeyError("no error in words")

    with pytest.raises(fuzzing.Found, match=r"\d+ bytes [0-9a-f]+"):
        fuzzing.own(fragile, 5, 0, tmp_path / "last.bin")
    with pytest.raises(KeyError):
        fragile((tmp_path / "last.bin").read_bytes())


def test_hours_are_kept_count_of(tmp_path: Path) -> None:
    """Of runs that came to their end, and of no others."""
    ledger = tmp_path / "hours.jsonl"
    says = {
        "ours": 'print(\'{"target": "native", "executions": 40}\')',
        "atheris": "print('#40 DONE cov: 3'); print('Done 40 runs in 3 second(s)')",
        "threads": "print('40 fits in 4 threads at once')",
        "broken": "print('Done 40 runs in 3 second(s)'); raise SystemExit(77)",
        "silent": "print('nothing done')",
    }
    for name, code in says.items():
        done = fuzz_hours.watch(name, [sys.executable, "-c", code], ledger)
        assert done == (77 if name == "broken" else 0)
    fuzz_hours.note("ours", 1800, 2, ledger)
    table = fuzz_hours.table(ledger)
    assert "| ours | 30.0 | 42 |" in table
    assert "| atheris | 0.0 | 40 |" in table
    assert "together: 0.50 hours" in table
    assert "broken" not in table
    assert "silent" not in table


def test_the_hours_that_the_reliability_page_states(tmp_path: Path) -> None:
    said = fuzz_hours.PAGE.read_text()
    assert fuzz_hours.table() in said
    page, ledger = tmp_path / "page.md", tmp_path / "hours.jsonl"
    page.write_text(said)
    fuzz_hours.note("another", 3600, 7, ledger)
    fuzz_hours.renew(page, ledger)
    assert "| another | 60.0 | 7 |" in page.read_text()
    assert page.read_text().split("| what ran")[0] == said.split("| what ran")[0]
    assert (
        page.read_text().split("| together")[1].split("\n", 1)[1:]
        == (said.split("| together")[1].split("\n", 1)[1:])
    )
