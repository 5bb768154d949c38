"""What a reader should know before trusting the clusters: one question, one row of a table.

Each question looks at the parts of a report and answers in plain words, or not at all.  A message
says what was found, and what could be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omnimeans.reports.drawn import Silhouette
from omnimeans.reports.records import Cluster, Course, Data, Dispersion, Feature, Settings, Warned

DOMINANT = 0.9  # share of all variance
TINY_SHARE = 0.05  # of the rows that an average cluster has
CLOSE = 2.0  # standard deviations between two centres; two halves of one Gaussian are 2.6 apart
REMOTE = 6.0  # root mean squares from the centre
WEAK = 0.25  # Kaufman and Rousseeuw (1990), table 4: below it, no substantial structure
FEW = 20  # clusters that a message names


@dataclass(frozen=True, slots=True)
class Facts:
    """The parts of a report that the questions look at."""

    data: Data
    settings: Settings
    course: Course
    dispersion: Dispersion
    features: Sequence[Feature]
    clusters: Sequence[Cluster]
    silhouette: Silhouette
    strangers: int  # rows whose nearest centre is not the one in labels_
    best_k: int | None  # what a sweep prefers


def advice(facts: Facts) -> tuple[Warned, ...]:
    """Return all that is to be said, in the order of the table."""
    return tuple(found for question in QUESTIONS for found in question(facts))


def not_converged(facts: Facts) -> Iterator[Warned]:
    """Warn if the iterations ended before the centres came to rest."""
    course = facts.course
    if course.converged is False:
        moved = (
            f" {course.history[-1].moved:,} rows moved in the last one." if course.history else ""
        )
        yield Warned(
            "not_converged",
            f"Not converged: after {course.iterations} iterations {course.why}.{moved} "
            "The centres were still moving; raise max_iter, or accept them as they are.",
        )


def empty_clusters(facts: Facts) -> Iterator[Warned]:
    """Warn of centres without rows."""
    empty = [c.label for c in facts.clusters if c.size == 0]
    if empty:
        yield Warned(
            "empty_clusters",
            f"{_clusters(empty)} {_has(empty)} no rows: there are fewer distinct rows than "
            "centres, or the model was fitted on other rows.",
            tuple(empty),
        )


def strange_labels(facts: Facts) -> Iterator[Warned]:
    """Warn if the model's own labels are not those of its predict."""
    if facts.strangers:
        yield Warned(
            "strange_labels",
            f"The model's labels_ differ from its predict on {facts.strangers:,} of these rows. "
            "This report uses predict.",
        )


def dominant_feature(facts: Facts) -> Iterator[Warned]:
    """Warn if one feature holds nearly all of the variance."""
    if len(facts.features) < 2:
        return
    largest = max(facts.features, key=lambda feature: feature.share or 0.0)
    if (largest.share or 0.0) > DOMINANT:
        yield Warned(
            "dominant_feature",
            f"One feature dominates: {largest.name!r} holds {_percent(largest.share)} of all "
            "variance, so the clusters are cut along it almost alone. If that is not meant, scale "
            "the features first, for example with StandardScaler.",
        )


def constant_features(facts: Facts) -> Iterator[Warned]:
    """Warn of features without any variance."""
    names = [feature.name for feature in facts.features if feature.minimum == feature.maximum]
    if names and len(facts.features) > 1:
        shown = ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        yield Warned(
            "constant_features",
            f"{len(names):,} of {len(facts.features):,} features never vary ({shown}); they "
            "contribute nothing.",
        )


def tiny_clusters(facts: Facts) -> Iterator[Warned]:
    """Warn of clusters with hardly any rows."""
    few = max(1.0, TINY_SHARE * facts.data.n_samples / len(facts.clusters))
    tiny = [c.label for c in facts.clusters if 0 < c.size <= few]
    if tiny and facts.data.n_samples > 3 * len(facts.clusters):
        sizes = sum(facts.clusters[label].size for label in tiny)
        yield Warned(
            "tiny_clusters",
            f"{_clusters(tiny)} {_has(tiny)} only {_rows(sizes)} of {facts.data.n_samples:,}"
            f"{' together' if len(tiny) > 1 else ''}: outliers, or a group that deserves a look.",
            tuple(tiny),
        )


def near_duplicates(facts: Facts) -> Iterator[Warned]:
    """Warn of centres that lie within each other's clouds."""
    told = set()
    for cluster in facts.clusters:
        close = cluster.gap is not None and cluster.gap < CLOSE
        pair = tuple(sorted((cluster.label, cluster.neighbor or 0)))
        if close and pair not in told:
            told.add(pair)
            yield Warned(
                "near_duplicates",
                f"Clusters {pair[0]} and {pair[1]} are nearly one: their centres are only "
                f"{cluster.gap:.1f} standard deviations apart. Fewer clusters may say the same.",
                pair,
            )


def remote_rows(facts: Facts) -> Iterator[Warned]:
    """Warn of rows very far from every centre."""
    remote = [
        c.label
        for c in facts.clusters
        if c.radius is not None and c.spread is not None and c.radius > REMOTE * c.spread > 0.0
    ]
    if remote:
        worst = max((facts.clusters[label] for label in remote), key=lambda c: c.radius or 0.0)
        place = worst.outliers[0]
        yield Warned(
            "remote_rows",
            f"{_clusters(remote)} {_has(remote)} rows more than {REMOTE:g} times as far from the "
            f"centre as usual; the farthest is row {place.name} in cluster {worst.label}. Outliers "
            "pull means towards them: check these rows, or try metric='manhattan'.",
            tuple(remote),
        )


def weak_structure(facts: Facts) -> Iterator[Warned]:
    """Warn if the clusters are hardly separated at all."""
    mean = facts.silhouette.mean
    if mean is not None and mean < WEAK:
        yield Warned(
            "weak_structure",
            f"The clusters are hardly separated: the mean silhouette is {mean:.2f}, and below "
            f"{WEAK} there is no substantial structure. Treat them as a partition of the rows, "
            "not as groups that the data show.",
        )


def another_k(facts: Facts) -> Iterator[Warned]:
    """Warn if the sweep prefers another number of clusters."""
    if facts.best_k is not None and facts.best_k != facts.settings.n_clusters:
        yield Warned(
            "another_k",
            f"The sweep prefers k = {facts.best_k}; this model has {facts.settings.n_clusters} "
            "clusters.",
        )


QUESTIONS: tuple[Callable[[Facts], Iterator[Warned]], ...] = (
    not_converged,
    empty_clusters,
    strange_labels,
    dominant_feature,
    constant_features,
    tiny_clusters,
    near_duplicates,
    remote_rows,
    weak_structure,
    another_k,
)


def _clusters(labels: list[int]) -> str:
    if len(labels) == 1:
        return f"Cluster {labels[0]}"
    names = [str(label) for label in labels[:FEW]]
    if len(labels) > FEW:
        return f"Clusters {', '.join(names)} and {len(labels) - FEW} more"
    return f"Clusters {', '.join(names[:-1])} and {names[-1]}"


def _has(labels: list[Any]) -> str:
    return "has" if len(labels) == 1 else "have"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.4g} %"
