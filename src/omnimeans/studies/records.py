"""What a study returns: frozen records that can be tested, printed, drawn, or written as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from omnimeans._types import F64, I32, I64, Floats
from omnimeans.lloyd import Elbow

_DRAWN = {"json": False}  # only there to be drawn, and too much for the JSON


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fit: who made it, what came out, and how long it took.

    Parameters
    ----------
    library : str
        ``"omnimeans"`` or ``"scikit-learn"``.
    metric : str
        Name of the distance, as in `omnimeans.distances.DISTANCES`.
    k : int
        Number of clusters.
    starts : int
        1 if the fit began at the start that all rows of its run share; else the number of random
        starts of which the best was kept.
    inertia : float
        The objective: sum of squared Euclidean, or of city-block, distances.
    iterations : int
        Iterations of the fit that was kept.
    seconds : float
        Wall-clock time of ``fit`` alone, warmed up.
    ari : float or None
        Adjusted Rand index between these labels and those of the run's first row; None for that.
    """

    library: str
    metric: str
    k: int
    starts: int
    inertia: float
    iterations: int
    seconds: float
    ari: float | None


@dataclass(frozen=True, slots=True)
class Classes:
    """How omnimeans' clusters agree with the true classes.

    Parameters
    ----------
    rows : str
        Which rows were asked, such as ``"held-out fifth"``.
    contingency : ndarray of shape (n_classes, n_clusters)
        Rows of each class in each cluster.
    purity : float
        Share of rows in the commonest class of their cluster.
    purity_per_cluster : ndarray of shape (n_clusters,)
        The same for each cluster.
    rand_index : float
        Share of pairs of rows that classes and clusters treat alike.
    adjusted_rand_index : float
        The Rand index, with its value for random labels taken out.
    """

    rows: str
    contingency: I64
    purity: float
    purity_per_cluster: F64
    rand_index: float
    adjusted_rand_index: float


@dataclass(frozen=True, slots=True)
class Run:
    """One clustering task, done by one or more fits of which the first is omnimeans'.

    Parameters
    ----------
    title : str
        What was clustered and how.
    n_samples, n_features : int
        Size of the data.
    rows : tuple of Comparison
        The fits.
    classes : tuple of Classes
        Agreement with true classes, where there are any.
    feature_names : tuple of str
        One name per column.
    image_shape : tuple of int or None
        As in `omnimeans.datasets.Dataset`.
    X : ndarray of shape (n_samples, n_features)
        The rows that were clustered.
    labels : ndarray of shape (n_samples,)
        Cluster of each row, by the first fit.
    centers : ndarray of shape (k, n_features)
        The centres of the first fit.
    """

    title: str
    n_samples: int
    n_features: int
    rows: tuple[Comparison, ...]
    classes: tuple[Classes, ...]
    feature_names: tuple[str, ...] = field(repr=False, metadata=_DRAWN)
    image_shape: tuple[int, ...] | None
    X: Floats = field(repr=False, metadata=_DRAWN)
    labels: I32 = field(repr=False, metadata=_DRAWN)
    centers: Floats = field(repr=False, metadata=_DRAWN)


@dataclass(frozen=True, slots=True)
class Study:
    """A study's result.

    Parameters
    ----------
    name : str
        Its name in `omnimeans.studies.STUDIES`.
    about : str
        One line on what is shown.
    source : str
        Where the data come from, and their licence.
    n_threads : int
        Threads that each library was given.
    runs : tuple of Run
        The clustering tasks.
    elbow : Elbow or None
        Inertia over the number of clusters, where the study looks at it.
    """

    name: str
    about: str
    source: str
    n_threads: int
    runs: tuple[Run, ...]
    elbow: Elbow | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain Python values, without the arrays that are only drawn.

        Returns
        -------
        dict
            Ready for ``json.dumps``.

        Examples
        --------
        >>> from omnimeans import studies
        >>> studies.toy().to_dict()["runs"][0]["rows"][0]["inertia"]
        16.0
        """
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        kept = [f.name for f in fields(value) if f.metadata.get("json", True)]
        return {name: _plain(getattr(value, name)) for name in kept}
    if isinstance(value, Elbow):
        return value._asdict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
