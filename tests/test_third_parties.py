"""Other packages, and the rest of scikit-learn, using our estimators in the place of theirs."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
import sklearn
from imblearn.over_sampling import KMeansSMOTE
from imblearn.under_sampling import ClusterCentroids
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omnimeans as om

ESTIMATORS = [om.KMeans, om.MiniBatchKMeans, om.BisectingKMeans]
X, y = make_classification(600, 6, weights=[0.8], class_sep=2.0, random_state=0)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_undersampling_by_cluster_centroids(Estimator: Any) -> None:
    sampler = ClusterCentroids(estimator=Estimator(random_state=0), random_state=0)
    rows, classes = sampler.fit_resample(X, y)
    counts = np.bincount(classes)
    assert counts[0] == counts[1] == np.bincount(y).min()
    hard = ClusterCentroids(estimator=Estimator(random_state=0), voting="hard", random_state=0)
    kept, _ = hard.fit_resample(X, y)
    assert all((row == X).all(axis=1).any() for row in kept)
    assert rows.shape[1] == 6


@pytest.mark.parametrize("Estimator", [om.KMeans, om.MiniBatchKMeans])
def test_oversampling_by_kmeans_smote(Estimator: Any) -> None:
    blobs, classes = make_blobs([400, 60], centers=None, cluster_std=1.0, random_state=0)
    sampler = KMeansSMOTE(
        kmeans_estimator=Estimator(n_clusters=5, random_state=0),
        cluster_balance_threshold=0.1,
        random_state=0,
    )
    rows, found = sampler.fit_resample(blobs, classes)
    assert np.bincount(found)[1] >= 400
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pipelines_searches_and_parallel_jobs(Estimator: Any) -> None:
    model = make_pipeline(
        StandardScaler(), Estimator(12, random_state=0), LogisticRegression(max_iter=1000)
    )
    scores = cross_val_score(model, X, y, cv=3, n_jobs=2)
    assert scores.mean() > 0.8
    name = Estimator.__name__.lower()
    search = GridSearchCV(model, {f"{name}__n_clusters": [2, 10]}, cv=2, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.8
    fits = joblib.Parallel(n_jobs=2)(
        joblib.delayed(clone(Estimator(3, random_state=0)).fit)(X) for _ in range(3)
    )
    assert len({fit.cluster_centers_.tobytes() for fit in fits}) == 1
    again = pickle.loads(pickle.dumps(fits[0]))
    assert_array_equal(again.predict(X), fits[0].labels_)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_in_and_out(container: str, Estimator: Any) -> None:
    frame: Any = pl.DataFrame(X, schema=[f"x{i}" for i in range(6)])
    frame = frame.to_pandas() if container == "pandas" else frame
    model = Estimator(3, random_state=0).set_output(transform=container).fit(frame)
    found = model.transform(frame)
    name = Estimator.__name__.lower()
    assert type(found).__module__.startswith(container)
    assert list(found.columns) == [f"{name}{j}" for j in range(3)]
    assert list(model.feature_names_in_) == list(frame.columns)
    columns = ColumnTransformer([("near", Estimator(2, random_state=0), ["x0", "x1"])])
    assert columns.fit_transform(frame).shape == (600, 2)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_are_routed(Estimator: Any) -> None:
    weights = np.random.default_rng(0).random(600)
    with sklearn.config_context(enable_metadata_routing=True):
        model = Estimator(3, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), model)
        pipeline.fit(X, sample_weight=weights)
        score = pipeline.score(X, sample_weight=weights)
    assert score == -pipeline[-1].inertia_


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_saved_and_loaded(Estimator: Any, tmp_path: Any) -> None:
    model = Estimator(3, random_state=0).fit(X)
    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert_array_equal(again.predict(X), model.labels_)
    assert again.get_params() == model.get_params()
