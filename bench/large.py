"""A fit of data larger than memory: seconds, bytes read, and the most memory held.

    python -m bench.large make X.npy --rows 40000000        # seeded rows, 20 GB
    python -m bench.large make X.npy --order grouped        # the same clusters, one after another
    python -m bench.large run X.npy --memory 1GiB

`run` fits in a process of its own and asks the system for the most memory that this process held.
In the same run it measures what there is to reach: `disk`, a plain read of the file from front to
back before the fit, and another one after it; and `core`, passes over some of the rows in memory,
in bytes of rows a second.  The system's cache of the file is dropped before each plain read and
after each iteration, so that the disk is what is read, also where a file would stay in memory;
`--cached` leaves it alone after a first read.  `--part` uses only so many rows of the file, from
its beginning.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import omnimeans as om
from omnimeans.engines.cpu import available_threads
from omnimeans.sources import open_source

STEP = 100_000  # rows written at a time
CHUNK = 1 << 24  # bytes of a plain read
HELD = 500_000  # rows in memory, to see what the cores can do


def make(path: Path, rows: int, columns: int, centers: int, order: str) -> None:
    """Write overlapping blobs, the same for the same sizes, or blobs apart in groups."""
    rng = np.random.default_rng(7)
    spread = 1.5 if order == "random" else 8.0
    middles = rng.normal(0, spread, (centers, columns)).astype(np.float32)
    noise = rng.standard_normal((STEP, columns), dtype=np.float32)
    head = {"descr": "<f4", "fortran_order": False, "shape": (rows, columns)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, head)
        for first in range(0, rows, STEP):
            m = min(STEP, rows - first)
            which = rng.integers(0, centers, m)
            if order == "grouped":
                which = np.arange(first, first + m) * centers // rows
            file.write((middles[which] + noise[rng.integers(0, STEP, m)]).data)


def drop(path: Path) -> None:
    """Let the system forget what it has cached of the file."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rows_of(path: Path, part: int) -> Any:
    """Return the file, or the first rows of it."""
    return open_source(np.load(path, mmap_mode="r")[:part]) if part else open_source(path)


def plain_read(path: Path, size: int, cached: bool) -> float:
    """Return the bytes a second of reading the file from front to back."""
    if not cached:
        drop(path)
    buffer, begun, done = bytearray(CHUNK), time.perf_counter(), 0
    with path.open("rb", buffering=0) as file:
        while done < size and (got := file.readinto(buffer)):
            done += got
    return done / (time.perf_counter() - begun)


def core_speed(path: Path, k: int) -> float:
    """Return the bytes of rows a second that passes over rows in memory take in."""
    X = np.array(np.load(path, mmap_mode="r")[:HELD])
    times: list[float] = []
    om.KMeans(
        k,
        init="random",
        n_init=1,
        random_state=0,
        max_iter=8,
        tol=0.0,
        algorithm="brute",
        callback=lambda record: times.append(time.perf_counter()),
    ).fit(X)
    return float(X.nbytes / np.median(np.diff(times)))


def bytes_asked_for() -> int:
    """Return the bytes that this process has read so far, from the disk or the system's cache."""
    return int(Path("/proc/self/io").read_text().split()[1])


def fit(given: argparse.Namespace) -> dict[str, Any]:
    """Fit, and say what it took."""
    source, path = rows_of(given.path, given.part), given.path
    took: list[float] = []
    seconds: list[float] = []
    read: list[int] = []
    restarted: list[float] = []

    def note(record: Any) -> None:
        if record.event == "iteration":
            seconds.append(time.perf_counter())
            took.append(seconds[-1] - (begun if len(seconds) == 1 else restarted[-1]))
            read.append(bytes_asked_for())
            if not given.cached:
                drop(path)
            restarted.append(time.perf_counter())

    model = om.KMeans(
        given.k,
        init=given.init,
        n_init=1,
        random_state=0,
        max_iter=given.iterations,
        tol=0.0,
        memory=given.memory,
        engine="blocks",
        callback=note,
    )
    begun = time.perf_counter()
    model.fit(source)
    whole = time.perf_counter() - begun
    steps, size = took[1:], source.nbytes
    return {
        "rows": len(model.labels_),
        "bytes": size,
        "k": given.k,
        "engine": model.engine_,
        "init": given.init,
        "cached": given.cached,
        "iterations": model.n_iter_,
        "stop": model.stop_reason_,
        "inertia": model.inertia_,
        "seconds": round(whole, 1),
        "seconds until the first iteration is over": round(took[0], 1),
        "seconds of each iteration": [round(float(step), 2) for step in steps],
        "share of the file read in each": [round(b / size, 2) for b in np.diff(read).tolist()],
        "MB/s of an iteration": round(size / float(np.median(steps)) / 1e6),
    }


def alone(*words: str) -> tuple[dict[str, Any], int]:
    """Run a part of this in a process of its own; return its answer and the most bytes it held."""
    child = subprocess.Popen([sys.executable, "-m", "bench.large", *words], stdout=subprocess.PIPE)
    assert child.stdout is not None
    text = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} ended with status {status}")
    return json.loads(text), used.ru_maxrss << 10


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the disk, the fit, the disk again and the cores."""
    words = ["--k", str(given.k), "--iterations", str(given.iterations)]
    words += ["--memory", given.memory, "--init", given.init, "--part", str(given.part)]
    words += ["--cached"] * given.cached
    size = rows_of(given.path, given.part).nbytes
    if given.cached:  # read from the disk once, as any file is that stays in the cache
        os.sync()
        plain_read(given.path, size, cached=False)
    before = plain_read(given.path, size, given.cached)
    found, peak = alone("fit", str(given.path), *words)
    after = plain_read(given.path, size, given.cached)
    core, _ = alone("core", str(given.path), *words)
    disk = (before + after) / 2
    lower = min(disk, core["speed"])
    found |= {
        "threads": available_threads(),
        "disk, MB/s before and after": [round(before / 1e6), round(after / 1e6)],
        "core, MB/s": round(core["speed"] / 1e6),
        "share of the lower": round(found["MB/s of an iteration"] * 1e6 / lower, 2),
        "memory allowed": given.memory,
        "peak MiB": peak >> 20,
    }
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["make", "run", "fit", "core"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=40_000_000)
    parser.add_argument("--columns", type=int, default=128)
    parser.add_argument("--order", choices=["random", "grouped"], default="random")
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--init", default="random")
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--cached", action="store_true")
    given = parser.parse_args()
    if given.what == "make":
        make(given.path, given.rows, given.columns, given.k, given.order)
        return
    if given.what == "core":
        answer = {"speed": core_speed(given.path, given.k)}
    elif given.what == "fit":
        answer = fit(given)
    else:
        answer = run(given)
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
