"""What a Dask cluster costs: beside threads, beside dask-ml, and beside the model in the guide.

    python -m bench.distributed compare    # 2 threads, 2 worker processes, dask-ml where installed
    python -m bench.distributed model      # 1, 2 and 4 workers: an iteration, measured and foretold

Rows are seeded, block by block, on the workers that keep them.  Each command adds its table to
bench/RESULTS-distributed.md, or to the file named by --out.  dask-ml: pip install dask-ml==2025.1.0
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import omnimeans as om
from bench import machine

OUT = machine.ROOT / "bench" / "RESULTS-distributed.md"
HEAD = (
    "# On a Dask cluster\n\nMade by `python -m bench.distributed`; the newest run of each last.\n"
)
SPREAD = 1.0  # of the middles of the blobs, which have deviation 1 in each feature


def block(number: int, m: int, d: int, k: int) -> Any:
    """Rows of overlapping blobs; the same for the same numbers, wherever they are made."""
    middles = np.random.default_rng(7).normal(0, SPREAD, (k, d)).astype(np.float32)
    rng = np.random.default_rng([11, number])
    return middles[rng.integers(0, k, m)] + rng.standard_normal((m, d), dtype=np.float32)


def sizes(rows: int, blocks: int) -> list[int]:
    return [len(part) for part in np.array_split(np.empty(rows, dtype=bool), blocks)]


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """A scheduler and worker processes of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
        ) as made,
        Client(made) as client,
    ):
        yield client


def on_workers(client: Any, rows: int, blocks: int, d: int, k: int) -> Any:
    """The same rows as a Dask array, in the workers' memory."""
    import dask.array as da
    from dask import delayed

    from distributed import wait

    parts = [
        da.from_delayed(delayed(block)(i, m, d, k), (m, d), dtype=np.float32)
        for i, m in enumerate(sizes(rows, blocks))
    ]
    X = da.concatenate(parts).persist()
    wait(X, timeout=300)
    return X


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.perf_counter()
        made = work()
        return time.perf_counter() - begin, made


def compare(given: argparse.Namespace) -> list[str]:
    """Fits of the same rows from the same centres: seconds, inertia."""
    n, d, k = given.rows, given.columns, given.k
    X = np.concatenate([block(i, m, d, k) for i, m in enumerate(sizes(n, given.blocks))])
    start = X[np.random.default_rng(0).choice(n, k, replace=False)]
    how: dict[str, Any] = {"n_clusters": k, "n_init": 1, "tol": 0.0, "random_state": 0}
    how |= {"max_iter": given.iterations}
    found: list[tuple[str, str, float, float, int]] = []

    def note(name: str, init: str, seconds: float, inertia: float, iterations: int) -> None:
        found.append((name, init, seconds, inertia, iterations))
        print(f"{name}, {init}: {seconds:.2f} s, inertia {inertia:.6e}", flush=True)

    inits = {"given": start, "k-means||": "k-means||", "k-means++": "k-means++"}
    inits = {name: inits[name] for name in given.inits.split(",")}
    for name, init in inits.items():
        own = om.KMeans(**how, init=init, n_threads=2)
        for _ in range(given.repeat):
            seconds, model = timed(lambda own=own, X=X: own.fit(X))
            note("2 threads", name, seconds, model.inertia_, model.n_iter_)
    small = X[:1].copy()
    del X, model
    centers: list[tuple[str, float, int, Any]] = []
    with cluster(2) as client:
        rows = on_workers(client, n, given.blocks, d, k)
        client.run(om.KMeans(1).fit, small)  # import
        for name, init in inits.items():
            ours = om.KMeans(**how, init=init, engine=client)
            for _ in range(given.repeat):
                seconds, model = timed(lambda ours=ours: ours.fit(rows))
                note("2 workers", name, seconds, model.inertia_, model.n_iter_)
        for name, init in inits.items():
            if name != "k-means++":  # which dask-ml has on one machine only
                centers += dask_ml(rows, how, name, init)
        for name, seconds, iterations, found_centers in centers:
            # its own inertia_ sums distances that are not squared, so it is taken again
            judge = om.KMeans(k, init=found_centers, n_init=1, max_iter=1, engine=client)
            inertia = timed(lambda judge=judge: judge.fit(rows))[1].history_[0].inertia
            note("dask-ml", name, seconds, inertia, iterations)
    lines = [
        "| made by | start | seconds | iterations | inertia |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    named = [(a, b.replace("|", "\\|"), s, e, i) for a, b, s, e, i in found]
    lines += [f"| {a} | {b} | {s:.2f} | {i} | {e:.6e} |" for a, b, s, e, i in named]
    return [*lines, "", *ratios(found)]


def dask_ml(rows: Any, how: dict[str, Any], name: str, init: Any) -> list[Any]:
    try:
        from dask_ml.cluster import KMeans
    except ImportError as error:
        print(f"dask-ml: not measured ({error})")
        return []
    theirs = KMeans(**{key: how[key] for key in ("n_clusters", "max_iter", "tol")}, init=init)
    theirs.set_params(random_state=0)
    seconds, model = timed(lambda: theirs.fit(rows))
    return [(name, seconds, model.n_iter_, np.asarray(model.cluster_centers_, dtype=np.float32))]


def ratios(found: list[tuple[str, str, float, float, int]]) -> list[str]:
    """What the quickest fits of each say about each other."""
    best: dict[tuple[str, str], float] = {}
    for name, init, seconds, *_ in found:
        best[name, init] = min(seconds, best.get((name, init), np.inf))
    said = []
    for (name, init), seconds in best.items():
        if name == "2 workers":
            line = f"{init}: {seconds / best['2 threads', init]:.2f} times 2 threads"
            if ("dask-ml", init) in best:
                line += f"; dask-ml takes {best['dask-ml', init] / seconds:.1f} times as long"
            said.append(f"- {line}.")
    print("\n".join(said))
    return said


def model(given: argparse.Namespace) -> list[str]:
    """Seconds and bytes of an iteration, measured and by the model of docs/guide/dask.md."""
    n, d, k = given.rows, given.columns, given.k
    start = block(0, k, d, k)
    some = block(0, min(n, 500_000), d, k)
    alone = om.KMeans(k, init=start, n_init=1, tol=0.0, max_iter=4, n_threads=1, algorithm="brute")
    rate = 2 * len(some) * k * d / seconds_of(timed(lambda: alone.fit(some))[1])
    print(f"one core: {rate / 1e9:.1f} GFLOP/s", flush=True)
    lines = [
        f"One core, measured: {rate / 1e9:.1f} · 10⁹ flops a second.",
        "",
        "| workers | seconds | foretold | of these, a call | MB over the network | foretold |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for workers in map(int, given.workers.split(",")):
        with cluster(workers) as client:
            X = on_workers(client, n, given.blocks, d, k)
            fit = om.KMeans(k, init=start, n_init=1, tol=0.0, algorithm="brute", engine=client)
            marks: list[tuple[int, float]] = []
            fit.set_params(max_iter=given.iterations)
            fit.set_params(callback=lambda *_, marks=marks: marks.append((sent(), time.time())))
            timed(lambda fit=fit, X=X: fit.fit(X))
            moved = float(np.median(np.diff([bytes_ for bytes_, _ in marks][: given.iterations])))
            latency = round_trip(client)
        cores = min(workers, len(os.sched_getaffinity(0)))
        foretold = 2 * n * k * d / (cores * rate) + latency
        told, answered = 2 * k * d * 4, 16 * k * (d + 1)  # both by way of the scheduler
        traffic = (1 + workers) * told + 2 * workers * answered
        measured = seconds_of(fit)
        line = f"| {workers} | {measured:.3f} | {foretold:.3f} | {latency:.4f} | "
        lines.append(line + f"{moved / 1e6:.2f} | {traffic / 1e6:.2f} |")
        print(lines[-1], flush=True)
    return lines


def seconds_of(model: Any) -> float:
    """The median iteration, without the first, for which workers set up what they keep."""
    return float(np.median([step.seconds for step in model.history_[1:]]))


def round_trip(client: Any) -> float:
    """Seconds in which all workers answer a call that asks for nothing."""
    found = []
    for _ in range(21):
        begin = time.perf_counter()
        client.run(int, workers=list(client.nthreads()))
        found.append(time.perf_counter() - begin)
    return float(np.median(found))


def sent() -> int:
    """Bytes that have gone over loopback since the machine was started."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[8])
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["compare", "model"])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--inits", default="given,k-means||")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    lines = {"compare": compare, "model": model}[given.what](given)
    about = machine.describe(2, [])
    versions = ", ".join(f"{name} {installed(name)}" for name in ("dask", "distributed", "dask-ml"))
    title = f"## {given.what}: {given.rows:,} x {given.columns}, k = {given.k}"
    keys = ("processor", "cores", "memory", "system", "load before", "kernels", "commit", "date")
    notes = [f"- {key}: {about[key]}" for key in keys]
    notes.append(f"- versions: {versions}, {about['versions']}")
    text = given.out.read_text() if given.out.exists() else HEAD
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text("\n".join([text, title, "", *lines, "", *notes, ""]))


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
