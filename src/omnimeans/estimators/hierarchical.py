"""A tree of k-means for very many centres."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omnimeans import _fit, _validate
from omnimeans._types import F64, I32, I64, Engine, Floats
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine
from omnimeans.engines.cpu import available_threads
from omnimeans.estimators._model import CenterModel
from omnimeans.estimators._run import generator, place
from omnimeans.init import INITS

EUCLIDEAN = DISTANCES["euclidean"]


class HierarchicalKMeans(CenterModel):
    """k-means for 10,000 to 1,000,000 centres: a coarse level, fine ones below, then all together.

    The rows are split into about the square root of k groups; each group is clustered by itself
    into its share of the centres, in proportion to its rows; then Lloyd's algorithm runs on all
    centres for a few iterations, which takes back most of what the split cost.

    Parameters
    ----------
    n_clusters : int, default=10000
        Number of clusters, k.
    branching : int or None, default=None
        Groups of the coarse level; None takes the square root of k.
    refine : int, default=1
        Iterations on all centres at the end, each an exact pass over n times k distances.
    max_iter : int, default=10
        Most iterations of each level.
    random_state : int, RandomState, Generator or None, default=None
        Seed.
    n_threads : int or None, default=None
        Threads to use.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (k, d)
        Centres; those of one group follow each other.
    labels_ : ndarray of shape (n,), int32
        Number of the nearest of all centres for each row.
    inertia_ : float
        Sum of the squared distances to them.
    groups_ : ndarray of shape (branching, d)
        Centres of the coarse level.
    starts_ : ndarray of shape (branching + 1,)
        Where each group's centres begin.

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

    metric: ClassVar[str] = "euclidean"  # type: ignore[misc]
    engine: ClassVar[str] = "auto"  # type: ignore[misc]

    def __init__(
        self,
        n_clusters: int = 10_000,
        *,
        branching: int | None = None,
        refine: int = 1,
        max_iter: int = 10,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.branching = branching
        self.refine = refine
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Build the tree and refine its leaves.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,) or None, default=None
            Weight of each row.

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
        rows, k = _validate.rows(X, estimator=self), int(self.n_clusters)
        _validate.enough_rows(len(rows), k)
        weights = _validate.weights(sample_weight, rows)
        seed = _validate.seed(self.random_state)
        engine = open_engine("cpu", self.n_threads)
        many = self.branching or max(1, min(k, round(math.sqrt(k))))
        coarse = self._level(engine, rows, weights, many, seed, 0)
        order = np.argsort(coarse.labels, kind="stable")
        cuts = np.searchsorted(coarse.labels[order], np.arange(many + 1))
        shares = _shares(np.diff(cuts), k)

        def leaf(group: int) -> Floats:
            mine = order[cuts[group] : cuts[group + 1]]
            given = None if weights is None else weights[mine]
            alone = open_engine("cpu", 1)
            found = self._level(alone, rows[mine], given, int(shares[group]), seed, 1 + group)
            centers: Floats = found.centers
            return centers

        filled = np.flatnonzero(shares)
        with ThreadPoolExecutor(self.n_threads or available_threads()) as pool:
            centers = np.concatenate(list(pool.map(leaf, filled.tolist())))
        self.starts_ = np.append(0, np.cumsum(shares))
        found = self._together(engine, rows, weights, centers)
        self.groups_ = self._group_centers(coarse.centers, found.centers)
        self.cluster_centers_, self.labels_ = found.centers, found.labels
        self.inertia_, self.n_iter_ = float(found.inertia), found.n_iter
        return self

    def predict_tree(self, X: Any, probes: int = 1) -> I32:
        """Return labels found through the tree: only the centres of the nearest groups are seen.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        probes : int, default=1
            Groups whose centres each row is compared with; all of them give what `predict` gives.

        Returns
        -------
        ndarray of shape (n,), int32
            Labels, of which some are not the nearest centre's; `predict` is exact.

        Examples
        --------
        >>> import omnimeans as om
        >>> model = om.HierarchicalKMeans(2, random_state=0).fit([[0.0], [1.0], [8.0], [9.0]])
        >>> labels = model.predict_tree([[0.2], [8.7]])
        >>> labels.tolist() == model.predict([[0.2], [8.7]]).tolist()
        True
        """
        check_is_fitted(self, "cluster_centers_")
        rows = _validate.rows(X, estimator=self, reset=False)
        rows, centers = _validate.same_type(rows, self.cluster_centers_)
        engine = open_engine("cpu", self.n_threads)
        probes = min(max(1, probes), len(self.groups_))
        away = engine.all_pairs(rows, self.groups_.astype(rows.dtype), EUCLIDEAN)
        near = np.argsort(away, axis=1, kind="stable")[:, :probes]
        labels = np.full(len(rows), -1, dtype=np.int32)
        closest = np.full(len(rows), np.inf)
        for group in range(len(self.groups_)):
            begin, end = self.starts_[group : group + 2].tolist()
            mine = np.flatnonzero((near == group).any(axis=1)) if end > begin else near[:0, 0]
            if not len(mine):
                continue
            some, own = rows[mine], np.ascontiguousarray(centers[begin:end])
            found = engine.nearest(some, own, EUCLIDEAN)
            distance = engine.own(some, own, found, EUCLIDEAN)
            better = distance < closest[mine]
            labels[mine[better]] = begin + found[better]
            closest[mine[better]] = distance[better]
        return labels

    def _level(
        self, engine: Engine, X: Floats, weights: F64 | None, k: int, seed: int, number: int
    ) -> Any:
        """Cluster some rows into k clusters."""
        rows = place(engine, X, weights, EUCLIDEAN)
        tol = float(1e-4 * rows.spread / (max(rows.weight, 1e-300) * rows.d))
        return _fit.run(
            engine,
            rows,
            k,
            INITS["k-means||" if k > 256 else "k-means++"],
            [generator(seed, 0, number)],
            distance=EUCLIDEAN,
            max_iter=int(self.max_iter),
            tol=tol,
        )

    def _together(self, engine: Engine, X: Floats, weights: F64 | None, centers: Floats) -> Any:
        """Run Lloyd's algorithm on all centres, or only label the rows."""
        rows = place(engine, X, weights, EUCLIDEAN)
        if self.refine:
            return _fit.lloyd(
                engine, rows, centers, distance=EUCLIDEAN, max_iter=int(self.refine), tol=0.0
            )
        return _fit.finish(engine, rows, EUCLIDEAN, centers, centers, [], "max_iter")

    def _group_centers(self, coarse: Floats, centers: Floats) -> Floats:
        """Return the means of each group's centres as they are now."""
        groups = coarse.copy()
        for group, (begin, end) in enumerate(zip(self.starts_[:-1], self.starts_[1:], strict=True)):
            if end > begin:
                groups[group] = centers[begin:end].mean(axis=0, dtype=np.float64)
        return groups


def _shares(sizes: I64, k: int) -> I64:
    """Share k centres out in proportion to the groups' rows, one or more, never more than rows."""
    shares = np.minimum(sizes, 1)
    while shares.sum() < k:
        room = sizes - shares
        wanted = np.where(room > 0, sizes / (shares + 0.5), 0.0)
        missing = int(k - shares.sum())
        best = np.argsort(-wanted, kind="stable")[: max(1, missing // 4)]
        best = best[wanted[best] > 0]
        shares[best] += 1
    return shares
