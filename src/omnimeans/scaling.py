"""Columns brought to one scale before they are compared, and centres brought back.

A table of functions ``(values, weights, engine) -> (offset, spread)`` for one column: a row is
compared as ``(row - offset) / spread``.  Sums are exact, so that the scale does not depend on the
order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnimeans._types import F64, Engine, Floats

Scale = Callable[[F64, "F64 | None", Engine], tuple[float, float]]


def standard(values: F64, weights: F64 | None, engine: Engine) -> tuple[float, float]:
    """Return the mean and the standard deviation of a column (divisor n).

    Parameters
    ----------
    values : ndarray of shape (n,)
        The column, all values finite.
    weights : ndarray of shape (n,) or None
        Weight of each row.
    engine : Engine
        Takes the sums.

    Returns
    -------
    offset, spread : float
        Mean and standard deviation.

    Examples
    --------
    >>> from omnimeans.engines import open_engine
    >>> standard(np.array([1.0, 3.0]), None, open_engine("auto"))
    (2.0, 1.0)
    """
    weight = float(len(values)) if weights is None else engine.total(weights, None)
    above, below = np.maximum(values, 0.0), np.maximum(-values, 0.0)  # totals are never negative
    mean = (engine.total(above, weights) - engine.total(below, weights)) / weight
    variance = engine.total((values - mean) ** 2, weights) / weight
    return mean, float(np.sqrt(variance))


def robust(values: F64, weights: F64 | None, engine: Engine) -> tuple[float, float]:
    """Return the median and the distance between the quartiles of a column.

    Parameters
    ----------
    values : ndarray of shape (n,)
        The column, all values finite.
    weights : ndarray of shape (n,) or None
        Weight of each row; with weights, quantiles are values of the column.
    engine : Engine
        Not needed.

    Returns
    -------
    offset, spread : float
        Median and interquartile range.

    Examples
    --------
    >>> from omnimeans.engines import open_engine
    >>> robust(np.array([0.0, 1.0, 2.0, 3.0, 100.0]), None, open_engine("auto"))
    (2.0, 2.0)
    """
    if weights is None:
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    else:
        low, middle, high = np.quantile(
            values, [0.25, 0.5, 0.75], weights=weights, method="inverted_cdf"
        )
    return float(middle), float(high - low)


SCALES: dict[str, Scale | None] = {"none": None, "standard": standard, "robust": robust}


@dataclass(frozen=True, slots=True)
class Scaling:
    """How rows are scaled before they are compared.

    Parameters
    ----------
    kind : str
        A key of `SCALES`.
    offset, spread : ndarray of shape (d,)
        What is taken off each column, and what the rest is divided by.
    """

    kind: str
    offset: F64
    spread: F64

    def apply(self, X: Floats) -> Floats:
        """Return rows as they are compared, in their own type.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Rows in their own units.

        Returns
        -------
        ndarray of shape (n, d)
            Scaled rows; the very same array where nothing is scaled.

        Examples
        --------
        >>> Scaling("standard", np.array([2.0]), np.array([4.0])).apply(np.array([[6.0]]))
        array([[1.]])
        """
        if self.kind == "none":
            return X
        scaled = np.empty_like(X)
        for at in range(0, len(X), 65536):  # in float64, without a copy of all rows
            block = X[at : at + 65536]
            scaled[at : at + 65536] = (block - self.offset) / self.spread
        return scaled

    def undo(self, centers: Floats) -> F64:
        """Return centres in the units of the data.

        Parameters
        ----------
        centers : ndarray of shape (k, d)
            Centres of scaled rows.

        Returns
        -------
        ndarray of shape (k, d)
            The same centres, in float64.

        Examples
        --------
        >>> Scaling("standard", np.array([2.0]), np.array([4.0])).undo(np.array([[1.0]]))
        array([[6.]])
        """
        plain: F64 = centers.astype(np.float64)
        return plain if self.kind == "none" else plain * self.spread + self.offset

    def as_extra(self) -> dict[str, Any]:
        """Return what `omnimeans.save` stores beside a model."""
        return {"scale": self.kind, "scale_offset": self.offset, "scale_spread": self.spread}

    @classmethod
    def from_extra(cls, extra: Mapping[str, Any], d: int) -> Scaling:
        """Return the scaling that is stored beside a model of `d` columns; by default none.

        Raises
        ------
        ValueError
            If what is stored is no scaling.
        """
        kind = extra.get("scale", "none")
        offset = np.asarray(extra.get("scale_offset", np.zeros(d)))
        spread = np.asarray(extra.get("scale_spread", np.ones(d)))
        fine = kind in SCALES and offset.shape == spread.shape == (d,)
        fine = fine and offset.dtype == spread.dtype == np.float64
        if not (
            fine and np.isfinite(offset).all() and np.isfinite(spread).all() and (spread > 0).all()
        ):
            raise ValueError("the scaling stored beside the model is damaged; fit the model again")
        return cls(str(kind), offset, spread)


def find_scaling(kind: str, X: Floats, weights: F64 | None, engine: Engine) -> Scaling:
    """Return the scaling of this kind for these rows.

    Parameters
    ----------
    kind : str
        A key of `SCALES`.
    X : ndarray of shape (n, d)
        Rows; missing values (NaN) are left aside.
    weights : ndarray of shape (n,) or None
        Weight of each row.
    engine : Engine
        Takes the sums.

    Returns
    -------
    Scaling
        A column of equal values keeps its unit.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> from omnimeans.engines import open_engine
    >>> X = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> find_scaling("standard", X, None, open_engine("auto")).spread
    array([1., 1.])
    """
    if kind not in SCALES:
        raise ValueError(f"scale {kind!r} is not offered; choose one of {', '.join(SCALES)}")
    d = X.shape[1]
    offset, spread = np.zeros(d), np.ones(d)
    scale = SCALES[kind]
    for j in range(d if scale is not None else 0):
        values = np.ascontiguousarray(X[:, j], dtype=np.float64)
        seen = ~np.isnan(values)
        weight = weights
        if not seen.all():
            values, weight = values[seen], None if weights is None else weights[seen]
        assert scale is not None
        offset[j], spread[j] = scale(values, weight, engine)
        if not spread[j] > 4 * np.finfo(np.float64).eps * abs(offset[j]):  # equal, but for rounding
            spread[j] = 1.0
    return Scaling(kind, offset, spread)
