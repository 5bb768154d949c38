"""seed_all reaches every global generator, and nothing that is not there."""

from __future__ import annotations

import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from omnimeans import seed_all


def draws() -> tuple[float, float]:
    return random.random(), float(np.random.random())  # noqa: NPY002 - the global generator


def test_the_same_seed_gives_the_same_draws() -> None:
    assert seed_all(7) == 7
    first = draws()
    seed_all(8)
    assert draws() != first
    seed_all(np.int64(7))
    assert draws() == first


def test_torch_is_seeded_if_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds.append))
    seed_all(7)
    assert seeds == [7]


def test_nothing_is_imported_for_it() -> None:
    code = "import sys, omnimeans; omnimeans.seed_all(1); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=f"seed={seed} is out of range; use an int from 0 to"):
        seed_all(seed)


@pytest.mark.parametrize("seed", [1.5, "1", None])
def test_a_seed_that_is_no_integer_is_refused(seed: object) -> None:
    with pytest.raises(TypeError, match="is not an integer; use an int such as 42"):
        seed_all(seed)  # type: ignore[arg-type]
