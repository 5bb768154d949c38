"""Make a report: look at every row once, then put each answer into its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from omnimeans import __version__
from omnimeans._rows import number_type
from omnimeans.reports import _answers, _measure
from omnimeans.reports._advice import Facts, advice
from omnimeans.reports._given import Given, given
from omnimeans.reports._images import pictures
from omnimeans.reports._replay import replay
from omnimeans.reports._swept import swept
from omnimeans.reports._view import view
from omnimeans.reports.record import Report
from omnimeans.reports.records import Course, Data, Settings, Step

STOPPED = {
    "fixed point": "nothing moved any more",
    "tolerance": "the centres moved less than the tolerance",
    "max_iter": "max_iter was reached",
    "cycle": "the centres came back to an earlier place",
    "callback": "the callback asked to stop",
    "max_time": "max_time was reached",
    "interrupt": "it was interrupted",
}


def report(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    feature_names: Sequence[str] | None = None,
    row_names: Sequence[Any] | None = None,
    image_shape: tuple[int, ...] | None = None,
    sweep: Any = None,
    examples: int = 3,
    random_state: int = 0,
) -> Report:
    """Describe a clustering: what the clusters are, how good they are, and what to watch out for.

    Parameters
    ----------
    model : fitted estimator
        Any with ``cluster_centers_`` and ``predict``, scikit-learn's too, or a pipeline that ends
        with one.
    X : array-like or data frame of shape (n, d)
        The rows, usually those that the model was fitted on.
    y : array-like of shape (n,), optional
        Known classes, to compare the clusters with.
    sample_weight : array-like of shape (n,), optional
        Weight of each row, as it was given to ``fit``.
    feature_names : sequence of d strings, optional
        Names of the features; those of a data frame are found without it.
    row_names : sequence of n names, optional
        Names of the rows; the index of a pandas data frame is found without it.
    image_shape : (height, width) or (height, width, 3), optional
        Where each row is an image of this shape, or each row is a pixel of one image of this
        shape.
    sweep : Sweep or Elbow, optional
        A sweep over the number of clusters, to be shown beside the model.
    examples : int, default=3
        Exemplars, and outliers, of each cluster.
    random_state : int, default=0
        Seed of the samples: the rows that are drawn, and those whose silhouettes are taken.

    Returns
    -------
    Report
        A record with ``to_text``, ``to_dict``, ``to_json``, ``to_frame`` and ``to_html``.

    Raises
    ------
    TypeError
        If the model has no centres.
    ValueError
        If the data do not fit the model, or a parameter cannot be used.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> import omnimeans as om
    >>> X = [[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> model = om.KMeans(2, init=[[1, 2], [10, 2]]).fit(X)
    >>> seen = om.report(model, X, feature_names=["width", "height"])
    >>> round(seen.dispersion.explained, 4), seen.clusters[0].marks[0].feature
    (0.9193, 'width')
    """
    if examples < 1:
        raise ValueError(f"examples={examples} shows no rows; use examples >= 1")
    seen = given(model, X, sample_weight, feature_names, row_names)
    away = _measure.away(seen)
    inside = _measure.moments(seen.seen, seen.labels, seen.weights, seen.k)
    described = (
        inside
        if seen.shown is seen.seen
        else _measure.moments(seen.shown, seen.labels, seen.weights, seen.k)
    )
    members = _measure.by_cluster(seen.labels, away.own, seen.weights, seen.k)
    own_units = described is inside and seen.distance.kernel != "cosine"
    centers = seen.centers.astype(np.float64) if own_units else described.means
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.nan_to_num((centers - described.mean) / described.std, posinf=0.0, neginf=0.0)
    silhouette, values = _answers.silhouette(seen, away, members, random_state)
    features = _answers.features(seen, inside, described)
    clusters = _answers.clusters(
        seen, away, described, members, centers, z, silhouette, values, examples
    )
    settings, course, data = _settings(seen), _course(seen.model), _data(seen)
    dispersion = _answers.dispersion(seen, away, inside)
    tried = swept(sweep)
    facts = Facts(
        data,
        settings,
        course,
        dispersion,
        features,
        clusters,
        silhouette,
        _strangers(seen),
        None if tried is None else tried.best_k,
    )
    shown, plane = view(seen, members, random_state)
    return Report(
        data=data,
        settings=settings,
        course=course,
        dispersion=dispersion,
        clusters=clusters,
        features=features,
        centers=centers,
        z_scores=z,
        silhouette=silhouette,
        agreement=None if y is None else _answers.agreement(y, seen.labels),
        sweep=tried,
        warnings=advice(facts),
        view=shown,
        replay=replay(seen, shown, plane),
        pictures=pictures(seen, image_shape, clusters),
    )


def _data(seen: Given) -> Data:
    labels = getattr(seen.model, "labels_", None)
    trained = None if labels is None else len(labels) == seen.n and 2 * _strangers(seen) < seen.n
    return Data(
        n_samples=seen.n,
        n_features=seen.shown.shape[1],
        dtype=str(number_type(seen.seen)),
        weight=None if seen.weights is None else float(seen.weights.sum()),
        feature_names=seen.names,
        trained_on=trained,
    )


def _strangers(seen: Given) -> int:
    """Return on how many rows the model's labels are not what it predicts."""
    labels = getattr(seen.model, "labels_", None)
    if labels is None or len(labels) != seen.n:
        return 0
    return int(np.count_nonzero(np.asarray(labels) != seen.labels))


def _settings(seen: Given) -> Settings:
    kind = type(seen.model)
    parameters = seen.model.get_params(deep=False) if hasattr(seen.model, "get_params") else {}
    return Settings(
        estimator=f"{kind.__module__.partition('.')[0]}.{kind.__name__}",
        parameters={name: _value(value) for name, value in parameters.items()},
        metric=seen.distance.name,
        n_clusters=seen.k,
        steps_before=seen.before,
        engine=getattr(seen.model, "engine_", None),
        algorithm=getattr(seen.model, "algorithm_", None),
        version=__version__,
    )


def _value(value: Any) -> Any:
    """Return a parameter as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "shape"):
        return f"array of shape {tuple(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} of length {len(value)}"
    return getattr(value, "__qualname__", type(value).__name__)


def _course(model: Any) -> Course:
    history = tuple(
        Step(float(s.inertia), int(s.moved), float(s.shift), getattr(s, "seconds", None))
        for s in getattr(model, "history_", ())
    )
    reason = getattr(model, "stop_reason_", None)
    iterations = getattr(model, "n_iter_", None)
    times = [step.seconds for step in history if step.seconds is not None]
    return Course(
        iterations=None if iterations is None else int(iterations),
        converged=getattr(model, "converged_", None),
        stop_reason=reason,
        why="the model does not say why it stopped"
        if reason is None
        else STOPPED.get(reason, reason),
        seconds=float(sum(times)) if times else None,
        history=history,
    )
