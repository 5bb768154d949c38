"""MiniBatchKMeans beside scikit-learn's, at equal time and at equal inertia.

    python -m bench.minibatch                   # all of it: about a minute
    python -m bench.minibatch --seeds 9

Whole fits in float32 on one thread, both libraries in turns, after one fit each that is not
counted; medians over the seeds.  scikit-learn has its defaults; ours has its defaults, and a
smaller `max_iter`, with which it stops earlier.  Inertia is worked out here, in float64, from the
centres that each of them returned.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import sklearn.cluster
import typer
from sklearn.metrics import pairwise_distances_argmin_min
from threadpoolctl import threadpool_limits

import omnimeans as om
from bench import machine
from bench.choose_k import table
from bench.workloads import Array, mnist

OUT = machine.ROOT / "bench" / "RESULTS-minibatch.md"
THEIRS = "scikit-learn"
SHARE = 0.5  # of scikit-learn's time, in which its inertia is to be reached


@dataclass(frozen=True)
class Case:
    """Rows, and how many centres they get."""

    name: str
    data: Callable[[], Array]
    k: int


@dataclass(frozen=True)
class Timed:
    """The medians of one library with one setting."""

    seconds: float
    inertia: float


CASES = (
    Case("MNIST", partial(mnist, 60_000), 10),
    Case("MNIST", partial(mnist, 60_000), 100),
    Case("birch1", partial(table, "uef/birch1.txt", 0), 100),
)
OURS: dict[str, dict[str, Any]] = {
    "max_iter=1": {"max_iter": 1},
    "max_iter=2": {"max_iter": 2},
    "defaults": {},
}


def makers(k: int) -> dict[str, Callable[[int], Any]]:
    """Return what makes each estimator for a seed, by its setting."""
    return {
        THEIRS: lambda seed: sklearn.cluster.MiniBatchKMeans(k, random_state=seed),
        **{
            name: partial(om_model, k, options=options) for name, options in OURS.items()
        },
    }  # fmt: skip


def om_model(k: int, seed: int, options: dict[str, Any]) -> om.MiniBatchKMeans:
    return om.MiniBatchKMeans(k, random_state=seed, n_threads=1, **options)


def inertia(X: Array, centers: Array) -> float:
    """Return the inertia of these centres, independently of both libraries' own figures."""
    away = pairwise_distances_argmin_min(X, centers.astype(np.float64), metric="sqeuclidean")[1]
    return float(away.sum())


def measured(case: Case, seeds: int) -> dict[str, Timed]:
    """Return the medians of all settings; they take turns, in an order that rotates."""
    X = np.ascontiguousarray(case.data(), dtype=np.float32)
    precise, made = X.astype(np.float64), makers(case.k)
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in made}
    for make in made.values():
        make(seeds).fit(X)
    for seed in range(seeds):
        names = list(made)
        for name in names[seed % len(names) :] + names[: seed % len(names)]:
            model = made[name](seed)
            start = time.perf_counter()
            model.fit(X)
            seconds = time.perf_counter() - start
            samples[name].append((seconds, inertia(precise, model.cluster_centers_)))
    return {
        name: Timed(*(median(column) for column in zip(*pairs, strict=True)))
        for name, pairs in samples.items()
    }


def verdicts(found: dict[str, Timed]) -> list[tuple[str, str, str]]:
    """Return target, figure and whether it is reached, for both of them."""
    theirs = found[THEIRS]
    ours = {name: found[name] for name in OURS}
    in_time = {name: row for name, row in ours.items() if row.seconds <= theirs.seconds}
    as_good = {name: row for name, row in ours.items() if row.inertia <= theirs.inertia}
    lines = []
    if in_time:
        name = min(in_time, key=lambda name: in_time[name].inertia)
        share = in_time[name].inertia / theirs.inertia
        lines.append(("lower inertia, at no more time", f"{share:.4f} ({name})", share < 1.0))
    else:
        lines.append(("lower inertia, at no more time", "always slower", False))
    if as_good:
        name = min(as_good, key=lambda name: as_good[name].seconds)
        share = as_good[name].seconds / theirs.seconds
        lines.append(("its inertia, in half its time", f"{share:.2f} ({name})", share <= SHARE))
    else:
        lines.append(("its inertia, in half its time", "never as low", False))
    return [(target, figure, "yes" if reached else "**no**") for target, figure, reached in lines]


def report(rows: list[tuple[Case, dict[str, Timed]]], about: dict[str, Any], seeds: int) -> str:
    """Return the stored page."""
    lines = ["# MiniBatchKMeans", "", __doc__ or "", f"Seeds: {seeds}", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += ["", "## Targets", "", "Figures are shares of scikit-learn's.", ""]
    lines += ["| data | k | target | figure | reached |", "| --- | ---: | --- | ---: | --- |"]
    lines += [
        f"| {case.name} | {case.k} | {target} | {figure} | {reached} |"
        for case, found in rows
        for target, figure, reached in verdicts(found)
    ]
    lines += ["", "## Medians", ""]
    lines += ["| data | k | | seconds | inertia |", "| --- | ---: | --- | ---: | ---: |"]
    lines += [
        f"| {case.name} | {case.k} | {name if name == THEIRS else 'omnimeans, ' + name} "
        f"| {one.seconds:.4f} | {one.inertia:.6g} |"
        for case, found in rows
        for name, one in found.items()
    ]
    return "\n".join([*lines, ""])


def main(
    seeds: Annotated[int, typer.Option(help="fits of each library and setting")] = 5,
    out: Annotated[Path, typer.Option(help="file of the report")] = OUT,
) -> None:
    """Fit both libraries' MiniBatchKMeans, and store what they took and what they found."""
    about = machine.describe(1, [])
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a small max_iter ends a fit early
        rows = [(case, measured(case, seeds)) for case in CASES]
    page = report(rows, about, seeds)
    print(page)
    out.write_text(page)


if __name__ == "__main__":
    typer.run(main)
