"""What a mini-batch model knows of the rows it has seen, as arrays, and back: it can go on."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans._archive import Arrays
from omnimeans._running import Running

COUNTS, MEANS, WAITING = "batches.counts", "batches.means", "batches.waiting"


def arrays_of_batches(model: Any) -> Arrays:
    """Return the weights that the centres have seen and, after `partial_fit`, their means."""
    arrays: Arrays = {COUNTS: np.asarray(model._counts, dtype=np.float64)}
    if model._running is not None:
        arrays[MEANS] = np.asarray(model._running.means, dtype=np.float64)
        arrays[WAITING] = np.array([model._running.waiting], dtype=np.int64)
    return arrays


def restored_batches(model: Any, arrays: Arrays) -> bool:
    """Give a model what was stored of its batches; false if that makes no sense."""
    counts, means = arrays.pop(COUNTS, None), arrays.pop(MEANS, None)
    waiting = arrays.pop(WAITING, None)
    shape = model.cluster_centers_.shape
    if counts is None or not _fits(counts, shape[:1]) or bool((counts < 0).any()):
        return False
    model._counts, model._running = counts, None
    if means is None and waiting is None:
        return True
    if means is None or waiting is None or not _fits(means, shape):
        return False
    if waiting.dtype != np.int64 or waiting.shape != (1,) or waiting[0] < 0:
        return False
    model._running = Running(means, counts, int(waiting[0]))
    return True


def _fits(array: Any, shape: tuple[int, ...]) -> bool:
    fine = array.dtype == np.float64 and array.shape == shape
    return bool(fine and np.isfinite(array).all())
