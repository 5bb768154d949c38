"""Rows that the core reads from a file by itself: the same rows, the same answers, clear errors."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om
from checks import assert_same_answer
from omnimeans import _core
from omnimeans._rows import NUMBERS
from omnimeans.engines import blocks
from omnimeans.engines.stores import open_store
from omnimeans.sources import open_source
from omnimeans.sources.lent import FileRows

N, D, K = 3_000, 6, 7
RNG = np.random.default_rng(4)
VALUES = RNG.normal(20, 9, (N, D))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rows at a time."""
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1 << 13)


def lent_blocks(source: Any, n: int) -> list[FileRows]:
    found = source.lent(n)
    assert found is not None
    return [rows for _, rows in found]


# a byte of a file may be anything, a boolean may not
LENT = [number for number in NUMBERS if number is not np.bool_]


@pytest.mark.parametrize("number", LENT, ids=lambda number: number.__name__)
def test_every_type_of_number_is_read_as_it_is(number: Any, tmp_path: Path) -> None:
    X = VALUES.clip(0, 60).astype(number)
    np.save(tmp_path / "X.npy", X)
    source = open_source(tmp_path / "X.npy")
    plain = X.astype(source.dtype)
    assert_array_equal(np.concatenate([np.asarray(b) for b in lent_blocks(source, 700)]), plain)
    centers = plain[:K].copy()
    some = lent_blocks(source, N)[0]
    store, expected = open_store(some), open_store(plain)
    for threads in (1, 3):
        assert_array_equal(store.peaks(None, threads), expected.peaks(None, threads))
        for kernel in ("euclidean", "manhattan"):
            labels = expected.nearest(centers, kernel, 1)
            assert_array_equal(store.nearest(centers, kernel, threads), labels)
            for verb in ("all_pairs", "own"):
                what = (centers, labels) if verb == "own" else (centers,)
                ours = getattr(store, verb)(*what, kernel, threads)
                assert_array_equal(ours, getattr(expected, verb)(*what, kernel, 1))


# what is opened -> whether the core reads it; all show the same rows
def saved(path: Path, X: Any) -> Path:
    np.save(path, X)
    return path


FORMS: dict[str, tuple[Any, bool]] = {
    "rows": (lambda path, X: saved(path, X), True),
    "columns": (lambda path, X: saved(path, np.asfortranarray(X)), False),
    "other byte order": (lambda path, X: saved(path, X.astype(X.dtype.newbyteorder())), False),
    "some of the columns": (
        lambda path, X: np.load(saved(path, np.hstack([X, X])), mmap_mode="r")[:, :D],
        True,
    ),
    "every other row": (
        lambda path, X: np.load(saved(path, np.repeat(X, 2, axis=0)), mmap_mode="r")[1::2],
        True,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("weighted", [False, True])
def test_fits_are_those_of_rows_in_memory(form: str, weighted: bool, tmp_path: Path) -> None:
    X = VALUES.astype(np.float32)
    make, by_the_core = FORMS[form]
    data = make(tmp_path / "X.npy", X)
    source = open_source(data)
    assert (source.lent(100) is not None) == by_the_core
    dtype = source.dtype  # values in the other byte order become float64
    weights = RNG.uniform(0, 2, N) if weighted else None
    settings: dict[str, Any] = {"n_clusters": K, "random_state": 0, "n_threads": 2}
    whole = om.KMeans(**settings).fit(X.astype(dtype), sample_weight=weights)
    ours = om.KMeans(**settings, engine="blocks").fit(source, sample_weight=weights)
    assert_same_answer(ours, whole)


def test_a_file_that_ends_early_is_an_error_with_the_row(tmp_path: Path) -> None:
    path = saved(tmp_path / "X.npy", VALUES)
    rows = lent_blocks(open_source(path), 1_000)[2]
    store = open_store(rows)
    os.truncate(path, path.stat().st_size - 500 * D * 8 + 8)
    told = r"X\.npy ends at row 2500, but had 3000 rows"
    with pytest.raises(ValueError, match=told):
        store.nearest(VALUES[:K].copy(), "euclidean", 2)
    with pytest.raises(ValueError, match=told):
        open_store(rows)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        open_store(rows)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_that_are_no_numbers_are_found(value: float, dtype: Any, tmp_path: Path) -> None:
    X = VALUES.astype(dtype)
    np.save(tmp_path / "X.npy", X)
    assert lent_blocks(open_source(tmp_path / "X.npy"), N)[0].finite(2)
    X[2_222, 3] = value
    np.save(tmp_path / "X.npy", X)
    assert not lent_blocks(open_source(tmp_path / "X.npy"), N)[0].finite(2)
    weights = np.ones(N)
    weights[2_222] = 0
    with pytest.raises(ValueError, match=r"row 2222, column 3 of .*X\.npy"):
        om.KMeans(3, engine="blocks").fit(tmp_path / "X.npy", sample_weight=weights)


def test_a_failed_step_forgets_what_it_did(tmp_path: Path) -> None:
    """Half a pass must leave neither labels nor sums behind."""
    path = saved(tmp_path / "X.npy", VALUES)
    rows = lent_blocks(open_source(path), N)[0]
    store, labels = open_store(rows), np.zeros(N, dtype=np.int32)
    weights, exponents = None, np.full(D + 1, -20, dtype=np.int64)
    held = store.hold(weights, labels, "euclidean", exponents, 30)
    held.set_frame(np.zeros(D), 1.0)
    held.resume(K)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="ends at row"):
        held.step(VALUES[:K].copy(), 2)
    assert (labels == -1).all()
    with pytest.raises(ValueError, match="no cluster yet"):
        held.resume(K)


def test_what_the_core_refuses(tmp_path: Path) -> None:
    path = str(saved(tmp_path / "X.npy", VALUES))
    some = np.empty(0)
    for sizes in ((0, 3, 10, 4), (0, 4, 0, 4), (-1, 4, 10, 4)):
        with pytest.raises(ValueError, match="no such rows"):
            _core.lend_file_f64(path, *sizes, some, 0, "", "")
    with pytest.raises(ValueError, match="only rows that are lent"):
        _core.finite(_core.with_holes(VALUES, VALUES[0].copy()), 1)
