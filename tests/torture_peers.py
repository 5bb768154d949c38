"""Asks other libraries the torture set's questions, and prints a table for RELIABILITY.md.

Run it as a script, with the extra ``bench`` installed: ``python tests/torture_peers.py``.  The
libraries are asked in processes of their own, because some of them abort theirs: then another one
goes on with the next variant.
"""

from __future__ import annotations

import json
import os
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
PATIENCE = 60  # seconds that a process may take, and one more for each variant

Turn = tuple[str, int]  # the number of a case, and a variant


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


def ask(library: str, turns: list[Turn]) -> list[str]:
    """Ask for variants of cases; a process that dies or hangs is an outcome too."""
    found: list[str] = []
    while len(found) < len(turns):
        left = [f"{number}:{variant}" for number, variant in turns[len(found) :]]
        try:
            done = subprocess.run(
                [sys.executable, __file__, library, *left],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},  # more would only wait for each other
                timeout=PATIENCE + len(left),
            )
            said, end = done.stdout, f"the process dies ({-done.returncode})"
        except subprocess.TimeoutExpired as late:
            said, end = late.stdout or b"", "hangs"
        lines = said.decode().splitlines()
        found += [json.loads(line) for line in lines if line.startswith('"')]
        if len(found) < len(turns):
            found.append(end)
    return found


def column(library: str, most: dict[str, int]) -> dict[str, list[str]]:
    """What a library says to all cases, to so many variants of some of them."""
    asked = {case.number: range(most.get(case.number, VARIANTS)) for case in CASES}
    turns = [(number, variant) for number, variants in asked.items() for variant in variants]
    found = iter(ask(library, turns))
    return {number: [next(found) for _ in variants] for number, variants in asked.items()}


def summary(found: list[str]) -> str:
    """One cell of the table."""
    right = found.count("right")
    if right == len(found):
        return f"{right}/{len(found)}"
    worst, _ = Counter(said for said in found if said != "right").most_common(1)[0]
    return f"**{right}/{len(found)}** {worst.removeprefix('wrong: ')}"


def named(library: str) -> str:
    """A library and its version, as the table's head names them."""
    return f"{library} {version(PACKAGES[library])}"


def table() -> None:
    names = [named(library) for library in LIBRARIES]
    print(f"| | input | {' | '.join(names)} |\n| --- | --- |{' --- |' * len(names)}")
    columns = [column(library, {}) for library in LIBRARIES]
    for case in CASES:
        cells = [summary(found[case.number]) for found in columns]
        print(f"| {case.number} | {case.says} | {' | '.join(cells)} |")
    right = [sum(said.count("right") for said in found.values()) for found in columns]
    asked = VARIANTS * len(CASES)
    print(f"| | right answers | {' | '.join(f'{count}/{asked}' for count in right)} |")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        table()
    else:
        for turn in sys.argv[2:]:
            number, variant = turn.split(":")
            print(json.dumps(outcome(sys.argv[1], number, int(variant))), flush=True)
