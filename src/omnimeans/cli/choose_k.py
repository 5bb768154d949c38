"""``omnimeans choose-k``: how many clusters there are, or that there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input

if TYPE_CHECKING:
    from omnimeans.selection import Sweep

DRAWN = ("inertia", "gap", "silhouette", "stability")


@grouped
def choose_k(
    data: Data,
    input: Input,
    k: Annotated[
        str, typer.Option("--k", "-k", metavar="K", help="Numbers to try, such as 1-20, or auto.")
    ] = "auto",
    scale: Annotated[str, typer.Option(help="standard, robust or none, as for fit.")] = "none",
    metric: Annotated[str, typer.Option(help="euclidean, manhattan or cosine.")] = "euclidean",
    references: Annotated[
        int, typer.Option(min=0, help="Data sets without clusters, for the gap statistic.")
    ] = 20,
    subsamples: Annotated[
        int, typer.Option(min=0, help="Halves of the rows, for the stability.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random draws.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; by default what this machine offers.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", "-t", metavar="FILE", help="The scores as a table in a file."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="The scores as a picture: .png, .svg or .pdf."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Write over files.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress.")] = False,
) -> None:
    """Try a range of numbers of clusters, score each, and say which it should be, and how sure.

    The verdict rests on several scores, never on the bend of a curve alone; it may be that there is
    no clear number, or no clusters at all.

    Example: omnimeans choose-k iris.csv --k 1-10 --scale standard --plot iris-k.svg
    """
    from omnimeans.cli._answer import data_record
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._k import parse_k, sensible_range, sweep_further
    from omnimeans.cli._output import Outputs
    from omnimeans.cli._pictures import check_suffix
    from omnimeans.cli._scales import check_scale, find, warn_of_scales
    from omnimeans.cli._talk import Talk
    from omnimeans.tables import table_bytes

    tried = parse_k(k)
    if isinstance(tried, int):
        raise UsageError(f"--k {k} leaves nothing to choose; give a range such as 1-{max(k, '10')}")
    check_scale(scale)
    talk, outputs = Talk(quiet), Outputs(force)
    outputs.announce("table", table)
    if plot is not None:
        check_suffix(plot)
        outputs.announce("picture", plot)
    if json and outputs.to_stdout:
        raise UsageError("--json and an output named - both want standard output; name a file")
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        read, found = input.load(data)
        talk.note([*read.notes, *found.notes])
        ks = tried or sensible_range(len(found.X))
        if ks is None:
            raise ValueError(
                f"{data} has {len(found.X)} rows to cluster, too few to choose a number of "
                "clusters by; --k 1-2 tries all the same"
            )
        scaling = find(scale, found, threads)
        warn_of_scales(found, scaling, talk)
        with talk.listening():
            swept = sweep_further(
                scaling.apply(found.X),
                ks,
                found.weights,
                fixed=tried is not None,
                metric=metric,
                seed=seed,
                threads=threads,
                steps=steps,
                n_references=references,
                n_subsamples=subsamples,
            )
        if table is not None:
            outputs.fill(
                "table", table_bytes(_columns(swept), Path("x.csv") if str(table) == "-" else table)
            )
        if plot is not None:
            outputs.fill("picture", _picture(swept, plot.suffix.lower()))
    record: dict[str, Any] = {
        **data_record(read, found),
        "scale": scale,
        "seed": seed,
        **swept.to_dict(),
        "notes": talk.notes,
        "warnings": talk.warnings,
    }
    record["files"] = outputs.publish()
    if json:
        from omnimeans.cli._printing import as_json

        typer.echo(as_json(record))
        return
    typer.echo(str(swept), err=outputs.to_stdout)
    if swept.verdict.knee is not None:
        knee = f"The inertia bends most at k = {swept.verdict.knee}; it bends without clusters too."
        typer.echo(knee, err=outputs.to_stdout)
    for what, path in record["files"].items():
        if path != "-":
            typer.echo(f"{what} -> {path}")


def _columns(swept: Sweep) -> dict[str, Any]:
    """Return the scores column by column; a score that is not defined stays empty."""
    import numpy as np

    out: dict[str, Any] = {}
    for name, values in swept.columns().items():
        gone = [value is None for value in values]
        array = np.array([0.0 if value is None else value for value in values])
        out[name] = np.ma.MaskedArray(array, gone) if any(gone) else array
    return out


def _picture(swept: Sweep, suffix: str) -> bytes:
    """Draw the scores over k, one below the other."""
    from omnimeans._optional import need
    from omnimeans.cli._pictures import saved
    from omnimeans.plots import sweep

    matplotlib = need("matplotlib", extra="plot")
    figure = need("matplotlib.figure", extra="plot").Figure((6.4, 9.6), layout="constrained")
    shown = [name for name in DRAWN if any(getattr(row, name) is not None for row in swept.rows)]
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for ax, name in zip(axes, shown, strict=True):
        sweep(swept, name, ax=ax).set(title="", xlabel="")
    axes[-1].set_xlabel("number of clusters")
    return saved(matplotlib, figure, suffix)
