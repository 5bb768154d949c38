"""What each kind of model is made of, and how each part is checked when it comes from a file.

A new kind of model is a row of KINDS; a new attribute is a row of CHECKS.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_args

import numpy as np

from omnimeans import _validate
from omnimeans._archive import Arrays, arrays_of_records, is_word, records_of_arrays
from omnimeans._types import Floats, Iteration, StopReason
from omnimeans.algorithms import NAMES
from omnimeans.persistence.batches import arrays_of_batches, restored_batches
from omnimeans.persistence.sketches import (
    arrays_of_groups,
    arrays_of_stream,
    restored_groups,
    restored_stream,
)
from omnimeans.persistence.trees import arrays_of_tree, tree_of_arrays


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of model.

    Parameters
    ----------
    home : str
        The module that holds the class.
    values : tuple of str
        Fitted attributes that are numbers or words.
    record : type
        The dataclass of one line of ``history_``.
    tree : bool
        Whether there is a ``tree_`` of splits.
    optional : tuple of str
        Further values that a model may have or not, and a history whose length they do not say.
    has_centers : bool
        Whether its centres are stored; if not, they follow from the rest.
    rest : pair of functions or None
        What returns further arrays of a model, and what restores them and tells whether they make
        sense; these models have no history.
    """

    home: str
    values: tuple[str, ...]
    record: type[Any] = Iteration
    tree: bool = False
    optional: tuple[str, ...] = ()
    has_centers: bool = True
    rest: tuple[Callable[[Any], Arrays], Callable[[Any, Arrays], bool]] | None = None

    def cls(self, name: str) -> type[Any]:
        """Return the class."""
        found: type[Any] = getattr(import_module(self.home), name)
        return found


FITTED = ("inertia_", "n_iter_", "stop_reason_", "algorithm_", "engine_")
SETTLED = ("_tol", "_n_init", "_algorithm", "_n_threads")  # parameters as they were understood

KINDS: dict[str, Kind] = {
    "KMeans": Kind("omnimeans.estimators", FITTED + SETTLED),
    "BisectingKMeans": Kind(
        "omnimeans.estimators",
        (*FITTED, "_n_threads"),
        tree=True,
    ),
    "MiniBatchKMeans": Kind(
        "omnimeans.estimators",
        ("n_steps_", "engine_", "_n_threads", "_seed", "_n_init", "_batch_size", "_init_size"),
        optional=("inertia_", "n_iter_", "converged_", "stop_reason_"),
    ),
    "HierarchicalKMeans": Kind(
        "omnimeans.estimators",
        ("inertia_", "n_iter_", "engine_"),
        rest=(arrays_of_groups, restored_groups),
    ),
    "StreamKMeans": Kind(
        "omnimeans.streams",
        ("n_samples_seen_", "_narrow"),
        has_centers=False,
        rest=(arrays_of_stream, restored_stream),
    ),
}

# Parameters that steer a run, and are no part of a model: they are None in a loaded one.
RUN_ONLY = frozenset({"callback", "checkpoint", "max_time", "memory"})


INFINITE = "infinity"  # an inertia of 1e320, which JSON cannot hold as a number


def _number(value: Any) -> bool:
    """Tell whether this is a number, zero or more; what has left the range of float64 is a word."""
    return value == INFINITE or (type(value) in (int, float) and 0 <= value < math.inf)


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value < 2**63


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in words


CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "inertia_": ("a number, zero or more", _number),
    "n_iter_": ("a whole number", _whole(0)),
    "n_steps_": ("a whole number", _whole(0)),
    "n_samples_seen_": ("a whole number", _whole(1)),
    "_narrow": ("true or false", lambda value: type(value) is bool),
    "_seed": ("a whole number", lambda value: type(value) is int and value >= 0),
    "_batch_size": ("a whole number, one or more", _whole(1)),
    "_init_size": ("a whole number, one or more", _whole(1)),
    "converged_": ("true or false", lambda value: type(value) is bool),
    "stop_reason_": ("a reason to stop", _one_of(*get_args(StopReason))),
    "algorithm_": ("the name of an algorithm", is_word),
    "engine_": ("the name of an engine", is_word),
    "_tol": ("a number, zero or more", _number),
    "_n_init": ("a whole number, one or more", _whole(1)),
    "_algorithm": ("the name of an algorithm", _one_of(*NAMES)),
    "_n_threads": ("a whole number, one or more", _whole(1)),
}


class Misfit(Exception):
    """Something in a file that no model can have; the message says what."""


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Misfit(what)


# ---- a model taken apart


def document_of(model: Any) -> dict[str, Any]:
    """Return the fitted values of a model, for JSON."""
    kind = KINDS[type(model).__name__]
    names = getattr(model, "feature_names_in_", None)
    return {
        "fitted": {name: _for_json(getattr(model, name)) for name in _values_of(model, kind)},
        "n_features_in": int(
            model.cluster_centers_.shape[1] if kind.has_centers else model.n_features_in_
        ),
        "feature_names": None if names is None else [str(name) for name in names],
    }


def _values_of(model: Any, kind: Kind) -> list[str]:
    return [*kind.values, *(name for name in kind.optional if hasattr(model, name))]


def _for_json(value: Any) -> Any:
    return INFINITE if value == math.inf else value


def arrays_of(model: Any, labels: bool) -> Arrays:
    """Return the arrays of a model; its history is one array per column."""
    kind = KINDS[type(model).__name__]
    arrays = {} if kind.rest is None else kind.rest[0](model)
    if not kind.has_centers:
        return arrays
    arrays |= {"cluster_centers": np.asarray(model.cluster_centers_)}
    if getattr(model, "initial_centers_", None) is not None:
        arrays["initial_centers"] = np.asarray(model.initial_centers_)
    if labels and hasattr(model, "labels_"):
        arrays["labels"] = np.asarray(model.labels_)
    if kind.tree:
        arrays |= arrays_of_tree(model.tree_)
    if hasattr(model, "history_"):
        arrays |= arrays_of_records("history", model.history_, kind.record)
    if hasattr(model, "_counts"):
        arrays |= arrays_of_batches(model)
    return arrays


# ---- a model put together


def rebuild(document: dict[str, Any], arrays: Arrays) -> Any:
    """Return the model that a document and its arrays describe; `arrays` loses what is used.

    Raises
    ------
    Misfit
        If anything is missing, out of range or at odds with the rest.
    ValueError
        From the estimator's own check of its parameters.
    """
    name = document.get("class")
    _expect(type(name) is str and name in KINDS, f"the kind of model {name!r:.40}")
    kind = KINDS[str(name)]
    model = _unfitted(kind.cls(str(name)), document.get("parameters"), arrays)
    d = document.get("n_features_in")
    _expect(type(d) is int and d > 0, f"the number of features {d!r:.40}")
    k = int(model.n_clusters)
    if kind.has_centers:
        model.cluster_centers_ = _centers(arrays, "cluster_centers", model, d)
        k = len(model.cluster_centers_)
    if "initial_centers" in arrays:
        model.initial_centers_ = _centers(arrays, "initial_centers", model, d)
    model.n_features_in_, model._n_features_out = d, k
    if kind.rest is not None:
        _expect(kind.rest[1](model, arrays), "groups, or rows of a stream, that make no sense")
    _restore_values(model, kind, document.get("fitted"))
    _restore_labels(model, k, arrays)
    if kind.optional:
        _expect(restored_batches(model, arrays), "means of batches that make no sense")
    if kind.tree:
        model.tree_ = tree_of_arrays(arrays, model.cluster_centers_)
        _expect(model.tree_ is not None, "a tree whose nodes do not hang together")
    _restore_history(model, kind, arrays)
    _restore_names(model, document.get("feature_names"))
    return model


def _centers(arrays: Arrays, name: str, model: Any, d: Any) -> Floats:
    """Take centres out of the arrays; some may have gone, or were never split off."""
    centers, k = arrays.pop(name, None), int(model.n_clusters)
    if (
        centers is None
        or centers.dtype not in _validate.FLOATS
        or centers.ndim != 2
        or not 1 <= len(centers) <= k
        or centers.shape[1] != d
        or not np.isfinite(centers).all()
    ):
        raise Misfit(f"{name} that are not n_clusters={k} rows of {d} finite numbers")
    if len(centers) < k and not _may_be_fewer(model):
        raise Misfit(f"{name} that are {len(centers)} rows, with n_clusters={k}")
    return centers


def _may_be_fewer(model: Any) -> bool:
    """Tell whether such a model may have fewer centres than clusters were asked for."""
    return getattr(model, "empty_clusters", "") == "drop" or KINDS[type(model).__name__].tree


def _unfitted(cls: type[Any], parameters: Any, arrays: Arrays) -> Any:
    _expect(type(parameters) is dict, "its parameters")
    unknown = set(parameters) - set(cls._get_param_names()) | set(parameters) & RUN_ONLY
    _expect(not unknown, f"the parameter {min(unknown, default='')!r:.40}")
    for name, value in parameters.items():
        plain = type(value) in (str, int, float, bool, type(None))
        _expect(plain, f"a parameter {name} that is no number, word or null")
    if "init" in arrays:
        _expect("init" not in parameters, "two values of the parameter init")
        parameters = {**parameters, "init": arrays.pop("init")}
    model = cls(**parameters)
    model._validate_params()
    if hasattr(model, "metric"):
        _validate.metric(model.metric)
    return model


def _restore_values(model: Any, kind: Kind, fitted: Any) -> None:
    known = {*kind.values, *kind.optional}
    fine = type(fitted) is dict and set(kind.values) <= set(fitted) <= known
    _expect(fine, "its fitted values")
    for name in fitted:
        wanted, holds = CHECKS[name]
        _expect(holds(fitted[name]), f"{name} = {fitted[name]!r:.40}, which is not {wanted}")
        value = fitted[name]
        setattr(model, name, float(value) if CHECKS[name][1] is _number else value)
    if "stop_reason_" in kind.values:
        model.converged_ = model.stop_reason_ in ("fixed point", "tolerance")


def _restore_history(model: Any, kind: Kind, arrays: Arrays) -> None:
    if kind.rest is not None:
        return
    if kind.optional and not any(name.startswith("history") for name in arrays):
        return  # batches came one by one
    history = records_of_arrays("history", arrays, kind.record)
    lines = _lines(model, kind)
    if history is None or lines not in (None, len(history)):
        raise Misfit(f"a history that is not {lines or 'some'} lines of numbers, zero or more")
    model.history_ = history


def _lines(model: Any, kind: Kind) -> int | None:
    """Return how long the history is, if the other values say so: of splits, or of iterations."""
    if kind.tree and len(model.tree_.children) > 1:
        return len(model.tree_.children) // 2
    return None if kind.optional or kind.tree else int(model.n_iter_)


def _restore_labels(model: Any, k: int, arrays: Arrays) -> None:
    labels = arrays.pop("labels", None)
    if labels is None:
        return
    fine = labels.dtype == np.int32 and labels.ndim == 1 and len(labels) > 0
    _expect(fine and bool((labels >= 0).all() and (labels < k).all()), f"labels outside 0..{k - 1}")
    model.labels_ = labels


def _restore_names(model: Any, names: Any) -> None:
    if names is None:
        return
    d = model.n_features_in_
    fine = type(names) is list and len(names) == d and all(type(name) is str for name in names)
    _expect(fine, f"feature names that are not {d} words")
    model.feature_names_in_ = np.array(names, dtype=object)
