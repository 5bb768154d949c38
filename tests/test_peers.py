"""What RELIABILITY.md says of other libraries is what they say now, and T1 and T4 by their figures.

Others' outcomes are those of the versions that its table names; with other versions they are not
asked, and ``python tests/torture_peers.py`` prints a new table.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.cluster
from sklearn.metrics import adjusted_rand_score

import omnimeans as om
import tally
import torture_peers
from torture_cases import CASES, SQUARE, blobs
from torture_peers import LIBRARIES, VARIANTS

PAGE = Path(__file__).parents[1] / "RELIABILITY.md"
# cases that take others long, and whose variants all end alike: one is asked
ONE = {"sklearn": ("T1", "T2", "T3", "T4", "T29"), "faiss": ("T17", "T29")}


def lines() -> list[list[str]]:
    """The cells of the table's lines, its head included."""
    text = PAGE.read_text()
    found = text[text.index("| | input |") :].splitlines()
    return [line.strip("| ").split(" | ") for line in found if line.startswith("|")]


def asked_again(library: str) -> None:
    head = lines()[0]
    if torture_peers.named(library) not in head:
        pytest.skip(f"the table in RELIABILITY.md is of other versions: {', '.join(head[1:])}")


def written(library: str) -> dict[str, str]:
    where = 2 + list(LIBRARIES).index(library)
    return {line[0]: line[where] for line in lines() if re.match(r"T\d", line[0])}


def test_the_table_names_every_case_and_adds_up() -> None:
    head, _, *rows, last = lines()
    assert head[0] == "input"
    assert head[1] == torture_peers.named("omnimeans")
    assert set(written("omnimeans").values()) == {"8/8"}  # as test_torture.py asserts
    assert [row[:2] for row in rows] == [[case.number, case.says] for case in CASES]
    for library, total in zip(LIBRARIES, last[1:], strict=True):
        counts = re.findall(r"(\d+)/8\b", " ".join(written(library).values()))
        assert total == f"{sum(map(int, counts))}/{VARIANTS * len(counts)}"
        assert len(counts) == len(CASES)


def differences(library: str, cells: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Where the table is not what the library says now: the cell, and what it should be."""
    one = ONE.get(library, ())
    found = torture_peers.column(library, dict.fromkeys(one, 1))
    differ = {}
    for number, said in found.items():
        cell, now = cells[number], torture_peers.summary(said)
        if number in one:  # the one stands for all, up to digits
            assert re.search(r"\b(0|8)/8\b", cell)
            cell = cell.replace("8/8", "1/1").replace("0/8", "0/1")
            cell, now = (re.sub(r"-?\d+\.\d+", "", text) for text in (cell, now))
        if cell != now:
            differ[number] = cell, now
    return differ


@pytest.mark.slow
@pytest.mark.parametrize("library", ["sklearn", "faiss"])
def test_the_table_is_what_they_say_now(library: str) -> None:
    asked_again(library)
    assert differences(library, written(library)) == {}


def test_a_cell_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [case for case in CASES if case.number in ("T13", "T14")]
    monkeypatch.setattr(torture_peers, "CASES", few)
    cells = {"T13": "8/8", "T14": "**7/8** inertia is 0, not 0.5"}
    assert differences("omnimeans", cells) == {"T14": (cells["T14"], "8/8")}


def city_block() -> dict[str, Any]:
    """T1: float32 latitude and longitude, 4e-4 apart, with a spread of 5e-5."""
    at = (48.8566, 2.3522)
    return blobs(np.random.default_rng(0), 4e-4 * SQUARE, 5e-5, 4000, np.float32, at)


def pressure() -> dict[str, Any]:
    """T4: 101325 + {0, 5, 10, 15} pascal, with a spread of 0.5."""
    steps = np.arange(0, 20, 5)[:, None]
    return blobs(np.random.default_rng(0), steps, 0.5, 1000, np.float32, 101325)


def scores(model: Any, given: dict[str, Any]) -> tuple[float, float]:
    """How well labels and predictions find the groups."""
    model.fit(given["X"])
    found = model.labels_, model.predict(given["X"])
    return tuple(adjusted_rand_score(given["truth"], labels) for labels in found)


@pytest.mark.parametrize("make", [city_block, pressure])
@pytest.mark.parametrize("kind", [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans])
def test_t1_and_t4_are_found(make: Any, kind: Any) -> None:
    tally.count("inputs")
    assert scores(kind(4, n_init=5, random_state=0), make()) == (1.0, 1.0)


@pytest.mark.parametrize("make", [city_block, pressure])
def test_t1_and_t4_by_scikit_learn(make: Any) -> None:
    """It knows the groups while it fits, and loses them when it predicts."""
    asked_again("sklearn")
    labels, predicted = scores(sklearn.cluster.KMeans(4, n_init=5, random_state=0), make())
    assert labels == 1.0
    assert predicted < 0.01
    batches = sklearn.cluster.MiniBatchKMeans(4, n_init=5, random_state=0)
    assert max(scores(batches, make())) < 0.01


@pytest.mark.parametrize(("make", "least", "most"), [(city_block, 0, 0.52), (pressure, 1, 1)])
def test_t1_and_t4_by_faiss(make: Any, least: float, most: float) -> None:
    asked_again("faiss")
    given = make()
    found = torture_peers.faiss(torture_peers.Input(given["X"], 4, ()))
    assert least <= adjusted_rand_score(given["truth"], found.labels) <= most
