"""Files that are larger than the memory they may take: read block by block, to the same answer."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

import omnimeans as om
from cli_runs import answer, run
from omnimeans.cli import _large
from omnimeans.sources.memory import resident

ROWS, TRUTH = make_blobs(3000, 3, centers=5, cluster_std=0.4, random_state=0)
FRAME = pd.DataFrame(ROWS, columns=["a", "b", "c"]).assign(word="x")
MIB = 1 << 20

WRITERS: dict[str, Any] = {
    "d.csv": lambda path: FRAME.to_csv(path, index=False),
    "d.parquet": lambda path: FRAME.to_parquet(path),
    "d.feather": lambda path: FRAME.to_feather(path),
    "d.npy": lambda path: np.save(path, ROWS),
}


@pytest.fixture
def cramped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a machine have less memory free than any of these files takes."""
    monkeypatch.setattr(_large, "available", lambda: 20_000)


@pytest.mark.parametrize("name", WRITERS)
def test_blocks_give_the_answer_of_the_whole_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    model, labels = tmp_path / "m.safetensors", tmp_path / "l.npy"
    words = ("fit", path, "-k", 5, "--starts", 1, "-l", labels, "-m", model)
    whole = answer(*words)
    found = np.load(labels)
    monkeypatch.setattr(_large, "available", lambda: 20_000)
    blocks = answer(*words)
    assert "read block by block" in blocks["notes"][0]
    assert blocks["inertia"] == whole["inertia"]
    assert blocks["clusters"] == whole["clusters"]
    assert blocks["explained"] == pytest.approx(whole["explained"], rel=0.1)
    assert np.array_equal(np.load(labels), found)
    assert om.metrics.adjusted_rand_index(TRUTH, found) > 0.99
    predicted = answer("predict", path, "-m", model, "-l", tmp_path / "p.npy")
    assert np.array_equal(np.load(tmp_path / "p.npy"), found)
    assert predicted["clusters"] == whole["clusters"]


def test_memory_is_kept_within(tmp_path: Path) -> None:
    path = tmp_path / "d.npy"
    np.save(path, np.random.default_rng(0).normal(size=(400_000, 16)))
    words = ("fit", path, "-k", 3, "--starts", 1, "--max-iter", 3, "-l", tmp_path / "l.npy")
    small = answer(*words, "--memory", f"{resident() // MIB + 60}MiB")
    assert small["engine"] == "blocks"
    assert answer(*words)["inertia"] == small["inertia"]


@pytest.mark.usefixtures("cramped")
def test_k_and_scale_come_from_rows_that_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    FRAME.assign(c=FRAME["c"] * 1000).to_parquet(path)
    found = answer("fit", path, "--scale", "standard", "-l", tmp_path / "l.csv")
    assert found["k"] == 5
    labels = pd.read_csv(tmp_path / "l.csv")["cluster"]
    assert om.metrics.adjusted_rand_index(TRUTH, labels) > 0.99


@pytest.mark.usefixtures("cramped")
def test_columns_are_chosen_and_a_column_that_counts_rows_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    FRAME.assign(n=range(len(FRAME))).to_parquet(path)
    found = answer("fit", path, "-k", 5, "-l", tmp_path / "l.csv")
    assert found["columns"] == ["a", "b", "c"]
    assert any("'n' is left out" in note for note in found["notes"])
    assert any("'word' is left out" in note for note in found["notes"])
    chosen = answer("fit", path, "-k", 5, "-c", "2,1", "-l", tmp_path / "l.csv")
    assert chosen["columns"] == ["b", "a"]
    without = answer("fit", path, "-k", 5, "-x", "a,n", "-l", tmp_path / "l.csv")
    assert without["columns"] == ["b", "c"]


@pytest.mark.usefixtures("cramped")
def test_what_cannot_be_read_in_blocks_is_told_what_to_do(tmp_path: Path) -> None:
    packed, plain = tmp_path / "d.csv.gz", tmp_path / "d.csv"
    FRAME.to_csv(plain, index=False)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert "unpack it" in run("fit", packed, "-k", 2, code=3).stderr
    for words in (("--weights", "a"), ("--missing", "drop"), ("--table", tmp_path / "t.csv")):
        assert words[0] in run("fit", plain, "-k", 2, *words, code=2).stderr
    assert "no size" in run("fit", plain, "-k", 2, "--memory", "much", code=3).stderr


@pytest.mark.usefixtures("cramped")
def test_a_hole_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    FRAME.assign(b=FRAME["b"].where(FRAME.index != 1234)).to_parquet(path)
    said = run("fit", path, "-k", 2, code=3).stderr
    assert "row 1234" in said
    assert "'b'" in said or "column 1" in said
