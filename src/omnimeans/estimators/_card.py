"""A fitted model in a notebook: what came out of the fit, on a small card."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnimeans._card import bars, card, line, row

ATTRIBUTES = (("inertia", "inertia_"), ("iterations", "n_iter_"), ("stopped at", "stop_reason_"))


def model_card(model: Any) -> str:
    """Return the card of a model with centres."""
    k, d = model.cluster_centers_.shape
    labels = getattr(model, "labels_", None)
    facts = [("clusters", f"{k:,}"), ("features", f"{d:,}")]
    if labels is not None:
        facts.append(("rows", f"{len(labels):,}"))
    for name, attribute in ATTRIBUTES:
        value = getattr(model, attribute, None)
        if value is not None:
            facts.append((name, f"{value:.6g}" if isinstance(value, float) else str(value)))
    drawings = []
    if labels is not None and np.asarray(labels).size:
        drawings.append(bars(np.bincount(labels, minlength=k), "rows in each cluster"))
    history = getattr(model, "history_", ())
    if len(history) > 1:
        inertias = [step.inertia for step in history]
        drawings.append(line(range(1, len(history) + 1), inertias, "inertia of each iteration"))
    return card(f"{type(model).__name__}, fitted", facts, row(*drawings))
