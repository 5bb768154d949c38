"""Run the command line in the test's own process, and see that it never shows a traceback."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.datasets import load_iris
from typer.testing import CliRunner

import omnimeans as om
from omnimeans.cli import app

IRIS = load_iris(as_frame=True)
FRAME = IRIS.data.assign(species=IRIS.target_names[IRIS.target])
X = IRIS.data.to_numpy()


def run(*words: object, code: int = 0, stdin: bytes | None = None) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


def answer(*words: object) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(run(*words, "--json", "-q", "-f").stdout)
    return record


def model_on(rows: np.ndarray, k: int, **options: Any) -> om.KMeans:
    return om.KMeans(k, n_init=10, random_state=0, **options).fit(rows)
