"""The engines: who makes the passes.  A table of names; an engine is imported when asked for."""

from __future__ import annotations

import os

from omnimeans._types import I64, Distance, Engine, Floats
from omnimeans.algorithms import choose
from omnimeans.directions import unit_rows

__all__ = ["ENGINES", "describe", "open_engine"]


def _cpu(n_threads: int | None, algorithm: str, memory: int | None) -> Engine:
    from omnimeans.engines.cpu import CpuEngine

    return CpuEngine(n_threads, choose(algorithm), memory)


def _reference(n_threads: int | None, algorithm: str, memory: int | None) -> Engine:
    from omnimeans.engines.reference import ReferenceEngine

    return ReferenceEngine()


DEBUG = "OMNIMEANS_DEBUG"  # set to 1, every pass is done again by definition; see checked.py
ENGINES = {"cpu": _cpu, "reference": _reference}


def open_engine(
    name: str,
    n_threads: int | None = None,
    distance: Distance | None = None,
    algorithm: str = "auto",
    memory: int | None = None,
) -> Engine:
    """Return the engine of this name, for this distance; ``"auto"`` is the compiled one.

    `algorithm` is a name from :mod:`omnimeans.algorithms`, and `memory` the bytes that it may keep
    beside the data; engines that know only one way ignore them.
    """
    name = "cpu" if name == "auto" else name
    engine = ENGINES[name](n_threads, algorithm, memory)
    if os.environ.get(DEBUG, "0") != "0":
        from omnimeans.engines.checked import checked

        engine = checked(engine)
    if distance is None or distance.kernel != "cosine":
        return engine
    from omnimeans.engines.spherical import SphericalEngine

    return SphericalEngine(engine, unit_rows if name == "reference" else _compiled_unit_rows)


def _compiled_unit_rows(X: Floats, n_threads: int) -> tuple[Floats, I64]:
    from omnimeans import _core

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
    'cpu, reference'
    """
    from omnimeans import _core
    from omnimeans.engines.cpu import available_threads

    return {
        "engines": ", ".join(ENGINES),
        "instruction set": f"{_core.isa()} (of {_core.offered()})",
        "threads": str(available_threads()),
    }
