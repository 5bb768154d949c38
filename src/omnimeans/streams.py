"""k-means on streams without end: a mergeable summary, and centres whenever they are asked for.

What is kept depends on which rows came and on their weights, not on their order or on who saw them
(:mod:`omnimeans._sketch`), so the summaries of two streams merge into exactly that of both.  With a
half-life, late rows are favoured (:mod:`omnimeans._fading`).
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils._param_validation import Interval, StrOptions

from omnimeans import _validate
from omnimeans._fading import Fading
from omnimeans._params import COUNT, ONE_OR_MORE, Counts
from omnimeans._sketch import BITS, Sketch
from omnimeans._types import F64, I32, Floats
from omnimeans.engines import ENGINES
from omnimeans.estimators._model import CenterModel
from omnimeans.estimators.kmeans import KMeans

STEP = 1 << 22  # values taken in at a time
LEAST = 2.0**-BITS  # weight


class StreamKMeans(CenterModel):
    """k-means of a stream: `partial_fit` may be called forever, in bounded memory.

    A summary of the stream is kept: a sample of its rows, and the cells of a grid, each with the
    weight of all its rows.  The centres are those of the summary, found when they are first asked
    for.  Models of different streams can be merged.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, k.
    sample_size : int, default=20000
        Different rows that stand for all in the end.  Memory is about ``sample_size * (12 d + 72)``
        bytes, and twice as much while rows are taken in.
    half_life : float or None, default=None
        Rows after which an older row counts half; None never forgets.
    n_init : int or "auto", default=3
        Number of starts; the summary is small.
    metric, engine, n_threads
        As in :class:`KMeans`, which clusters the summary.
    random_state : int, default=0
        Seed of the sample, and of the starts.

    Attributes
    ----------
    n_samples_seen_ : int
        Rows taken in so far.
    cluster_centers_ : ndarray of shape (k, d)
        Centres of the present summary; float32 where all rows were.
    labels_ : ndarray of shape (m,), int32
        Labels of the rows that :meth:`sample` returns.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [ONE_OR_MORE],
        "sample_size": [Counts(2)],
        "half_life": [Interval(Real, 0, None, closed="neither"), None],
        "n_init": [StrOptions({"auto"}), COUNT],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "metric": "no_validation",
        "engine": [StrOptions({"auto", *ENGINES})],
        "n_threads": [COUNT, None],
    }

    n_samples_seen_: int
    _kept: Sketch | Fading
    _narrow: bool  # all rows were float32
    _fitted: KMeans

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        sample_size: int = 20_000,
        half_life: float | None = None,
        n_init: int | str = 3,
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
        X : array-like or data frame of shape (n, d)
            Rows.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            As in `partial_fit`.

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
        for name in ("_kept", "_fitted"):
            self.__dict__.pop(name, None)
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Take more rows in.

        Parameters
        ----------
        X : array-like or data frame of shape (m, d)
            The next rows of the stream.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (m,), float or None, default=None
            How often each row counts: 0, or from 1e-13 to 1e15.  Fractions are kept in steps of
            ``2**-44``, so that they add up to the same in any order.

        Returns
        -------
        StreamKMeans
            The model itself.

        Raises
        ------
        ValueError
            If the rows have other features than those before, or hold no finite numbers; the model
            is then as it was.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.StreamKMeans(1).partial_fit([[0.0]]).partial_fit([[2.0]]).cluster_centers_
        array([[1.]])
        """
        fresh = not hasattr(self, "_kept")
        if fresh:
            self._validate_params()
            self._distance()
        rows = _validate.rows(X, estimator=self, reset=fresh)
        weights = _validate.weights(sample_weight, rows)
        weights = np.ones(len(rows)) if weights is None else _held(weights)
        if fresh:
            self._begin(rows.shape[1])
        self._narrow = self._narrow and rows.dtype == np.float32
        some = max(256, STEP // rows.shape[1])
        for i in range(0, len(rows), some):
            part, counts = rows[i : i + some], weights[i : i + some]
            self._take(part[counts > 0].astype(np.float64) + 0.0, counts[counts > 0], len(part))
        self.__dict__.pop("_fitted", None)
        return self

    def _begin(self, d: int) -> None:
        size, seed = int(self.sample_size), int(self.random_state)
        self.n_samples_seen_, self._narrow = 0, True
        if self.half_life is None:
            self._kept = Sketch.empty(d, size, seed)
        else:
            self._kept = Fading.empty(d, size, float(self.half_life), seed)

    def _take(self, rows: F64, weights: F64, count: int) -> None:
        if len(rows) and isinstance(self._kept, Sketch):
            self._kept.add(rows, weights)
        elif len(rows) and isinstance(self._kept, Fading):
            self._kept.add(rows, weights, self.n_samples_seen_)
        self.n_samples_seen_ += count

    def sample(self) -> tuple[F64, F64]:
        """Return the rows that are kept, and how many rows of the stream each stands for.

        Returns
        -------
        rows : ndarray of shape (m, d)
            The summary's rows, in an order that depends on their values only.
        weights : ndarray of shape (m,)
            They add up to the weight of all rows; with a half-life, nearly to what that is by now.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.StreamKMeans(1).fit([[5.0], [5.0]]).sample()
        (array([[5.]]), array([2.]))
        """
        if not hasattr(self, "_kept"):
            raise NotFittedError(
                "This StreamKMeans has seen no rows yet. Call 'partial_fit' first."
            )
        if isinstance(self._kept, Fading):
            return self._kept.points(self.n_samples_seen_)
        return self._kept.points()

    def _model(self) -> KMeans:
        """Return the k-means of the summary."""
        if "_fitted" not in self.__dict__:
            rows, weights = self.sample()
            if len(rows) < self.n_clusters:
                raise ValueError(
                    f"The stream has brought {len(rows)} different rows so far, fewer than "
                    f"n_clusters={self.n_clusters} (sample_size={self.sample_size}). Go on with "
                    "partial_fit, or ask for fewer clusters."
                )
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
                self._fitted = model.fit(
                    rows.astype(np.float32) if self._narrow else rows, sample_weight=weights
                )
        return self._fitted

    @property
    def cluster_centers_(self) -> Floats:  # type: ignore[override]
        """Centres of the present summary."""
        return self._model().cluster_centers_

    @property
    def labels_(self) -> I32:  # type: ignore[override]
        """Labels of the rows in the summary."""
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
        If the models differ in a parameter or in their features, have seen nothing, or forget.

    Examples
    --------
    >>> import omnimeans as om
    >>> a, b = om.StreamKMeans(1).fit([[0.0]]), om.StreamKMeans(1).fit([[4.0]])
    >>> om.merge(a, b).cluster_centers_
    array([[2.]])
    """
    for one in (a, b):
        if not isinstance(one, StreamKMeans):
            raise TypeError(f"merge takes two StreamKMeans, and was given a {type(one).__name__}.")
        if not hasattr(one, "_kept"):
            raise NotFittedError("A model has seen no rows yet. Call its 'partial_fit' first.")
    first, second = a.get_params(), b.get_params()
    if differ := [name for name, value in first.items() if value != second[name]]:
        listed = ", ".join(f"{name} ({first[name]} and {second[name]})" for name in differ)
        raise ValueError(
            f"The models differ in {listed}; only models with the same parameters merge."
        )
    if not isinstance(a._kept, Sketch) or not isinstance(b._kept, Sketch):
        raise ValueError(
            "Models with a half_life do not merge: which of two streams' rows are the later ones "
            "is not known. Use half_life=None."
        )
    if a.n_features_in_ != b.n_features_in_:
        raise ValueError(
            f"The models have {a.n_features_in_} and {b.n_features_in_} features; only models of "
            "the same features merge."
        )
    names = [one.feature_names_in_ for one in (a, b) if hasattr(one, "feature_names_in_")]
    if any(list(name) != list(names[0]) for name in names):
        raise ValueError(
            f"The models have the features {', '.join(names[0])} and {', '.join(names[1])}; only "
            "models of the same features, in the same order, merge."
        )
    both = StreamKMeans(**first)
    both._begin(a.n_features_in_)
    both.n_features_in_ = a.n_features_in_
    if names:
        both.feature_names_in_ = names[0]
    both.n_samples_seen_ = a.n_samples_seen_ + b.n_samples_seen_
    both._narrow = a._narrow and b._narrow
    for sketch in (a._kept, b._kept):
        both._kept.join(sketch)  # type: ignore[union-attr]
    return both


def _held(weights: F64) -> F64:
    """Return weights that can be kept in steps, or say which one cannot."""
    wrong = (weights > 0.0) & ((weights < LEAST) | (weights > 2.0**50))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"sample_weight has {weights[row]} in row {row}, but a stream keeps weights from "
            f"{LEAST:.1g} to 1e15, and 0. Multiply all weights of the stream by one number."
        )
    return weights
