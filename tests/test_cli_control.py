"""Progress, time limits, Ctrl-C and resuming on the command line."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import omnimeans as om
from cli_runs import FRAME, answer, run
from omnimeans.cli._talk import Guess

PROGRAM = [sys.executable, "-m", "omnimeans"]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Each test works in a folder of its own that holds iris.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    FRAME.to_csv("iris.csv", index=False)
    return tmp_path


def noise(n: int) -> np.ndarray:
    rows = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    np.save("noise.npy", rows)
    return rows


def test_a_limit_of_time() -> None:
    noise(20_000)
    record = answer("fit", "noise.npy", "-k", 64, "--tol", 0, "--max-time", 1e-9)
    assert record["stop_reason"] == "max_time"
    assert record["converged"] is False
    run("predict", "noise.npy", "-m", "noise-model.safetensors", "-l", "again.npy", "-q")
    np.testing.assert_array_equal(np.load("noise-labels.npy"), np.load("again.npy"))


def test_ctrl_c_while_fitting_keeps_the_best_model() -> None:
    noise(100_000)
    words = ["fit", "noise.npy", "-k", "200", "--tol", "0", "--resume", "state"]
    with subprocess.Popen([*PROGRAM, *words], stderr=subprocess.PIPE, text=True) as process:
        waited = time.monotonic() + 60
        while not Path("state").exists() and time.monotonic() < waited:
            time.sleep(0.02)
        time.sleep(1.5)  # some iterations
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "warning: KMeans was interrupted" in said
    assert "raise_on_interrupt" not in said
    assert len(om.load("noise-model.safetensors").cluster_centers_) == 200


@pytest.mark.slow
def test_a_fit_that_was_killed_goes_on() -> None:
    noise(50_000)
    words = ["fit", "noise.npy", "-k", "100", "--tol", "0", "--starts", "2", "--max-iter", "40"]
    with subprocess.Popen([*PROGRAM, *words, "--resume", "state"]) as process:
        waited = time.monotonic() + 60
        while not Path("state").exists() and time.monotonic() < waited:
            time.sleep(0.02)
        process.kill()
    assert Path("state").exists()
    assert not Path("noise-labels.npy").exists()
    resumed = answer(*words, "--resume", "state")
    assert not Path("state").exists()
    whole = answer(*words)
    assert resumed["inertia"] == whole["inertia"]
    assert resumed["clusters"] == whole["clusters"]


def on_a_terminal(*words: str) -> tuple[str, str]:
    """Return standard output, which is a pipe, and standard error, which is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=theirs, env=env
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(ours)
    return out, seen.decode(errors="replace")


def test_progress_is_shown_on_a_terminal_only() -> None:
    noise(300_000)  # enough for the bar to be drawn before it is over
    words = ("fit", "noise.npy", "-k", "100", "--starts", "2", "--max-iter", "30", "--force")
    out, shown = on_a_terminal(*words)
    assert "left:" in shown
    assert "start 1 of 2, iteration" in shown
    assert "left:" not in out
    assert "inertia" in out
    assert on_a_terminal(*words, "--quiet")[1] == ""
    piped = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=True)
    assert "left:" not in piped.stderr
    assert "\x1b" not in piped.stdout


def test_the_guess_of_iterations() -> None:
    guess = Guess(starts=3, max_iter=100)
    totals = []
    for _ in range(3):
        for step in range(10):
            guess.see(shift=100.0 * 0.2**step, moved=1000 if step == 0 else 1000 // (step + 2))
            totals.append(guess.total)
    assert guess.done == 30
    assert (guess.start, guess.iteration) == (3, 10)
    assert all(10 < total < 60 for total in totals[4:])
    assert totals[25] == pytest.approx(30, abs=1)


def test_ctrl_c_while_reading_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Slow()))
    from omnimeans.tables import read_table

    with pytest.raises(KeyboardInterrupt):
        read_table("-")
    monkeypatch.setattr("omnimeans.tables.source._mapped", lambda path: Slow().read())
    assert "interrupted; nothing was written" in run("fit", "iris.csv", code=130).stderr
    assert [file.name for file in Path().iterdir()] == ["iris.csv"]
