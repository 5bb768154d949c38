"""KMeans: Lloyd's algorithm as a scikit-learn estimator."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar, Self

from sklearn.base import _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, StrOptions

from omnimeans import _fit, _validate
from omnimeans._empty import POLICIES, Rules, frozen_mask
from omnimeans._params import COUNT, ONE_OR_MORE, RANDOM_STATE, ZERO_OR_MORE
from omnimeans._scaling import restored_sum
from omnimeans._types import Callback, Engine, Fit, Floats, Iteration, StopReason
from omnimeans.algorithms import NAMES
from omnimeans.distances import DISTANCES
from omnimeans.engines import ENGINES
from omnimeans.estimators import _sources
from omnimeans.estimators._callbacks import CallbackSupportMixin
from omnimeans.estimators._model import CenterModel
from omnimeans.estimators._run import generator, name_of, place, recorder, start
from omnimeans.estimators._sorted import by_size
from omnimeans.estimators._watch import WATCHED, followed, warn_of_the_end
from omnimeans.init import INITS


class KMeans(CallbackSupportMixin, CenterModel):  # type: ignore[misc]
    """Group rows into k clusters around their centres, by Lloyd's algorithm.

    A drop-in for ``sklearn.cluster.KMeans`` with one answer: the same bits for any number of
    threads and any `algorithm` or `engine`.  ``predict(X)`` equals ``labels_`` and ``score(X)``
    equals ``-inertia_`` on the training data, always.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, k.
    init : {"k-means++", "k-means||", "random"}, callable or array of shape (k, d), \
default="k-means++"
        Where to start: rows drawn far from each other (greedy k-means++, or k-means||, which takes
        few looks at the rows), different rows drawn by weight, the given centres, or ``init(X, k,
        random_state=...)``, which is shown the rows minus their mean, as are its centres.
    n_init : "auto" or int, default="auto"
        Number of starts; the fit with the lowest inertia is kept.  "auto" is 1 for "k-means++",
        "k-means||" and an array (even with `fill`; more warn), 10 for "random" and a callable.
    max_iter : int, default=300
        Most iterations of one start.
    tol : float, default=1e-4
        Stop when the squared moves of all centres sum to at most `tol` times the mean variance of
        the features.  With 0, stop only when nothing moves.
    verbose : int, default=0
        Print each iteration.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts.  None takes it from NumPy's global state.
    copy_x : bool, default=True
        Accepted for scikit-learn's sake; `X` is read as it lies in memory and never written to.
    algorithm : str, default="auto"
        How nearest centres are found, to the same bits: "brute", "coded", "bounded",
        "bounded-coded" or "tree" (see :mod:`omnimeans.algorithms`), or "auto", which measures
        while it runs and changes between them; "lloyd" and "elkan" are accepted and mean "auto".
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What to minimise: squared Euclidean distances to the means, city-block distances to the
        coordinate-wise medians (k-medians), or one minus the cosine between rows and centres, all
        scaled to unit length (spherical k-means).  A row of zeros has no direction: it costs 1,
        belongs to cluster 0 and pulls no centre.
    engine : {"auto", "cpu", "reference", "blocks", "dask"} or dask client, default="auto"
        Who does the arithmetic: the compiled core, slow plain NumPy, the core on blocks of a file,
        or the workers of a Dask cluster.  "auto" looks at the data.
    n_threads : int or None, default=None
        Threads to use; None takes those the process may use.
    callback : callable or None, default=None
        Called as ``callback(record)`` after each iteration and at the end of each start, with an
        :class:`omnimeans.progress.Progress`.  If it returns true, the fit stops there.
    max_time : float or None, default=None
        Seconds after which the fit stops, also in the middle of a pass, and keeps the best model
        so far.  One iteration is made in any case.
    checkpoint : str, path or None, default=None
        A file that holds, again and again, how far the fit has got.  A fit that was killed goes on
        from it when it is started again, and ends with the very bits of one that was not.  The
        file is removed when the fit has come to its end.
    raise_on_interrupt : bool, default=False
        Whether Ctrl-C raises KeyboardInterrupt, or ends the fit with the best model so far.
    missing : {"error", "partial"}, default="error"
        What NaN means: an error, or a value that is not there.  With "partial" a row is compared by
        the features that it has, its distance multiplied by d over their number, and a centre's
        coordinate is the mean (median) of the values that its rows have there.
    memory : str, int or None, default=None
        Most bytes that the process may hold while it fits a source, such as "2GiB"; rows that do
        not fit are read again in each pass; None takes up to half of what is free.  With rows in
        memory, most bytes that the passes may keep beside them; it rules out ways that need more.
    empty_clusters : {"farthest", "split", "drop", "error"}, default="farthest"
        A cluster without rows gets the one farthest from its centre, or a part of the cluster of
        the highest inertia, or goes, or raises :class:`EmptyClusterError`.
    fill : {"k-means++", "random"} or None, default=None
        How the other centres are drawn where `init` is an array of fewer than k.
    frozen : list of int or None, default=None
        Numbers of the centres in `init` that never move.
    sort_labels : {"size"} or None, default=None
        "size" numbers clusters from the heaviest to the lightest.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (k, d)
        Centres, of the type of `X` (float32 or float64), in its units; of unit length for
        "cosine".
    initial_centers_ : ndarray of shape (k, d)
        Centres that the kept start began with; given as `init`, they lead to the same answer.
    labels_ : ndarray of shape (n,), int32
        Number of the nearest centre of each row; the lowest where several are nearest.
    inertia_ : float
        Weighted sum of the (squared) distances of the rows to their centres; for "cosine", of
        one minus the cosine.
    n_iter_ : int
        Iterations of the kept start.
    converged_ : bool
        Whether the centres came to rest, within `tol`.
    stop_reason_ : {"fixed point", "tolerance", "max_iter", "cycle", "callback", "max_time", \
            "interrupt"}
        Why the iterations of the kept start ended.
    history_ : tuple of records
        For each iteration its ``inertia``, rows ``moved``, ``shift`` of the centres, clusters
        ``repaired``, rows ``redecided`` by exact distances, its ``seconds``, the share of all
        distances that were ``compared``, and the ``algorithm`` of the pass.
    algorithm_ : str
        The row of :mod:`omnimeans.algorithms` that made most of the passes.
    engine_ : str
        The engine that ran.
    n_features_in_ : int
        Number of features, d.
    feature_names_in_ : ndarray of shape (d,)
        Names of the features, if `X` was a data frame whose column names are all strings.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28
    (1982).

    Examples
    --------
    >>> import omnimeans as om
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> model = om.KMeans(n_clusters=2, n_init=10, random_state=0).fit(X)
    >>> model.inertia_, model.stop_reason_
    (16.0, 'fixed point')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [ONE_OR_MORE],
        "init": [StrOptions(set(INITS)), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), COUNT],
        "max_iter": [COUNT],
        "tol": [ZERO_OR_MORE],
        "verbose": ["verbose"],
        "random_state": RANDOM_STATE,
        "copy_x": ["boolean"],
        "algorithm": [StrOptions(set(NAMES))],
        "metric": "no_validation",  # it is checked with a reason, by _validate.metric
        "engine": [StrOptions({"auto", "dask", *ENGINES}), HasMethods(["submit", "gather"])],
        "n_threads": [COUNT, None],
        **WATCHED,
        "checkpoint": [str, PathLike, None],
        "missing": [StrOptions({"error", "partial"})],
        "memory": [str, ONE_OR_MORE, None],
        "empty_clusters": [StrOptions(set(POLICIES))],
        "fill": [StrOptions(set(INITS)), None],
        "frozen": ["array-like", None],
        "sort_labels": [StrOptions({"size"}), None],
    }

    initial_centers_: Floats | None
    inertia_: float
    n_iter_: int
    converged_: bool
    stop_reason_: StopReason
    history_: tuple[Iteration, ...]
    algorithm_: str
    engine_: str

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "auto",
        metric: str = "euclidean",
        engine: str = "auto",
        n_threads: int | None = None,
        callback: Callback | None = None,
        max_time: float | None = None,
        checkpoint: str | PathLike[str] | None = None,
        raise_on_interrupt: bool = False,
        memory: str | int | None = None,
        missing: str = "error",
        empty_clusters: str = "farthest",
        fill: str | None = None,
        frozen: Any = None,
        sort_labels: str | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.metric = metric
        self.engine = engine
        self.n_threads = n_threads
        self.callback = callback
        self.max_time = max_time
        self.checkpoint = checkpoint
        self.raise_on_interrupt = raise_on_interrupt
        self.memory = memory
        self.missing = missing
        self.empty_clusters = empty_clusters
        self.fill = fill
        self.frozen = frozen
        self.sort_labels = sort_labels

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing == "partial"
        return tags

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters of the rows of `X`.

        Parameters
        ----------
        X : array-like, data frame or source of shape (n, d)
            Rows to cluster.  The centres of float32 rows are float32, those of all others float64.
            A path, or anything else that :func:`open_source` takes, is read block by block where
            it does not fit into memory.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row, zero or more.  Whole-numbered weights count like copies.

        Returns
        -------
        KMeans
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter, the data or the weights cannot be used; the message says why.
        TypeError
            If `X` is a lazy frame.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]]).inertia_
        0.5
        """
        owner, k = type(self).__name__, int(self.n_clusters)
        distance = self._distance()
        X = _sources.rows(X, self)
        _validate.enough_rows(X.shape[0], k)
        self._n_init = _validate.restarts(self.n_init, self.init, owner)
        self._algorithm = _validate.algorithm(self.algorithm, k)
        frozen = frozen_mask(self.frozen, self.init, k, self.empty_clusters)
        checkpoint, seed = recorder(self.checkpoint, self.random_state)
        weights = _sources.weights(sample_weight, X)

        engine = _sources.engine_for(X, self, distance, self._algorithm)
        rows = place(engine, X, weights, distance)
        tol = float(self.tol * rows.spread / (rows.weight * rows.d))
        self._tol = restored_sum(tol, rows.exponent, DISTANCES["euclidean"])
        if checkpoint is not None:
            checkpoint.of(self._subject(k, seed, frozen))
        max_iter = int(self.max_iter)
        starts = self._n_init
        follower, control = followed(
            self,
            (X, y, sample_weight),
            max_iter=max_iter,
            n_restarts=starts,
            tol=self._tol,
            recorder=checkpoint,
            rows=rows.n,
            verbose=bool(self.verbose),
        )
        try:
            fit = _fit.run(
                engine,
                rows,
                k,
                start(self.init, engine, rows, distance, k, fill=self.fill, fills=True),
                [generator(seed, restart) for restart in range(self._n_init)],
                distance=distance,
                max_iter=max_iter,
                tol=tol,
                control=control,
                rules=Rules(self.empty_clusters, frozen),
            )
            self._keep(fit, engine)
            if self.sort_labels is not None:
                self._keep(fit := by_size(engine, rows, fit, control, owner), engine)
            if frozen is None:  # those may stay without rows
                _validate.all_clusters_found(fit.labels, len(fit.centers))
            warn_of_the_end(owner, fit, control, self._tol, starts)
            follower.end()
        finally:
            follower.close()
            _sources.leave(engine)
        return self

    def _subject(self, k: int, seed: int, frozen: Any) -> dict[str, Any]:
        """Return what a checkpoint says about the fit that it belongs to."""
        return {
            "estimator": type(self).__name__,
            "n_clusters": k,
            "init": self.init if callable(self.init) else name_of(self.init),
            "fill": self.fill,
            "frozen": None if frozen is None else frozen.nonzero()[0].tolist(),
            "empty_clusters": self.empty_clusters,
            "n_init": self._n_init,
            "max_iter": int(self.max_iter),
            "tol": float(self.tol),
            "metric": self.metric,
            "seed": seed,
        }

    def _keep(self, fit: Fit, engine: Engine) -> None:
        self.cluster_centers_ = fit.centers
        self.initial_centers_ = fit.start
        self.labels_ = fit.labels
        self.inertia_ = float(fit.inertia)
        self.n_iter_ = fit.n_iter
        self.stop_reason_ = fit.stop_reason
        self.converged_ = fit.stop_reason in ("fixed point", "tolerance")
        self.history_ = fit.history
        self.algorithm_ = fit.algorithm
        self.engine_ = engine.name
        self._n_features_out = len(fit.centers)
        self._n_threads = int(getattr(engine, "n_threads", 1))
