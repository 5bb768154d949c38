"""``omnimeans predict``: the clusters of new rows, by a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input
from omnimeans.cli._labels import General, LabelFiles


@grouped
def predict(
    data: Data,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="Model that fit has written.")
    ],
    input: Input,
    files: LabelFiles,
    general: General,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; by default what this machine offers.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory to keep within, such as 2GiB; a file that takes more is read in blocks.",
        ),
    ] = None,
) -> None:
    """Find the nearest centre of each row, by a model that fit has written.

    The columns are found by their names, the scale is the model's.  With no output named, labels go
    into a file beside the data, or to standard output if the data come from standard input.

    Example: omnimeans predict new.csv --model data-model.safetensors --table labelled.csv
    """
    from dataclasses import replace

    from omnimeans.cli import _labels
    from omnimeans.cli._answer import clusters_record, data_record, explained, show
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._large import open_large
    from omnimeans.cli._model import Model
    from omnimeans.cli._names import beside, labels_suffix
    from omnimeans.cli._output import Outputs
    from omnimeans.cli._talk import Talk

    talk, outputs = Talk(general.quiet), Outputs(general.force)
    fitted = Model.from_file(model)
    fitted.estimator.n_threads = threads
    if not files.named:
        files = replace(files, labels=beside(data, "labels", labels_suffix(data, input.format)))
    _labels.announce(outputs, files, str(data))
    if general.json and outputs.to_stdout:
        raise UsageError("--json and an output named - both want standard output; name a file")
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        large = open_large(data, input, memory, fitted.names)
        if large is not None and (files.table or files.distances):
            raise UsageError("--table and --distances need all rows in memory; --labels does not")
        if large is None:
            table, found = input.load(data, fitted.names, fitted.ids)
        else:
            table, found = large.table, large.found
        seen = large.seen if large else found
        talk.note([*table.notes, *found.notes])
        steps.begin("labelling")
        with talk.listening():
            rows = large.scaled(fitted.scaling) if large else fitted.scaling.apply(found.X)
            labels = fitted.estimator.predict(rows)
        steps.begin("writing")
        _labels.fill(outputs, files, table, found, fitted, labels)
    record = data_record(table, found) | {
        "model": str(model),
        "k": fitted.k,
        "scale": fitted.scaling.kind,
        "metric": fitted.estimator.metric,
        "clusters": clusters_record(fitted, labels, found),
        "explained": explained(fitted, fitted.predict(seen.X) if large else labels, seen),
        "notes": talk.notes,
        "warnings": talk.warnings,
    }
    record["files"] = outputs.publish()
    if not (outputs.to_stdout and general.quiet):
        show(record, general.json, stderr=outputs.to_stdout)
