"""Scores of separation: by definition, beside scikit-learn's, with weights, and on any threads."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk_metrics
from sklearn.datasets import make_blobs

import alone
from omnimeans import metrics

SHAPES = [(7, 1, 2), (60, 2, 4), (150, 5, 9), (33, 40, 3)]
METRICS = ("euclidean", "sqeuclidean", "manhattan", "cosine")


def blobs(n: int, d: int, k: int, seed: int = 0, spread: float = 3.0) -> tuple[Any, Any]:
    X, y = make_blobs(n, d, centers=k, cluster_std=spread, random_state=seed)
    return X, y


def silhouettes_by_definition(X: Any, y: Any, weights: Any = None) -> list[float]:
    """Mean distance to the own cluster and to the next, one row after the other."""
    w = [1.0] * len(X) if weights is None else list(weights)
    values = []
    for i in range(len(X)):
        means = {}
        for c in sorted(set(y)):
            members = [j for j in range(len(X)) if y[j] == c and w[j] > 0]
            total = math.fsum(w[j] * math.dist(X[i], X[j]) for j in members)
            size = math.fsum(w[j] for j in members) - (1.0 if y[i] == c else 0.0)
            if size > 0.0:
                means[c] = total / size
        if w[i] == 0.0 or y[i] not in means or len(means) < 2:
            values.append(0.0)
            continue
        a = means.pop(y[i])
        b = min(means.values())
        values.append((b - a) / max(a, b) if max(a, b) else 0.0)
    return values


# ---- scales at which squares leave float64


def in_ones(X: Any, y: Any) -> dict[str, float]:
    """Every score of rows of ordinary size, by scikit-learn where it has it."""
    found = {f"silhouette {m}": sk_metrics.silhouette_score(X, y, metric=m) for m in METRICS}
    found["Calinski-Harabasz"] = sk_metrics.calinski_harabasz_score(X, y)
    found["Davies-Bouldin"] = sk_metrics.davies_bouldin_score(X, y)
    return found | dunn_and_simplified(X, y, None)


def dunn_and_simplified(X: Any, y: Any, centers: Any) -> dict[str, float]:
    found = {"simplified": metrics.simplified_silhouette(X, y, centers)}
    for m in ("euclidean", "manhattan"):
        found[f"Dunn {m}"] = metrics.dunn_index(X, y, metric=m)
    return found


@pytest.mark.parametrize("scale", [1e-165, 1e160, 1e-250, 1e290, 2.0**-1000, 2.0**1000])
def test_no_scale_can_be_seen(scale: float) -> None:
    X, y = blobs(60, 3, 4)
    centers = np.stack([X[y == c].mean(axis=0) for c in range(4)])
    ours = {f"silhouette {m}": metrics.silhouette_score(X * scale, y, metric=m) for m in METRICS}
    ours["Calinski-Harabasz"] = metrics.calinski_harabasz_score(X * scale, y)
    ours["Davies-Bouldin"] = metrics.davies_bouldin_score(X * scale, y)
    ours |= dunn_and_simplified(X * scale, y, centers * scale)
    assert ours == pytest.approx(in_ones(X, y), rel=1e-11)
    if math.frexp(scale)[0] == 0.5:  # a power of two changes no bit
        assert ours["Davies-Bouldin"] == metrics.davies_bouldin_score(X, y)
        assert ours["silhouette euclidean"] == metrics.silhouette_score(X, y)


def test_rows_and_weights_of_extreme_sizes() -> None:
    X, y = blobs(60, 3, 4)
    w = np.random.default_rng(0).integers(1, 4, size=60) * 1e130
    for score in (metrics.calinski_harabasz_score, metrics.davies_bouldin_score):
        near = score(X, y, sample_weight=w)
        assert score(X * 1e-250, y, sample_weight=w) == pytest.approx(near, rel=1e-11)
    lengths = 10.0 ** np.linspace(-300, 300, 60)[:, None]  # of which directions know nothing
    directions = metrics.silhouette_score(X, y, metric="cosine")
    assert metrics.silhouette_score(X * lengths, y, metric="cosine") == pytest.approx(directions)
    with pytest.raises(ValueError, match="lie too far apart"):
        metrics.silhouette_score(X * lengths, y)
    with pytest.raises(ValueError, match="row 3 of X is zero and has no direction"):
        metrics.silhouette_score(np.where(np.arange(60)[:, None] == 3, 0.0, X), y, metric="cosine")


# ---- silhouette


@pytest.mark.parametrize(("n", "d", "k"), SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silhouette_by_definition(n: int, d: int, k: int, dtype: Any) -> None:
    X, y = blobs(n, d, k)
    X = X.astype(dtype)
    got = metrics.silhouette_samples(X, y)
    np.testing.assert_allclose(got, silhouettes_by_definition(X.tolist(), y), atol=1e-13)
    mean = math.fsum(got) / n
    assert metrics.silhouette_score(X, y) == pytest.approx(mean, abs=1e-15)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d", "k"), SHAPES)
def test_silhouette_is_scikit_learns(metric: str, n: int, d: int, k: int) -> None:
    X, y = blobs(n, d, k, seed=1)
    theirs = sk_metrics.silhouette_samples(X, y, metric=metric)
    np.testing.assert_allclose(metrics.silhouette_samples(X, y, metric=metric), theirs, atol=1e-12)


def test_silhouette_by_hand() -> None:
    # row 0: a = 1, b = 4; row 1: a = 1, b = 3; row 2 is alone
    got = metrics.silhouette_samples([[0.0], [1.0], [4.0]], ["p", "p", "q"])
    assert got.tolist() == [3 / 4, 2 / 3, 0.0]


def test_silhouette_far_from_zero() -> None:
    X, y = blobs(80, 2, 3)
    near, far = np.round(X * 64) / 64, np.round(X * 64) / 64 + 2.0**30
    expected = metrics.silhouette_samples(near, y)
    assert metrics.silhouette_samples(far, y).tolist() == expected.tolist()


def test_copies_of_one_row_are_no_clusters() -> None:
    assert metrics.silhouette_samples(np.ones((4, 2)), [0, 0, 1, 1]).tolist() == [0.0] * 4


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=12, max_size=12), st.integers(0, 9))
def test_weights_count_copies(weights: list[int], seed: int) -> None:
    X, y = blobs(12, 2, 3, seed=seed)
    counts = np.array(weights)
    found = len(set(np.repeat(y, counts)))
    assume(1 < found < np.count_nonzero(counts))
    copies, labels = np.repeat(X, counts, axis=0), np.repeat(y, counts)
    got = metrics.silhouette_samples(X, y, sample_weight=counts)
    np.testing.assert_allclose(
        np.repeat(got, counts), silhouettes_by_definition(copies.tolist(), labels), atol=1e-13
    )
    for name in ("silhouette", "simplified silhouette", "Calinski-Harabasz", "Davies-Bouldin"):
        score = metrics.SEPARATION[name].function
        weighted, plain = score(X, y, sample_weight=counts), score(copies, labels)
        assert weighted == pytest.approx(plain, rel=1e-10), name


def test_the_same_bits_for_any_number_of_threads() -> None:
    X, y = blobs(700, 3, 5)
    one = metrics.silhouette_samples(X, y, n_threads=1)
    for threads in (2, 5):
        assert metrics.silhouette_samples(X, y, n_threads=threads).tobytes() == one.tobytes()
    assert metrics.dunn_index(X, y, n_threads=1) == metrics.dunn_index(X, y, n_threads=3)


DIGEST = """
import hashlib, numpy as np
from omnimeans import metrics
rng = np.random.default_rng(0)
found = []
for d in (1, 7, 20):
    X, y = rng.normal(size=(333, d)) * 2.0 ** rng.integers(-9, 9, d), rng.integers(6, size=333)
    for metric in ("euclidean", "manhattan", "cosine"):
        values = metrics.silhouette_samples(X, y, metric=metric, sample_weight=1 + y / 7)
        found.append(hashlib.sha256(values.tobytes()).hexdigest())
    found += [metrics.dunn_index(X, y).hex(), metrics.simplified_silhouette(X, y).hex()]
print(json.dumps(found))
"""


def test_the_same_bits_on_any_instruction_set() -> None:
    from omnimeans import _core

    outputs = {isa: alone.run(DIGEST, OMNIMEANS_ISA=isa) for isa in _core.offered().split(", ")}
    first, *others = outputs.values()
    assert all(other == first for other in others)
    assert len(first) == 15


def test_the_silhouette_never_holds_all_pairs() -> None:
    n = 6000  # all pairs would be 288 MB
    X, y = blobs(n, 2, 4)
    tracemalloc.start()
    try:
        metrics.silhouette_samples(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * n
    # what the core takes for itself is not traced: compare the process before and after
    X, y = blobs(20_000, 2, 4)
    code = (
        "import numpy as np\n"
        "from omnimeans import metrics\n"
        "X = np.random.default_rng(0).normal(size=(20_000, 2)); y = np.arange(20_000) % 7\n"
        "metrics.silhouette_samples(X[:500], y[:500])\n"
        "before = peak()\n"
        "metrics.silhouette_samples(X, y)\n"
        "print(peak() - before)\n"
    )
    assert int(alone.run(code)) < 20 << 20  # all pairs would be 3.2 GB


def test_a_sample_is_the_silhouette_of_its_rows() -> None:
    X, y = blobs(400, 2, 3)
    got = metrics.silhouette_score(X, y, sample_size=100, random_state=4)
    rows = np.sort(np.random.default_rng(4).choice(400, size=100, replace=False))
    assert got == metrics.silhouette_score(X[rows], y[rows])
    assert got == pytest.approx(metrics.silhouette_score(X, y), abs=0.05)
    assert metrics.silhouette_score(X, y, sample_size=400) == metrics.silhouette_score(X, y)


# ---- the others


@pytest.mark.parametrize(("n", "d", "k"), SHAPES)
def test_variance_ratio_and_davies_bouldin_are_scikit_learns(n: int, d: int, k: int) -> None:
    X, y = blobs(n, d, k, seed=2)
    for ours in (metrics.calinski_harabasz_score, metrics.davies_bouldin_score):
        theirs = getattr(sk_metrics, ours.__name__)(X, y)
        assert ours(X, y) == pytest.approx(theirs, rel=1e-11)


def test_float32_far_from_zero_is_scored_in_float64() -> None:
    X, y = blobs(200, 2, 3)
    far = (X + 4096).astype(np.float32)
    exact = far.astype(np.float64)
    for name, row in metrics.SEPARATION.items():
        assert row.function(far, y) == pytest.approx(row.function(exact, y), rel=1e-6), name


@pytest.mark.parametrize(("n", "d", "k"), SHAPES)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_dunn_by_definition(n: int, d: int, k: int, metric: str) -> None:
    X, y = blobs(n, d, k, seed=3, spread=0.5)
    away = metrics.euclidean_distance(X, X) if metric == "euclidean" else None
    away = metrics.manhattan_distance(X, X) if away is None else away
    same = y[:, None] == y[None, :]
    expected = away[~same].min() / away[same].max()
    assert metrics.dunn_index(X, y, metric=metric) == pytest.approx(expected, rel=1e-12)


def test_dunn_leaves_weightless_rows_out_and_may_be_infinite() -> None:
    X = [[0.0], [1.0], [8.0], [9.0], [4.0]]
    assert metrics.dunn_index(X, [0, 0, 1, 1, 1], sample_weight=[1, 1, 1, 1, 0]) == 7.0
    assert metrics.dunn_index([[0.0], [0.0], [1.0]], [0, 0, 1]) == np.inf


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_simplified_silhouette_by_definition(metric: str) -> None:
    X, y = blobs(90, 3, 4)
    centers = np.array([X[y == c].mean(axis=0) for c in range(4)])
    kind = {"euclidean": "euclidean", "manhattan": "cityblock"}[metric]
    away = sk_metrics.pairwise_distances(X, centers, metric=kind)
    own = away[np.arange(90), y]
    away[np.arange(90), y] = np.inf
    other = away.min(axis=1)
    expected = np.mean((other - own) / np.maximum(own, other))
    got = metrics.simplified_silhouette(X, y, centers, metric=metric)
    assert got == pytest.approx(expected, rel=1e-12)
    if metric == "euclidean":
        assert metrics.simplified_silhouette(X, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", metrics.SEPARATION)
def test_scores_say_which_way_is_better(name: str) -> None:
    X, y = blobs(120, 2, 3, spread=0.5)
    shuffled = np.random.default_rng(0).permutation(y)
    row = metrics.SEPARATION[name]
    good, poor = row.function(X, y), row.function(X, shuffled)
    assert (good > poor) == (row.best == "max")


@pytest.mark.parametrize("name", metrics.SEPARATION)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0, 0, 0], "Number of labels is 1. Valid values are 2 to n_samples - 1"),
        ([0, 1, 2, 3], "Number of labels is 4. Valid values are 2 to n_samples - 1"),
        ([0, 1, 0], "labels has 3 labels, but X has 4 rows"),
        ([0.0, 1.0, math.nan, 1.0], "labels has no label in row 2"),
        ([[0, 1]], r"labels has shape \(1, 2\)"),
    ],
)
def test_bad_labels_are_refused(name: str, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.SEPARATION[name].function(np.arange(8.0).reshape(4, 2), labels)


def test_bad_arguments_are_refused() -> None:
    X, y = [[0.0], [1.0], [8.0], [9.0]], [0, 0, 1, 1]
    refused = [
        ({"sample_weight": [1, 1, 0.5, 1]}, "sample_weight is 0.5 in row 2"),
        ({"metric": "hamming"}, "metric='hamming' is not offered here"),
        ({"sample_size": 5}, "sample_size=5, but X has 4 rows"),
        ({"metric": "cosine"}, "row 0 of X is zero and has no direction"),
    ]
    for arguments, message in refused:
        with pytest.raises(ValueError, match=message):
            metrics.silhouette_score(X, y, **arguments)
    with pytest.raises(ValueError, match="needs the clusters' centres"):
        metrics.simplified_silhouette(X, y, metric="manhattan")
    with pytest.raises(ValueError, match="there are 3 centres but 2 clusters"):
        metrics.simplified_silhouette(X, y, [[0.0], [4.0], [9.0]])


def test_the_core_checks_what_it_is_given() -> None:
    from omnimeans import _core

    X, y = np.zeros((3, 2)), np.array([0, 1, 2], dtype=np.int32)
    with pytest.raises(ValueError, match="below the number of clusters"):
        _core.silhouettes(X, y[None], 2, None, "euclidean", True, 1)
    with pytest.raises(ValueError, match="a label is needed for each row"):
        _core.silhouettes(X, y[None, :2].copy(), 3, None, "euclidean", True, 1)
    with pytest.raises(ValueError, match="a weight is needed for each row"):
        _core.silhouettes(X, y[None], 3, np.ones(2), "euclidean", True, 1)
    with pytest.raises(ValueError, match="a label is needed for each row"):
        _core.extremes(X, y[:2], "euclidean", 1)
    with pytest.raises(ValueError, match="below the number of clusters"):
        _core.own_and_other(X, np.zeros((2, 2)), y, "euclidean", 1)
    with pytest.raises(ValueError, match="unknown kernel"):
        _core.own_and_other(X, np.zeros((3, 2)), y, "chebyshev", 1)
