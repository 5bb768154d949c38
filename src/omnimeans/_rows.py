"""The forms that rows come in, told apart once: plain, dense in another form, sparse.

*Plain* rows are float32 or float64 values that lie side by side; the core reads them where they
are.  Other dense rows (integers, float16, columns first, every other column) and sparse rows keep
their form in memory too: an engine brings a few of them at a time into a plain form, or works on
their non-zero values.  What is computed does not depend on the form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from omnimeans._types import Floats

FLOATS = [np.float64, np.float32]  # float32 stays, everything else becomes the first
# What the core reads as it lies in memory; anything else becomes the first.
NUMBERS = [
    *(np.float64, np.float32, np.float16),
    *(np.int64, np.int32, np.int16, np.int8),
    *(np.uint64, np.uint32, np.uint16, np.uint8, np.bool_),
]
SMALL = 1 << 14  # values; fewer are copied sooner than talked about


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
    return np.array(X.toarray() if issparse(X) else X, dtype=dtype, order="C")


def readable(X: Any) -> Any:
    """Return dense rows in a form that the core can read: as they are, unless that is exotic."""
    strange = not X.flags.aligned or any(step % X.itemsize for step in X.strides)
    if strange or X.size <= SMALL:
        return plain(X)
    return X


def taken(X: Any, numbers: Any) -> Floats:
    """Return some rows in plain form."""
    return plain(X[numbers], number_type(X))
