"""How many clusters: given, or chosen by a sweep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from omnimeans._types import F64, Floats
    from omnimeans.cli._talk import Steps
    from omnimeans.selection import Sweep

AUTO = "auto"
MOST = 20  # clusters that are tried where nothing is said, at first
LAST = 160  # and at last, where the scores ask for as many as were tried
ROWS_EACH = 3  # rows that a cluster should have on average, to be tried
RANGE = re.compile(r"(\d+)\s*(?:-|\.\.)\s*(\d+)")


def parse_k(text: str) -> int | range | None:
    """Return a number of clusters, a range of them, or None for ``auto``.

    Parameters
    ----------
    text : str
        Such as ``"8"``, ``"2-20"``, ``"2..20"`` or ``"auto"``.

    Returns
    -------
    int, range or None
        What it means.

    Raises
    ------
    typer.BadParameter
        If it means none of these.

    Examples
    --------
    >>> parse_k("8"), parse_k("2-4"), parse_k("auto")
    (8, range(2, 5), None)
    """
    if text == AUTO:
        return None
    if text.isdigit() and int(text) > 0:
        return int(text)
    span = RANGE.fullmatch(text)
    if span and 0 < int(span[1]) < int(span[2]):
        return range(int(span[1]), int(span[2]) + 1)
    raise typer.BadParameter(
        f"{text!r} is not a number of clusters, a range such as 2-20, or auto", param_hint="--k"
    )


def sensible_range(n: int) -> range | None:
    """Return the numbers of clusters to try for so many rows; None where there is no choice.

    Parameters
    ----------
    n : int
        Number of rows.

    Returns
    -------
    range or None
        From 1 to 20, or to a third of the rows.

    Examples
    --------
    >>> sensible_range(1000), sensible_range(10), sensible_range(2)
    (range(1, 21), range(1, 4), None)
    """
    most = min(MOST, n // ROWS_EACH)
    return range(1, most + 1) if most > 1 else None


def sweep_further(
    X: Floats,
    ks: Sequence[int],
    weights: F64 | None,
    *,
    fixed: bool,
    **options: Any,
) -> Sweep:
    """Return the sweep over these numbers, or over twice as many while the last one leads."""
    swept = run_sweep(X, ks, weights, **options)
    while not fixed and swept.verdict.leading == ks[-1]:
        most = min(2 * ks[-1], LAST, len(X) // ROWS_EACH)
        if most <= ks[-1]:
            break
        ks = range(1, most + 1)
        swept = run_sweep(X, ks, weights, **options)
    return swept


def run_sweep(
    X: Floats,
    ks: Sequence[int],
    weights: F64 | None,
    *,
    metric: str,
    seed: int,
    threads: int | None,
    steps: Steps,
    **options: Any,
) -> Sweep:
    """Return the sweep over these numbers of clusters, and show how far it is."""
    from omnimeans.selection import sweep

    steps.begin("trying numbers of clusters", 1)

    def told(done: float, total: float, what: str) -> None:
        steps.at(done, total, f"trying k = {ks[0]} to {ks[-1]}: {what}")

    return sweep(
        X,
        ks,
        sample_weight=weights,
        metric=metric,
        random_state=seed,
        n_threads=threads,
        callback=told,
        **options,
    )
