"""One call that seeds every global random generator of a program.

omnimeans never writes to a global generator, and reads NumPy's only where `random_state` is None.
The code around it often does more, hence this.
"""

from __future__ import annotations

import operator
import random
import sys
from typing import SupportsIndex

import numpy as np

LARGEST_SEED = 2**32 - 1  # numpy.random.seed takes 32 bits


def seed_all(seed: SupportsIndex = 1992) -> int:
    """Seed Python's, NumPy's and, where it is already imported, torch's global generator.

    Parameters
    ----------
    seed : int, default=1992
        From 0 to 2**32 - 1.

    Returns
    -------
    int
        The seed, to be printed or stored with the results.

    Raises
    ------
    TypeError
        If the seed is not an integer.
    ValueError
        If the seed is outside the range.

    Notes
    -----
    torch is never imported by this function; import it first if its generator matters.

    Examples
    --------
    >>> import random
    >>> from omnimeans import seed_all
    >>> seed_all(7)
    7
    >>> first = random.random()
    >>> _ = seed_all(7)
    >>> random.random() == first
    True
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed={seed!r} is not an integer; use an int such as 42") from None
    if not 0 <= number <= LARGEST_SEED:
        raise ValueError(f"seed={number} is out of range; use an int from 0 to {LARGEST_SEED}")
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - the global generator is the very thing to seed
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number)
    return number
