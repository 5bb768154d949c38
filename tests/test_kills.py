"""SIGKILL at random moments: a fit that is started again ends with the bits of one never killed."""

from __future__ import annotations

import pytest

import tally
from alone import run

KILLS = """
import hashlib, random, tempfile, warnings
from omnimeans import _checkpoint
_checkpoint.SHARE = SHARE_OF_TIME
os.chdir(tempfile.mkdtemp())
X = data(10_000, 8, np.dtype(DTYPE).type)
def fitted(checkpoint, threads):
    how = dict(init="random", n_init=3, random_state=5, tol=0, max_iter=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = om.KMeans(30, n_threads=threads, checkpoint=checkpoint, **how).fit(X)
    parts = [model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_,
             model.stop_reason_, model.n_iter_, model.initial_centers_.tobytes(),
             [(h.inertia, h.moved, h.shift, h.repaired) for h in model.history_]]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
expected = fitted(None, 2)
begun = time.perf_counter()
assert fitted(None, 2) == expected
whole = time.perf_counter() - begun
random.seed(SEED)
kills = during = finished = wrong = 0
while kills < WANTED:
    answer, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(told, fitted("checkpoint", random.choice((1, 2))).encode())
        os._exit(0)
    os.close(told)
    end = time.perf_counter() + random.uniform(0, 0.8) * whole
    done = 0
    while not done and time.perf_counter() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.001)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        during += any(name.endswith(".partial") for name in os.listdir())
    found = os.read(answer, 100).decode()
    os.close(answer)
    if found:
        finished += 1
        wrong += found != expected
    elif done:
        wrong += 1
last = fitted("checkpoint", 2)
print(json.dumps([kills, during, finished + 1, wrong + (last != expected), os.listdir()]))
"""


@pytest.mark.parametrize(
    ("dtype", "share", "seed"), [("float32", 50, 1), ("float32", 0, 2), ("float64", 0, 3)]
)
def test_killed_at_random_moments(dtype: str, share: int, seed: int) -> None:
    """Twenty kills each, in the middle of passes and of writing, and every end is the same."""
    code = KILLS.replace("SHARE_OF_TIME", str(share)).replace("DTYPE", repr(dtype))
    code = code.replace("SEED", str(seed)).replace("WANTED", "20")
    kills, during, finished, wrong, files = run(code, timeout=200)
    print(f"{kills} kills, {during} of them while writing; {finished} fits finished")
    assert kills == 20
    tally.count("kills", kills)
    assert finished >= 1
    assert wrong == 0
    assert files == []
