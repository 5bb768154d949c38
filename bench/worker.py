"""The process in which one library runs one workload, pinned to its cores.

It is started by :mod:`bench.measure` with a job as JSON, makes everything ready, and then answers
requests, one JSON line each.  Only the call that is asked about is timed.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.peers import Adapter, Array, Outcome

BATCH = 0.03  # seconds; a shorter call is repeated until one measurement lasts that long
WARM_UP_ROWS = 2_000

Call = Callable[[dict[str, Any]], Any]


def lloyd(adapter: Adapter, job: dict[str, Any], X: Array, start: Array) -> Call:
    """Time a fit from the given rows; the request says how many iterations at most."""
    adapter.lloyd(X, start, 1)  # at full size, so that memory is warm as well
    return lambda request: adapter.lloyd(X, start, request["max_iter"])


def cluster(adapter: Adapter, job: dict[str, Any], X: Array, start: Array) -> Call:
    """Time a whole fit, the library's own start included; the request gives the seed."""
    return lambda request: adapter.cluster(X, job["k"], job["n_init"], request["seed"])


def predict(adapter: Adapter, job: dict[str, Any], X: Array, start: Array) -> Call:
    """Time labelling rows by a fitted model."""
    adapter.lloyd(X, start, 2)
    rows = X[:1] if job["one_row"] else X
    return lambda request: adapter.predict(rows)


def transform(adapter: Adapter, job: dict[str, Any], X: Array, start: Array) -> Call:
    """Time the distances to all centres."""
    adapter.lloyd(X, start, 2)
    return lambda request: adapter.transform(X)


def seed(adapter: Adapter, job: dict[str, Any], X: Array, start: Array) -> Call:
    """Time drawing the start alone; the request gives the seed."""
    adapter.seed(X[: max(WARM_UP_ROWS, 4 * job["k"])], job["k"], 0)
    return lambda request: adapter.seed(X, job["k"], request["seed"])


ACTIONS = {
    "lloyd": lloyd,
    "cluster": cluster,
    "predict": predict,
    "transform": transform,
    "seed": seed,
}


def serve(job: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
    """Make the library and its data ready, then answer the requests on the standard input."""
    import numpy as np

    from bench.peers import LIBRARIES

    adapter = LIBRARIES[job["library"]].adapter(job["threads"], job["metric"])
    pin(job["cores"])
    X, start = np.load(job["data"]), np.load(job["start"])
    call = ACTIONS[job["action"]](adapter, job, X, start)
    repeat = _batch(call) if job["action"] in ("cluster", "predict", "transform") else 1
    answer({"ready": True, "repeat": repeat})
    for line in sys.stdin:
        request = json.loads(line)
        seconds, result = _timed(call, request, repeat)
        answer({"seconds": seconds, **_described(result, job["centers"])})


def pin(cores: list[int]) -> None:
    """Keep this process to its cores.

    Called once everything is imported (imports may share all cores) and before anything is
    computed, so that every thread pool sees the cores it has.
    """
    if cores and hasattr(os, "sched_setaffinity"):
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), cores)


def _batch(call: Call) -> int:
    """Warm the call up and return how often it has to be repeated to last long enough."""
    call({"seed": 0})  # the first call may import, compile or allocate
    repeat = 1
    while True:
        seconds, _ = _timed(call, {"seed": 0}, repeat)
        if repeat * seconds >= BATCH:
            return repeat
        repeat = max(2 * repeat, int(BATCH / max(seconds, 1e-7)))


def _timed(call: Call, request: dict[str, Any], repeat: int) -> tuple[float, Any]:
    """Return seconds per call and the last result."""
    gc.collect()
    gc.disable()
    begin = time.perf_counter()
    for _ in range(repeat):
        result = call(request)
    seconds = (time.perf_counter() - begin) / repeat
    gc.enable()
    return seconds, result


def _described(result: Outcome | Any, path: str) -> dict[str, Any]:
    """Write the centres where the parent will find them; return the small rest."""
    import numpy as np

    from bench.peers import Outcome

    if not isinstance(result, Outcome):
        return {}
    digest = None
    if result.centers is not None:
        np.save(path, result.centers)
        digest = hashlib.sha256(np.ascontiguousarray(result.centers).tobytes()).hexdigest()[:16]
    return {
        "n_iter": result.n_iter,
        "redecided": result.redecided,
        "compared": result.compared,
        "digest": digest,
    }


def main() -> None:
    """Keep the answers apart from whatever the libraries print."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(reply: dict[str, Any]) -> None:
        answers.write(json.dumps(reply) + "\n")
        answers.flush()

    job = json.loads(sys.argv[1])
    try:
        serve(job, answer)
    except Exception as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


if __name__ == "__main__":
    main()
