"""Distances between rows, and scores of a clustering."""

from omnimeans.metrics.agreement import (
    AGREEMENT,
    adjusted_rand_index,
    contingency_matrix,
    display_contingency_and_purity,
    purity_score,
    rand_index,
)
from omnimeans.metrics.distance import euclidean_distance, manhattan_distance
from omnimeans.metrics.score import Score

__all__ = [
    "AGREEMENT",
    "Score",
    "adjusted_rand_index",
    "contingency_matrix",
    "display_contingency_and_purity",
    "euclidean_distance",
    "manhattan_distance",
    "purity_score",
    "rand_index",
]
