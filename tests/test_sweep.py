"""The sweep: its fits, its scores one by one, its samples, and what it refuses."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk_metrics
from sklearn.datasets import load_iris, make_blobs

import omnimeans as om
from omnimeans.selection.stability import adjusted_rand


def blobs(n: int = 300, k: int = 4, d: int = 2, seed: int = 0) -> Any:
    return make_blobs(n, d, centers=k, cluster_std=0.6, random_state=seed)[0]


def fast(X: Any, ks: Any, **settings: Any) -> om.Sweep:
    return om.sweep(X, ks, **{"random_state": 0, "n_references": 4, "n_subsamples": 2, **settings})


# ---- the fits


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("sample_size", [None, 60])
def test_every_fit_belongs_to_its_centres(metric: str, sample_size: int | None) -> None:
    X = blobs(d=3)
    found = fast(X, [5, 1, 3, 3], metric=metric, sample_size=sample_size)
    assert found.ks == (1, 3, 5)
    for row in found:
        model = om.KMeans(row.k, init=found.centers_of(row.k), n_init=1, metric=metric).fit(X)
        assert model.inertia_ <= row.inertia <= model.inertia_ * 1.02
        assert found.centers_of(row.k).shape == (row.k, 3)
    assert list(found.inertias) == sorted(found.inertias, reverse=True)


def test_fits_are_as_good_as_the_best_of_ten_starts() -> None:
    for seed in range(5):
        X = blobs(600, k=12, seed=seed)
        found = fast(X, range(1, 16), n_references=0, n_subsamples=0)
        fresh = [om.KMeans(k, n_init=10, random_state=seed).fit(X).inertia_ for k in found.ks]
        excess = np.array(found.inertias) / fresh - 1.0
        assert excess.max() < 0.05, (seed, excess)
        assert excess.mean() < 0.005, (seed, excess)


def test_one_answer_for_any_threads_and_engine() -> None:
    X = blobs(400).astype(np.float32)
    answers = [
        fast(X, range(1, 7), **how)
        for how in ({"n_threads": 1}, {"n_threads": 3}, {"engine": "reference"})
    ]
    assert answers[0].rows == answers[1].rows == answers[2].rows
    assert answers[0].verdict == answers[1].verdict == answers[2].verdict


def test_a_seed_gives_one_sweep_and_others_differ() -> None:
    X = blobs()
    first, again, other = (fast(X, range(2, 5), random_state=s) for s in (1, 1, 2))
    assert first.rows == again.rows
    assert first.rows != other.rows


# ---- the scores


def test_scores_are_those_of_the_labels() -> None:
    X = blobs(350, d=3)
    found = fast(X, range(1, 7))
    total = ((X - X.mean(axis=0)) ** 2).sum()
    for row in found:
        labels = sk_metrics.pairwise_distances_argmin(X, found.centers_of(row.k))
        assert row.explained_variance == pytest.approx(1 - row.inertia / total, rel=1e-9)
        if row.k == 1:
            assert row.silhouette is row.davies_bouldin is row.calinski_harabasz is None
            assert row.simplified_silhouette is None
            continue
        assert row.silhouette == pytest.approx(sk_metrics.silhouette_score(X, labels), rel=1e-9)
        assert row.simplified_silhouette == pytest.approx(
            om.metrics.simplified_silhouette(X, labels, found.centers_of(row.k)), rel=1e-9
        )
        # the last centres of a fit that stopped by tolerance are not quite the means
        assert row.calinski_harabasz == pytest.approx(
            sk_metrics.calinski_harabasz_score(X, labels), rel=1e-3
        )
        assert row.davies_bouldin == pytest.approx(
            sk_metrics.davies_bouldin_score(X, labels), rel=1e-2
        )


def test_bic_by_its_definition() -> None:
    X = blobs(90)
    found = fast(X, [3])
    labels = sk_metrics.pairwise_distances_argmin(X, found.centers_of(3))
    variance = found.row(3).inertia / (2 * (90 - 3))
    log_likelihood = 0.0
    for x, j in zip(X, labels, strict=True):
        squared = float(((x - found.centers_of(3)[j]) ** 2).sum())
        share = np.mean(labels == j)
        log_likelihood += math.log(share) - math.log(2 * math.pi * variance)
        log_likelihood -= squared / (2 * variance)
    parameters = 2 + 3 * 2 + 1
    expected = -2 * log_likelihood + parameters * math.log(90)
    assert found.row(3).bic == pytest.approx(expected, rel=1e-9)


def test_gap_beside_its_definition() -> None:
    """Iris: uniform data in the box along the principal axes, clustered by scikit-learn."""
    X = load_iris().data
    found = om.sweep(X, [1, 3], random_state=0, n_references=60, n_subsamples=0)
    rng = np.random.default_rng(0)
    centred = X - X.mean(axis=0)
    axes = np.linalg.eigh(np.cov(centred.T))[1]
    along = centred @ axes
    for k in (1, 3):
        logs = [
            math.log(om.KMeans(k, n_init=4, random_state=b).fit(box @ axes.T).inertia_)
            for b in range(60)
            for box in [rng.uniform(along.min(axis=0), along.max(axis=0), size=X.shape)]
        ]
        row = found.row(k)
        expected = np.mean(logs) - math.log(row.inertia)
        error = np.std(logs) * math.sqrt(1 + 1 / 60)
        assert row.gap == pytest.approx(expected, abs=error)
        assert row.gap_error == pytest.approx(error, rel=0.4)


def test_stability_is_an_adjusted_rand_index() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(4, size=(2, 50)).astype(np.int32)
        assert adjusted_rand(a, b, 4) == pytest.approx(sk_metrics.adjusted_rand_score(a, b))
    same = np.zeros(5, dtype=np.int32)
    assert adjusted_rand(same, same, 1) == 1.0
    found = fast(blobs(), [4, 9])
    assert found.row(4).stability == pytest.approx(1.0, abs=0.02)
    assert found.row(9).stability < 0.95


def test_weights_that_count_copies() -> None:
    X = blobs(60)
    counts = np.arange(60) % 3
    weighted = fast(X, [1, 2, 4], sample_weight=counts)
    copies = fast(np.repeat(X, counts, axis=0), [1, 2, 4])
    for one, other in zip(weighted, copies, strict=True):
        for name in ("inertia", "bic", "calinski_harabasz", "silhouette", "davies_bouldin"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None and b is None) or a == pytest.approx(b, rel=1e-6), (name, one.k)


def test_the_scale_of_fractional_weights_does_not_matter() -> None:
    X, w = blobs(80), np.linspace(0.1, 0.9, 80)
    one, other = (fast(X, [2, 4], sample_weight=w * 2.0**s) for s in (0, -7))
    for a, b in zip(one, other, strict=True):
        for name in ("silhouette", "calinski_harabasz", "davies_bouldin", "bic", "gap"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-9), name


# ---- the record


def test_the_record_as_table_json_and_text() -> None:
    X = blobs()
    seen: list[tuple[int, int, str]] = []
    found = om.sweep(
        X,
        range(1, 4),
        random_state=0,
        n_references=3,
        n_subsamples=2,
        callback=lambda *told: seen.append(told),
    )
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert {total for _, total, _ in seen} == {7}
    frame = pd.DataFrame(found.columns())
    assert frame["k"].tolist() == [1, 2, 3]
    assert frame["inertia"].tolist() == list(found.inertias)
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert again["rows"][1]["k"] == 2
    assert again["verdict"]["votes"] == found.verdict.votes
    assert str(found).splitlines()[0].split()[:2] == ["k", "inertia"]
    assert str(found).endswith(str(found.verdict))
    assert len(found) == 3
    with pytest.raises(ValueError, match="k=7 was not tried; the sweep has 1, 2, 3"):
        found.row(7)


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_extreme_values_get_the_verdict_of_ordinary_ones(factor: float) -> None:
    X = blobs()
    found = fast(X * factor, range(1, 7))
    assert found.verdict.k == fast(X, range(1, 7)).verdict.k == 4
    json.dumps(found.to_dict(), allow_nan=False)


def test_scores_that_are_not_asked_for_are_missing() -> None:
    found = fast(blobs(), range(1, 4), n_references=0, n_subsamples=0)
    assert found.structure is None
    assert {row.gap for row in found} == {row.stability for row in found} == {None}
    assert "gap" not in found.verdict.votes
    assert "was not tested" in found.verdict.text


@pytest.mark.parametrize(
    ("ks", "settings", "message"),
    [
        ([], {}, r"ks=\[\]; give whole numbers of clusters"),
        ([0, 1], {}, r"ks=\[0, 1\]; give whole numbers of clusters"),
        ([2.5], {}, r"ks=\[2.5\]; give whole numbers of clusters"),
        ([2, 301], {}, "ks goes up to 301, but X has only 300 rows"),
        ([2], {"n_references": 2}, "n_references=2; use 0 to leave it out"),
        ([2], {"n_subsamples": -1}, "n_subsamples=-1; use 0 to leave it out"),
        ([9], {"sample_size": 5}, "sample_size=5 rows cannot have 9 clusters"),
        ([2], {"metric": "hamming"}, "metric='hamming' is not offered"),
    ],
)
def test_bad_arguments_are_refused(ks: Any, settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fast(blobs(), ks, **settings)
