"""Every check on what a user passes in, and every message, once.

Where scikit-learn has a message for a case, that message comes first, word for word, so that code
written against scikit-learn goes on working; what it leaves out (the row and the column, the way
on) follows.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import _check_sample_weight

from omnimeans import _core, _scaling, looks
from omnimeans._inputs import refuse_no_time, unmasked
from omnimeans._inputs import rows as rows
from omnimeans._rows import FLOATS as FLOATS
from omnimeans._rows import Holed, number_type, plain, pointing
from omnimeans._types import F64, I32, Distance, Engine, Floats, Rows
from omnimeans.distances import DISTANCES

# Weights of at most this size, and of at least its inverse, are safe.
LARGEST = 1e140

# The metrics that an estimator offers: those whose centre minimises the objective.
METRICS: dict[str, Distance] = {
    name: row for name, row in DISTANCES.items() if name != "manhattan-mean"
}
_APART = "Leave out the columns or rows that are out of scale, or bring the columns to one scale."
_KMEDOIDS = " A centre that is one of the rows works for any distance: see the package kmedoids."
_FILL = " Use fill='k-means++' to have the others drawn."
# What to do instead, where that is known.
_INSTEAD = {
    "sqeuclidean": " What 'euclidean' minimises is the sum of the squared distances.",
    "l2": " It is called 'euclidean' here.",
    "l1": " It is called 'manhattan' here.",
    "cityblock": " It is called 'manhattan' here.",
    "angular": " It is called 'cosine' here.",
    "correlation": " Subtract each row's mean from the row and use 'cosine': it is the same.",
    "mahalanobis": " Whiten the columns (sklearn.decomposition.PCA(whiten=True)) and use "
    "'euclidean': it is the same.",
    "seuclidean": " Scale the columns (sklearn.preprocessing.StandardScaler) and use 'euclidean': "
    "it is the same.",
    "hamming": " For columns of 0 and 1, 'manhattan' counts the differences.",
    "chebyshev": _KMEDOIDS,
    "minkowski": _KMEDOIDS,
    "jaccard": _KMEDOIDS,
    "haversine": " Turn latitude and longitude into points on the unit sphere (x, y, z) and use "
    "'cosine'.",
    "precomputed": _KMEDOIDS,
    "manhattan-mean": " It is kept for teaching, in omnimeans.KMeansLloyd.",
}


def metric(name: Any) -> Distance:
    """Return the distance of this name, or say why there is none."""
    if isinstance(name, str) and name in METRICS:
        return METRICS[name]
    allowed = " or ".join(f"metric={known!r}" for known in METRICS)
    instead = _INSTEAD.get(name, "") if isinstance(name, str) else ""
    if callable(name):
        instead = f" For a function, nobody can tell which point that is.{_KMEDOIDS}"
    raise (ValueError if isinstance(name, str) else InvalidParameterError)(
        f"metric={name!r} is not offered. A cluster's centre must be the point that minimises the "
        "sum of its rows' distances: for 'euclidean' (squared) that is the mean, for 'manhattan' "
        "the coordinate-wise median, for 'cosine' the direction of the mean of the unit rows. A "
        "mean does not minimise other distances, so the objective "
        f"could rise from one iteration to the next. Use {allowed}.{instead}"
    )


def weights(sample_weight: Any, X: Floats) -> F64 | None:
    """Return the weights of the rows, None where all count alike."""
    if sample_weight is None:
        return None
    sample_weight = unmasked(sample_weight)
    refuse_no_time(sample_weight, "sample_weight")
    checked: F64 = np.require(
        _check_sample_weight(sample_weight, X, dtype=np.float64), requirements=["C", "A"]
    )
    if not checked.any():  # scikit-learn before 1.9 lets it pass
        raise ValueError("Sample weights must contain at least one non-zero number.")
    if (checked < 0.0).any():
        row = int(np.argmax(checked < 0.0))
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: {checked[row]} in row {row}. "
            "Weights must be zero or more; leave a row out by giving it weight 0."
        )
    if not 1 / LARGEST < checked.max() < LARGEST:
        raise ValueError(
            f"The largest weight is {checked.max()}, but must be between {1 / LARGEST} and "
            f"{LARGEST}. Only the ratios of weights matter: divide them by the largest."
        )
    return checked


def enough_rows(n: int, k: int) -> None:
    """Refuse more clusters than rows."""
    if n < k:
        raise ValueError(f"n_samples={n} should be >= n_clusters={k}.")


def restarts(n_init: int | str, init: Any, owner: str, many: int = 10) -> int:
    """Return how many starts are tried; "auto" is `many` for cheap ones."""
    given = not isinstance(init, str) and not callable(init)
    if n_init == "auto":
        return 1 if given or init in ("k-means++", "k-means||") else many
    if given and n_init != 1:
        warnings.warn(
            "Explicit initial center position passed: performing only one init in "
            f"{owner} instead of n_init={n_init}.",
            RuntimeWarning,
            stacklevel=4,
        )
        return 1
    return int(n_init)


def init_size(size: int | None, batch: int, k: int, n: int) -> int:
    """Return how many rows a mini-batch fit starts on."""
    if size is not None and size < k:
        warnings.warn(
            f"init_size={size} should be larger than n_clusters={k}. Setting it to "
            "min(3*n_clusters, n_samples)",
            RuntimeWarning,
            stacklevel=5,
        )
        size = 3 * k
    if size is None:
        size = 3 * batch if 3 * batch >= k else 3 * k
    return min(int(size), n)


def algorithm(name: str, k: int) -> str:
    """Return the algorithm to choose; Elkan's bounds make no sense for one cluster."""
    if name == "elkan" and k == 1:
        warnings.warn(
            "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
            RuntimeWarning,
            stacklevel=4,
        )
        return "lloyd"
    return name


def seed(random_state: Any) -> int:
    """Return one number to seed all randomness of a fit."""
    if isinstance(random_state, (int, np.integer)) and 0 <= random_state < 2**32:
        return int(random_state)
    limit = np.iinfo(np.int64).max
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(limit))
    return int(check_random_state(random_state).randint(limit, dtype=np.int64))


def initial_centers(
    centers: Any,
    k: int,
    d: int,
    dtype: np.dtype[Any],
    exponent: int = 0,
    *,
    fewer: bool | None = None,
) -> Floats:
    """Return the centres to start from, divided by ``2**exponent``, in the data's type.

    There may be `fewer` than k; None says that the user cannot ask for that.
    """
    checked: Floats = check_array(centers, dtype=dtype, order="C", input_name="init")
    checked = np.require(checked, requirements="A")
    if fewer and len(checked) < k:
        k = len(checked)
    mismatches = ((k, "number of clusters"), (d, "number of features of the data"))
    for got, (wanted, what) in zip(checked.shape, mismatches, strict=True):
        if got != wanted:
            raise ValueError(
                f"The shape of the initial centers {checked.shape} does not match the {what} "
                f"{wanted}." + (_FILL if got < wanted == k and fewer is False else "")
            )
    if _scaling.top(checked) > _scaling.reach(exponent):
        raise ValueError(
            f"An initial centre has a value of {_scaling.top(checked)}, which is so far from the "
            "rows of X that its squared distances overflow. Start from rows of X."
        )
    near: Floats = _scaling.divided(checked, exponent)
    return near


def fitted_centers(centers: Any, d: int) -> Floats:
    """Return a model's centres as they are now; a user may have replaced them."""
    checked: Floats = centers
    if not _is_ready(centers):
        checked = check_array(
            centers, dtype=FLOATS, order="C", input_name="cluster_centers_", ensure_min_features=0
        )
        checked = np.require(checked, requirements="A")
    if checked.shape[1] != d:
        raise ValueError(
            f"cluster_centers_ has shape {checked.shape}, but X has {d} features; give every "
            "centre one value per feature."
        )
    return checked


def _is_ready(centers: Any) -> bool:
    """Tell whether the general check would return these very centres; it takes 20 times as long."""
    return (
        type(centers) is np.ndarray
        and centers.dtype in FLOATS
        and centers.ndim == 2
        and len(centers) > 0
        and centers.flags.c_contiguous
        and centers.flags.aligned
        and bool(_core.survey(centers)[0])
    )


def same_type(X: Any, centers: Floats) -> tuple[Any, Floats]:
    """Return centres in the wider of both types, which keeps every value as it is."""
    dtype = np.result_type(number_type(X), centers)
    return X, centers.astype(dtype, copy=False)


def squared_norms(norms: Any, X: Floats) -> None:
    """Refuse squared norms that cannot be those of the rows; they are not needed otherwise."""
    length = len(
        check_array(norms, dtype=number_type(X), ensure_2d=False, input_name="x_squared_norms")
    )
    if length != X.shape[0]:
        raise ValueError(
            f"The length of x_squared_norms {length} should be equal to the length of n_samples "
            f"{X.shape[0]}."
        )


def scale(engine: Engine, rows: Rows) -> None:
    """Refuse data whose squared distances leave the range of float64."""
    variance = rows.spread / rows.weight
    limit = LARGEST**2
    if 1 / limit < variance < limit or _all_alike(engine, rows):
        return
    trouble = "underflow to 0" if variance < 1 else "overflow to infinity"
    raise ValueError(
        f"The squared distances between the rows of X {trouble} in float64 (their weighted mean is "
        f"{variance}). Bring the values near 1 first, or fit an array in memory, which is rescaled."
    )


def _all_alike(engine: Engine, rows: Rows) -> bool:
    """Tell whether the rows that count are copies of one, whose values can be summed exactly."""
    alike, ones = zip(*engine.each(rows, looks.one_value), strict=True)
    values = np.concatenate(ones)
    sizes = np.abs(values[0], dtype=np.float64)
    summable = sizes.max() < LARGEST**2 and (sizes[sizes > 0.0] > LARGEST**-1.5).all()
    same = (values == values[0]) | ((values != values) & (values[0] != values[0]))
    return bool(summable and all(alike) and same.all())


def exponent(X: Floats) -> int:
    """Return the power of two that brings the rows into range, or say why there is none."""
    found = _scaling.exponent_of(X)
    if found is not None:
        return found
    raise ValueError(
        f"The values of X lie too far apart, from {_scaling.smallest(X)} to {_scaling.top(X)} in "
        f"absolute value: the squared distances between the small ones vanish beside the others in "
        f"float64. {_APART}"
    )


def exponent_between(X: Floats, centers: Floats) -> int:
    """Return the power of two that brings rows and centres into range, or say why there is none."""
    found = _scaling.exponent_between(X, centers)
    if found is not None:
        return found
    if _scaling.top(X) > _scaling.top(centers):
        X = plain(X)
        row, column = np.unravel_index(np.argmax(np.abs(X)), X.shape)
        raise ValueError(
            f"The value {X[row, column]} in row {row}, column {column} of X, counted from 0, is so "
            f"far from the centres (values up to {_scaling.top(centers)}) that squared distances "
            "beside it vanish in float64. Remove the row, or check its units."
        )
    raise ValueError(
        f"The values of the centres lie too far apart, up to {_scaling.top(centers)} in absolute "
        f"value: their squared distances vanish beside those values in float64. {_APART}"
    )


def each_column_seen(X: Holed, weights: F64 | None) -> None:
    """Refuse rows with missing values among which a column has no value at all."""
    counted = X.values if weights is None else X.values[weights > 0.0]
    empty = np.isnan(counted).all(axis=0)
    if empty.any():
        raise ValueError(
            f"Column {int(np.argmax(empty))} of X has no value in any row (of weight above 0), the "
            f"first of {int(empty.sum())} such columns. Leave these columns out."
        )


def directions(X: Any, weights: F64 | None) -> None:
    """Refuse data in which no row that counts has a direction."""
    if weights is None:
        found, n = (X.data if issparse(X) else X).any(), X.shape[0]
    else:
        found, n = (pointing(X) & (weights > 0.0)).any(), np.count_nonzero(weights)
    if not found:
        raise ValueError(
            f"All {n} rows of X (of weight above 0) are zero, and zeros have no "
            "direction; metric='cosine' needs at least one other row. Use metric='euclidean'."
        )


def directed_centers(centers: Floats, name: str) -> Floats:
    """Return the centres if each of them has a direction."""
    if not (pointing := centers.any(axis=1)).all():
        raise ValueError(
            f"{name}: centre {int(np.argmin(pointing))} is zero and has no direction; with "
            "metric='cosine' every centre needs a value that is not 0."
        )
    return centers


def all_clusters_found(labels: I32, k: int) -> None:
    """Warn where the data has fewer distinct rows than there are clusters."""
    some = (labels[i : i + (1 << 16)] for i in range(0, len(labels), 1 << 16))
    found = np.count_nonzero(sum(np.bincount(part, minlength=k) for part in some))
    if found < k:
        warnings.warn(
            f"Number of distinct clusters ({found}) found smaller than n_clusters ({k}). Possibly "
            "due to duplicate points in X.",
            ConvergenceWarning,
            stacklevel=4,
        )
