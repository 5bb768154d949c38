"""A report as plain text, for a terminal or a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omnimeans.reports._words import counted, number, percent

if TYPE_CHECKING:
    from omnimeans.reports.record import Report

WIDTH = 96
MOST_CLUSTERS = 50
MOST_FEATURES = 15
MOST_CLASSES = 12


def as_text(report: Report) -> str:
    """Return the report, section by section."""
    described = (_head, _warnings, _clusters, _apart, _features, _examples)
    sections = (*described, _agreement, _sweep, _settings)
    parts = ["\n".join(section(report)) for section in sections]
    return "\n\n".join(part for part in parts if part)


def _head(report: Report) -> Iterator[str]:
    data, dispersion = report.data, report.dispersion
    clusters = counted(report.settings.n_clusters, "cluster")
    before = "".join(f"{step}, " for step in report.settings.steps_before)
    yield (
        f"{clusters} of {counted(data.n_samples, 'row')} x {counted(data.n_features, 'feature')}, "
        f"by {before}{report.settings.estimator}"
    )
    if data.weight is not None:
        yield f"The rows weigh {number(data.weight)} together."
    if data.trained_on is False:
        yield "These are other rows than the model was fitted on."
    yield _course(report)
    yield (
        f"{dispersion.measure}: total {number(dispersion.total)} = within "
        f"{number(dispersion.within)} + between {number(dispersion.between)}"
        + (
            f"; {percent(dispersion.explained)} explained"
            if dispersion.explained is not None
            else ""
        )
    )
    silhouette = report.silhouette
    if silhouette.mean is not None:
        on = "" if silhouette.n_sampled == data.n_samples else f" of {silhouette.n_sampled:,} rows"
        yield (
            f"mean silhouette{on} {silhouette.mean:.3f}; simplified, of all rows, "
            f"{silhouette.simplified or 0.0:.3f}"
        )


def _course(report: Report) -> str:
    course = report.course
    words = [] if course.iterations is None else [counted(course.iterations, "iteration")]
    if course.seconds is not None:
        words.append(f"{course.seconds:.3g} s")
    if course.converged is not None:
        words.append("converged" if course.converged else "NOT converged")
    line = ", ".join(words)
    return f"{line}: {course.why}" if line else course.why


def _warnings(report: Report) -> Iterator[str]:
    for warned in report.warnings:
        yield textwrap.fill(f"! {warned.text}", WIDTH, subsequent_indent="  ")


def _clusters(report: Report) -> Iterator[str]:
    header = ("cluster", "rows", "share", "spread", "radius", "nearest", "away", "silhouette")
    lines = [
        (
            str(c.label),
            f"{c.size:,}",
            percent(c.share),
            number(c.spread),
            number(c.radius),
            "-" if c.neighbor is None else str(c.neighbor),
            number(c.neighbor_distance),
            number(c.silhouette if c.silhouette is not None else c.simplified_silhouette, 3),
        )
        for c in report.clusters[:MOST_CLUSTERS]
    ]
    yield from table(header, lines)
    yield from _more(len(report.clusters), MOST_CLUSTERS, "clusters")


def _apart(report: Report) -> Iterator[str]:
    if report.settings.n_clusters < 2:
        return
    yield "What sets each cluster apart (feature, centre, standard deviations from the mean):"
    for cluster in report.clusters[:MOST_CLUSTERS]:
        marks = ", ".join(f"{m.feature} {number(m.center)} ({m.z:+.1f})" for m in cluster.marks[:3])
        yield textwrap.fill(
            f"{cluster.label}: {marks or 'nothing'}", WIDTH, subsequent_indent="   "
        )


def _features(report: Report) -> Iterator[str]:
    ranked = sorted(report.features, key=lambda f: -(f.explained or 0.0))[:MOST_FEATURES]
    header = ("feature", "mean", "std", "share", "explained", "F ratio")
    lines = [
        (
            f.name,
            number(f.mean),
            number(f.std),
            percent(f.share),
            percent(f.explained),
            number(f.f_ratio),
        )
        for f in ranked
    ]
    yield from table(header, lines)
    yield from _more(len(report.features), MOST_FEATURES, "features")


def _examples(report: Report) -> Iterator[str]:
    yield "Rows nearest to the centre, and farthest from it:"
    for cluster in report.clusters[:MOST_CLUSTERS]:
        near, far = (
            ", ".join(f"{place.name} ({number(place.distance)})" for place in places)
            for places in (cluster.exemplars, cluster.outliers)
        )
        yield f"{cluster.label}: {near} | {far}"


def _agreement(report: Report) -> Iterator[str]:
    agreement = report.agreement
    if agreement is None:
        return
    scores = ", ".join(f"{name} {value:.4f}" for name, value in agreement.scores.items())
    yield textwrap.fill(
        f"Agreement with {counted(len(agreement.classes), 'class')}: {scores}", WIDTH
    )
    if len(agreement.clusters) <= MOST_CLASSES:
        header = ("class \\ cluster", *(str(label) for label in agreement.clusters))
        lines = [
            (name, *(f"{count:,}" for count in counts))
            for name, counts in zip(agreement.classes, agreement.contingency, strict=True)
        ]
        yield from table(header, lines)


def _sweep(report: Report) -> Iterator[str]:
    found = report.sweep
    if found is None:
        return
    if found.verdict:
        yield textwrap.fill(found.verdict, WIDTH)
    columns = zip(*found.scores.values(), strict=True)
    lines = [
        (str(k), *(number(value) for value in values))
        for k, values in zip(found.ks, columns, strict=True)
    ]
    yield from table(("k", *found.scores), lines)


def _settings(report: Report) -> Iterator[str]:
    settings = report.settings
    given = [f"{name}={value}" for name, value in settings.parameters.items() if value is not None]
    ran = [name for name in (settings.engine, settings.algorithm) if name]
    by = f"; engine {', '.join(ran)}" if ran else ""
    words = ", ".join([f"metric={settings.metric}", *(g for g in given if g[:7] != "metric=")])
    yield textwrap.fill(
        f"Settings: {words}{by}; {report.data.dtype}; omnimeans {settings.version}",
        WIDTH,
        subsequent_indent="  ",
    )


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay out a table: the first column to the left, the others to the right."""
    cells = [tuple(cell.replace("\n", " ") for cell in line) for line in (header, *lines)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
    for line in cells:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def _more(n: int, shown: int, what: str) -> Iterator[str]:
    if n > shown:
        yield f"... and {n - shown:,} more {what}"
