"""What `om.estimate` says beforehand, beside what the fits then take.

    python -m bench.estimates                   # all workloads, one thread: about two minutes
    python -m bench.estimates --only a,g-mnist --iterations 50

Each workload is looked at in a process of its own.  `shape`: the estimate from n, d and k alone;
`rows`: the estimate that has seen the rows.  Both are told how many iterations the fit makes, which
nobody knows beforehand, and each is over the seconds of the fit: the median of three from seeds 0
to 2, the first of which meets fresh memory.
"""

from __future__ import annotations

import warnings
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

import omnimeans as om
from bench import machine, workloads
from bench.workloads import Workload

OUT = machine.ROOT / "bench" / "RESULTS-estimates.md"
STARTS = ("random", "k-means++")
FITS = 3
WITHIN = 1.5
KEYS = "a,b,c,d,e,f-noise,f-mnist,g-noise,g-mnist,h,i,l,m,n-a,n-d,n-e,n-g"


def main(
    only: Annotated[str, typer.Option(help="workloads: keys or letters")] = "",
    iterations: Annotated[int, typer.Option(help="most iterations of a fit")] = 20,
    threads: Annotated[int, typer.Option(help="threads")] = 1,
    out: Annotated[Path, typer.Option(help="file of the table, if all were run")] = OUT,
) -> None:
    """Print estimates and measurements side by side."""
    lines = [
        "| workload | n x d, k | start | passes | fit, ms | shape | rows | trials, s | made by |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    print(*lines, sep="\n", flush=True)
    ratios: list[list[float]] = [[], []]
    for workload in workloads.select(only or KEYS):
        with get_context("spawn").Pool(1) as pool:
            found = pool.apply(compared, (workload.key, iterations, threads))
        for line, *both in found:
            lines.append(line)
            print(line, flush=True)
            for one, ratio in zip(ratios, both, strict=True):
                one.append(ratio)
    summary = []
    for name, some in zip(("shape", "rows"), ratios, strict=True):
        inside = sum(1 / WITHIN <= ratio <= WITHIN for ratio in some)
        summary.append(
            f"From the {name}: {inside} of {len(some)} within a factor of {WITHIN}; "
            f"lowest {min(some):.2f}, median {median(some):.2f}, highest {max(some):.2f}."
        )
    print("", *summary, sep="\n")
    if not only:
        about = machine.describe(threads, [])
        where = f"{about.get('processor', '')}, {threads} thread{'s' * (threads > 1)}, "
        where += f"{iterations} iterations at most"
        text = ["# Estimates", "", (__doc__ or "").strip(), "", where, "", *lines, "", *summary, ""]
        out.write_text("\n".join(text))


def compared(key: str, iterations: int, threads: int) -> list[tuple[str, float, float]]:
    """Return a line of the table, and both ratios, for each start."""
    warnings.simplefilter("ignore")
    workload = next(iter(workloads.select(key)))
    X = workload.data()
    om.KMeans(2, n_threads=threads).fit(X[:100])  # what is imported late
    return [_line(workload, X, init, iterations, threads) for init in STARTS]


def _line(
    workload: Workload, X: workloads.Array, init: str, iterations: int, threads: int
) -> tuple[str, float, float]:
    n, d = X.shape
    settings = {"init": init, "n_threads": threads}
    done: list[int] = []
    seconds = []
    for seed in range(FITS):
        model = om.KMeans(
            workload.k, n_init=1, max_iter=iterations, tol=0.0, random_state=seed, **settings
        )
        begun = perf_counter()
        model.fit(X)
        seconds.append(perf_counter() - begun)
        done.append(model.n_iter_)
    told = {"iterations": int(median(done)), **settings}
    begun = perf_counter()
    shape = om.estimate(n, d, workload.k, dtype=workload.dtype, **told)
    trials = perf_counter() - begun
    rows = om.estimate(X, k=workload.k, **told)
    took = median(seconds)
    by_shape, by_rows = shape.seconds / took, rows.seconds / took
    passes = "/".join(dict.fromkeys(record.algorithm for record in model.history_))
    size = f"{n:,} x {d}, {workload.k:,}"
    line = f"| ({workload.key}) {workload.title} | {size} | {init} | {told['iterations']} | "
    line += f"{1e3 * took:.0f} | {by_shape:.2f} | {by_rows:.2f} | {trials:.2f} | {passes} |"
    return line, by_shape, by_rows


if __name__ == "__main__":
    typer.run(main)
