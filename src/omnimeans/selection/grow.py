"""Rivals for the fits of a sweep, on the way up: one more centre, put where it helps most.

On the way down (:mod:`omnimeans.selection.shrink`) two clusters that were merged stay together.  On
the way up a fit is tried against its rival: the fit for fewer clusters and those of some candidates
that take most off the inertia, followed by Lloyd's iterations.  The better of the two is kept and
carried further (the greedy addition is that of A. Likas, N. Vlassis and J. Verbeek, "The global
k-means clustering algorithm", Pattern Recognition 36, 2003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from omnimeans._types import Engine, Fit, Floats, Rows
from omnimeans.init import kmeans_plusplus
from omnimeans.selection.shrink import Refine

DRAWN = 8  # candidates drawn far from the present centres, beside the centres of the largest k
LONGEST = 8  # a larger step in k has no such rival
FEW, STARTS = 6, 3  # up to so many clusters, so many fresh starts are rivals too


def rivalled(
    engine: Engine,
    rows: Rows,
    fits: Sequence[Fit],  # k rising
    rng: np.random.Generator,
    refine: Refine,
) -> Iterator[Fit]:
    """Yield the best of each fit and its rivals."""
    best = fits[0]
    yield best
    for fit in fits[1:]:
        k, starts = len(fit.centers), []
        more = k - len(best.centers)
        if more <= LONGEST:
            starts.append(added(engine, rows, best.centers, fits[-1].centers, more, rng))
        if k <= FEW:
            starts += [kmeans_plusplus(engine, rows, k, rng) for _ in range(STARTS)]
        best = fit
        for start in starts if fit.inertia > 0.0 else ():
            best = min(best, refine(start), key=lambda one: one.inertia)
        yield best


def added(
    engine: Engine,
    rows: Rows,
    centers: Floats,
    pool: Floats,  # candidates, (m, d)
    more: int,
    rng: np.random.Generator,
) -> Floats:
    """Return the centres and so many more, each the candidate that takes most off the inertia."""
    seeding = engine.seeding(rows)
    seeding.meet(centers)
    for number in range(len(centers)):
        seeding.adopt(number)
    drawn = seeding.draw(rng.integers(0, 2**64, size=DRAWN, dtype=np.uint64))
    candidates = np.concatenate([pool, rows.take(drawn)])
    seeding.meet(candidates)
    every = np.arange(len(candidates))
    chosen = []
    for _ in range(more):
        best = int(np.argmax(seeding.worth(every)))
        seeding.adopt(best)
        chosen.append(best)
    return np.concatenate([centers, candidates[chosen]])
