"""What a sweep over 1 to 20 clusters costs, counted in single fits with 20 clusters.

    python -m bench.sweep                       # all workloads, one thread
    python -m bench.sweep --only blobs,birch1   # some

Single fit: `KMeans(20)` with its defaults, the median over the seeds.  Fits: `sweep(X, range(1,
21))` without references and subsamples, that is all twenty fits and every score that they give by
themselves, silhouettes included.  Everything: with gap statistic (20 references) and stability (10
subsamples) too; these work on a sample of 2,000 rows, however many there are.
Inertia: that of the sweep's fit with 20 clusters over the lowest of the single fits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

import omnimeans as om
from bench import machine, workloads
from bench.choose_k import table
from bench.workloads import Array

K = 20
OUT = machine.ROOT / "bench" / "RESULTS-sweep.md"


def from_file(name: str) -> Array:
    return table(name, 0)


WORKLOADS: dict[str, tuple[str, Callable[[], Array]]] = {
    "blobs": ("20 blobs", partial(workloads.blobs, 1_000_000, 2, 20, 1.0)),
    "birch1": ("birch1", partial(from_file, "uef/birch1.txt")),
    "mixture": ("gaussian mixture, 20 parts", partial(workloads.mixture, 200_000, 16, 20, 4.0)),
    "mixture64": ("gaussian mixture, 256 parts", partial(workloads.mixture, 100_000, 64, 256, 1.0)),
    "noise": ("uniform noise", partial(workloads.noise, 200_000, 16)),
    "mnist": ("MNIST", partial(workloads.mnist, 60_000)),
    "s1": ("s1", partial(from_file, "uef/s1.txt")),
}


def main(
    only: Annotated[str, typer.Option(help="workloads by name, with commas between")] = "",
    seeds: Annotated[int, typer.Option(help="single fits of each")] = 3,
    threads: Annotated[int, typer.Option(help="threads")] = 1,
    out: Annotated[Path, typer.Option(help="file of the table, if all were run")] = OUT,
) -> None:
    """Time single fits and sweeps, and print one beside the other."""
    names = [name.strip() for name in only.split(",")] if only else list(WORKLOADS)
    if unknown := [name for name in names if name not in WORKLOADS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(WORKLOADS)}")
    lines = [
        "| data | rows x features | single fit | fits and their scores | everything | inertia |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    print(*lines, sep="\n", flush=True)
    for name in names:
        title, data = WORKLOADS[name]
        lines.append(measured(title, np.float32(data()), seeds, threads))
        print(lines[-1], flush=True)
    if not only:
        about = machine.describe(threads, [])
        where = f"{about.get('processor', '')}, {threads} thread{'s' * (threads > 1)}"
        out.write_text("\n".join(["# A sweep", "", __doc__ or "", where, "", *lines, ""]))


def measured(title: str, X: Array, seeds: int, threads: int) -> str:
    """Return the line of the table for one workload."""
    om.sweep(X[:3000], range(1, K + 1), random_state=0, n_threads=threads)  # warm up
    singles, lowest = [], float("inf")
    for seed in range(seeds):
        begun = perf_counter()
        model = om.KMeans(K, random_state=seed, n_threads=threads).fit(X)
        singles.append(perf_counter() - begun)
        lowest = min(lowest, model.inertia_)
    single = median(singles)

    def swept(**settings: Any) -> tuple[float, om.Sweep]:
        begun = perf_counter()
        found = om.sweep(X, range(1, K + 1), random_state=0, n_threads=threads, **settings)
        return perf_counter() - begun, found

    fits, _ = swept(n_references=0, n_subsamples=0)
    everything, found = swept()
    return (
        f"| {title} | {X.shape[0]:,} x {X.shape[1]} | {single:.3f} s "
        f"| {fits:.2f} s ({fits / single:.1f}x) | {everything:.2f} s ({everything / single:.1f}x) "
        f"| {found.row(K).inertia / lowest:.4f} |"
    )


if __name__ == "__main__":
    typer.run(main)
