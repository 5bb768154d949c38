"""Whole tables of distances: each value is D, to the bit, however the tiles fall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import alone
import omnimeans as om
from omnimeans import _core
from omnimeans.directions import lane_sum

DIGEST = """
import hashlib, numpy as np
from omnimeans import _core
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for d in (1, 2, 3, 4, 5, 9, 24, 61):
    X, C = rng.normal(size=(41, d)).astype(np.float32), rng.normal(size=(37, d)).astype(np.float32)
    for kernel in ("euclidean", "manhattan"):
        digest.update(_core.all_pairs(X, C, kernel, 2))
        roots = np.empty((41, 37), np.float32)
        _core.distance_table(X, C, kernel, True, roots, 1)
        digest.update(roots)
print(json.dumps(digest.hexdigest()))
"""


def by_definition(X: Any, centers: Any, kernel: str) -> Any:
    """D in plain NumPy: feature f to lane f mod 8, then the lanes in their tree."""
    gaps = X[:, None].astype(np.float64) - centers[None].astype(np.float64)
    terms = gaps * gaps if kernel == "euclidean" else np.abs(gaps)
    return lane_sum(terms)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 40),
    d=st.integers(1, 40),
    k=st.integers(1, 40),
    kernel=st.sampled_from(["euclidean", "manhattan"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_value_is_d(
    n: int, d: int, k: int, kernel: str, dtype: Any, threads: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    X, centers = rng.normal(size=(n, d + 3)).astype(dtype)[:, :d], rng.normal(size=(k, d))
    centers = np.ascontiguousarray(centers, dtype)
    away = _core.all_pairs(X, centers, kernel, threads)
    assert_array_equal(away, by_definition(X, centers, kernel))
    for out in (np.float32, np.float64):
        for root in (False, True):
            table = np.full((n, k), np.nan, out)
            _core.distance_table(X, centers, kernel, root, table, threads)
            assert_array_equal(table, (np.sqrt(away) if root else away).astype(out))


def test_the_same_bits_on_any_instruction_set() -> None:
    outputs = {isa: alone.run(DIGEST, OMNIMEANS_ISA=isa) for isa in _core.offered().split(", ")}
    assert len(set(outputs.values())) == 1
    assert all(len(digest) == 64 for digest in outputs.values())


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
def test_values_beyond_all_range_go_through_the_same_operations(value: float) -> None:
    X = np.ones((3, 5))
    X[1, 2] = value
    centers = np.arange(10.0).reshape(2, 5)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = by_definition(X, centers, "euclidean")
    assert_array_equal(_core.all_pairs(X, centers, "euclidean", 1), expected)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_transform_is_d_rounded_once(metric: str, engine: str) -> None:
    X = np.random.default_rng(3).normal(size=(50, 6)).astype(np.float32) + 1e4  # an offset
    model = om.KMeans(4, metric=metric, random_state=0, engine=engine).fit(X)
    away = by_definition(X, model.cluster_centers_, metric)
    away = np.sqrt(away) if metric == "euclidean" else away
    assert_array_equal(model.transform(X), away.astype(np.float32))


def test_a_table_of_another_shape_is_refused() -> None:
    X = np.zeros((3, 2))
    with pytest.raises(ValueError, match="a column for each centre"):
        _core.distance_table(X, X, "euclidean", True, np.empty((3, 2)), 1)
