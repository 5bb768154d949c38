"""KMeansLloyd: one start, Lloyd's two steps, and results that are easy to look at."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from omnimeans._types import I32, Distance, Floats
from omnimeans.distances import DISTANCES
from omnimeans.estimators import KMeans

Update = Literal["auto", "mean"]


class _MeanUpdate(KMeans):
    """Rows go to the centre that is nearest by city block, and centres to the mean all the same."""

    def _distance(self) -> Distance:
        return DISTANCES["manhattan-mean"]


ESTIMATORS: dict[tuple[str, Update], type[KMeans]] = {("manhattan", "mean"): _MeanUpdate}


class KMeansLloyd:
    """Group rows into clusters around their centres: Lloyd's algorithm from a single start.

    A single start may end in a bad local optimum.  That is a lesson and not a fault;
    :class:`omnimeans.KMeans` starts better, and as often as `n_init` says.

    Parameters
    ----------
    num_clusters : int
        Number of clusters.
    init : {"random", "k-means++"}, callable or array-like of shape (k, d), default="random"
        Where to start: different rows drawn evenly, rows drawn far from each other, or the given
        centres.
    max_iter : int, default=300
        Most iterations.
    metric : {"euclidean", "manhattan", "cosine"}, default="euclidean"
        What to minimise: squared Euclidean or city-block distances to the centres, or one minus
        the cosine.
    tol : float, default=0.0
        Stop when the squared moves of all centres sum to at most `tol` times the mean variance of
        the features.  With 0, stop when no centre moves, which always happens in the end.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the start.
    update : {"auto", "mean"}, default="auto"
        Where a cluster's centre goes.  "auto" takes the point that minimises the distances: the
        mean for "euclidean", the coordinate-wise median for "manhattan".  "mean" takes the mean
        for "manhattan" too; the objective can then rise, and the fit stops when it runs in a
        circle.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28
    (1982).

    Examples
    --------
    >>> from omnimeans import KMeansLloyd
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> kmeans = KMeansLloyd(num_clusters=2, init=[[1, 2], [10, 2]]).fit(X)
    Converged at iteration 1
    >>> kmeans.inertia
    16.0
    >>> kmeans.predict([[0, 0], [12, 3]])
    array([0, 1], dtype=int32)
    """

    def __init__(
        self,
        num_clusters: int,
        init: Any = "random",
        max_iter: int = 300,
        metric: str = "euclidean",
        tol: float = 0.0,
        random_state: Any = None,
        *,
        update: Update = "auto",
    ) -> None:
        if update not in get_args(Update):
            raise ValueError(
                f"update={update!r} is not known; use 'auto' for the centre that fits the metric, "
                "or 'mean' for the mean with any metric"
            )
        self._model = ESTIMATORS.get((metric, update), KMeans)(
            num_clusters,
            init=init,
            n_init=1,
            max_iter=max_iter,
            metric=metric,
            tol=tol,
            random_state=random_state,
        )
        self._X: NDArray[Any] = np.empty((0, 0))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_clusters={self.num_clusters})"

    def fit(self, X: Any) -> Self:
        """Find the clusters of the rows, and print when the centres came to rest.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            The rows.  They are not copied: `clusters` reads them when it is asked for.

        Returns
        -------
        KMeansLloyd
            The fitted object itself.

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used; the message says why.

        Examples
        --------
        >>> from omnimeans import KMeansLloyd
        >>> KMeansLloyd(num_clusters=1).fit([[0.0], [4.0]]).centroids
        Converged at iteration 2
        array([[2.]])
        """
        self._model.fit(X)
        self._X = np.asarray(X)
        print(self._ending())  # noqa: T201 - a line that students look for
        return self

    def _ending(self) -> str:
        t = self._model.n_iter_
        return {
            "max_iter": f"Stopped at iteration {t}, before it converged",
            "cycle": f"Stopped at iteration {t}: the centres run in a circle",
        }.get(self._model.stop_reason_, f"Converged at iteration {t}")

    def predict(self, X: Any) -> I32:
        """Return the nearest centre of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows, seen before or not.

        Returns
        -------
        ndarray of shape (n,), int32
            Cluster of each row; the lowest where several centres are nearest.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from omnimeans import KMeansLloyd
        >>> kmeans = KMeansLloyd(2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
        Converged at iteration 2
        >>> kmeans.predict([[8.0]])
        array([1], dtype=int32)
        """
        return self._fitted.predict(X)

    @property
    def num_clusters(self) -> int:
        """Number of clusters that was asked for."""
        return int(self._model.n_clusters)

    @property
    def num_features(self) -> int:
        """Number of columns of the fitted rows."""
        return int(self._fitted.n_features_in_)

    @property
    def num_samples(self) -> int:
        """Number of the fitted rows."""
        return len(self.labels)

    @property
    def labels(self) -> I32:
        """Cluster of each row, shape (n,)."""
        return self._fitted.labels_

    @property
    def centroids(self) -> Floats:
        """Centre of each cluster, shape (k, d)."""
        return self._fitted.cluster_centers_

    @property
    def inertia(self) -> float:
        """Sum of the (squared) distances of the rows to their centres: what the fit minimised."""
        return self._fitted.inertia_

    @property
    def clusters(self) -> dict[int, NDArray[Any]]:
        """The rows of each cluster, as they were given."""
        labels = self.labels
        return {j: self._X[labels == j] for j in range(self.num_clusters)}

    @property
    def history(self) -> tuple[Any, ...]:
        """One record per iteration: inertia, rows moved, shift of the centres, repairs."""
        return self._fitted.history_

    @property
    def _fitted(self) -> KMeans:
        if not hasattr(self._model, "cluster_centers_"):
            raise NotFittedError(f"this {self!r} has no results yet; call fit(X) first")
        return self._model
