"""Fits and predictions on data that is read block by block; see :mod:`omnimeans.sources`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from omnimeans import _validate
from omnimeans._optional import need
from omnimeans._rows import Holed
from omnimeans._scaling import restored_sum
from omnimeans._sums import exact_units, from_units
from omnimeans._types import F64, I32, Distance, Engine, Floats
from omnimeans.engines import open_engine, open_partial
from omnimeans.engines._scratch import release, scratch
from omnimeans.estimators import _lazy
from omnimeans.sources import Source, is_dask, is_source, open_source
from omnimeans.sources.ahead import ahead
from omnimeans.sources.memory import available, parse_bytes, resident
from omnimeans.sources.source import finite_blocks

ROOM = 1.3  # times their own size, that rows in memory take with what is known of each
BLOCK = 1 << 23  # bytes of rows that are labelled at a time


def rows(X: Any, estimator: Any, *, reset: bool = True) -> Floats | Source:
    """Return the data as rows in memory, or as a source where they do not fit or come in blocks."""
    client = _client(estimator, X) if reset else None  # new rows are few, or come as a source
    if client is not None:
        cluster = _cluster_rows(X, estimator, client, reset)
        _names(cluster, estimator, reset)
        return cluster
    if not is_source(X):
        missing = getattr(estimator, "missing", "error")
        given: Floats = _validate.rows(
            X, estimator=estimator, reset=reset, as_given=True, missing=missing
        )
        return given
    return _read(X, estimator, reset)


def _read(X: Any, estimator: Any, reset: bool) -> Floats | Source:
    source = open_source(X)
    _validate.enough_rows(len(source), 1)
    _names(source, estimator, reset)
    if _is_small(source, estimator):
        whole = np.empty(source.shape, dtype=source.dtype)
        for first, block in finite_blocks(source, max(1, BLOCK // _width(source))):
            whole[first : first + len(block)] = block
        return whole
    return source


def in_memory(X: Any, estimator: Any) -> Floats:
    """Return the data as rows in memory, for an estimator that takes some of them at a time."""
    at_home = is_dask(X) and estimator.engine == "auto"  # a cluster's rows are brought here
    found = _read(X, estimator, reset=True) if at_home else rows(X, estimator)
    if isinstance(found, Source):
        raise ValueError(
            f"{type(estimator).__name__} takes rows in memory, and {found.where} "
            f"({found.nbytes >> 20} MiB) does not fit. Use KMeans, which reads it block by block, "
            "or MiniBatchKMeans.partial_fit on one block after another."
        )
    return found


def weights(sample_weight: Any, X: Floats | Source) -> F64 | None:
    """Return the weights of the rows, None where all count alike."""
    if isinstance(X, Source):
        X = np.broadcast_to(np.zeros(1, dtype=X.dtype), X.shape)
    return _validate.weights(sample_weight, X)


def engine_for(
    X: Floats | Source, estimator: Any, distance: Distance, algorithm: str = "auto"
) -> Engine:
    """Return the engine that the user asked for, or the one that these rows need."""
    name = estimator.engine
    if isinstance(X, Holed):
        return open_partial(name, estimator.n_threads, distance)
    if issparse(X) and name == "blocks":
        raise ValueError(
            "engine='blocks' reads dense rows block by block, and sparse rows are in memory as "
            "they are. Use engine='auto'."
        )
    memory = getattr(estimator, "memory", None)
    if isinstance(X, Source) and hasattr(X, "client"):
        return open_engine(X.client, estimator.n_threads, distance, algorithm=algorithm)
    if isinstance(X, Source) and name in ("auto", "blocks"):
        return open_engine("blocks", estimator.n_threads, distance, memory=memory)
    if isinstance(X, Source):
        raise ValueError(
            f"engine={name!r} works on rows in memory, but {X.where} ({X.nbytes >> 20} MiB) is "
            "read block by block. Use engine='auto', or allow more memory."
        )
    return open_engine(name, estimator.n_threads, distance, algorithm=algorithm, memory=memory)


def local(engine: Any) -> str:
    """Return the engine that compares rows in memory with centres, after a fit by this one."""
    return engine if isinstance(engine, str) and engine not in ("blocks", "dask") else "auto"


def leave(engine: Any) -> None:
    """Let a cluster forget a fit that is over."""
    engine = getattr(engine, "inner", engine)
    if hasattr(engine, "close"):
        engine.close()


def predict(estimator: Any, X: Any, out: Any = None) -> I32:
    """Label the rows of a source, into an array or a .npy file."""
    if is_dask(X) and out is None:
        return _lazy.labels(estimator, X)  # type: ignore[no-any-return]
    source = open_source(X)
    _names(source, estimator, reset=False)
    labels: Any
    if out is None:
        in_file = 8 * len(source) > available()
        labels = scratch(len(source), np.int32, in_file=in_file)
    else:
        labels = np.lib.format.open_memmap(
            Path(out), mode="w+", dtype=np.int32, shape=(len(source),)
        )
    for first, block in _blocks(source):
        ready = estimator._compared(block)
        found = estimator._nearest(ready)
        labels[first : first + len(block)] = found
        release(labels)
    if out is not None:
        labels.flush()
    found_labels: I32 = labels
    return found_labels


def score(estimator: Any, X: Any, sample_weight: Any = None) -> float:
    """Return minus the exact objective on the rows of a source."""
    source = open_source(X)
    _names(source, estimator, reset=False)
    given = weights(sample_weight, source)
    total: int | float = 0
    ready = None
    for first, block in _blocks(source):
        ready = estimator._compared(block)
        labels = estimator._nearest(ready)
        away = ready.engine.own(ready.X, ready.centers, labels, ready.distance)
        mine = None if given is None else given[first : first + len(block)]
        total += exact_units(away, mine)
    assert ready is not None
    return -restored_sum(from_units(total), ready.exponent, ready.distance)


def _client(estimator: Any, X: Any) -> Any:
    """Return the client of the cluster that is to do the work, None if none is."""
    engine = estimator.engine
    if not isinstance(engine, str):
        return engine
    if engine == "dask" or (engine == "auto" and is_dask(X)):
        from omnimeans.engines.dask import DaskEngine, current_client

        return DaskEngine().client if engine == "dask" else current_client()
    return None


def _cluster_rows(X: Any, estimator: Any, client: Any, reset: bool) -> Source:
    from omnimeans.engines._cluster import ClusterRows

    if is_source(X) and not is_dask(X):
        X = open_source(X)
    elif not is_dask(X):
        X = _validate.rows(X, estimator=estimator, reset=reset)
    return ClusterRows(X, client)


def _blocks(source: Source) -> Iterator[tuple[int, Floats]]:
    return ahead(finite_blocks(source, max(1, BLOCK // _width(source))))


def _width(source: Source) -> int:
    return source.n_cols * source.dtype.itemsize


def _is_small(source: Source, estimator: Any) -> bool:
    """Tell whether a fit had better read everything once; the answer is the same."""
    if getattr(estimator, "engine", "auto") == "blocks":
        return False
    memory = getattr(estimator, "memory", None)
    room = available() / 2 if memory is None else parse_bytes(memory) - resident()
    return ROOM * source.nbytes + 32 * len(source) < room


def _names(source: Source, estimator: Any, reset: bool) -> None:
    """Keep or compare the names and the number of the features, in scikit-learn's words."""
    one: Any = np.zeros((1, source.n_cols), dtype=source.dtype)
    if source.names is not None:  # whatever has names was read by pyarrow, or by pandas
        one = need("pyarrow", extra="frames").table({name: [0.0] for name in source.names})
    validate_data(estimator, one, reset=reset, skip_check_array=True)
