"""The pictures: how many times slower each library is than omnimeans, and how cost grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.records import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = {"sklearn": "o", "elkan": "v", "intelex": "s", "faiss": "D", "broadcast": "X"}
SMALL = 300_000  # bytes; a larger file is not worth keeping beside the code


def draw(report: Report, folder: Path) -> list[Path]:
    """Save a dot plot as SVG and PNG; return the files (none where there is nothing to compare)."""
    rows = [r for r in report.rows if r.library in MARKERS and r.ratio]
    if not rows:
        return []
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    keys = list(dict.fromkeys(row.workload for row in rows))
    first = {row.workload: row for row in reversed(rows)}
    labels = [
        f"({key}) {first[key].title}  {first[key].n:,}x{first[key].d} k={first[key].k:,}"
        + (" f64" if first[key].dtype == "float64" else "")
        for key in keys
    ]
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "omnimeans", "font.size": 9}):
        figure, ax = plt.subplots(figsize=(8.5, 1.2 + 0.27 * len(keys)), layout="constrained")
        ax.axvline(1.0, color="black", linewidth=1.2, label="omnimeans")
        for library, marker in MARKERS.items():
            mine = [row for row in rows if row.library == library]
            if mine:
                ax.plot(
                    [row.ratio or 1.0 for row in mine],
                    [keys.index(row.workload) for row in mine],
                    marker, markersize=5, alpha=0.85, label=library,
                )  # fmt: skip
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_yticks(range(len(keys)), labels)
        ax.set_ylim(len(keys) - 0.5, -0.5)
        ax.set_xlabel("time relative to omnimeans (right of the line: slower)")
        ax.grid(axis="both", alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside lower center", ncols=6, frameon=False)
        threads = report.header["threads"]
        ax.set_title(f"{threads} thread(s), {report.header['processor']}", fontsize=9, loc="left")
        files = _saved(figure, report, folder)
        plt.close(figure)
    return files


def draw_growth(report: Report, folder: Path) -> list[Path]:
    """Save one curve per size that varies; return the files."""
    rows = [row for row in report.rows if row.seconds and "=" in row.workload]
    if not rows:
        return []
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    axes_of = list(dict.fromkeys(row.workload.split("=")[0] for row in rows))
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "omnimeans", "font.size": 9}):
        figure, axes = plt.subplots(
            1, len(axes_of), figsize=(3.4 * len(axes_of), 3.2), layout="constrained", squeeze=False
        )
        for ax, axis in zip(axes[0], axes_of, strict=True):
            mine = [row for row in rows if row.workload.startswith(f"{axis}=")]
            for library in dict.fromkeys(row.library for row in mine):
                points = [
                    (int(row.workload.split("=")[1]), 1e3 * (row.seconds or 0.0))
                    for row in mine
                    if row.library == library
                ]
                ax.plot(*zip(*points, strict=True), marker="o", markersize=4, label=library)
            fixed = mine[0]
            sizes = {"n": fixed.n, "d": fixed.d, "k": fixed.k}
            ax.set_title(
                ", ".join(f"{name} = {value:,}" for name, value in sizes.items() if name != axis),
                fontsize=9,
            )
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_xlabel(axis)
            ax.grid(alpha=0.25)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0][0].set_ylabel("milliseconds for 20 iterations")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        files = _saved(figure, report, folder)
        plt.close(figure)
    return files


def _saved(figure: Figure, report: Report, folder: Path) -> list[Path]:
    files = []
    for kind, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 110})):
        file = folder / f"results{report.suffix}.{kind}"
        figure.savefig(file, **options)  # type: ignore[arg-type]
        if file.stat().st_size <= SMALL:
            files.append(file)
        else:
            file.unlink()
    return files


PICTURES = {"iterations": draw, "fits": draw, "growth": draw_growth}
