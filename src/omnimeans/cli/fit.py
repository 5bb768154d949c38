"""``omnimeans fit``: from a file to clusters, labels and a model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnimeans.cli._errors import INTERRUPTED
from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input
from omnimeans.cli._k import parse_k, sensible_range, sweep_further
from omnimeans.cli._labels import OUTPUT, General, LabelFiles

if TYPE_CHECKING:
    from omnimeans._types import Floats
    from omnimeans.cli._model import Model
    from omnimeans.cli._talk import Steps, Talk
    from omnimeans.scaling import Scaling
    from omnimeans.selection import Sweep
    from omnimeans.tables import Features

CLUSTERING = "Clustering"
COLOURS = 16  # of a picture, where nothing is said


@dataclass(frozen=True, slots=True)
class Fitting:
    """What to fit, and how."""

    k: Annotated[
        str,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Number of clusters, a range to choose from such as 2-20, or auto.",
            rich_help_panel=CLUSTERING,
        ),
    ] = "auto"
    scale: Annotated[
        str,
        typer.Option(
            help="Bring the columns to one scale: standard (mean, standard deviation), robust "
            "(median, quartiles) or none.",
            rich_help_panel=CLUSTERING,
        ),
    ] = "none"
    metric: Annotated[
        str,
        typer.Option(
            help="euclidean, manhattan (k-medians) or cosine.", rich_help_panel=CLUSTERING
        ),
    ] = "euclidean"
    init: Annotated[
        str,
        typer.Option(
            help="Where to start: k-means++, random, or a file of centres in the data's units.",
            rich_help_panel=CLUSTERING,
        ),
    ] = "k-means++"
    starts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Starts of which the best is kept; by default 10, for a picture or a file that is "
            "read block by block 1.",
            rich_help_panel=CLUSTERING,
        ),
    ] = None
    max_iter: Annotated[
        int, typer.Option(min=1, help="Iterations of a start.", rich_help_panel=CLUSTERING)
    ] = 300
    tol: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="End a start when the centres move less than this share of the columns' variance.",
            rich_help_panel=CLUSTERING,
        ),
    ] = 1e-4
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of all random draws.", rich_help_panel=CLUSTERING)
    ] = 0
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads; by default what this machine offers.  The answer is the same for all.",
            rich_help_panel=CLUSTERING,
        ),
    ] = None
    max_time: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="End the fit then, with the best model so far.",
            rich_help_panel=CLUSTERING,
        ),
    ] = None
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory to keep within, such as 2GiB; a file that takes more is read block by "
            "block.  By default what is free.",
            rich_help_panel=CLUSTERING,
        ),
    ] = None
    resume: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            metavar="FILE",
            help="Keep how far the fit has got in this file, and go on from it if it is there.",
            rich_help_panel=CLUSTERING,
        ),
    ] = None


@grouped
def fit(
    data: Data,
    input: Input,
    fitting: Fitting,
    files: LabelFiles,
    general: General,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            metavar="FILE",
            help="Model file, for predict, evaluate, plot and Python.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Cluster the rows of a file: choose columns and k, fit, print the answer, write the files.

    With no output named, labels and model are written beside the data.

    Example: omnimeans fit iris.csv --scale standard --k 3 --table iris-clusters.csv
    """
    from omnimeans import estimators  # noqa: F401 (its import is no part of the seconds)
    from omnimeans.cli import _labels
    from omnimeans.cli._answer import clusters_record, data_record, explained, model_record, show
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._large import open_large
    from omnimeans.cli._output import Outputs
    from omnimeans.cli._scales import check_scale, find, warn_of_scales
    from omnimeans.cli._talk import Talk

    parse_k(fitting.k)
    check_scale(fitting.scale)
    talk, outputs = Talk(general.quiet), Outputs(general.force)
    if not files.named and model is None:
        files, model = default_outputs(data, files, input.format)
    _labels.announce(outputs, files, str(data))
    outputs.announce("model", model)
    if general.json and outputs.to_stdout:
        raise UsageError("--json and an output named - both want standard output; name a file")
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        large = open_large(data, input, fitting.memory)
        if large is not None and (files.table or files.distances):
            raise UsageError("--table and --distances need all rows in memory; --labels does not")
        table, found = (large.table, large.found) if large else input.load(data)
        seen = large.seen if large else found  # all rows, or those that are looked at beforehand
        talk.note([*table.notes, *found.notes])
        is_picture = table.picture is not None
        began = time.perf_counter()
        scaling = find(fitting.scale, seen, fitting.threads)
        warn_of_scales(seen, scaling, talk)
        near = scaling.apply(seen.X)
        scaled = large.scaled(scaling) if large else near
        with talk.listening():
            k, chosen, swept = number_of_clusters(fitting, is_picture, seen, near, talk, steps)
            ids = tuple(table.names[at] for at in found.ids)
            fitted = fit_model(found, fitting, scaling, scaled, k, is_picture, ids, steps, swept)
        seconds = time.perf_counter() - began
        steps.begin("writing")
        labels = fitted.estimator.labels_
        _labels.fill(outputs, files, table, found, fitted, labels)
        if outputs.wants("model") is not None:
            outputs.fill("model", fitted.to_bytes())
    record: dict[str, Any] = {
        **data_record(table, found),
        **model_record(fitted),
        "k_chosen": chosen,
        "verdict": None if swept is None else str(swept.verdict),
        "sweep": None if swept is None else swept.to_dict(),
        "seed": fitting.seed,
        "seconds": seconds,
        "clusters": clusters_record(fitted, labels, found),
        "explained": explained(fitted, fitted.predict(seen.X) if large else labels, seen),
        "notes": talk.notes,
        "warnings": talk.warnings,
    }
    record["files"] = outputs.publish()
    if not (outputs.to_stdout and general.quiet):
        show(record, general.json, stderr=outputs.to_stdout)
    if talk.interrupted:
        raise typer.Exit(INTERRUPTED)


def default_outputs(
    data: Path, files: LabelFiles, format: str | None
) -> tuple[LabelFiles, Path | None]:
    """Return where labels and model go when nothing is named: beside the data."""
    from omnimeans.cli._names import STDIN, beside, labels_suffix
    from omnimeans.tables import format_of

    if data == STDIN:
        return files, None
    model = beside(data, "model", ".safetensors")
    if (format or format_of(data)) == "picture":
        return replace(files, picture=beside(data, "clusters", ".png")), model
    return replace(files, labels=beside(data, "labels", labels_suffix(data, format))), model


def number_of_clusters(
    fitting: Fitting,
    picture: bool,
    found: Features,
    scaled: Floats,
    talk: Talk,
    steps: Steps,
) -> tuple[int, str | None, Sweep | None]:
    """Return k, how it was chosen if it was not given, and the sweep that chose it."""
    import numpy as np

    from omnimeans.cli._errors import UsageError

    tried = parse_k(fitting.k)
    if isinstance(tried, int):
        return tried, None, None
    if tried is None and picture:
        return COLOURS, "the default for pictures", None
    if np.isnan(scaled).any():
        raise UsageError("numbers of clusters are compared on complete rows; say --k N, or drop")
    ks = tried or sensible_range(len(scaled))
    if ks is None:
        return 1, "too few rows to choose", None
    swept = sweep_further(
        scaled,
        ks,
        found.weights,
        fixed=tried is not None,
        metric=fitting.metric,
        seed=fitting.seed,
        threads=fitting.threads,
        steps=steps,
    )
    verdict, span = swept.verdict, f"among {swept.ks[0]} to {swept.ks[-1]}"
    if verdict.outcome != "clear":
        talk.warn(f"{verdict.outcome} {span}; --k N divides the rows all the same")
        chosen = f"{verdict.outcome} {span}"
    else:
        chosen = f"chosen {span} with {verdict.confidence} confidence"
    structure = None if swept.structure is None else swept.structure.k
    wished = (verdict.k, verdict.leading, structure, swept.ks[0])
    return next(k for k in wished if k is not None and k in swept.ks), chosen, swept


def start_of(fitting: Fitting, scaling: Scaling, names: tuple[str, ...], k: int) -> Any:
    """Return the start: a name, or centres from a file, scaled like the rows."""
    from omnimeans.init import INITS
    from omnimeans.tables import Roles, features, read_table

    if fitting.init in INITS:
        return fitting.init
    path = Path(fitting.init)
    if not path.exists() and path.suffix == "":
        raise typer.BadParameter(
            f"{fitting.init!r} is not {', '.join(INITS)}, nor a file of centres",
            param_hint="--init",
        )
    table = read_table(path)
    named = all(name in table.names for name in names)
    roles = Roles() if named else Roles(columns=("1-",))
    found = features(table, roles, names if named else None)
    if found.X.shape != (k, len(names)):
        raise ValueError(
            f"{path} holds {found.X.shape[0]} centres of {found.X.shape[1]} columns, but {k} "
            f"clusters of {len(names)} columns are fitted ({', '.join(names[:6])}"
            f"{', ...' if len(names) > 6 else ''})"
        )
    return scaling.apply(found.X)


def fit_model(
    found: Features,
    fitting: Fitting,
    scaling: Scaling,
    scaled: Floats,
    k: int,
    picture: bool,
    ids: tuple[str, ...],
    steps: Steps,
    swept: Sweep | None,
) -> Model:
    """Return the fitted model; after a sweep it starts from the centres found there."""
    import numpy as np

    from omnimeans.cli._model import Model
    from omnimeans.estimators import KMeans

    if swept is None or fitting.init != "k-means++":
        init = start_of(fitting, scaling, found.names, k)
    else:
        init = swept.centers_of(k)
    whole = isinstance(scaled, np.ndarray)  # not read block by block
    starts = fitting.starts or (10 if whole and isinstance(init, str) and not picture else 1)
    steps.begin(f"fitting {k} clusters")
    estimator = KMeans(
        k,
        init=init,
        n_init=starts,
        max_iter=fitting.max_iter,
        tol=fitting.tol,
        random_state=fitting.seed,
        metric=fitting.metric,
        n_threads=fitting.threads,
        callback=steps.watcher(starts, fitting.max_iter),
        max_time=fitting.max_time or None,
        checkpoint=fitting.resume,
        memory=fitting.memory,
        missing="partial" if whole and np.isnan(scaled).any() else "error",
    )
    estimator.fit(scaled, sample_weight=found.weights)
    return Model(estimator, scaling, found.names, ids)
