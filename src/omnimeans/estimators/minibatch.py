"""MiniBatchKMeans: most of the work on a sample of the rows, and batch after batch of a stream."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from omnimeans import _validate
from omnimeans._nested import counted
from omnimeans._params import COUNT, COUNT_FROM_0, ONE_OR_MORE, RANDOM_STATE, ZERO_OR_MORE
from omnimeans._running import Running
from omnimeans._types import F64, Callback, Distance, Engine, Floats, Iteration, Rows, StopReason
from omnimeans.engines import ENGINES, open_engine
from omnimeans.estimators import _sources
from omnimeans.estimators._batches import (
    Nested,
    algorithm_for,
    goes_on,
    nested,
    plan_of,
    streamed,
    watched,
)
from omnimeans.estimators._callbacks import CallbackSupportMixin
from omnimeans.estimators._model import CenterModel
from omnimeans.estimators._run import best_start, generator, place, start
from omnimeans.estimators._sample import Sample
from omnimeans.estimators._watch import WATCHED, warn_of_the_last_batch
from omnimeans.init import INITS


class MiniBatchKMeans(CallbackSupportMixin, CenterModel):  # type: ignore[misc]
    """Group rows into k clusters, most of the time looking at a sample of them.

    A drop-in for ``sklearn.cluster.MiniBatchKMeans``.  `fit` runs Lloyd's iterations on a random
    sample, and doubles the sample whenever more iterations on it would not tell more (nested
    mini-batches), until it holds all rows; then it stops as soon as an iteration on all rows gains
    less than sampling could have told.  `partial_fit` updates the centres with a batch of its own.
    ``predict(X)`` equals ``labels_`` and ``score(X)`` equals ``-inertia_``, as for
    :class:`KMeans`.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, k.
    init : {"k-means++", "random"}, callable or array-like of shape (k, d), default="k-means++"
        Where to start; as in :class:`KMeans`, on `init_size` rows.  A callable is shown these rows
        as they are.
    max_iter : int, default=100
        Most passes: no more than ``max_iter * n`` rows are looked at.
    batch_size : int, default=1024
        Rows that count as one step.
    verbose : int, default=0
        Print each iteration.
    compute_labels : bool, default=True
        Label all rows in the end, and compute their inertia.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the sample and the start.
    tol : float, default=0.0
        Stop when, on all rows, the squared moves of all centres sum to at most `tol` times the
        mean variance of the features.  0 switches it off.
    max_no_improvement : int or None, default=10
        Stop after so many steps on all rows that gain less than a share of ``k / n`` of the
        inertia.  None switches it off.
    init_size : int or None, default=None
        Rows of the first sample; None is ``3 * batch_size``, or ``3 * n_clusters`` where that is
        not enough.
    n_init : "auto" or int, default="auto"
        Number of starts on the first sample, of which the best goes on.  "auto" is 3 for "random"
        and a callable, else 1.
    reassignment_ratio : float, default=0.01
        A centre whose cluster has less than this share of the heaviest one's weight is drawn anew
        when the sample grows, or each time 10 k rows have come by `partial_fit`.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What to minimise; as in :class:`KMeans`.
    missing : {"error", "partial"}, default="error"
        What NaN means to `fit`; as in :class:`KMeans`.  `partial_fit` takes complete rows only.
    engine, n_threads
        As in :class:`KMeans`.
    callback : callable or None, default=None
        Called after each iteration, and once at the end; as in :class:`KMeans`.
    max_time : float or None, default=None
        Seconds after which `fit` stops; as in :class:`KMeans`.  The time that the labels will take,
        up to half of it, is kept for them.
    raise_on_interrupt : bool, default=False
        Whether Ctrl-C raises KeyboardInterrupt, or ends `fit` with the centres that it has.  Where
        there are no labels yet, and finding them takes long, it then leaves none.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (k, d)
        Centres.
    labels_ : ndarray of shape (n,), int32
        Number of the nearest centre of each row (of the last batch, after `partial_fit`).
    inertia_ : float
        Weighted sum of the (squared) distances of the rows to their centres.  Without
        `compute_labels`, that of the last sample, scaled to all rows.
    n_iter_ : int
        Passes begun: rows looked at, divided by those that have a weight, rounded up.
    n_steps_ : int
        Steps: rows looked at, divided by `batch_size`; after `partial_fit`, batches.
    converged_ : bool
        Whether it stopped before `max_iter`.
    stop_reason_ : str
        Why it stopped.
    history_ : tuple of records
        As in :class:`KMeans`, for the sample of each iteration.

    References
    ----------
    J. Newling and F. Fleuret, "Nested mini-batch k-means", NIPS 2016.  D. Sculley, "Web-scale
    k-means clustering", WWW 2010.

    Examples
    --------
    >>> import omnimeans as om
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> om.MiniBatchKMeans(n_clusters=2, random_state=0).fit(X).inertia_
    16.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [ONE_OR_MORE],
        "init": [StrOptions(set(INITS)), callable, "array-like"],
        "max_iter": [COUNT],
        "batch_size": [COUNT],
        "verbose": ["verbose"],
        "compute_labels": ["boolean"],
        "random_state": RANDOM_STATE,
        "tol": [ZERO_OR_MORE],
        "max_no_improvement": [COUNT_FROM_0, None],
        "init_size": [COUNT, None],
        "n_init": [StrOptions({"auto"}), COUNT],
        "reassignment_ratio": [ZERO_OR_MORE],
        "metric": "no_validation",
        "missing": [StrOptions({"error", "partial"})],
        "engine": [StrOptions({"auto", *ENGINES})],
        "n_threads": [COUNT, None],
        **WATCHED,
    }

    inertia_: float
    n_iter_: int
    n_steps_: int
    stop_reason_: StopReason
    history_: tuple[Iteration, ...]
    _counts: F64
    _running: Running | None

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | str = "auto",
        reassignment_ratio: float = 0.01,
        metric: str = "euclidean",
        missing: str = "error",
        engine: str = "auto",
        n_threads: int | None = None,
        callback: Callback | None = None,
        max_time: float | None = None,
        raise_on_interrupt: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
        self.metric = metric
        self.missing = missing
        self.engine = engine
        self.n_threads = n_threads
        self.callback = callback
        self.max_time = max_time
        self.raise_on_interrupt = raise_on_interrupt

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = True, self.missing == "partial"
        return tags

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters of the rows of `X`.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows to cluster.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row, zero or more.

        Returns
        -------
        MiniBatchKMeans
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter, the data or the weights cannot be used; the message says why.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.MiniBatchKMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]]).inertia_
        0.5
        """
        distance = self._distance()
        X = _sources.in_memory(X, self)
        _validate.enough_rows(X.shape[0], int(self.n_clusters))
        weights = _validate.weights(sample_weight, X)
        n = counted(X.shape[0], weights)
        self._check(n)
        self._seed = _validate.seed(self.random_state)
        engine = _sources.engine_for(X, self, distance, algorithm_for(X, self.n_clusters))
        sample = Sample(engine, X, weights, distance, generator(self._seed, self._n_init))
        plan = plan_of(self, sample, n)
        follower, control = watched(self, (X, y, sample_weight), plan)
        begin = partial(self._start, engine, distance=distance)
        rng = generator(self._seed, self._n_init + 1)
        try:
            ended = nested(self, sample, plan, begin, rng, follower, control)
            self._keep(ended, engine)
            self.n_iter_ = math.ceil(ended.steps * self._batch_size / n)
            warn_of_the_last_batch(self, ended.fit, control, follower.rows, n)
            follower.end()
        finally:
            follower.close()
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Update the centres with a batch of rows; the first batch makes them.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows of one batch, of any number; the first has at least k.
        y, sample_weight
            As in `fit`.

        Returns
        -------
        MiniBatchKMeans

        Raises
        ------
        ValueError
            As in `fit`.

        Examples
        --------
        >>> import omnimeans as om
        >>> model = om.MiniBatchKMeans(n_clusters=2, random_state=0)
        >>> model.partial_fit([[0.0], [8.0]]).partial_fit([[1.0], [9.0]]).n_steps_
        2
        """
        fresh = not hasattr(self, "cluster_centers_")
        distance = self._distance()
        X = _validate.rows(X, estimator=self, reset=fresh, as_given=True)
        weights = _validate.weights(sample_weight, X)
        engine = open_engine(self.engine, self.n_threads, distance)
        if fresh:
            _validate.enough_rows(X.shape[0], int(self.n_clusters))
        else:  # the model keeps its type
            X = X.astype(self.cluster_centers_.dtype, copy=False)
        rows = place(engine, X, weights, distance, idle=not fresh)
        if fresh:
            self._check(counted(X.shape[0], weights))
            self._seed = _validate.seed(self.random_state)
            self.n_steps_ = 0
            centers = self._start(engine, rows, distance)
            running = Running(centers.astype(np.float64), np.zeros(len(centers)))
        else:
            fitted = _validate.fitted_centers(self.cluster_centers_, rows.d)
            centers, running = goes_on(self, rows, fitted, distance)
        fit = streamed(self, engine, rows, distance, centers, running)
        self._running, self._counts = running, running.weights
        self.n_steps_ += 1
        self.cluster_centers_ = fit.centers
        if self.compute_labels:
            self.labels_, self.inertia_ = fit.labels, fit.inertia
        self._note(engine)
        return self

    def _check(self, n: int) -> None:
        """Check and keep what depends on the number of rows; those of weight 0 do not count."""
        k, owner = int(self.n_clusters), type(self).__name__
        self._n_init = _validate.restarts(self.n_init, self.init, owner, many=3)
        self._batch_size = min(int(self.batch_size), n)
        self._init_size = _validate.init_size(self.init_size, self._batch_size, k, n)

    def _start(self, engine: Engine, rows: Rows, distance: Distance) -> Floats:
        """Return the best of several starts on the first sample."""
        k = int(self.n_clusters)
        begin = start(self.init, engine, rows, distance, k, centred=False)
        return best_start(begin, engine, rows, k, self._seed, self._n_init, self._say)

    def _keep(self, ended: Nested, engine: Engine) -> None:
        fit = ended.fit
        self.cluster_centers_, self.history_, self.inertia_ = fit.centers, fit.history, fit.inertia
        self._counts, self._running = ended.counts, None
        self.n_steps_ = ended.steps
        self.stop_reason_ = fit.stop_reason
        self.converged_ = fit.stop_reason in ("fixed point", "tolerance", "no improvement")
        if len(fit.labels):
            self.labels_ = fit.labels
        elif hasattr(self, "labels_"):
            del self.labels_
        self._note(engine)

    def _note(self, engine: Engine) -> None:
        self.engine_, self._n_threads = engine.name, int(getattr(engine, "n_threads", 1))
        self._n_features_out = len(self.cluster_centers_)

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)  # noqa: T201 - the job
