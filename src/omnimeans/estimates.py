"""What a fit will take, before it is begun: memory, passes, bytes read, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans import _validate
from omnimeans._types import Engine
from omnimeans.algorithms import VARIANTS
from omnimeans.distances import DISTANCES
from omnimeans.engines.cpu import CpuEngine, available_threads
from omnimeans.init import INITS
from omnimeans.sources import is_source, open_source
from omnimeans.sources.memory import available, parse_bytes

EUCLIDEAN = DISTANCES["euclidean"]
PATIENCE = 0.12  # seconds that a part of the calibration may take
SAMPLE = 1 << 25  # bytes of rows to calibrate with: more than a core's caches hold
PLACING, FINISHING = 3, 2  # passes before the start, and after the last iteration


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a fit is expected to take on this machine.

    Parameters
    ----------
    memory : int
        Bytes beside the interpreter at the peak, the rows included where they are in memory.
    in_memory : bool
        Whether the rows fit, or are read again in each pass.
    passes : int
        Looks at all rows.
    bytes_read : int
        Bytes that all passes read from the source; 0 for rows in memory.
    seconds_start : float
        Seconds until the first iteration.
    seconds_iteration : float
        Seconds of one iteration, with all distances computed; later ones are often faster.
    seconds : float
        Seconds of the whole fit.
    """

    memory: int
    in_memory: bool
    passes: int
    bytes_read: int
    seconds_start: float
    seconds_iteration: float
    seconds: float


def estimate(
    n: Any,
    d: int | None = None,
    k: int = 8,
    *,
    dtype: Any = "float32",
    iterations: int = 20,
    init: str = "k-means++",
    memory: str | int | None = None,
    read_speed: float | None = None,
    n_threads: int | None = None,
) -> Estimate:
    """Say what a fit will take, after half a second of trials on rows of the same shape.

    Parameters
    ----------
    n : int, or source
        Number of rows; or a path or anything else that :func:`open_source` takes.
    d : int or None, default=None
        Number of features; not needed for a source.
    k : int, default=8
        Number of clusters.
    dtype : {"float32", "float64"}, default="float32"
        Type of the rows.
    iterations : int, default=20
        Iterations to reckon with.
    init : {"k-means++", "k-means||", "random"}, default="k-means++"
        The start.
    memory : str, int or None, default=None
        As in :class:`KMeans`; None is what is free now.
    read_speed : float or None, default=None
        Bytes a second that the source delivers; None measures it on a file, and reckons with one
        GB/s where there is none.
    n_threads : int or None, default=None
        Threads to use.

    Returns
    -------
    Estimate
        Bytes, passes and seconds.

    Raises
    ------
    ValueError
        If the sizes are not positive, or `d` is missing.

    Examples
    --------
    >>> import omnimeans as om
    >>> found = om.estimate(1_000_000, 32, 64)
    >>> found.in_memory, found.bytes_read
    (True, 0)
    """
    path = None
    if is_source(n):
        source = open_source(n)
        path = Path(n) if isinstance(n, (str, Path)) else None
        (rows, d), dtype = source.shape, source.dtype
    else:
        rows = int(n)
    if d is None or rows < 1 or d < 1 or k < 1 or iterations < 1:
        raise ValueError(
            f"n={rows}, d={d}, k={k} and iterations={iterations} must all be 1 or more; give d, or "
            "a source in place of n."
        )
    _validate.enough_rows(rows, k)
    dtype = np.dtype(dtype)
    threads = n_threads or available_threads()
    size, limit = rows * d * dtype.itemsize, _limit(memory)
    fits = 1.3 * size + 32 * rows < limit
    place, start, step = _calibrate(rows, d, k, dtype, init, threads)
    looks = _looks(k, init)
    passes = PLACING + looks + iterations + FINISHING
    sums = 16 * k * (d + 1) * (threads + 1)
    beside = sums + rows * (4 + (12 if init != "random" else 8))
    read = 0 if fits else passes * size
    speed = np.inf if fits else read_speed or _read_speed(path)
    per_pass = size / speed  # reading overlaps with computing: the slower of both counts
    seconds_start = max(place, PLACING * per_pass) + max(start, looks * per_pass)
    seconds_iteration = max(step, per_pass)
    return Estimate(
        memory=int(beside + (size if fits else min(limit, size, 5 << 24))),
        in_memory=bool(fits),
        passes=passes,
        bytes_read=int(read),
        seconds_start=float(seconds_start),
        seconds_iteration=float(seconds_iteration),
        seconds=float(
            seconds_start
            + iterations * seconds_iteration
            + max(step, FINISHING * per_pass)
            + (size / _read_speed(path) if fits and path else 0.0)
        ),
    )


def _limit(memory: str | int | None) -> int:
    return available() if memory is None else parse_bytes(memory)


def _looks(k: int, init: str) -> int:
    """Return how often the start looks at all rows; see :mod:`omnimeans.init`."""
    from omnimeans.init import ROUNDS, ROUNDS_SHARE

    if init == "random":
        return 1
    if init == "k-means||":
        return ROUNDS + 2
    looks, chosen = 0, 0
    while chosen < k:
        chosen, looks = chosen + 1 + chosen // ROUNDS_SHARE, looks + 1
    return looks + min(k, 12)  # the first few meet too many rows to list them


def _calibrate(
    n: int, d: int, k: int, dtype: np.dtype[Any], init: str, threads: int
) -> tuple[float, float, float]:
    """Return the seconds that placing, starting and one step take, scaled up from a sample."""
    engine: Any = CpuEngine(threads, VARIANTS["brute"])
    rng = np.random.default_rng(0)
    few = int(min(n, max(4 * k, 4096, SAMPLE // (d * dtype.itemsize))))
    few = int(min(few, max(2 * k, 4096, 6e9 * threads // (d * k))))
    X = rng.standard_normal((few, d), dtype=np.float32).astype(dtype)
    X += (3.0 * rng.standard_normal((min(k, 64), d))[rng.integers(0, min(k, 64), few)]).astype(
        dtype
    )
    rows: list[Any] = []
    place = _seconds(lambda: rows.append(engine.place(X, None, EUCLIDEAN)))
    centers = X[:k].copy()
    engine.step(rows[-1], centers)
    other = centers + dtype.type(1e-3)
    step = _seconds(lambda: engine.step(rows[-1], other))
    fewer = int(min(few, max(2 * k, 2048, few * PATIENCE / max(1e-9, 3.0 * step))))
    sample = engine.place(X[:fewer], None, EUCLIDEAN)
    start = _seconds(lambda: _begin(engine, sample, k, init), least=1)
    return place * n / few, start * n / fewer, step * n / few


def _begin(engine: Engine, rows: Any, k: int, init: str) -> None:
    INITS[init](engine, rows, k, np.random.default_rng(0))


def _seconds(work: Callable[[], Any], least: int = 2) -> float:
    """Return the shortest of a few runs, as many as patience allows."""
    found: list[float] = []
    end = time.perf_counter() + PATIENCE
    while len(found) < least or (len(found) < 9 and time.perf_counter() < end):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return float(np.median(found))


def _read_speed(path: Path | None) -> float:
    """Return the bytes a second that a file delivers."""
    if path is None or not path.is_file():
        return 1e9
    begin, done = time.perf_counter(), 0
    with path.open("rb", buffering=0) as file:
        while time.perf_counter() - begin < PATIENCE and (got := len(file.read(1 << 22))):
            done += got
    return max(done, 1) / (time.perf_counter() - begin)
