"""Progress, time limits, Ctrl-C and resuming on the command line."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
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


def program(at_each_iteration: str, *words: str) -> list[str]:
    """The command that runs the program, with a line of Python of ours after each iteration."""
    code = f"""
import os, sys, time
from omnimeans._control import Control
from omnimeans.cli import app
watch = Control._watch
def watch_and_act(self, state):
    iteration = len(state.history)
    {at_each_iteration}
    return watch(self, state)
Control._watch = watch_and_act
sys.argv = {["omnimeans", *words]!r}
app()
"""
    return [sys.executable, "-c", code]


def run_until(iteration: int, sent: signal.Signals, *words: str) -> tuple[int, str]:
    """Run the program; it gets a signal when it has made so many iterations."""
    act = f"if iteration == {iteration}: os.kill(os.getpid(), {int(sent)})"
    done = subprocess.run(program(act, *words), stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def test_ctrl_c_while_fitting_keeps_the_best_model() -> None:
    noise(20_000)
    words = ["fit", "noise.npy", "-k", "200", "--tol", "0", "--resume", "state"]
    code, said = run_until(4, signal.SIGINT, *words)
    assert code == 130, said
    assert Path("state").exists()
    assert "Traceback" not in said
    assert "warning: KMeans was interrupted" in said
    assert "raise_on_interrupt" not in said
    assert len(om.load("noise-model.safetensors").cluster_centers_) == 200


def test_a_fit_that_was_killed_goes_on() -> None:
    noise(20_000)
    words = ["fit", "noise.npy", "-k", "100", "--tol", "0", "--starts", "2", "--max-iter", "40"]
    code, said = run_until(20, signal.SIGKILL, *words, "--resume", "state")
    assert code == -signal.SIGKILL, said
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
    slowly = program("time.sleep(0.05 if iteration < 8 else 0)", *words)  # a bar is drawn meanwhile
    with subprocess.Popen(slowly, stdout=subprocess.PIPE, stderr=theirs, env=env) as process:
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
    noise(20_000)
    words = ("fit", "noise.npy", "-k", "50", "--starts", "2", "--max-iter", "30", "--force")
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
