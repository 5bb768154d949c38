"""Distances between rows, and scores of a clustering."""

from omnimeans.metrics.agreement import (
    adjusted_rand_index,
    contingency_matrix,
    display_contingency_and_purity,
    purity_score,
    rand_index,
)
from omnimeans.metrics.distance import euclidean_distance, manhattan_distance
from omnimeans.metrics.information import (
    adjusted_mutual_information,
    completeness_score,
    homogeneity_score,
    normalized_mutual_information,
    v_measure,
    variation_of_information,
)
from omnimeans.metrics.matching import (
    BCubed,
    ClusterRow,
    bcubed,
    bcubed_f1,
    best_match_accuracy,
    cluster_table,
    fowlkes_mallows_index,
)
from omnimeans.metrics.score import Score
from omnimeans.metrics.separation import (
    calinski_harabasz_score,
    davies_bouldin_score,
    dunn_index,
)
from omnimeans.metrics.silhouette import (
    silhouette_samples,
    silhouette_score,
    simplified_silhouette,
)
from omnimeans.metrics.tables import AGREEMENT, SEPARATION

__all__ = [
    "AGREEMENT",
    "SEPARATION",
    "BCubed",
    "ClusterRow",
    "Score",
    "adjusted_mutual_information",
    "adjusted_rand_index",
    "bcubed",
    "bcubed_f1",
    "best_match_accuracy",
    "calinski_harabasz_score",
    "cluster_table",
    "completeness_score",
    "contingency_matrix",
    "davies_bouldin_score",
    "display_contingency_and_purity",
    "dunn_index",
    "euclidean_distance",
    "fowlkes_mallows_index",
    "homogeneity_score",
    "manhattan_distance",
    "normalized_mutual_information",
    "purity_score",
    "rand_index",
    "silhouette_samples",
    "silhouette_score",
    "simplified_silhouette",
    "v_measure",
    "variation_of_information",
]
