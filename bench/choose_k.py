"""How often the verdict is right: real data of known k, and data without clusters.

    python -m bench.choose_k                    # all of it, ten seeds: some minutes
    python -m bench.choose_k --only s1,iris --seeds 2

Data with a known number of clusters are the same for every seed, which then draws starts, samples
and references; data without clusters are drawn anew.  Every k up to twice the true one is tried.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import omnimeans as om
from bench import machine
from bench.workloads import Array

NONE = "no cluster structure"
OUT = machine.ROOT / "bench" / "RESULTS-choose-k.md"


@dataclass(frozen=True)
class Case:
    """Data, and what the verdict should say about them."""

    name: str
    source: str
    data: Callable[[int], Array]  # seed -> rows
    right: tuple[int, ...]  # 1: no cluster structure
    most: int  # largest k that is tried


def table(name: str, seed: int) -> Array:
    path = Path(os.environ.get("OMNIMEANS_DATA", "../shared/data")) / name
    if not path.is_file():
        raise FileNotFoundError(f"no {name} in {path.parent} (set OMNIMEANS_DATA)")
    return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None)


def iris(seed: int) -> Array:
    from sklearn.datasets import load_iris

    return load_iris().data


def uniform(n: int, d: int, seed: int) -> Array:
    return np.random.default_rng([seed, d]).uniform(size=(n, d))


def normal(n: int, d: int, seed: int) -> Array:
    return np.random.default_rng([seed, d]).normal(size=(n, d))


def stretched(n: int, d: int, seed: int) -> Array:
    """One cloud, ten times as long in one direction as in the last, turned at random."""
    rng = np.random.default_rng([seed, d])
    turned = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return rng.normal(size=(n, d)) * np.geomspace(10.0, 1.0, d) @ turned


def heavy(n: int, d: int, seed: int) -> Array:
    """One cloud with heavy tails: Student's t with 3 degrees of freedom in every direction."""
    return np.random.default_rng([seed, d]).standard_t(3.0, size=(n, d))


UEF, FRITZKE = "Fränti and Sieranoja 2018", "Fritzke 2020"
FILES = {
    "s1": ("uef/s1.txt", UEF, 15), "s2": ("uef/s2.txt", UEF, 15), "a1": ("uef/a1.txt", UEF, 20),
    "a3": ("uef/a3.txt", UEF, 50), "unbalance": ("uef/unbalance.txt", UEF, 8),
    "birch1": ("uef/birch1.txt", UEF, 100), "dim32": ("uef/dim32.txt", UEF, 16),
    "R15": ("breathing-k-means/R15.csv", "Veenman et al. 2002", 15),
    "D31": ("breathing-k-means/D31.csv", "Veenman et al. 2002", 31),
    "gmd5x5": ("breathing-k-means/gmd5x5.csv", FRITZKE, 25),
}  # fmt: skip
SHAPES: dict[str, Callable[[int, int, int], Array]] = {
    "uniform": uniform, "normal": normal, "stretched": stretched, "heavy-tailed": heavy,
}  # fmt: skip

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        *(
            Case(name, source, partial(table, path), (k,), 110 if k == 100 else 2 * k)
            for name, (path, source, k) in FILES.items()
        ),
        Case("iris", "Fisher 1936", iris, (2, 3), 10),
        *(
            Case(f"{shape} {n} x {d}", "drawn", partial(draw, n, d), (1,), 20)
            for shape, draw in SHAPES.items()
            for n in (200, 1000)
            for d in (2, 8, 32)
        ),
    )
}


def main(
    only: Annotated[str, typer.Option(help="cases by name, with commas between")] = "",
    seeds: Annotated[int, typer.Option(help="seeds of each case")] = 10,
    out: Annotated[Path, typer.Option(help="file of the table, if all cases were run")] = OUT,
) -> None:
    """Sweep each case with each seed, and count how often the verdict is right."""
    names = [name.strip() for name in only.split(",")] if only else list(CASES)
    if unknown := [name for name in names if name not in CASES]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(CASES)}")
    lines = [
        "| data | rows x features | right k | tried | right | verdicts | agreement |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    print(*lines, sep="\n", flush=True)
    for name in names:
        lines.append(judged(CASES[name], seeds))
        print(lines[-1], flush=True)
    if not only:
        out.write_text("\n".join(["# Choosing k", "", __doc__ or "", "", *lines, ""]))


def judged(case: Case, seeds: int) -> str:
    """Return the line of the table for one case."""
    right, said, agreed = 0, Counter[str](), []
    for seed in range(seeds):
        X = case.data(seed)
        verdict = om.sweep(X, range(1, case.most + 1), random_state=seed).verdict
        right += verdict.k in case.right
        agreed.append(verdict.agreement)
        said[verdict.outcome if verdict.outcome != "clear" else f"k = {verdict.k}"] += 1
    wanted = "none" if case.right == (1,) else " or ".join(map(str, case.right))
    verdicts = ", ".join(f"{what} ({count})" for what, count in said.most_common())
    shape = f"{X.shape[0]:,} x {X.shape[1]}"
    return (
        f"| {case.name} | {shape} | {wanted} | 1-{case.most} | {right} of {seeds} | {verdicts} "
        f"| {np.mean(agreed):.2f} |"
    )


if __name__ == "__main__":
    typer.run(main)
