"""Runs code in a process of its own, with a time limit: what hangs or crashes stays there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

PRELUDE = """
import json, os, signal, sys, threading, time
import numpy as np
import omnimeans as om
from omnimeans import _core
from omnimeans.distances import DISTANCES
from omnimeans.engines import cpu, open_engine
cpu.SMALL = 0  # so that threads are really used
EUCLIDEAN = DISTANCES["euclidean"]
def peak():  # bytes held at most; what getrusage tells begins at the parent's
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
def data(n=4000, d=6, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((n, d)).astype(dtype)
def answer(threads=2):
    model = om.KMeans(8, random_state=0, n_threads=threads, engine="cpu").fit(data())
    return model.inertia_, model.cluster_centers_.tobytes(), model.labels_.tobytes()
"""


def run(code: str, *, timeout: float = 60, **environment: str) -> Any:
    """Run the code after the prelude; return what it printed, as JSON."""
    done = python(code, timeout=timeout, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python(
    code: str, *, timeout: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its forks, too
            raise
    return subprocess.CompletedProcess(code, process.returncode, out, err)
