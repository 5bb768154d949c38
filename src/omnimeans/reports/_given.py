"""What a report starts from: a model with centres, rows, and what the rows and columns are called.

The model may be anybody's, as long as it has ``cluster_centers_``; it may be the last step of a
pipeline.  Distances are then taken where the model takes them, and features are described as they
came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from omnimeans import _validate
from omnimeans._rows import plain
from omnimeans._types import F64, I32, I64, Distance, Engine, Floats
from omnimeans.directions import unit_rows
from omnimeans.engines import open_engine

BLOCK = 1 << 20  # values that are looked at together


@dataclass(frozen=True, slots=True)
class Given:
    """A model and rows that fit together.

    Parameters
    ----------
    model : estimator
        The one with the centres.
    before : tuple of str
        The steps of a pipeline before it.
    seen : array or sparse matrix of shape (n, d)
        The rows as the model sees them.
    shown : array or sparse matrix of shape (n, p)
        The rows as the reader knows them; the same object without a pipeline.
    names : tuple of str
        Names of the p columns.
    row_names : sequence or None
        Names of the rows, where they are not numbered.
    labels : ndarray of shape (n,)
        The cluster of each row.
    centers : ndarray of shape (k, d)
        The model's centres.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    distance : Distance
        How rows and centres are compared.
    engine : Engine
        Who does it.
    """

    model: Any
    before: tuple[str, ...]
    seen: Any
    shown: Any
    names: tuple[str, ...]
    row_names: Sequence[Any] | None
    labels: I32
    centers: Floats
    weights: F64 | None
    distance: Distance
    engine: Engine

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centers)

    def lengths(self, away: F64) -> F64:
        """Return what the engine measured as distances: it keeps Euclidean ones squared."""
        return np.sqrt(away) if self.distance.kernel == "euclidean" else away

    def compared(self, numbers: I64) -> Floats:
        """Return some rows as they are compared: of unit length for the cosine."""
        rows = plain(self.seen[numbers])
        return unit_rows(rows)[0] if self.distance.kernel == "cosine" else rows

    def name_of(self, row: int) -> str:
        """Return what a row is called."""
        return str(row if self.row_names is None else self.row_names[row])


def blocks(rows: Any, k: int) -> Iterator[tuple[slice, Floats]]:
    """Return plain blocks of rows, one after the other; each is large beside k sums of rows."""
    d = max(1, rows.shape[1])
    size = max(1, BLOCK // d, min(4 * k, 16 * BLOCK // d))
    for begin in range(0, rows.shape[0], size):
        part = slice(begin, begin + size)
        yield part, plain(rows[part])


def given(
    model: Any,
    X: Any,
    sample_weight: Any,
    feature_names: Sequence[str] | None,
    row_names: Sequence[Any] | None,
) -> Given:
    """Check what the user gave, and return it in one piece."""
    last, before = _last_step(model)
    check_is_fitted(last)
    if not hasattr(last, "cluster_centers_"):
        raise TypeError(
            f"{type(last).__name__} has no cluster_centers_; give a fitted model that has centres, "
            "such as omnimeans.KMeans, or a pipeline that ends with one"
        )
    shown = _rows(X)
    if before:
        raw = model[:-1].transform(X)
        seen = _rows(raw)
    else:
        seen = shown
    centers = _validate.fitted_centers(last.cluster_centers_, seen.shape[1])
    distance = _validate.metric(getattr(last, "metric", "euclidean"))
    _ordinary(seen, centers, distance)
    return Given(
        model=last,
        before=before,
        seen=seen,
        shown=shown,
        names=_column_names(feature_names, X, last if not before else None, shown.shape[1]),
        row_names=_row_names(row_names, X, shown.shape[0]),
        labels=np.asarray(last.predict(raw if before else X), dtype=np.int32),
        centers=centers,
        weights=_validate.weights(sample_weight, seen),
        distance=distance,
        engine=open_engine("auto", getattr(last, "n_threads", None), distance),
    )


def _last_step(model: Any) -> tuple[Any, tuple[str, ...]]:
    steps = getattr(model, "steps", None)
    if steps is None:
        return model, ()
    return steps[-1][1], tuple(_step_name(*step) for step in steps[:-1])


def _step_name(name: str, step: Any) -> str:
    """Return a step's own name; for what is merely a function, that of the step."""
    kind = type(step).__name__
    return name if kind == "FunctionTransformer" else kind


def _rows(X: Any) -> Any:
    return _validate.rows(X, as_given=True)


def _ordinary(rows: Any, centers: Floats, distance: Distance) -> None:
    """Refuse values whose squares leave the range of float64."""
    if distance.kernel == "cosine" or sparse.issparse(rows):
        return
    if _validate.exponent_between(*_validate.same_type(rows, centers)):
        raise ValueError(
            f"The values of X (up to {abs(rows).max():.3g}) are too extreme for variances in "
            "float64. A model can be fitted on them, but for a report bring them near 1 first, "
            "for example X / np.abs(X).max(), and fit again."
        )


def _column_names(names: Sequence[str] | None, X: Any, model: Any, d: int) -> tuple[str, ...]:
    frame = nw.from_native(X, pass_through=True)
    if names is None and isinstance(frame, nw.DataFrame):
        names = frame.columns
    if names is None:
        names = getattr(model, "feature_names_in_", None)
    if names is None:
        names = [f"feature {j}" for j in range(d)]
    if len(names) != d:
        raise ValueError(
            f"feature_names has {len(names)} names, but X has {d} columns; give one name per column"
        )
    return tuple(str(name) for name in names)


def _row_names(names: Sequence[Any] | None, X: Any, n: int) -> Sequence[Any] | None:
    if names is None:
        index: Any = getattr(X, "index", None)  # a list has a method of this name
        numbered = index is None or callable(index) or type(index).__name__ == "RangeIndex"
        return None if numbered else list(index)
    if len(names) != n:
        raise ValueError(
            f"row_names has {len(names)} names, but X has {n} rows; give one name per row"
        )
    return list(names)
