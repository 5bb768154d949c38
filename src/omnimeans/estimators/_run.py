"""What a fit needs around the loop: placed rows, a start, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import numpy as np
from scipy.sparse import issparse

from omnimeans import _validate
from omnimeans._checkpoint import Checkpoint
from omnimeans._rows import Holed, floating, in_memory, plain
from omnimeans._scaling import divided, scaled
from omnimeans._types import F64, Distance, Engine, Floats, Rows, Start
from omnimeans.directions import unit_rows
from omnimeans.estimators._different import of_different_rows
from omnimeans.init import INITS, kmeans_plusplus_rows
from omnimeans.sources import Source


def generator(seed: int, restart: int, *more: int) -> np.random.Generator:
    """Return the random numbers of one start; the first is the same for any number of starts."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, restart, *more])))


def recorder(path: Any, random_state: Any) -> tuple[Checkpoint | None, int]:
    """Return who writes checkpoints, if anybody, and the seed: that of the file goes on."""
    if path is None:
        return None, _validate.seed(random_state)
    checkpoint = Checkpoint(path)
    if random_state is None and checkpoint.seed is not None:
        return checkpoint, checkpoint.seed
    return checkpoint, _validate.seed(random_state)


def place(
    engine: Engine,
    X: Floats,
    weights: F64 | None,
    distance: Distance,
    *,
    idle: bool = False,  # for cosine: no row needs to have a direction
) -> Rows:
    """Hand the rows to the engine, divided by a power of two where their squares need it."""
    if distance.kernel == "cosine":
        if not (isinstance(X, Source) or idle):
            _validate.directions(X, weights)
        placed: Rows = engine.place(X, weights, distance)
        if not (placed.weight or idle):
            raise ValueError(
                "The weights of the rows that have a direction add up to nothing beside the "
                "largest weight; give them larger ones in sample_weight, or leave out the others."
            )
        return placed
    if isinstance(X, Holed):
        _validate.each_column_seen(X, weights)
    exponent = _validate.exponent(X) if in_memory(X) else 0
    with np.errstate(over="ignore", invalid="ignore"):  # judged by the last check, in words
        near = divided(floating(X), exponent) if exponent else X
        rows: Rows = engine.place(near, weights, distance)
    if in_memory(X):
        rows.exponent = exponent
    else:
        _validate.scale(engine, rows)
    return rows


def name_of(init: Any) -> str:
    """Return a word that tells this start from others."""
    if isinstance(init, str):
        return init
    if callable(init):
        return "callable"
    values = np.ascontiguousarray(init, dtype=np.float64)
    return f"array {blake2b(values.data, digest_size=8).hexdigest()}"


def start(
    init: Any,
    engine: Engine,
    rows: Rows,
    distance: Distance,
    k: int,
    *,
    centred: bool = True,
    fill: str | None = None,  # how centres that are not given are drawn
    fills: bool = False,  # whether the user can ask for that
) -> Start:
    """Return the start that the user asked for, by name, by function or by centres."""
    if isinstance(init, str):
        return of_different_rows(INITS[init], distance)
    dtype = rows.dtype
    if not callable(init):
        fewer = fill is not None if fills else None
        given = _validate.initial_centers(init, k, rows.d, dtype, rows.exponent, fewer=fewer)
        given = _in_metric(given, distance)
        if len(given) < k:
            return _filled(given, str(fill), distance)
        return lambda engine, rows, k, rng: given

    if isinstance(rows.X, Source):
        raise ValueError(
            "init is a function, which is shown all rows at once, but these are read block by "
            "block. Use a named start, or give the centres to start from."
        )
    if distance.kernel == "cosine" or not centred:
        return _called_with_rows(init, distance)

    if issparse(rows.X):  # as in scikit-learn, sparse rows are shown as they are
        mean, shown = np.zeros(rows.d, dtype), rows.X
    else:  # the plain mean, also where the rows have weights
        mean = rows.mean if rows.weights is None else engine.place(rows.X, None, distance).mean
        whole = rows.take(np.arange(rows.n)) if isinstance(rows.X, Holed) else plain(rows.X)
        shown = (whole - mean).astype(dtype)
    shown = scaled(shown, rows.exponent)

    def called(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
        random_state = np.random.RandomState(rng.bit_generator)
        found = init(shown, k, random_state=random_state)
        centers = _validate.initial_centers(found, k, rows.d, dtype, rows.exponent)
        return (centers + mean).astype(dtype)

    return called


def _filled(given: Floats, fill: str, distance: Distance) -> Start:
    """Return the start that has these centres, and draws the others."""

    def others(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
        if fill != "k-means++":
            return INITS[fill](engine, rows, k, rng)
        return rows.take(kmeans_plusplus_rows(engine, rows, k, rng, given=given))

    rest = of_different_rows(others, distance)

    def filled(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
        return np.concatenate([given, rest(engine, rows, k - len(given), rng)])

    return filled


def _in_metric(centers: Floats, distance: Distance) -> Floats:
    """Return given centres as the metric sees them: for cosine, of unit length."""
    if distance.kernel != "cosine":
        return centers
    return unit_rows(_validate.directed_centers(centers, "init"))[0]


def _called_with_rows(init: Any, distance: Distance) -> Start:
    """Return the start by a function that is shown the rows; for cosine, of unit length."""

    def called(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
        random_state = np.random.RandomState(rng.bit_generator)
        shown = scaled(rows.take(np.arange(rows.n)), rows.exponent)
        found = init(shown, k, random_state=random_state)
        centers = _validate.initial_centers(found, k, rows.d, rows.dtype, rows.exponent)
        return _in_metric(centers, distance)

    return called


def best_start(
    begin: Start,
    engine: Engine,
    rows: Rows,
    k: int,
    seed: int,
    n_init: int,
    say: Callable[[str], None],
) -> Floats:
    """Return the centres of the start that fits these rows best, of several."""
    found: list[tuple[float, int, Floats]] = []
    for number in range(n_init):
        centers = begin(engine, rows, k, generator(seed, number))
        inertia = 0.0
        if n_init > 1:
            engine.step(rows, centers)
            inertia = engine.inertia(rows, centers)
            say(f"Inertia for init {number + 1}/{n_init}: {inertia}")
        found.append((inertia, number, centers))
    rows.labels.fill(-1)
    return min(found, key=itemgetter(0, 1))[2]
