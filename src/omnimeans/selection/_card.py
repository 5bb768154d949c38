"""A sweep in a notebook: the verdict, the curves, and the table."""

from __future__ import annotations

from typing import Any

from omnimeans._card import card, line, note, row, table

CURVES = (("inertia", "inertia"), ("silhouette", "silhouette"), ("gap", "gap statistic"))
COLUMNS = ("k", "inertia", "explained_variance", "silhouette", "calinski_harabasz", "gap", "bic")


def sweep_card(sweep: Any) -> str:
    """Return the card of a sweep."""
    columns, verdict = sweep.columns(), sweep.verdict
    facts = [
        ("rows", f"{sweep.n_samples:,}"),
        ("features", f"{sweep.n_features:,}"),
        ("verdict", verdict.outcome if verdict.k is None else f"k = {verdict.k}"),
        ("confidence", verdict.confidence),
    ]
    drawings = [
        line(
            columns["k"], [float("nan") if v is None else v for v in columns[key]], name, verdict.k
        )
        for key, name in CURVES
    ]
    lines = [
        ["-" if columns[key][i] is None else f"{columns[key][i]:.5g}" for key in COLUMNS]
        for i in range(len(sweep))
    ]
    heads = [key.replace("_", " ") for key in COLUMNS]
    first, last = sweep.ks[0], sweep.ks[-1]
    title = f"Sweep over {first} to {last} clusters"
    return card(title, facts, note(str(verdict)), row(*drawings), table(heads, lines))
