"""The estimators: scikit-learn's contract, thin.

``fit`` checks its input, opens an engine, hands the rows to the one loop in :mod:`omnimeans._fit`
and keeps what comes back.  All checks and messages stand in :mod:`omnimeans._validate`.
"""

from omnimeans.estimators.bisecting import BisectingKMeans
from omnimeans.estimators.functions import k_means, kmeans_plusplus
from omnimeans.estimators.hierarchical import HierarchicalKMeans
from omnimeans.estimators.kmeans import KMeans
from omnimeans.estimators.many import Codebooks, fit_many
from omnimeans.estimators.minibatch import MiniBatchKMeans

__all__ = [
    "BisectingKMeans",
    "Codebooks",
    "HierarchicalKMeans",
    "KMeans",
    "MiniBatchKMeans",
    "fit_many",
    "k_means",
    "kmeans_plusplus",
]
