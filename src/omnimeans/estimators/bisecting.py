"""BisectingKMeans: one cluster after another is split in two."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from omnimeans import _bisect, _validate
from omnimeans._bisect import Tree
from omnimeans._params import COUNT, ONE_OR_MORE, RANDOM_STATE, ZERO_OR_MORE
from omnimeans._rows import Holed, floating
from omnimeans._scaling import divided
from omnimeans._types import (
    I32,
    Callback,
    Engine,
    Fit,
    Floats,
    Iteration,
    StopReason,
    most_used,
)
from omnimeans.algorithms import NAMES
from omnimeans.engines import ENGINES
from omnimeans.estimators import _sources
from omnimeans.estimators._callbacks import CallbackSupportMixin
from omnimeans.estimators._growing import Growing, by_splits
from omnimeans.estimators._model import CenterModel, Ready
from omnimeans.estimators._plan import Plan
from omnimeans.estimators._watch import WATCHED, followed, warn_of_the_splits
from omnimeans.init import INITS


class BisectingKMeans(CallbackSupportMixin, CenterModel):  # type: ignore[misc]
    """Group rows into k clusters by splitting one cluster after another in two.

    A drop-in for ``sklearn.cluster.BisectingKMeans``.  A row belongs to the leaf that it comes to
    when it goes down the tree of splits, at each node to the nearer of two centres; ``predict(X)``
    equals ``labels_`` and ``score(X)`` equals ``-inertia_`` on the training data.  (The nearest of
    all `k` centres may be another one: ``transform`` tells.)

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, k.
    init : {"k-means++", "random"} or callable, default="random"
        Where each split starts; a callable is called as ``init(X, 2, random_state=...)`` with the
        rows of the cluster minus their mean.
    n_init : int, default=1
        Number of starts of each split; the one with the lowest inertia is kept.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts.
    max_iter : int, default=300
        Most iterations of one start of a split.
    verbose : int, default=0
        Print the two centres of each split.
    tol : float, default=1e-4
        A split ends when the squared moves of its centres sum to at most `tol` times the mean
        variance of the features of its rows.
    copy_x : bool, default=True
        Accepted for scikit-learn's sake; `X` is never written to.
    algorithm : {"auto", "lloyd", "elkan"}, default="auto"
        Accepted for scikit-learn's sake; the answer is the same.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which cluster is split next: that of the highest inertia, or that of the largest weight
        (the most rows, if there are no weights).
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What to minimise; as in :class:`KMeans`.
    missing : {"error", "partial"}, default="error"
        What NaN means: an error, or a value that is not there; as in :class:`KMeans`.
    engine, n_threads
        As in :class:`KMeans`.
    callback : callable or None, default=None
        Called after each split, as an iteration, and once at the end; as in :class:`KMeans`.
    max_time : float or None, default=None
        Seconds after which the fit stops, with the splits that it has made; one is made in any
        case.
    raise_on_interrupt : bool, default=False
        Whether Ctrl-C raises KeyboardInterrupt, or ends the fit with the splits that it has made.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (k, d)
        Centres of the leaves, from left to right; fewer than k where the fit was ended before.
    labels_ : ndarray of shape (n,), int32
        Leaf of each row.
    inertia_ : float
        Weighted sum of the (squared) distances of the rows to the centres of their leaves.
    n_iter_ : int
        Iterations of all splits together.
    converged_ : bool
        Whether all splits were made, and every one came to rest, within `tol`.
    stop_reason_ : {"fixed point", "tolerance", "max_iter", "cycle", "callback", "max_time", \
            "interrupt"}
        Why the fit ended before all splits were made; otherwise why they did: "max_iter" if that
        ended any of them.
    history_ : tuple of records
        For each split the ``inertia`` of all leaves after it, rows ``moved`` to the new cluster,
        the squared distance of its two centres (``shift``), and its ``seconds``.
    tree_ : Tree
        The splits: ``centers`` (m, d), ``children`` (m, 2), ``inertia`` (m,), and the ``leaves``.
    algorithm_, engine_ : str
        What ran.
    n_features_in_, feature_names_in_
        As in :class:`KMeans`.

    See Also
    --------
    KMeans : All centres at once.

    References
    ----------
    M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD
    Workshop on Text Mining 2000.

    Examples
    --------
    >>> import omnimeans as om
    >>> X = [[1, 1], [10, 1], [3, 1], [10, 0], [2, 1], [10, 2], [10, 8], [10, 9], [10, 10]]
    >>> model = om.BisectingKMeans(n_clusters=3, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_.tolist())
    [[2.0, 1.0], [10.0, 1.0], [10.0, 9.0]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [ONE_OR_MORE],
        "init": [StrOptions(set(INITS)), callable],
        "n_init": [COUNT],
        "random_state": RANDOM_STATE,
        "max_iter": [COUNT],
        "verbose": ["verbose"],
        "tol": [ZERO_OR_MORE],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions(set(NAMES))],
        "bisecting_strategy": [StrOptions({"biggest_inertia", "largest_cluster"})],
        "metric": "no_validation",
        "missing": [StrOptions({"error", "partial"})],
        "engine": [StrOptions({"auto", *ENGINES})],
        "n_threads": [COUNT, None],
        **WATCHED,
    }

    inertia_: float
    n_iter_: int
    converged_: bool
    stop_reason_: StopReason
    history_: tuple[Iteration, ...]
    tree_: Tree
    algorithm_: str
    engine_: str

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "random",
        n_init: int = 1,
        random_state: Any = None,
        max_iter: int = 300,
        verbose: int = 0,
        tol: float = 1e-4,
        copy_x: bool = True,
        algorithm: str = "auto",
        bisecting_strategy: str = "biggest_inertia",
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
        self.n_init = n_init
        self.random_state = random_state
        self.max_iter = max_iter
        self.verbose = verbose
        self.tol = tol
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy
        self.metric = metric
        self.missing = missing
        self.engine = engine
        self.n_threads = n_threads
        self.callback = callback
        self.max_time = max_time
        self.raise_on_interrupt = raise_on_interrupt

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing == "partial"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
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
        BisectingKMeans
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter, the data or the weights cannot be used; the message says why.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.BisectingKMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]]).inertia_
        0.5
        """
        k, distance = int(self.n_clusters), self._distance()
        X = _sources.in_memory(X, self)
        _validate.enough_rows(X.shape[0], k)
        seed = _validate.seed(self.random_state)
        weights = _validate.weights(sample_weight, X)
        engine = _sources.engine_for(X, self, distance, self.algorithm)
        if isinstance(X, Holed):
            _validate.each_column_seen(X, weights)
        if distance.kernel == "cosine":
            _validate.directions(X, weights)
            exponent = 0
        else:
            exponent = _validate.exponent(X)

        plan = Plan(
            engine,
            distance,
            self.init,
            int(self.n_init),
            int(self.max_iter),
            float(self.tol),
            seed,
            lambda part, shares: engine.place(part, shares, distance),
            exponent,
        )
        given = divided(floating(X), exponent) if exponent else X
        growing = Growing(plan, given, weights, k, exponent, self._say)
        follower, control = followed(
            self,
            (X, y, sample_weight),
            max_iter=max(1, k - 1),
            rows=X.shape[0],
            judge=by_splits,
            fitted=lambda _: growing.fitted(),
        )
        try:
            fit = growing.run(self.bisecting_strategy == "largest_cluster", control)
            self._keep(growing, fit, engine, whole=control.stopped is None)
            warn_of_the_splits(self, fit, control, growing.growth.splits)
            follower.end()
        finally:
            follower.close()
        return self

    def _say(self, centers: Floats) -> None:
        if self.verbose:
            print(f"New centroids from bisection: {centers}")  # noqa: T201 - the job

    def _keep(self, growing: Growing, fit: Fit, engine: Engine, whole: bool) -> None:
        k, splits = int(self.n_clusters), growing.growth.splits
        self.tree_, self.labels_, self.inertia_ = growing.tree(), fit.labels, fit.inertia
        centers = fit.centers
        if len(centers) < k and whole and fit.stop_reason != "callback":
            # fewer different rows than clusters: the rest stand on the heaviest
            heaviest = centers[np.argmax(np.bincount(self.labels_))]
            centers = np.vstack([centers, np.tile(heaviest, (k - len(centers), 1))])
            _validate.all_clusters_found(self.labels_, k)
        self.cluster_centers_, self.history_ = centers, fit.history
        self.n_iter_ = max(1, sum(split.n_iter for split in splits))
        self.stop_reason_ = fit.stop_reason
        self.converged_ = fit.stop_reason in ("fixed point", "tolerance")
        self.algorithm_ = most_used(split.algorithm for split in splits)
        self.engine_ = engine.name
        self._n_features_out = len(centers)
        self._n_threads = int(getattr(engine, "n_threads", 1))

    def _nearest(self, ready: Ready) -> I32:
        """Return the leaf that each row comes to."""

        def nearest(part: Any, two: Floats) -> I32:
            return ready.engine.nearest(part, two, ready.distance)

        centers = self.tree_.centers.astype(ready.centers.dtype, copy=False)
        centers = divided(centers, ready.exponent)
        return _bisect.descend(nearest, ready.X, self.tree_.children, centers, self.tree_.leaves)
