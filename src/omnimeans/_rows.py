"""The forms that rows come in, told apart once: plain, dense in another form, sparse.

*Plain* rows are float32 or float64 values that lie side by side; the core reads them where they
are.  Other dense rows (integers, float16, columns first, every other column) and sparse rows keep
their form in memory too: an engine brings a few of them at a time into a plain form, or works on
their non-zero values.  What is computed does not depend on the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from omnimeans import _core
from omnimeans._types import I64, Floats

FLOATS = [np.float64, np.float32]  # float32 stays, everything else becomes the first
# What the core reads as it lies in memory; anything else becomes the first.
NUMBERS = [
    *(np.float64, np.float32, np.float16),
    *(np.int64, np.int32, np.int16, np.int8),
    *(np.uint64, np.uint32, np.uint16, np.uint8, np.bool_),
]
SMALL = 1 << 14  # values; fewer are copied sooner than talked about


@dataclass(slots=True, eq=False)
class Holed:
    """Plain rows of which some values are missing: NaN.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        The rows, plain.
    fill : ndarray of shape (d,)
        What stands in for a missing value of each column where whole rows are asked for.
    """

    values: Floats
    fill: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        n, d = self.values.shape
        return n, d

    @property
    def size(self) -> int:
        """Number of values, missing ones included."""
        return self.values.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.values.dtype

    def __getitem__(self, numbers: Any) -> Holed:
        return Holed(self.values[numbers], self.fill)


def in_memory(X: Any) -> bool:
    """Tell whether all values are at hand, to be looked at before they are placed."""
    return isinstance(X, (np.ndarray, Holed)) or issparse(X)


def number_type(X: Any) -> np.dtype[Any]:
    """Return the type of the centres of these rows: float32 stays, all else is float64."""
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def is_plain(X: Any, dtype: np.dtype[Any]) -> bool:
    """Tell whether the core can read these rows as they are, as values of this type."""
    return (
        isinstance(X, np.ndarray)
        and X.dtype == dtype
        and X.flags.aligned
        and (X.shape[1] == 1 or X.strides[1] == X.itemsize)
        and X.strides[0] % X.itemsize == 0
    )


def plain(X: Any, dtype: np.dtype[Any] | None = None) -> Floats:
    """Return the rows in plain form, all of them: a copy, unless they are plain already."""
    dtype = dtype or number_type(X)
    if is_plain(X, dtype):
        return X  # type: ignore[no-any-return]
    if issparse(X):
        return X.astype(dtype).toarray(order="C")  # type: ignore[no-any-return]
    return np.array(X, dtype=dtype, order="C")


def readable(X: Any) -> Any:
    """Return dense rows in a form that the core can read: as they are, unless that is exotic.

    A boolean whose byte is neither 0 nor 1, as in a view of bytes, is true for NumPy; the core
    would take it for a number.
    """
    if X.dtype == np.bool_ and X.size and X.view(np.uint8).max() > 1:
        X = X.view(np.uint8) != 0
    strange = not X.flags.aligned or any(step % X.itemsize for step in X.strides)
    if strange or X.size <= SMALL:
        return plain(X)
    return X


def floating(X: Any, dtype: np.dtype[Any] | None = None) -> Any:
    """Return the rows as float values of this type: plain, or sparse if they are."""
    if isinstance(X, Holed):
        return Holed(plain(X.values, dtype), X.fill.astype(dtype or X.dtype))
    if issparse(X):
        return X.astype(dtype or number_type(X), copy=False)
    return plain(X, dtype)


def csr_arrays(X: Any) -> tuple[NDArray[Any], I64]:
    """Return the columns of the values of sparse rows, and where each row starts among them."""
    columns = X.indices if X.indices.dtype == np.int32 else X.indices.astype(np.int64, copy=False)
    return np.ascontiguousarray(columns), X.indptr.astype(np.int64)


def csr_with(X: Any, values: Floats) -> Any:
    """Return sparse rows like these with other values in the same places."""
    return type(X)((values, X.indices, X.indptr), shape=X.shape)


def in_order(X: Any) -> Any:
    """Return sparse rows as CSR, the columns of each row ascending; the given ones are not touched.

    The order is looked at, not believed: the flags of a matrix are lost when its arrays change.
    """
    X = X.tocsr()
    if not _core.ascending(*csr_arrays(X), X.shape[1]):
        X = X.copy()
        X.has_sorted_indices = X.has_canonical_format = False
        X.sum_duplicates()
    return X


def pointing(X: Any) -> NDArray[np.bool_]:
    """Tell which rows have a direction: a value that is not zero."""
    if issparse(X):
        return np.asarray((X != 0).sum(axis=1)).ravel() > 0
    found: NDArray[np.bool_] = X.any(axis=1)
    return found


def some(X: Any, numbers: Any) -> Any:
    """Return some rows, in the form that they are in."""
    if isinstance(X, np.ndarray) and X.flags.c_contiguous:
        return np.take(X, numbers, axis=0)  # faster; of other layouts it would copy all rows first
    return X[numbers]


def taken(X: Any, numbers: Any) -> Floats:
    """Return some rows in plain form."""
    return plain(X[numbers], number_type(X))
