"""Asks other libraries the torture set's questions, and prints a table for RELIABILITY.md.

Run it as a script, with the extra ``bench`` installed: ``python tests/torture_peers.py``.  Every
variant is asked in a process of its own, because some of these libraries abort theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections import Counter
from importlib.metadata import version
from typing import Any

import numpy as np

from judgement import Answer, Input
from torture_cases import CASES

VARIANTS = 8
PATIENCE = 60  # seconds


def omnimeans(given: Input) -> Answer:
    import omnimeans as om

    return _estimator(om.KMeans, given)


def sklearn(given: Input) -> Answer:
    from sklearn.cluster import KMeans

    return _estimator(KMeans, given)


def _estimator(kind: Any, given: Input) -> Answer:
    init = "k-means++" if given.init is None else given.init
    n_init = 5 if given.init is None else 1
    model = kind(
        given.k,
        init=init,
        n_init=n_init,
        max_iter=given.max_iter,
        tol=given.tol,
        random_state=given.seed,
    ).fit(given.X, sample_weight=given.weights)
    score = model.score(given.X, sample_weight=given.weights)
    return Answer(
        model.labels_, model.predict(given.X), model.cluster_centers_, model.inertia_, score
    )


def faiss(given: Input) -> Answer:
    """With all rows used, several starts, and enough iterations; it knows float32 only."""
    import faiss as library

    X = np.ascontiguousarray(given.X, dtype=np.float32)
    model = library.Kmeans(
        X.shape[1],
        given.k,
        niter=50,
        nredo=5 if given.init is None else 1,
        seed=given.seed + 1,
        min_points_per_centroid=1,
        max_points_per_centroid=len(X),
    )
    init = None if given.init is None else np.asarray(given.init, dtype=np.float32)
    model.train(X, init_centroids=init, weights=given.weights)
    away, labels = model.index.search(X, 1)
    weights = np.ones(len(X)) if given.weights is None else given.weights
    score = -float((away[:, 0].astype(float) * weights).sum())
    # it keeps no labels and no inertia of its own: both are those of a search afterwards
    return Answer(labels[:, 0], labels[:, 0], model.centroids, -score, score)


LIBRARIES = {"omnimeans": omnimeans, "sklearn": sklearn, "faiss": faiss}
PACKAGES = {"omnimeans": "omnimeans", "sklearn": "scikit-learn", "faiss": "faiss-cpu"}


def outcome(library: str, number: str, variant: int) -> str:
    """Ask one library for one variant; say "right", or what came instead."""
    case = next(case for case in CASES if case.number == number)
    given = case.make(np.random.default_rng([variant, len(number)]))
    warnings.simplefilter("ignore")
    try:
        found = LIBRARIES[library](given)
    except Exception as error:  # any: that is the question
        if given.refused and isinstance(error, (ValueError, RuntimeError)):
            return "right"
        return f"error: {type(error).__name__}"
    if given.refused:
        return "wrong: answers all the same"
    complaints = [check(given, found) for check in given.checks]
    return next((f"wrong: {said}" for said in complaints if said), "right")


def ask(library: str, number: str) -> list[str]:
    """Ask for all variants of a case; a process that dies or hangs is an outcome too."""
    found: list[str] = []
    while len(found) < VARIANTS:
        command = [sys.executable, __file__, library, number, str(len(found))]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            found.append("hangs")
            continue
        found += [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]
        if len(found) < VARIANTS:
            found.append(f"the process dies ({-done.returncode})")
    return found[:VARIANTS]


def summary(found: list[str]) -> str:
    """One cell of the table."""
    right = found.count("right")
    if right == len(found):
        return f"{right}/{len(found)}"
    worst, _ = Counter(said for said in found if said != "right").most_common(1)[0]
    return f"**{right}/{len(found)}** {worst.removeprefix('wrong: ')}"


def table() -> None:
    names = [f"{name} {version(PACKAGES[name])}" for name in LIBRARIES]
    print(f"| | input | {' | '.join(names)} |\n| --- | --- |{' --- |' * len(names)}")
    total: Counter[str] = Counter()
    for case in CASES:
        cells = []
        for library in LIBRARIES:
            found = ask(library, case.number)
            total[library] += found.count("right")
            cells.append(summary(found))
        print(f"| {case.number} | {case.says} | {' | '.join(cells)} |", flush=True)
    asked = VARIANTS * len(CASES)
    print(
        "| | right answers | " + " | ".join(f"{total[name]}/{asked}" for name in LIBRARIES) + " |"
    )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        table()
    else:
        for variant in range(int(sys.argv[3]), VARIANTS):
            print(json.dumps(outcome(sys.argv[1], sys.argv[2], variant)), flush=True)
