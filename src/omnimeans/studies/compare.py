"""Fair comparisons: every contestant gets the same rows, start, stopping rule and threads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from sklearn import cluster
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from omnimeans._types import I32, I64, Floats
from omnimeans.datasets import Dataset
from omnimeans.estimators import KMeans
from omnimeans.lloyd.model import ESTIMATORS
from omnimeans.metrics import (
    adjusted_rand_index,
    contingency_matrix,
    purity_score,
    rand_index,
)
from omnimeans.studies.records import Classes, Comparison, Run

MAX_ITER = 1000
REPEATS, ENOUGH = 5, 0.5  # a fit is repeated so often, or until so many seconds have passed
SEED = 0  # of a contestant's own random starts


@dataclass(frozen=True, slots=True)
class Contestant:
    """Someone who clusters: a library, a distance, and how to make the estimator."""

    library: str
    metric: str
    make: Callable[..., Any]  # max_iter -> a new estimator


def random_start(data: Dataset, k: int, seed: int) -> Floats:
    """Return `k` different rows as the start that all contestants are given."""
    rng = np.random.default_rng(seed)
    return data.X[rng.choice(len(data.X), size=k, replace=False)]


def both(n_threads: int, **params: Any) -> list[Contestant]:
    """Return omnimeans and scikit-learn with the same parameters, by squared distance."""
    return [
        Contestant("omnimeans", "euclidean", partial(KMeans, n_threads=n_threads, **params)),
        Contestant("scikit-learn", "euclidean", partial(cluster.KMeans, **params)),
    ]


def same_start(start: Floats, tol: float, n_threads: int) -> list[Contestant]:
    """Return both libraries, bound to begin at the same centres."""
    return both(n_threads, n_clusters=len(start), init=start, n_init=1, tol=tol)


def best_of(n_init: int, k: int, tol: float, n_threads: int) -> list[Contestant]:
    """Return both libraries, each with its own random starts."""
    return both(n_threads, n_clusters=k, init="random", n_init=n_init, tol=tol, random_state=SEED)


def manhattan(start: Floats, tol: float, n_threads: int) -> Contestant:
    """Return omnimeans by city-block distance: k-medians.  scikit-learn has none."""
    make = partial(_city_block(KMeans), len(start), init=start, tol=tol, n_threads=n_threads)
    return Contestant("omnimeans", "manhattan", make)


def manhattan_mean(start: Floats, tol: float, n_threads: int) -> Contestant:
    """Return the pairing of city-block distances with means, as some teaching material has it."""
    model = _city_block(ESTIMATORS["manhattan", "mean"])
    make = partial(model, len(start), init=start, tol=tol, n_threads=n_threads)
    return Contestant("omnimeans", "manhattan-mean", make)


def _city_block(model: type[KMeans]) -> Callable[..., KMeans]:
    return partial(model, metric="manhattan", n_init=1)


def compare(
    title: str, data: Dataset, contestants: Sequence[Contestant], n_threads: int
) -> tuple[Run, Any]:
    """Let all contestants cluster the same rows.

    Parameters
    ----------
    title : str
        What the run is called.
    data : Dataset
        The rows.
    contestants : sequence of Contestant
        The first is the one whose labels the others are compared with.
    n_threads : int
        Threads for each.

    Returns
    -------
    (Run, KMeans)
        The record, without classes, and the first contestant's fitted model.
    """
    rows: list[Comparison] = []
    first: Any = None
    for contestant in contestants:
        model, seconds = time_fit(contestant.make, data.X, n_threads)
        ari = None if first is None else adjusted_rand_index(first.labels_, model.labels_)
        first = model if first is None else first
        rows.append(
            Comparison(
                contestant.library,
                contestant.metric,
                k=len(model.cluster_centers_),
                starts=model.n_init,
                inertia=float(model.inertia_),
                iterations=model.n_iter_,
                seconds=seconds,
                ari=ari,
            )
        )
    run = Run(
        title=title,
        n_samples=len(data.X),
        n_features=data.X.shape[1],
        rows=tuple(rows),
        classes=(),
        feature_names=data.feature_names,
        image_shape=data.image_shape,
        X=data.X,
        labels=first.labels_,
        centers=first.cluster_centers_,
    )
    return run, first


def time_fit(make: Callable[..., Any], X: Floats, n_threads: int) -> tuple[Any, float]:
    """Return a fitted model and the seconds of its fit, after one iteration to warm up.

    A quick fit is repeated, and the least of its times counts.
    """
    with threadpool_limits(n_threads):  # scikit-learn's threads; omnimeans has its own parameter
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is not meant to converge
            make(max_iter=1).fit(X)
        times: list[float] = []
        while len(times) < REPEATS and sum(times) < ENOUGH:
            model = make(max_iter=MAX_ITER)
            begun = perf_counter()
            model.fit(X)
            times.append(perf_counter() - begun)
    return model, min(times)


def agreement(rows: str, y: I64 | None, labels: I32) -> Classes:
    """Return how clusters agree with the true classes of these rows."""
    if y is None:
        raise ValueError(f"{rows}: there are no true classes to compare the clusters with")
    return Classes(
        rows,
        contingency_matrix(y, labels),
        float(purity_score(y, labels)),
        np.asarray(purity_score(y, labels, per_cluster=True)),
        rand_index(y, labels),
        adjusted_rand_index(y, labels),
    )


def hold_out(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Return four fifths of the rows, drawn at random, and the fifth that is left."""
    X, X_held, y, y_held = train_test_split(data.X, data.y, test_size=0.2, random_state=seed)
    return replace(data, X=X, y=y), replace(data, X=X_held, y=y_held)


def credit(data: Dataset) -> str:
    """Return one line on where the data come from."""
    return f"{data.source}; {data.licence}"
