"""What omnimeans knows about a score: one row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Score:
    """A score of a clustering, and how to read it.

    Parameters
    ----------
    name : str
        Its name in tables and reports.
    function : callable
        What computes it.
    best : {"max", "min"}
        Whether a high or a low value is good.
    cost : str
        How its time grows with n rows, d features, k clusters and c classes.
    reference : str
        Where it is defined.
    """

    name: str
    function: Callable[..., Any]
    best: Literal["max", "min"]
    cost: str
    reference: str
