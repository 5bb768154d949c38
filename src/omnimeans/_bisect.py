"""Bisecting k-means: one cluster after another is split in two.

M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD
Workshop on Text Mining 2000.  The leaves of the tree of splits are the clusters; a row goes down
the tree, at each node to the nearer of two centres, when the model is fitted as when it predicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from omnimeans._types import F64, I32, Engine, Floats, Iteration, Rows, StopReason
from omnimeans.distances import DISTANCES

LEAF = -1
WORST_FIRST: tuple[StopReason, ...] = ("max_iter", "cycle", "tolerance", "fixed point")


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

    @property
    def under_way(self) -> Floats | None:
        """The two centres of the first split, as far as it has come."""
        ...

    def whole(self) -> Piece:
        """Return all rows."""
        ...

    def row(self) -> Floats:
        """Return a row that counts, (d,)."""
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


@dataclass(frozen=True, slots=True)
class Made:
    """A split that was made: of the leaf at this position, with its line of the history."""

    position: int
    split: Split
    record: Iteration


@dataclass(slots=True)
class _Leaf:
    piece: Piece
    score: float


class Growth:
    """A tree while it grows.  It is what its splits say: whoever breaks off loses but the last.

    Parameters
    ----------
    root : Piece
        All rows.
    center : ndarray of shape (d,)
        A centre for them; nobody is ever compared with it.
    """

    def __init__(self, root: Piece, center: Floats) -> None:
        self.root, self.center = root, center
        self.made: list[Made] = []

    @property
    def splits(self) -> list[Split]:
        """The splits, in the order in which they were made."""
        return [made.split for made in self.made]

    def tree(self) -> tuple[Tree, list[Piece]]:
        """Return the tree, and the pieces of its leaves."""
        centers, inertia, children = [self.center], [0.0], [(LEAF, LEAF)]
        leaves = [(0, self.root)]
        for made in list(self.made):
            node, halves = leaves[made.position][0], []
            for center, half in zip(made.split.centers, made.split.halves, strict=True):
                halves.append((len(centers), half))
                centers.append(center)
                inertia.append(half.inertia)
                children.append((LEAF, LEAF))
            children[node] = (halves[0][0], halves[1][0])
            leaves[made.position : made.position + 1] = halves
        numbers = np.array([node for node, _ in leaves], dtype=np.int32)
        nodes = np.array(children, dtype=np.int32)
        tree = Tree(np.array(centers), nodes, np.array(inertia), numbers)
        return tree, [piece for _, piece in leaves]

    def end(self) -> StopReason:
        """Return why it has come to its end: what the splits that went on longest say."""
        reasons = {split.stop_reason for split in self.splits}
        return next((reason for reason in WORST_FIRST if reason in reasons), "fixed point")


def grow(
    engine: Engine,
    pieces: Pieces,
    growth: Growth,
    k: int,
    *,
    largest: bool,  # split the cluster of the largest weight, not that of the highest inertia
    told: Callable[[Made, bool], bool],  # a split, and whether it is the last; true ends it all
) -> bool:
    """Split clusters until there are `k`, or only copies of one row are left in each.

    Return false if that was not to be.
    """
    leaves = [_Leaf(growth.root, math.inf)]
    objective = [0.0, 0.0]  # and what it lacks
    while len(leaves) < k:
        position = max(range(len(leaves)), key=lambda i: leaves[i].score)
        leaf = leaves[position]
        if leaf.score <= 0.0:
            break  # only copies are left
        begun = perf_counter()
        split = pieces.split(leaf.piece, len(growth.made))
        if split is None:
            leaf.score = 0.0
            continue
        one, other = split.halves
        terms = [*objective, one.inertia, other.inertia]
        terms.append(-leaf.piece.inertia if growth.made else 0.0)
        objective[0] = max(0.0, math.fsum(terms))
        objective[1] = math.fsum([*terms, -objective[0]])
        record = record_of(engine, split, objective[0], perf_counter() - begun)
        growth.made.append(Made(position, split, record))
        leaves[position : position + 1] = [
            _Leaf(half, _score(half, largest)) for half in (one, other)
        ]
        if told(growth.made[-1], len(leaves) == k):
            return False
    return True


def record_of(engine: Engine, split: Split, objective: float, seconds: float) -> Iteration:
    """Return the line of the history of a split, after which all leaves come to this objective."""
    apart = engine.pairs(split.centers[:1], split.centers[1:], DISTANCES["euclidean"])[0]
    moved = split.halves[1].n
    return Iteration(objective, moved, float(apart), 0, 0, seconds, 1.0, split.algorithm)


def _score(half: Piece, largest: bool) -> float:
    """Return how much a piece asks to be split; copies of one row never do."""
    return half.weight if largest and half.inertia > 0.0 else half.inertia


def alone(rows: Rows) -> Piece:
    """Return the piece that stays whole."""
    return Piece(rows.n, rows.weight, 0.0, None)


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
