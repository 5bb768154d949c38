"""What rows a user may pass in, and what is said where they cannot be used.

Where scikit-learn has a message for a case, that message comes first, word for word; the row and
the column at fault follow.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from omnimeans import _core
from omnimeans._rows import FLOATS, NUMBERS, Holed, in_order, is_plain, number_type, plain, readable
from omnimeans._types import Floats


def rows(
    X: Any,  # array, nested lists, or data frame of shape (n, d)
    *,
    estimator: Any = None,  # checks and keeps the feature names and their number
    reset: bool = True,
    as_given: bool = False,  # dense rows may keep their number type and layout
    missing: str = "error",  # "partial": NaN is a value that is not there
) -> Any:
    """Return the data, checked, without a copy if its values lie row by row.

    They are float32 or float64 then; with `as_given`, other number types and layouts stay as they
    are in memory, to be read by the engine.
    """
    if _is_ready(X) and _fits(X, estimator, reset):
        return X
    if issparse(X):
        return _sparse_rows(X, estimator, reset, as_given)
    X = unmasked(X)
    checks = {
        "dtype": NUMBERS if as_given else FLOATS,
        "ensure_all_finite": False,
        "estimator": estimator,
        "accept_sparse": "csr" if as_given else False,
    }
    frame = X if isinstance(X, np.ndarray) else nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(
            f"X is a lazy frame ({type(X).__name__}), whose rows are not in memory. Collect it "
            "first: X.collect() in polars, X.compute() in Dask."
        )
    refuse_no_time(X, "X")
    if isinstance(frame, nw.DataFrame) and not frame.implementation.is_pandas():
        # scikit-learn reads the names, but would turn float32 columns into float64
        if estimator is not None:
            validate_data(estimator, frame.to_native(), reset=reset, skip_check_array=True)
        values = check_array(frame.to_numpy(), input_name="X", **checks)
    elif estimator is not None:
        del checks["estimator"]
        values = validate_data(estimator, X, reset=reset, **checks)
    else:
        values = check_array(X, input_name="X", **checks)
    if issparse(values):  # from a data frame of sparse columns
        return _sparse_rows(values, None, reset, as_given)
    names = frame.columns if isinstance(frame, nw.DataFrame) else None
    partial = missing == "partial"
    _refuse_nonfinite(values, names, estimator, allow_nan=partial)
    if partial and values.dtype.kind == "f" and np.isnan(values.min()):
        return _with_holes(plain(values))
    return readable(values) if as_given else plain(values)


def unmasked(values: Any) -> Any:
    """Return a masked array as a plain one: what is masked is not there, and becomes NaN."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return values.data
    if values.dtype.kind not in "fiub":  # objects, times
        return values.filled(values.dtype.type("NaT") if values.dtype.kind in "mM" else np.nan)
    return np.where(np.ma.getmaskarray(values), np.nan, values.data).astype(number_type(values))


def refuse_no_time(values: Any, name: str, first: int = 0) -> None:
    """Refuse NaT, which would become a number; `first` is the number of the first row."""
    frame = not hasattr(values, "dtype")
    kinds = list(getattr(values, "dtypes", ())) if frame else [values.dtype]
    if not kinds or any(getattr(kind, "kind", "") not in ("m", "M") for kind in kinds):
        return
    times = np.asarray(values)
    if times.dtype.kind not in "mM" or not (gone := np.isnat(times)).any():
        return
    row, *column = np.argwhere(gone)[0].tolist()
    place = f"row {first + row}" + (f", column {column[0]}" if column else "")
    raise ValueError(
        f"Input {name} contains NaT, a time that is not there: {gone.sum()} of them, the first in "
        f"{place}, counted from 0. Remove these rows or fill in the times."
    )


def _is_ready(X: Any) -> bool:
    """Tell whether the general checks would return these very rows; they take 20 times as long."""
    return (
        type(X) is np.ndarray
        and X.dtype in FLOATS
        and X.ndim == 2
        and X.size > 0
        and is_plain(X, X.dtype)
        and bool(_core.survey(X)[0])
    )


def _fits(X: Floats, estimator: Any, reset: bool) -> bool:
    """Tell whether the features are as the estimator knows them; they get to be, with `reset`."""
    if estimator is None:
        return True
    known = vars(estimator)
    if reset:
        known.pop("feature_names_in_", None)
        estimator.n_features_in_ = X.shape[1]
        return True
    return known.get("n_features_in_") == X.shape[1] and "feature_names_in_" not in known


def _sparse_rows(X: Any, estimator: Any, reset: bool, accepted: bool) -> Any:
    """Return sparse rows as CSR with ascending columns; the values are copied only if they must."""
    if not accepted:
        raise TypeError(
            f"Sparse data was passed for X ({type(X).__name__} of shape {X.shape}), but dense data "
            "is required here. Use X.toarray() if that fits into memory."
        )
    checks = {"accept_sparse": "csr", "dtype": FLOATS, "ensure_all_finite": False}
    if estimator is None:
        X = check_array(X, input_name="X", **checks)
    else:
        X = validate_data(estimator, X, reset=reset, **checks)
    X = in_order(X)
    owner = None if estimator is None else type(estimator).__name__
    try:
        assert_all_finite(X.data, estimator_name=owner, input_name="X")
    except ValueError as error:
        at = int(np.argmax(~np.isfinite(X.data)))
        row = int(np.searchsorted(X.indptr, at, side="right")) - 1
        raise ValueError(
            f"{error}\nThe first such value is {X.data[at]} in row {row}, column {X.indices[at]}, "
            "counted from 0. Remove these rows or fill in the values."
        ) from None
    return X


def _with_holes(values: Floats) -> Holed:
    """Return rows with missing values, each of which has at least one value."""
    empty = np.isnan(values).all(axis=1)
    if empty.any():
        raise ValueError(
            f"Row {int(np.argmax(empty))} of X has no value at all, the first of "
            f"{int(empty.sum())} such rows. A row needs at least one value to be compared; leave "
            "these rows out."
        )
    return Holed(values, np.zeros(values.shape[1], values.dtype))


def _refuse_nonfinite(
    values: Floats, names: list[str] | None, estimator: Any, allow_nan: bool = False
) -> None:
    owner = None if estimator is None else type(estimator).__name__
    some = len(values) if values.dtype in FLOATS else max(1, 2**18 // values.shape[1])
    try:
        for i in range(0, len(values), some):  # of float16 all at once would be half a copy
            part = values[i : i + some]
            assert_all_finite(part, allow_nan=allow_nan, estimator_name=owner, input_name="X")
    except ValueError as error:
        bad = np.isinf(values) if allow_nan else ~np.isfinite(values)
        row = int(np.argmax(bad.any(axis=1)))
        column = int(np.argmax(bad[row]))
        called = "" if names is None else f" ({names[column]!r})"
        gaps = np.isnan(values[row, column]) and hasattr(estimator, "missing")
        raise ValueError(
            f"{error}\nThe first such value is {values[row, column]} in row {row}, column "
            f"{column}{called}, counted from 0; {bad.sum()} of them in {bad.any(axis=1).sum()} "
            "rows. Remove these rows or fill in the values"
            + (", or use missing='partial'." if gaps else ".")
        ) from None
