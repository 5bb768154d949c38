"""The tree of a bisecting model as arrays, and back, with every node checked."""

from __future__ import annotations

import numpy as np

from omnimeans._archive import Arrays
from omnimeans._bisect import Tree
from omnimeans._types import Floats

PREFIX = "tree."


def arrays_of_tree(tree: Tree) -> Arrays:
    """Return the arrays of a tree, by name."""
    return {f"{PREFIX}{name}": np.asarray(getattr(tree, name)) for name in Tree.__annotations__}


def tree_of_arrays(arrays: Arrays, centers: Floats) -> Tree | None:
    """Take a tree out of `arrays`, whose leaves stand at `centers`; None if it makes no sense.

    Every node but the first must be the child of one node before it, and the leaves must be in
    order, so that nobody who goes down the tree can lose his way.
    """
    found = {name: arrays.pop(f"{PREFIX}{name}", None) for name in Tree.__annotations__}
    if any(array is None for array in found.values()):
        return None
    tree = Tree(**{name: array for name, array in found.items() if array is not None})
    m = len(tree.children) if tree.children.ndim else 0
    shapes = tree.children.shape == (m, 2) and tree.inertia.shape == (m,) and tree.leaves.ndim == 1
    types = tree.children.dtype == tree.leaves.dtype == np.int32 and tree.inertia.dtype == float
    if not (shapes and types and m > 0 and bool((tree.inertia >= 0).all())):
        return None
    if tree.centers.shape != (m, centers.shape[1]) or tree.centers.dtype != centers.dtype:
        return None
    order = _leaves_in_order(tree)
    if order is None or order != tree.leaves.tolist() or len(order) > len(centers):
        return None
    same = bool((tree.centers[tree.leaves] == centers[: len(order)]).all())
    return tree if same and bool(np.isfinite(tree.centers).all()) else None


def _leaves_in_order(tree: Tree) -> list[int] | None:
    """Return the leaves from left to right; None if the nodes are no tree."""
    m = len(tree.children)
    seen: set[int] = set()
    leaves, pending = [], [0]
    while pending:
        node = pending.pop()
        if node in seen:
            return None
        seen.add(node)
        left, right = tree.children[node].tolist()
        if left == right == -1:
            leaves.append(node)
        elif node < left < m and node < right < m:
            pending += [right, left]
        else:
            return None
    return leaves if len(seen) == m else None
