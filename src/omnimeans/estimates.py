"""What a fit will take, before it is begun: memory, passes, bytes read, seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans import _validate
from omnimeans._types import Floats
from omnimeans.algorithms import VARIANTS
from omnimeans.calibration import calibrate, enough, stand_in
from omnimeans.engines.cpu import available_threads
from omnimeans.init import INITS, ROUNDS, ROUNDS_SHARE
from omnimeans.sources import Source, is_source, open_source
from omnimeans.sources.memory import available, parse_bytes, resident

PATIENCE = 0.12  # seconds that a trial of reading may take
PLACING, FINISHING = 3, 2  # passes before the start, and after the last iteration
STEP = 8  # rows of a source are tried from so many places of it


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
    seconds_brute : float
        Seconds of one iteration with all distances computed, in the data's precision.
    seconds_iteration : float
        Seconds of one iteration as they are on average: bounds leave distances out, and trees and
        codes have to be made.
    seconds : float
        Seconds of the whole fit: the start and so many iterations as were reckoned with, for each
        restart, and what comes before and after.
    algorithm : str
        What will make most passes, a row of :data:`omnimeans.algorithms.VARIANTS`.
    """

    memory: int
    in_memory: bool
    passes: int
    bytes_read: int
    seconds_start: float
    seconds_brute: float
    seconds_iteration: float
    seconds: float
    algorithm: str


def estimate(
    n: Any,
    d: int | None = None,
    k: int = 8,
    *,
    dtype: Any = "float32",
    iterations: int = 20,
    init: str = "k-means++",
    n_init: int = 1,
    memory: str | int | None = None,
    read_speed: float | None = None,
    n_threads: int | None = None,
) -> Estimate:
    """Say what a fit will take, after about half a second of trials on this machine.

    The trials are made on some of the rows, where rows are given, else on made-up ones of the same
    shape.  How many iterations a fit will make nobody knows beforehand: `iterations` is a guess, of
    which `seconds` is the consequence.  For so many iterations it is within a factor of 1.5 on the
    benchmark's data (``python -m bench.estimates``; of 34 fits, all from the shape and 31 from the
    rows), on a machine that is otherwise idle.

    Parameters
    ----------
    n : int, array, or source
        Number of rows; or the rows, as an array of shape (n, d), a path or anything else that
        :func:`open_source` takes.  Rows tell more than their number: whether they fill few
        dimensions, for one, where trees pay.
    d : int or None, default=None
        Number of features; not needed where rows are given.
    k : int, default=8
        Number of clusters.
    dtype : {"float32", "float64"}, default="float32"
        Type of the rows, where none are given.
    iterations : int, default=20
        Iterations to reckon with, for each restart.
    init : {"k-means++", "k-means||", "random"}, default="k-means++"
        The start.
    n_init : int, default=1
        Restarts.
    memory : str, int or None, default=None
        As in :class:`KMeans`; None is what a fit would take of what is free now.
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
        If the sizes are not positive, or `d` is missing, or `init` is not known.

    Examples
    --------
    >>> import omnimeans as om
    >>> found = om.estimate(1_000_000, 32, 64)
    >>> found.in_memory, found.bytes_read
    (True, 0)
    """
    path = Path(n) if isinstance(n, (str, Path)) else None
    data: Any = None
    if is_source(n):
        data = open_source(n)
    elif np.ndim(n) or hasattr(n, "__dataframe__"):
        data = _validate.rows(n)
    (rows, d) = (int(n), d) if data is None else data.shape
    dtype = np.dtype(dtype if data is None else data.dtype)
    if d is None or min(rows, d, k, iterations, n_init) < 1:
        raise ValueError(
            f"n={rows}, d={d}, k={k}, iterations={iterations} and n_init={n_init} must all be 1 or "
            "more; give d, or rows in place of n."
        )
    if init not in INITS:
        raise ValueError(f"init={init!r} is not known; use one of {', '.join(INITS)}.")
    _validate.enough_rows(rows, k)
    threads = n_threads or available_threads()
    size = rows * d * dtype.itemsize
    room = available() / 2 if memory is None else parse_bytes(memory) - resident()
    fits = isinstance(data, np.ndarray) or 1.3 * size + 32 * rows < room
    few = enough(rows, d, k, dtype.itemsize, threads)
    some = stand_in(few, d, k, dtype) if data is None else _some(data, few)
    pace = calibrate(
        some, rows, k, init=init, iterations=iterations, threads=threads, blocks=not fits
    )
    looks = _looks(k, init)
    passes = PLACING + n_init * (looks + iterations + FINISHING)
    speed = np.inf if fits else read_speed or _read_speed(path)
    per_pass = size / speed  # reading overlaps with computing: the slower of both counts
    place, start = max(pace.place, PLACING * per_pass), max(pace.start, looks * per_pass)
    steps = [max(seconds, per_pass) for seconds in pace.passes]
    opening = size / (read_speed or _read_speed(path)) if fits and path else 0.0
    finish = max(pace.finish, FINISHING * per_pass)
    return Estimate(
        memory=_memory(rows, d, k, dtype, threads, fits, room, init, pace.variant),
        in_memory=bool(fits),
        passes=passes,
        bytes_read=0 if fits else int(passes * size),
        seconds_start=float(opening + place + start),
        seconds_brute=float(max(pace.brute, per_pass)),
        seconds_iteration=float(np.mean(steps)),
        seconds=float(opening + place + n_init * (start + sum(steps) + finish)),
        algorithm=pace.variant,
    )


def _memory(
    n: int,
    d: int,
    k: int,
    dtype: np.dtype[Any],
    threads: int,
    fits: bool,
    room: float,
    init: str,
    variant: str,
) -> int:
    """Return the bytes that rows, sums and what is known of each row take at the peak."""
    kept = 4 + (8 if init == "random" else 12)
    if fits:
        rows = n * d * dtype.itemsize + n * VARIANTS[variant].bytes_per_row(d, dtype.itemsize)
    else:
        rows = int(min(room, 5 << 24))
    return int(16 * k * (d + 1) * (threads + 1) + n * kept + rows)


def _some(data: Floats | Source, few: int) -> Floats:
    """Return some of the rows, from all over the data."""
    if not isinstance(data, Source):
        return np.ascontiguousarray(data[:: max(1, len(data) // few)][:few])
    size, every = max(1, few // STEP), max(1, len(data) // max(1, few))

    def wanted(first: int, stop: int) -> bool:
        return first // size % every == 0

    found = [np.array(rows) for _, rows in data.blocks(size, wanted)]
    return np.concatenate(found)[:few]


def _looks(k: int, init: str) -> int:
    """Return how often the start looks at all rows; see :mod:`omnimeans.init`."""
    if init == "random":
        return 1
    if init == "k-means||":
        return ROUNDS + 2
    looks, chosen = 0, 0
    while chosen < k:
        chosen, looks = chosen + 1 + chosen // ROUNDS_SHARE, looks + 1
    return looks + min(k, 12)  # the first few meet too many rows to list them


def _read_speed(path: Path | None) -> float:
    """Return the bytes a second that a file delivers."""
    if path is None or not path.is_file():
        return 1e9
    begin, done = time.perf_counter(), 0
    with path.open("rb", buffering=0) as file:
        while time.perf_counter() - begin < PATIENCE and (got := len(file.read(1 << 22))):
            done += got
    return max(done, 1) / (time.perf_counter() - begin)
