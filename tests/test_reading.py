"""Reading: cutting pieces into blocks, reading ahead, sizes of memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnimeans.sources.ahead import ahead
from omnimeans.sources.memory import parse_bytes
from omnimeans.sources.source import recut


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 7))
def test_recut(lengths: list[int], n: int) -> None:
    whole = np.arange(sum(lengths))
    bounds = np.append(np.arange(0, len(whole), n), len(whole))
    pieces = np.split(whole, np.cumsum(lengths)[:-1]) if lengths else []
    cut = list(recut(pieces, bounds))
    assert [at for at, _ in cut] == bounds[:-1].tolist()
    assert [piece.tolist() for _, piece in cut] == [
        whole[a:b].tolist() for a, b in itertools.pairwise(bounds)
    ]


def test_reading_ahead_overlaps_and_hands_errors_on() -> None:
    made, closed = [], []

    def items() -> Iterator[int]:
        try:
            for i in range(9):
                made.append(i)
                yield i
            raise OSError("gone")
        finally:
            closed.append(True)

    walk = ahead(items())
    assert next(walk) == 0
    for _ in range(3000):  # until the machine has time for the other thread
        if len(made) > 1:
            break
        time.sleep(0.01)
    assert 2 <= len(made) <= 4  # some are read before they are asked for, but not all
    with pytest.raises(OSError, match="gone"):
        list(walk)
    assert closed == [True]
    left = ahead(iter(range(10**9)))
    next(left)
    left.close()  # ends the thread


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GiB", 2 << 30), ("1.5 MB", 1_500_000), (4096, 4096), ("64k", 64_000), ("1 KiB", 1024)],
)
def test_sizes(text: Any, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1 XB", "0"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_bytes(text)
