"""What a report holds: plain frozen records, one for each question that a reader has.

Numbers that do not exist (a ratio without spread, a score of one cluster) are None, never NaN, so
that the records can be written as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from omnimeans._types import I64


@dataclass(frozen=True, slots=True)
class Data:
    """The rows that were looked at.

    Parameters
    ----------
    n_samples, n_features : int
        Size of the data.
    dtype : str
        Number type in which the distances were taken.
    weight : float or None
        Sum of the sample weights; None where every row counts once.
    feature_names : tuple of str
        One name per feature.
    trained_on : bool or None
        Whether the model was fitted on these very rows, as far as its labels tell; None if it has
        none.
    """

    n_samples: int
    n_features: int
    dtype: str
    weight: float | None
    feature_names: tuple[str, ...]
    trained_on: bool | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What was run: the estimator, its parameters, and what they led to.

    Parameters
    ----------
    estimator : str
        Its full name.
    parameters : dict
        Its parameters, as text where they are no plain values.
    metric : str
        The distance that is minimised.
    n_clusters : int
        Number of centres.
    steps_before : tuple of str
        The steps of a pipeline that come before it.
    engine, algorithm : str or None
        What did the arithmetic, if the model says so.
    version : str
        Version of omnimeans that wrote the report.
    """

    estimator: str
    parameters: dict[str, Any]
    metric: str
    n_clusters: int
    steps_before: tuple[str, ...]
    engine: str | None
    algorithm: str | None
    version: str


class Step(NamedTuple):
    """One iteration of the fit, as its history tells."""

    inertia: float
    moved: int
    shift: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """How the fit went.

    Parameters
    ----------
    iterations : int or None
        Iterations of the kept start.
    converged : bool or None
        Whether the centres came to rest.
    stop_reason : str or None
        Why the iterations ended, as the estimator says it.
    why : str
        The same in a sentence.
    seconds : float or None
        Time of the iterations of the kept start.
    history : tuple of Step
        One line per iteration.
    """

    iterations: int | None
    converged: bool | None
    stop_reason: str | None
    why: str
    seconds: float | None
    history: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much the rows differ, and how much of it the clusters explain.

    Parameters
    ----------
    measure : str
        What is summed, such as ``"sum of squares"``.
    total : float
        The objective with one centre for all rows.
    within : float
        The objective with the model's centres: the inertia on these rows.
    between : float
        The difference.
    explained : float or None
        ``between / total``; None where all rows are equal.
    """

    measure: str
    total: float
    within: float
    between: float
    explained: float | None


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature over all rows, and how well the clusters tell its values apart.

    Parameters
    ----------
    name : str
        Its name.
    mean, std, minimum, maximum : float
        In its own units; the (weighted) standard deviation divides by the weight of all rows.
    share : float or None
        Its share of the sum of all features' variances, as the distances see them.
    explained : float or None
        Share of its variance that lies between the clusters.
    f_ratio : float or None
        Variance between the clusters over variance within, each by its degrees of freedom.
    """

    name: str
    mean: float
    std: float
    minimum: float
    maximum: float
    share: float | None
    explained: float | None
    f_ratio: float | None


class Mark(NamedTuple):
    """A feature that sets a cluster apart from the other rows."""

    feature: str
    center: float
    z: float
    f_ratio: float | None


class Place(NamedTuple):
    """A row, and its distance from its centre."""

    row: int
    name: str
    distance: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster.

    Parameters
    ----------
    label : int
        Its number.
    size : int
        Its rows.
    weight, share : float
        Sum of their weights, and its part of all weights.
    within : float
        Its part of the objective.
    spread : float or None
        Root mean square distance of its rows from the centre.
    radius : float or None
        Distance of the farthest row.
    neighbor : int or None
        The cluster whose centre is nearest.
    neighbor_distance : float or None
        Distance of the two centres.
    gap : float or None
        The same in standard deviations of the two clusters' rows along the line between the
        centres; two halves of one Gaussian cloud are 2.6 apart.
    silhouette : float or None
        Mean silhouette of its rows in the sample.
    simplified_silhouette : float or None
        Mean of ``(b - a) / max(a, b)`` over its rows, with the distances `a` to their own and `b`
        to the nearest other centre.
    marks : tuple of Mark
        The features that set it apart, the strongest first.
    exemplars : tuple of Place
        Its rows nearest to the centre.
    outliers : tuple of Place
        Its rows farthest from the centre, the farthest first.
    """

    label: int
    size: int
    weight: float
    share: float
    within: float
    spread: float | None
    radius: float | None
    neighbor: int | None
    neighbor_distance: float | None
    gap: float | None
    silhouette: float | None
    simplified_silhouette: float | None
    marks: tuple[Mark, ...]
    exemplars: tuple[Place, ...]
    outliers: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the clusters agree with known classes.

    Parameters
    ----------
    classes : tuple of str
        Names of the classes, sorted.
    clusters : tuple of int
        Numbers of the clusters that have rows.
    contingency : ndarray of shape (n_classes, n_clusters)
        Rows of each class in each cluster.
    scores : dict of float
        The scores of `omnimeans.metrics.AGREEMENT` by their names.
    """

    classes: tuple[str, ...]
    clusters: tuple[int, ...]
    contingency: I64
    scores: dict[str, float]


class Warned(NamedTuple):
    """Something that a reader should know before trusting the clusters."""

    code: str
    text: str
    clusters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep over the number of clusters, as far as a report shows it.

    Parameters
    ----------
    ks : tuple of int
        The numbers of clusters.
    scores : dict of tuples
        For each score, by its name, one value per number of clusters; None where it is not defined.
    errors : dict of tuples
        Standard errors of the scores that have them.
    verdict : str or None
        What the sweep says about the number of clusters.
    best_k : int or None
        The number of clusters that it prefers, if it prefers one.
    """

    ks: tuple[int, ...]
    scores: dict[str, tuple[float | None, ...]]
    errors: dict[str, tuple[float | None, ...]]
    verdict: str | None
    best_k: int | None
