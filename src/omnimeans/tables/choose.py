"""Columns by name, number, range or pattern, as a user writes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from omnimeans.tables.table import BadTable

RANGE = re.compile(r"(\d*)-(\d*)")
MOST_NAMED = 12


def choose(names: Sequence[str], wanted: Iterable[str], source: str) -> list[int]:
    """Return the numbers of the columns that are asked for, each once, in the order asked.

    Parameters
    ----------
    names : sequence of str
        Names of the columns of a table.
    wanted : iterable of str
        Each is a name, a number counted from 1, a range of numbers such as ``2-5`` or ``7-``, a
        pattern such as ``petal*``, or several of these with commas between them.  A name comes
        before all else that it could mean.
    source : str
        What messages call the table.

    Returns
    -------
    list of int
        Numbers from 0.

    Raises
    ------
    BadTable
        If there is no such column.

    Examples
    --------
    >>> choose(["id", "x", "y", "z"], ["z,x"], "a.csv"), choose(["id", "x", "y"], ["2-"], "a.csv")
    ([3, 1], [1, 2])
    """
    chosen: list[int] = []
    for word in wanted:
        parts = [word] if word in names else [part.strip() for part in word.split(",")]
        for part in filter(None, parts):
            chosen += [at for at in _one(names, part, source) if at not in chosen]
    return chosen


def _one(names: Sequence[str], part: str, source: str) -> list[int]:
    if part in names:
        return [list(names).index(part)]
    span = RANGE.fullmatch(part)
    if part.isdigit() or (span and part != "-"):
        first, last = span.groups() if span else (part, part)
        low, high = int(first or 1), int(last or len(names))
        if 1 <= low <= high <= len(names):
            return list(range(low - 1, high))
        raise BadTable(
            f"{source} has {len(names)} columns, so there is no column {part}; they are counted "
            f"from 1: {listed(names)}"
        )
    if any(sign in part for sign in "*?["):
        matched = [at for at, name in enumerate(names) if fnmatchcase(name, part)]
        if matched:
            return matched
    near = difflib.get_close_matches(part, names, 1)
    meant = f". Did you mean {near[0]!r}?" if near else "."
    raise BadTable(f"{source} has no column {part!r}{meant} Its columns are {listed(names)}")


def listed(names: Sequence[str]) -> str:
    """Return the first names of many, for a message."""
    shown = ", ".join(repr(name) for name in names[:MOST_NAMED])
    return shown + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
