"""What the page's scripts draw: a report's pictures as plain lists, with no more digits than shown.

Everything here ends up in one JSON block of the page, so its size is what is looked after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omnimeans._palette import COLORS, INKS
from omnimeans._types import F64
from omnimeans.reports._words import number

if TYPE_CHECKING:
    from omnimeans.reports.record import Report

MOST_FEATURES = 40  # columns of the heat map
MOST_BARS = 25  # features with a bar
MOST_SLICES = 1200  # bars of the silhouette picture
MOST_NAMES = 200_000  # characters of row names
Scene = dict[str, Any]


def scene(report: Report) -> Scene:
    """Return all that is drawn, by the name of its chart."""
    charts: Scene = {"k": report.settings.n_clusters, "colors": list(COLORS)}
    charts["inks"] = list(INKS)
    for name, make in CHARTS.items():
        found = make(report)
        if found is not None:
            charts[name] = found
    return charts


def _map(report: Report) -> Scene:
    view = report.view
    names: list[Any] = list(view.names or ())
    if not names or sum(map(len, names)) > MOST_NAMES:
        names = view.rows.tolist()
    return {
        "x": _short(view.points[:, 0]),
        "y": _short(view.points[:, 1]),
        "label": view.labels.tolist(),
        "row": names,
        "cx": _short(view.centers[:, 0]),
        "cy": _short(view.centers[:, 1]),
        "axes": list(view.axes),
        "flat": view.axes[1] == "",
        "square": view.explained is not None,
        "sizes": [c.size for c in report.clusters],
    }


def _player(report: Report) -> Scene | None:
    replay = report.replay
    if replay is None:
        return None
    changes = [
        np.flatnonzero(a != b) for a, b in zip(replay.labels, replay.labels[1:], strict=False)
    ]
    return {
        "points": replay.rows.tolist(),
        "first": replay.labels[0].tolist(),
        "changes": [
            [rows.tolist(), after[rows].tolist()]
            for rows, after in zip(changes, replay.labels[1:], strict=True)
        ],
        "cx": [_short(centers[:, 0]) for centers in replay.centers],
        "cy": [_short(centers[:, 1]) for centers in replay.centers],
        "numbers": list(replay.numbers),
        "inertia": [number(value, 6) for value in replay.inertias],
        "values": list(replay.inertias),
        "moved": list(replay.moved),
    }


def _sizes(report: Report) -> Scene:
    return {"size": [c.size for c in report.clusters], "share": [c.share for c in report.clusters]}


def _heat(report: Report) -> Scene | None:
    if report.settings.n_clusters < 2:
        return None
    chosen = strongest(report, MOST_FEATURES)
    return {
        "z": [_short(row) for row in report.z_scores[:, chosen]],
        "center": [[number(v) for v in row] for row in report.centers[:, chosen].tolist()],
        "names": [report.data.feature_names[j] for j in chosen],
    }


def strongest(report: Report, most: int) -> list[int]:
    """Return the features that the clusters explain best, in the order of the data."""
    explained = np.array([feature.explained or 0.0 for feature in report.features])
    chosen: list[int] = np.sort(np.argsort(-explained, kind="stable")[:most]).tolist()
    return chosen


def _bars(report: Report) -> Scene | None:
    if report.settings.n_clusters < 2:
        return None
    ranked = sorted(report.features, key=lambda f: -(f.explained or 0.0))[:MOST_BARS]
    return {
        "names": [feature.name for feature in ranked],
        "explained": [feature.explained or 0.0 for feature in ranked],
        "f": [number(feature.f_ratio) for feature in ranked],
    }


def _silhouette(report: Report) -> Scene | None:
    found = report.silhouette
    if found.mean is None:
        return None
    slices = []
    for label in range(report.settings.n_clusters):
        values = np.sort(found.values[found.labels == label])
        most = max(2, MOST_SLICES * len(values) // len(found.values))
        places = np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)
        slices.append(_short(values[places]) if len(values) else [])
    return {"slices": slices, "mean": round(found.mean, 4)}


def _convergence(report: Report) -> Scene | None:
    history = report.course.history
    if not history:
        return None
    return {
        "inertia": [step.inertia for step in history],
        "moved": [step.moved for step in history],
    }


def _agreement(report: Report) -> Scene | None:
    agreement = report.agreement
    if agreement is None:
        return None
    return {
        "classes": list(agreement.classes),
        "clusters": list(agreement.clusters),
        "counts": agreement.contingency.tolist(),
    }


def _sweep(report: Report) -> list[Scene] | None:
    found = report.sweep
    if found is None:
        return None
    return [
        {"name": name, "ks": list(found.ks), "values": list(values)}
        | ({"errors": list(found.errors[name])} if name in found.errors else {})
        for name, values in found.scores.items()
    ]


def _short(values: F64) -> list[float]:
    """Return values with as many digits as a picture can show."""
    finite = values[np.isfinite(values)]
    span = float(np.ptp(finite)) if len(finite) else 0.0
    digits = 4 if span == 0.0 else int(4 - np.floor(np.log10(span)))
    return [round(value, digits) for value in values.tolist()]


CHARTS = {
    "map": _map,
    "player": _player,
    "sizes": _sizes,
    "heat": _heat,
    "bars": _bars,
    "silhouette": _silhouette,
    "convergence": _convergence,
    "agreement": _agreement,
    "sweep": _sweep,
}
