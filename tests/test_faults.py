"""Where libraries hang or take more than they were given: forks, threads, limits."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import omnimeans as om
import tally
from alone import python, run
from checks import assert_same_answer
from omnimeans import _core
from omnimeans._checkpoint import Checkpoint
from omnimeans.distances import DISTANCES
from omnimeans.engines import cpu
from omnimeans.progress import Progress

ROWS = np.random.default_rng(0).uniform(size=(600, 4))
LINUX = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

# forks and threads


def test_fits_in_forked_children_after_a_fit() -> None:
    """A known way to hang: threads do not survive a fork, and their locks do."""
    code = """
expected = answer()
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(0 if answer() == expected and answer(3) == expected else 1)
    children.append(child)
print(json.dumps([os.waitpid(child, 0)[1] for child in children] + [answer() == expected]))
"""
    assert run(code, timeout=40) == [0, 0, True]


def test_a_fork_in_the_middle_of_a_fit() -> None:
    code = """
expected, statuses = answer(), []
def fork_once(record):
    if not statuses:
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(0 if answer() == expected else 1)
        statuses.append(os.waitpid(child, 0)[1])
om.KMeans(8, random_state=0, n_threads=2, engine="cpu", callback=fork_once).fit(data())
print(json.dumps(statuses + [answer() == expected]))
"""
    assert run(code, timeout=40) == [0, True]


def test_the_first_eight_fits_at_once() -> None:
    code = """
barrier, answers = threading.Barrier(8), []
def fit():
    barrier.wait()
    answers.append(answer())
threads = [threading.Thread(target=fit) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join(30)
print(json.dumps([len(answers), len(set(answers)), answers[0] == answer(1)]))
"""
    assert run(code) == [8, 1, True]


def test_fits_in_workers_of_joblib() -> None:
    code = """
import joblib
expected = answer()
found = joblib.Parallel(n_jobs=2)(
    joblib.delayed(om.KMeans(8, random_state=0, n_threads=2, engine="cpu").fit)(data())
    for _ in range(4))
same = [model.labels_.tobytes() == expected[2] and model.inertia_ == expected[0] for model in found]
print(json.dumps(same + [answer() == expected]))
"""
    assert run(code) == [True] * 5


@LINUX
def test_no_more_threads_than_were_asked_for() -> None:
    code = """
answer(1)
done, most = threading.Event(), [0]
def watch():
    while not done.is_set():
        most[0] = max(most[0], len(os.listdir("/proc/self/task")))
watcher = threading.Thread(target=watch)
watcher.start()
base, seen = len(os.listdir("/proc/self/task")), []
for threads in (1, 2, 3):
    most[0] = 0
    for _ in range(20): answer(threads)
    seen.append(most[0] - base)
many = [threading.Thread(target=answer, args=(3,)) for _ in range(8)]
most[0] = 0
for thread in many: thread.start()
for thread in many: thread.join()
seen.append(most[0] - base - 8)
done.set()
watcher.join()
print(json.dumps(seen))
"""
    alone, two, three, eight_fits = run(code)
    assert (alone, two, three) == (0, 1, 2)
    assert eight_fits <= 2  # one pool for all of them


# limits


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux's affinity masks")
def test_the_affinity_mask_is_kept() -> None:
    code = """
answer(1)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
before = len(os.listdir("/proc/self/task"))
model = om.KMeans(8, random_state=0, engine="cpu").fit(data())
after = len(os.listdir("/proc/self/task"))
print(json.dumps([cpu.available_threads(), open_engine("auto").n_threads, after - before]))
"""
    assert run(code) == [1, 1, 0]
    tally.count("faults")


def test_the_limits_that_joblib_sees_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control groups and LOKY_MAX_CPU_COUNT among them."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert cpu.available_threads() == 1


def test_an_unknown_instruction_set_is_refused_at_import() -> None:
    done = python("", OMNIMEANS_ISA="mmx")
    assert done.returncode == 1  # an exception, not a signal
    last = done.stderr.strip().splitlines()[-1]
    assert "OMNIMEANS_ISA=mmx but this machine offers" in last
    assert _core.offered() in last
    assert "unset OMNIMEANS_ISA" in last


@pytest.mark.parametrize("isa", _core.offered().split(", "))
def test_an_instruction_set_can_be_chosen(isa: str) -> None:
    assert run("print(json.dumps(_core.isa()))", OMNIMEANS_ISA=isa) == isa
    assert _core.isa() in _core.offered()


# a system that gives no more threads


@LINUX
def test_a_system_that_gives_no_more_threads() -> None:
    """Threads whose stacks are larger than all memory cannot be started."""
    code = """
import resource
if "WITH_LIMITS" not in os.environ:  # the size of stacks is read when a program starts
    for kind, size in ((resource.RLIMIT_STACK, 64 << 30), (resource.RLIMIT_AS, 16 << 30)):
        resource.setrlimit(kind, (size, resource.getrlimit(kind)[1]))
    os.execve(sys.executable, sys.orig_argv, {**os.environ, "WITH_LIMITS": "1"})
try:
    threading.Thread(target=print).start()
    started = True
except RuntimeError:
    started = False
before = answer(1)
print(json.dumps([started, answer(64) == before, answer(2) == before]))
"""
    limited = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    assert run(code, **limited) == [False, True, True]
    tally.count("faults")


def test_more_threads_than_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "SMALL", 0)
    engine = cpu.CpuEngine(1000)
    X = np.arange(10.0)[:, None]
    rows = engine.place(X, None, DISTANCES["euclidean"])
    assert engine.step(rows, X[:2].copy()).moved == 10


# checkpoints


def test_a_callable_start_is_known_by_its_code() -> None:
    def of(function: Any) -> Any:
        checkpoint = Checkpoint("nowhere").of({"init": function})
        return checkpoint._subject["init"]

    def first(rows: Any, k: int, random_state: Any) -> Any:
        return [row for row in rows[:k] if k in {1, 12}]

    class Start:
        def __call__(self, rows: Any, k: int, random_state: Any) -> Any:
            return rows[:k]

    assert of(first) == of(first) != of(Start())
    assert of(Start()) == of(Start()) != of(np.sort)
    assert "0x" not in of(first) + of(Start()) + of(np.sort)
    assert of(partial(first)) == of(first)


@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_a_checkpoint_that_cannot_be_removed_loses_no_fit(tmp_path: Path) -> None:
    how: dict[str, Any] = {"init": "random", "n_init": 4, "random_state": 0}
    path = tmp_path / "c"

    def replace(record: Progress) -> None:
        if path.is_file() and record.restart == 3:
            path.unlink()
            path.mkdir()

    with pytest.warns(RuntimeWarning, match=r"c could not be removed: .*\. The fit is complete"):
        model = om.KMeans(12, **how, checkpoint=path, callback=replace).fit(ROWS)
    tally.count("faults")
    assert_same_answer(model, om.KMeans(12, **how).fit(ROWS))
