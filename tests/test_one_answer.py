"""The promise: the same bits for any threads, chunks, instruction set and engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import answers
import hard_cases
import omnimeans as om
from checks import assert_same_answer
from omnimeans import _core
from omnimeans.engines import cpu, open_engine

OFFERED = _core.offered().split(", ")


@pytest.fixture(autouse=True)
def _threads_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "SMALL", 0)


@pytest.fixture
def chunk_rows() -> Iterator[None]:
    """Lets a test set the size of the chunks; the core chooses again afterwards."""
    yield
    _core.set_chunk_rows(0)


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """What one thread finds."""
    return answers.digests(open_engine("cpu", 1))


def test_the_digest_sees_every_part_of_an_answer() -> None:
    """This very comparison is seen to fail."""
    case = answers.CASES[0]
    found = answers.fit(case, open_engine("cpu", 1))
    step = found.history[-1]
    nudged = np.nextafter(found.centers, np.float32(np.inf))
    relabelled = found.labels.copy()
    relabelled[7] += 1
    spoilt = [
        {"centers": nudged},
        {"centers": found.centers.astype(np.float64)},
        {"labels": relabelled},
        {"inertia": np.nextafter(found.inertia, 0.0)},
        {"stop_reason": "cycle"},
        {"history": found.history[:-1]},
        {"history": (*found.history[:-1], replace(step, inertia=np.nextafter(step.inertia, 0.0)))},
        {"history": (*found.history[:-1], replace(step, moved=step.moved + 1))},
        {"history": (*found.history[:-1], replace(step, shift=-1.0))},
    ]
    seen = {answers.digest(found), *(answers.digest(replace(found, **part)) for part in spoilt)}
    assert len(seen) == 1 + len(spoilt)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads(threads: int, expected: dict[str, str]) -> None:
    assert answers.digests(open_engine("cpu", threads)) == expected


@pytest.mark.parametrize(("rows", "threads"), [(1, 3), (7, 2), (64, 1), (65, 3), (10**9, 2)])
@pytest.mark.usefixtures("chunk_rows")
def test_chunks(rows: int, threads: int, expected: dict[str, str]) -> None:
    _core.set_chunk_rows(rows)
    assert answers.digests(open_engine("cpu", threads)) == expected


@pytest.mark.usefixtures("chunk_rows")
def test_threads_and_chunks_decide_the_same_rows_again() -> None:
    """The whole history is the same, the count of doubtful rows included."""
    histories = set()
    for rows, threads in ((0, 1), (7, 3), (65, 2)):
        _core.set_chunk_rows(rows)
        fits = [answers.fit(case, open_engine("cpu", threads)) for case in answers.CASES[::13]]
        histories.add(tuple(found.history for found in fits))
    assert len(histories) == 1


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("d", [2, 8, 9, 64])
def test_the_screen_proves_nearly_every_row(d: int, metric: str, offset: float) -> None:
    """Also where all values lie far from zero; otherwise the answer is right, but slow."""
    X = hard_cases.rows("blobs", 2000, d, np.float64) + offset
    model = om.KMeans(8, metric=metric, random_state=0, engine="cpu").fit(X)
    assert all(step.redecided <= 20 for step in model.history_)


@pytest.mark.parametrize("isa", OFFERED)
def test_instruction_sets(isa: str, expected: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, Path(answers.__file__), "2"],
        env={**os.environ, "OMNIMEANS_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(ran.stdout) == expected


def test_engines() -> None:
    few = 4  # iterations: the reference engine is slow
    assert answers.digests(open_engine("reference"), few) == answers.digests(
        open_engine("cpu", 2), few
    )


@pytest.mark.parametrize("layout", sorted(hard_cases.LAYOUTS))
def test_layouts_in_memory(layout: str) -> None:
    X = hard_cases.rows("offset", 500, 9, np.float32)
    model = om.KMeans(5, random_state=0)
    plain, laid_out = (
        om.KMeans(**model.get_params()).fit(view) for view in (X, hard_cases.LAYOUTS[layout](X))
    )
    assert_same_answer(plain, laid_out)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_estimators(metric: str, dtype: type) -> None:
    X = hard_cases.rows("blobs", 1000, 6, dtype)
    fits = [
        om.KMeans(9, metric=metric, random_state=5, n_init=2, engine=engine, n_threads=n).fit(X)
        for engine, n in (("cpu", 1), ("cpu", 3), ("reference", None))
    ]
    for other in fits[1:]:
        assert_same_answer(fits[0], other)
        assert_array_equal(other.predict(X), fits[0].labels_)
        assert other.score(X) == -fits[0].inertia_
