"""The verdict: each score votes for a number of clusters, and the votes are counted.

No score is right on all data, so none decides alone: a k is clear if at least half of the scores
ask for it and no other k has as many votes.  First the rows must show that they have clusters at
all (see :mod:`omnimeans.selection.gap`).  The elbow has no vote: it appears in noise as well (E.
Schubert, "Stop using the elbow criterion for k-means", SIGKDD Explorations 25, 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from omnimeans.selection.knee import knee
from omnimeans.selection.records import Confidence, Structure, SweepRow, Verdict

STEADY = 0.8  # stability from which subsamples give the same clusters


class Voter(NamedTuple):
    """A score that has a vote."""

    name: str
    choose: Callable[[Sequence[SweepRow]], int | None]


def highest(field: str) -> Callable[[Sequence[SweepRow]], int | None]:
    """Return the choice of the k with the highest value."""
    return lambda rows: _best(rows, field, 1.0)


def lowest(field: str) -> Callable[[Sequence[SweepRow]], int | None]:
    """Return the choice of the k with the lowest value."""
    return lambda rows: _best(rows, field, -1.0)


def within_one_error(rows: Sequence[SweepRow]) -> int | None:
    """Return the smallest k whose gap is at most one standard error below the largest gap."""
    known = [(row.k, row.gap, row.gap_error) for row in rows if row.gap is not None]
    if not known:
        return None
    _, top, error = max(known, key=lambda one: one[1])
    return min(k for k, gap, _ in known if gap >= top - (error or 0.0))


def _best(rows: Sequence[SweepRow], field: str, sign: float) -> int | None:
    known = [(sign * value, row.k) for row in rows if (value := getattr(row, field)) is not None]
    return max(known, key=lambda one: (one[0], -one[1]))[1] if known else None


VOTERS: tuple[Voter, ...] = (
    Voter("silhouette", highest("silhouette")),
    Voter("simplified silhouette", highest("simplified_silhouette")),
    Voter("Calinski-Harabasz", highest("calinski_harabasz")),
    Voter("Davies-Bouldin", lowest("davies_bouldin")),
    Voter("BIC", lowest("bic")),
    Voter("gap", within_one_error),
)


def judge(rows: Sequence[SweepRow], structure: Structure | None) -> Verdict:
    """Return the verdict on some numbers of clusters, rising."""
    bend = knee([row.k for row in rows], [row.inertia for row in rows])
    votes = {voter.name: k for voter in VOTERS if (k := voter.choose(rows)) is not None}
    at_knee = None if bend is None else rows[bend].k
    if structure is not None and not structure.found:
        return _no_structure(structure, votes, at_knee)

    counted = Counter(votes.values())
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    leading, most = ranked[0]
    tied = len(ranked) > 1 and ranked[1][1] == most
    agreement = most / len(votes)
    row = next(row for row in rows if row.k == leading)
    edge = _edge(rows, leading)
    clear = agreement >= 0.5 and not tied and edge is None and len(rows) > 1
    confidence: Confidence = "low"
    if clear:
        steady = row.stability is None or row.stability >= STEADY
        confidence = "high" if agreement >= 5 / 6 and steady else "fair"
    sentences = [
        f"k = {leading}, confidence {confidence}." if clear else "No clear k.",
        _who(votes, leading),
    ]
    if tied and agreement >= 0.5:
        sentences.append(f"As many ask for k = {ranked[1][0]}.")
    if edge is not None:
        sentences.append(edge)
    if len(rows) == 1:
        sentences.append("One number of clusters is no choice; try a range of them.")
    if row.stability is not None:
        sentences.append(
            f"Fits of subsamples agree with its clusters to {row.stability:.2f} (adjusted Rand "
            "index)."
        )
    if structure is None:
        sentences.append("Whether there are clusters at all was not tested (no references).")
    return Verdict(
        outcome="clear" if clear else "no clear k",
        k=leading if clear else None,
        leading=leading,
        confidence=confidence,
        agreement=agreement,
        votes=votes,
        knee=at_knee,
        text=" ".join(sentences),
    )


def _no_structure(structure: Structure, votes: dict[str, int], at_knee: int | None) -> Verdict:
    return Verdict(
        outcome="no cluster structure",
        k=1,
        leading=1,
        confidence="high" if structure.score < 0.6 * max(structure.reference, 5.0) else "fair",
        agreement=sum(k == 1 for k in votes.values()) / max(1, len(votes)),
        votes=votes,
        knee=at_knee,
        text=(
            "No cluster structure. Clusters tighten these rows no more than they tighten rows "
            f"spread evenly over the same box (best k = {structure.k}: {structure.score:.1f} "
            f"standard deviations; evenly spread rows reach {structure.reference:.1f})."
        ),
    )


def _who(votes: dict[str, int], leading: int) -> str:
    asking = [name for name, k in votes.items() if k == leading]
    others = [f"{name} {k}" for name, k in votes.items() if k != leading]
    rest = f" Others: {', '.join(others)}." if others else ""
    return f"{len(asking)} of {len(votes)} scores ask for k = {leading}: {', '.join(asking)}.{rest}"


def _edge(rows: Sequence[SweepRow], leading: int) -> str | None:
    """Say that the leading k is the last one tried, so that a better one may lie beyond."""
    first, last = rows[0].k, rows[-1].k
    if leading == last:
        return f"It is the largest that was tried; try more than {last}."
    if leading == first and first > 2:
        return f"It is the smallest that was tried; try fewer than {first}."
    return None
