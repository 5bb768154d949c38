"""Lloyd's iterations once more, to be looked at.

One answer makes it possible: from the same start, the same rows lead through the same centres, so
a model needs to remember no more than where it began.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omnimeans import _validate
from omnimeans._rows import plain
from omnimeans._types import F64, I64, Floats
from omnimeans.estimators import KMeans
from omnimeans.progress import Progress
from omnimeans.reports._given import Given
from omnimeans.reports._view import Plane
from omnimeans.reports.drawn import Replay, View

MOST_STEPS = 40  # iterations that are shown
MOST_ROWS = 1500  # rows that are shown
MOST_PLACES = 8000  # centres times steps
MOST_WORK = 3e10  # multiplications that the second run may cost


@dataclass(slots=True)
class _Film:
    """Remembers the centres of every iteration."""

    centers: list[Floats] = field(default_factory=list)

    def __call__(self, record: Progress) -> None:
        if record.event == "iteration":
            self.centers.append(np.array(record.centers))


def replay(given: Given, view: View, plane: Plane) -> Replay | None:
    """Run the iterations again and return what they did to the rows of the view."""
    if given.k < 2:
        return None
    start = getattr(given.model, "initial_centers_", None)
    everything = start is not None and _work(given) <= MOST_WORK
    numbers = np.arange(given.n) if everything else view.rows
    rows = given.seen if everything else plain(given.seen[view.rows])
    weights = None if given.weights is None else given.weights[numbers]
    film = _Film()
    again = KMeans(
        given.k,
        init="k-means++" if start is None else start,
        n_init=1,
        max_iter=getattr(given.model, "n_iter_", None) or 300,
        tol=0.0,
        metric=given.distance.name,
        random_state=0,
        n_threads=getattr(given.model, "n_threads", None),
        callback=film,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit itself has warned
        again.fit(rows, sample_weight=weights)
    order = _same_centers(film.centers[-1], given.centers) if everything else None
    places = [np.asarray(again.initial_centers_), *film.centers]
    if order is not None:
        places = [centers[order] for centers in places]
    return _record(given, view, plane, again, places, order is not None)


def _record(
    given: Given, view: View, plane: Plane, again: KMeans, places: list[Floats], same: bool
) -> Replay:
    chosen = _spread_out(len(places) - 1, max(2, min(MOST_STEPS, MOST_PLACES // given.k)))
    shown_rows = min(len(view.rows), MOST_ROWS)
    rows = np.linspace(0, len(view.rows) - 1, shown_rows).round().astype(np.int64)
    shown = given.compared(view.rows[rows])
    labels = [
        given.engine.nearest(*_validate.same_type(shown, places[i]), given.distance) for i in chosen
    ]
    history = [again.history_[i] for i in chosen]
    return Replay(
        rows=rows,
        numbers=tuple(int(i) + 1 for i in chosen),
        centers=np.stack([plane(places[i]) for i in [*chosen, chosen[-1] + 1]]),
        labels=np.stack(labels),
        inertias=tuple(float(step.inertia) for step in history),
        moved=tuple(int(step.moved) for step in history),
        note=_note(same, getattr(given.model, "initial_centers_", None), len(places) - 1, chosen),
    )


def _note(same: bool, start: Any, steps: int, chosen: I64) -> str:
    if same:
        note = "These are the steps of the fit itself, from the start that was kept."
    elif start is not None:
        note = "The steps from the model's start, made again on the rows that are shown."
    else:
        note = (
            "The model does not tell where it started: this is a run of Lloyd's algorithm from a "
            "k-means++ start on the rows that are shown."
        )
    if len(chosen) < steps:
        note += f" {len(chosen)} of {steps} iterations are shown, the first and the last of them."
    return note


def _work(given: Given) -> float:
    iterations = getattr(given.model, "n_iter_", None) or 300
    n, d = given.seen.shape
    return float(n) * float(d) * given.k * float(iterations)


def _same_centers(reached: F64 | Floats, centers: Floats) -> I64 | None:
    """Return the order in which the reached centres are the model's, bit for bit; None if not."""
    if reached.shape != centers.shape or reached.dtype != centers.dtype:
        return None
    here, there = np.lexsort(reached.T), np.lexsort(centers.T)
    if not np.array_equal(reached[here], centers[there]):
        return None
    order = np.empty(len(here), dtype=np.int64)
    order[there] = here
    return order


def _spread_out(n: int, most: int) -> I64:
    """Return 0 to n - 1, or fewer: half of them the first, the others evenly up to the last."""
    if n <= most:
        return np.arange(n)
    first = most // 2
    return np.unique([*range(first), *np.linspace(first, n - 1, most - first).round().astype(int)])
