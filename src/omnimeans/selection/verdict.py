"""The verdict: each score votes for a number of clusters, and the votes are counted.

No score is right on all data, so none decides alone: a k is clear if at least half of the scores
ask for it and no other k has as many votes.  First the rows must show that they have clusters at
all (see :mod:`omnimeans.selection.gap`).  The elbow has no vote: it appears in noise as well (E.
Schubert, "Stop using the elbow criterion for k-means", SIGKDD Explorations 25, 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from omnimeans.selection.knee import knee
from omnimeans.selection.records import CLEAR, Confidence, Structure, SweepRow, Verdict

MANY = 5 / 6  # of the scores, as good as all of them
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
    poll = Poll.of(rows)
    steady = poll.row.stability is None or poll.row.stability >= STEADY
    if structure is not None and not structure.found:
        # close clusters: the references alone cannot tell, but (nearly) all scores agree
        united = poll.agreement >= MANY and poll.votes.get("gap") == poll.leading > 1
        if not (united and steady and structure.score > structure.reference):
            return _no_structure(rows, poll, structure)
    clear = poll.clear
    confidence: Confidence = "low"
    if clear:
        proven = structure is None or structure.found
        confidence = "high" if poll.agreement >= MANY and steady and proven else "fair"
    opening = f"k = {poll.leading}, confidence {confidence}." if clear else "No clear k."
    return Verdict(
        outcome="clear" if clear else "no clear k",
        k=poll.leading if clear else None,
        leading=poll.leading,
        confidence=confidence,
        agreement=poll.agreement,
        votes=poll.votes,
        knee=_knee(rows),
        text=" ".join([opening, *poll.reasons(), *_doubts(poll.row, structure)]),
    )


@dataclass(frozen=True, slots=True)
class Poll:
    """The votes, counted."""

    votes: dict[str, int]
    row: SweepRow  # of the leading k
    first: int  # numbers of clusters that were tried: the smallest ...
    last: int  # ... and the largest
    agreement: float  # share of the votes for the leading k
    rival: int | None  # another k with as many votes

    @classmethod
    def of(cls, rows: Sequence[SweepRow]) -> Poll:
        """Let the scores of these numbers of clusters vote."""
        votes = {voter.name: k for voter in VOTERS if (k := voter.choose(rows)) is not None}
        counted = Counter(votes.values())
        ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0])) or [(rows[0].k, 0)]
        leading, most = ranked[0]
        rival = ranked[1][0] if len(ranked) > 1 and ranked[1][1] == most else None
        row = next(row for row in rows if row.k == leading)
        return cls(votes, row, rows[0].k, rows[-1].k, most / max(1, len(votes)), rival)

    @property
    def leading(self) -> int:
        """The k with the most votes."""
        return self.row.k

    @property
    def beyond(self) -> list[str]:
        """Scores that ask for the largest k that was tried, and may ask for a larger one."""
        return [name for name, k in self.votes.items() if k == self.last]

    @property
    def at_edge(self) -> bool:
        """Whether the leading k is the last one on its side, so that a better may lie beyond."""
        return self.leading == self.last or (self.leading == self.first and self.first > 2)

    @property
    def enough(self) -> bool:
        """Whether half of the scores ask for it; more than half, where others have no peak yet."""
        return self.agreement > 0.5 if len(self.beyond) > 1 else self.agreement >= 0.5

    @property
    def clear(self) -> bool:
        """Whether the leading k is the answer."""
        return self.enough and self.rival is None and not self.at_edge

    def reasons(self) -> Iterator[str]:
        """Yield the sentences on who asks for what, and what stands against it."""
        asking = [name for name, k in self.votes.items() if k == self.leading]
        others = [f"{name} {k}" for name, k in self.votes.items() if k != self.leading]
        verb = "asks" if len(asking) == 1 else "ask"
        yield (
            f"{len(asking)} of {len(self.votes)} scores {verb} for k = {self.leading}: "
            f"{', '.join(asking)}."
        )
        if others:
            yield f"Others: {', '.join(others)}."
        if self.rival is not None and self.agreement >= 0.5:
            yield f"As many ask for k = {self.rival}."
        if self.first == self.last:
            yield "One number of clusters is no choice; try a range of them."
        elif self.leading == self.last:
            yield f"It is the largest that was tried; try more than {self.last}."
        elif self.at_edge:
            yield f"It is the smallest that was tried; try fewer than {self.first}."
        elif not self.clear and len(self.beyond) > 1:
            yield f"Some scores are best at the largest k; try more than {self.last}."


def _doubts(row: SweepRow, structure: Structure | None) -> Iterator[str]:
    if row.stability is not None and row.k > 1:
        yield (
            f"Fits of subsamples agree with its clusters to {row.stability:.2f} (adjusted Rand "
            "index)."
        )
    if structure is None:
        yield "Whether there are clusters at all was not tested."
    elif not structure.found:
        yield "The clusters are close to each other; data without any look much alike."


def _no_structure(rows: Sequence[SweepRow], poll: Poll, structure: Structure) -> Verdict:
    low = structure.score < 0.6 * max(structure.reference, CLEAR)
    return Verdict(
        outcome="no cluster structure",
        k=1,
        leading=1,
        confidence="high" if low else "fair",
        agreement=sum(k == 1 for k in poll.votes.values()) / max(1, len(poll.votes)),
        votes=poll.votes,
        knee=_knee(rows),
        text=(
            f"No cluster structure: up to k = {poll.last}, clusters tighten these rows no more "
            "than they tighten rows spread evenly over the same box (at best by "
            f"{structure.score:.1f} standard deviations, at k = {structure.k}; some evenly spread "
            f"rows reach {structure.reference:.1f}). Many small clusters would show at larger k."
        ),
    )


def _knee(rows: Sequence[SweepRow]) -> int | None:
    bend = knee([row.k for row in rows], [row.inertia for row in rows])
    return None if bend is None else rows[bend].k
