"""What MiniBatchKMeans does with rows: samples that grow, or batch after batch of a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnimeans import _core, _fit, _nested, _running
from omnimeans._control import PROMPT, Control, time_limit
from omnimeans._nested import Plan, Progress
from omnimeans._running import Running
from omnimeans._scaling import divided, restored
from omnimeans._types import F64, Distance, Engine, Fit, Floats, Iteration, Rows, StopReason
from omnimeans.engines.pilot import CODABLE
from omnimeans.estimators._run import generator
from omnimeans.estimators._sample import Sample
from omnimeans.estimators._watch import Follower, followed

CODED = 128  # centres from which codes of eight bits, made for a few passes, are worth their making


@dataclass(frozen=True, slots=True)
class Nested:
    """What a fit on growing samples came to."""

    fit: Fit  # without labels, if they were not asked for, or there was no time for them
    steps: int
    counts: F64  # (k,) weights of the clusters


def algorithm_for(X: Any, k: int) -> str:
    """Return the variant for a few passes over each of several batches of these rows."""
    return "bounded" if X.shape[1] >= CODABLE and k < CODED else "auto"


def plan_of(model: Any, sample: Sample, n: int) -> Plan:
    """Return how a fit of so many rows goes on, as the estimator's parameters have it."""
    return Plan(
        first=_nested.sizes(min(model._init_size, sample.n), sample.n)[0],
        step=model._batch_size,
        max_steps=max(1, model.max_iter * n // model._batch_size),
        tol=float(model.tol),
        patience=model.max_no_improvement,
        light=float(model.reassignment_ratio),
    )


def by_rows(follower: Follower, record: Iteration) -> float:
    """Judge how much of a fit is done by the size of its sample, which doubles."""
    return 0.5 * follower.rows / follower.all_rows


def watched(model: Any, given: tuple[Any, Any, Any], plan: Plan) -> tuple[Follower, Control]:
    """Return who tells of a nested fit of X, y and sample_weight, and who may end it."""
    most = max(1, plan.max_steps * plan.step // plan.first)
    return followed(model, given, max_iter=most, judge=by_rows)


def nested(
    model: Any,
    sample: Sample,
    plan: Plan,
    begin: Callable[[Rows], Floats],  # makes the centres to start from
    rng: np.random.Generator,  # draws new centres
    follower: Follower,
    control: Control,
) -> Nested:
    """Run a nested fit, which may be watched and ended."""
    engine, distance = sample.engine, sample.distance
    progress = Progress(model._say, plan.max_steps)
    follower.all_rows = sample.n

    def batch(size: int) -> Rows:
        follower.rows = size
        return sample.batch(size)

    def finish(
        first: Floats, centers: Floats, history: Sequence[Iteration], stop: StopReason
    ) -> Fit:
        if model.compute_labels and control.stopped != "interrupt":
            return sample.labelled(first, centers, history, stop)
        if model.compute_labels:
            with suppress(_core.TimeIsUp), time_limit(PROMPT):
                return sample.labelled(first, centers, history, stop)
        return sample.unlabelled(first, centers, history, stop, progress.mean)

    rows = batch(plan.first)
    control.begin(engine, rows, distance, finish, whole=False)
    try:
        centers = begin(rows)
        control.started(0, centers, None)
        state = _nested.run(
            engine,
            batch,
            sample.n,
            centers,
            plan,
            rng,
            distance=distance,
            progress=progress,
            control=control,
        )
        control.keep(finish(state.first, state.centers, state.history, state.stop or "max_iter"))
    except control.rescued as interrupt:
        control.rescue(interrupt)
    fit = restored(control.end(), sample.exponent, distance)
    return Nested(fit, progress.steps, sample.counts(fit, progress.weights))


def streamed(
    model: Any,
    engine: Engine,
    rows: Rows,
    distance: Distance,
    centers: Floats,  # in the units of the rows
    running: Running,  # likewise; updated, and then in the user's
) -> Fit:
    """Update the centres with a batch of a stream."""
    centers, count = _running.meet(
        engine,
        rows,
        centers,
        running,
        distance=distance,
        light=float(model.reassignment_ratio),
        rng=generator(model._seed, model._n_init + 1, model.n_steps_),
    )
    Progress(model._say, 0).reassigned(count)
    running.scale(rows.exponent)
    fit = Fit(centers, rows.labels, np.nan, (), "max_iter")
    if model.compute_labels:
        fit = _fit.finish(engine, rows, distance, centers, centers, (), "max_iter")
    return restored(fit, rows.exponent, distance)


def goes_on(model: Any, rows: Rows, centers: Floats, distance: Distance) -> tuple[Floats, Running]:
    """Return the fitted centres in the units of the rows, and what they stand for."""
    running = _running.resumed(model._running, model._counts, centers, distance)
    running.scale(-rows.exponent)
    return divided(centers, rows.exponent), running
