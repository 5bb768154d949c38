"""A pytest plugin: scikit-learn's own tests of KMeans, run against omnimeans.

``python -m pytest -p sklearn_dropin --pyargs sklearn.cluster.tests.test_k_means`` puts our names in
the place of scikit-learn's before its test module is imported, and leaves out the cases that ask
for what this version does not offer.  With ``OMNIMEANS_DROPIN=broken`` the names are bound to
things that only fail: what passes then never touches them, and proves nothing.
"""

import os

import sklearn.cluster

import omnimeans

# They look into scikit-learn's private functions, not at the estimator.
WHITE = {
    "test_relocate_empty_clusters",
    "test_minibatch_update_consistency",
    "test_minibatch_reassign",
    "test_euclidean_distance",
    "test_inertia",
    "test_is_same_clustering",
}
# They call `KMeans._init_centroids`; tests/test_estimators.py says the same of `kmeans_plusplus`.
GREY = {"test_sample_weight_init", "test_sample_weight_zero"}


class BrokenKMeans(omnimeans.KMeans):
    def fit(self, X, y=None, sample_weight=None):
        raise RuntimeError("broken on purpose")


def broken(*args, **kwargs):
    raise RuntimeError("broken on purpose")


if os.environ.get("OMNIMEANS_DROPIN") == "broken":
    sklearn.cluster.KMeans = BrokenKMeans
    sklearn.cluster.k_means = sklearn.cluster.kmeans_plusplus = broken
else:
    sklearn.cluster.KMeans = omnimeans.KMeans
    sklearn.cluster.k_means = omnimeans.k_means
    sklearn.cluster.kmeans_plusplus = omnimeans.kmeans_plusplus


def out_of_scope(item) -> bool:
    name = item.originalname
    values = list(item.callspec.params.values()) if hasattr(item, "callspec") else []
    return (
        name in WHITE | GREY
        or "minibatch" in name
        or any(value is sklearn.cluster.MiniBatchKMeans for value in values)
    )


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if out_of_scope(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
