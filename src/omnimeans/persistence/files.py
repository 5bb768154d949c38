"""``save`` and ``load``: a model as one file, and back."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn, overload

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omnimeans._archive import STORABLE, Arrays, UnreadableFile, contents, pack, unpack
from omnimeans._files import write_atomically
from omnimeans.persistence.models import (
    KINDS,
    RUN_ONLY,
    Misfit,
    arrays_of,
    document_of,
    rebuild,
)

VERSION = 1
EXTRA = "extra."  # what comes before the names of the user's own arrays


def save(
    model: Any,
    path: str | os.PathLike[str],
    *,
    labels: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted model to a file, which any later version of omnimeans can read.

    The file is safetensors (https://github.com/huggingface/safetensors): centres, labels and
    history as arrays, the rest as JSON in its header, with a checksum over all of it.  It replaces
    an older file of this name in one step.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans, HierarchicalKMeans or StreamKMeans
        A fitted model.  Its `callback` is not stored.
    path : str or path
        The file, by custom named ``*.safetensors``.
    labels : bool, default=True
        Whether to store ``labels_``, 4 bytes a row; a model predicts without them.
    extra : mapping or None, default=None
        Anything of your own that belongs to the model, such as how its data were scaled: names
        with JSON values or arrays of numbers.  ``load(path, return_extra=True)`` gives it back.

    Raises
    ------
    TypeError
        If the model is of a kind that cannot be stored.
    ValueError
        If `extra` holds something else than JSON values and arrays.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    OSError
        If the file cannot be written; an older one is left as it was.

    Warns
    -----
    UserWarning
        If a parameter is code or a generator, which a file cannot hold; it will have its default.

    Examples
    --------
    >>> import tempfile
    >>> import omnimeans as om
    >>> model = om.KMeans(n_clusters=2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     om.save(model, f"{folder}/model.safetensors", extra={"unit": "cm"})
    ...     loaded, extra = om.load(f"{folder}/model.safetensors", return_extra=True)
    >>> loaded.predict([[2.0], [7.0]]), extra
    (array([0, 1], dtype=int32), {'unit': 'cm'})
    """
    data = dumps(model, labels=labels, extra=extra)
    write_atomically(Path(path), data)


def dumps(model: Any, *, labels: bool = True, extra: Mapping[str, Any] | None = None) -> bytes:
    """Return what `save` writes."""
    name = type(model).__name__
    if name not in KINDS or type(model) is not KINDS[name].cls(name):
        raise TypeError(
            f"A {type(model).__module__}.{name} cannot be stored; {', '.join(KINDS)} can. For "
            "another estimator, such as a pipeline, use joblib or skops."
        )
    check_is_fitted(model, "cluster_centers_" if KINDS[name].has_centers else "n_samples_seen_")
    parameters, arrays = _parameters(model)
    words, numbers = _extra(extra or {})
    document = {
        "class": name,
        "parameters": parameters,
        **document_of(model),
        "extra": words,
    }
    arrays |= (
        arrays_of(model, labels and KINDS[name].has_centers and hasattr(model, "labels_")) | numbers
    )
    _refuse_unloadable(document, arrays)
    return pack("model", VERSION, document, arrays)


@overload
def load(path: str | os.PathLike[str], *, return_extra: Literal[False] = False) -> Any: ...
@overload
def load(
    path: str | os.PathLike[str], *, return_extra: Literal[True]
) -> tuple[Any, dict[str, Any]]: ...
def load(path: str | os.PathLike[str], *, return_extra: bool = False) -> Any:
    """Read a model from a file that `save` wrote.

    Nothing in the file is executed, and everything in it is checked: a file from elsewhere can be
    refused, but can do no harm.

    Parameters
    ----------
    path : str or path
        The file.
    return_extra : bool, default=False
        Whether to return what was stored as `extra`, too.

    Returns
    -------
    model : KMeans, MiniBatchKMeans, BisectingKMeans, HierarchicalKMeans or StreamKMeans
        The fitted model, with the same bits in every array.
    extra : dict
        The user's own values; only with `return_extra`.

    Raises
    ------
    ValueError
        If the file is damaged, truncated, no model, or of a version that is not known here; the
        message says which.
    OSError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import omnimeans as om
    >>> model = om.KMeans(n_clusters=1).fit([[0.0], [4.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     om.save(model, f"{folder}/model.safetensors")
    ...     om.load(f"{folder}/model.safetensors").cluster_centers_
    array([[2.]])
    """
    model, extra = loads(contents(Path(path), "model"), os.fspath(path))
    return (model, extra) if return_extra else model


def loads(data: bytes, name: str = "the file") -> tuple[Any, dict[str, Any]]:
    """Return the model and the extra part that these bytes of a file hold."""
    document, arrays = unpack(data, "model", VERSION, name)
    keys = [key for key in arrays if key.startswith(EXTRA)]
    extra = document.get("extra")
    if not isinstance(extra, dict) or not extra.keys().isdisjoint(k[len(EXTRA) :] for k in keys):
        _misfit(name, "its extra part")
    extra |= {key[len(EXTRA) :]: arrays.pop(key) for key in keys}
    try:
        model = rebuild(document, arrays)
    except (Misfit, ValueError, TypeError) as error:
        _misfit(name, str(error))
    if arrays:
        _misfit(name, f"an array {min(arrays)!r:.40}")
    return model, extra


def _refuse_unloadable(document: dict[str, Any], arrays: Arrays) -> None:
    """Refuse what `load` would refuse, while there still is a model to mend."""
    try:
        read = json.loads(json.dumps(document, allow_nan=False))
        rebuild(read, {name: a for name, a in arrays.items() if not name.startswith(EXTRA)})
    except (Misfit, ValueError, TypeError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"This model is not saved, for it could not be loaded again. What it cannot have: "
            f"{reason}. Parameters or attributes were changed after the fit: set them back, or fit "
            "the model again."
        ) from None


def _misfit(name: str, what: str) -> NoReturn:
    raise UnreadableFile(
        f"{name} describes a model that cannot be: {what}. It was written by other means or "
        "changed on purpose; use another copy, or save the model again."
    )


def _parameters(model: Any) -> tuple[dict[str, Any], Arrays]:
    """Return the parameters that a file can hold, for JSON and as arrays."""
    plain: dict[str, Any] = {}
    arrays: Arrays = {}
    lost = []
    for name, value in model.get_params(deep=False).items():
        if name in RUN_ONLY:
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (str, bool, int, float)):
            plain[name] = value
        elif name == "init" and not callable(value):
            arrays[name] = np.asarray(value, dtype=model.cluster_centers_.dtype)
        else:
            lost.append(f"{name}={value!r:.60}")
    if lost:
        warnings.warn(
            f"A file holds no code and no generator: {', '.join(lost)} will have its default value "
            "in the loaded model. What was fitted is stored in full.",
            UserWarning,
            stacklevel=4,
        )
    return plain, arrays


def _extra(extra: Mapping[str, Any]) -> tuple[dict[str, Any], Arrays]:
    """Tell the user's arrays from JSON values, and refuse the rest."""
    words: dict[str, Any] = {}
    arrays: Arrays = {}
    for name, value in extra.items():
        if not isinstance(name, str):
            raise ValueError(f"extra has the name {name!r}; use words as names.")
        if isinstance(value, np.ndarray):
            if value.dtype not in STORABLE:
                raise ValueError(
                    f"extra[{name!r}] is an array of {value.dtype}, but only numbers and booleans "
                    "can be stored; give a list of strings for words."
                )
            arrays[EXTRA + name] = value
            continue
        try:
            kept = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"extra[{name!r}] cannot be stored ({error}); use numbers, words, lists and "
                "dictionaries of them (no NaN or infinity), or an array."
            ) from error
        words[name] = kept
    return words, arrays
