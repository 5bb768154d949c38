"""The tables of a report as columns, for data frames and pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omnimeans._types import F64
    from omnimeans.reports.record import Report

Columns = dict[str, list[Any]]


def columns(report: Report, table: str) -> Columns:
    """Return one of the tables in `TABLES`."""
    found: Columns = MAKERS[table](report)
    return found


def _clusters(report: Report) -> Columns:
    plain = (
        "size",
        "weight",
        "share",
        "within",
        "spread",
        "radius",
        "neighbor",
        "neighbor_distance",
        "gap",
        "silhouette",
        "simplified_silhouette",
    )
    made: Columns = {"cluster": [c.label for c in report.clusters]}
    made |= {name: [getattr(c, name) for c in report.clusters] for name in plain}
    made["set_apart_by"] = [", ".join(m.feature for m in c.marks[:3]) for c in report.clusters]
    return made


def _features(report: Report) -> Columns:
    names = ("name", "mean", "std", "minimum", "maximum", "share", "explained", "f_ratio")
    return {name: [getattr(feature, name) for feature in report.features] for name in names}


def _matrix(report: Report, values: F64) -> Columns:
    made: Columns = {"cluster": [c.label for c in report.clusters]}
    for j, name in enumerate(report.data.feature_names):
        made[_free(name, made)] = values[:, j].tolist()
    return made


def _free(name: str, taken: Columns) -> str:
    """Return a name that is not taken yet: a data frame has each name once."""
    while name in taken:
        name += "_"
    return name


def _examples(report: Report) -> Columns:
    made: Columns = {name: [] for name in ("cluster", "kind", "rank", "row", "name", "distance")}
    for cluster in report.clusters:
        for kind, places in (("exemplar", cluster.exemplars), ("outlier", cluster.outliers)):
            for rank, place in enumerate(places, start=1):
                line = (cluster.label, kind, rank, place.row, place.name, place.distance)
                for column, value in zip(made.values(), line, strict=True):
                    column.append(value)
    return made


def _history(report: Report) -> Columns:
    steps = report.course.history
    made: Columns = {"iteration": list(range(1, len(steps) + 1))}
    names = ("inertia", "moved", "shift", "seconds")
    return made | {name: [getattr(step, name) for step in steps] for name in names}


MAKERS = {
    "clusters": _clusters,
    "features": _features,
    "centers": lambda report: _matrix(report, report.centers),
    "z_scores": lambda report: _matrix(report, report.z_scores),
    "examples": _examples,
    "history": _history,
}
