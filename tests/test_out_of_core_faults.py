"""Fits of files that go bad: an error that names the place, and a checkpoint that stays usable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import omnimeans as om
import tally
from checks import assert_same_answer
from omnimeans import _checkpoint
from omnimeans.engines import blocks

N, D = 6_000, 4
X = np.random.default_rng(0).uniform(size=(N, D)).astype(np.float32)
HOW: dict[str, Any] = {
    "n_clusters": 12,
    "init": "random",
    "n_init": 2,
    "random_state": 0,
    "tol": 0.0,
    "engine": "blocks",
}


@pytest.fixture(autouse=True)
def small_blocks_and_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a few hundred rows at a time, and write a checkpoint after every iteration."""
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1 << 16)
    monkeypatch.setattr(_checkpoint, "SHARE", 0)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000 * 4 * D)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def spoil(path: Path) -> None:
    rows = np.load(path, mmap_mode="r+")
    rows[5_001, 2] = np.nan
    rows.flush()


# what happens to the file during a fit -> what the error says, during it and when it is resumed
FAULTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "cut short": (cut_short, r"ends at row 5000|has changed", "ends in row 5000"),
    "longer": (append, r"has changed \(\d+ -> \d+ bytes\)", ""),
    "NaN": (spoil, "has changed", "nan in row 5001, column 2 of "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_goes_bad_leaves_the_checkpoint_usable(fault: str, tmp_path: Path) -> None:
    happen, during, after = FAULTS[fault]
    path, kept, checkpoint = tmp_path / "X.npy", tmp_path / "kept.npy", tmp_path / "fit.ckpt"
    np.save(path, X)
    shutil.copy(path, kept)

    def callback(record: Any) -> None:
        if record.restart == 1 and record.iteration == 3:
            happen(path)

    with pytest.raises(ValueError, match=during):
        om.KMeans(**HOW, checkpoint=checkpoint, callback=callback).fit(path)
    left = checkpoint.read_bytes()
    if after:
        with pytest.raises(ValueError, match=after):
            om.KMeans(**HOW, checkpoint=checkpoint).fit(path)
        assert checkpoint.read_bytes() == left
    shutil.copy(kept, path)
    seen: list[Any] = []
    resumed = om.KMeans(**HOW, checkpoint=checkpoint, callback=seen.append).fit(path)
    assert seen[0].restart == 1
    assert seen[0].iteration >= 3  # it went on, and did not begin anew
    assert_same_answer(resumed, om.KMeans(**HOW | {"engine": "cpu"}).fit(X))
    assert not checkpoint.exists()
    tally.count("faults")


def test_a_nan_in_row_seven_million_and_one_is_named(tmp_path: Path) -> None:
    file = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(7_100_000, 2)
    )
    file[:] = np.linspace(0, 1, 2, dtype=np.float32)
    file[7_000_001, 1] = np.nan
    file.flush()
    del file
    model = om.KMeans(2, init="random", n_init=1, random_state=0, engine="blocks")
    with pytest.raises(ValueError, match=r"nan in row 7000001, column 1 of .*X\.npy"):
        model.fit(tmp_path / "X.npy")
    fitted = om.KMeans(2, n_init=1, random_state=0).fit([[0.0, 1.0], [5.0, 5.0]])
    with pytest.raises(ValueError, match=r"nan in row 7000001, column 1"):
        fitted.predict(tmp_path / "X.npy", out=tmp_path / "labels.npy")
