"""``algorithm="auto"``: chooses the variant of each pass by what the last passes took.

Every variant gives the same bits, so a choice costs time at worst.  Rows of few features begin
with brute force, and change to the tree once that has taken, or a pass of it would take, a share of
what the tree takes to build: whoever rents until the rent has reached the price never pays more
than twice the least (R. Karp, "On-line algorithms versus off-line algorithms", IFIP 1992).  The
tree stays unless a pass with it takes longer than one without.  Rows of many features have bounds
from the start, and the two screens race on some rows of every pass, in the core.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from omnimeans.algorithms import VARIANTS, Variant

TINY = 1 << 22  # multiply-adds of a pass; below, brute force is over before a choice is made
FLAT = 5.0  # dimensions that the rows may fill for a tree to be worth trying
PRICE = 0.25  # share of the building time that brute force may take first
FEW = 4096  # rows
NARROW = 8  # features up to which bounds cost more than they spare
WORSE = 1.1  # times the seconds of brute force, a tree's pass is too slow
CODABLE = 32  # features from which eight bits may be faster


def brute_seconds(n: int, d: int, k: int) -> float:
    """Return about how long a pass of brute force takes in few dimensions, likewise."""
    return 6e-12 * n * k * (d + 5)


def building_seconds(n: int, d: int) -> float:
    """Return about how long a tree takes to build: what it takes on a machine of 2024."""
    return 1e-9 * n * max(1.0, math.log2(n / 64)) * (4 + 0.5 * d)


@dataclass(slots=True)
class Pilot:
    """Chooses for one set of placed rows.

    Parameters
    ----------
    n, d : int
        Rows and features.
    itemsize : int
        Bytes of a value.
    dimensions : float
        How many dimensions the rows fill, at most `d`.
    memory : int or None
        Bytes that the passes may keep beside the data.
    """

    n: int
    d: int
    itemsize: int
    dimensions: float
    memory: int | None = None
    swept: float = 0.0  # seconds of the passes without a tree
    last: dict[str, float] = field(default_factory=dict)  # seconds of the last pass, by variant
    failures: int = 0

    def next(self, k: int) -> Variant:
        """Return the variant for the next pass with k centres."""
        if self.n * self.d * k < TINY:
            return VARIANTS["brute"]
        if self._tree_pays(k):
            return VARIANTS["tree"]
        if self.d <= NARROW:
            return VARIANTS["brute"]
        # what bounds and codes take to set up would be lost on a tree that is soon to come
        wanted = "bounded-coded" if self.d >= CODABLE and not self._tree_may_pay() else "bounded"
        for name in (wanted, "bounded"):
            if self.fits(name):
                return VARIANTS[name]
        return VARIANTS["brute"]

    def saw(self, variant: Variant, seconds: float) -> None:
        """Take note of what a pass took."""
        if variant.tree:
            without = min(
                (self.last[name] for name in self.last if name != "tree"), default=math.inf
            )
            if "tree" in self.last:  # the first one built it
                self.failures = self.failures + 1 if seconds > WORSE * without else 0
        else:
            self.swept += seconds
        self.last[variant.name] = seconds

    def fits(self, name: str) -> bool:
        """Tell whether a variant keeps within the memory that is allowed."""
        taken = self.n * VARIANTS[name].bytes_per_row(self.d, self.itemsize)
        return self.memory is None or taken <= self.memory

    def _tree_pays(self, k: int) -> bool:
        rent = max(self.swept, brute_seconds(self.n, self.d, k) if self.d <= NARROW else 0.0)
        return self._tree_may_pay() and rent >= PRICE * building_seconds(self.n, self.d)

    def _tree_may_pay(self) -> bool:
        flat = FEW <= self.n < 2**31 and self.d <= 64 and self.dimensions <= FLAT
        return flat and self.failures < 3 and self.fits("tree")
