"""A pytest plugin: scikit-learn's own tests of k-means, run against omnimeans.

``python -m pytest -p sklearn_dropin --pyargs sklearn.cluster.tests.test_k_means`` puts our names in
the place of scikit-learn's before its test module is imported, and leaves out the tests that look
into scikit-learn's private functions.  With ``OMNIMEANS_DROPIN=broken`` the names are bound to
things that only fail: what passes then never touches them, and proves nothing.
"""

import os

import sklearn.cluster

import omnimeans

CLASSES = ("KMeans", "MiniBatchKMeans", "BisectingKMeans")
FUNCTIONS = ("k_means", "kmeans_plusplus")

# They look into scikit-learn's private functions, not at the estimator.
WHITE = {
    "test_relocate_empty_clusters",
    "test_minibatch_update_consistency",
    "test_minibatch_reassign",
    "test_euclidean_distance",
    "test_inertia",
    "test_is_same_clustering",
}
# They look at private names of the estimators; tests/test_sklearn_grey.py says the same of ours.
GREY = {
    "test_n_init_auto",
    "test_kmeans_init_auto_with_initial_centroids",
    "test_minibatch_kmeans_init_size",
    "test_sample_weight_init",
    "test_sample_weight_zero",
}


def refuse(*args, **kwargs):
    raise RuntimeError("broken on purpose")


def broken(cls):
    return type(cls.__name__, (cls,), {"fit": refuse, "partial_fit": refuse})


for name in CLASSES:
    ours = getattr(omnimeans, name)
    setattr(
        sklearn.cluster,
        name,
        broken(ours) if os.environ.get("OMNIMEANS_DROPIN") == "broken" else ours,
    )
for name in FUNCTIONS:
    ours = getattr(omnimeans, name)
    setattr(
        sklearn.cluster, name, refuse if os.environ.get("OMNIMEANS_DROPIN") == "broken" else ours
    )


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if item.originalname in WHITE | GREY]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
