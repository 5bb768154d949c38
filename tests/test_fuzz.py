"""Short runs of the fuzzers; ``make fuzz`` and ``make sanitize`` run them for longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_finding_is_reported(tmp_path: Path) -> None:
    """With the bytes that lead to it."""

    def fragile(data: bytes) -> None:
        if len(data) > 10 and data[3] > 200:
            raise KeyError("no error in words")

    with pytest.raises(fuzzing.Found, match=r"\d+ bytes [0-9a-f]+"):
        fuzzing.own(fragile, 5, 0, tmp_path / "last.bin")
    with pytest.raises(KeyError):
        fragile((tmp_path / "last.bin").read_bytes())
