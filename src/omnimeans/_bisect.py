"""Bisecting k-means: one cluster after another is split in two.

M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD
Workshop on Text Mining 2000.  The leaves of the tree of splits are the clusters; a row goes down
the tree, at each node to the nearer of two centres, when the model is fitted as when it predicts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from omnimeans._types import F64, I32, I64, Engine, Fit, Floats, Rows

LEAF = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """The splits of a bisecting fit; node 0 holds all rows.

    Parameters
    ----------
    centers : ndarray of shape (m, d)
        Centre of each node.
    children : ndarray of shape (m, 2), int32
        Numbers of the two nodes that each node was split into, -1 for a leaf.
    inertia : ndarray of shape (m,)
        Objective of each node's rows at the node's centre; rows without a direction left out.
    leaves : ndarray of shape (l,), int32
        Numbers of the leaves, from left to right: leaf number j is cluster j.
    """

    centers: Floats
    children: I32
    inertia: F64
    leaves: I32


@dataclass(slots=True)
class Grown:
    """A tree, and what became of the rows while it grew."""

    tree: Tree
    labels: I32  # (n,) the leaf of each row
    away: F64  # (n,) distance to the centre of its leaf
    fits: list[Fit]  # one per split


class Splitter(Protocol):
    """Runs k-means on some rows: (rows, k, number of the split)."""

    def __call__(self, rows: Rows, k: int, number: int) -> Fit:
        """Return the fit with `k` centres."""
        ...


@dataclass(slots=True)
class _Leaf:
    node: int
    rows: I64  # numbers among all rows
    block: Any  # rows of the node it was split from, which lie closer together
    local: I64 | None  # numbers in the block; None for all of it
    score: float

    def take(self) -> Any:
        """Return the rows themselves."""
        if self.local is None:
            return self.block
        if isinstance(self.block, np.ndarray):
            return np.take(self.block, self.local, axis=0)
        return self.block[self.local]


@dataclass(slots=True)
class _Growth:
    centers: list[Floats] = field(default_factory=list)
    children: list[tuple[int, int]] = field(default_factory=list)
    inertia: list[float] = field(default_factory=list)

    def add(self, center: Floats, inertia: float) -> int:
        self.centers.append(center)
        self.children.append((LEAF, LEAF))
        self.inertia.append(inertia)
        return len(self.centers) - 1


def grow(
    engine: Engine,
    X: Any,  # (n, d) rows
    weights: F64 | None,
    k: int,
    *,
    split: Splitter,
    largest: bool,  # split the cluster of the largest weight, not that of the highest inertia
    place: Callable[[Any, F64 | None], Rows],
) -> Grown:
    """Split clusters until there are `k`, or until all that are left are copies of one row."""
    n = X.shape[0]
    labels = np.zeros(n, dtype=np.int32)
    growth, fits = _Growth(), []
    root = place(X, weights)
    if k == 1:
        fits.append(split(root, 1, 0))
        center = fits[0].centers
    else:
        center = root.take(np.arange(1))  # nobody is ever compared with it
    away = engine.distances(root, center)
    leaves = [_Leaf(growth.add(center[0], 0.0), np.arange(n), X, None, np.inf)]
    while len(leaves) < k:
        position = max(range(len(leaves)), key=lambda i: leaves[i].score)
        leaf = leaves[position]
        if leaf.score <= 0.0:
            break  # only copies are left
        block = leaf.take()
        rows = root if leaf.local is None else place(block, _part(weights, leaf.rows))
        if rows.spread == 0.0:
            leaf.score = 0.0
            continue
        fit = _two(engine, rows, split, len(fits))
        fits.append(fit)
        far = engine.distances(rows, fit.centers, fit.labels)
        away[leaf.rows] = far
        halves = []
        for side in (0, 1):
            mine = np.flatnonzero(fit.labels == side)
            pull = _part(rows.weights, mine)
            inertia = engine.total(far[mine], pull)
            score = inertia
            if largest and inertia > 0.0:  # copies of one row are never split
                score = float(len(mine)) if pull is None else engine.total(pull, None)
            node = growth.add(fit.centers[side], inertia)
            halves.append(_Leaf(node, leaf.rows[mine], block, mine, score))
        growth.children[leaf.node] = (halves[0].node, halves[1].node)
        leaves[position : position + 1] = halves
    for number, leaf in enumerate(leaves):
        labels[leaf.rows] = number
    tree = Tree(
        np.array(growth.centers),
        np.array(growth.children, dtype=np.int32),
        np.array(growth.inertia),
        np.array([leaf.node for leaf in leaves], dtype=np.int32),
    )
    return Grown(tree, labels, away, fits)


def descend(
    nearest: Callable[[Any, Floats], I32],  # rows (m, d), centres (2, d) -> 0 or 1 for each row
    X: Any,  # (n, d) rows
    children: I32,  # (m, 2)
    centers: Floats,  # (m, d)
    leaves: I32,  # (l,)
) -> I32:
    """Return the leaf that each row comes to."""
    number_of = {int(node): number for number, node in enumerate(leaves)}
    labels = np.zeros(X.shape[0], dtype=np.int32)
    pending = [(0, np.arange(X.shape[0]))]
    while pending:
        node, rows = pending.pop()
        if node in number_of:
            labels[rows] = number_of[node]
        elif len(rows):
            part = X if len(rows) == X.shape[0] else X[rows]
            side = nearest(part, np.ascontiguousarray(centers[children[node]]))
            pending += [(int(children[node, s]), rows[side == s]) for s in (0, 1)]
    return labels


def _two(engine: Engine, rows: Rows, split: Splitter, number: int) -> Fit:
    """Return a fit with two centres that both have rows; the rows are not all alike."""
    fit = split(rows, 2, number)
    if np.bincount(fit.labels, rows.weights, minlength=2).all():
        return fit
    counts = np.ones(rows.n) if rows.weights is None else rows.weights
    # the last step took all rows of a centre away: from two different rows, each keeps itself
    first = int(np.argmax(counts > 0.0))
    one = rows.take(np.array([first]))
    far = engine.distances(rows, one)
    far[counts == 0.0] = -1.0
    other = rows.take(np.array([int(np.argmax(far))]))
    centers = np.concatenate([one, other])
    engine.step(rows, centers)
    return replace(
        fit,
        centers=centers,
        labels=rows.labels.copy(),
        inertia=engine.inertia(rows, centers),
        stop_reason="max_iter",
    )


def _part(weights: F64 | None, numbers: I64) -> F64 | None:
    return None if weights is None else weights[numbers]
