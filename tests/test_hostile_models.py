"""A model file from elsewhere: damaged, foreign or made up, it is refused and does no harm."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as pack_foreign

import omnimeans as om
import tally
from omnimeans._archive import LARGE, Arrays, pack, unpack
from omnimeans.persistence.files import VERSION, dumps, loads

X = np.random.default_rng(0).standard_normal((60, 3)) + 100.0
MODEL = om.KMeans(3, random_state=0).fit(X)

# ---- damage


def test_every_flipped_bit_is_found() -> None:
    data = dumps(MODEL, extra={"größe": [1, "é"], "mean": X[0]})
    loads(data)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"^f ") as caught:
            loads(bytes(damaged), "f")
        assert "Use another copy" in str(caught.value)
    tally.count("faults", 8 * len(data))


def test_every_truncation_and_every_addition_is_found() -> None:
    data = dumps(MODEL)
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"^f is "):
            loads(data[:length], "f")
    with pytest.raises(ValueError, match="damaged"):
        loads(data + b"\0")
    tally.count("faults", len(data) + 1)


@pytest.mark.parametrize("seed", range(200))
def test_damage_of_any_kind_is_a_clear_error(seed: int) -> None:
    """Bytes overwritten, cut out, doubled and swapped: never anything but ValueError."""
    rng = np.random.default_rng(seed)
    data = dumps(MODEL)
    for _ in range(rng.integers(1, 4)):
        a, b = sorted(rng.integers(0, len(data) + 1, 2).tolist())
        noise = rng.bytes(b - a)
        data = [data[:a] + noise + data[b:], data[:a] + data[b:], data[:b] + data[a:]][
            rng.integers(3)
        ]
    if data != dumps(MODEL):
        with pytest.raises(ValueError, match="Use another copy"):
            loads(data)
        tally.count("faults")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    files = {
        "pickle": pickle.dumps(MODEL),
        "npy": b"\x93NUMPY\x01\0" + b" " * 100,
        "empty": b"",
        "weights": pack_foreign({"w": np.zeros(3)}),
        "metadata": pack_foreign({"w": np.zeros(3)}, {"format": "pt"}),
        "nested": pack_foreign({}, {"omnimeans": "0" * 64 + " " + "[" * 100_000}),
        "checkpoint": pack("checkpoint", 1, {}, {}),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=rf"{name} .*(no omnimeans|damaged|not a model)"):
            om.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        om.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        om.load(tmp_path)


def test_a_later_version_is_named() -> None:
    document, arrays = unpack(dumps(MODEL), "model", VERSION, "f")
    later = pack("model", VERSION + 1, document | {"version": VERSION + 1}, arrays)
    with pytest.raises(ValueError, match=f"f has version {VERSION + 1} of the model format"):
        loads(later, "f")


# ---- files made by hand, whole but senseless: each is refused, none does harm

K, D, T = 3, 3, MODEL.n_iter_
BAD_VALUES: dict[str, Any] = {
    "class": ["KMeans2", "os.system", None, ["KMeans"], "Kind", "CenterModel"],
    "parameters": [None, [], {"n_clusters": 2**40}, {"n_clusters": 0}, {"n_clusters": "3"}],
    "n_features_in": [0, -1, 2**70, 3.0, None, True, "3"],
    "feature_names": [[], ["a", "b"], ["a", "b", 3], "abc", {"a": 1, "b": 1, "c": 1}],
    "fitted": [None, {}, []],
    "extra": [None, [], 3],
}
BAD_PARAMETERS: dict[str, Any] = {
    "n_clusters": [0, -3, 4, 2.0, "3", None, [3], {"a": 1}],
    "init": ["os.system", 7, None, {"a": 1}],
    "tol": [-1.0, "1"],
    "metric": ["cosmic", None, 1],
    "algorithm": ["full", 3],
    "engine": ["/bin/sh", 0],
    "n_threads": [0, -1, "2"],
    "callback": ["os.system", None],
    "__class__": ["x"],
    "fit": ["x"],
    "random_state": ["x", -1],
}
BAD_FITTED: dict[str, Any] = {
    "inertia_": [-1.0, "0", None, True],
    "n_iter_": [0, T + 1, -T, float(T), 2**70, True],
    "stop_reason_": ["boredom", None, 3, ["max_iter"]],
    "algorithm_": ["a word too many", "", "a" * 41, None],
    "engine_": ["../warp", None],
    "_n_init": [0, 1.5],
    "_tol": [-1.0, "x"],
    "_algorithm": ["magic"],
    "_n_threads": [0],
    "__dict__": [{}],
}
BAD_ARRAYS: dict[str, Any] = {
    "cluster_centers": [
        *(np.full((K, D), value) for value in (np.nan, np.inf, -np.inf)),
        *(np.zeros(shape) for shape in ((K + 1, D), (K, D + 1), (D,), (0, 0), (1, K, D))),
        np.zeros((K, D), dtype=np.float16),
        np.zeros((K, D), dtype=np.int64),
        None,
    ],
    "labels": [
        np.full(60, K, dtype=np.int32),
        np.full(60, -1, dtype=np.int32),
        np.zeros(60, dtype=np.int64),
        np.zeros((60, 1), dtype=np.int32),
        np.zeros(0, dtype=np.int32),
    ],
    "history.inertia": [np.zeros(T + 1), np.zeros(T, dtype=np.int64), None, np.full(T, np.nan)],
    "history.algorithm": [
        np.zeros(T),
        np.zeros(T, dtype=np.uint8),
        np.frombuffer(b"brute" * T, dtype=np.uint8),
        np.frombuffer(b"brute\n" * (T + 1), dtype=np.uint8),
        np.frombuffer(b"\xff\xfe\n" * T, dtype=np.uint8),
        None,
    ],
    "history.moved": [np.full(T, -1), None],
    "stowaway": [np.zeros(3)],
    "init": [np.zeros((K, D))],  # beside the word
}
FORGERIES = [
    pytest.param(where, key, value, id=f"{where}-{key}-{str(value)[:20]}-{number}")
    for where, table in (
        ("document", BAD_VALUES),
        ("parameters", BAD_PARAMETERS),
        ("fitted", BAD_FITTED),
        ("arrays", BAD_ARRAYS),
    )
    for key, values in table.items()
    for number, value in enumerate(values)
]


def forge(where: str, key: str, value: Any) -> bytes:
    """A file with a right checksum, one part of which is not as `save` would have written it."""
    document, arrays = unpack(dumps(MODEL), "model", VERSION, "f")
    place: Arrays | dict[str, Any] = {"document": document, "arrays": arrays}.get(where) or (
        document[where]
    )
    if value is None and where == "arrays":
        del place[key]
    else:
        place[key] = value
    return pack("model", VERSION, document, arrays)


@pytest.mark.parametrize(("where", "key", "value"), FORGERIES)
def test_senseless_models_are_refused(where: str, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^f describes a model that cannot be: "):
        loads(forge(where, key, value), "f")


def test_a_forgery_that_makes_sense_is_read() -> None:
    """So the refusals above are due to the senseless part, not to the forging."""
    loaded, _ = loads(forge("fitted", "inertia_", 1.0))
    assert loaded.inertia_ == 1.0


TREE = om.BisectingKMeans(4, random_state=0).fit(X)
BAD_TREES: list[tuple[str, Any]] = [
    ("children", np.where(TREE.tree_.children > 0, 0, TREE.tree_.children)),  # for ever
    ("children", np.where(TREE.tree_.children > 0, 99, TREE.tree_.children)),
    ("children", np.where(TREE.tree_.children > 0, -7, TREE.tree_.children)),
    ("children", TREE.tree_.children[:, ::-1].copy()),
    ("children", TREE.tree_.children.astype(np.int64)),
    ("children", TREE.tree_.children[:-1]),
    ("children", np.zeros((0, 2), dtype=np.int32)),
    ("children", np.array(3, dtype=np.int32)),
    ("leaves", TREE.tree_.leaves[::-1].copy()),
    ("leaves", TREE.tree_.leaves[:-1]),
    ("inertia", -TREE.tree_.inertia - 1),
    ("centers", np.full_like(TREE.tree_.centers, np.nan)),
    ("centers", TREE.tree_.centers[:, :2].copy()),
    ("centers", TREE.tree_.centers + 1),
    ("inertia", None),
]


@pytest.mark.parametrize(("name", "value"), BAD_TREES)
def test_trees_that_do_not_hang_together_are_refused(name: str, value: Any) -> None:
    document, arrays = unpack(dumps(TREE), "model", VERSION, "f")
    loads(pack("model", VERSION, document, arrays), "f")
    if value is None:
        del arrays[f"tree.{name}"]
    else:
        arrays[f"tree.{name}"] = value
    with pytest.raises(ValueError, match=r"^f describes a model that cannot be: a tree whose"):
        loads(pack("model", VERSION, document, arrays), "f")


# ---- what may never end, or would fill the memory


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs devices and pipes")
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    with pytest.raises(ValueError, match="is a device or a pipe, not a file"):
        om.load(path)
    with pytest.raises(ValueError, match="is a device or a pipe, not a file"):
        om.KMeans(2, random_state=0, checkpoint=path).fit(X)
    tally.count("faults", 2)


@pytest.mark.parametrize("begin", [b"", b"\x40" + bytes(7), b"\xff" * 8, b"\x00" * 7 + b"\x7f"])
def test_a_huge_file_of_another_kind_is_not_read(begin: bytes, tmp_path: Path) -> None:
    """A terabyte, of which nearly nothing lies on the disk."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match="huge is no omnimeans model"):
        om.load(path)
    with pytest.raises(ValueError, match="huge is no omnimeans checkpoint"):
        om.KMeans(2, random_state=0, checkpoint=path).fit(X)
    tally.count("faults", 2)


def test_large_models_are_loaded(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((700, 500))
    model = om.KMeans(400, random_state=0, max_iter=5, tol=1.0).fit(rows)
    om.save(model, tmp_path / "large")
    assert (tmp_path / "large").stat().st_size > LARGE
    np.testing.assert_array_equal(om.load(tmp_path / "large").predict(rows), model.labels_)
