"""The libraries that are timed: a table, and one adapter for each way of calling them.

An adapter is made inside the library's own process, once, with everything that is not timed.
Its verbs are timed as they stand; all of them take plain arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


OWN = "omnimeans"
UNPRUNED = ("brute", "coded")  # its variants that compare every row with every centre


@dataclass(frozen=True)
class Outcome:
    """What a fit gave back: centres, iterations, and what they cost.

    Rows re-decided are counted over all iterations; `compared` is the share of all distances that
    were computed.
    """

    centers: Array | None = None
    n_iter: int | None = None
    redecided: int | None = None
    compared: float | None = None


class Adapter(Protocol):
    """How the benchmark talks to a library."""

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        """Run Lloyd's algorithm from these rows, without a tolerance."""
        ...

    def cluster(self, X: Array, k: int, n_init: int, seed: int) -> Outcome:
        """Fit as a user would, with the library's own start and stopping rule."""
        ...

    def predict(self, X: Array) -> Any:
        """Label rows with the model of the last fit."""
        ...

    def transform(self, X: Array) -> Any:
        """Return the distances to all centres of the last fit."""
        ...

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        """Return starting centres by greedy k-means++."""
        ...


class Estimators:
    """Libraries with scikit-learn's interface."""

    def __init__(self, estimator: type, **parameters: Any) -> None:
        self.estimator, self.parameters = estimator, parameters
        self.model: Any = None
        warnings.simplefilter("ignore")  # "did not converge" is what max_iter=2 asks for

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        return self._fit(X, len(start), init=start, n_init=1, max_iter=max_iter, tol=0.0)

    def cluster(self, X: Array, k: int, n_init: int, seed: int) -> Outcome:
        return self._fit(X, k, n_init=n_init, random_state=seed)

    def predict(self, X: Array) -> Any:
        return self.model.predict(X)

    def transform(self, X: Array) -> Any:
        return self.model.transform(X)

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        from sklearn.cluster import kmeans_plusplus

        return Outcome(kmeans_plusplus(X, k, random_state=seed)[0])

    def _fit(self, X: Array, k: int, **parameters: Any) -> Outcome:
        self.model = self.estimator(k, **self.parameters, **parameters).fit(X)
        return Outcome(self.model.cluster_centers_, int(self.model.n_iter_))


class Omnimeans(Estimators):
    """omnimeans itself."""

    def __init__(self, threads: int, metric: str, algorithm: str = "auto") -> None:
        import omnimeans

        super().__init__(omnimeans.KMeans, n_threads=threads, metric=metric, algorithm=algorithm)

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        fit = super().lloyd(X, start, max_iter)
        history = self.model.history_
        redecided = sum(step.redecided for step in history)
        compared = sum(step.compared for step in history) / len(history)
        return Outcome(fit.centers, fit.n_iter, redecided, compared)

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        # it takes no number of threads: it uses the cores that this process is pinned to
        from omnimeans import kmeans_plusplus

        return Outcome(kmeans_plusplus(X, k, random_state=seed)[0])


class SummedAnew(Omnimeans):
    """Brute force that adds all rows up in every pass: what the sums of moved rows alone save.

    It changes the engine of this process, which measures nothing else.
    """

    def __init__(self, threads: int, metric: str) -> None:
        from omnimeans.engines.cpu import CpuEngine

        super().__init__(threads, metric, "brute")
        step = CpuEngine.step

        def anew(engine: Any, rows: Any, centers: Array) -> Any:
            before = rows.labels.copy()
            rows.labels.fill(-1)
            done = step(engine, rows, centers)
            return replace(done, moved=int(np.count_nonzero(before != rows.labels)))

        CpuEngine.step = anew  # type: ignore[method-assign]


class Faiss:
    """faiss.Kmeans with its sub-sampling switched off: it sees all rows, as the others do."""

    ALL_ROWS: ClassVar[dict[str, int]] = {
        "min_points_per_centroid": 1,
        "max_points_per_centroid": 10**9,
    }

    def __init__(self, threads: int, metric: str) -> None:
        import faiss

        faiss.omp_set_num_threads(threads)
        self.faiss = faiss
        self.model: Any = None

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        return self._train(X, len(start), start, niter=max_iter, nredo=1)

    def cluster(self, X: Array, k: int, n_init: int, seed: int) -> Outcome:
        plusplus = self.faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        return self._train(X, k, None, niter=25, nredo=n_init, seed=seed, init_method=plusplus)

    def predict(self, X: Array) -> Any:
        return self.model.assign(X)

    def transform(self, X: Array) -> Any:
        raise NotImplementedError

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        raise NotImplementedError

    def _train(self, X: Array, k: int, start: Array | None, **parameters: Any) -> Outcome:
        self.model = self.faiss.Kmeans(X.shape[1], k, **self.ALL_ROWS, **parameters)
        self.model.train(X, init_centroids=start)
        return Outcome(self.model.centroids, len(self.model.obj))


class Checks:
    """No k-means at all: only scikit-learn's checks of the input, which a drop-in must make too."""

    def __init__(self, threads: int, metric: str) -> None:
        from sklearn.cluster import KMeans

        self.estimator = KMeans(3)

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        return self.cluster(X, len(start), 1, 0)

    def cluster(self, X: Array, k: int, n_init: int, seed: int) -> Outcome:
        from sklearn.utils.validation import _check_sample_weight, validate_data

        data = validate_data(
            self.estimator, X, accept_sparse="csr", dtype=[np.float64, np.float32], order="C"
        )
        _check_sample_weight(None, data, dtype=data.dtype)
        return Outcome()

    def predict(self, X: Array) -> Any:
        from sklearn.utils.validation import validate_data

        kinds = [np.float64, np.float32]
        return validate_data(
            self.estimator, X, accept_sparse="csr", reset=False, dtype=kinds, order="C"
        )

    def transform(self, X: Array) -> Any:
        return self.predict(X)

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        raise NotImplementedError


class Broadcast:
    """k-medians as one writes it in NumPy: all differences at once."""

    def __init__(self, threads: int, metric: str) -> None:
        pass

    def lloyd(self, X: Array, start: Array, max_iter: int) -> Outcome:
        centers, n_iter = start.copy(), 0
        while n_iter < max_iter:
            n_iter += 1
            labels = np.abs(X[:, None] - centers).sum(axis=2).argmin(axis=1)
            moved = np.stack(
                [
                    np.median(X[labels == j], axis=0) if (labels == j).any() else centers[j]
                    for j in range(len(centers))
                ]
            ).astype(X.dtype)
            if np.array_equal(moved, centers):
                break
            centers = moved
        return Outcome(centers, n_iter)

    def cluster(self, X: Array, k: int, n_init: int, seed: int) -> Outcome:
        raise NotImplementedError

    def predict(self, X: Array) -> Any:
        raise NotImplementedError

    def transform(self, X: Array) -> Any:
        raise NotImplementedError

    def seed(self, X: Array, k: int, seed: int) -> Outcome:
        raise NotImplementedError


def _sklearn(algorithm: str) -> Callable[[int, str], Adapter]:
    def adapter(threads: int, metric: str) -> Adapter:
        from sklearn.cluster import KMeans

        return Estimators(KMeans, algorithm=algorithm)

    return adapter


def _intelex(threads: int, metric: str) -> Adapter:
    from daal4py import daalinit
    from sklearnex.cluster import KMeans

    daalinit(threads)
    return Estimators(KMeans)


@dataclass(frozen=True)
class Library:
    """One row of the table of libraries.

    `pruned` marks those that skip distances: their iterations get faster as a fit settles, so
    targets for brute force are not set against them.
    """

    name: str
    module: str  # what has to be importable
    adapter: Callable[[int, str], Adapter]  # (threads, metric)
    actions: tuple[str, ...] = ("lloyd", "cluster", "predict", "transform")
    dtypes: tuple[str, ...] = ("float32", "float64")
    metrics: tuple[str, ...] = ("euclidean",)
    pruned: bool = False
    peer: bool = True

    @property
    def own(self) -> bool:
        """Whether it is omnimeans, in whatever variant."""
        return self.name.startswith(OWN)

    @property
    def variant(self) -> bool:
        """Whether it is one variant of omnimeans, which a user gets by asking for it."""
        return self.own and self.name != OWN

    @property
    def installed(self) -> bool:
        """Whether its module can be found here."""
        return find_spec(self.module) is not None

    def takes(self, action: str, dtype: str, metric: str) -> bool:
        """Whether it does this job at all."""
        return action in self.actions and dtype in self.dtypes and metric in self.metrics


def _variant(algorithm: str) -> Library:
    def adapter(threads: int, metric: str) -> Adapter:
        return Omnimeans(threads, metric, algorithm)

    return Library(
        f"{OWN}-{algorithm}", "omnimeans", adapter, peer=False, actions=("lloyd",),
        metrics=("euclidean", "manhattan"), pruned=algorithm not in UNPRUNED,
    )  # fmt: skip


LIBRARIES: dict[str, Library] = {
    row.name: row
    for row in (
        Library(
            "omnimeans", "omnimeans", Omnimeans, peer=False, metrics=("euclidean", "manhattan"),
            actions=("lloyd", "cluster", "predict", "transform", "seed"),
        ),
        Library(
            "sklearn", "sklearn", _sklearn("lloyd"),
            actions=("lloyd", "cluster", "predict", "transform", "seed"),
        ),
        Library("elkan", "sklearn", _sklearn("elkan"), pruned=True, actions=("lloyd", "cluster")),
        Library("intelex", "sklearnex", _intelex),
        Library(
            "faiss", "faiss", Faiss,
            actions=("lloyd", "cluster", "predict"), dtypes=("float32",),
        ),
        Library(  # shown for the small problems only, which are in float64
            "checks", "sklearn", Checks, peer=False,
            actions=("cluster", "predict"), dtypes=("float64",),
        ),
        Library("broadcast", "numpy", Broadcast, metrics=("manhattan",), actions=("lloyd",)),
        Library(
            f"{OWN}-anew", "omnimeans", SummedAnew, peer=False, actions=("lloyd",),
            metrics=("euclidean", "manhattan"),
        ),
        *map(_variant, ("brute", "coded", "bounded", "bounded-coded", "tree")),
    )
}  # fmt: skip


def select(names: str | None) -> list[Library]:
    """Return the libraries of a list such as ``"sklearn,faiss"``; omnimeans is always one."""
    if not names:
        return [row for row in LIBRARIES.values() if not row.variant]
    wanted = [name for name in names.replace(" ", "").split(",") if name]
    unknown = [name for name in wanted if name not in LIBRARIES]
    if unknown:
        raise ValueError(f"no library {unknown[0]!r}; choose from {', '.join(LIBRARIES)}")
    return [row for row in LIBRARIES.values() if row.name in (OWN, *wanted)]
