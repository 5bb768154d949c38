"""A report in a notebook: the main figures, the warnings, three drawings and the clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnimeans._card import bars, card, dots, line, note, row, table
from omnimeans.reports._words import counted, number, percent

if TYPE_CHECKING:
    from omnimeans.reports.record import Report

MOST_DOTS = 500


def report_card(report: Report) -> str:
    """Return the card of a report."""
    data, course, view = report.data, report.course, report.view
    facts = [
        ("explained", percent(report.dispersion.explained)),
        ("within", number(report.dispersion.within, 6)),
        ("silhouette", number(report.silhouette.mean, 3)),
        ("iterations", "-" if course.iterations is None else str(course.iterations)),
        ("stopped", course.why),
    ]
    chosen = np.linspace(0, len(view.rows) - 1, min(len(view.rows), MOST_DOTS)).astype(int)
    drawings = [
        dots(view.points[chosen], view.labels[chosen], view.centers, "rows and centres"),
        bars([c.size for c in report.clusters], "rows in each cluster"),
    ]
    if len(course.history) > 1:
        steps = range(1, len(course.history) + 1)
        inertias = [step.inertia for step in course.history]
        drawings.append(line(steps, inertias, "inertia of each iteration"))
    lines = [
        [
            str(c.label),
            f"{c.size:,}",
            percent(c.share),
            number(c.spread),
            number(c.radius),
            number(c.silhouette, 3),
            ", ".join(mark.feature for mark in c.marks[:3]),
        ]
        for c in report.clusters
    ]
    heads = ("cluster", "rows", "share", "spread", "radius", "silhouette", "set apart by")
    title = (
        f"{counted(report.settings.n_clusters, 'cluster')} of {counted(data.n_samples, 'row')} x "
        f"{counted(data.n_features, 'feature')}, by {report.settings.estimator}"
    )
    warnings = "".join(note(warned.text) for warned in report.warnings)
    return card(title, facts, warnings, row(*drawings), table(heads, lines))
