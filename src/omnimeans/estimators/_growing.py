"""A bisecting fit on its way: splits that may be watched, and a tree that may be broken off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from omnimeans._bisect import Growth, Made, Tree, alone, grow, record_of
from omnimeans._control import Control
from omnimeans._scaling import restored, restored_sum, scaled
from omnimeans._types import F64, Fit, Floats, Iteration, State, StopReason
from omnimeans.engines.halves import open_halves
from omnimeans.estimators._pieces import Blocks, Moved, variance_of
from omnimeans.estimators._plan import Plan
from omnimeans.estimators._watch import Follower


def by_splits(follower: Follower, record: Iteration) -> float:
    """Judge how much of a fit is done by its splits."""
    return (follower.iteration + 1) / follower.max_iter


class Growing:
    """Rows that are split again and again; the tree does not depend on who splits them.

    Parameters
    ----------
    plan : Plan
        How splits are made.
    X : array-like of shape (n, d)
        Rows, divided by two to the power `exponent`.
    weights : ndarray of shape (n,) or None
        Their weights.
    k : int
        Number of leaves to grow.
    exponent : int
        See `X`.
    say : callable
        Told of the two centres of each split.
    """

    def __init__(
        self,
        plan: Plan,
        X: Any,
        weights: F64 | None,
        k: int,
        exponent: int,
        say: Callable[[Floats], None],
    ) -> None:
        self._plan, self._X, self._weights = plan, X, weights
        self._k, self._exponent, self._say = k, exponent, say
        self._blocks = blocks = Blocks(plan, X, weights)
        quick = plan.n_init == 1 and k > 1 and not exponent
        halves = open_halves(plan.engine, X, weights, plan.distance) if quick else None
        self._root = blocks.root
        self._pieces: Blocks | Moved = Moved(plan, halves, X, blocks.root) if halves else blocks
        self.growth = Growth(self._pieces.whole(), self._pieces.row())

    def run(self, largest: bool, control: Control) -> Fit:
        """Grow the tree and return what it makes of the rows, in the user's units."""
        plan, growth = self._plan, self.growth
        first = growth.center[None]
        history: list[Iteration] = []

        def told(made: Made, last: bool) -> bool:
            self._say(self._scaled(made.split.centers))
            history.append(made.record)
            if control.watch is None:
                return False
            centers = first if control.watcher is None else _leaf_centers(growth.tree()[0])
            state = State(first, first, centers, history, set(), growth.end() if last else None)
            return control.watch(state) is not None

        def finish(
            first: Floats, centers: Floats, history: Sequence[Iteration], stop: StopReason
        ) -> Fit:
            return self._fit(stop, whole=control.stopped is None)

        control.begin(
            plan.engine, self._root, plan.distance, finish, whole=False, exponent=self._exponent
        )
        try:
            control.started(0, first, None)
            if self._k == 1:
                control.keep(self._alone())
            elif grow(plan.engine, self._pieces, growth, self._k, largest=largest, told=told):
                control.keep(self._fit(growth.end()))
            else:
                control.keep(self._fit("callback"))
        except control.rescued as interrupt:
            if not history:
                control.fall_back(self._roughly)
            control.rescue(interrupt)
        return restored(control.end(), self._exponent, plan.distance)

    def tree(self) -> Tree:
        """Return the tree as it is, in the user's units."""
        tree, distance = self.growth.tree()[0], self._plan.distance
        inertia = [restored_sum(float(one), self._exponent, distance) for one in tree.inertia]
        return Tree(self._scaled(tree.centers), tree.children, np.array(inertia), tree.leaves)

    def fitted(self) -> dict[str, Any]:
        """Return what a model of the tree as it is predicts with."""
        tree = self.tree()
        centers = _leaf_centers(tree)
        return {"cluster_centers_": centers, "tree_": tree, "_n_features_out": len(centers)}

    def _fit(self, stop: StopReason, whole: bool = True) -> Fit:
        """Return what the tree makes of the rows; not `whole` if a split was broken off."""
        tree, leaves = self.growth.tree()
        centers, labels = _leaf_centers(tree), self._pieces.labels(leaves)
        if whole:
            inertia = self._pieces.total()
        else:  # those who keep the rows may have measured some of them already
            engine, distance = self._plan.engine, self._plan.distance
            own = engine.own(self._X, centers, labels, distance)
            inertia = engine.total(own, self._weights)
        return Fit(centers, labels, inertia, tuple(made.record for made in self.growth.made), stop)

    def _roughly(self) -> Fit:
        """Return what there is before the first split is made: its centres so far, or one."""
        if self.growth.made:  # and not yet told
            return self._fit("interrupt", whole=False)
        begun, centers = perf_counter(), self._pieces.under_way
        self._pieces = self._blocks
        split = None if centers is None or self._k == 1 else self._blocks.roughly(centers)
        if split is None:
            return replace(self._alone(), history=(), stop_reason="interrupt")
        inertia, engine = self._pieces.total(), self._plan.engine
        record = record_of(engine, split, inertia, perf_counter() - begun)
        self.growth.made.append(Made(0, split, record))
        return self._fit("interrupt")

    def _alone(self) -> Fit:
        """Return the fit with one centre."""
        whole = self._pieces.whole()
        fit = self._plan.fit(self._root, 1, variance_of(whole, self._root.d), 0)
        self.growth = Growth(alone(self._root), fit.centers[0])
        self._say(self._scaled(fit.centers))
        return fit

    def _scaled(self, centers: Floats) -> Floats:
        return scaled(centers, self._exponent) if self._exponent else centers


def _leaf_centers(tree: Tree) -> Floats:
    centers: Floats = tree.centers[tree.leaves]
    return centers
