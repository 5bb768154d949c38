"""What a sweep over the number of clusters returns: frozen records, JSON in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from omnimeans._types import Floats
from omnimeans.selection._card import sweep_card

Outcome = Literal["clear", "no clear k", "no cluster structure"]
Confidence = Literal["high", "fair", "low"]

CLEAR = 5.0  # standard deviations; data without clusters stay below 4


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One number of clusters: its fit and its scores.  None where a score is not defined.

    Parameters
    ----------
    k : int
        Number of clusters.
    inertia : float
        The objective of the fit, on all rows.
    explained_variance : float
        Share of the inertia of one cluster that is gone, from 0 to 1.
    silhouette : float or None
        Mean exact silhouette of the sampled rows.  Higher is better.
    simplified_silhouette : float or None
        Mean silhouette of the sampled rows by distances to centres.  Higher is better.
    calinski_harabasz : float or None
        Spread between clusters over spread within them, on all rows.  Higher is better.
    davies_bouldin : float or None
        Likeness of each cluster to its nearest relative, on the sampled rows.  Lower is better.
    bic : float or None
        Bayesian information criterion of equal round clusters, on all rows.  Lower is better.
    gap : float or None
        How much lower the logarithm of the inertia is than for data without clusters.
    gap_error : float or None
        Standard error of the gap.
    stability : float or None
        Mean adjusted Rand index with fits of subsamples, at most 1.
    n_iter : int
        Iterations on all rows.
    seconds : float
        Time of the fit on all rows.
    """

    k: int
    inertia: float
    explained_variance: float
    silhouette: float | None
    simplified_silhouette: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    bic: float | None
    gap: float | None
    gap_error: float | None
    stability: float | None
    n_iter: int = field(compare=False)
    seconds: float = field(compare=False)


@dataclass(frozen=True, slots=True)
class Structure:
    """Whether there is more than one cluster: the rows beside data that have none.

    Parameters
    ----------
    score : float
        The largest advantage, over all k, that clusters give the rows beyond what they give data
        without clusters, in standard deviations of the latter.
    k : int
        Where that is.
    reference : float
        The largest score that any of the data sets without clusters reaches beside the others.
    found : bool
        Whether the score is above 5 and above `reference`.
    """

    score: float
    k: int
    reference: float
    found: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which number of clusters the scores ask for, and how much they agree.

    Parameters
    ----------
    outcome : {"clear", "no clear k", "no cluster structure"}
        Whether at least half of the scores, and more than for any other k, ask for the same k;
        whether they do not; or whether the rows have no more clusters than data without any.
    k : int or None
        The answer; 1 without cluster structure, None if there is no clear one.
    leading : int
        The k with the most votes, also where it is not clear.
    confidence : {"high", "fair", "low"}
        "high" if at least 5 of 6 scores agree and subsamples give the same clusters; "low" if there
        is no clear k.
    agreement : float
        Share of the scores that ask for `leading`, from 0 to 1.
    votes : dict of str to int
        The k that each score asks for.  The knee has no vote.
    knee : int or None
        Where the curve of the inertia bends most, for those who ask; it bends without clusters too.
    text : str
        The verdict and its reasons in sentences.
    """

    outcome: Outcome
    k: int | None
    leading: int
    confidence: Confidence
    agreement: float
    votes: dict[str, int]
    knee: int | None
    text: str

    @property
    def chosen_by(self) -> tuple[str, ...]:
        """The scores that ask for the leading k."""
        return tuple(name for name, k in self.votes.items() if k == self.leading)

    def __str__(self) -> str:
        """Return the sentences."""
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dicts."""
        return {**asdict(self), "chosen_by": list(self.chosen_by)}


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The fits and scores of a range of numbers of clusters.

    Parameters
    ----------
    rows : tuple of SweepRow
        One for each k, rising.
    centers : tuple of ndarray of shape (k, d)
        The centres of each fit, in the units of the data.
    structure : Structure or None
        Whether there are clusters at all; None if no references were drawn.
    verdict : Verdict
        The answer.
    n_samples, n_features : int
        Size of the data.
    metric : str
        The metric of the fits.
    sample_size : int
        Rows that the sampled scores, the references and the subsamples were taken from.
    seconds : float
        Time of the whole sweep.
    """

    rows: tuple[SweepRow, ...]
    centers: tuple[Floats, ...]
    structure: Structure | None
    verdict: Verdict
    n_samples: int
    n_features: int
    metric: str
    sample_size: int
    seconds: float

    @property
    def ks(self) -> tuple[int, ...]:
        """The numbers of clusters, rising."""
        return tuple(row.k for row in self.rows)

    @property
    def inertias(self) -> tuple[float, ...]:
        """The inertia for each k."""
        return tuple(row.inertia for row in self.rows)

    def __iter__(self) -> Iterator[SweepRow]:
        """Iterate over the rows."""
        return iter(self.rows)

    def __len__(self) -> int:
        """Return how many numbers of clusters were tried."""
        return len(self.rows)

    def row(self, k: int) -> SweepRow:
        """Return the scores of one k."""
        return self.rows[self._at(k)]

    def centers_of(self, k: int) -> Floats:
        """Return the centres of one k, to start a fit from or to predict with."""
        return self.centers[self._at(k)]

    def columns(self) -> dict[str, list[Any]]:
        """Return the table column by column; ``pandas.DataFrame`` takes it as it is."""
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(SweepRow)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the centres as plain numbers, strings, lists and dicts.

        An inertia beyond the range of float64 is None, since JSON has no infinity.
        """
        return {
            "n_samples": self.n_samples,
            "n_features": self.n_features,
            "metric": self.metric,
            "sample_size": self.sample_size,
            "seconds": self.seconds,
            "rows": [_finite(asdict(row)) for row in self.rows],
            "structure": None if self.structure is None else asdict(self.structure),
            "verdict": self.verdict.to_dict(),
        }

    def _repr_html_(self) -> str:
        """Show the verdict, the curves and the table in a notebook."""
        return sweep_card(self)

    def __str__(self) -> str:
        """Return the table and the verdict as text."""
        return "\n".join([*_lines(self.rows), "", str(self.verdict)])

    def _at(self, k: int) -> int:
        if k not in self.ks:
            raise ValueError(f"k={k} was not tried; the sweep has {', '.join(map(str, self.ks))}")
        return self.ks.index(k)


# heading, field, format
COLUMNS = (
    ("k", "k", "d"),
    ("inertia", "inertia", ".6g"),
    ("explained", "explained_variance", ".4f"),
    ("silhouette", "silhouette", ".4f"),
    ("simplified", "simplified_silhouette", ".4f"),
    ("Calinski-H.", "calinski_harabasz", ".5g"),
    ("Davies-B.", "davies_bouldin", ".4f"),
    ("BIC", "bic", ".6g"),
    ("gap", "gap", ".4f"),
    ("± error", "gap_error", ".4f"),
    ("stability", "stability", ".3f"),
)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _lines(rows: tuple[SweepRow, ...]) -> Iterator[str]:
    table = [[heading for heading, _, _ in COLUMNS]]
    for row in rows:
        values = ((getattr(row, name), form) for _, name, form in COLUMNS)
        table.append(["-" if value is None else format(value, form) for value, form in values])
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
