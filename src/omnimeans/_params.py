"""Constraints on parameters, in the form that scikit-learn checks and words them."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval


class Counts(Interval):  # type: ignore[misc]
    """Whole numbers that the core can count to, in scikit-learn's words and two more."""

    def __init__(self, least: int) -> None:
        super().__init__(Integral, least, 2**63 - 1, closed="both")

    def __str__(self) -> str:
        return f"an int in the range [{self.left}, inf), below 2**63"


ONE_OR_MORE = Interval(Integral, 1, None, closed="left")  # for what is compared with the rows
COUNT, COUNT_FROM_0 = Counts(1), Counts(0)
ZERO_OR_MORE = Interval(Real, 0, None, closed="left")
RANDOM_STATE = ["random_state", np.random.Generator]
