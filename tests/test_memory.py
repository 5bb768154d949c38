"""What a fit takes beside the data: measured as the peak of a process of its own."""

from __future__ import annotations

import numpy as np
import pytest

import alone
from omnimeans.algorithms import VARIANTS
from omnimeans.engines.pilot import Pilot

N, D = 2_000_000, 16  # many rows: a huge page more or less is a byte per row
SMALL_CHANGE = 4  # bytes per row: sums, work space and pages of the allocator
# Bytes per row: the label, the copy of it that the model keeps, and that of a snapshot.
EVERY_FIT = 12

MEASURE = """
from omnimeans import _control
_control.QUICK = 0  # snapshots for an interrupt, as slower machines take them
X = np.empty(({n}, {d}), np.float32)
np.random.default_rng(0).random(out=X, dtype=np.float32)
def fit(rows):
    import warnings
    warnings.simplefilter("ignore")
    settings = dict(n_init=1, max_iter=3, tol=0, n_threads=2, algorithm="{algorithm}")
    return om.KMeans(8, init={init}, metric="{metric}", **settings).fit(rows)
fit(X[:5000])
before = peak()
model = fit(X)
print(json.dumps([(peak() - before) / len(X), model.algorithm_]))
"""


def measured(
    algorithm: str, init: str = "X[:8].copy()", metric: str = "euclidean"
) -> tuple[float, str]:
    """Bytes per row that a fit added to the peak of its process, and what ran."""
    code = MEASURE.format(n=N, d=D, algorithm=algorithm, init=init, metric=metric)
    taken, ran = alone.run(code)
    return float(taken), str(ran)


@pytest.mark.parametrize("init", ["X[:8].copy()", "'random'", "'k-means++'"])
def test_a_plain_fit_takes_at_most_16_bytes_per_row(init: str) -> None:
    taken, ran = measured("brute", init)
    assert ran == "brute"
    assert 4 <= taken <= 16


def test_medians_take_what_the_guide_says() -> None:
    taken, ran = measured("brute", metric="manhattan")
    assert ran == "brute"
    assert 8 <= taken <= 24


@pytest.mark.parametrize("name", ["bounded", "coded"])
def test_a_variant_takes_what_it_says(name: str) -> None:
    taken, ran = measured(name)
    says = VARIANTS[name].bytes_per_row(D, 4)
    assert ran == name
    assert says <= taken <= EVERY_FIT + says + SMALL_CHANGE


@pytest.mark.parametrize("d", [2, 3, 16, 200])
def test_what_is_chosen_keeps_within_the_memory_allowed(d: int) -> None:
    n, filled = 10**6, min(d, 8)
    for memory in (0, 5 * n, 10 * n, 100 * n, 10**12):
        pilot = Pilot(n, d, 4, filled, memory)
        for seconds in np.geomspace(1e-3, 10, 12):  # ever slower passes ask for a tree
            variant = pilot.next(256)
            assert n * variant.bytes_per_row(d, 4) <= memory
            pilot.saw(variant, float(seconds))
