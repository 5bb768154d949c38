"""Codebooks beside faiss: very many centres, and product quantisation.

    python -m bench.codebooks pq                # 8 codebooks of 256 centres: about a minute
    python -m bench.codebooks many              # k = 10,000: faiss takes many minutes
    python -m bench.codebooks many --rows 200000 --k 2000

The rows are 1,000,000 x 128 in float32, a mixture of 2,000 gaussians of rank 16 in noise.  All rows
are used on both sides: faiss's `max_points_per_centroid` is raised.  Each contender runs in a
process of its own on the same threads, one after another; the inertia is worked out afterwards from
the centres of each, for all rows, by the same exact pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

from bench import machine
from bench.workloads import Array

OUT = machine.ROOT / "bench" / "RESULTS-codebooks.md"
BLOCKS, WORDS = 8, 256  # of product quantisation
COMPONENTS, RANK, NOISE = 2_000, 16, 0.3

app = typer.Typer(help=__doc__)


def rows(n: int, d: int = 128) -> Array:
    """Overlapping clusters, each spread along few directions, as descriptors are."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((COMPONENTS, d), dtype=np.float32)
    axes = rng.standard_normal((COMPONENTS, RANK, d), dtype=np.float32) / np.float32(RANK**0.5)
    X = np.empty((n, d), dtype=np.float32)
    for number, some in enumerate(np.array_split(np.arange(n), COMPONENTS)):
        along = rng.standard_normal((len(some), RANK), dtype=np.float32)
        X[some] = middles[number] + along @ axes[number]
    X += np.float32(NOISE) * rng.standard_normal((n, d), dtype=np.float32)
    rng.shuffle(X)
    return X


def own_flat(X: Array, k: int, iterations: int) -> list[Array]:
    import omnimeans as om

    model = om.KMeans(k, init="random", n_init=1, max_iter=iterations, tol=0.0, random_state=0)
    return [model.fit(X).cluster_centers_]


def own_tree(X: Array, k: int, refine: int) -> list[Array]:
    import omnimeans as om

    many = round(k**0.5)
    model = om.HierarchicalKMeans(k, branching=many, refine=refine, random_state=0)
    return [model.fit(X).cluster_centers_]


def own_many(X: Array, k: int, iterations: int) -> list[Array]:
    import omnimeans as om

    found = om.fit_many(
        X, k, parts=BLOCKS, init="random", max_iter=iterations, tol=0.0, random_state=0
    )
    return list(found.centers)


def faiss_flat(X: Array, k: int, iterations: int) -> list[Array]:
    import faiss

    model = faiss.Kmeans(X.shape[1], k, niter=iterations, max_points_per_centroid=len(X), seed=1)
    model.train(X)
    return [model.centroids]


def faiss_many(X: Array, k: int, iterations: int) -> list[Array]:
    import faiss

    quantizer = faiss.ProductQuantizer(X.shape[1], BLOCKS, int(np.log2(k)))
    quantizer.cp.niter, quantizer.cp.max_points_per_centroid = iterations, len(X)
    quantizer.train(X)
    centers = faiss.vector_to_array(quantizer.centroids)
    return list(centers.reshape(BLOCKS, k, -1))


# what is run: name, how often it iterates (a tree: over all centres, at the end)
Job = tuple[str, Callable[[Array, int, int], list[Array]], int]


def jobs(what: str, iterations: int) -> dict[str, Job]:
    """Return the contenders by name."""
    if what == "pq":
        return {
            "omnimeans": ("om.fit_many", own_many, iterations),
            "faiss": ("faiss.ProductQuantizer", faiss_many, iterations),
        }
    return {
        "tree": ("om.HierarchicalKMeans", own_tree, 4),
        "flat": ("om.KMeans", own_flat, iterations),
        "longer": ("om.KMeans", own_flat, iterations + 2),
        "faiss": ("faiss.Kmeans", faiss_flat, iterations),
    }


def inertia(X: Array, books: list[Array]) -> float:
    """Return the objective over all blocks of columns."""
    from omnimeans.distances import DISTANCES
    from omnimeans.engines import open_engine

    engine, euclidean, total = open_engine("cpu"), DISTANCES["euclidean"], 0.0
    for columns, centers in zip(np.split(X, len(books), axis=1), books, strict=True):
        part, centers = np.ascontiguousarray(columns), np.ascontiguousarray(centers)
        labels = engine.nearest(part, centers, euclidean)
        total += engine.total(engine.own(part, centers, labels, euclidean), None)
    return total


@app.command()
def child(what: str, name: str, path: Path, k: int, iterations: int) -> None:
    """Run one contender (used by the other commands)."""
    warnings.simplefilter("ignore")
    X = np.load(path)
    _, run, count = jobs(what, iterations)[name]
    run(X[:5_000], 2 if what == "many" else 16, 1)  # what is imported late, threads, pages
    begun = perf_counter()
    books = run(X, k, count)
    print(json.dumps({"seconds": perf_counter() - begun, "inertia": inertia(X, books)}))


def compare(what: str, k: int, iterations: int, n: int, only: str) -> list[str]:
    """Run the contenders one after another; return the lines of the table."""
    lines = [
        "| what | iterations | seconds | inertia | times the seconds | inertia, % |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    print(*lines, sep="\n", flush=True)
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="omnimeans-bench-") as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, rows(n))
        for name, (title, _, count) in jobs(what, iterations).items():
            if only and name not in only.split(","):
                continue
            words = [what, name, str(path), str(k), str(iterations)]
            ran = subprocess.run(
                [sys.executable, "-m", "bench.codebooks", "child", *words],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
            first = first or found
            times = found["seconds"] / first["seconds"]
            more = 100.0 * (found["inertia"] / first["inertia"] - 1.0)
            seconds, total = f"{found['seconds']:.1f}", f"{found['inertia']:.6g}"
            lines.append(f"| {title} | {count} | {seconds} | {total} | {times:.2f} | {more:+.2f} |")
            print(lines[-1], flush=True)
    return lines


def keep(out: Path, title: str, lines: list[str]) -> None:
    """Put a section into the file of results, in the place of the one with its title."""
    about = machine.describe(0, [])
    head = f"# Codebooks\n\n{(__doc__ or '').strip()}\n"
    sections = out.read_text().split("\n## ")[1:] if out.exists() else []
    sections = [text.strip() for text in sections if not text.startswith(title + "\n")]
    sections.append("\n".join([title, "", f"{about.get('processor', '')}", "", *lines]))
    out.write_text("\n## ".join([head, *(text + "\n" for text in sections)]))


@app.command()
def pq(
    n: Annotated[int, typer.Option("--rows")] = 1_000_000,
    iterations: int = 25,
    only: str = "",
    out: Path = OUT,
) -> None:
    """Train 8 codebooks of 256 centres, each on 16 of the 128 columns."""
    lines = compare("pq", WORDS, iterations, n, only)
    keep(out, f"Product quantisation, {BLOCKS} x {WORDS} centres, {n:,} rows", lines)


@app.command()
def many(
    n: Annotated[int, typer.Option("--rows")] = 1_000_000,
    k: int = 10_000,
    iterations: int = 10,
    only: str = "",
    out: Path = OUT,
) -> None:
    """Find very many centres of all columns."""
    lines = compare("many", k, iterations, n, only)
    keep(out, f"Many centres, k = {k:,}, {n:,} rows", lines)


if __name__ == "__main__":
    app()
