"""The sweep: fits for all numbers of clusters, which share their work, and every score of each."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import Any

import numpy as np

from omnimeans import _validate
from omnimeans._scaling import restored
from omnimeans._types import F64, I64
from omnimeans.engines import open_engine
from omnimeans.selection.fitter import Fitter, Progress, Random, Told, some_rows
from omnimeans.selection.gap import gaps
from omnimeans.selection.records import Sweep, SweepRow
from omnimeans.selection.scores import Sample, Whole
from omnimeans.selection.shrink import cluster_sizes
from omnimeans.selection.stability import stability
from omnimeans.selection.trials import trials
from omnimeans.selection.verdict import judge

DRAW, FITS, RIVALS, STAGES, REFERENCE, HALF, OBSERVED = range(7)  # streams of random numbers


def sweep(
    X: Any,
    ks: Iterable[int] = range(1, 11),
    *,
    sample_weight: Any = None,
    metric: str = "euclidean",
    max_iter: int = 300,
    tol: float = 1e-3,
    random_state: Any = None,
    sample_size: int | None = None,
    n_references: int = 20,
    n_subsamples: int = 10,
    engine: str = "auto",
    n_threads: int | None = None,
    callback: Progress | None = None,
) -> Sweep:
    """Cluster with every number of clusters in a range, score each, and say which one it should be.

    The fits share their work: from more centres than are asked for, two clusters at a time are
    merged, so that each fit starts where the one before has ended; then rivals with one more centre
    are tried from the fewest up.  Where rows are many, this is done on a sample first and finished
    on all of them.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows.
    ks : iterable of int, default=range(1, 11)
        Numbers of clusters to try.
    sample_weight : array-like of shape (n,) or None, default=None
        Weight of each row.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        As in :class:`KMeans`.
    max_iter : int, default=300
        Most iterations for each k.
    tol : float, default=1e-3
        A fit ends when the centres have come to rest, as in :class:`KMeans`, or when another
        iteration can be expected to lower the inertia by no more than this share of it.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts, samples and references.
    sample_size : int or None, default=None
        Rows that sampled scores, references and subsamples are taken from; None takes 2000, or 40
        for each of the largest number of clusters if that is more.
    n_references : int, default=20
        Data sets without clusters for the gap statistic; 0 leaves it out.
    n_subsamples : int, default=10
        Halves of the sample that are clustered for the stability; 0 leaves it out.
    engine : {"auto", "cpu", "reference"}, default="auto"
        As in :class:`KMeans`.
    n_threads : int or None, default=None
        Threads to use; None takes what the process may use.
    callback : callable or None, default=None
        Called as ``callback(done, total, what)`` after each part of the work.

    Returns
    -------
    Sweep
        One row of scores for each k, and ``sweep.verdict``.

    Raises
    ------
    ValueError
        If a parameter, the data or the weights cannot be used; the message says why.

    References
    ----------
    See :mod:`omnimeans.selection.shrink`, :mod:`omnimeans.selection.grow`,
    :mod:`omnimeans.selection.gap`, :mod:`omnimeans.selection.stability` and
    :mod:`omnimeans.selection.verdict`.

    Examples
    --------
    >>> import omnimeans as om
    >>> from sklearn.datasets import make_blobs
    >>> X, _ = make_blobs(500, centers=5, random_state=3)
    >>> found = om.sweep(X, range(1, 10), random_state=0)
    >>> found.verdict.k, found.verdict.confidence
    (5, 'high')
    """
    begun = perf_counter()
    distance = _validate.metric(metric)
    X = _validate.rows(X)
    wanted = numbers_of_clusters(ks, len(X))
    weights = _validate.weights(sample_weight, X)
    for name, value, least in (
        ("n_references", n_references, 3),
        ("n_subsamples", n_subsamples, 1),
    ):
        if value != 0 and value < least:
            raise ValueError(f"{name}={value}; use 0 to leave it out, or at least {least}")
    if sample_size is not None and not wanted[-1] <= sample_size:
        raise ValueError(
            f"sample_size={sample_size} rows cannot have {wanted[-1]} clusters; draw more rows"
        )
    all_ks = wanted if wanted[0] == 1 else (1, *wanted)  # one cluster is what others compare with
    # a fit takes two passes of all rows: what other variants keep about them would not pay
    opened = open_engine(engine, n_threads, distance, algorithm="brute")
    fitter = Fitter(opened, distance, all_ks, max_iter, tol)
    random, told = (
        Random(_validate.seed(random_state)),
        Told(callback, 2 + n_references + n_subsamples),
    )

    rows = fitter.place(X, weights)
    few = some_rows(rows, wanted[-1], sample_size, random(DRAW))
    part = rows if few is None else fitter.place(rows.take(few), _of(rows.weights, few))
    values = rows.take(np.arange(rows.n)) if few is None else part.take(np.arange(part.n))
    fits = fitter.better(part, fitter.fits(part, random(FITS)), random(RIVALS))
    told("fits of a sample")
    if few is not None:
        fits = fitter.finished(rows, fits, part.n, random(STAGES))
    told("fits of all rows")
    whole = Whole.of(rows, fits[0].fit)
    labels = np.stack([fit.labels if few is None else fit.labels[few] for fit, _ in fits])
    counted = rows.n if rows.weights is None else np.count_nonzero(rows.weights)
    pairs = np.arange(0, part.n, 2) if part.n < counted else None  # each with each: half will do
    sample = Sample(values, _copies(part.weights), distance, n_threads, pairs)
    sampled = sample.scores(labels, [fit.centers for fit, _ in fits])
    tried = trials(fitter, part, values, n_threads)
    without = list(
        told.each("references", tried.references(random.several(REFERENCE, n_references)))
    )
    gap = gaps(all_ks, tried.inertias(random(OBSERVED)) if without else None, without)
    halves = tried.agreements(labels, random.several(HALF, n_subsamples))
    steady = stability(len(all_ks), list(told.each("subsamples", halves)))
    made = {
        k: SweepRow(
            k=k,
            inertia=restored(fit, rows.exponent, distance).inertia,
            explained_variance=whole.explained(fit),
            silhouette=scores.silhouette,
            simplified_silhouette=scores.simplified,
            calinski_harabasz=whole.calinski_harabasz(fit),
            davies_bouldin=scores.davies_bouldin,
            bic=whole.bic(fit, cluster_sizes(fit, rows), distance.kernel),
            gap=gap.values[i],
            gap_error=gap.errors[i],
            stability=steady[i],
            n_iter=fit.n_iter,
            seconds=seconds,
        )
        for i, (k, (fit, seconds), scores) in enumerate(zip(all_ks, fits, sampled, strict=True))
    }
    table = tuple(made[k] for k in wanted)
    return Sweep(
        rows=table,
        centers=tuple(
            restored(fit, rows.exponent, distance).centers for fit, _ in fits[-len(wanted) :]
        ),
        structure=gap.structure,
        verdict=judge(table, gap.structure),
        n_samples=rows.n,
        n_features=rows.d,
        metric=metric,
        sample_size=part.n,
        seconds=perf_counter() - begun,
    )


def numbers_of_clusters(ks: Iterable[int], n: int) -> tuple[int, ...]:
    """Return the numbers of clusters to try, rising and each once."""
    given = [ks] if isinstance(ks, (int, np.integer)) else list(ks)
    if not given or not all(isinstance(k, (int, np.integer)) and k >= 1 for k in given):
        raise ValueError(
            f"ks={ks!r}; give whole numbers of clusters, 1 or more, such as range(1, 11)"
        )
    most = int(max(given))
    if most > n:
        raise ValueError(f"ks goes up to {most}, but X has only {n} rows; use ks <= {n}")
    return tuple(sorted({int(k) for k in given}))


def _of(weights: F64 | None, numbers: I64) -> F64 | None:
    return None if weights is None else weights[numbers]


def _copies(weights: F64 | None) -> F64 | None:
    """Return the weights as copies of the rows: the smallest counts once at least."""
    return None if weights is None else weights / min(1.0, float(weights.min()))
