"""The engines: who makes the passes.  A table of names; an engine is imported when asked for."""

from __future__ import annotations

import os
from typing import Any

from scipy.sparse import issparse

from omnimeans._rows import csr_arrays, csr_with, plain
from omnimeans._types import I64, Distance, Engine
from omnimeans.algorithms import choose
from omnimeans.directions import unit_rows

__all__ = ["ENGINES", "describe", "open_engine", "open_grouped", "open_partial"]


def _cpu(n_threads: int | None, algorithm: str, memory: str | int | None) -> Engine:
    from omnimeans.engines.cpu import CpuEngine
    from omnimeans.sources.memory import parse_bytes

    spare = None if memory is None else parse_bytes(memory)
    return CpuEngine(n_threads, choose(algorithm), spare)


def _reference(n_threads: int | None, algorithm: str, memory: str | int | None) -> Engine:
    from omnimeans.engines.reference import ReferenceEngine

    return ReferenceEngine()


def _blocks(n_threads: int | None, algorithm: str, memory: str | int | None) -> Engine:
    from omnimeans.engines.blocks import BlocksEngine

    return BlocksEngine(n_threads, memory)


def _dask(n_threads: int | None, algorithm: str, client: Any = None) -> Engine:
    from omnimeans.engines.dask import DaskEngine

    return DaskEngine(client, n_threads, choose(algorithm))


DEBUG = "OMNIMEANS_DEBUG"  # set to 1, every pass is done again by definition; see checked.py
ENGINES = {"cpu": _cpu, "reference": _reference, "blocks": _blocks}


def open_engine(
    name: Any,  # of an engine, or a client of a Dask cluster
    n_threads: int | None = None,
    distance: Distance | None = None,
    *,
    algorithm: str = "auto",
    memory: str | int | None = None,
) -> Engine:
    """Return the engine of this name, for this distance; ``"auto"`` is the compiled one.

    `algorithm` is a name from :mod:`omnimeans.algorithms`; engines that know only one way ignore
    it.  `memory` is what an engine may keep beside rows in memory, or, with rows outside, what the
    whole process may hold.
    """
    name = "cpu" if name == "auto" else name
    engine: Engine
    if name == "dask" or not isinstance(name, str):
        engine = _dask(n_threads, algorithm, None if name == "dask" else name)
    else:
        engine = ENGINES[name](n_threads, algorithm, memory)
    return _in_front(engine, distance, plain_rows=name == "reference")


def open_grouped(
    starts: I64,
    n_threads: int | None,
    distance: Distance,
    probes: int = 0,
    most: int | None = None,
) -> Engine:
    """Return the compiled engine for centres in groups, for this distance."""
    from omnimeans.engines.grouped import GroupedEngine

    engine = GroupedEngine(starts, n_threads, probes, most)
    return _in_front(engine, distance, exact=not probes)


def _in_front(
    engine: Engine, distance: Distance | None, *, plain_rows: bool = False, exact: bool = True
) -> Engine:
    """Return the engine behind what this distance, and the debug switch, ask for."""
    if exact and os.environ.get(DEBUG, "0") != "0":
        from omnimeans.engines.checked import checked

        engine = checked(engine)
    if distance is None or distance.kernel != "cosine":
        return engine
    from omnimeans.engines.spherical import SphericalEngine

    return SphericalEngine(engine, _plain_unit_rows if plain_rows else _compiled_unit_rows)


def open_partial(name: str, n_threads: int | None, distance: Distance) -> Engine:
    """Return the engine for rows with missing values."""
    if distance.kernel == "cosine":
        raise ValueError(
            "metric='cosine' does not go with missing='partial': a row with missing values has no "
            "length to be divided by. Use metric='euclidean' or 'manhattan', or fill in the values."
        )
    if name not in ("auto", "cpu"):
        raise ValueError(
            f"engine={name!r} does not take rows with missing values; use engine='auto'."
        )
    from omnimeans.engines.partial import PartialEngine

    return PartialEngine(n_threads)


def _plain_unit_rows(X: Any, n_threads: int) -> tuple[Any, I64]:
    return unit_rows(plain(X))


def _compiled_unit_rows(X: Any, n_threads: int) -> tuple[Any, I64]:
    from omnimeans import _core
    from omnimeans.sources import Source
    from omnimeans.sources.source import unit_source

    if hasattr(X, "unit"):  # rows on a cluster
        return X.unit()  # type: ignore[no-any-return]
    if isinstance(X, Source):
        return unit_source(X, lambda block: _core.unit_rows(block, n_threads))
    if issparse(X):
        columns, starts = csr_arrays(X)
        values, blank = _core.unit_sparse(X.data, columns, starts, X.shape[1])
        return csr_with(X, values), blank
    return _core.unit_rows(X, n_threads)


def describe() -> dict[str, str]:
    """Return what this machine offers, by name.

    Returns
    -------
    dict of str to str
        The engines, the instruction sets with the one in use, and the threads that may be kept
        busy.

    Examples
    --------
    >>> from omnimeans.engines import describe
    >>> describe()["engines"]
    'cpu, reference, blocks'
    """
    from omnimeans import _core
    from omnimeans.engines.cpu import available_threads

    return {
        "engines": ", ".join(ENGINES),
        "instruction set": f"{_core.isa()} (of {_core.offered()})",
        "threads": str(available_threads()),
    }
