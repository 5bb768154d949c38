"""The table of exact variants of Lloyd's algorithm: what each keeps per row, and its paper.

All of them give the same labels, centres, inertia and number of iterations, bit for bit; they
differ in how many distances they need, at which precision, and in memory.  ``"auto"`` measures
while it runs and changes between them (:mod:`omnimeans.engines.pilot`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LLOYD = (
    'S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 '
    "(1982)"
)
HAMERLY = 'G. Hamerly, "Making k-means even faster", SDM 2010'
KANUNGO = (
    'T. Kanungo and others, "An efficient k-means clustering algorithm: analysis and '
    'implementation", IEEE Transactions on Pattern Analysis and Machine Intelligence 24 (2002)'
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to find every row's nearest centre.

    Parameters
    ----------
    name : str
        What a fitted model reports as ``algorithm_``.
    paper : str
        Where it comes from.
    keeps : str
        What it holds for each row from one iteration to the next.
    tree : bool
        Whether boxes of rows find their centre at once.
    bounded : bool
        Whether bounds on a row's distances may spare it the look at all centres.
    screen : {"tiles", "codes", "race"}
        What looks at all centres: float32, eight-bit integers, or the faster of the two, as
        measured on some rows of every pass.
    """

    name: str
    paper: str
    keeps: str
    tree: bool = False
    bounded: bool = False
    screen: Literal["tiles", "codes", "race"] = "tiles"

    def bytes_per_row(self, d: int, itemsize: int) -> int:
        """Return the memory that it takes beside the data and the labels.

        Parameters
        ----------
        d : int
            Number of features.
        itemsize : int
            Bytes of a value of the rows.

        Returns
        -------
        int
            Bytes for each row; the peak, which for a tree is while it is built.

        Examples
        --------
        >>> from omnimeans.algorithms import VARIANTS
        >>> VARIANTS["bounded"].bytes_per_row(d=784, itemsize=4)
        9
        """
        boxes = d  # two float64 corners for every 16 rows
        copy = d * itemsize + 4
        tree = copy + max(copy, 14) + boxes if self.tree else 0  # while it is built, and then
        codes = (d + 3) // 4 * 4 + 12 if self.screen != "tiles" else 0
        return tree + codes + (9 if self.bounded else 0)


VARIANTS: dict[str, Variant] = {
    row.name: row
    for row in (
        Variant("brute", LLOYD, "its label"),
        Variant(
            "coded",
            "codes.hpp in the native sources derives the error bound",
            "its label, its values in eight bits, two scales and a squared length",
            screen="codes",
        ),
        Variant("bounded", HAMERLY, "its label and two bounds", bounded=True),
        Variant(
            "bounded-coded",
            HAMERLY,
            "its label, two bounds, its values in eight bits, two scales and a squared length",
            bounded=True,
            screen="race",
        ),
        Variant(
            "tree", KANUNGO, "its label and margin, its number and a copy of its values", tree=True
        ),
    )
}

# What a user may ask for, and what runs then; None lets measurements choose.  scikit-learn's names
# ask for an answer, which is the same, and not for a way to it.
NAMES: dict[str, Variant | None] = {"auto": None, "lloyd": None, "elkan": None, **VARIANTS}


def choose(name: str) -> Variant | None:
    """Return the variant that runs when a user asks for `name`.

    Parameters
    ----------
    name : {"auto", "lloyd", "elkan", "brute", "coded", "bounded", "bounded-coded", "tree"}
        The user's choice.

    Returns
    -------
    Variant or None
        A row of the table, or None if it is chosen while the fit runs.

    Raises
    ------
    ValueError
        If the name is not in the table.

    Examples
    --------
    >>> from omnimeans.algorithms import choose
    >>> choose("brute").keeps
    'its label'
    >>> choose("auto") is None
    True
    """
    if name not in NAMES:
        raise ValueError(f"algorithm={name!r} is not known; use one of {', '.join(NAMES)}.")
    return NAMES[name]
