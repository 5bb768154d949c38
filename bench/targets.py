"""What is to be reached, and whether it was: a table, judged on the rows of one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.peers import LIBRARIES, OWN
from bench.records import Peak, Row, Verdict

Rows = dict[str, Row]  # of one workload, by library
Measure = Callable[[Rows, Peak | None], float | None]


def ours(rows: Rows) -> Row | None:
    """The row of omnimeans, of its fastest variant where there is no other."""
    own = [row for row in rows.values() if LIBRARIES[row.library].own and row.seconds]
    return rows.get(OWN) or min(own, key=lambda row: row.seconds or 0.0, default=None)


def times_faster_than(name: str) -> Measure:
    """How many times omnimeans is faster than one library."""
    return lambda rows, peak: rows[name].ratio if name in rows else None


def times_faster_than_best(rows: Rows, peak: Peak | None) -> float | None:
    """How many times omnimeans is faster than the fastest peer that skips no distance."""
    ratios = [
        row.ratio
        for name, row in rows.items()
        if LIBRARIES[name].peer and not LIBRARIES[name].pruned and row.ratio
    ]
    return min(ratios, default=None)


def share_of_peak(rows: Rows, peak: Peak | None) -> float | None:
    """omnimeans' share of the arithmetic peak."""
    row = ours(rows)
    return row.share if row else None


def passes_over_memory(rows: Rows, peak: Peak | None) -> float | None:
    """An iteration's time, in passes over the data at the speed of memory."""
    row = ours(rows)
    if peak is None or row is None or row.seconds is None:
        return None
    size = 4 if row.dtype == "float32" else 8
    return row.seconds / (row.n * row.d * size / (peak.read * 1e9))


def milliseconds(rows: Rows, peak: Peak | None) -> float | None:
    """The time of one call."""
    seconds = rows["omnimeans"].seconds
    return None if seconds is None else 1e3 * seconds


def milliseconds_beyond_checks(rows: Rows, peak: Peak | None) -> float | None:
    """The time of one call without scikit-learn's checks of the input."""
    ours, checks = rows["omnimeans"].seconds, rows["checks"].seconds if "checks" in rows else None
    return None if ours is None or checks is None else 1e3 * (ours - checks)


def speed_up(rows: Rows, peak: Peak | None) -> float | None:
    """How many times two threads are faster than one."""
    ratio = rows["omnimeans"].ratio
    return 1.0 / ratio if ratio else None


def inertia_over_best(rows: Rows, peak: Peak | None) -> float | None:
    """omnimeans' inertia divided by that of the fastest peer."""
    peers = [r for name, r in rows.items() if LIBRARIES[name].peer and r.seconds and r.inertia]
    ours = rows["omnimeans"].inertia
    if not peers or ours is None:
        return None
    best = min(peers, key=lambda row: row.seconds or 0.0)
    return ours / (best.inertia or 1.0)


def times_faster_than_sklearn_at_best(rows: Rows, peak: Peak | None) -> float | None:
    """How many times omnimeans is faster than the faster of scikit-learn's two algorithms."""
    ratios = [rows[name].ratio for name in ("sklearn", "elkan") if name in rows]
    return min((ratio for ratio in ratios if ratio), default=None)


def regret(rows: Rows, peak: Peak | None) -> float | None:
    """How many times longer "auto" takes than the best single variant."""
    ratios = [row.ratio for name, row in rows.items() if name != OWN and row.ratio]
    return 1.0 / min(ratios) if ratios else None


def over_brute(rows: Rows, peak: Peak | None) -> float | None:
    """How many times longer "auto" takes than brute force."""
    brute = rows.get(f"{OWN}-brute")
    return 1.0 / brute.ratio if brute and brute.ratio else None


def potential_over_sklearn(rows: Rows, peak: Peak | None) -> float | None:
    """omnimeans' mean potential divided by scikit-learn's."""
    ours, theirs = rows["omnimeans"].inertia, rows["sklearn"].inertia if "sklearn" in rows else None
    return ours / theirs if ours and theirs else None


@dataclass(frozen=True)
class Target:
    """One line to cross: at least `limit`, or at most."""

    workload: str
    what: str
    measure: Measure
    limit: float
    at_least: bool = True
    mode: str = "iterations"

    def judge(self, rows: Rows, peak: Peak | None) -> Verdict:
        """Compare the limit with what was measured."""
        row = ours(rows)
        value = self.measure(rows, peak) if row is not None and row.seconds else None
        reached = None
        if value is not None:
            reached = value >= self.limit if self.at_least else value <= self.limit
        sign = "≥" if self.at_least else "≤"
        return Verdict(self.workload, self.what, f"{sign} {self.limit:g}", value, reached)


SKLEARN, BEST = "times faster than scikit-learn", "times faster than the best unpruned peer"


def _several(what: str, measure: Measure, limits: dict[str, float], **more: object) -> list[Target]:
    return [Target(key, what, measure, limit, **more) for key, limit in limits.items()]  # type: ignore[arg-type]


TARGETS: list[Target] = [
    *_several(
        f"mark: {SKLEARN}", times_faster_than("sklearn"),
        {"a": 8, "c": 4, "d": 2, "e": 1.6, "g-noise": 1.1, "h": 1.3},
    ),
    *_several(SKLEARN, times_faster_than("sklearn"), {"a": 12, "j-10": 5, "k-iris": 3}),
    *_several(
        BEST, times_faster_than_best,
        {"a": 1.6, "b": 2, "c": 4, "d": 2.7, "e": 1.75, "f-noise": 2.5, "f-mnist": 2.5,
         "g-noise": 1.3, "g-mnist": 1.3, "h": 1.5, "i": 1.25, "j-10": 2.5},
    ),
    *_several(
        "share of the multiply-add peak", share_of_peak,
        {"e": 0.92, "g-noise": 0.92, "g-mnist": 0.92, "h": 0.92, "i": 0.92,
         "n-e": 0.85, "n-g": 0.85},
    ),
    *_several(
        "passes over the data at the speed of memory", passes_over_memory,
        {"f-noise": 2, "f-mnist": 2}, at_least=False,
    ),
    Target("j-10", "inertia / the fastest peer's", inertia_over_best, 1.0001, at_least=False),
    Target("j-1", "milliseconds", milliseconds, 1.5, at_least=False),
    Target(
        "k-iris", "milliseconds beyond the checks of the input", milliseconds_beyond_checks, 0.3,
        at_least=False,
    ),
    Target(
        "k-predict", "milliseconds beyond the checks of the input", milliseconds_beyond_checks,
        0.03, at_least=False,
    ),
    *_several(
        SKLEARN, times_faster_than("sklearn"),
        {f"p-{action}-{key}": 1 for action in ("predict", "transform") for key in "adegh"},
    ),
    Target("o", "times faster than a NumPy broadcast", times_faster_than("broadcast"), 50),
    *_several("share of the |x - c| peak", share_of_peak, {"o": 0.6, "o-mixture": 0.6}),
    *_several(
        "times faster with two threads", speed_up,
        dict.fromkeys(
            ("a", "c", "d", "e", "f-noise", "f-mnist", "g-noise", "g-mnist", "h", "i"), 1.85
        ),
        mode="threads",
    ),
    *_several(
        "times faster with two threads", speed_up,
        dict.fromkeys(("j-10", "j-1", "k-iris", "k-toy"), 0.95), mode="threads",
    ),  # small problems: never slower, but for noise
    *_several(
        f"{SKLEARN}, lloyd or elkan", times_faster_than_sklearn_at_best,
        {"a": 50, "b": 4, "c": 25, "d": 5, "e": 3, "g-mnist": 3, "h": 3, "i": 2, "l": 8, "m": 20},
        mode="fits",
    ),
    *_several(
        "times faster than faiss", times_faster_than("faiss"), {"a": 1.6, "c": 1.6}, mode="short"
    ),
    *_several(
        "regret: time of auto / of the best variant", regret,
        dict.fromkeys(("a", "b", "c", "d", "e", "f-noise", "f-mnist", "g-noise", "g-mnist", "h",
                       "i", "l", "m", "n-a", "n-d", "n-e", "n-g"), 1.2),
        at_least=False, mode="variants",
    ),
    *_several(
        "time of auto / of brute force", over_brute,
        dict.fromkeys(("a", "b", "c", "d", "e", "f-noise", "f-mnist", "g-noise", "g-mnist", "h",
                       "i", "l", "m", "n-a", "n-d", "n-e", "n-g"), 1.05),
        at_least=False, mode="variants",
    ),
    *_several(
        SKLEARN, times_faster_than("sklearn"), {"a": 20, "e": 10, "h": 8}, mode="seeding"
    ),
    *_several(
        "potential / scikit-learn's", potential_over_sklearn, {"a": 1.005, "e": 1.005, "h": 1.005},
        at_least=False, mode="seeding",
    ),
]  # fmt: skip


def judge(mode: str, rows: list[Row], peak: Peak | None) -> list[Verdict]:
    """Return a verdict for every target of this mode whose workload was run."""
    by_workload: dict[str, Rows] = {}
    for row in rows:
        if row.library:
            # with several numbers of threads, the last row is the one with the most
            by_workload.setdefault(row.workload, {})[row.library] = row
    return [
        target.judge(by_workload[target.workload], peak)
        for target in TARGETS
        if target.mode == mode and target.workload in by_workload
    ]
