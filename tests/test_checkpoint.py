"""Checkpoints: killed at any moment, a fit goes on and ends with the bits of one that was not."""

from __future__ import annotations

import re
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hard_cases
import omnimeans as om
import tally
from alone import run
from checks import assert_belongs_together, assert_same_answer
from omnimeans import _checkpoint
from omnimeans._archive import pack, unpack
from omnimeans._checkpoint import Checkpoint
from omnimeans.progress import Progress

X = np.random.default_rng(0).uniform(size=(600, 4))
HOW: dict[str, Any] = {"n_clusters": 12, "init": "random", "n_init": 4, "random_state": 0, "tol": 0}


class Killed(Exception):
    """Ends a fit from its callback, as a kill would: nothing more is written."""


def killed_after(calls: int) -> Any:
    left = [calls]

    def callback(record: Progress) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return callback


@pytest.fixture(autouse=True)
def every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write after every iteration, however fast the disk is."""
    monkeypatch.setattr(_checkpoint, "SHARE", 0)


def killed(path: Path, calls: int, data: Any = X, weights: Any = None, **changes: Any) -> None:
    model = om.KMeans(**HOW | changes, checkpoint=path, callback=killed_after(calls))
    with pytest.raises(Killed):
        model.fit(data, sample_weight=weights)
    assert path.exists()


CASES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "plain": ({}, X, None),
    "float32": ({"init": "k-means++"}, X.astype(np.float32), None),
    "weights": ({}, X, np.random.default_rng(1).uniform(size=600)),
    "manhattan": ({"metric": "manhattan"}, X, None),
    "cosine": ({"metric": "cosine"}, X - 0.5, None),
    "given": ({"init": X[:12], "n_init": 1}, X, None),
    "callable": ({"init": lambda rows, k, random_state: rows[:k], "n_init": 2}, X, None),
    "huge": ({}, np.ldexp(X, 560), None),
    "empty clusters": (
        {"n_clusters": 110, "n_init": 2, "init": "random"},
        hard_cases.rows("copies", 400, 4, np.float64),
        None,
    ),
    "reference": ({"engine": "reference", "n_init": 2}, X[:200], None),
}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("case", CASES)
def test_a_fit_goes_on_wherever_it_was_ended(case: str, tmp_path: Path) -> None:
    changes, data, weights = CASES[case]
    path = tmp_path / "checkpoint"
    whole = om.KMeans(**HOW | changes).fit(data, sample_weight=weights)
    calls: list[Progress] = []
    om.KMeans(**HOW | changes, callback=calls.append).fit(data, sample_weight=weights)
    for moment in np.unique(np.linspace(0, len(calls) - 1, 5).astype(int)).tolist():
        killed(path, moment, data, weights, **changes)
        seen: list[Progress] = []
        model = om.KMeans(**HOW | changes, checkpoint=path, callback=seen.append)
        model.fit(data, sample_weight=weights)
        assert_same_answer(model, whole)
        assert (model.initial_centers_ == whole.initial_centers_).all()
        assert len(seen) <= len(calls) - moment + 1  # it did go on
        assert not path.exists()


def test_another_engine_and_other_threads_may_go_on(tmp_path: Path) -> None:
    whole = om.KMeans(**HOW).fit(X)
    killed(tmp_path / "c", 15)
    other = om.KMeans(**HOW, checkpoint=tmp_path / "c", engine="reference").fit(X)
    assert_same_answer(whole, other)


def test_without_a_seed_that_of_the_file_goes_on(tmp_path: Path) -> None:
    path, how = tmp_path / "c", HOW | {"random_state": None}
    np.random.seed(5)  # noqa: NPY002 - the global state is the point
    whole = om.KMeans(**how).fit(X)
    np.random.seed(5)  # noqa: NPY002
    killed(path, 20, random_state=None)
    assert_same_answer(om.KMeans(**how, checkpoint=path).fit(X), whole)
    other = om.KMeans(**how).fit(X)
    assert other.history_ != whole.history_


def test_a_stopped_fit_goes_on_when_it_is_called_again(tmp_path: Path) -> None:
    """Stopped by the callback, by the time limit: the work is not lost."""
    whole = om.KMeans(**HOW).fit(X)
    path = tmp_path / "c"
    stops = 0
    while True:
        left = [7]

        def after_seven(record: Progress, left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] == 0

        model = om.KMeans(**HOW, checkpoint=path, callback=after_seven).fit(X)
        if not path.exists():
            break
        assert_belongs_together(model, X)
        stops += 1
    assert stops > 5
    assert_same_answer(model, whole)

    for _ in range(1000):
        model = om.KMeans(**HOW, checkpoint=path, max_time=1e-9).fit(X)
        if not path.exists():
            break
    assert_same_answer(model, whole)


# ---- files that are not in order


def test_a_foreign_checkpoint_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c"
    killed(path, 9)
    before = path.read_bytes()
    others: list[tuple[str, dict[str, Any], Any, Any]] = [
        ("n_clusters is 12 there and 11 here", {"n_clusters": 11}, X, None),
        ("seed is 0 there and 1 here", {"random_state": 1}, X, None),
        ("tol is 0.0 there and 0.1 here", {"tol": 0.1}, X, None),
        ("init is 'random' there and 'k-means", {"init": "k-means++"}, X, None),
        ("metric is 'euclidean' there and 'm", {"metric": "manhattan"}, X, None),
        ("n_init is 4 there and 5 here", {"n_init": 5}, X, None),
        ("max_iter is 300 there and 9 here", {"max_iter": 9}, X, None),
        ("rows is 600 there and 599 here", {}, X[1:], None),
        ("columns is 4 there and 3 here", {}, X[:, :3].copy(), None),
        ("dtype is 'float64' there and 'float32", {}, X.astype(np.float32), None),
        ("the rows or weights differ", {}, X[::-1].copy(), None),
        ("the rows or weights differ", {}, X, np.ones(600) + (np.arange(600) == 7)),
        ("the rows or weights differ", {}, np.where(X[300, 2] == X, 0.5, X), None),
    ]
    for what, changes, data, weights in others:
        message = f"The checkpoint {path} belongs to another fit: {what}"
        with pytest.raises(ValueError, match=re.escape(message)):
            om.KMeans(**HOW | changes, checkpoint=path).fit(data, sample_weight=weights)
        assert path.read_bytes() == before
    tally.count("faults", len(others))
    assert_same_answer(om.KMeans(**HOW, checkpoint=path).fit(X), om.KMeans(**HOW).fit(X))


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_a_fit_that_has_dropped_a_cluster_goes_on(tmp_path: Path) -> None:
    data = hard_cases.rows("copies", 400, 4, np.float64)
    far = np.vstack([data[:9], np.full((3, 4), 1e6)])  # three centres that get no rows
    how: dict[str, Any] = {"init": far, "n_init": 1, "empty_clusters": "drop"}
    whole = om.KMeans(**HOW | how).fit(data)
    killed(tmp_path / "c", 2, data, **how)
    seen: list[Progress] = []
    model = om.KMeans(**HOW | how, checkpoint=tmp_path / "c", callback=seen.append).fit(data)
    assert len(whole.cluster_centers_) < 12
    assert len(seen) < whole.n_iter_
    assert_same_answer(model, whole)


def test_a_fit_by_other_rules_is_another(tmp_path: Path) -> None:
    path, given = tmp_path / "c", {"init": X[:12], "n_init": 1}
    pairs: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("frozen is [0] there and None here", given | {"frozen": [0]}, given),
        ("frozen is [0] there and [1] here", given | {"frozen": [0]}, given | {"frozen": [1]}),
        ("empty_clusters is 'farthest' there and 'split' here", {}, {"empty_clusters": "split"}),
        ("empty_clusters is 'farthest' there and 'drop' here", {}, {"empty_clusters": "drop"}),
        ("fill is 'random' there and 'k-means++'", {"fill": "random"}, {"fill": "k-means++"}),
        (
            "init is 'test_a_fit_by_other_rules_is_another",
            {"init": lambda rows, k, random_state: rows[:k]},
            {"init": lambda rows, k, random_state: rows[-k:]},
        ),
    ]
    for what, there, here in pairs:
        killed(path, 3, **there)
        with pytest.raises(ValueError, match=re.escape(f"belongs to another fit: {what}")):
            om.KMeans(**HOW | here, checkpoint=path).fit(X)
        path.unlink()
    tally.count("faults", len(pairs))


def test_a_damaged_checkpoint_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c"
    killed(path, 9)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"^{path} .*Use another copy"):
            Checkpoint(path)
    for length in (0, 5, 100, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=rf"^{path} is damaged"):
            om.KMeans(**HOW, checkpoint=path).fit(X)
        assert path.read_bytes() == data[:length]
    tally.count("faults", 305)
    om.save(om.KMeans(2).fit(X), path)
    with pytest.raises(ValueError, match="is an omnimeans 'model', not a checkpoint"):
        om.KMeans(**HOW, checkpoint=path).fit(X)


SENSELESS: list[tuple[str, str, Any]] = [
    ("document", "restart", -1),
    ("document", "restart", 5),
    ("document", "restart", True),
    ("document", "restart", "0"),
    ("document", "best", None),
    ("document", "best", "boredom"),
    ("document", "subject", None),
    ("arrays", "before", np.full((12, 4), np.nan)),
    ("arrays", "before", np.zeros((11, 4))),
    ("arrays", "before", np.zeros((12, 4), dtype=np.float32)),
    ("arrays", "first", None),
    ("arrays", "visited", np.zeros(3)),
    ("arrays", "visited", None),
    ("arrays", "history.moved", np.zeros(1000, dtype=np.int64)),
    ("arrays", "history.shift", None),
    ("arrays", "best.centers", np.zeros((1, 1))),
    ("arrays", "best.history.inertia", np.zeros(0)),
    ("arrays", "stowaway", np.zeros(3)),
]


@pytest.mark.parametrize(("where", "key", "value"), SENSELESS)
def test_a_senseless_checkpoint_is_refused(
    where: str, key: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "c"
    killed(path, 30)
    document, arrays = unpack(path.read_bytes(), "checkpoint", _checkpoint.VERSION, "c")
    assert document["restart"] > 0
    place: Any = document if where == "document" else arrays
    if value is None and where == "arrays":
        del place[key]
    else:
        place[key] = value
    path.write_bytes(pack("checkpoint", _checkpoint.VERSION, document, arrays))
    with pytest.raises(ValueError, match=r"makes no sense|belongs to another fit"):
        om.KMeans(**HOW, checkpoint=path).fit(X)
    tally.count("faults")


# ---- disks that do not take it


def test_no_folder_no_file(tmp_path: Path) -> None:
    """Before anything is computed."""
    with pytest.raises(FileNotFoundError, match="none/c was not written: No such file"):
        om.KMeans(**HOW, checkpoint=tmp_path / "none" / "c").fit(X)
    with pytest.raises(IsADirectoryError):
        om.KMeans(**HOW, checkpoint=tmp_path).fit(X)
    tally.count("faults", 2)


def test_a_read_only_folder() -> None:
    code = """
import tempfile
model = om.KMeans(3, random_state=0, checkpoint="c")
os.chdir(tempfile.mkdtemp())
model.fit(data())  # all imports, while they are allowed
os.chmod(".", 0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    model.fit(data())
except PermissionError as error:
    print(json.dumps(str(error)))
"""
    assert "c was not written: Permission denied" in run(code)
    tally.count("faults")


@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_a_disk_that_fills_up_ends_no_fit(tmp_path: Path) -> None:
    """The kernel refuses the bytes; the fit goes on, and the file stays what it was."""
    path = tmp_path / "c"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept: list[bytes] = []

    def fill(record: Progress) -> None:
        if record.restart == 1 and record.iteration == 2 and not kept:
            kept.append(path.read_bytes())
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        elif record.restart == 2 and record.iteration == 0:
            assert path.read_bytes() == kept[0]
            assert list(tmp_path.iterdir()) == [path]  # no leavings

    try:
        with pytest.warns(
            RuntimeWarning, match="c was not written: File too large. The fit"
        ) as caught:
            model = om.KMeans(**HOW, checkpoint=path, callback=fill).fit(X)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(caught) == 1
    tally.count("faults")
    assert kept
    assert_same_answer(model, om.KMeans(**HOW).fit(X))


def test_writing_takes_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checkpoint, "SHARE", 50)
    writes: list[int] = []
    true_write = _checkpoint.write_atomically

    def write(path: Path, data: bytes) -> None:
        writes.append(len(data))
        true_write(path, data)

    monkeypatch.setattr(_checkpoint, "write_atomically", write)
    model = om.KMeans(**HOW, checkpoint=tmp_path / "c").fit(X)
    calls = sum(1 for _ in model.history_) * 4
    assert 1 <= len(writes) < calls / 2
    assert max(writes) < 20_000  # nothing in it grows with the rows
