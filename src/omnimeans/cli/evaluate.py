"""``omnimeans evaluate``: how good clusters are, with and without known classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnimeans.cli._groups import grouped
from omnimeans.cli._input import Data, Input

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omnimeans._types import F64, Floats
    from omnimeans.metrics import Score

EXACT = 20_000  # rows up to which every pair is compared
WIDE = 20  # classes or clusters of a contingency matrix that is printed


@grouped
def evaluate(
    data: Data,
    input: Input,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="FILE", help="Model whose clusters are judged."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            "-l",
            metavar="LABELS",
            help="Or labels: a column of DATA, a file with one, or FILE:COLUMN.",
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES", help="Known classes: a column of DATA, a file, or FILE:COLUMN."
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="Distance for silhouettes; a model brings its own.")
    ] = "euclidean",
    sample: Annotated[
        int,
        typer.Option(min=2, help="Rows for scores that compare every pair, where there are more."),
    ] = EXACT,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; by default what this machine offers.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress.")] = False,
) -> None:
    """Score clusters: how well they are separated, and how they agree with known classes.

    The clusters are those of a model, or labels that another program has written.

    Example: omnimeans evaluate iris.csv --model iris-model.safetensors --truth species
    """
    import numpy as np

    from omnimeans.cli._answer import number
    from omnimeans.cli._classes import find_classes
    from omnimeans.cli._errors import UsageError
    from omnimeans.cli._model import Model
    from omnimeans.cli._printing import as_json, grid, pairs
    from omnimeans.cli._talk import Talk
    from omnimeans.metrics import AGREEMENT, SEPARATION, cluster_table, contingency_matrix
    from omnimeans.tables import features, read_table

    if (model is None) == (labels is None):
        raise UsageError("say whose clusters are judged: --model FILE, or --labels LABELS")
    talk = Talk(quiet)
    fitted = None if model is None else Model.from_file(model)
    with talk.progress() as steps:
        steps.begin(f"reading {data}")
        table = read_table(data, input.reading())
        there = np.ones(table.n_rows, dtype=bool)
        apart: list[int | None] = []
        classes = given = None
        if truth is not None:
            classes, known, at = find_classes(table, truth, "classes")
            there &= known
            apart.append(at)
        if labels is not None:
            given, known, at = find_classes(table, labels, "labels")
            there &= known
            apart.append(at)
        names = [table.names[at] for at in apart if at is not None]
        found = features(
            table, input.roles(exclude=names), None if fitted is None else fitted.names
        )
        talk.note([*table.notes, *found.notes])
        if found.kept is not None:
            there &= found.kept
        used = there if found.kept is None else there[found.kept]
        if not used.all() or found.kept is not None:
            talk.note([f"{int(there.sum()):,} of {table.n_rows:,} rows are judged"])
        X = found.X if used.all() else found.X[used]
        weights = found.weights if found.weights is None or used.all() else found.weights[used]
        if fitted is not None:
            fitted.estimator.n_threads = threads
            X, metric = fitted.scaling.apply(X), fitted.estimator.metric
            clusters = fitted.estimator.predict(X)
        else:
            assert given is not None
            clusters = given[there]
        steps.begin("comparing rows")
        with talk.listening():
            separation = _separation(
                SEPARATION, X, clusters, weights, metric, sample, seed, threads
            )
            agreement = {}
            if classes is not None:
                true = classes[there]
                agreement = {
                    name: float(row.function(true, clusters)) for name, row in AGREEMENT.items()
                }
    record: dict[str, Any] = {
        "input": table.source,
        "rows": table.n_rows,
        "rows_used": len(X),
        "clusters": len(np.unique(clusters)),
        "separation": separation,
        "agreement": agreement,
        "notes": talk.notes,
        "warnings": talk.warnings,
    }
    if classes is not None:
        record["per_cluster"] = [asdict(row) for row in cluster_table(true, clusters)]
        record["contingency"] = {
            "classes": np.unique(true),
            "clusters": np.unique(clusters),
            "counts": contingency_matrix(true, clusters),
        }
    if json:
        typer.echo(as_json(record))
        return
    pairs({"input": table.source, "rows": f"{len(X):,}", "clusters": record["clusters"]})
    for title, scores, known_scores in (
        ("separation", separation, SEPARATION),
        ("agreement with the classes", agreement, AGREEMENT),
    ):
        if scores:
            pairs({"": ""})
            rows = [
                [name, number(value), _best(known_scores, name)] for name, value in scores.items()
            ]
            grid([title, "value", "better"], rows)
    if classes is not None:
        _print_clusters(record["per_cluster"])
        _print_contingency(record["contingency"])


def _best(table: Mapping[str, Score], name: str) -> str:
    row = table.get(name.split(" (")[0])
    return "" if row is None else {"max": "higher", "min": "lower"}[row.best]


def _separation(
    table: Mapping[str, Score],
    X: Floats,
    labels: NDArray[Any],
    weights: F64 | None,
    metric: str,
    sample: int,
    seed: int,
    threads: int | None,
) -> dict[str, float]:
    """Return the scores of separation; those that compare every pair on a sample, if need be."""
    import inspect

    import numpy as np

    if not 1 < len(np.unique(labels)) < len(X):
        return {}
    chosen: NDArray[np.int64] | None = None
    if len(X) > sample:
        draw = np.random.Generator(np.random.Philox(seed))
        chosen = np.sort(draw.choice(len(X), sample, replace=False))
    scores = {}
    for name, row in table.items():
        takes = inspect.signature(row.function).parameters
        options: dict[str, Any] = {"metric": metric, "n_threads": threads}
        given = {option: value for option, value in options.items() if option in takes}
        rows, own, weight, called = X, labels, weights, name
        if chosen is not None and row.cost.startswith("n²"):
            rows, own, called = X[chosen], labels[chosen], f"{name} ({sample:,} rows)"
            weight = None if weights is None else weights[chosen]
            if not 1 < len(np.unique(own)) < len(own):
                continue
        if weight is not None and "sample_weight" in takes:
            if name == "silhouette" and bool(((weight > 0) & (weight < 1)).any()):
                weight = None  # weights that count no copies
            given["sample_weight"] = weight
        scores[called] = float(row.function(rows, own, **given))
    return scores


def _print_clusters(rows: list[dict[str, Any]]) -> None:
    from omnimeans.cli._printing import grid, pairs

    pairs({"": ""})
    body = [
        [str(row["cluster"]), f"{row['size']:,}", str(row["majority"])]
        + [f"{row[name]:.4f}" for name in ("precision", "recall")]
        for row in rows
    ]
    grid(["cluster", "rows", "class", "precision", "recall"], body, text=0)


def _print_contingency(counts: dict[str, Any]) -> None:
    from omnimeans.cli._printing import grid, pairs

    pairs({"": ""})
    if max(counts["counts"].shape) > WIDE:
        pairs({"contingency": f"{counts['counts'].shape[0]} x {counts['counts'].shape[1]}: --json"})
        return
    header = ["class", *(f"cluster {name}" for name in counts["clusters"].tolist())]
    lines = counts["counts"].tolist()
    names = counts["classes"].tolist()
    grid(header, [[str(name), *map(str, line)] for name, line in zip(names, lines, strict=True)])
