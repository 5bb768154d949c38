"""Fair timing: every library in a process of its own, all of them taking turns.

Libraries are measured pair by pair, round after round: in each round every library makes its pair
of fits, and the order rotates, so that noise of the machine hits all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bench.peers import Array, Library
from bench.workloads import Workload, starting_rows

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip
PATIENCE = 600.0  # seconds for one answer; a library that takes longer is given up
SETTLE = 0.25  # seconds between two libraries where spinning threads of one could disturb another


def cores_for(threads: int) -> list[int]:
    """Return the cores to pin to: the last ones allowed, far from where interrupts land."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    if not 1 <= threads <= len(allowed):
        raise ValueError(f"threads={threads} but this process may use {len(allowed)} core(s)")
    return allowed[-threads:]


class Failed(Exception):
    """A library could not do its job; the text says why."""


@dataclass
class Prepared:
    """A workload's data and start, in memory and in a folder that the workers read."""

    workload: Workload
    X: Array
    start: Array
    folder: Path


@contextmanager
def prepared(workload: Workload) -> Iterator[Prepared]:
    """Make a workload's data and starting rows once, for all libraries."""
    X = workload.data()
    start = starting_rows(X, workload.k)
    with tempfile.TemporaryDirectory(prefix="omnimeans-bench-") as name:
        folder = Path(name)
        np.save(folder / "data.npy", X)
        np.save(folder / "start.npy", start)
        yield Prepared(workload, X, start, folder)


class Process:
    """One library on one workload, in its own pinned process."""

    def __init__(
        self, library: Library, data: Prepared, threads: int, action: str | None = None
    ) -> None:
        workload = data.workload
        self.library, self.threads = library, threads
        self.error: str | None = None
        self.repeat = 1
        self.centers_path = data.folder / f"centers-{library.name}-{threads}.npy"
        self._log = (data.folder / f"log-{library.name}-{threads}.txt").open("w")
        job = {
            "library": library.name,
            "action": action or workload.action,
            "threads": threads,
            "cores": cores_for(threads),
            "metric": workload.metric,
            "k": workload.k,
            "n_init": workload.n_init,
            "one_row": workload.one_row,
            "data": str(data.folder / "data.npy"),
            "start": str(data.folder / "start.npy"),
            "centers": str(self.centers_path),
        }
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **limits, "PYTHONPATH": path},
        )

    def ready(self) -> None:
        """Wait until the library is loaded and warm."""
        try:
            self.repeat = self._answer()["repeat"]
        except Failed as failure:
            self.error = str(failure)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have one call timed."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(request) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise Failed("its process has ended") from None
        return self._answer()

    def centers(self) -> Array | None:
        """Return the centres of the last fit."""
        return np.load(self.centers_path) if self.centers_path.exists() else None

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        watch = threading.Timer(PATIENCE, self._child.kill)
        watch.start()
        line = self._child.stdout.readline()
        in_time = watch.is_alive()
        watch.cancel()
        if not line:
            status = self._child.wait()
            late = f"no answer within {PATIENCE:.0f} s"
            raise Failed(f"its process ended with status {status}" if in_time else late)
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise Failed(reply["error"])
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.kill()
        self._child.communicate()
        self._log.close()


@dataclass
class Timing:
    """What the rounds found for one process."""

    process: Process
    samples: list[float]
    last: dict[str, Any]
    error: str | None = None
    inertias: list[float] = field(default_factory=list)  # of every turn, where it was asked for


Turn = Callable[[Process, int], tuple[float | None, dict[str, Any]]]


def take_turns(
    processes: list[Process],
    rounds: int,
    turn: Turn,
    least: float = 0.0,
    judge: Callable[[Process], float] | None = None,
) -> list[Timing]:
    """Let every process take `rounds` turns, round by round, in rotating order.

    ``turn(process, round)`` returns seconds (None: nothing to time) and the reply to keep.  A
    process whose turns have lasted `least` seconds in all may stop early; 0 means never.  `judge`
    looks at the centres after every turn: to be given where each turn finds different ones.
    """
    timings = [Timing(process, [], {}, process.error) for process in processes]
    spent = dict.fromkeys(range(len(timings)), 0.0)
    for number in range(rounds):
        shift = number % len(timings) if timings else 0
        for index in [*range(shift, len(timings)), *range(shift)]:
            timing = timings[index]
            if timing.error or (least and spent[index] >= least):
                continue
            if max(process.threads for process in processes) > 1:
                time.sleep(SETTLE)
            try:
                seconds, timing.last = turn(timing.process, number)
                spent[index] += seconds or 0.0
                if seconds is not None:
                    timing.samples.append(seconds)
                if judge is not None and timing.last.get("digest"):
                    timing.inertias.append(judge(timing.process))
            except Failed as failure:
                timing.error = str(failure)
    return timings


def pair_of_fits(few: int, many: int) -> Turn:
    """Return the turn that times one iteration: two fits, their difference divided.

    Copies, norms, building of tables and the final labelling are in both fits and cancel.
    """

    def turn(process: Process, number: int) -> tuple[float | None, dict[str, Any]]:
        short = process.ask(max_iter=few)
        long = process.ask(max_iter=many)
        if long["n_iter"] is None:
            raise Failed("it does not say how many iterations it made")
        more = long["n_iter"] - short["n_iter"]
        if more < 1:
            return None, long
        return (long["seconds"] - short["seconds"]) / more, long

    return turn


def one_call(process: Process, number: int) -> tuple[float | None, dict[str, Any]]:
    """Time one call (or a batch of short ones); the round is the seed."""
    reply = process.ask(seed=number)
    return reply["seconds"], reply


def one_fit(max_iter: int) -> Turn:
    """Return the turn that times a whole fit from the given rows."""

    def turn(process: Process, number: int) -> tuple[float | None, dict[str, Any]]:
        reply = process.ask(max_iter=max_iter)
        return reply["seconds"], reply

    return turn


@contextmanager
def started(
    libraries: list[Library], data: Prepared, threads: list[int], action: str | None = None
) -> Iterator[list[Process]]:
    """Start every library at each number of threads, and wait until all are warm."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(Process(library, data, count, action))
            for library in libraries
            for count in threads
        ]
        for process in processes:
            process.ready()
        yield processes


def inertia(X: Array, centers: Array, metric: str = "euclidean") -> float:
    """Return the objective of these centres in float64, the same way for every library.

    Nearest centres are found by the short formula on centred data; the sum is of the true
    differences.
    """
    offset = X.mean(axis=0, dtype=np.float64)
    C = centers.astype(np.float64) - offset
    half_norms = 0.5 * np.einsum("ij,ij->i", C, C)
    total = 0.0
    block = max(1, 2**21 // max(len(C), X.shape[1]))
    for i in range(0, len(X), block):
        rows = X[i : i + block].astype(np.float64) - offset
        if metric == "manhattan":
            from scipy.spatial.distance import cdist

            total += float(cdist(rows, C, "cityblock").min(axis=1).sum())
        else:
            labels = np.argmin(half_norms - rows @ C.T, axis=1)
            total += float(np.square(rows - C[labels]).sum())
    return total
