"""The answer of a fit or a prediction: one record, printed as tables or as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from omnimeans.cli._printing import as_json, grid, pairs

if TYPE_CHECKING:
    from omnimeans._types import I32
    from omnimeans.cli._model import Model
    from omnimeans.tables import Features, Table

SHOWN = 8  # columns of a table of centres
LISTED = 50  # clusters in it


def data_record(table: Table, found: Features) -> dict[str, Any]:
    """Return what was read and used."""
    return {
        "input": table.source,
        "rows": table.n_rows,
        "rows_used": len(found.X),
        "columns": list(found.names),
        "dtype": str(found.X.dtype),
    }


def clusters_record(model: Model, labels: I32, found: Features) -> list[dict[str, Any]]:
    """Return number, size, share and centre of each cluster."""
    sizes = np.bincount(labels, minlength=model.k)
    weights = np.bincount(labels, found.weights, minlength=model.k)
    centers = model.centers
    out = []
    for j in range(model.k):
        record: dict[str, Any] = {"cluster": j, "size": int(sizes[j])}
        if found.weights is not None:
            record["weight"] = float(weights[j])
        record["share"] = float(weights[j] / weights.sum())
        record["center"] = dict(zip(model.names, centers[j].tolist(), strict=True))
        out.append(record)
    return out


def model_record(model: Model) -> dict[str, Any]:
    """Return what a fitted model says about itself."""
    estimator = model.estimator
    return {
        "k": model.k,
        "metric": estimator.metric,
        "scale": model.scaling.kind,
        "inertia": float(estimator.inertia_),
        "iterations": int(estimator.n_iter_),
        "converged": bool(estimator.converged_),
        "stop_reason": str(estimator.stop_reason_),
        "algorithm": str(estimator.algorithm_),
        "engine": str(estimator.engine_),
    }


def show(record: dict[str, Any], json: bool, stderr: bool) -> None:
    """Print the record: as JSON, or its scalars line by line and its clusters as a table."""
    if json:
        typer.echo(as_json(record))
        return
    lines = {
        name.replace("_", " "): _phrase(name, value, record)
        for name, value in record.items()
        if name in PHRASES and value is not None
    }
    pairs(lines, stderr)
    if record.get("clusters"):
        _centers(record, stderr)
    files = record.get("files") or {}
    pairs({f"{what} ->": path for what, path in files.items() if path != "-"}, stderr)


# What the printed summary shows, in the record's order; the JSON has everything.
PHRASES = {"input", "rows", "columns", "k", "verdict", "scale", "metric", "inertia", "iterations"}
PHRASES |= {"seconds"}


def _phrase(name: str, value: Any, record: dict[str, Any]) -> str:
    if name == "rows":
        used = record["rows_used"]
        return f"{value:,}" + ("" if used == value else f", {used:,} of them used")
    if name == "columns":
        named = ", ".join(value[:SHOWN])
        return f"{len(value)}: {named}" + (", ..." if len(value) > SHOWN else "")
    if name == "k":
        chosen = record.get("k_chosen")
        return str(value) + (f", {chosen}" if chosen else "")
    if name == "iterations":
        return f"{value} ({record['stop_reason']})"
    if name == "seconds":
        return f"{value:.3g}"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """Return a number with six digits that count."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if value and not 1e-4 <= size < 1e15:
        return f"{value:.6g}"
    decimals = 5 if not value else max(0, 5 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def explained(model: Model, labels: I32, found: Features) -> dict[str, float]:
    """Return, for each column, the share of its variance that lies between the clusters."""
    sizes = np.bincount(labels, found.weights, minlength=model.k)
    there = sizes > 0
    out = {}
    for j, name in enumerate(model.names):
        column = found.X[:, j].astype(np.float64)
        seen = ~np.isnan(column)
        weights = seen * (1.0 if found.weights is None else found.weights)
        column = np.where(seen, column, 0.0)
        column -= np.average(column, weights=weights)
        total = float(weights @ column**2)
        sums = np.bincount(labels, weights * column, minlength=model.k)[there]
        parts = np.bincount(labels, weights, minlength=model.k)[there]
        between = float((sums[parts > 0] ** 2 / parts[parts > 0]).sum())
        out[name] = between / total if total > 0 else 0.0
    return out


def _centers(record: dict[str, Any], stderr: bool) -> None:
    """Print sizes and centres; where there are many columns, those that set clusters apart."""
    clusters = record["clusters"]
    names = list(clusters[0]["center"])
    shown = names
    if len(names) > SHOWN:
        share = record["explained"]
        best = sorted(names, key=lambda name: -share[name])[:SHOWN]
        shown = [name for name in names if name in best]
    header = ["cluster", "rows", "share", *shown]
    rows = [
        [
            str(cluster["cluster"]),
            f"{cluster['size']:,}",
            f"{100 * cluster['share']:.1f} %",
            *(number(cluster["center"][name]) for name in shown),
        ]
        for cluster in clusters[:LISTED]
    ]
    typer.echo("", err=stderr)
    grid(header, rows, stderr, text=0)
    if len(names) > SHOWN:
        left = len(names) - SHOWN
        typer.echo(
            f"({left} more columns that set clusters apart less; --json has all)", err=stderr
        )
    if len(clusters) > LISTED:
        typer.echo(f"({len(clusters) - LISTED} more clusters; --json has all)", err=stderr)
    typer.echo("", err=stderr)
