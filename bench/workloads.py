"""What is timed: a table of workloads, each on data from one seeded function.

The functions return float64 (``n`` rows, evenly spaced ones where the data is given); the workload
casts.  The first letter of a key names its group: ``--only g`` runs ``g-noise`` and ``g-mnist``.
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SEED = 0


def china(n: int) -> Array:
    """The pixels of china.jpg, in [0, 1]; they lie on a lattice and are full of exact ties."""
    from sklearn.datasets import load_sample_image

    return _spaced(load_sample_image("china.jpg").reshape(-1, 3) / 255.0, n)


def blobs(n: int, d: int, centers: int, spread: float) -> Array:
    """Round gaussian clusters with centres drawn from the cube [-10, 10]^d."""
    from sklearn.datasets import make_blobs

    X: Array = make_blobs(n, d, centers=centers, cluster_std=spread, random_state=SEED)[0]
    return X


def mixture(n: int, d: int, components: int, spread: float) -> Array:
    """A mixture of unit gaussians whose means are gaussian too, with deviation `spread`."""
    rng = np.random.default_rng(SEED)
    means = spread * rng.normal(size=(components, d))
    return means[rng.integers(components, size=n)] + rng.normal(size=(n, d))


def noise(n: int, d: int) -> Array:
    """Uniform noise in [0, 1]: nothing to find, and many rows almost half-way."""
    return np.random.default_rng(SEED).random((n, d))


def directions(n: int, d: int) -> Array:
    """Gaussian rows of unit length, like sentence embeddings without meaning."""
    X = np.random.default_rng(SEED).normal(size=(n, d))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X


def mnist(n: int, part: str = "train") -> Array:
    """The MNIST images, scaled to [0, 1]."""
    with gzip.open(_data(f"mnist/{part}-images-idx3-ubyte.gz")) as file:
        pixels = np.frombuffer(file.read(), dtype=np.uint8, offset=16)
    return _spaced(pixels.reshape(-1, 784), n) / 255.0


def intrusion(n: int) -> Array:
    """Network connections of the KDD cup 1999: columns of very different scale, many copies."""
    with zipfile.ZipFile(_data("breathing-k-means/Intrusion.zip")) as archive:
        text = io.StringIO(archive.read("Intrusion.csv").decode())
    return _spaced(np.loadtxt(text, delimiter=",", ndmin=2), n)


def europe(n: int) -> Array:
    """Differential coordinates of the map of Europe."""
    return _spaced(np.loadtxt(_data("europe/europediff_169300_2.txt"), ndmin=2), n)


def digits(n: int) -> Array:
    """The 8x8 digits of scikit-learn."""
    from sklearn.datasets import load_digits

    return _spaced(load_digits().data, n)


def iris(n: int) -> Array:
    """Fisher's Iris."""
    from sklearn.datasets import load_iris

    return _spaced(load_iris().data, n)


def toy(n: int) -> Array:
    """Six points in two columns."""
    return np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=np.float64)[:n]


@dataclass(frozen=True)
class Workload:
    """One job: data, number of clusters, and what is timed.

    `action` is ``"lloyd"`` (time per iteration from given rows), ``"cluster"`` (a whole fit with
    the library's own start), ``"predict"`` or ``"transform"`` (a whole call on a fitted model).
    `few` and `many` are the two iteration limits whose difference is timed.
    """

    key: str
    title: str
    make: Callable[[int], Array]
    n: int
    k: int
    quick: tuple[int, int]  # rows and clusters in quick mode
    dtype: str = "float32"
    action: str = "lloyd"
    few: int = 2
    many: int = 12
    metric: str = "euclidean"
    n_init: int = 1
    one_row: bool = False  # predict a single row instead of all

    @property
    def group(self) -> str:
        """The letter that selects this workload and its variants."""
        return self.key.split("-")[0]

    @cached_property
    def features(self) -> int:
        """The number of columns."""
        return int(self.make(self.quick[0]).shape[1])

    def reduced(self) -> Workload:
        """Return the quick version."""
        n, k = self.quick
        return replace(self, n=n, k=k)

    def data(self) -> Array:
        """Return the rows, contiguous and in the workload's dtype."""
        X = np.ascontiguousarray(self.make(self.n), dtype=self.dtype)
        if len(X) != self.n:
            raise ValueError(f"workload {self.key} has {len(X)} rows where its row says {self.n}")
        return X


def starting_rows(X: Array, k: int) -> Array:
    """Return `k` random rows that differ from one another, the same for every library."""
    order = np.random.default_rng(SEED).permutation(len(X))
    drawn = X[order[: 4 * k]]
    first = np.sort(np.unique(drawn, axis=0, return_index=True)[1])
    if len(first) < k:
        drawn = X[order]
        first = np.sort(np.unique(drawn, axis=0, return_index=True)[1])
    if len(first) < k:
        raise ValueError(f"k={k} but the data has only {len(first)} distinct rows; use fewer")
    return np.ascontiguousarray(drawn[first[:k]])


def _spaced(X: Array, n: int) -> Array:
    """Take `n` rows evenly from all (all of them where n is their number)."""
    return X if n >= len(X) else X[np.linspace(0, len(X) - 1, n).astype(np.int64)]


def _data(name: str) -> Path:
    folder = Path(os.environ.get("OMNIMEANS_DATA", "../shared/data"))
    if not (folder / name).exists():
        raise FileNotFoundError(f"no {name} in {folder} (set OMNIMEANS_DATA)")
    return folder / name


def _blobs(d: int, centers: int, spread: float) -> Callable[[int], Array]:
    return lambda n: blobs(n, d, centers, spread)


def _mixture(d: int, components: int, spread: float) -> Callable[[int], Array]:
    return lambda n: mixture(n, d, components, spread)


# In two or three columns faiss is several times slower below some 130,000 numbers (n d) than above,
# so quick runs stay above, where the full sizes are.
_A = Workload("a", "china.jpg pixels", china, 273_280, 1024, quick=(50_000, 1024))
_D = Workload("d", "overlapping blobs", _blobs(16, 64, 6.0), 200_000, 64, quick=(100_000, 64))
_E = Workload("e", "gaussian mixture", _mixture(64, 256, 1.0), 100_000, 256, quick=(20_000, 256))
_F = Workload("f-noise", "uniform noise", lambda n: noise(n, 784), 60_000, 10, quick=(20_000, 10))
_G = replace(_F, key="g-noise", k=100, quick=(5_000, 100))
_H = Workload("h", "gaussian mixture", _mixture(128, 1024, 0.5), 100_000, 1024, quick=(8_000, 256))
_I = Workload(  # converges in its seventh iteration
    "i",
    "unit-norm gaussian",
    lambda n: directions(n, 768),
    50_000,
    1000,
    quick=(5_000, 100),
    many=6,
)
_J = Workload("j-1", "digits", digits, 1797, 10, quick=(1797, 10), action="cluster")
_K = Workload("k-iris", "Iris", iris, 150, 3, quick=(150, 3), dtype="float64", action="cluster")
_O = Workload(
    "o",
    "MNIST test images, manhattan",
    lambda n: mnist(n, "t10k"),
    10_000,
    10,
    quick=(2_000, 10),
    metric="manhattan",
)
_MNIST: dict[str, Any] = {"title": "MNIST", "make": mnist}

WORKLOADS: dict[str, Workload] = {
    row.key: row
    for row in (
        _A,
        Workload("b", "blobs", _blobs(2, 10, 1.0), 1_000_000, 10, quick=(200_000, 10)),
        Workload("c", "blobs", _blobs(2, 100, 1.0), 1_000_000, 100, quick=(100_000, 100)),
        _D,
        _E,
        _F,
        replace(_F, key="f-mnist", **_MNIST),
        _G,
        replace(_G, key="g-mnist", **_MNIST),
        _H,
        _I,
        replace(_J, key="j-10", n_init=10),
        _J,
        _K,
        replace(_K, key="k-toy", title="six points", make=toy, n=6, k=2, quick=(6, 2)),
        replace(_K, key="k-predict", action="predict", one_row=True),
        Workload("l", "intrusion", intrusion, 494_021, 100, quick=(40_000, 100)),
        Workload("m", "europe", europe, 169_305, 256, quick=(100_000, 256)),
        *(replace(row, key=f"n-{row.group}", dtype="float64") for row in (_A, _D, _E, _G)),
        _O,
        replace(_E, key="o-mixture", action="predict", metric="manhattan"),
        *(
            replace(row, key=f"p-{action}-{row.group}", action=action)
            for action in ("predict", "transform")
            for row in (_A, _D, _E, _G, _H)
        ),
    )
}  # fmt: skip

# The points of three curves, each over three decades: one size varies, the others stay.
_MIDDLE = {"n": 30_000, "d": 16, "k": 64}
CURVES: dict[str, tuple[int, ...]] = {
    "n": (1_000, 10_000, 100_000, 1_000_000),
    "d": (2, 8, 32, 128, 512, 2_000),
    "k": (4, 16, 64, 256, 1_024, 4_096),
}


def _point(axis: str, value: int) -> Workload:
    n, d, k = ({**_MIDDLE, axis: value}[name] for name in "ndk")
    return Workload(
        f"{axis}={value}", "growing mixture", _mixture(d, 64, 1.0), n, k, quick=(min(n, 2_000), k)
    )


GROWTH = {row.key: row for axis in CURVES for row in (_point(axis, v) for v in CURVES[axis])}

SETS: dict[str, Sequence[str]] = {
    "all": tuple(WORKLOADS),
    "growth": tuple(GROWTH),
    "marks": ("a", "c", "d", "e", "g-noise", "h"),  # the six that every release must keep
    "quick": (
        "a", "c", "d", "e", "f-noise", "g-noise", "h", "j-10", "k-iris", "k-predict", "n-e", "o",
    ),
}  # fmt: skip


def select(names: str | None) -> list[Workload]:
    """Return the workloads of a list such as ``"a,g-mnist"``, ``"f,n"`` or ``"marks"``."""
    if not names:
        return list(WORKLOADS.values())
    wanted: dict[str, Workload] = {}
    for name in names.replace(" ", "").split(","):
        keys = SETS.get(name, (name,))
        known_ones = [*WORKLOADS.values(), *GROWTH.values()]
        found = [w for w in known_ones if w.key in keys]
        found = found or [w for w in WORKLOADS.values() if w.group == name]
        if not found:
            known = ", ".join([*SETS, *WORKLOADS])
            raise ValueError(
                f"no workload {name!r}; choose from {known}, or a letter for its group"
            )
        wanted |= {w.key: w for w in found}
    return list(wanted.values())
