"""A Dask cluster of a test: `dask scheduler` and `dask worker`, as processes on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

PATIENCE = 90.0  # seconds that anything here may take to start
POLL = 0.1  # seconds


class Cluster:
    """A scheduler and workers without nannies, so that a worker that is killed stays dead."""

    def __init__(self, folder: Path, workers: int = 2, tls: dict[str, Path] | None = None) -> None:
        self.folder = folder
        self.secured = [f"--tls-{name}={path}" for name, path in (tls or {}).items()]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        protocol = "tls" if tls else "tcp"
        words = ["--port", "0", "--no-show", "--scheduler-file", str(file), "--protocol", protocol]
        try:
            self._start("scheduler", *words)
            self.address = self._address(file)
            for _ in range(workers):
                self.add()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def add(self) -> None:
        """Start another worker; it joins some seconds later."""
        words = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
        words += ["--local-directory", str(self.folder)]
        self.workers.append(self._start("worker", self.address, *words))

    def kill(self) -> None:
        """Kill the worker that has been there longest; it cannot say goodbye."""
        worker = self.workers.pop(0)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(PATIENCE)

    def said(self) -> str:
        """What the processes have written, for the message of a test that fails."""
        return "\n".join(path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log")))

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, "--host", "127.0.0.1", "--no-dashboard"]
        with open(self.folder / f"{len(self.processes):02}-{what}.log", "wb") as log:
            process = subprocess.Popen([*command, *self.secured, *words], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _address(self, file: Path) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                return str(json.loads(file.read_text())["address"])
            except (OSError, ValueError):
                time.sleep(0.05)
        raise TimeoutError(f"the scheduler did not start:\n{self.said()}")


class Reaper(threading.Thread):
    """Kills a worker and starts another, as often as two are there, so that one is always left.

    A worker that dies at once when it comes would leave no time for any work; what is asked for is
    that work goes on.  So between iterations a kill waits until all workers are there and have
    imported what they need, which takes them seconds on a busy machine.
    """

    def __init__(self, cluster: Cluster, client: Any, pause: float) -> None:
        super().__init__(daemon=True)
        self.cluster, self.client, self.pause = cluster, client, pause
        self.workers = len(client.nthreads())
        self.kills = 0
        self.done, self.lock = threading.Event(), threading.Lock()

    def watch(self, progress: Any) -> None:
        """Kill at the end of every third iteration, as the callback of a fit."""
        if progress.iteration % 3 == 1:
            self.strike()

    def strike(self) -> None:
        """Kill one now, if two are there."""
        with self.lock:
            if self.done.is_set() or len(self.client.nthreads()) < 2:
                return
            self.cluster.kill()
            self.cluster.add()
            self.kills += 1

    def run(self) -> None:
        """Kill at any time, so also while the rows are looked at and the start is made."""
        while not self.done.wait(POLL):
            if len(self.client.nthreads()) == self.workers:
                self.client.run(import_module, "omnimeans.engines._work", on_error="ignore")
                self.done.wait(self.pause)
                self.strike()
