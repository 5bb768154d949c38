"""Where a fit starts: a table of functions ``(engine, rows, k, rng) -> centers``.

Rows are drawn by their number, from exact sums over all rows, so that a start does not depend on
blocks, threads or partitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from omnimeans._types import F64, I64, U64, Engine, Floats, Rows, Seeding, Start
from omnimeans.distances import DISTANCES
from omnimeans.engines import open_engine

# Rounds of k-means++ that share a look at the rows: one for every so many centres chosen.  A round
# changes about one row in as many as there are centres, so few of the candidates shrink meanwhile.
ROUNDS_SHARE = 28
ROUNDS, OVERSAMPLING = 5, 2  # of k-means||
SPARE = 4  # one candidate in so many is drawn in reserve
DRAWS = 16  # times that `k` rows are drawn, until there are as many different ones


class Drawable(Protocol):
    """Rows that can be drawn by weight."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    @property
    def weights(self) -> F64 | None:
        """Their weights."""
        ...

    def take(self, numbers: Any) -> Floats:
        """Return these rows."""
        ...


def random_rows(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
    """Return `k` rows, no two alike, drawn by weight without replacement.

    Where the weights are so uneven that the same few rows are drawn again and again, the others are
    drawn by k-means++, which passes over what it has.
    """
    found = drawn_rows(rows, k, rng)
    if len(found) == k:
        return found
    others = kmeans_plusplus_rows(engine, rows, k - len(found), rng, trials=1, given=found)
    return np.concatenate([found, rows.take(others)])


def drawn_rows(rows: Drawable, k: int, rng: np.random.Generator) -> Floats:
    """Return up to `k` rows, no two alike, drawn by weight; fewer only where most weigh nothing.

    A draw is a place among the sums of the weights, so that a row of weight zero is as good as
    absent, and a row of weight three as good as three copies; a row that is like one before is
    drawn in vain.
    """
    ends = None if rows.weights is None else np.cumsum(rows.weights)
    found: dict[bytes, Floats] = {}
    for _ in range(DRAWS):
        at = rng.random(k + k // SPARE + SPARE)
        if ends is None:
            drawn = (at * rows.n).astype(np.int64)
        else:
            drawn = np.searchsorted(ends, at * ends[-1], side="right")
        numbers, where = np.unique(drawn, return_inverse=True)
        for row in (rows.take(numbers) + 0.0)[where]:  # -0.0 is 0.0
            found.setdefault(row.tobytes(), row)
        if len(found) >= k:
            break
    return np.array(list(found.values())[:k])


def kmeans_plusplus(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
    """Return `k` rows by greedy k-means++."""
    return rows.take(kmeans_plusplus_rows(engine, rows, k, rng))


def kmeans_plusplus_rows(
    engine: Engine,
    rows: Rows,
    k: int,
    rng: np.random.Generator,
    trials: int | None = None,
    given: Floats | None = None,
) -> I64:
    """Return the numbers of `k` rows drawn by greedy k-means++.

    Each new centre is drawn with probability proportional to a row's weighted distance to the
    centres so far; of several candidates the one that lowers the objective most is kept
    (D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007).

    Looking at all rows is what costs time, so the candidates of several rounds share a look.  They
    are drawn by the distances before these rounds; one whose distance has shrunk since is taken
    with the probability to which it has shrunk, which makes it a draw by the distances of its own
    round (rejection sampling).

    With `given` centres, `k` more are drawn beside them.
    """
    trials = trials or 2 + int(math.log(k))
    chosen: list[int] = []
    seeding = engine.seeding(rows)
    play = getattr(seeding, "play", None) or partial(play_rounds, seeding, rows)
    met = 0 if given is None else len(given)
    if given is not None:
        seeding.meet(given)
        for number in range(met):
            seeding.adopt(number)
    elif k <= ROUNDS_SHARE and (play_each := _at_once(seeding, rng)):
        # every round is one of its own: all random numbers can be drawn at once
        bits = rng.integers(0, 2**64, size=2 + 2 * trials * (k - 1), dtype=np.uint64)
        chosen = play_each(bits, trials, k).tolist()
    while len(chosen) < k:
        begun = met + len(chosen)
        rounds = min(1 + begun // ROUNDS_SHARE, k - len(chosen))
        size = trials * rounds + (trials * rounds // SPARE if rounds > 1 else 0)
        tickets = rng.integers(0, 2**64, size=size if begun else 1, dtype=np.uint64)
        chosen += play(tickets, rng.random(len(tickets)), trials, rounds, begun == 0)
    numbers = np.array(chosen, dtype=np.int64)
    if rows.weights is not None:  # once all rows lie on centres the last is drawn, whatever it is
        numbers[rows.weights[numbers] == 0.0] = np.argmax(rows.weights > 0.0)
    return numbers


def _at_once(seeding: Seeding, rng: np.random.Generator) -> Callable[[U64, int, int], I64] | None:
    """Return what plays all rounds in one call, if random words tell the fractions to be drawn."""
    if isinstance(rng.bit_generator, np.random.MT19937):  # makes its fractions another way
        return None
    return getattr(seeding, "play_each", None)


def play_rounds(
    seeding: Seeding,
    rows: Rows,
    tickets: U64,
    luck: F64,  # of each candidate, between 0 and 1
    trials: int,
    rounds: int,
    first: bool,  # there is no centre yet
) -> list[int]:
    """Return the numbers of the rows that these rounds of k-means++ have chosen."""
    chosen: list[int] = []
    pool = seeding.draw(tickets)
    before = seeding.closest(pool)
    seeding.meet(rows.take(pool))
    used = 0
    for _ in range(rounds):
        fair = np.ones(len(pool), dtype=bool)
        if not first:
            fair = luck * before <= seeding.closest(pool)
        round_ = used + np.flatnonzero(fair[used:])[:trials]
        if not first and len(round_) < trials:
            break  # too many have shrunk: draw again
        best = int(round_[np.argmax(seeding.worth(round_))])
        seeding.adopt(best)
        chosen.append(int(pool[best]))
        used, first = int(round_[-1]) + 1, False
    return chosen


def kmeans_parallel(engine: Engine, rows: Rows, k: int, rng: np.random.Generator) -> Floats:
    """Return `k` centres by k-means||, in few looks at the rows, however many centres there are.

    Each of a few rounds draws 2 k rows by their weighted distances to the centres so far, all of
    which join them; each of these candidates then stands for the rows nearest to it, and weighted
    greedy k-means++ chooses among them (B. Bahmani et al., "Scalable k-means++", VLDB 2012).
    """
    seeding = engine.seeding(rows)
    drawn = np.empty(0, dtype=np.int64)
    for round_ in range(1 + ROUNDS):
        tickets = rng.integers(0, 2**64, size=OVERSAMPLING * k if round_ else 1, dtype=np.uint64)
        new = np.setdiff1d(seeding.draw(tickets), drawn)
        if len(new):
            seeding.join(rows.take(new))
        drawn = np.union1d(drawn, new)
    candidates = rows.take(drawn)
    rows.labels.fill(-1)
    weights = engine.means(rows, engine.step(rows, candidates).sums)[1]
    rows.labels.fill(-1)
    standing = weights > 0.0
    if np.count_nonzero(standing) < k:  # hardly more distinct rows than centres
        return kmeans_plusplus(engine, rows, k, rng)
    few = open_engine("cpu", 1)
    placed = few.place(candidates[standing], weights[standing], DISTANCES["euclidean"])
    return kmeans_plusplus(few, placed, k, rng)


INITS: dict[str, Start] = {
    "k-means++": kmeans_plusplus,
    "k-means||": kmeans_parallel,
    "random": random_rows,
}
