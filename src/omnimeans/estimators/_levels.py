"""Very many centres, level by level: rows are split into groups, each group into its centres.

A group's share of the centres follows the weight of its rows; a share that is large itself is split
again (D. Nistér and H. Stewénius, "Scalable recognition with a vocabulary tree", CVPR 2006).  A
group with fewer different rows than its share leaves the rest to rows anywhere that lie far from
their centre.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from omnimeans import _fit
from omnimeans._control import Control
from omnimeans._types import F64, I64, Distance, Engine, Fit, Floats
from omnimeans.engines import open_engine, open_grouped
from omnimeans.estimators._run import generator
from omnimeans.init import INITS

AT_ONCE = 512  # centres of a group that are found together
DEEPEST = 4  # levels
MANY = 256  # centres from which k-means|| is the quicker start


@dataclass(frozen=True, slots=True)
class Levels:
    """How the levels are fitted.

    Parameters
    ----------
    distance : Distance
        What is minimised.
    max_iter : int
        Most iterations of a level.
    tol : float
        As in :class:`omnimeans.KMeans`.
    seed : int
        Of all randomness; each group has random numbers of its own.
    n_threads : int
        Threads to use.
    say : callable
        Told, in words, how it goes on.
    """

    distance: Distance
    max_iter: int
    tol: float
    seed: int
    n_threads: int
    say: Callable[[str], None]

    def grow(
        self, X: Floats, weights: F64 | None, k: int, many: int, control: Control | None
    ) -> tuple[Floats, I64]:
        """Return k centres, group by group, and where those of each of `many` groups begin."""
        engine = open_engine("cpu", self.n_threads, self.distance)
        coarse = self._fit(engine, X, weights, many, (0,), control)
        self.say(f"{many} groups of rows found in {coarse.n_iter} iterations.")
        order, cuts, parts = _split(coarse, weights, k, many)

        def leaf(group: int) -> Floats:
            mine = order[cuts[group] : cuts[group + 1]]
            given = None if weights is None else weights[mine]
            return self._leaves(X[mine], given, int(parts[group]), (1 + group,))

        filled = np.flatnonzero(parts)
        largest = filled[np.argsort(-parts[filled], kind="stable")]  # nobody waits for it alone
        with ThreadPoolExecutor(self.n_threads) as pool:
            try:
                found = dict(zip(largest.tolist(), pool.map(leaf, largest.tolist()), strict=True))
            except BaseException:  # Ctrl-C: what has not begun is left out
                pool.shutdown(cancel_futures=True)
                raise
        starts = np.zeros(many + 1, dtype=np.int64)
        starts[1:] = np.cumsum([len(found.get(group, ())) for group in range(many)])
        centers = np.concatenate([found[group] for group in filled.tolist()])
        self.say(f"{len(centers)} centres found in the groups.")
        return self._filled(X, weights, k, centers, starts)

    def _fit(
        self,
        engine: Engine,
        X: Floats,
        weights: F64 | None,
        k: int,
        path: tuple[int, ...],
        control: Control | None = None,
    ) -> Fit:
        """Cluster some rows at once."""
        rows = engine.place(X, weights, self.distance)
        return _fit.run(
            engine,
            rows,
            k,
            INITS["k-means||" if k > MANY else "k-means++"],
            [generator(self.seed, 0, *path)],
            distance=self.distance,
            max_iter=self.max_iter,
            tol=float(self.tol * rows.spread / (rows.weight * rows.d)) if rows.weight else 0.0,
            control=control,
        )

    def _leaves(self, X: Floats, weights: F64 | None, k: int, path: tuple[int, ...]) -> Floats:
        """Return up to k different centres of some rows, fewer where the rows are alike."""
        if weights is not None and (weights > 0).any():
            X, weights = X[weights > 0], weights[weights > 0]
        else:
            weights = None
        if self.distance.kernel == "cosine" and not X.any():
            return X[:1]
        if k >= len(X):
            return np.unique(X, axis=0)
        engine = open_engine("cpu", 1, self.distance)
        if k <= AT_ONCE or len(path) >= DEEPEST:
            fit = self._fit(engine, X, weights, k, path)
            centers: Floats = fit.centers[np.unique(fit.labels)]
            return centers
        many = round(math.sqrt(k))
        coarse = self._fit(engine, X, weights, many, path)
        order, cuts, parts = _split(coarse, weights, k, many)
        if np.count_nonzero(parts) == 1:  # all rows are alike
            return np.unique(X, axis=0)[:k]
        return np.concatenate(
            [
                self._leaves(
                    X[order[cuts[group] : cuts[group + 1]]],
                    None if weights is None else weights[order[cuts[group] : cuts[group + 1]]],
                    int(parts[group]),
                    (*path, 1 + group),
                )
                for group in np.flatnonzero(parts).tolist()
            ]
        )

    def _filled(
        self, X: Floats, weights: F64 | None, k: int, centers: Floats, starts: I64
    ) -> tuple[Floats, I64]:
        """Return the centres with those that are missing drawn from rows far from their own."""
        attempt = 0
        while len(centers) < k:
            engine = open_grouped(starts, self.n_threads, self.distance)
            labels = engine.nearest(X, centers, self.distance)
            away = engine.own(X, centers, labels, self.distance)
            away = away if weights is None else away * weights
            rng = generator(self.seed, 1, attempt)
            # the largest of log(u) / w are a draw without replacement (P. Efraimidis and
            # P. Spirakis, "Weighted random sampling with a reservoir", IPL 2006)
            with np.errstate(divide="ignore"):
                keys = np.log(rng.random(len(X))) / away
            far = np.argsort(-keys, kind="stable")[: np.count_nonzero(away)]
            _, first = np.unique(X[far[: 4 * (k - len(centers))]], axis=0, return_index=True)
            drawn = far[np.sort(first)][: k - len(centers)]
            if not len(drawn):  # fewer different rows than centres: copies of the last one
                extra = np.repeat(centers[-1:], k - len(centers), axis=0)
                starts = np.append(starts[:-1], k)
                return np.concatenate([centers, extra]), starts
            group = np.searchsorted(starts, labels[drawn], side="right") - 1
            centers = np.insert(centers, starts[group + 1], X[drawn], axis=0)
            starts = starts + np.append(0, np.cumsum(np.bincount(group, minlength=len(starts) - 1)))
            attempt += 1
        return centers, starts


def _split(coarse: Fit, weights: F64 | None, k: int, many: int) -> tuple[I64, I64, I64]:
    """Return the rows in the order of their groups, where each begins, and its share of centres."""
    order = np.argsort(coarse.labels, kind="stable")
    cuts = np.searchsorted(coarse.labels[order], np.arange(many + 1))
    heavy = np.bincount(coarse.labels, weights, minlength=many).astype(np.float64)
    pulling = None if weights is None else weights > 0
    room = np.bincount(coarse.labels, pulling, minlength=many).astype(np.int64)
    return order, cuts, shares(heavy, room, k)


def shares(sizes: F64, room: I64, k: int) -> I64:
    """Share k centres out in proportion to the groups' sizes, one or more, never more than `room`.

    Examples
    --------
    >>> import numpy as np
    >>> from omnimeans.estimators._levels import shares
    >>> shares(np.array([60.0, 30.0, 9.0, 1.0]), np.array([60, 30, 9, 1]), 10).tolist()
    [5, 3, 1, 1]
    """
    found = np.minimum(room, 1)
    k = min(k, int(room.sum()))
    while found.sum() < k:
        wanted = np.where(room > found, sizes / (found + 0.5), -1.0)
        missing = int(k - found.sum())
        best = np.argsort(-wanted, kind="stable")[: max(1, missing // 4)]
        found[best[wanted[best] >= 0]] += 1
    return found
