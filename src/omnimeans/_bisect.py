"""Bisecting k-means: one cluster after another is split in two.

M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD
Workshop on Text Mining 2000.  The leaves of the tree of splits are the clusters; a row goes down
the tree, at each node to the nearer of two centres, when the model is fitted as when it predicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from omnimeans._types import F64, I32, Engine, Fit, Floats, Rows, StopReason

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
class Piece:
    """Some of the rows: what a node of the tree is about.

    Parameters
    ----------
    n : int
        Number of rows.
    weight : float
        Their weight.
    inertia : float
        Their objective at the node's centre; of all rows, at their mean.
    where : object
        For who splits it.
    """

    n: int
    weight: float
    inertia: float
    where: Any


@dataclass(frozen=True, slots=True)
class Split:
    """What a split has led to: two centres, the pieces of either, and the way there."""

    centers: Floats
    halves: tuple[Piece, Piece]
    n_iter: int
    stop_reason: StopReason
    algorithm: str


class Pieces(Protocol):
    """Who keeps the rows and splits them; see :mod:`omnimeans.estimators._pieces`."""

    def whole(self) -> Piece:
        """Return all rows."""
        ...

    def row(self) -> Floats:
        """Return any row, (d,)."""
        ...

    def split(self, piece: Piece, number: int) -> Split | None:
        """Split this piece, as the split of this number; None if its rows are copies of one."""
        ...

    def labels(self, leaves: list[Piece]) -> I32:
        """Return the number of the leaf that each row is in."""
        ...

    def total(self) -> float:
        """Return the objective of all rows at the centres of their leaves."""
        ...


@dataclass(slots=True)
class Grown:
    """A tree, and what became of the rows while it grew."""

    tree: Tree
    labels: I32  # (n,) the leaf of each row
    inertia: float
    splits: list[Split]


@dataclass(slots=True)
class _Leaf:
    node: int
    piece: Piece
    score: float


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
    pieces: Pieces,
    k: int,
    *,
    largest: bool,  # split the cluster of the largest weight, not that of the highest inertia
) -> Grown:
    """Split clusters until there are `k`, or until all that are left are copies of one row."""
    growth = _Growth()
    splits: list[Split] = []
    # nobody is ever compared with the centre of all rows
    leaves = [_Leaf(growth.add(pieces.row(), 0.0), pieces.whole(), math.inf)]
    while len(leaves) < k:
        position = max(range(len(leaves)), key=lambda i: leaves[i].score)
        leaf = leaves[position]
        if leaf.score <= 0.0:
            break  # only copies are left
        split = pieces.split(leaf.piece, len(splits))
        if split is None:
            leaf.score = 0.0
            continue
        splits.append(split)
        halves = []
        for center, half in zip(split.centers, split.halves, strict=True):
            # copies of one row are never split
            score = half.weight if largest and half.inertia > 0.0 else half.inertia
            halves.append(_Leaf(growth.add(center, half.inertia), half, score))
        growth.children[leaf.node] = (halves[0].node, halves[1].node)
        leaves[position : position + 1] = halves
    return _grown(growth, leaves, pieces, splits)


def alone(engine: Engine, rows: Rows, fit: Fit) -> Grown:
    """Return the tree of a fit with one centre."""
    growth = _Growth()
    leaf = _Leaf(growth.add(fit.centers[0], 0.0), Piece(rows.n, rows.weight, 0.0, None), 0.0)
    tree = Tree(*_arrays(growth, [leaf]))
    split = Split(fit.centers, (leaf.piece, leaf.piece), fit.n_iter, fit.stop_reason, fit.algorithm)
    inertia = engine.total(engine.distances(rows, fit.centers), rows.weights)
    return Grown(tree, np.zeros(rows.n, dtype=np.int32), inertia, [split])


def _grown(growth: _Growth, leaves: list[_Leaf], pieces: Pieces, splits: list[Split]) -> Grown:
    labels = pieces.labels([leaf.piece for leaf in leaves])
    return Grown(Tree(*_arrays(growth, leaves)), labels, pieces.total(), splits)


def _arrays(growth: _Growth, leaves: list[_Leaf]) -> tuple[Floats, I32, F64, I32]:
    return (
        np.array(growth.centers),
        np.array(growth.children, dtype=np.int32),
        np.array(growth.inertia),
        np.array([leaf.node for leaf in leaves], dtype=np.int32),
    )


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
