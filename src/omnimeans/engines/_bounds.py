"""Which blocks need not be read: those in which no row can have changed its cluster.

For each block and cluster the smallest gap is kept, by which the cluster's rows there are nearer to
their own centre than to any other.  As long as their centre and the centre that moved most have
together moved by less, no row of the block changes its label (the triangle inequality; the drift
bound of G. Hamerly, "Making k-means even faster", SDM 2010, taken once per block).
"""

from __future__ import annotations

import numpy as np

from omnimeans._types import F64, I64, Distance, Floats
from omnimeans.engines.cpu import CpuEngine

ROOM = 1 << 22  # gaps kept; with more, one for all clusters of a block
QUIET = 0.05  # gaps are measured once no larger share of the rows moves in a pass
AHEAD = 16.0  # a gap is measured up to so many of the last moves
SLACK = 1.0 + 1e-9  # moves are rounded up by this


class Bounds:
    """The gaps of all blocks, and how far the centres have moved since they were measured."""

    def __init__(self, starts: I64, distance: Distance) -> None:
        self.starts, self.distance = starts, distance
        self.before: Floats | None = None
        self.reach = 0.0
        self.measuring = False
        self.passed = 0  # blocks left out in the last pass

    def begin(self, cpu: CpuEngine, centers: Floats, moved_share: float) -> None:
        """Take down how far the centres have moved since the last pass."""
        if self.before is None or len(self.before) != len(centers):
            many = len(centers) * len(self.starts) > ROOM
            self.safe: F64 = np.full((len(self.starts), 1 if many else len(centers)), -np.inf)
            self.drift, self.widest = np.zeros(len(centers)), 0.0
            self.measuring = False
        else:
            steps = cpu.pairs(self.before, centers, self.distance)
            steps = np.sqrt(steps) if self.distance.kernel == "euclidean" else steps
            self.drift += steps * SLACK
            self.widest += float(steps.max()) * SLACK
            self.reach = AHEAD * float(steps.max())
            self.measuring = moved_share <= QUIET and self.reach > 0.0
        self.before, self.passed = centers.copy(), 0

    def wanted(self, first: int, stop: int) -> bool:
        """Tell whether a row of the block that begins here may move."""
        needed = bool((self.safe[self._block(first)] <= self._used()).any())
        self.passed += not needed
        return needed

    def keep(self, first: int, gaps: F64) -> None:
        """Remember the gaps of a block, measured at the centres of this pass."""
        best = gaps if self.safe.shape[1] > 1 else gaps.min(keepdims=True)
        self.safe[self._block(first)] = best + self._used()

    def forget(self, first: int) -> None:
        """Remember nothing of the block that this row is in."""
        self.safe[self._block(first)] = -np.inf

    def _used(self) -> F64:
        """Return how much of the gaps the moves since the beginning have used up."""
        own = self.drift if self.safe.shape[1] > 1 else np.array([self.widest])
        return own + self.widest

    def _block(self, row: int) -> int:
        return int(np.searchsorted(self.starts, row, side="right")) - 1
