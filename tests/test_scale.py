"""Estimates before work."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import omnimeans as om
from omnimeans.sources import open_source


@pytest.mark.alone
def test_an_estimate_is_near_what_a_fit_takes() -> None:
    X = np.random.default_rng(0).normal(size=(200_000, 16)).astype(np.float32)
    settings: dict[str, Any] = {"init": "random", "n_init": 1, "tol": 0.0, "max_iter": 12}
    ratios = []
    for _ in range(5):  # others on this machine may hold up either
        seen = om.estimate(*X.shape, 64, init="random", iterations=12, n_threads=1)
        begin = time.perf_counter()
        with pytest.warns(UserWarning, match="max_iter"):
            om.KMeans(64, random_state=0, algorithm="lloyd", n_threads=1, **settings).fit(X)
        ratios.append(seen.seconds / (time.perf_counter() - begin))
    assert 1 / 3 < np.median(ratios) < 3
    assert seen.in_memory
    assert seen.memory > X.nbytes


def test_estimates_of_files_and_of_what_does_not_fit(tmp_path: Any) -> None:
    np.save(tmp_path / "X.npy", np.zeros((5000, 8), dtype=np.float32))
    small = om.estimate(tmp_path / "X.npy", k=5)
    assert small.in_memory
    large = om.estimate(10**9, 64, 100, memory="8GiB", init="k-means||", read_speed=2e9)
    assert not large.in_memory
    assert large.bytes_read == large.passes * 256 * 10**9
    assert large.seconds > large.bytes_read / 2e9 * 0.9
    assert large.algorithm == "brute"  # blocks know no other way
    with pytest.raises(ValueError, match="must all be 1 or more"):
        om.estimate(100, k=3)
    with pytest.raises(ValueError, match="use one of k-means\\+\\+, k-means"):
        om.estimate(100, 2, init="best")


def test_an_estimate_from_rows_knows_where_a_tree_pays(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(60_000, 40)).astype(np.float32)
    flat[:, 2:] *= 0.01  # two dimensions in forty
    settings: dict[str, Any] = {"k": 400, "init": "random", "n_threads": 1}
    assert om.estimate(*flat.shape, **settings).algorithm == "bounded-coded"
    np.save(tmp_path / "flat.npy", flat)
    # one thread, as above: with many, passes without a tree may be over as soon
    fitted = om.KMeans(
        400, init="random", n_init=1, n_threads=1, max_iter=8, tol=0.0, random_state=0
    )
    with pytest.warns(UserWarning, match="max_iter"):
        fitted.fit(flat)
    for rows in (flat, tmp_path / "flat.npy", open_source([flat[:7], flat[7:]])):
        seen = om.estimate(rows, **settings)
        assert seen.algorithm == "tree" == fitted.algorithm_
        assert seen.seconds > seen.seconds_start
    again = om.estimate(flat, **settings, n_init=3)
    assert again.passes - seen.passes == 2 * (seen.passes - 3)
