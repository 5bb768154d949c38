"""The studies reach the figures of the teaching notebook, on the real data."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from omnimeans import studies
from omnimeans.datasets import DatasetUnavailable
from omnimeans.studies import STUDIES, Run, Study
from omnimeans.studies.compare import ENOUGH, MAX_ITER, REPEATS, agreement, time_fit

WITHOUT_DATA = [name for name in STUDIES if name != "mnist"]


@pytest.fixture(scope="module")
def made() -> dict[str, Study]:
    """Every study that needs no folder of data, made once."""
    return {name: STUDIES[name]() for name in WITHOUT_DATA}


@pytest.fixture(scope="module")
def small_mnist(data_folder: Path) -> Study:
    return studies.mnist(data=data_folder, parts=["test"], n_threads=2)


def objective(run: Run, metric: str) -> float:
    """What the labels and centres of a run amount to, computed here from the definition."""
    away = run.X.astype(np.float64) - run.centers.astype(np.float64)[run.labels]
    terms = np.abs(away) if metric == "manhattan" else np.square(away)
    return math.fsum(terms.sum(axis=1).tolist())


def check_run(run: Run) -> None:
    """A run's parts belong together."""
    first = run.rows[0]
    assert first.library == "omnimeans"
    assert first.ari is None
    assert (run.n_samples, run.n_features) == run.X.shape
    assert run.centers.shape == (first.k, run.n_features)
    assert first.inertia == pytest.approx(objective(run, first.metric), rel=1e-12)
    assert all(row.k == first.k for row in run.rows)
    assert all(row.seconds > 0 for row in run.rows)
    for classes in run.classes:
        counts = classes.contingency
        assert classes.purity == pytest.approx(counts.max(axis=0).sum() / counts.sum())
        assert np.allclose(classes.purity_per_cluster, counts.max(axis=0) / counts.sum(axis=0))
        assert 0.0 <= classes.adjusted_rand_index <= classes.rand_index <= 1.0


def check_elbow(study: Study, highest: int) -> None:
    assert study.elbow is not None
    assert study.elbow.ks == tuple(range(1, highest + 1))
    inertias = np.array(study.elbow.inertias)
    assert np.isfinite(inertias).all()
    assert (np.diff(inertias) <= 0.0).all()
    X = study.runs[0].X
    assert inertias[0] == pytest.approx(np.square(X - X.mean(axis=0)).sum())


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_record(made: dict[str, Study], name: str) -> None:
    study = made[name]
    assert study.name == name
    assert study.about
    assert study.source
    assert study.n_threads == 1
    for run in study.runs:
        check_run(run)
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", [name for name in WITHOUT_DATA if name != "china"])
def test_same_start_same_answer_as_scikit_learn(made: dict[str, Study], name: str) -> None:
    for run in made[name].runs:
        ours, theirs = run.rows[:2]
        assert (ours.starts, theirs.starts) == (1, 1)
        assert (ours.library, theirs.library) == ("omnimeans", "scikit-learn")
        assert ours.iterations == theirs.iterations
        assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-12)
        assert theirs.ari == 1.0


@pytest.mark.parametrize("name", ["blobs", "iris"])
def test_best_of_ten_starts(made: dict[str, Study], name: str) -> None:
    once, _, ours, theirs = made[name].runs[0].rows
    assert (ours.starts, theirs.starts) == (10, 10)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-12)
    assert ours.inertia <= once.inertia * (1 + 1e-12)


def test_toy_has_a_good_and_a_bad_optimum(made: dict[str, Study]) -> None:
    good, bad = made["toy"].runs
    assert [row.inertia for row in good.rows] == [16.0, 16.0]
    assert [row.inertia for row in bad.rows] == [125.5, 125.5]
    assert bad.centers.tolist() == [[5.5, 4.0], [5.5, 1.0]]
    assert bad.labels.tolist() == [1, 0, 1, 1, 0, 1]


def test_blobs_are_found(made: dict[str, Study]) -> None:
    study = made["blobs"]
    assert study.runs[0].classes[0].purity > 0.98
    check_elbow(study, 10)
    assert study.elbow is not None
    assert study.elbow.inertias[2] == pytest.approx(study.runs[0].rows[0].inertia)


def test_iris(made: dict[str, Study]) -> None:
    study = made["iris"]
    run = study.runs[0]
    assert (run.n_samples, run.rows[0].k) == (120, 3)
    assert 28.6 <= run.rows[0].inertia <= 28.9
    held_out, clustered = run.classes
    assert held_out.contingency.sum() == 30
    assert clustered.contingency.sum() == 120
    assert held_out.purity == pytest.approx(0.90)
    assert held_out.purity != pytest.approx(held_out.rand_index, abs=1e-3)  # two different scores
    check_elbow(study, 30)


def test_digits(made: dict[str, Study]) -> None:
    run = made["digits"].runs[0]
    held_out, clustered = run.classes
    assert run.image_shape == (8, 8)
    assert held_out.contingency.shape == (10, 10)
    assert (clustered.contingency.sum(), held_out.contingency.sum()) == (1437, 360)
    assert 0.75 < held_out.purity < 0.85


def test_china(made: dict[str, Study]) -> None:
    run = made["china"].runs[0]
    ours, theirs = run.rows
    assert (ours.k, run.n_samples) == (64, 273280)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=2e-3)  # float32: paths part slightly
    assert theirs.ari is not None
    assert theirs.ari > 0.95
    assert len(np.unique(run.centers[run.labels], axis=0)) == 64


def test_number_of_colours() -> None:
    few, more = (studies.china(n_colours=k).runs[0].rows[0] for k in (2, 4))
    assert (few.k, more.k) == (2, 4)
    assert more.inertia < few.inertia


def test_mnist_test_images(small_mnist: Study) -> None:
    euclidean, city = small_mnist.runs
    for run in small_mnist.runs:
        check_run(run)
        assert run.n_samples == 10000
        assert run.image_shape == (28, 28)
    ours, theirs = euclidean.rows
    assert 389_400 <= ours.inertia <= 390_400
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-5)
    assert theirs.ari is not None
    assert theirs.ari > 0.99
    assert abs(ours.iterations - theirs.iterations) <= 2
    assert 0.58 < euclidean.classes[0].purity < 0.63

    median, mean = city.rows
    assert (median.metric, mean.metric) == ("manhattan", "manhattan-mean")
    assert mean.inertia == pytest.approx(920_098, rel=1e-3)  # the notebook's figure
    assert median.inertia < 0.85 * mean.inertia


@pytest.mark.slow
def test_mnist_training_images(data_folder: Path) -> None:
    study = studies.mnist(data=data_folder, parts=["training"], n_threads=2)
    euclidean, city = study.runs
    for run in study.runs:
        check_run(run)
        assert run.n_samples == 60000
    ours, theirs = euclidean.rows
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-5)
    assert theirs.ari is not None
    assert theirs.ari > 0.99
    assert [row.metric for row in city.rows] == ["manhattan"]


@pytest.mark.parametrize("parts", [[], ["tests"], "test"])
def test_parts_that_are_none(parts: Any) -> None:
    with pytest.raises(ValueError, match="use a list of 'test', 'training', or both"):
        studies.mnist(parts=parts)


def test_mnist_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnavailable):
        studies.mnist(data=tmp_path / "absent")


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_json(made: dict[str, Study], name: str) -> None:
    record = json.loads(json.dumps(made[name].to_dict(), allow_nan=False))
    assert record["name"] == name
    for run, written in zip(made[name].runs, record["runs"], strict=True):
        assert written["rows"] == [dataclasses.asdict(row) for row in run.rows]
        assert "X" not in written
        for classes, said in zip(run.classes, written["classes"], strict=True):
            assert said["contingency"] == classes.contingency.tolist()
    elbow = made[name].elbow
    assert record["elbow"] == (
        None if elbow is None else {"ks": list(elbow.ks), "inertias": list(elbow.inertias)}
    )


def test_the_table_of_studies() -> None:
    assert list(STUDIES) == ["blobs", "toy", "iris", "digits", "china", "mnist"]
    assert all(getattr(studies, name) is study for name, study in STUDIES.items())


class Clock:
    """Stands in for an estimator, and remembers how it was fitted."""

    fits: list[tuple[int, set[int]]]

    def __init__(self, max_iter: int) -> None:
        self.max_iter = max_iter

    def fit(self, X: Any) -> None:
        self.fits.append((self.max_iter, {pool["num_threads"] for pool in threadpool_info()}))


def test_fits_are_warmed_up_repeated_and_limited_in_threads() -> None:
    Clock.fits = []
    model, seconds = time_fit(Clock, np.zeros((1, 1)), n_threads=1)
    assert isinstance(model, Clock)
    assert 0 < seconds < ENOUGH
    assert Clock.fits == [(1, {1}), *[(MAX_ITER, {1})] * REPEATS]


def test_agreement_needs_classes() -> None:
    with pytest.raises(ValueError, match="all rows: there are no true classes"):
        agreement("all rows", None, np.zeros(3, dtype=np.int32))
