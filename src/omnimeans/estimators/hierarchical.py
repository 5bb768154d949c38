"""A tree of k-means for very many centres."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from omnimeans import _fit, _scaling, _validate
from omnimeans._control import Control
from omnimeans._params import COUNT, COUNT_FROM_0, ONE_OR_MORE, RANDOM_STATE, ZERO_OR_MORE
from omnimeans._scaling import divided
from omnimeans._types import F64, I32, I64, Callback, Distance, Fit, Floats
from omnimeans.engines import open_grouped
from omnimeans.engines.cpu import available_threads
from omnimeans.engines.grouped import middles_of
from omnimeans.estimators import _sources
from omnimeans.estimators._levels import Levels
from omnimeans.estimators._model import CenterModel, Ready
from omnimeans.estimators._run import generator
from omnimeans.estimators._watch import Follower
from omnimeans.sources import is_source


class HierarchicalKMeans(CenterModel):
    """k-means for 10,000 to 1,000,000 centres: a coarse level, fine ones below, then all together.

    The rows are split into about half the square root of k groups; each group is clustered by
    itself into its share of the centres, in proportion to its rows; then Lloyd's algorithm runs on
    all centres for a few iterations, which takes back most of what the split cost.

    Parameters
    ----------
    n_clusters : int, default=10000
        Number of clusters, k.
    branching : int or None, default=None
        Groups of the coarse level; None takes half the square root of k.
    refine : int, default=6
        Iterations on all centres at the end.
    probes : int or None, default=4
        Groups whose centres a row looks at in these iterations, the ones with the nearest middles;
        None is all of them.
    exact : bool, default=True
        Whether ``labels_`` are the nearest of all centres, as `predict` finds them, or, much
        quicker where there are many features, those of ``predict_tree(X, probes)``.
    max_iter : int, default=10
        Most iterations of each level.
    tol : float, default=1e-4
        A level ends when its centres move less; as in :class:`KMeans`.
    verbose : int, default=0
        Print how it goes on.
    random_state : int, RandomState, Generator or None, default=None
        Seed.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What to minimise; as in :class:`KMeans`.
    n_threads : int or None, default=None
        Threads to use; None takes those the process may use.
    callback : callable or None, default=None
        Called with an :class:`omnimeans.progress.Progress` after each iteration of the coarse level
        and of those on all centres.  If it returns true, that stage ends.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (k, d)
        Centres; those of one group follow each other.
    labels_ : ndarray of shape (n,), int32
        Number of the nearest of all centres for each row, or see `exact`.
    inertia_ : float
        Weighted sum of the (squared) distances to them.
    n_iter_ : int
        Iterations on all centres.
    groups_ : ndarray of shape (branching, d)
        The mean of each group's centres.
    starts_ : ndarray of shape (branching + 1,)
        Where each group's centres begin.

    See Also
    --------
    KMeans : All centres from the start; with a few iterations, a lower inertia in more time.

    References
    ----------
    D. Nistér and H. Stewénius, "Scalable recognition with a vocabulary tree", CVPR 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import omnimeans as om
    >>> X = np.random.default_rng(0).normal(size=(2000, 4)).astype(np.float32)
    >>> model = om.HierarchicalKMeans(100, random_state=0).fit(X)
    >>> model.cluster_centers_.shape, bool((model.predict(X) == model.labels_).all())
    ((100, 4), True)
    """

    engine: ClassVar[str] = "auto"  # type: ignore[misc]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [ONE_OR_MORE],
        "branching": [COUNT, None],
        "refine": [COUNT_FROM_0],
        "probes": [COUNT, None],
        "exact": ["boolean"],
        "max_iter": [COUNT],
        "tol": [ZERO_OR_MORE],
        "verbose": ["verbose"],
        "random_state": RANDOM_STATE,
        "metric": "no_validation",
        "n_threads": [COUNT, None],
        "callback": [callable, None],
    }

    inertia_: float
    n_iter_: int
    groups_: Floats
    starts_: I64
    engine_: str

    def __init__(
        self,
        n_clusters: int = 10_000,
        *,
        branching: int | None = None,
        refine: int = 6,
        probes: int | None = 4,
        exact: bool = True,
        max_iter: int = 10,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        metric: str = "euclidean",
        n_threads: int | None = None,
        callback: Callback | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.branching = branching
        self.refine = refine
        self.probes = probes
        self.exact = exact
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.metric = metric
        self.n_threads = n_threads
        self.callback = callback

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Build the tree and refine its leaves.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows, dense and in memory; a file that fits into memory is read.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row, zero or more.

        Returns
        -------
        HierarchicalKMeans
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If there are fewer rows than clusters, or the data cannot be used.

        Examples
        --------
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [8.0], [9.0]]
        >>> om.HierarchicalKMeans(2, random_state=0).fit(X).inertia_
        1.0
        """
        k, distance = int(self.n_clusters), self._distance()
        if is_source(X):
            X = _sources.in_memory(X, self)
        rows: Floats = _validate.rows(X, estimator=self)
        _validate.enough_rows(len(rows), k)
        weights = _validate.weights(sample_weight, rows)
        seed = _validate.seed(self.random_state)
        exponent = 0
        if distance.kernel == "cosine":
            _validate.directions(rows, weights)
        else:
            exponent = _validate.exponent(rows)
        near: Floats = divided(rows, exponent)
        levels = Levels(
            distance,
            int(self.max_iter),
            float(self.tol),
            seed,
            self.n_threads or available_threads(),
            self._say,
        )
        many = min(self.branching or max(1, round(math.sqrt(k) / 2)), k)
        with np.errstate(over="ignore", invalid="ignore"):  # the rows have been found in range
            centers, starts = levels.grow(near, weights, k, many, self._control(levels.max_iter))
            fit = self._together(near, weights, centers, starts, distance, exponent, seed)
        self._keep(fit, starts)
        return self

    def _together(
        self,
        X: Floats,
        weights: F64 | None,
        centers: Floats,
        starts: I64,
        distance: Distance,
        exponent: int,
        seed: int,
    ) -> Fit:
        """Run Lloyd's algorithm on all centres, or only label the rows."""
        refine, probes = int(self.refine), int(self.probes or 0)
        most = refine if self.exact else None
        engine = open_grouped(starts, self.n_threads, distance, probes, most)
        rows = engine.place(X, weights, distance)
        if exponent:
            rows.exponent = exponent
        fit = Fit(centers, rows.labels, math.inf, (), "max_iter", centers)
        if refine:
            control, rngs = self._control(refine), [generator(seed, 2)]
            fit = _fit.run(
                engine,
                rows,
                len(centers),
                lambda *_: centers,
                rngs,
                distance=distance,
                max_iter=refine,
                tol=0.0,
                control=control,
            )
            centers = divided(fit.centers, exponent)
        if fit.n_iter < refine or not refine:  # no pass for the labels yet, or not an exact one
            if self.exact:
                engine = open_grouped(starts, self.n_threads, distance)
                rows = engine.place(X, weights, distance)
            history = fit.history
            fit = _fit.finish(engine, rows, distance, centers, centers, history, "max_iter")
            fit = _scaling.restored(fit, exponent, distance)
        return fit

    def _keep(self, fit: Fit, starts: I64) -> None:
        self.cluster_centers_, self.labels_ = fit.centers, fit.labels
        self.inertia_, self.n_iter_ = float(fit.inertia), fit.n_iter
        self.starts_, self.groups_ = starts, middles_of(fit.centers, starts)
        self._n_features_out, self.engine_ = len(fit.centers), "cpu"
        _validate.all_clusters_found(fit.labels, len(fit.centers))

    def _control(self, max_iter: int) -> Control | None:
        follower = Follower(bool(self.verbose), self.callback, 1, max_iter, 0.0)
        return Control(follower) if follower.listens else None

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)  # noqa: T201 - the job

    def predict_tree(self, X: Any, probes: int = 1) -> I32:
        """Return labels found through the tree: only the centres of the nearest groups are seen.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        probes : int, default=1
            Groups whose centres each row is compared with, the ones with the nearest middles; all
            of them give what `predict` gives.

        Returns
        -------
        ndarray of shape (n,), int32
            Labels, of which some are not the nearest centre's; `predict` is exact.

        Raises
        ------
        ValueError
            If `probes` is less than 1.

        Examples
        --------
        >>> import omnimeans as om
        >>> model = om.HierarchicalKMeans(2, random_state=0).fit([[0.0], [1.0], [8.0], [9.0]])
        >>> labels = model.predict_tree([[0.2], [8.7]])
        >>> labels.tolist() == model.predict([[0.2], [8.7]]).tolist()
        True
        """
        if probes < 1:
            raise ValueError(
                f"probes={probes} groups hold no centre; use 1 or more, or predict, which is exact."
            )
        check_is_fitted(self, "cluster_centers_")
        ready = self._compared(_validate.rows(X, estimator=self, reset=False))
        return self._seen(ready, min(int(probes), len(self.starts_) - 1))

    def _nearest(self, ready: Ready) -> I32:
        """Return the label of each row; groups are left out where that is sure to change none."""
        if self.starts_[-1] != len(ready.centers):  # somebody has put other centres there
            return super()._nearest(ready)
        return self._seen(ready, 0)

    def _seen(self, ready: Ready, probes: int) -> I32:
        engine = open_grouped(self.starts_, self.n_threads, ready.distance, probes)
        return engine.nearest(ready.X, ready.centers, ready.distance)
