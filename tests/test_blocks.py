"""The engine that reads blocks: the answer of rows in memory, bit for bit, in bounded memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import answers
import hard_cases
import omnimeans as om
from checks import assert_same_answer
from omnimeans import _core
from omnimeans.engines import blocks, open_engine
from omnimeans.engines.blocks import BlocksEngine
from omnimeans.sources import open_source
from omnimeans.sources.memory import resident

SOME = answers.CASES[::7]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few dozen rows at a time."""
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1500)
    monkeypatch.setattr(blocks, "LEAST_BLOCK", 100)


def blobs(n: int = 20_000, d: int = 5, dtype: Any = np.float32, shuffle: bool = True) -> Any:
    rng = np.random.default_rng(3)
    which = rng.integers(0, 12, n)
    if not shuffle:
        which.sort()
    return (rng.normal(0, 9, (12, d))[which] + rng.normal(size=(n, d))).astype(dtype)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("case", SOME, ids=" ".join)
def test_hard_cases_in_small_blocks(case: answers.Case) -> None:
    expected = answers.digest(answers.fit(case, open_engine("cpu", 1), 5))
    assert answers.digest(answers.fit(case, open_engine("blocks", 1), 5)) == expected


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("weighted", [False, True])
def test_files_give_the_answer_of_arrays(
    metric: str, weighted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1 << 16)
    X = blobs(4000)
    X[7] = 0  # no direction
    weights = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    np.save(tmp_path / "X.npy", X)
    settings: dict[str, Any] = {"n_clusters": 9, "metric": metric, "random_state": 1, "n_init": 2}
    ours = om.KMeans(**settings, engine="blocks").fit(tmp_path / "X.npy", sample_weight=weights)
    whole = om.KMeans(**settings).fit(X, sample_weight=weights)
    assert (ours.engine_, whole.engine_) == ("blocks", "cpu")
    assert_same_answer(ours, whole)
    assert_array_equal(ours.predict(tmp_path / "X.npy"), whole.labels_)
    assert ours.score(tmp_path / "X.npy", sample_weight=weights) == -whole.inertia_


def test_what_fits_is_read_at_once(tmp_path: Path) -> None:
    X = blobs(3000, dtype=np.float64)
    np.save(tmp_path / "X.npy", X)
    path = tmp_path / "X.npy"
    assert om.KMeans(3, random_state=0).fit(path).engine_ == "cpu"
    assert_same_answer(om.KMeans(3, random_state=0).fit(path), om.KMeans(3, random_state=0).fit(X))


def test_labels_go_to_a_file(tmp_path: Path) -> None:
    X = blobs(5000)
    model = om.KMeans(4, random_state=0).fit(X)
    np.save(tmp_path / "X.npy", X)
    found = model.predict(tmp_path / "X.npy", out=tmp_path / "labels.npy")
    assert isinstance(found, np.memmap)
    assert_array_equal(np.load(tmp_path / "labels.npy"), model.labels_)
    assert_array_equal(model.predict(X, out=tmp_path / "again.npy"), model.labels_)


def reads(model: Any, X: Any) -> tuple[Any, list[int]]:
    """Fit, and count the blocks that each pass reads."""
    source: Any = open_source(X)
    passes: list[int] = []
    lent, stream = source.lent, source._stream

    def counted(blocks: Any) -> Any:
        passes.append(0)
        for block in blocks:
            passes[-1] += 1
            yield block

    source.lent = lambda *what: counted(lent(*what))
    source._stream = lambda *what: counted(stream(*what))
    return model.fit(source), passes


def test_blocks_in_which_nothing_can_move_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1 << 13)
    X = blobs(shuffle=False)
    np.save(tmp_path / "X.npy", X)
    settings: dict[str, Any] = {"n_clusters": 24, "random_state": 0, "tol": 0.0, "init": "random"}
    model = om.KMeans(**settings, n_init=1, engine="blocks", max_iter=300)
    fitted, passes = reads(model, tmp_path / "X.npy")
    whole = om.KMeans(**settings, n_init=1, max_iter=300).fit(X)
    assert_same_answer(fitted, whole)
    steps = passes[-1 - fitted.n_iter_ : -1]
    assert steps[0] == -(-len(X) // ((1 << 13) // 20))  # at first every block is read
    assert sum(steps[-8:]) < 0.8 * 8 * steps[0]  # some are left out towards the end


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reach", [0.05, 1.0, 100.0])
def test_gaps_are_those_of_all_distances(metric: str, dtype: Any, reach: float) -> None:
    rng = np.random.default_rng(0)
    X = hard_cases.rows("blobs", 500, 7, dtype)
    centers = X[rng.choice(500, 9, replace=False)]
    away = _core.all_pairs(X, centers, metric, 1)
    labels = away.argmin(axis=1).astype(np.int32)
    away = np.sqrt(away) if metric == "euclidean" else away
    nearest, second = np.sort(away, axis=1)[:, :2].T
    found = _core.gaps(X, labels, centers, metric, X.mean(axis=0), 1.0, reach, 2)
    for j in range(9):
        expected = min(reach, (second - nearest)[labels == j].min(initial=np.inf))
        assert found[j] <= expected
        assert found[j] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    alone = _core.gaps(X[:1], labels[:1], centers, metric, X.mean(axis=0), 1.0, reach, 1)
    assert np.isinf(np.delete(alone, labels[0])).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_winners_are_those_of_all_distances(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    X = hard_cases.rows("blobs", 3000, 5, np.float32)
    weights = rng.uniform(0, 3, len(X)) if weighted else None
    w = np.ones(len(X)) if weights is None else weights
    closest = _core.all_pairs(X, X[:3], "euclidean", 1).min(axis=1)
    candidates = X[100:104]
    away = _core.all_pairs(X, candidates, "euclidean", 1)
    for room, fits in ((10**6, True), (10, False)):
        complete, gains, counts, rows, near = _core.winners(
            X, closest, weights, -20, candidates, "euclidean", X.mean(axis=0), 1.0, 2, room
        )
        share = [np.rint(w * d * 2.0**20) for d in (closest, np.minimum(away.T, closest))]
        assert_array_equal(gains, (share[0] - share[1]).sum(axis=1).astype(np.int64))
        assert complete == fits
    complete, _, counts, rows, near = _core.winners(
        X, closest, weights, -20, candidates, "euclidean", X.mean(axis=0), 1.0, 2, 10**6
    )
    for j, some in enumerate(np.split(np.arange(len(rows)), np.cumsum(counts)[:-1])):
        order = np.argsort(rows[some])
        expected = np.flatnonzero(away[:, j] < closest)
        assert_array_equal(rows[some][order], expected)
        assert_array_equal(near[some][order], away[expected, j])


def test_an_interrupted_pass_leaves_labels_and_sums_that_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1 << 13)
    X = blobs(3000)
    engine = BlocksEngine(1)
    rows = engine.place(open_source(lambda: iter([X])), None, om.KMeans()._distance())
    centers = X[:5].copy()
    engine.step(rows, centers)
    assign, calls = blocks._part.assign, []

    def interrupted(part: Any, *what: Any) -> Any:
        calls.append(part.first)
        found = assign(part, *what)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(blocks._part, "assign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.step(rows, X[10:15].copy())
    labels = np.array(rows.labels)
    weights = engine.means(rows, rows.sums)[1]
    assert_array_equal(weights, np.bincount(labels, minlength=5))
    monkeypatch.undo()
    whole = open_engine("cpu", 1)
    placed = whole.place(X, None, om.KMeans()._distance())
    expected = whole.step(placed, X[10:15].copy())
    assert_array_equal(engine.step(rows, X[10:15].copy()).sums, expected.sums)
    assert_array_equal(rows.labels, placed.labels)


PEAK = """
import re, sys
from pathlib import Path
import omnimeans as om
from sklearn.cluster import KMeans  # what everybody has loaded
model = om.KMeans(8, init="random", n_init=1, random_state=0, max_iter=2, memory=sys.argv[2])
model.fit(sys.argv[1])
assert model.engine_ == "blocks", model.engine_
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024, model.inertia_)
"""


def fit_within(memory: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Fit the rows of a file in a process of its own, and have it say how much it held."""
    return subprocess.run(
        [sys.executable, "-c", PEAK, str(folder / "X.npy"), memory],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_memory_allowed_is_kept(tmp_path: Path) -> None:
    """320 MB of rows within little more than what the interpreter and its libraries hold."""
    file = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(2_500_000, 32)
    )
    rng = np.random.default_rng(0)
    for i in range(0, len(file), 100_000):
        file[i : i + 100_000] = rng.random((100_000, 32), dtype=np.float32)
    del file
    refused = fit_within("1MiB", tmp_path)
    least = int(re.findall(r"Allow (\d+)MiB or more", refused.stderr)[-1])
    for allowed in (least + 8, 320):
        ran = fit_within(f"{allowed}MiB", tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert float(ran.stdout.split()[0]) <= allowed << 20


def test_what_is_known_of_rows_goes_to_files_where_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = blobs(3000)
    whole = om.KMeans(5, random_state=0).fit(X)
    engine = BlocksEngine(1)
    engine.spare = 4000
    monkeypatch.setattr(BlocksEngine, "_room_for", lambda *_: None)
    monkeypatch.setattr("omnimeans.estimators._sources.open_engine", lambda *_, **__: engine)
    ours = om.KMeans(5, random_state=0, engine="blocks").fit(lambda: iter([X]))
    assert_same_answer(ours, whole)
    assert isinstance(ours.labels_, np.memmap)


# settings -> what the error says
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"memory": "1MiB"}, r"memory='1MiB' leaves 0 MiB .* Allow \d+MiB or more"),
    ({"memory": "lots"}, "is no size"),
    (
        {"n_clusters": 10**4, "memory": "700MiB", "engine": "blocks", "init": "random"},
        "The sums of",
    ),
    ({"init": lambda X, k, random_state: X[:k], "engine": "blocks"}, "init is a function"),
    ({"n_clusters": 10**6, "engine": "blocks"}, "n_samples=20000 should be >= n_clusters"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_what_is_refused(settings: dict[str, Any], message: str) -> None:
    settings = {"n_clusters": 3} | settings
    X = blobs()
    if settings["n_clusters"] == 10**4:
        X = blobs(d=400)
        settings = settings | {"memory": resident() + (64 << 20)}
    with pytest.raises(ValueError, match=message):
        om.KMeans(**settings).fit(lambda: iter([X]))


def test_transform_has_a_way_out() -> None:
    model = om.KMeans(2, random_state=0).fit(blobs())
    with pytest.raises(TypeError, match=r"open_source\(X\).blocks"):
        model.transform(lambda: iter([blobs()]))


@pytest.mark.slow
def test_mnist_from_parquet_is_mnist_in_memory(data_folder: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    images = om.datasets.load("mnist-train", data=data_folder)
    X = images.X
    columns = {f"p{j}": X[:, j] for j in range(X.shape[1])}
    parquet.write_table(pa.table(columns), tmp_path / "mnist.parquet", row_group_size=10_000)
    settings: dict[str, Any] = {
        "n_clusters": 10,
        "init": "random",
        "n_init": 1,
        "max_iter": 10,
        "random_state": 0,
    }
    ours = om.KMeans(**settings, engine="blocks").fit(tmp_path / "mnist.parquet")
    assert_same_answer(ours, om.KMeans(**settings).fit(X))
