"""The command line of the benchmark: parse, measure, print, save."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import machine, measure, modes, peers, plot, table, targets, workloads
from bench.records import Report

PAIRS = {False: 5, True: 3}  # by quick
PARTIAL = machine.ROOT / "build" / "bench"  # where partial results go, so that they replace none
WIDTH = 120  # columns, where the output is not a terminal


def main(
    only: Annotated[
        str, typer.Option(help="workloads: keys, letters or 'marks', e.g. a,g-mnist,n")
    ] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="reduced sizes, under two minutes")
    ] = False,
    threads: Annotated[int, typer.Option(help="threads of every library")] = 1,
    libraries: Annotated[
        str, typer.Option("--peers", help="libraries beside omnimeans, e.g. sklearn,faiss")
    ] = "",
    mode: Annotated[
        str, typer.Option(help=f"what to measure: {', '.join(modes.MODES)}")
    ] = "iterations",
    pairs: Annotated[int, typer.Option(help="rounds of pairs (0: 5, or 3 with --quick)")] = 0,
    seeds: Annotated[int, typer.Option(help="seeds in mode seeding")] = 5,
    out: Annotated[
        str, typer.Option(help="folder of the results (default: bench, or build/bench if partial)")
    ] = "",
) -> None:
    """Time omnimeans and its peers on the same data from the same start."""
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    try:
        chosen_mode = modes.find(mode)
        everything = "quick" if quick and mode == "iterations" else chosen_mode.workloads
        chosen = workloads.select(only or everything)
        chosen = [w.reduced() if quick else w for w in modes.fitting(chosen_mode, chosen)]
        settings = modes.Settings(peers.select(libraries), threads, pairs or PAIRS[quick], seeds)
        cores = measure.cores_for(max(2, threads) if mode == "threads" else threads)
    except ValueError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    partial = bool(quick or only or libraries or settings.pairs < PAIRS[False])
    folder = Path(out) if out else PARTIAL if partial else machine.ROOT / "bench"

    peak, how = machine.peak(cores)
    header = {**machine.describe(threads, cores), "arithmetic peak": how}
    report = Report(mode, quick, header, peak)
    table.show_header(report, console)
    try:
        for workload in chosen:
            with console.status(f"({workload.key}) {workload.title} ..."):
                rows = modes.run(chosen_mode, workload, settings)
            report.rows += modes.with_shares(rows, peak)
            table.show_rows(report.rows[-len(rows) :], console)
            table.save(report, folder)  # an interrupted run keeps what it has
    except KeyboardInterrupt:
        console.print(f"interrupted in workload {workload.key}; the rest is kept", style="red")
    if peak is not None:
        again, _ = machine.peak(cores)
        report.peak = peak.best(again)
        report.rows = modes.with_shares(report.rows, report.peak)
    if threads == 1:  # the targets are set for one thread
        report.verdicts = targets.judge(mode, report.rows, report.peak)
    pictures = plot.PICTURES[mode](report, folder) if mode in plot.PICTURES else []
    files = table.save(report, folder, pictures[0].name if pictures else None) + pictures
    table.show_verdicts(report, console)
    console.print("saved: " + ", ".join(map(str, files)), markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
