"""k-means on streams without end: a mergeable sample, and centres whenever they are asked for.

Every row gets a key from a hash of its own values, and the sketch keeps the rows with the smallest
keys.  So what it holds depends on which rows came, not on their order or on who saw them, and the
sketches of two streams merge into exactly that of both (bottom-k sampling: E. Cohen and H. Kaplan,
"Summarizing data using bottom-k sketches", PODC 2007).  With a half-life, keys are drawn in favour
of late rows (forward decay: G. Cormode et al., "Forward decay", ICDE 2009).
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from omnimeans import _validate
from omnimeans._types import F64, I32, I64, Floats
from omnimeans.estimators._model import CenterModel
from omnimeans.estimators.kmeans import KMeans

U64 = NDArray[np.uint64]
STEP = 1 << 16  # rows taken in at a time


class StreamKMeans(CenterModel):
    """k-means of a stream: `partial_fit` may be called forever, in bounded memory.

    A sample of the stream is kept, with weights that stand for the rows left out; the centres are
    those of the weighted sample, found when they are first asked for.  Models of different streams
    can be merged.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, k.
    sample_size : int, default=20000
        Different rows that are kept.  Memory is about ``sample_size * (8 d + 40)`` bytes.
    half_life : float or None, default=None
        Rows after which an older row counts half; None never forgets.
    n_init, random_state, metric, engine, n_threads
        As in :class:`KMeans`, which clusters the sample; `random_state`, an int, seeds the sample
        too.

    Attributes
    ----------
    n_samples_seen_ : int
        Rows taken in so far.
    cluster_centers_ : ndarray of shape (k, d)
        Centres of the present sample.
    labels_ : ndarray of shape (m,), int32
        Labels of the rows in the sample, in its order.
    inertia_ : float
        Estimate of the objective on all rows of the stream (with a half-life: as far as they
        count).

    Examples
    --------
    >>> import numpy as np
    >>> import omnimeans as om
    >>> model = om.StreamKMeans(2, random_state=0)
    >>> for start in range(0, 1000, 100):
    ...     rows = np.arange(start, start + 100) % 2 * 10.0
    ...     _ = model.partial_fit(rows[:, None])
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.n_samples_seen_
    ([0.0, 10.0], 1000)
    """

    n_samples_seen_: int
    _fitted: KMeans

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        sample_size: int = 20_000,
        half_life: float | None = None,
        n_init: int | str = "auto",
        random_state: int = 0,
        metric: str = "euclidean",
        engine: str = "auto",
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.sample_size = sample_size
        self.half_life = half_life
        self.n_init = n_init
        self.random_state = random_state
        self.metric = metric
        self.engine = engine
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Forget everything, and take these rows in.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        y, sample_weight : ignored
            A row of a stream counts once each time that it comes.

        Returns
        -------
        StreamKMeans
            The model itself.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.StreamKMeans(1).fit([[0.0], [2.0]]).cluster_centers_
        array([[1.]])
        """
        self.__dict__.pop("_rows", None)
        return self.partial_fit(X)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Take more rows in.

        Parameters
        ----------
        X : array-like of shape (m, d)
            The next rows of the stream.
        y : ignored
            Present by convention.

        Returns
        -------
        StreamKMeans
            The model itself.

        Raises
        ------
        ValueError
            If the rows have other features than those before, or hold no finite numbers.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.StreamKMeans(1).partial_fit([[0.0]]).partial_fit([[2.0]]).cluster_centers_
        array([[1.]])
        """
        fresh = not hasattr(self, "_rows")
        if fresh:
            self._begin()
        given: F64 = _validate.rows(X, estimator=self, reset=fresh).astype(np.float64)
        if fresh:
            self._rows = np.empty((0, given.shape[1]))
        for i in range(0, len(given), STEP):
            some: F64 = given[i : i + STEP] + 0.0  # one zero only
            times: F64 = np.arange(len(some), dtype=np.float64)
            times += self.n_samples_seen_
            self.n_samples_seen_ += len(some)
            age: F64 = times / (self.half_life or np.inf)
            keys = _keys(some, int(self.random_state), None if self.half_life is None else times)
            self._add(some, keys - age * np.log(2.0), np.ones(len(some), dtype=np.int64), age)
        return self

    def _begin(self) -> None:
        self._distance()
        self.n_samples_seen_ = 0
        self._order = np.empty(0)
        self._counts = np.empty(0, dtype=np.int64)
        self._ages = np.empty(0)

    def _add(self, rows: F64, keys: F64, counts: I64, ages: F64) -> None:
        """Take rows in, and keep those with the smallest keys; copies are counted together."""
        rows = np.concatenate([self._rows, rows])
        keys, counts = np.append(self._order, keys), np.append(self._counts, counts)
        ages = np.append(self._ages, ages)
        order = np.lexsort((*rows.T[::-1], keys))
        if self.half_life is None:
            ranked = rows[order]
            new = np.append(True, (ranked[1:] != ranked[:-1]).any(axis=1))
            starts = np.flatnonzero(new)
            counts = np.add.reduceat(counts[order], starts)
            order = order[starts]
        else:
            counts = counts[order]
        kept = slice(0, self.sample_size + 1)  # one more: the first left out tells the chances
        self._rows, self._order = rows[order][kept], keys[order][kept]
        self._counts, self._ages = counts[kept], ages[order][kept]
        self.__dict__.pop("_fitted", None)

    def sample(self) -> tuple[F64, F64]:
        """Return the rows that are kept, and how many rows of the stream each stands for.

        Returns
        -------
        rows : ndarray of shape (m, d)
            The sample, in an order that depends on its values only.
        weights : ndarray of shape (m,)
            Horvitz-Thompson weights: with a half-life, as much as the rows count by now.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.StreamKMeans(1).fit([[5.0], [5.0]]).sample()
        (array([[5.]]), array([2.]))
        """
        m = min(len(self._rows), self.sample_size)
        now = 0.0 if self.half_life is None else self.n_samples_seen_ / self.half_life
        decayed: F64 = np.exp2(self._ages[:m] - now)
        counts: F64 = self._counts[:m].astype(np.float64)
        if len(self._rows) <= self.sample_size:
            return self._rows[:m], counts * decayed
        # a row is in if its key is below that of the first row left out
        chance = -np.expm1(-np.exp(self._order[m] + self._ages[:m] * np.log(2.0)))
        return self._rows[:m], counts * decayed / chance

    def _model(self) -> KMeans:
        """Return the k-means of the sample."""
        if "_fitted" not in self.__dict__:
            if not hasattr(self, "_rows"):
                from sklearn.exceptions import NotFittedError

                raise NotFittedError(
                    "This StreamKMeans has seen no rows yet. Call 'partial_fit' first."
                )
            rows, weights = self.sample()
            model = KMeans(
                self.n_clusters,
                n_init=self.n_init,
                random_state=self.random_state,
                metric=self.metric,
                engine=self.engine,
                n_threads=self.n_threads,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                self._fitted = model.fit(rows, sample_weight=weights)
        return self._fitted

    @property
    def cluster_centers_(self) -> Floats:  # type: ignore[override]
        """Centres of the present sample."""
        return self._model().cluster_centers_

    @property
    def labels_(self) -> I32:  # type: ignore[override]
        """Labels of the rows in the sample."""
        return self._model().labels_

    @property
    def inertia_(self) -> float:
        """Estimate of the objective on the stream."""
        return self._model().inertia_


def merge(a: StreamKMeans, b: StreamKMeans) -> StreamKMeans:
    """Return the model of two streams together, as if one had seen both.

    Parameters
    ----------
    a, b : StreamKMeans
        Models with the same parameters, without a half-life.

    Returns
    -------
    StreamKMeans
        A new model; ``merge(a, b)`` and ``merge(b, a)`` have the same bits.

    Raises
    ------
    ValueError
        If the models differ in a parameter or in their features, or forget.

    Examples
    --------
    >>> import omnimeans as om
    >>> a, b = om.StreamKMeans(1).fit([[0.0]]), om.StreamKMeans(1).fit([[4.0]])
    >>> om.merge(a, b).cluster_centers_
    array([[2.]])
    """
    if a.get_params() != b.get_params():
        differ = [name for name, value in a.get_params().items() if value != b.get_params()[name]]
        raise ValueError(
            f"The models differ in {', '.join(differ)}; only models with the same parameters merge."
        )
    if a.half_life is not None:
        raise ValueError(
            "Models with a half_life do not merge: which of two streams' rows are the later ones "
            "is not known. Use half_life=None."
        )
    if a._rows.shape[1] != b._rows.shape[1]:
        raise ValueError(
            f"The models have {a._rows.shape[1]} and {b._rows.shape[1]} features; only models of "
            "the same features merge."
        )
    both = StreamKMeans(**a.get_params())
    both._begin()
    both.n_features_in_ = a._rows.shape[1]
    if hasattr(a, "feature_names_in_"):
        both.feature_names_in_ = a.feature_names_in_
    both._rows = np.empty((0, a._rows.shape[1]))
    both.n_samples_seen_ = a.n_samples_seen_ + b.n_samples_seen_
    for one in (a, b):
        both._add(one._rows, one._order, one._counts, one._ages)
    return both


def _keys(rows: F64, seed: int, times: F64 | None) -> F64:
    """Return the logarithm of an exponential variate for each row, from a hash of its values."""
    words = np.ascontiguousarray(rows).view(np.uint64)
    found = np.full(len(rows), seed & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
    columns = [*words.T] if times is None else [*words.T, times.view(np.uint64)]
    for column in columns:
        found = _mixed(found * np.uint64(0x9E3779B97F4A7C15) ^ column)
    share = ((_mixed(found) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return np.log(-np.log1p(-share))


def _mixed(values: U64) -> U64:
    """Return the finaliser of splitmix64 (G. L. Steele et al., OOPSLA 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
