"""Workers that are lost, and workers that join: the answer keeps its bits."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import omnimeans as om
import tally
from checks import assert_same_answer
from clusters import PATIENCE, Cluster, Reaper
from omnimeans.engines import _patience, _post
from omnimeans.engines._balance import UNEVEN, moves

KILLS = 20
LONGEST = 80.0  # seconds for one fit, however many workers are killed in it

rng = np.random.default_rng(3)
X = rng.normal(0, 3, (12, 16))[rng.integers(0, 12, 40_000)] + rng.normal(size=(40_000, 16))
W = rng.uniform(0, 2, len(X))

# settings of the fits that are disturbed, one after the other; whether the rows have weights, and
# how many bytes may go without tasks
FITS: list[tuple[dict[str, Any], bool, int]] = [
    ({"init": "k-means++", "n_clusters": 24}, False, _post.DIRECT),
    ({"init": "k-means||", "n_clusters": 24}, True, 0),
    ({"metric": "manhattan", "n_clusters": 9, "max_iter": 5}, False, _post.DIRECT),
]
COMMON: dict[str, Any] = {"random_state": 0, "tol": 0.0, "max_iter": 25, "n_init": 1}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_killed_workers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are killed at iterations and in between, at least 20; every fit ends the same."""
    from distributed import Client

    rows = da.from_array(X, chunks=(3000, -1))
    expected = [
        om.KMeans(**COMMON | how).fit(X, sample_weight=W if weighted else None)
        for how, weighted, _ in FITS
    ]
    with (
        Cluster(tmp_path, workers=3) as cluster,
        Client(cluster.address, timeout=PATIENCE) as client,
    ):
        client.wait_for_workers(3, timeout=PATIENCE)
        reaper, fits = Reaper(cluster, client, pause=1.0), 0
        pool = ThreadPoolExecutor(1)
        reaper.start()
        try:
            while reaper.kills < KILLS or fits < len(FITS):
                which = fits % len(FITS)
                how, weighted, direct = FITS[which]
                monkeypatch.setattr(_post, "DIRECT", direct)
                model = om.KMeans(**COMMON | how, engine=client, callback=reaper.watch)
                begun = time.monotonic()
                done = pool.submit(model.fit, rows, sample_weight=W if weighted else None)
                assert_same_answer(done.result(LONGEST), expected[which])
                print(f"fit {fits}: {time.monotonic() - begun:.1f} s, {reaper.kills} kills so far")
                fits += 1
        except TimeoutError:
            cluster.close()  # so that the fit ends as well
            pytest.fail(f"a fit did not end in {LONGEST} s; {reaper.kills} kills\n{cluster.said()}")
        finally:
            reaper.done.set()
            reaper.join(PATIENCE)
            pool.shutdown(wait=False, cancel_futures=True)
    assert reaper.kills >= KILLS
    tally.count("faults", reaper.kills)


def test_a_worker_that_joins_takes_over_rows(tmp_path: Path) -> None:
    from distributed import Client

    rows = da.from_array(X, chunks=(2000, -1))
    expected = om.KMeans(24, **COMMON).fit(X, sample_weight=W)
    with (
        Cluster(tmp_path, workers=1) as cluster,
        Client(cluster.address, timeout=PATIENCE) as client,
    ):
        client.wait_for_workers(1, timeout=PATIENCE)
        busy: list[int] = []

        def watch(progress: Any) -> None:
            if progress.iteration == 1:
                cluster.add()
                client.wait_for_workers(2, timeout=PATIENCE)
            busy.append(sum(1 for keys in client.has_what().values() if len(keys) >= 5))

        model = om.KMeans(24, **COMMON, engine=client, callback=watch)
        assert_same_answer(model.fit(rows, sample_weight=W), expected)
        assert busy[0] == 1
        assert busy[-2] == 2  # the last word comes when labels and inertia are done
        held = client.run(lambda: len(__import__("omnimeans.engines._work").engines._work._held))
        assert set(held.values()) == {0}


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=40),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 8), min_size=1),
    st.randoms(use_true_random=False),
)
def test_moves_even_out_the_work(rows: list[int], threads: dict[str, int], random: Any) -> None:
    workers = sorted(threads)
    homes: dict[str, list[int]] = {worker: [] for worker in workers}
    for number in range(len(rows)):
        homes[random.choice(workers)].append(number)
    planned = moves(homes, rows, threads)
    where = {number: worker for worker, parts in homes.items() for number in parts}
    able = [worker for worker in workers if threads[worker]]

    def busiest(at: dict[int, str]) -> float:
        loads = dict.fromkeys(able, 0.0)
        for number, worker in at.items():
            if worker in loads:
                loads[worker] += rows[number] / threads[worker]
        return max(loads.values(), default=0.0)

    assert all(threads[to] > 0 and where[number] != to for number, to in planned.items())
    assert busiest(where | planned) <= busiest(where)
    if able and all(where[n] in able for n in where):
        fair = sum(rows) / sum(threads.values())
        # what is left over is less than what one part more or less makes
        assert busiest(where | planned) <= UNEVEN * fair + max(rows) * len(able)


def test_moves_by_hand() -> None:
    assert moves({"a": [0, 1, 2, 3]}, [5, 5, 5, 5], {"a": 1, "b": 1}) == {0: "b", 1: "b"}
    assert moves({"a": [0, 1, 2, 3]}, [5, 5, 5, 5], {"a": 1}) == {}
    assert moves({"a": [0], "b": [1]}, [10, 11], {"a": 1, "b": 1}) == {}
    assert moves({"a": [0]}, [10], {"a": 1, "b": 1}) == {}  # one part cannot be shared
    assert moves({"a": [0, 1, 2]}, [9, 1, 1], {"a": 1, "b": 1}) == {1: "b", 2: "b"}


class Unlucky:
    """A client whose tasks fail as the list says; None: they end well."""

    status = "running"

    def __init__(self, troubles: list[BaseException | None]) -> None:
        self.troubles, self.retried = troubles, 0

    def gather(self, asked: list[Any]) -> list[Any]:
        trouble = self.troubles.pop(0)
        if trouble is not None:
            asked[0].status, asked[0].exception = "error", lambda: trouble
            raise trouble
        return ["answer"]

    def retry(self, futures: list[Any]) -> None:
        self.retried += len(futures)


class Task:
    status = "pending"


def test_a_question_is_asked_again_but_not_for_ever() -> None:
    from distributed import KilledWorker

    class Lost:
        status = "lost"

    def killed() -> Any:
        return KilledWorker("task", None, 3)

    client = Unlucky([killed(), killed(), None])
    assert _patience.gather(client, lambda: [Task()], lambda: [Lost(), Task()]) == ["answer"]
    assert client.retried == 2  # what is not lost is left alone
    client = Unlucky([killed() for _ in range(_patience.ATTEMPTS + 1)])
    with pytest.raises(KilledWorker) as caught:
        _patience.gather(client, lambda: [Task()])
    assert len(client.troubles) == 1
    assert "smaller partitions" in caught.value.__notes__[0]
    client = Unlucky([FileNotFoundError("rows.parquet"), None])
    with pytest.raises(FileNotFoundError):  # a task's own fault is not asked for twice
        _patience.gather(client, lambda: [Task()])


def test_a_task_that_fails_says_why(tmp_path: Path) -> None:
    """A partition that cannot be read ends the fit at once, with its own error."""
    import dask

    @dask.delayed  # type: ignore[untyped-decorator]
    def broken() -> Any:
        raise FileNotFoundError("rows.parquet is not there")

    from distributed import Client

    rows = da.from_delayed(broken(), (10, 2), dtype=np.float64)
    with (
        Cluster(tmp_path, workers=1) as cluster,
        Client(cluster.address, timeout=PATIENCE) as client,
    ):
        begun = time.monotonic()
        with pytest.raises(FileNotFoundError, match=r"rows\.parquet is not there"):
            om.KMeans(2, engine=client).fit(rows)
        assert time.monotonic() - begun < PATIENCE
        assert_array_equal(client.submit(np.arange, 3).result(PATIENCE), [0, 1, 2])
