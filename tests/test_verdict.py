"""The verdict: its rules on votes made up by hand, and what it says about data of known k."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs

import omnimeans as om
from omnimeans.selection import Structure, SweepRow, Verdict, knee
from omnimeans.selection.verdict import VOTERS, judge

FIELDS = ("silhouette", "simplified_silhouette", "calinski_harabasz", "davies_bouldin", "bic")
CLUSTERS = Structure(score=50.0, k=4, reference=3.0, found=True)
BLANK = SweepRow(1, 1.0, 0.0, None, None, None, None, 0.0, 0.0, 0.01, 1.0, 1, 0.0)


def table(*votes: int, ks: Any = range(1, 11), stability: float = 1.0) -> list[SweepRow]:
    """Scores whose best values are at the k that each is given; the last vote is the gap's."""
    rows = []
    for k in ks:
        best = [float(k == vote) for vote in votes]
        scores = dict(zip((*FIELDS, "gap"), best, strict=True))
        for lower in ("davies_bouldin", "bic"):
            scores[lower] *= -1.0
        row = replace(BLANK, k=k, inertia=100.0 / k**2, stability=stability, **scores)
        if k == 1:
            row = replace(row, **dict.fromkeys(FIELDS[:4]))
        rows.append(row)
    return rows


# ---- the rules


def test_all_scores_agree() -> None:
    verdict = judge(table(4, 4, 4, 4, 4, 4), CLUSTERS)
    assert (verdict.outcome, verdict.k, verdict.confidence) == ("clear", 4, "high")
    assert verdict.agreement == 1.0
    assert set(verdict.chosen_by) == {voter.name for voter in VOTERS}
    assert verdict.text.startswith("k = 4, confidence high. 6 of 6 scores ask for k = 4:")


def test_half_of_the_scores_are_enough_but_no_less() -> None:
    three = judge(table(4, 4, 4, 2, 6, 7), CLUSTERS)
    assert (three.k, three.confidence, three.agreement) == (4, "fair", 0.5)
    assert "Others: Davies-Bouldin 2, BIC 6, gap 7." in three.text
    two = judge(table(4, 4, 3, 2, 6, 7), CLUSTERS)
    assert (two.outcome, two.k, two.leading) == ("no clear k", None, 4)
    assert two.confidence == "low"


def test_a_tie_is_not_clear() -> None:
    verdict = judge(table(4, 4, 4, 2, 2, 2), CLUSTERS)
    assert (verdict.outcome, verdict.k, verdict.leading) == ("no clear k", None, 2)
    assert "As many ask for k = 4." in verdict.text


def test_unsteady_clusters_lower_the_confidence() -> None:
    assert judge(table(4, 4, 4, 4, 4, 4, stability=0.5), CLUSTERS).confidence == "fair"


@pytest.mark.parametrize(
    ("ks", "vote", "words"),
    [
        (range(4, 12), 11, "It is the largest that was tried; try more than 11."),
        (range(4, 12), 4, "It is the smallest that was tried; try fewer than 4."),
    ],
)
def test_the_best_at_an_end_is_not_clear(ks: Any, vote: int, words: str) -> None:
    verdict = judge(table(*[vote] * 6, ks=ks), CLUSTERS)
    assert (verdict.outcome, verdict.k, verdict.leading) == ("no clear k", None, vote)
    assert words in verdict.text


def test_two_may_be_the_smallest() -> None:
    assert judge(table(*[2] * 6, ks=range(2, 9)), CLUSTERS).k == 2


def test_half_is_not_enough_where_others_still_rise() -> None:
    verdict = judge(table(2, 2, 2, 5, 10, 10), CLUSTERS)
    assert (verdict.outcome, verdict.leading) == ("no clear k", 2)
    assert "Some scores are best at the largest k; try more than 10." in verdict.text
    assert judge(table(2, 2, 2, 2, 10, 10), CLUSTERS).k == 2


def test_without_structure_no_votes_count() -> None:
    for score, confidence in ((-4.0, "high"), (4.5, "fair")):
        none = Structure(score, k=3, reference=3.5, found=False)
        verdict = judge(table(3, 3, 3, 3, 1, 1), none)
        assert (verdict.outcome, verdict.k) == ("no cluster structure", 1)
        assert (verdict.leading, verdict.confidence) == (1, confidence)
        assert "Many small clusters would show at larger k." in verdict.text


def test_close_clusters_count_if_all_agree() -> None:
    close = Structure(4.0, k=2, reference=3.0, found=False)
    verdict = judge(table(*[2] * 6), close)
    assert (verdict.k, verdict.confidence) == (2, "fair")
    for other in (
        judge(table(*[2] * 6, stability=0.5), close),
        judge(table(2, 2, 2, 2, 2, 1), close),
        judge(table(2, 2, 2, 4, 4, 2), close),
        judge(table(*[2] * 6), replace(close, reference=4.1)),
    ):
        assert other.outcome == "no cluster structure"


def test_the_gap_asks_for_the_fewest_within_one_error() -> None:
    rows = [
        replace(BLANK, k=k, gap=gap, gap_error=0.1)
        for k, gap in enumerate((0.2, 0.75, 0.85, 0.9, 0.7), start=1)
    ]
    assert judge(rows, CLUSTERS).votes["gap"] == 3


def test_the_knee_is_named_and_has_no_vote() -> None:
    verdict = judge(table(*[7] * 6), CLUSTERS)
    assert verdict.knee == 3
    assert verdict.k == 7
    assert "knee" not in " ".join(verdict.votes)


def test_one_k_is_no_choice() -> None:
    verdict = judge(table(*[3] * 6, ks=[3]), None)
    assert (verdict.outcome, verdict.leading) == ("no clear k", 3)
    assert "try a range" in verdict.text
    nothing = judge([replace(BLANK, bic=None, gap=None)], None)
    assert (nothing.leading, nothing.votes, nothing.agreement) == (1, {}, 0.0)


def test_a_verdict_is_plain_data() -> None:
    record = judge(table(*[7] * 6), CLUSTERS).to_dict()
    assert record["k"] == 7
    assert record["chosen_by"][0] == "silhouette"
    assert str(Verdict(**{k: v for k, v in record.items() if k != "chosen_by"})) == record["text"]


# ---- the knee


def test_knees_that_others_got_wrong() -> None:
    # https://github.com/arvkevi/kneed/issues/77: the first point was returned
    x = [7.58664459e-05, 1.11978460e-04, 2.38899123e-04, 4.90114492e-04, 7.82853340e-04]
    x += [1.02036258e-03, 1.31875021e-03, 2.30043176e-03, 4.40276718e-03, 7.70743315e-03]
    x += [1.60477105e-02, 3.83262376e-02]
    y = [0.27655736, 0.27249274, 0.2646699, 0.25457005, 0.248055, 0.2457939, 0.24485397]
    y += [0.24355771, 0.24200204, 0.24073301, 0.23906376, 0.23606901]
    found = knee(x, y)
    assert found is not None
    assert 5 <= found <= 8
    assert knee(x[::2], y[::2]) is not None  # no knee, or one at 0, is not the same as none


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1], [3.0]),
        ([1, 2], [3.0, 1.0]),
        ([1, 2, 3], [3.0, 3.0, 3.0]),
        ([1, 2, 3], [1.0, 2.0, 3.0]),  # rising
        ([1, 2, 3, 4], [9.0, 8.9, 8.0, 0.0]),  # bends the other way
        ([1, 2, 3], [0.0, 0.0, 0.0]),
    ],
)
def test_a_curve_without_a_knee(x: list[float], y: list[float]) -> None:
    assert knee(x, y) is None


# ---- data of known k


def test_the_best_k_may_lie_outside_the_range() -> None:
    # https://github.com/DistrictDataLabs/yellowbrick/issues/943: this raised an error
    X, _ = make_blobs(centers=12, n_samples=1000, n_features=16, random_state=0)
    above = om.sweep(X, range(4, 12), random_state=0)
    assert above.verdict.outcome == "no clear k"
    assert "try more than 11" in above.verdict.text
    assert om.sweep(X, range(4, 20), random_state=0).verdict.k == 12
    # the other side: three clusters, from four on
    X, _ = make_blobs(n_samples=1000, n_features=12, random_state=12)
    below = om.sweep(X, range(4, 12), random_state=0)
    assert below.verdict.outcome == "no clear k"
    assert "try fewer than 4" in below.verdict.text


@pytest.mark.parametrize("seed", range(4))
def test_eight_blobs_in_twelve_dimensions(seed: int) -> None:
    # https://github.com/DistrictDataLabs/yellowbrick/issues/931: the elbow was often elsewhere
    X, _ = make_blobs(n_samples=1000, n_features=12, centers=8, random_state=seed)
    verdict = om.sweep(X, range(2, 13), random_state=seed).verdict
    assert (verdict.k, verdict.confidence) == (8, "high")


@pytest.mark.parametrize("d", [2, 8, 32])
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_no_structure_is_said_so(shape: str, d: int) -> None:
    X = getattr(np.random.default_rng(d), shape)(size=(400, d))
    verdict = om.sweep(X, range(1, 11), random_state=0).verdict
    assert (verdict.outcome, verdict.k) == ("no cluster structure", 1)
    # the elbow bends all the same
    assert verdict.knee is not None


def test_rows_that_are_all_alike() -> None:
    verdict = om.sweep(np.ones((50, 3)), range(1, 5), random_state=0).verdict
    assert verdict.outcome == "no cluster structure"


def test_few_distinct_rows() -> None:
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], 40, axis=0)
    found = om.sweep(X, range(1, 7), random_state=0)
    assert found.row(3).inertia == 0.0
    assert found.verdict.leading == 3


def test_iris() -> None:
    verdict = om.sweep(load_iris().data, range(1, 11), random_state=0).verdict
    assert verdict.k in (2, 3)


KNOWN = {
    "uef/s1.txt": 15,
    "uef/unbalance.txt": 8,
    "uef/dim32.txt": 16,
    "breathing-k-means/R15.csv": 15,
}
KNOWN_SLOW = {
    "uef/s2.txt": 15,
    "uef/a1.txt": 20,
    "uef/a3.txt": 50,
    "uef/birch1.txt": 100,
    "breathing-k-means/D31.csv": 31,
    "breathing-k-means/gmd5x5.csv": 25,
}


def verdict_on(path: Path, k: int) -> Verdict:
    X = np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None)
    return om.sweep(X, range(1, min(110, 2 * k) + 1), random_state=1).verdict


@pytest.mark.parametrize("name", KNOWN)
def test_known_clusters_are_found(name: str, data_folder: Path) -> None:
    assert verdict_on(data_folder / name, KNOWN[name]).k == KNOWN[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN_SLOW)
def test_known_clusters_are_found_in_larger_data(name: str, data_folder: Path) -> None:
    assert verdict_on(data_folder / name, KNOWN_SLOW[name]).k == KNOWN_SLOW[name]
