"""What a fitted model says of a Dask collection: another one, computed where the rows are."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import I32, Floats


def labels(estimator: Any, X: Any) -> Any:
    """Return the labels of a Dask collection's rows."""
    model = _Model(estimator)
    if hasattr(X, "columns"):
        return X.map_partitions(model.series, meta=("label", "int32"))
    return _whole_rows(X).map_blocks(
        model.labels, dtype=np.int32, drop_axis=1, meta=np.empty(0, dtype=np.int32)
    )


def distances(estimator: Any, X: Any) -> Any:
    """Return the distance of each row of a Dask collection to each centre."""
    model = _Model(estimator)
    if hasattr(X, "columns"):
        return X.map_partitions(model.frame, meta=model.frame(X._meta))
    X = _whole_rows(X)
    nothing = model.distances(np.empty((0, X.shape[1]), dtype=X.dtype))
    k = nothing.shape[1]
    return X.map_blocks(
        model.distances, dtype=nothing.dtype, chunks=(X.chunks[0], (k,)), meta=nothing
    )


def _whole_rows(X: Any) -> Any:
    return X.rechunk({1: -1}) if X.numblocks[1] > 1 else X


class _Model:
    """A fitted model that travels to the workers."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = copy(estimator)
        self.estimator.labels_ = None  # they need not travel
        self.estimator.engine = "auto"

    def labels(self, block: Any) -> I32:
        """Return the labels of a block of rows."""
        if not block.shape[0]:
            return np.empty(0, dtype=np.int32)
        found: I32 = self.estimator.predict(_dense(block))
        return found

    def series(self, frame: Any) -> Any:
        """Return the labels of a data frame's rows, under its index."""
        pandas = need("pandas", extra="frames")
        return pandas.Series(self.labels(frame), index=frame.index, name="label", dtype="int32")

    def distances(self, block: Any) -> Floats:
        """Return the distances of a block of rows."""
        if block.shape[0]:
            return np.asarray(self.estimator.transform(_dense(block)))
        types = set(getattr(block, "dtypes", [getattr(block, "dtype", None)]))
        dtype = np.float32 if types == {np.dtype(np.float32)} else np.float64
        return np.empty((0, len(self.estimator.cluster_centers_)), dtype=dtype)

    def frame(self, frame: Any) -> Any:
        """Return the distances of a data frame's rows, under its index."""
        pandas = need("pandas", extra="frames")
        names = self.estimator.get_feature_names_out()
        return pandas.DataFrame(self.distances(frame), index=frame.index, columns=names)


def _dense(block: Any) -> Any:
    return block.toarray() if hasattr(block, "toarray") else block
