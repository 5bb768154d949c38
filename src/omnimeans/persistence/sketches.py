"""What a stream has left behind, and the groups of very many centres, as arrays and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnimeans._archive import Arrays
from omnimeans._fading import Fading
from omnimeans._sketch import BITS, COARSEST, FINEST, Bag, Cells, Sketch
from omnimeans.engines.grouped import middles_of

NO_LEVEL = FINEST - 1


class _Senseless(Exception):
    """An array is missing, or holds what cannot be."""


def arrays_of_stream(model: Any) -> Arrays:
    """Return what a model keeps of its stream."""
    kept = model._kept
    if isinstance(kept, Fading):
        names = ("rows", "keys", "weights", "ages")
        return {f"fading.{name}": getattr(kept, name) for name in names}
    cells = kept.cells
    level = NO_LEVEL if cells.level is None else cells.level
    arrays: Arrays = {"cells.level": np.array([level]), "cells.ids": cells.ids}
    arrays["cells.masses"] = cells.masses
    for prefix, bag in (("stream", kept.bag), ("cells", cells.bag)):
        arrays |= {f"{prefix}.{name}": getattr(bag, name) for name in ("rows", "keys", "words")}
    return arrays


def restored_stream(model: Any, arrays: Arrays) -> bool:
    """Give a model what was stored of its stream; false if that makes no sense."""
    model._begin(int(model.n_features_in_))
    try:
        if isinstance(model._kept, Fading):
            _restore_fading(model._kept, arrays, int(model.n_features_in_))
        else:
            model._kept = _sketch(model._kept, arrays, int(model.n_features_in_))
    except _Senseless:
        return False
    return True


def arrays_of_groups(model: Any) -> Arrays:
    """Return where each group's centres begin."""
    return {"groups.starts": np.asarray(model.starts_, dtype=np.int64)}


def restored_groups(model: Any, arrays: Arrays) -> bool:
    """Give a model the groups of its centres; false if they make no sense."""
    try:
        starts = _taken(arrays, "groups.starts", np.int64, (None,))
        _expect(len(starts) > 1 and starts[0] == 0 and bool((np.diff(starts) >= 0).all()))
        _expect(starts[-1] == len(model.cluster_centers_))
    except _Senseless:
        return False
    model.starts_, model.groups_ = starts, middles_of(model.cluster_centers_, starts)
    return True


def _sketch(fresh: Sketch, arrays: Arrays, d: int) -> Sketch:
    bag, own = _bag(arrays, "stream", d), _bag(arrays, "cells", d)
    level = int(_taken(arrays, "cells.level", np.int64, (1,))[0])
    ids = _taken(arrays, "cells.ids", np.uint64, own.keys.shape)
    masses = _words(arrays, "cells.masses", len(ids))
    _expect(NO_LEVEL <= level <= COARSEST and _rising(ids) and _rising(bag.keys))
    _expect(len(ids) <= fresh.cells.most and len(bag.keys) <= fresh.most + 1)
    found = None if level == NO_LEVEL else level
    cells = Cells(found, fresh.cells.seed, fresh.cells.most, ids, own, masses)
    return Sketch(fresh.most, bag, cells)


def _restore_fading(kept: Fading, arrays: Arrays, d: int) -> None:
    keys = _taken(arrays, "fading.keys", np.float64, (None,))
    m = len(keys)
    rows = _taken(arrays, "fading.rows", np.float64, (m, d))
    weights = _taken(arrays, "fading.weights", np.float64, (m,))
    ages = _taken(arrays, "fading.ages", np.float64, (m,))
    _expect(m <= kept.most + 1 and bool((np.diff(keys) >= 0).all()))
    _expect(bool((weights > 0).all() and (ages >= 0).all()))
    kept.rows, kept.keys, kept.weights, kept.ages = rows, keys, weights, ages


def _bag(arrays: Arrays, prefix: str, d: int) -> Bag:
    keys = _taken(arrays, f"{prefix}.keys", np.uint64, (None,))
    rows = _taken(arrays, f"{prefix}.rows", np.float64, (len(keys), d))
    return Bag(rows, keys, _words(arrays, f"{prefix}.words", len(keys)))


def _words(arrays: Arrays, name: str, count: int) -> NDArray[Any]:
    """Take weights, above zero, in whole ones and parts."""
    words = _taken(arrays, name, np.int64, (count, 2))
    _expect(bool((words >= 0).all() and (words[:, 1] < 1 << BITS).all()))
    _expect(bool(words.any(axis=1).all()))
    return words


def _taken(arrays: Arrays, name: str, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Take an array of this type and shape, None being any length."""
    array = arrays.pop(name, None)
    if array is None or array.dtype != dtype or array.ndim != len(shape):
        raise _Senseless
    pairs = zip(array.shape, shape, strict=True)
    _expect(all(wanted is None or has == wanted for has, wanted in pairs))
    _expect(array.dtype.kind != "f" or bool(np.isfinite(array).all()))
    return array


def _rising(values: NDArray[Any]) -> bool:
    return bool((values[1:] > values[:-1]).all())


def _expect(holds: bool) -> None:
    if not holds:
        raise _Senseless
