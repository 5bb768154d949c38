"""Many at once: processes of every kind, other libraries' threads, thousands of fits, huge counts.

Forks, threads and limits of one process stand in test_faults.py.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

import tally
from alone import run

# Other libraries with threads of their own: what is imported and used first, and is installed here.
BESIDE = {
    "torch": "import torch\ntorch.ones(300, 300) @ torch.ones(300, 300)",
    "faiss": "import faiss\nfaiss.Kmeans(6, 8, niter=3).train(data())",
    "sklearn": "from sklearn.cluster import KMeans\nKMeans(8, n_init=1).fit(data())",
}
INSTALLED = [name for name in BESIDE if find_spec(name)]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_every_kind(method: str) -> None:
    """A fit before they start, in each of them, and after they have ended."""
    code = f"""
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from sklearn.base import clone
expected = answer()
model = om.KMeans(8, random_state=0, n_threads=2, engine="cpu")
with ProcessPoolExecutor(2, mp_context=get_context({method!r})) as pool:
    fitted = [pool.submit(clone(model).fit, data()) for _ in range(4)]
    found = [one.result(60) for one in fitted]
same = [one.labels_.tobytes() == expected[2] and one.inertia_ == expected[0] for one in found]
print(json.dumps(same + [answer() == expected]))
"""
    assert run(code, timeout=120) == [True] * 5
    tally.count("forks", 2)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(backend: str) -> None:
    code = f"""
import joblib
expected = answer()
model = om.KMeans(8, random_state=0, n_threads=2, engine="cpu")
found = joblib.Parallel(n_jobs=2, backend={backend!r})(
    joblib.delayed(om.KMeans(**model.get_params()).fit)(data()) for _ in range(4))
same = [one.labels_.tobytes() == expected[2] and one.inertia_ == expected[0] for one in found]
print(json.dumps(same + [answer() == expected]))
"""
    assert run(code, timeout=120) == [True] * 5
    tally.count("forks", 2)


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("first", [True, False], ids=["first", "afterwards"])
def test_beside_another_librarys_threads(name: str, first: bool) -> None:
    """Whoever comes first: the same bits, and a forked child is not hung."""
    other = BESIDE[name]
    steps = (
        (other, "found = [answer(), answer(3)]")
        if first
        else ("found = [answer(), answer(3)]", other)
    )
    code = f"""
{steps[0]}
{steps[1]}
found.append(answer())
child = os.fork()
if child == 0:
    signal.alarm(30)
    os._exit(0 if answer() == found[0] else 1)
print(json.dumps([len(set(found)), os.waitpid(child, 0)[1]]))
"""
    assert run(code, timeout=100) == [1, 0]
    tally.count("forks")


def test_ten_thousand_fits_keep_memory_flat() -> None:
    code = """
import psutil
me, X, seen = psutil.Process(), data(60, 3), []
model = om.KMeans(3, random_state=0, max_iter=3, tol=1.0, n_threads=2)
for fits in range(10_000):
    model.fit(X)
    if fits in (3000, 9999):  # by then every cache has been filled
        seen.append([me.memory_info().rss, me.num_threads(), me.num_fds()])
print(json.dumps([after - before for before, after in zip(*seen)]))
"""
    grown, threads, files = run(code, timeout=200)
    assert grown < 4 << 20
    assert threads <= 0
    assert files <= 0
    tally.count("fits", 10_000)


@pytest.mark.slow
def test_more_than_two_billion_values(tmp_path: object) -> None:
    """n·d and n·k beyond 2**31, in a file that is mostly holes and is read in place."""
    code = f"""
n, d, k = 16_800_000, 128, 130
path = {str(tmp_path)!r} + "/holes.npy"
X = np.lib.format.open_memmap(path, "w+", np.uint8, (n, d))  # no page is written
X[-1], X[-2] = 200, 100
X.flush()
X = np.load(path, mmap_mode="r")
centers = np.zeros((k, d), np.float32)
centers[:, 0] = -1000 - np.arange(k)
centers[7], centers[128], centers[129] = 0, 100, 200
model = om.KMeans(k, init=centers.astype(float)).fit(centers[[7, 128, 129] * 50].astype(float)[:k])
model.cluster_centers_ = centers
labels = model.predict(X)
counts = np.bincount(labels, minlength=k)
assert n * d > 2**31 and n * k > 2**31
print(json.dumps([int(counts[7]), int(labels[-1]), int(labels[-2]), int(counts.sum())]))
"""
    assert run(code, timeout=280) == [16_800_000 - 2, 129, 128, 16_800_000]
    tally.count("inputs")


@pytest.mark.slow
def test_a_fit_of_more_than_two_billion_values(tmp_path: object) -> None:
    """Start, passes, sums and labels, of a file that is mostly holes and larger than the memory."""
    code = f"""
from fractions import Fraction
n, d = 16_800_000, 128
path = {str(tmp_path)!r} + "/holes.npy"
X = np.lib.format.open_memmap(path, "w+", np.uint8, (n, d))  # no other page is written
X[5], X[-3], X[-2], X[-1] = 7, 200, 100, 101
X.flush()
del X
start = np.outer([0.0, 100, 200], np.ones(d))
model = om.KMeans(3, init=start, max_iter=2, tol=0, memory="1GiB").fit(path)
mean = Fraction(7, n - 3)
inertia = float(d * ((n - 4) * mean**2 + (7 - mean) ** 2 + Fraction(1, 2)))
print(json.dumps([
    n * d > 2**31,
    (model.cluster_centers_ == np.outer([float(mean), 100.5, 200], np.ones(d))).all().item(),
    abs(model.inertia_ / inertia - 1) < 1e-12,
    np.bincount(model.labels_).tolist() == [n - 3, 2, 1],
    model.labels_[-3:].tolist() == [2, 1, 1],
    len(model.history_),
    peak() < 1 << 30,
]))
"""
    assert run(code, timeout=280) == [True, True, True, True, True, 2, True]
    tally.count("inputs")
