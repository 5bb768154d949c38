"""The table of exact variants of Lloyd's algorithm: what each keeps per row, and its paper.

All of them give the same labels, centres, inertia and number of iterations, bit for bit; they
differ in how many distances they need, and in memory.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    name: str
    paper: str
    keeps: str


VARIANTS: dict[str, Variant] = {
    row.name: row
    for row in (
        Variant(
            "brute",
            paper='S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on '
            "Information Theory 28 (1982)",
            keeps="its label",
        ),
    )
}

# What a user may ask for, and what runs then.
NAMES: dict[str, str] = {"auto": "brute", "lloyd": "brute", "elkan": "brute"}


def choose(name: str) -> Variant:
    """Return the variant that runs when a user asks for `name`.

    Parameters
    ----------
    name : {"auto", "lloyd", "elkan"}
        The user's choice.

    Returns
    -------
    Variant
        A row of the table.

    Raises
    ------
    ValueError
        If the name is not in the table.

    Examples
    --------
    >>> from omnimeans.algorithms import choose
    >>> choose("auto").name
    'brute'
    """
    if name not in NAMES:
        raise ValueError(f"algorithm={name!r} is not known; use one of {', '.join(NAMES)}.")
    return VARIANTS[NAMES[name]]
