"""What the torture set's table cannot hold: T9 to T46, and BisectingKMeans on T1 to T4.

``ELSEWHERE`` names the tests of the numbers that are about processes, files and counts.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

import omnimeans as om
import tally
from judgement import wide_distances
from torture_cases import CASES, SQUARE, blobs

VARIANTS = 8

# number -> file, and a test in it
ELSEWHERE: dict[int, tuple[str, str]] = {
    34: ("test_faults.py", "test_fits_in_forked_children_after_a_fit"),
    35: ("test_faults.py", "test_the_first_eight_fits_at_once"),
    36: ("test_concurrency.py", "test_beside_another_librarys_threads"),
    37: ("test_concurrency.py", "test_more_than_two_billion_values"),
    40: ("test_concurrency.py", "test_ten_thousand_fits_keep_memory_flat"),
    41: ("test_answer_matrix.py", "test_every_thread_count_and_algorithm"),
}


def rngs() -> list[np.random.Generator]:
    tally.count("inputs", VARIANTS)
    return [np.random.default_rng([variant, 77]) for variant in range(VARIANTS)]


def fitted(kind: Any, X: Any, k: int, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(k, **{"random_state": 0, **how}).fit(X)


@pytest.mark.parametrize("number", ["T1", "T2", "T3", "T4"])
def test_t1_to_t4_by_bisection(number: str) -> None:
    case = next(case for case in CASES if case.number == number)
    for rng in rngs():
        given = case.make(rng)
        model = fitted(om.BisectingKMeans, given.X, given.k, n_init=5)
        assert adjusted_rand_score(given.truth, model.labels_) == 1.0
        assert adjusted_rand_score(given.truth, model.predict(given.X)) == 1.0


def test_t9_an_objective_beyond_two_to_the_23rd() -> None:
    for rng in rngs():
        n = int(rng.integers(50, 90))
        X = np.repeat(np.array([[0.0], [1.1]], np.float32), 1_000 * n, axis=0)
        weights = np.full(len(X), 512.0)
        model = om.KMeans(1, n_init=1).fit(X, sample_weight=weights)
        exact = len(X) * 512.0 * (float(np.float32(1.1)) / 2) ** 2
        assert model.inertia_ > 2**23
        np.testing.assert_allclose(model.inertia_, exact, rtol=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_t10_one_batch_slices_and_single_rows(metric: str) -> None:
    for rng in rngs():
        scale = 10.0 ** rng.integers(-200, 160) if metric != "cosine" else 1.0
        X = (rng.standard_normal((300, 5)) + 10.0 ** rng.integers(0, 10)) * scale
        model = fitted(om.KMeans, X, 20, metric=metric, n_init=1)
        whole = model.predict(X)
        np.testing.assert_array_equal(whole, model.labels_)
        cut = int(rng.integers(1, 300))
        slices = np.concatenate([model.predict(X[:cut]), model.predict(X[cut:])])
        rows = np.concatenate([model.predict(row[None]) for row in X])
        np.testing.assert_array_equal(slices, whole)
        np.testing.assert_array_equal(rows, whole)


def test_t15_the_objective_falls_as_k_rises() -> None:
    for rng in rngs():
        X = rng.standard_normal((300, 4)) * 10.0 ** rng.integers(-9, 9)
        inertias = [fitted(om.KMeans, X, k, n_init=3).inertia_ for k in (1, 2, 4, 8, 16, 300)]
        assert (np.diff(inertias) < 0).all()
        assert inertias[-1] == 0.0


def test_t16_directions_of_rows_of_any_length() -> None:
    for rng in rngs():
        truth = rng.permutation(np.arange(120) % 3)
        X = np.eye(3, 6)[truth] + rng.normal(0, 0.02, (120, 6))
        X *= 10.0 ** rng.uniform(-9, 9, (120, 1))
        model = fitted(om.KMeans, np.vstack([X, np.zeros(6)]), 3, metric="cosine")
        assert adjusted_rand_score(truth, model.labels_[:-1]) == 1.0
        np.testing.assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1, rtol=1e-12)
        by_hand = 1 - (X / np.linalg.norm(X, axis=1)[:, None] @ model.cluster_centers_.T).max(1)
        assert abs(model.inertia_ - by_hand.sum() - 1.0) < 1e-9  # a zero row has a distance of 1


def test_t23_a_constant_column() -> None:
    for rng in rngs():
        made = blobs(rng, 9 * SQUARE, 0.5, 200)
        constant = np.full((200, 1), rng.choice([0.0, -0.0, 1e9, 5e-324]))
        X = np.hstack([made["X"], constant])
        for scaled in (X, StandardScaler().fit_transform(X)):
            model = fitted(om.KMeans, scaled, 4, n_init=3)
            assert np.isfinite(model.cluster_centers_).all()
            assert adjusted_rand_score(made["truth"], model.labels_) == 1.0


def test_t32_bisecting_fewer_distinct_rows_than_clusters() -> None:
    for rng in rngs():
        X = rng.standard_normal((2, 3))[np.r_[0, 1, rng.integers(0, 2, 30)]]
        with pytest.warns(ConvergenceWarning, match="distinct"):
            model = om.BisectingKMeans(4, random_state=0).fit(X)
        assert len(np.unique(model.labels_)) == 2
        assert model.inertia_ == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_t38_widths_that_no_kernel_is_made_for(dtype: Any) -> None:
    """Kernels of graphics processors fail there; those for processors have odd ends as well."""
    for rng in rngs()[:2]:
        for d in (*range(1, 16), 60_001):  # the last is more than their shared memory holds
            made = blobs(rng, np.outer([-9, 0, 9], np.ones(d)), 0.5, 60, dtype)
            start = np.outer([-2, 0, 2], np.ones(d))
            models = [  # by definition it takes long where there are many columns
                fitted(om.KMeans, made["X"], 3, init=start, engine=name)
                for name in (("cpu", "reference") if d < 16 else ("cpu", "blocks"))
            ]
            assert adjusted_rand_score(made["truth"], models[0].labels_) == 1.0
            assert models[0].cluster_centers_.dtype == dtype
            assert len({model.cluster_centers_.tobytes() for model in models}) == 1
            assert len({(model.labels_.tobytes(), model.inertia_) for model in models}) == 1


def test_t39_sparse_rows_with_64_bit_indices() -> None:
    for rng in rngs():
        X = scipy.sparse.random_array((200, 12), density=0.3, format="csr", rng=rng)
        wide = X.copy()
        wide.indices, wide.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
        models = [fitted(om.KMeans, rows, 5) for rows in (X, wide, X.toarray())]
        assert len({model.labels_.tobytes() for model in models}) == 1
        assert len({model.inertia_ for model in models}) == 1


def test_t42_a_seed_is_enough() -> None:
    """With k=4096, where others differ from run to run: their sums are as their threads come."""
    X = np.random.default_rng(0).random((131_072, 8), dtype=np.float32)
    how: dict[str, Any] = {"init": "random", "n_init": 1, "max_iter": 2, "tol": 0.0}
    models = [fitted(om.KMeans, X, 4096, random_state=seed, **how) for seed in (5, 5, 6)]
    tally.count("inputs")
    bits = [
        (model.labels_.tobytes(), model.cluster_centers_.tobytes(), model.inertia_)
        for model in models
    ]
    assert bits[0] == bits[1]
    assert bits[0] != bits[2]


def test_t43_other_types_at_predict() -> None:
    for rng in rngs():
        X = rng.integers(-9, 10, (60, 3)).astype(float)
        model = fitted(om.KMeans, X, 5)
        frame = pd.DataFrame(X)
        others = [X.astype(t) for t in (np.float32, np.float16, np.int8, np.int64)]
        for rows in (*others, X.tolist(), frame, np.asfortranarray(X), scipy.sparse.csr_array(X)):
            np.testing.assert_array_equal(model.predict(rows), model.labels_)


def test_t44_fitted_again() -> None:
    for rng in rngs():
        X, Y = rng.standard_normal((2, 100, 3))
        model = fitted(om.KMeans, X, 4)
        first = model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_
        model.fit(Y[:50, :2]).fit(X)
        assert (model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_) == first


def test_t45_max_iter_is_said() -> None:
    for rng in rngs():
        with pytest.warns(ConvergenceWarning, match="stopped after max_iter=1 iterations"):
            model = om.KMeans(9, max_iter=1, tol=0, n_init=1, random_state=0).fit(
                rng.standard_normal((500, 4))
            )
        assert not model.converged_


def test_t46_the_right_number_is_out_of_range() -> None:
    for rng in rngs()[:3]:
        corners = np.stack(np.meshgrid(range(4), range(3)), -1).reshape(-1, 2) * 20.0
        made = blobs(rng, corners, 0.5, 240)
        swept = om.sweep(made["X"], range(4, 9), random_state=0)
        assert swept.verdict is not None


Rng = np.random.Generator


def ordinary(rng: Rng) -> Any:
    n, d = rng.integers(2, 80), rng.integers(1, 7)
    return rng.standard_normal((n, d))


def with_values(rng: Rng, *values: float) -> Any:
    """Ordinary rows with such values strewn in."""
    X = ordinary(rng)
    return np.where(rng.random(X.shape) < 0.3, rng.choice(values, X.shape), X)


# what the rows have in common with trouble -> rows; each is asked with k = 1, k = n and between
VARIANTS_OF_ROWS: dict[str, Callable[[Rng], Any]] = {
    "offsets of 1e3 to 1e9": lambda rng: ordinary(rng) + 10.0 ** rng.uniform(3, 9),
    "scales of 1e-200 to 1e160": lambda rng: ordinary(rng) * 10.0 ** rng.integers(-200, 161),
    "duplicates": lambda rng: ordinary(rng)[rng.integers(0, 2, 50)],
    "fewer rows than features": lambda rng: rng.standard_normal((5, rng.integers(6, 300))),
    "one feature": lambda rng: ordinary(rng)[:, :1],
    "constant columns": lambda rng: np.insert(ordinary(rng), 0, rng.normal() * 1e9, axis=1),
    "all rows equal": lambda rng: np.tile(rng.standard_normal(4) * 1e5, (rng.integers(1, 40), 1)),
    "subnormals": lambda rng: with_values(rng, 5e-324, -1e-310, 2e-308),
    "subnormals only": lambda rng: rng.integers(-99, 99, (40, 3)) * 5e-324,
    "zeros of both signs": lambda rng: with_values(rng, -0.0, 0.0),
}


def whole(X: Any) -> Any:
    """Integers, eight to a unit, as far as float64 holds each of them."""
    with np.errstate(over="ignore"):
        return np.round(8 * X).clip(-(2.0**53), 2.0**53).astype(np.int64)


def single(X: Any) -> Any:
    """As float32, unless they lie beyond it."""
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32)
    return narrow if np.isfinite(narrow).all() else X


FORMS: dict[str, Callable[[Any], Any]] = {
    "float64": lambda X: X,
    "float32": single,
    "int64": whole,
    "csr": scipy.sparse.csr_array,
    "csr of float32": lambda X: scipy.sparse.csr_array(single(X)),
}


@pytest.mark.parametrize("kind", [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans])
@pytest.mark.parametrize("rows", VARIANTS_OF_ROWS)
@pytest.mark.parametrize("form", FORMS)
def test_every_variant_is_answered(rows: str, kind: Any, form: str) -> None:
    """Labels, predictions, score and inertia say the same, and no other centre is nearer."""
    for rng in rngs():
        given = FORMS[form](VARIANTS_OF_ROWS[rows](rng))
        X = given.toarray() if scipy.sparse.issparse(given) else given
        n = len(X)
        for k in {1, n, int(rng.integers(1, n + 1))}:
            model = fitted(kind, given, k, n_init=1)
            np.testing.assert_array_equal(model.predict(given), model.labels_)
            assert model.score(given) == -model.inertia_
            assert np.isfinite(model.cluster_centers_).all()
            assert ((model.labels_ >= 0) & (model.labels_ < k)).all()
            assert len(np.unique(model.labels_)) <= len(np.unique(X, axis=0))
            if kind is om.BisectingKMeans:  # which side of each split, not the nearest of all
                continue
            away = wide_distances(X, model.cluster_centers_)
            own = away[np.arange(n), model.labels_]
            assert (own <= away.min(axis=1) * np.longdouble(1 + 1e-6)).all()
            if k == n and kind is om.KMeans:
                assert model.inertia_ == 0.0
                apart = np.where(np.abs(X) < 1e-160, 0, X) if rows == "subnormals" else X
                assert len(np.unique(model.labels_)) >= len(np.unique(apart, axis=0))


def test_every_number_has_a_test() -> None:
    folder, numbers = Path(__file__).parent, {int(re.findall(r"\d+", c.number)[0]) for c in CASES}
    here = re.findall(r"^def test_t(\d+)_", Path(__file__).read_text(), re.MULTILINE)
    for file, name in ELSEWHERE.values():
        assert f"def {name}(" in (folder / file).read_text()
    assert {*numbers, *map(int, here), *ELSEWHERE} == set(range(1, 47))
