"""The table, printed and saved: one list of columns serves the terminal and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.modes import MODES
from bench.records import Report, Row, Verdict

UNITS = {
    "iteration": "milliseconds per Lloyd iteration",
    "call": "milliseconds per whole call",
    "fit": "milliseconds per whole fit",
    "seeding": "milliseconds per start",
    "": "not run",
}


@dataclass(frozen=True)
class Column:
    """A heading and how to fill the cells under it; without a width it is not for the terminal."""

    heading: str
    cell: Callable[[Row], str]
    width: int = 0
    right: bool = True


def _number(value: float | None, digits: int) -> str:
    """Write a number with so many digits that count, and no exponent where it can be helped."""
    if value is None:
        return ""
    if value == 0.0 or 1e-3 <= abs(value) < 1e9:
        text = f"{value:.{digits}g}"
        return f"{value:.0f}" if "e" in text else text
    return f"{value:.{digits}g}"


def _milliseconds(row: Row) -> str:
    return "" if row.seconds is None else _number(1e3 * row.seconds, 4)


def _spread(row: Row) -> str:
    if len(row.samples) < 2:
        return ""
    return f"{_number(1e3 * min(row.samples), 3)}..{_number(1e3 * max(row.samples), 3)}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.3g} %"


COLUMNS = [
    Column("workload", lambda r: f"({r.workload}) {r.title}", right=False),
    Column("n x d, k", lambda r: f"{r.n:,} x {r.d}, {r.k:,}" if r.d else "", right=False),
    Column("dtype", lambda r: r.dtype, right=False),
    Column("library", lambda r: r.library, 9, right=False),
    Column("threads", lambda r: str(r.threads), 7),
    Column("ms", _milliseconds, 6),
    Column("min..max", _spread, 12),
    Column("ratio", lambda r: "" if r.ratio is None else f"{r.ratio:.2f}x", 6),
    Column("iter", lambda r: "" if r.iterations is None else str(r.iterations), 4),
    Column("inertia", lambda r: _number(r.inertia, 9), 10),
    Column("GFLOP/s", lambda r: _number(r.gflops, 3), 7),
    Column("of peak", lambda r: _percent(r.share), 7),
    Column("re-decided", lambda r: _percent(r.redecided), 10),
    Column("compared", lambda r: _percent(r.compared), 8),
    Column("note", lambda r: r.note, 1, right=False),
]

VERDICT_COLUMNS: list[tuple[str, Callable[[Verdict], str]]] = [
    ("workload", lambda v: v.workload),
    ("what", lambda v: v.what),
    ("target", lambda v: v.target),
    ("measured", lambda v: _number(v.measured, 3)),
    ("reached", lambda v: {True: "yes", False: "NO", None: "not measured"}[v.reached]),
]


def _filled(rows: list[Row]) -> list[Column]:
    """Return the columns that have something to say about these rows."""
    return [column for column in COLUMNS if any(column.cell(row) for row in rows)]


def _by_unit(report: Report) -> dict[str, list[Row]]:
    return {u: rows for u in UNITS if (rows := [r for r in report.rows if r.unit == u])}


def header(report: Report) -> list[str]:
    """Return the lines that say what was measured, on what, and how."""
    lines = [f"{name}: {value}" for name, value in report.header.items()]
    if report.peak is not None:
        fma, l1 = report.peak.fma, report.peak.l1
        lines.append(
            f"peak of these cores: multiply-add {fma['float32']:.1f} GFLOP/s in float32, "
            f"{fma['float64']:.1f} in float64; |x - c| sums {l1['float32']:.1f} and "
            f"{l1['float64']:.1f} Gop/s; reading memory {report.peak.read:.1f} GB/s"
        )
    if report.quick:
        lines.append(
            "QUICK RUN: some of the workloads, with fewer rows (and clusters) and fewer pairs; "
            "the targets are set for the full sizes"
        )
    return lines


def show_header(report: Report, console: Console) -> None:
    """Print what is measured, on what."""
    for line in header(report):
        console.print(line, style="dim", markup=False, highlight=False)


def show_rows(rows: list[Row], console: Console) -> None:
    """Print the rows of one workload; the terminal's table grows workload by workload."""
    first = rows[0]
    size = f", {first.n:,} x {first.d}, k = {first.k:,}, {first.dtype}" if first.d else ""
    unit = f", {UNITS[first.unit]}" if first.unit else ""
    console.print(f"\n({first.workload}) {first.title}{size}{unit}", style="bold", markup=False)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    threads = len({row.threads for row in rows}) > 1  # in the header otherwise
    shown = [c for c in _filled(rows) if c.width and (c.heading != "threads" or threads)]
    for column in shown:
        side: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.heading, justify=side, min_width=column.width)
    for row in rows:
        style = "cyan" if row.library.startswith("omnimeans") else None
        table.add_row(*(escape(column.cell(row)) for column in shown), style=style)
    console.print(table)


def show_verdicts(report: Report, console: Console) -> None:
    """Print the targets."""
    if not report.verdicts:
        return
    table = Table(title="targets", title_justify="left", box=box.SIMPLE_HEAD)
    for heading, _ in VERDICT_COLUMNS:
        table.add_column(heading)
    for verdict in report.verdicts:
        style = {True: "green", False: "red", None: "dim"}[verdict.reached]
        table.add_row(*(cell(verdict) for _, cell in VERDICT_COLUMNS), style=style)
    console.print(table)


def markdown(report: Report, picture: str | None = None) -> str:
    """Return the report as Markdown."""
    mode = MODES[report.mode]
    parts = [f"# {mode.title}", "", *(f"- {line}" for line in header(report)), ""]
    parts += [METHOD[report.mode], f"The ratio is {mode.compared}: above 1 is slower.", ""]
    if picture:
        parts += [f"![time relative to omnimeans]({picture})", ""]
    for unit, rows in _by_unit(report).items():
        columns = _filled(rows)
        parts += [f"## {UNITS[unit][0].upper()}{UNITS[unit][1:]}", ""]
        cells = [[column.cell(row) for column in columns] for row in rows]
        parts += [*_lines([c.heading for c in columns], [c.right for c in columns], cells), ""]
    if report.mode == "variants":
        parts += ["## Step by step", "", STEPS_SAY, "", *_steps(report.rows), ""]
    if report.verdicts:
        headings = [heading for heading, _ in VERDICT_COLUMNS]
        cells = [[cell(v) for _, cell in VERDICT_COLUMNS] for v in report.verdicts]
        parts += ["## Targets", "", *_lines(headings, [False] * len(headings), cells), ""]
    return "\n".join(parts)


def _steps(rows: list[Row]) -> list[str]:
    """Return the lines of the table that takes one part after the other into use."""
    times: dict[str, dict[str, Row]] = {}
    for row in rows:
        times.setdefault(row.workload, {})[row.library] = row
    cells = [
        [f"({key}) {first.title}"]
        + [_milliseconds(found[name]) if name in found else "" for name in STEPS]
        for key, found in times.items()
        for first in [next(iter(found.values()))]
    ]
    return _lines(["workload", *STEPS.values()], [False] + [True] * len(STEPS), cells)


def _lines(headings: list[str], right: list[bool], rows: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [line(headings), line(["---:" if r else "---" for r in right]), *map(line, rows)]


# Each takes one part more into use; the tree then stands in for bounds, and auto chooses.
STEPS = {
    "omnimeans-anew": "brute force, all sums anew",
    "omnimeans-brute": "+ sums of moved rows only",
    "omnimeans-bounded": "+ rows and blocks skipped by bounds",
    "omnimeans-bounded-coded": "+ eight bits as a screen",
    "omnimeans-tree": "or candidates from boxes",
    "omnimeans": "auto",
}
STEPS_SAY = (
    "Milliseconds again; from left to right each column takes one part more into use, and the tree "
    "of boxes stands in for bounds and eight bits."
)

METHOD = {
    "iterations": (
        "Every library starts from the same k distinct random rows, in a process of its own, "
        "pinned, with tol=0. omnimeans compares every row with every centre here, by `brute` in "
        "float32 and by `coded` in eight bits with a proof. An iteration is the difference between "
        "a long and a short fit, divided by the difference of their iterations; the median over "
        "the pairs, libraries taking turns. Inertia is worked out in float64 from the centres of "
        "the long fit. "
        "`elkan` skips distances, so its GFLOP/s are what brute force would have needed. "
        "`checks` is only scikit-learn's check of the input. Where a library draws its own start, "
        "every round has another seed, and inertia is the mean over the rounds."
    ),
    "threads": (
        "omnimeans with one thread and with more, taking turns; measured as one iteration is."
    ),
    "seeding": (
        "The start alone, by greedy k-means++; seconds are the median and inertia the mean "
        "potential over the seeds, worked out in float64."
    ),
    "fits": (
        "From the same rows until nothing moves (300 iterations at most), tol=0. faiss has no "
        "stopping rule and is left out."
    ),
    "short": (
        "From the same rows, 12 iterations, tol=0, the whole call, with everything that it makes "
        "ready."
    ),
    "growth": (
        "From the same rows, 20 iterations at most, tol=0, on gaussian mixtures of n rows, d "
        "features and k clusters, one of which varies."
    ),
    "variants": (
        "omnimeans alone, from the same rows, tol=0, 60 iterations at most, with every variant "
        "that makes sense for so many features, taking turns; all end with the same bits. "
        '`omnimeans` is algorithm="auto", which changes between the others while it runs.'
    ),
}


def save(report: Report, folder: Path, picture: str | None = None) -> list[Path]:
    """Write the report as JSON and Markdown; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"results{report.suffix}.json"
    text = folder / f"RESULTS{report.suffix}.md"
    data.write_text(json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n")
    text.write_text(markdown(report, picture))
    return [data, text]
