"""The engine for Dask: a real scheduler and workers on loopback, and the answer of one machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import omnimeans as om
from checks import assert_same_answer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A scheduler and two worker processes, each with a nanny that replaces it when it dies."""
    from distributed import Client, LocalCluster

    with (
        warnings.catch_warnings(),
        dask.config.set({"distributed.scheduler.allowed-failures": 50}),
    ):
        warnings.simplefilter("ignore")
        cluster = LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
        )
        with cluster, Client(cluster) as client:
            yield client


def blobs(n: int = 6000, d: int = 5, dtype: Any = np.float32) -> Any:
    rng = np.random.default_rng(3)
    return (rng.normal(0, 3, (12, d))[rng.integers(0, 12, n)] + rng.normal(size=(n, d))).astype(
        dtype
    )


X = blobs()
UNEVEN = (1, 2999, 0, 700, 2300)  # rows of the partitions


def frame(rows: Any, npartitions: int = 3) -> Any:
    import dask.dataframe as dd
    import pandas as pd

    columns = [f"c{j}" for j in range(rows.shape[1])]
    index = np.random.default_rng(0).permutation(len(rows))
    return dd.from_pandas(
        pd.DataFrame(rows, columns=columns, index=index), npartitions=npartitions, sort=False
    )


def sparse_blocks(rows: Any) -> Any:
    import scipy.sparse as sp

    def block(part: Any) -> Any:
        made = dask.delayed(sp.csr_matrix)(part)
        return da.from_delayed(made, part.shape, dtype=rows.dtype, meta=sp.csr_matrix((0, 0)))

    return da.concatenate([block(part) for part in np.array_split(rows, 3)])


def unknown(rows: Any) -> Any:
    array = da.from_array(rows, chunks=(1000, -1))
    return array[array[:, 0] > -1e9]  # lengths are not known any more


# name -> the same rows as a Dask collection
COLLECTIONS: dict[str, Any] = {
    "even": lambda rows: da.from_array(rows, chunks=(1500, -1)),
    "uneven and empty": lambda rows: da.from_array(rows, chunks=(UNEVEN, -1)),
    "split columns": lambda rows: da.from_array(rows, chunks=(2000, 2)),
    "unknown lengths": unknown,
    "frame with an index": frame,
    "sparse": sparse_blocks,
    "one": lambda rows: da.from_array(rows, chunks=-1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_gives_the_answer_of_one_machine(
    name: str, dtype: Any, client: Any
) -> None:
    rows = X.astype(dtype)
    settings: dict[str, Any] = {"n_clusters": 9, "random_state": 1, "max_iter": 12}
    whole = om.KMeans(**settings).fit(rows)
    collection = COLLECTIONS[name](rows)
    ours = om.KMeans(**settings).fit(collection)
    assert ours.engine_ == "dask"
    assert_same_answer(ours, whole)
    found = ours.predict(collection).compute()
    assert_array_equal(np.asarray(found), whole.labels_)
    away, expected = ours.transform(collection), whole.transform(rows)
    assert away.dtypes.unique().item() == dtype if name.startswith("frame") else away.dtype == dtype
    assert np.asarray(away.compute()).tobytes() == expected.tobytes()


def test_distances_of_a_frame_keep_its_index_and_name_the_centres(client: Any) -> None:
    collection = frame(X)
    model = om.KMeans(4, random_state=0).fit(collection)
    away = model.transform(collection).compute()
    assert_array_equal(away.index, collection.index.compute())
    assert list(away.columns) == [f"kmeans{j}" for j in range(4)]
    assert_array_equal(away.to_numpy(), model.transform(collection.compute()))


@pytest.mark.parametrize("estimator", [om.MiniBatchKMeans, om.BisectingKMeans])
def test_estimators_of_rows_in_memory_bring_them_home(estimator: Any, client: Any) -> None:
    ours = estimator(4, random_state=0).fit(COLLECTIONS["uneven and empty"](X))
    whole = estimator(4, random_state=0).fit(X)
    assert ours.cluster_centers_.tobytes() == whole.cluster_centers_.tobytes()
    assert_array_equal(ours.labels_, whole.labels_)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_weights_metrics_and_starts(metric: str, init: str, client: Any) -> None:
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    settings: dict[str, Any] = {"n_clusters": 7, "metric": metric, "init": init, "n_init": 2}
    settings |= {"random_state": 5, "max_iter": 6}
    whole = om.KMeans(**settings).fit(X, sample_weight=weights)
    ours = om.KMeans(**settings).fit(COLLECTIONS["uneven and empty"](X), sample_weight=weights)
    assert_same_answer(ours, whole)
    assert ours.score(COLLECTIONS["even"](X), sample_weight=weights) == -whole.inertia_


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("name", ["uneven and empty", "sparse"])
def test_rows_of_zeros_have_no_direction(name: str, init: str, weighted: bool, client: Any) -> None:
    """They cost 1, are in cluster 0, and pull no centre: as on one machine, bit for bit."""
    rows = X.copy()
    rows[[0, 5, 2999, 3000, 3001, 5999]] = 0.0
    rows[5] = -0.0
    rows[1000:1700] = 0.0
    weights = np.random.default_rng(2).uniform(0, 2, len(X)) if weighted else None
    settings: dict[str, Any] = {"n_clusters": 8, "metric": "cosine", "init": init, "n_init": 2}
    settings |= {"random_state": 3, "max_iter": 15}
    whole = om.KMeans(**settings).fit(rows, sample_weight=weights)
    collection = COLLECTIONS[name](rows)
    ours = om.KMeans(**settings).fit(collection, sample_weight=weights)
    assert ours.engine_ == "dask"
    assert_same_answer(ours, whole)
    assert not ours.labels_[1000:1700].any()
    assert_array_equal(np.asarray(ours.predict(collection).compute()), whole.labels_)
    with pytest.raises(ValueError, match=r"All rows of .* are zero"):
        om.KMeans(2, metric="cosine").fit(COLLECTIONS["even"](np.zeros_like(X)))


@pytest.mark.parametrize("empty", ["farthest", "split", "drop"])
def test_rows_of_zeros_where_clusters_are_empty(empty: str, client: Any) -> None:
    angles = np.repeat(np.linspace(0, 1.5, 30), 20)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rows[::7] = 0.0
    start = np.concatenate([rows[[1, 200, 400]], -np.ones((2, 2)), [[-1.0, -2.0]]])
    settings: dict[str, Any] = {"n_clusters": 6, "init": start, "n_init": 1, "metric": "cosine"}
    settings |= {"empty_clusters": empty}
    whole = om.KMeans(**settings).fit(rows)
    ours = om.KMeans(**settings).fit(da.from_array(rows, chunks=(110, -1)))
    assert_same_answer(ours, whole)


def test_empty_clusters_are_repaired(client: Any) -> None:
    rows = np.repeat(np.arange(60.0).reshape(30, 2), 10, axis=0)
    start = np.concatenate([rows[:3], 500.0 + np.arange(12).reshape(6, 2)])
    settings: dict[str, Any] = {"n_clusters": 9, "init": start, "n_init": 1}
    whole = om.KMeans(**settings).fit(rows)
    ours = om.KMeans(**settings).fit(da.from_array(rows, chunks=(70, -1)))
    assert any(step.repaired for step in whole.history_)
    assert_same_answer(ours, whole)


def test_arrays_and_files_are_sent_or_read_there(client: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    whole = om.KMeans(6, random_state=2).fit(X)
    for data in (X, tmp_path / "X.npy"):
        ours = om.KMeans(6, random_state=2, engine="dask").fit(data)
        assert ours.engine_ == "dask"
        assert_same_answer(ours, whole)
    assert_array_equal(ours.predict(X), whole.labels_)


def test_a_bad_value_is_named(client: Any) -> None:
    rows = X.copy()
    rows[3700, 2] = np.nan
    with pytest.raises(ValueError, match="nan in row 3700, column 2"):
        om.KMeans(3).fit(COLLECTIONS["uneven and empty"](rows))


def test_workers_forget_a_fit_that_is_over(client: Any) -> None:
    om.KMeans(3, random_state=0).fit(COLLECTIONS["even"](X))
    held = client.run(lambda: len(__import__("omnimeans.engines._work").engines._work._held))
    assert set(held.values()) == {0}


@pytest.mark.parametrize("fetched", [1, 2000, 1 << 26])
def test_many_large_centres_and_labels_in_portions(
    fetched: int, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omnimeans.engines import _post
    from omnimeans.engines import dask as engine

    monkeypatch.setattr(engine, "FETCHED", fetched)
    rows = blobs(3000, 200, np.float64)
    settings: dict[str, Any] = {"n_clusters": 150, "random_state": 1, "max_iter": 4}
    assert _post.LARGE < 2 * 150 * 200 * 8 * 4  # so the workers fetch them
    whole = om.KMeans(**settings).fit(rows)
    assert_same_answer(om.KMeans(**settings).fit(da.from_array(rows, chunks=(700, -1))), whole)


def test_by_tasks_as_by_calls(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large for the scheduler to pass on is added up in a tree of tasks."""
    from omnimeans.engines import _post

    weights = np.random.default_rng(1).uniform(0, 2, len(X))
    settings: dict[str, Any] = {"n_clusters": 9, "random_state": 2, "max_iter": 6}
    whole = om.KMeans(**settings).fit(X, sample_weight=weights)
    for direct in (0, _post.DIRECT):
        monkeypatch.setattr(_post, "DIRECT", direct)
        ours = om.KMeans(**settings).fit(COLLECTIONS["even"](X), sample_weight=weights)
        assert_same_answer(ours, whole)


def test_a_call_that_finds_nothing_is_made_by_tasks(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omnimeans.engines import _post

    calls = []

    def lost(self: Any, *_: Any, **__: Any) -> None:
        calls.append(self.settled)

    whole = om.KMeans(5, random_state=2).fit(X)
    with monkeypatch.context() as patched:
        patched.setattr(_post.Post, "_call", lost)
        assert_same_answer(om.KMeans(5, random_state=2).fit(COLLECTIONS["even"](X)), whole)
    assert len(calls) > 5
    assert all(calls)


def test_calls_that_break_off_are_made_by_tasks(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, breaks = client.run, []

    def broken(job: Any, *what: Any, **how: Any) -> Any:
        if job.__name__ == "call" and len(breaks) % 3 == 1:
            breaks.append("on the way")
            raise OSError("the connection broke")
        answers = run(job, *what, **how)
        if job.__name__ == "call":
            breaks.append("on a worker")
            if len(breaks) % 3 == 0:
                answers[next(iter(answers))] = OSError("a worker has gone")
        return answers

    monkeypatch.setattr(client, "run", broken)
    settings: dict[str, Any] = {"n_clusters": 6, "random_state": 2, "init": "k-means||"}
    whole = om.KMeans(**settings).fit(X)
    assert_same_answer(om.KMeans(**settings, engine=client).fit(COLLECTIONS["even"](X)), whole)
    assert {"on the way", "on a worker"} == set(breaks)


def test_a_fault_in_a_call_is_told(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from omnimeans.engines import _work

    def count(held: Any, place: Any) -> int:
        raise ZeroDivisionError("so it is")

    monkeypatch.setattr(_work, "count", count)
    with pytest.raises(ZeroDivisionError, match="so it is"):
        om.KMeans(3, engine=client).fit(COLLECTIONS["even"](X))


def test_workers_in_this_process() -> None:
    from distributed import Client, LocalCluster

    whole = om.KMeans(6, random_state=2).fit(X)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as c,
        Client(c) as own,
    ):
        ours = om.KMeans(6, random_state=2, engine=own).fit(COLLECTIONS["uneven and empty"](X))
    assert_same_answer(ours, whole)


@pytest.mark.parametrize("algorithm", ["auto", "brute", "bounded", "bounded-coded", "tree"])
def test_every_variant(algorithm: str, client: Any) -> None:
    rows = blobs(30_000, 8)
    settings: dict[str, Any] = {"n_clusters": 20, "random_state": 1, "algorithm": algorithm}
    whole = om.KMeans(**settings).fit(rows)
    ours = om.KMeans(**settings).fit(da.from_array(rows, chunks=(8000, -1)))
    assert_same_answer(ours, whole)
    if algorithm != "auto":
        assert ours.algorithm_ == whole.algorithm_ == algorithm
    if algorithm == "bounded":
        assert min(step.compared for step in ours.history_) < 0.5


def test_without_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    from omnimeans.engines import dask as engine

    monkeypatch.setattr(engine, "current_client", lambda: None)
    with pytest.raises(ValueError, match=r"no client. Make one first"):
        om.KMeans(3, engine="dask").fit(X)
    whole = om.KMeans(4, random_state=0).fit(X)
    with dask.config.set(scheduler="sync"):
        ours = om.KMeans(4, random_state=0).fit(COLLECTIONS["uneven and empty"](X))
    assert ours.engine_ in ("cpu", "blocks")
    assert_same_answer(ours, whole)
