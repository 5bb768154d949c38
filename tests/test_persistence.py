"""``save`` and ``load``: every bit comes back, and a file that cannot be written does no harm."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import omnimeans as om
from checks import assert_belongs_together, assert_same_answer
from omnimeans.persistence.files import VERSION, dumps, loads

X = np.random.default_rng(0).standard_normal((60, 3)) + 100.0
MODEL = om.KMeans(3, random_state=0).fit(X)

MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "float64": lambda: (om.KMeans(4, random_state=1), X),
    "float32": lambda: (om.KMeans(4, random_state=1, n_threads=2), X.astype(np.float32)),
    "manhattan": lambda: (om.KMeans(2, metric="manhattan", init="random", n_init=3), X),
    "given start": lambda: (om.KMeans(2, init=X[:2].tolist(), tol=0), X),
    "data frame": lambda: (om.KMeans(2), pd.DataFrame(X, columns=["a", "größe", "日"])),
    "one cluster": lambda: (om.KMeans(1, algorithm="lloyd"), X[:1]),
    "reference": lambda: (om.KMeans(np.int64(2), engine="reference", max_iter=1), X),
}


@pytest.mark.parametrize("case", MODELS)
def test_every_bit_comes_back(case: str, tmp_path: Path) -> None:
    model, data = MODELS[case]()
    model.fit(data)
    om.save(model, tmp_path / "model.safetensors")
    loaded = om.load(str(tmp_path / "model.safetensors"))
    assert type(loaded) is type(model)
    assert_same_answer(loaded, model)
    if isinstance(data, np.ndarray):
        assert_belongs_together(loaded, data)
    assert loaded.history_ == model.history_
    costs = [[(line.redecided, line.seconds) for line in m.history_] for m in (loaded, model)]
    assert costs[0] == costs[1]
    left, right = (m.get_params() for m in (loaded, model))
    assert_array_equal(left.pop("init"), right.pop("init"))
    assert left == right
    assert vars(loaded).keys() == vars(model).keys()
    for name, value in vars(model).items():
        assert type(getattr(loaded, name)) is type(value) or name in ("init", "n_clusters")
    assert_array_equal(loaded.predict(data), model.predict(data))
    assert_array_equal(loaded.get_feature_names_out(), model.get_feature_names_out())
    assert loaded.cluster_centers_.flags.writeable
    if case == "data frame":
        assert_array_equal(loaded.feature_names_in_, model.feature_names_in_)
        with pytest.raises(ValueError, match="feature names"):
            loaded.predict(data.rename(columns={"a": "b"}))
    assert loaded.fit(data).n_clusters == model.n_clusters  # and it can be fitted again


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tree_comes_back(dtype: type) -> None:
    data = X.astype(dtype)
    model = om.BisectingKMeans(7, random_state=0).fit(data)
    loaded, _ = loads(dumps(model))
    for name in ("centers", "children", "inertia", "leaves"):
        assert_array_equal(getattr(loaded.tree_, name), getattr(model.tree_, name), strict=True)
    assert vars(loaded).keys() == vars(model).keys()
    assert_array_equal(loaded.predict(data), model.labels_)
    assert (loaded.inertia_, loaded.converged_) == (model.inertia_, model.converged_)


def test_other_readers_of_safetensors_find_the_arrays(tmp_path: Path) -> None:
    om.save(MODEL, tmp_path / "model.safetensors")
    arrays = load_file(tmp_path / "model.safetensors")
    assert_array_equal(arrays["cluster_centers"], MODEL.cluster_centers_)
    assert_array_equal(arrays["labels"], MODEL.labels_)
    assert arrays["history.inertia"].tolist() == [line.inertia for line in MODEL.history_]


def test_the_same_model_gives_the_same_bytes() -> None:
    code = """
import sys, numpy as np, omnimeans as om
from dataclasses import replace
from omnimeans.persistence.files import dumps
X = np.random.default_rng(0).standard_normal((60, 3)) + 100.0
model = om.KMeans(3, random_state=0, algorithm="brute").fit(X)
model.history_ = tuple(replace(line, seconds=0.5) for line in model.history_)
sys.stdout.buffer.write(dumps(model, extra={"b": 1, "a": np.arange(2)}))
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    model = om.KMeans(3, random_state=0, algorithm="brute").fit(X)
    model.history_ = tuple(replace(line, seconds=0.5) for line in model.history_)
    assert runs[0] == runs[1] == dumps(model, extra={"a": np.arange(2), "b": 1})


def test_labels_can_be_left_out(tmp_path: Path) -> None:
    om.save(MODEL, tmp_path / "small", labels=False)
    loaded = om.load(tmp_path / "small")
    assert not hasattr(loaded, "labels_")
    assert_array_equal(loaded.predict(X), MODEL.labels_)
    om.save(loaded, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "small").read_bytes()


def test_extra_comes_back() -> None:
    extra = {
        "scaling": {"mean": [1.5, None, "x"], "deep": {"é": True}},
        "mean": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3)),
        "point": np.array(2.5),
    }
    _, found = loads(dumps(MODEL, extra=extra))
    assert found.keys() == extra.keys()
    for name, value in extra.items():
        if isinstance(value, np.ndarray):
            assert_array_equal(found[name], value, strict=True)
        else:
            assert found[name] == value
    assert loads(dumps(MODEL))[1] == {}


NOT_STORABLE: dict[Any, Any] = {
    "function": len,
    "nan": float("nan"),
    "words": np.array(["a"]),
    "objects": np.array([None]),
    "bytes": b"1",
    1: 2,
}


@pytest.mark.parametrize("name", NOT_STORABLE)
def test_extra_of_other_kinds_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="extra"):
        dumps(MODEL, extra={name: NOT_STORABLE[name]})


def test_code_is_not_stored_and_that_is_said() -> None:
    def start(rows: Any, k: int, random_state: Any) -> Any:
        return rows[:k]

    model = om.KMeans(2, init=start, n_init=1, random_state=np.random.default_rng(0)).fit(X)
    with pytest.warns(UserWarning, match=r"no generator: init=<function .*, random_state=Gen"):
        data = dumps(model)
    loaded, _ = loads(data)
    assert (loaded.init, loaded.random_state) == ("k-means++", None)
    assert_same_answer(loaded, model)
    silent = om.KMeans(2, callback=lambda *_: None, random_state=0).fit(X)
    assert loads(dumps(silent))[0].callback is None


def test_what_cannot_be_stored_is_refused() -> None:
    class Mine(om.KMeans):
        pass

    for other in (make_pipeline(om.KMeans()), Mine(2).fit(X), None):
        with pytest.raises(TypeError, match="cannot be stored"):
            dumps(other)
    with pytest.raises(NotFittedError):
        dumps(om.KMeans())


@pytest.mark.parametrize("kind", [om.KMeans, om.BisectingKMeans])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_clusters": 2}, "cluster_centers that are not n_clusters=2 rows of 3 finite numbers"),
        ({"tol": -1.0}, "The 'tol' parameter of"),
        ({"metric": "hamming"}, "metric='hamming' is not offered"),
    ],
)
def test_a_model_that_no_longer_fits_its_parameters(
    kind: Any, changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Said when it is saved; when it is loaded, the model is gone."""
    model = kind(3, random_state=0).fit(X)
    before = model.get_params()
    model.set_params(**changed)
    with pytest.raises(ValueError, match=rf"^This model is not saved.*{message}.*set them back"):
        om.save(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    om.save(model.set_params(**before), tmp_path / "model")
    assert_same_answer(om.load(tmp_path / "model"), model)
    if kind is om.KMeans:  # a tree may have fewer leaves than were asked for
        with pytest.raises(ValueError, match="centers that are 3 rows, with n_clusters=5"):
            om.save(model.set_params(n_clusters=5), tmp_path / "model")
    model.set_params(**before).cluster_centers_ = model.cluster_centers_ * np.nan
    with pytest.raises(ValueError, match="finite numbers"):
        om.save(model, tmp_path / "model")


# ---- files that cannot be written


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The kernel itself refuses the bytes, half-way."""
    path = tmp_path / "model.safetensors"
    om.save(MODEL, path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(OSError, match=r"model.safetensors was not written: File too large"):
            om.save(MODEL, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere/model was not written: No such file"):
        om.save(MODEL, tmp_path / "nowhere" / "model")


def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    """In a process without privileges, which would be let in otherwise."""
    code = f"""
import os, sys
import numpy as np, omnimeans as om, omnimeans.persistence, omnimeans.estimators
from omnimeans.persistence.files import dumps
model = om.KMeans(1, engine="reference").fit([[1.0]])
dumps(model)  # all imports, while they are allowed
os.chdir({str(tmp_path)!r})
os.chmod(".", 0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    om.save(model, "model")
except PermissionError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "model was not written: Permission denied" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_header_is_json_that_says_what_it_is(tmp_path: Path) -> None:
    om.save(MODEL, tmp_path / "model")
    data = (tmp_path / "model").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    document = json.loads(header["__metadata__"]["omnimeans"].partition(" ")[2])
    assert (document["format"], document["version"]) == ("model", VERSION)
    assert document["library"] == om.__version__
    assert document["parameters"]["n_clusters"] == 3
