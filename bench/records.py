"""The records that the parts of the benchmark exchange, and that are saved as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1  # of the JSON file; to be raised when a field changes its meaning


@dataclass(frozen=True)
class Row:
    """One library on one workload: what was run, how long it took, what came out.

    `seconds` is the median over `samples`, per `unit`: one Lloyd iteration, one whole call, one
    whole fit, or one seeding.  Fields that do not apply are None, and `note` says why.
    """

    workload: str
    title: str
    n: int
    d: int
    k: int
    dtype: str
    library: str
    threads: int
    unit: str
    metric: str = "euclidean"
    seconds: float | None = None
    samples: list[float] = field(default_factory=list)
    iterations: int | None = None  # of the longest fit
    inertia: float | None = None  # in float64, from the centres returned
    ratio: float | None = None  # seconds / seconds of the row that the table compares with
    gflops: float | None = None
    share: float | None = None  # of the arithmetic peak of this dtype
    redecided: float | None = None  # share of the rows, per iteration
    compared: float | None = None  # share of all distances that were computed
    digest: str | None = None  # of the centres, to see whether two runs agree to the bit
    note: str = ""


@dataclass(frozen=True)
class Peak:
    """What these cores can do at best, together: giga operations and gigabytes per second.

    `fma` counts a fused multiply-add as two operations; `l1` counts subtract, absolute value and
    add as three.
    """

    cores: int
    fma: dict[str, float]
    l1: dict[str, float]
    read: float

    def best(self, other: Peak | None) -> Peak:
        """Return the higher of two measurements, figure by figure."""
        if other is None:
            return self
        return Peak(
            self.cores,
            {t: max(v, other.fma[t]) for t, v in self.fma.items()},
            {t: max(v, other.l1[t]) for t, v in self.l1.items()},
            max(self.read, other.read),
        )


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured for it; `reached` is None where there was nothing to judge."""

    workload: str
    what: str
    target: str
    measured: float | None
    reached: bool | None


@dataclass
class Report:
    """A whole run of one mode."""

    mode: str
    quick: bool
    header: dict[str, Any]
    peak: Peak | None
    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def suffix(self) -> str:
        """What tells the files of this run from those of the main one."""
        mode = "" if self.mode == "iterations" else f"-{self.mode}"
        threads = self.header["threads"]
        return mode if threads == 1 else f"{mode}-{threads}-threads"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"format": FORMAT, **asdict(self)}
