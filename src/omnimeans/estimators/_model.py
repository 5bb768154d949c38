"""What any model with centres can do with rows: label them, measure them, score them."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from omnimeans import _validate
from omnimeans._rows import Holed, floating, number_type
from omnimeans._scaling import divided, restored_sum, scaled
from omnimeans._types import I32, Distance, Engine, Floats
from omnimeans.engines import open_engine, open_partial
from omnimeans.estimators import _lazy, _sources
from omnimeans.estimators._card import model_card
from omnimeans.sources import is_dask, is_source

_PLAIN = {bool, float, int, str, type(None)}
_FOUND_GOOD: set[tuple[Any, ...]] = set()  # classes with the values of their parameters


class Ready(NamedTuple):
    """Rows and centres of one type, divided by a power of two where their squares need it."""

    engine: Engine
    X: Any
    centers: Floats
    distance: Distance
    exponent: int
    dtype: np.dtype[Any]  # of the rows as they were given


class CenterModel(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """A model that is its centres; ``fit`` is the subclass's."""

    cluster_centers_: Floats
    labels_: I32
    metric: str
    engine: str
    n_threads: int | None
    __metadata_request__predict: ClassVar = {"out": UNUSED}  # says where, nothing about the rows

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return the names of the parameters; scikit-learn inspects the signature every time."""
        names: list[str] = super()._get_param_names()
        return names

    def _validate_params(self) -> None:
        """Check the parameters, unless the very same ones have been found good before.

        scikit-learn's check takes longer than a small fit.
        """
        known = vars(self)
        values = [known.get(name) for name in type(self)._get_param_names()]
        if not all(type(value) in _PLAIN for value in values):
            super()._validate_params()
            return
        given = (type(self), *((type(value), value) for value in values))
        if given not in _FOUND_GOOD:
            super()._validate_params()
            if len(_FOUND_GOOD) >= 1000:
                _FOUND_GOOD.clear()
            _FOUND_GOOD.add(given)

    def _html_repr(self) -> str:
        """Return scikit-learn's diagram; of a fitted model, also what came out."""
        diagram: str = super()._html_repr()
        centers = getattr(self, "cluster_centers_", None)
        return diagram if centers is None else diagram + model_card(self)

    def _distance(self) -> Distance:
        """Return the row of the table of distances that `metric` names."""
        return _validate.metric(self.metric)

    def _ready(self, X: Any) -> Ready:
        """Return all that is needed to compare new rows with the centres as they are now."""
        check_is_fitted(self, "cluster_centers_")
        return self._compared(_sources.rows(X, self, reset=False))

    def _compared(self, X: Any) -> Ready:
        distance = self._distance()
        centers = _validate.fitted_centers(self.cluster_centers_, X.shape[1])
        dtype = number_type(X)
        X, centers = _validate.same_type(X, centers)
        if distance.kernel == "cosine":  # lengths do not matter, so squares are no trouble
            _validate.directed_centers(centers, "cluster_centers_")
            exponent = 0
        else:
            exponent = _validate.exponent_between(X, centers)
        opened = open_partial if isinstance(X, Holed) else open_engine
        return Ready(
            opened(_sources.local(self.engine), self.n_threads, distance),
            divided(floating(X, centers.dtype), exponent) if exponent else X,
            divided(centers, exponent),
            distance,
            exponent,
            dtype,
        )

    def _nearest(self, ready: Ready) -> I32:
        """Return the label of each row."""
        return ready.engine.nearest(ready.X, ready.centers, ready.distance)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> I32:
        """Find the clusters and return the label of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows to cluster.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row.

        Returns
        -------
        ndarray of shape (n,), int32
            ``labels_``.

        Examples
        --------
        >>> import omnimeans as om
        >>> labels = om.KMeans(n_clusters=2, random_state=0).fit_predict([[0.0], [1.0], [9.0]])
        >>> labels[0] == labels[1], labels[0] == labels[2]
        (np.True_, np.False_)
        """
        labels: I32 = self.fit(X, sample_weight=sample_weight).labels_
        return labels

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Floats:
        """Find the clusters and return the distance of each row to each centre.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows to cluster.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row.

        Returns
        -------
        ndarray of shape (n, k)
            What ``fit(X).transform(X)`` returns.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.KMeans(n_clusters=1).fit_transform([[0.0], [4.0]])
        array([[2.],
               [2.]])
        """
        distances: Floats = self.fit(X, sample_weight=sample_weight).transform(X)
        return distances

    def predict(self, X: Any, *, out: Any = None) -> I32:
        """Return the number of the nearest centre of each row.

        Parameters
        ----------
        X : array-like, data frame or source of shape (n, d)
            Rows of any number type; compared with the present ``cluster_centers_``.  A path, or
            anything else that :func:`open_source` takes, is read block by block.
        out : path or None, default=None
            A .npy file that the labels of a source are written to, block by block; they are then
            returned as a memory map of it.

        Returns
        -------
        ndarray of shape (n,), int32
            Labels; the lowest where several centres are nearest.

        Examples
        --------
        >>> import omnimeans as om
        >>> model = om.KMeans(n_clusters=2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
        >>> model.predict([[2.0], [7.0]])
        array([0, 1], dtype=int32)
        """
        if is_source(X) or out is not None:
            check_is_fitted(self, "cluster_centers_")
            return _sources.predict(self, X, out)
        ready = self._ready(X)
        return self._nearest(ready)

    def transform(self, X: Any) -> Floats:
        """Return the distance of each row to each centre.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows of any number type.

        Returns
        -------
        ndarray of shape (n, k)
            Euclidean (not squared) or city-block distances, or one minus the cosine, of the type
            of `X`.  Of a Dask collection: another one, computed where the rows are.

        Examples
        --------
        >>> import omnimeans as om
        >>> model = om.KMeans(n_clusters=2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
        >>> model.transform([[2.5]])
        array([[2. , 6.5]])
        """
        if is_dask(X):
            return _lazy.distances(self, X)  # type: ignore[no-any-return]
        if is_source(X):
            raise TypeError(
                "transform gives k values for each row, more than a source's rows in memory would "
                "take. Walk through it: for first, rows in om.open_source(X).blocks(100_000): "
                "model.transform(rows)."
            )
        ready = self._ready(X)
        # a distance may need more range than its type has: it is scaled first, and rounded then
        dtype = np.dtype(np.float64) if ready.exponent else ready.dtype
        away = ready.engine.lengths(ready.X, ready.centers, ready.distance, dtype)
        if ready.exponent:
            away = scaled(away, ready.exponent)
        return away.astype(ready.dtype, copy=False)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the objective on these rows: the higher, the better.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows of any number type.
        y : ignored
            Present by convention.
        sample_weight : array-like of shape (n,), float or None, default=None
            Weight of each row.

        Returns
        -------
        float
            Minus the weighted sum of the (squared) distances to the nearest centres.

        Examples
        --------
        >>> import omnimeans as om
        >>> om.KMeans(n_clusters=1).fit([[0.0], [4.0]]).score([[2.0], [3.0]])
        -1.0
        """
        if is_source(X):
            check_is_fitted(self, "cluster_centers_")
            return _sources.score(self, X, sample_weight)
        ready = self._ready(X)
        engine, X, centers, distance, exponent, _ = ready
        weights = _validate.weights(sample_weight, X)
        labels = self._nearest(ready)
        total = float(engine.total(engine.own(X, centers, labels, distance), weights))
        return -restored_sum(total, exponent, distance)
