"""The figures of a report, from what one look at the rows has measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans._rows import plain
from omnimeans._types import F64, I32, I64
from omnimeans.estimators import KMeans
from omnimeans.metrics import AGREEMENT, contingency_matrix, silhouette_samples
from omnimeans.reports._given import Given
from omnimeans.reports._measure import Away, Moments, farthest, simplified_silhouettes
from omnimeans.reports._view import sample
from omnimeans.reports.drawn import Silhouette
from omnimeans.reports.records import Agreement, Cluster, Dispersion, Feature, Mark, Place

MOST_SILHOUETTES = 4000  # rows of the sample; its square of distances is computed
MARKS = 5  # features that are named for each cluster
MEASURES = {
    "euclidean": "sum of squares",
    "manhattan": "sum of city-block distances",
    "cosine": "sum of 1 - cosine",
}


def dispersion(seen: Given, away: Away, inside: Moments) -> Dispersion:
    within = seen.engine.total(away.own, seen.weights)
    if seen.distance.name == "euclidean":
        total = float(inside.total.sum())
    else:
        whole = KMeans(
            1, metric=seen.distance.name, n_threads=getattr(seen.model, "n_threads", None)
        )
        total = whole.fit(seen.seen, sample_weight=seen.weights).inertia_
    return Dispersion(
        measure=MEASURES.get(seen.distance.name, f"sum of {seen.distance.name} distances"),
        total=total,
        within=within,
        between=total - within,
        explained=(total - within) / total if total > 0.0 else None,
    )


def features(seen: Given, inside: Moments, described: Moments) -> tuple[Feature, ...]:
    total, between = described.total, described.between
    weight = described.weights.sum()
    occupied = int(np.count_nonzero(described.weights))
    f_ratios = f_ratio(between, described.scatter.sum(axis=0), occupied - 1, weight - occupied)
    mean, std = described.mean, described.std
    everything = inside.total.sum()
    shares = inside.total / everything if everything > 0.0 else np.full(len(inside.total), np.nan)
    if len(shares) != len(mean):  # a pipeline has made other features
        shares = np.full(len(mean), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = between / total
    return tuple(
        Feature(
            name=name,
            mean=float(mean[j]),
            std=float(std[j]),
            minimum=float(described.least[j]),
            maximum=float(described.most[j]),
            share=_number(shares[j]),
            explained=_number(explained[j]),
            f_ratio=_number(f_ratios[j]),
        )
        for j, name in enumerate(seen.names)
    )


def f_ratio(between: F64, within: F64, above: float, below: float) -> F64:
    """Return the F ratios of a one-way analysis of variance (R. A. Fisher, 1925), or NaN."""
    if above <= 0 or below <= 0:
        return np.full(np.shape(between), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: F64 = (between / above) / (within / below)
    return ratio


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def silhouette(
    seen: Given, away: Away, members: list[I64], random_state: int
) -> tuple[Silhouette, F64]:
    """Return the silhouettes of a sample, and the simplified ones of all rows."""
    simplified = simplified_silhouettes(away)
    rows = sample(members, MOST_SILHOUETTES, random_state)
    labels = seen.labels[rows]
    found = len(np.unique(labels))
    values = np.zeros(len(rows))
    defined = 1 < found < len(rows)
    if defined:
        values = silhouette_samples(plain(seen.seen[rows]), labels, metric=seen.distance.name)
    mean = float(np.average(values, weights=None if seen.weights is None else seen.weights[rows]))
    whole = seen.engine.total(simplified, seen.weights) / _weight(seen)
    return Silhouette(
        mean=mean if defined else None,
        simplified=whole if seen.k > 1 else None,
        n_sampled=len(rows),
        rows=rows,
        values=values,
        labels=labels,
    ), simplified


def _weight(seen: Given) -> float:
    return float(seen.n if seen.weights is None else seen.weights.sum())


def clusters(
    seen: Given,
    away: Away,
    described: Moments,
    members: list[I64],
    centers: F64,
    z: F64,
    silhouette: Silhouette,
    simplified: F64,
    examples: int,
) -> tuple[Cluster, ...]:
    """Return one record per cluster."""
    apart = _one_against_the_rest(described)
    weights = described.weights
    return tuple(
        Cluster(
            label=j,
            size=len(rows),
            weight=float(weights[j]),
            share=float(weights[j] / weights.sum()),
            within=seen.engine.total(away.own[rows], _of(seen.weights, rows)),
            spread=_mean(away.near[rows] ** 2, _of(seen.weights, rows), root=True),
            radius=float(away.near[rows[-1]]) if len(rows) else None,
            neighbor=int(away.neighbors[j]) if seen.k > 1 else None,
            neighbor_distance=_number(away.apart[j]),
            gap=_number(away.gaps[j]),
            silhouette=_mean_of_sample(silhouette, j, seen.weights),
            simplified_silhouette=(
                _mean(simplified[rows], _of(seen.weights, rows)) if seen.k > 1 else None
            ),
            marks=_marks(seen.names, centers[j], z[j], apart[j]) if seen.k > 1 else (),
            exemplars=_places(seen, away, rows[:examples]),
            outliers=_places(seen, away, farthest(rows, away.own, examples)),
        )
        for j, rows in enumerate(members)
    )


def _one_against_the_rest(described: Moments) -> F64:
    """Return the F ratios (k, p) of each cluster against all other rows."""
    weights, total = described.weights, described.total
    everything = weights.sum()
    rest = np.maximum(everything - weights, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (weights * everything / rest)[:, None] * (described.means - described.mean) ** 2
    within = np.maximum(total - between, 0.0)
    return f_ratio(between, within, 1, everything - 2)


def _marks(names: tuple[str, ...], center: F64, z: F64, ratios: F64) -> tuple[Mark, ...]:
    strength = np.where(np.isnan(ratios), -1.0, ratios)
    chosen = np.lexsort((-np.abs(z), -strength))[:MARKS]
    return tuple(
        Mark(names[i], float(center[i]), float(z[i]), _number(ratios[i]))
        for i in chosen
        if strength[i] > 0.0
    )


def _places(seen: Given, away: Away, rows: I64) -> tuple[Place, ...]:
    return tuple(Place(int(row), seen.name_of(row), float(away.near[row])) for row in rows)


def _mean_of_sample(silhouette: Silhouette, label: int, weights: F64 | None) -> float | None:
    mine = silhouette.labels == label
    if silhouette.mean is None or not mine.any():
        return None
    return float(np.average(silhouette.values[mine], weights=_of(weights, silhouette.rows[mine])))


def _mean(values: F64, weights: F64 | None, *, root: bool = False) -> float | None:
    if not len(values):
        return None
    mean = float(np.average(values, weights=weights))
    return float(np.sqrt(mean)) if root else mean


def _of(weights: F64 | None, rows: I64) -> F64 | None:
    return None if weights is None else weights[rows]


def agreement(y: Any, labels: I32) -> Agreement:
    """Return how the clusters agree with known classes."""
    contingency = contingency_matrix(y, labels)
    scores = {}
    for name, score in AGREEMENT.items():
        value: Any = score.function(y, labels)
        if np.ndim(value) == 0:
            scores[name] = float(value)
    return Agreement(
        classes=tuple(str(name) for name in np.unique(np.asarray(y))),
        clusters=tuple(int(label) for label in np.unique(labels)),
        contingency=contingency,
        scores=scores,
    )
