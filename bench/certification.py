"""What proof costs: the pass that certifies its labels beside the same pass without it.

``python -m bench.certification`` prints, for each workload, one assignment of all rows with proof
(screen, second best, error bound, and exact distances for the rows in doubt), the same kernels
without any of it (``certify.cpp``), what the proof adds, and the share of the rows re-decided.  The
limits are 5 % from 16 features on and 30 % up to 4.  One thread; each is the best of several runs,
and the two take turns.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bench.machine import ROOT
from bench.workloads import select, starting_rows

OPTIONS = (
    "-std=c++20", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast",
    "-fno-math-errno", "-Wno-psabi", "-w", "-DOMNIMEANS_KERNELS=bench",
)  # fmt: skip
ROUNDS = 3
LIMITS = ((16, 0.05), (1, 0.30))  # from so many features on, proof may add so much


@dataclass(frozen=True)
class Cost:
    """Seconds of a pass with and without proof, and the share of rows that D decided."""

    key: str
    features: int
    proven: float
    plain: float
    redecided: float

    @property
    def added(self) -> float:
        """What proof adds to the time."""
        return self.proven / self.plain - 1.0

    @property
    def limit(self) -> float:
        """What it may add."""
        return next(limit for least, limit in LIMITS if self.features >= least)


def compiled(folder: Path) -> Path:
    """Build the pass without proof; return the program."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise FileNotFoundError("no C++ compiler found; install g++ or clang++")
    program = folder / "certify"
    source, native = ROOT / "bench" / "certify.cpp", ROOT / "native"
    subprocess.run([compiler, *OPTIONS, f"-I{native}", str(source), "-o", str(program)], check=True)
    return program


def measure(key: str, program: Path, folder: Path) -> Cost:
    """Time both passes on one workload, taking turns."""
    import omnimeans as om
    from omnimeans import _core

    [workload] = select(key)
    X = workload.data().astype(np.float32)
    start = starting_rows(X, workload.k)
    model = om.KMeans(workload.k, init=start, n_init=1, max_iter=3, tol=0, algorithm="brute")
    model.fit(X)
    centers = np.ascontiguousarray(model.cluster_centers_, np.float32)
    redecided = model.history_[-1].redecided / len(X)
    X.tofile(folder / "rows")
    centers.tofile(folder / "centers")
    shape = [str(size) for size in (*X.shape, workload.k)]
    command = [str(program), str(folder / "rows"), str(folder / "centers"), *shape]
    proven, plain = [], []
    for _ in range(ROUNDS):
        for _ in range(5):
            begin = time.perf_counter()
            labels: Any = _core.nearest(X, centers, "euclidean", 1)
            proven.append(time.perf_counter() - begin)
        said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        plain.append(said["seconds"])
    wrong = abs(said["labels"] - int(labels.sum())) / (len(X) * workload.k)
    if wrong > 0.01:
        raise RuntimeError(f"({key}) the pass without proof finds other centres")
    return Cost(key, X.shape[1], min(proven), min(plain), redecided)


def main(
    only: Annotated[str, typer.Option(help="workloads, with one thread")] = "a,b,c,d,e,g-noise,h",
) -> None:
    """Print what certification costs on each workload."""
    print("| workload | d | with proof, ms | without, ms | added | limit | re-decided |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="omnimeans-certify-") as name:
        folder = Path(name)
        program = compiled(folder)
        for workload in select(only):
            cost = measure(workload.key, program, folder)
            print(
                f"| {cost.key} | {cost.features} | {1e3 * cost.proven:.2f} | "
                f"{1e3 * cost.plain:.2f} | {cost.added:+.1%} | {cost.limit:.0%} | "
                f"{cost.redecided:.3%} |",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)
