"""Many small codebooks at once, as product quantisation needs them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnimeans import _fit, _validate
from omnimeans._types import F64, I32, I64, Floats
from omnimeans.engines import open_engine
from omnimeans.engines.cpu import available_threads
from omnimeans.estimators._run import generator, place
from omnimeans.init import INITS


@dataclass(frozen=True, slots=True)
class Codebooks:
    """The results of many fits.

    Parameters
    ----------
    centers : list of ndarray of shape (k, d)
        Centres of each problem.
    labels : list of ndarray of shape (n,), int32
        Labels of each problem's rows.
    inertia : ndarray of shape (problems,)
        Objective of each.
    n_iter : ndarray of shape (problems,)
        Iterations of each.
    """

    centers: list[Floats]
    labels: list[I32]
    inertia: F64
    n_iter: I64


def fit_many(
    X: Any,
    n_clusters: int,
    *,
    parts: int | None = None,
    init: str = "k-means++",
    max_iter: int = 25,
    tol: float = 1e-4,
    metric: str = "euclidean",
    random_state: Any = None,
    n_threads: int | None = None,
) -> Codebooks:
    """Fit many codebooks, each on one thread, as many at a time as there are threads.

    Parameters
    ----------
    X : sequence of arrays of shape (n_i, d_i), array of shape (problems, n, d), or (n, d)
        One array of rows for each problem; or one array whose columns `parts` cuts into problems.
    n_clusters : int
        Centres of each codebook.
    parts : int or None, default=None
        Into how many equal groups the columns of one array are cut: product quantisation.
    init : {"k-means++", "k-means||", "random"}, default="k-means++"
        Where each fit starts.
    max_iter : int, default=25
        Most iterations of each.
    tol : float, default=1e-4
        As in :class:`KMeans`.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        As in :class:`KMeans`.
    random_state : int, RandomState, Generator or None, default=None
        Seed; problem i gets the same start for any number of threads.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.

    Returns
    -------
    Codebooks
        Centres, labels, inertia and iterations of each problem; the same bits for any number of
        threads.

    Raises
    ------
    ValueError
        If the columns cannot be cut into `parts`, or a problem's rows cannot be used.

    References
    ----------
    H. Jégou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 33 (2011).

    Examples
    --------
    >>> import numpy as np
    >>> import omnimeans as om
    >>> X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    >>> books = om.fit_many(X, 16, parts=4, random_state=0)
    >>> len(books.centers), books.centers[0].shape
    (4, (16, 2))
    """
    problems = [_validate.rows(rows) for rows in _cut(X, parts)]
    for rows in problems:
        _validate.enough_rows(len(rows), n_clusters)
    if init not in INITS:
        raise ValueError(f"init={init!r} is not known; use one of {', '.join(INITS)}.")
    distance, seed = _validate.metric(metric), _validate.seed(random_state)

    def fit(number: int) -> Any:
        engine = open_engine("cpu", 1, distance)
        rows = place(engine, problems[number], None, distance)
        return _fit.run(
            engine,
            rows,
            n_clusters,
            INITS[init],
            [generator(seed, 0, number)],
            distance=distance,
            max_iter=max_iter,
            tol=float(tol * rows.spread / (rows.weight * rows.d)),
        )

    with ThreadPoolExecutor(n_threads or available_threads()) as pool:
        fits = list(pool.map(fit, range(len(problems))))
    return Codebooks(
        [found.centers for found in fits],
        [found.labels for found in fits],
        np.array([found.inertia for found in fits]),
        np.array([found.n_iter for found in fits]),
    )


def _cut(X: Any, parts: int | None) -> Sequence[Any]:
    """Return the problems; the columns of a part are copied, so that its rows lie together."""
    if parts is None:
        if isinstance(X, np.ndarray) and X.ndim != 3:
            raise ValueError(
                f"X has shape {X.shape}; give one array for each problem, an array of shape "
                "(problems, n, d), or parts=, the number of groups that the columns are cut into."
            )
        return X  # type: ignore[no-any-return]
    rows = _validate.rows(X)
    if parts < 1 or rows.shape[1] % parts:
        raise ValueError(
            f"parts={parts} does not divide the {rows.shape[1]} columns of X; pad X with columns "
            "of zeros, or use a divisor."
        )
    return [np.ascontiguousarray(part) for part in np.split(rows, parts, axis=1)]
