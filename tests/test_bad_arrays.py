"""What the compiled core is given is checked at its door: an error, never a crash.

Each call is made in a fork of its own, so that a crash is seen and stays there.
"""

from __future__ import annotations

from typing import Any

import pytest

from alone import run

SETUP = """
X, L = np.arange(40.0).reshape(20, 2), np.full(20, -1, np.int32)
grid, two = np.zeros(3, np.int64) - 45, X[:2].copy()
def rows(x=X, w=None, labels=L, kernel="euclidean", exponents=grid, bits=50):
    return _core.RowsF64(x, w, labels, kernel, exponents, bits)
def framed():
    made = rows()
    made.set_frame(np.zeros(2), 1.0)
    return made
def stepped():
    made = framed()
    made.step(X[:5].copy(), 1)
    return made
def met():
    made = framed().seeding(1)
    made.meet(two)
    return made
def adopted():
    made = met()
    made.adopt(1)
    return made
def stored(x=X):
    return _core.lend_f64(x.astype(np.int8))
def held(w=None, labels=L, exponents=grid):
    made = stored().hold(w, labels, "euclidean", exponents, 50)
    made.set_frame(np.zeros(2), 1.0)
    return made
def nearest(x=X, centers=two, kernel="euclidean", threads=1):
    return _core.nearest(x, centers, kernel, threads)
"""

# calls that must not be answered
REFUSED = {
    # rows
    "a list": "rows(X.tolist())",
    "nothing": "rows(None)",
    "float32 for float64": "rows(X.astype(np.float32))",
    "integers": "rows(X.astype(int))",
    "big-endian": "rows(X.astype('>f8'))",
    "one dimension": "rows(X.ravel())",
    "columns beside columns": "rows(np.asfortranarray(X))",
    "every other column": "rows(np.zeros((20, 4))[:, ::2])",
    "unaligned": "rows(np.zeros(321, np.int8)[1:].view(float).reshape(20, 2)).total(1)",
    "no rows": "rows(X[:0], labels=L[:0])",
    "no columns": "rows(X[:, :0], exponents=grid[:1])",
    "half a value between rows": "rows(np.zeros(20, [('a', 'f8', 2), ('b', 'i4')])['a'])",
    "too few weights": "rows(w=np.ones(3))",
    "float32 weights": "rows(w=np.ones(20, np.float32))",
    "every other weight": "rows(w=np.ones(40)[::2])",
    "too few labels": "rows(labels=L[:3])",
    "int64 labels": "rows(labels=L.astype(np.int64))",
    "read-only labels": "L.setflags(write=False); rows()",
    "unknown kernel": "rows(kernel='cosine')",
    "too few exponents": "rows(exponents=grid[:2])",
    "float exponents": "rows(exponents=grid.astype(float))",
    "too many bits": "rows(bits=5000)",
    "negative bits": "rows(bits=-1)",
    "no initialisation": "_core.RowsF64.__new__(_core.RowsF64).sums()",
    # set_frame
    "too short an offset": "rows().set_frame(np.zeros(1), 1.0)",
    "float32 offset": "rows().set_frame(np.zeros(2, np.float32), 1.0)",
    # step
    "a step without a frame": "rows().step(two, 1)",
    "float32 centres": "framed().step(two.astype(np.float32), 1)",
    "centres column by column": "framed().step(np.asfortranarray(X[:3]), 1)",
    "every other centre": "framed().step(X[::2], 1)",
    "centres of three columns": "framed().step(np.zeros((2, 3)), 1)",
    "no centres": "framed().step(X[:0], 1)",
    "no threads": "framed().step(two, 0)",
    "negative threads": "framed().step(two, -1)",
    "total by no threads": "rows().total(0)",
    # labelled rows
    "distances to one column": "framed().distances(np.zeros((1, 1)), None, 1)",
    "distances to nothing": "framed().distances(X[:0], None, 1)",
    "labels too large": "framed().distances(two, np.full(20, 2, np.int32), 1)",
    "labels far too large": "framed().distances(two, np.full(20, 2**31 - 1, np.int32), 1)",
    "negative labels": "framed().distances(two, np.full(20, -1, np.int32), 1)",
    "relabel before a step": "framed().relabel(np.array([0]), 0)",
    "relabel row 20": "stepped().relabel(np.array([20]), 0)",
    "relabel row -1": "stepped().relabel(np.array([-1]), 0)",
    "relabel into cluster 5": "stepped().relabel(np.array([0]), 5)",
    "relabel into cluster -1": "stepped().relabel(np.array([0]), -1)",
    "medians before a step": "framed().medians(2, 1)",
    "medians of fewer clusters": "stepped().medians(1, 1)",
    "far too many medians": "stepped().medians(2**62, 1)",
    # seeding
    "seeding by no threads": "framed().seeding(0)",
    "float tickets": "framed().seeding(1).draw(np.zeros(2))",
    "the distance of row 20": "framed().seeding(1).closest(np.array([20]))",
    "the distance of row -1": "met().closest(np.array([-1]))",
    "the distance of row 2**40, of a centre": "adopted().closest(np.array([2**40]))",
    "candidates of three columns": "framed().seeding(1).meet(np.zeros((2, 3)))",
    "float32 candidates": "framed().seeding(1).meet(two.astype(np.float32))",
    "no candidates": "framed().seeding(1).meet(X[:0])",
    "the worth of nobody": "framed().seeding(1).worth(np.array([0]))",
    "the worth of none": "framed().seeding(1).worth(np.zeros(0, np.int64))",
    "seeding without a frame": "rows().seeding(1)",
    "means of a negative weight": "_core.means(-np.ones((1, 2, 3), np.int64), grid, 50)",
    "exponents out of range": "rows(exponents=grid + 2**40)",
    "unaligned weights": "rows(w=np.zeros(161, np.int8)[1:].view(float))",
    "the worth of candidate 2": "met().worth(np.array([2]))",
    "the worth of candidate -1": "met().worth(np.array([-1]))",
    "adopt nobody": "framed().seeding(1).adopt(0)",
    "adopt candidate 2": "met().adopt(2)",
    # without rows
    "nearest of nothing": "nearest(centers=X[:0])",
    "nearest of three columns": "nearest(centers=np.zeros((2, 3)))",
    "nearest by no threads": "nearest(threads=0)",
    "nearest by cosine": "nearest(kernel='cosine')",
    "nearest column by column": "nearest(x=np.asfortranarray(X))",
    "pairs of different shapes": "_core.pairs(X, two, 'euclidean')",
    "pairs of different types": "_core.pairs(X, X.astype(np.float32), 'euclidean')",
    "all pairs of nothing": "_core.all_pairs(X, X[:0], 'euclidean', 1)",
    "all pairs by no threads": "_core.all_pairs(X, two, 'euclidean', 0)",
    "peaks by no threads": "_core.peaks(X, None, 0)",
    "peaks column by column": "_core.peaks(np.asfortranarray(X), None, 1)",
    "peaks with few weights": "_core.peaks(X, np.ones(3), 1)",
    "totals with few weights": "_core.total(np.ones(3), np.ones(2))",
    "totals of float32": "_core.total(np.ones(3, np.float32), None)",
    "means of three words": "_core.means(np.ones((1, 3, 3), np.int64), grid, 50)",
    "means of other columns": "_core.means(np.ones((1, 2, 4), np.int64), grid, 50)",
    "means of no columns": "_core.means(np.ones((1, 2, 0), np.int64), grid[:0], 50)",
    "means of too many bits": "_core.means(np.ones((1, 2, 3), np.int64), grid, 5000)",
    "means of negative bits": "_core.means(np.ones((1, 2, 3), np.int64), grid, -5)",
    # rows in other forms
    "lend a list": "_core.lend_f64(X.tolist())",
    "lend nothing": "_core.lend_f64(X[:0])",
    "lend complex numbers": "_core.lend_f64(X.astype(complex))",
    "lend one dimension": "_core.lend_f32(X.ravel())",
    "take row 20": "stored().take(np.array([20]))",
    "take row -1": "stored().take(np.array([-1]))",
    "stored peaks with few weights": "stored().peaks(np.ones(3), 1)",
    "stored nearest of nothing": "stored().nearest(X[:0], 'euclidean', 1)",
    "stored nearest of three columns": "stored().nearest(np.zeros((2, 3)), 'euclidean', 1)",
    "stored nearest by no threads": "stored().nearest(two, 'euclidean', 0)",
    "own of label 2": "stored().own(two, np.full(20, 2, np.int32), 'euclidean', 1)",
    "own of too few labels": "stored().own(two, np.zeros(3, np.int32), 'euclidean', 1)",
    "hold with few weights": "held(w=np.ones(3))",
    "hold with few labels": "held(labels=L[:3])",
    "hold with few exponents": "held(exponents=grid[:2])",
    "held step without a frame": "stored().hold(None, L, 'euclidean', grid, 50).step(two, 1)",
    "held relabel before a step": "held().relabel(np.array([0]), 0)",
    "held medians before a step": "held().medians(2, 1)",
    "held distances to label 2": "held().distances(two, np.full(20, 2, np.int32), 1)",
}
# unusual calls that must be answered
ANSWERED = {
    "rows backwards": "rows(X[::-1]).total(1)",
    "one row many times": "rows(np.broadcast_to(X[0], (20, 2))).total(1)",
    "part of a wider array": "rows(np.zeros((20, 9))[:, 3:5]).total(1)",
    "read-only": "X.setflags(write=False); rows().total(1)",
    "one column of many": "rows(np.zeros((20, 9))[:, 3:4], exponents=grid[:2]).total(1)",
    "more threads than rows": "framed().step(two, 500)",
    "a negative size of chunks": "_core.set_chunk_rows(-5); framed().step(two, 2)",
    "a second centre": "m = adopted(); m.meet(two); m.worth(np.array([0])); m.adopt(0)",
    "held rows": "m = held(); m.step(two, 2); m.relabel(np.array([3]), 1); m.medians(2, 1)",
    "held seeding outlives all": "s = held().seeding(2); s.meet(two); s.adopt(0); s.meet(two)",
    "seeding outlives the rows": "met().draw(np.zeros(3, np.uint64))",
    "relabel nothing": "stepped().relabel(np.zeros(0, np.int64), 0)",
    "medians of more clusters": "stepped().medians(9, 1)",
    "the rows outlive their arrays": "stepped_on_temporary()",
}

FORKS = """
import gc, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
def stepped_on_temporary():
    made = rows(np.arange(40.0).reshape(20, 2), np.ones(20), np.full(20, -1, np.int32))
    made.set_frame(np.zeros(2), 1.0)
    gc.collect()
    rubbish = [np.full(40, 7.0) for _ in range(50)]
    made.step(two, 1)
    assert made.sums()[:, 0, 2].sum() > 0
def outcome(call):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            exec(call, globals())
        except (TypeError, ValueError, IndexError, MemoryError, RuntimeError):
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return ["answered", "refused"][os.WEXITSTATUS(status)]
"""


@pytest.fixture(scope="module")
def outcomes() -> Any:
    calls = REFUSED | ANSWERED
    return run(
        f"{SETUP}{FORKS}print(json.dumps({{n: outcome(c) for n, c in {calls!r}.items()}}))",
        timeout=120,
    )


@pytest.mark.parametrize("call", REFUSED)
def test_refused(call: str, outcomes: Any) -> None:
    assert outcomes[call] == "refused"


@pytest.mark.parametrize("call", ANSWERED)
def test_answered(call: str, outcomes: Any) -> None:
    assert outcomes[call] == "answered"


def test_a_crash_would_be_seen() -> None:
    code = f"{SETUP}{FORKS}print(json.dumps(outcome('os.kill(os.getpid(), signal.SIGSEGV)')))"
    assert run(code) == "SIGSEGV"
