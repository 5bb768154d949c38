"""The scores, a row each: what is printed, reported and tested is read from here."""

from __future__ import annotations

from omnimeans.metrics import agreement, information, matching, separation, silhouette
from omnimeans.metrics.score import Score

AGREEMENT: dict[str, Score] = {
    row.name: row
    for row in (
        Score("purity", agreement.purity_score, "max", "n + c k", "Manning et al. 2008, 16.3"),
        Score("Rand index", agreement.rand_index, "max", "n + c k", "Rand 1971"),
        Score(
            "adjusted Rand index",
            agreement.adjusted_rand_index,
            "max",
            "n + c k",
            "Hubert and Arabie 1985",
        ),
        Score(
            "normalized mutual information",
            information.normalized_mutual_information,
            "max",
            "n + c k",
            "Strehl and Ghosh 2002",
        ),
        Score(
            "adjusted mutual information",
            information.adjusted_mutual_information,
            "max",
            "n c k at most",
            "Vinh et al. 2010",
        ),
        Score(
            "homogeneity",
            information.homogeneity_score,
            "max",
            "n + c k",
            "Rosenberg and Hirschberg 2007",
        ),
        Score(
            "completeness",
            information.completeness_score,
            "max",
            "n + c k",
            "Rosenberg and Hirschberg 2007",
        ),
        Score(
            "V-measure", information.v_measure, "max", "n + c k", "Rosenberg and Hirschberg 2007"
        ),
        Score(
            "Fowlkes-Mallows index",
            matching.fowlkes_mallows_index,
            "max",
            "n + c k",
            "Fowlkes and Mallows 1983",
        ),
        Score("B³", matching.bcubed_f1, "max", "n + c k", "Bagga and Baldwin 1998"),
        Score(
            "variation of information",
            information.variation_of_information,
            "min",
            "n + c k",
            "Meilă 2007",
        ),
        Score(
            "best-match accuracy",
            matching.best_match_accuracy,
            "max",
            "n + (c + k)³",
            "Kuhn 1955",
        ),
    )
}
"""Agreement with true classes: ``function(y_trues, y_preds)``."""

SEPARATION: dict[str, Score] = {
    row.name: row
    for row in (
        Score("silhouette", silhouette.silhouette_score, "max", "n² d", "Rousseeuw 1987"),
        Score(
            "simplified silhouette",
            silhouette.simplified_silhouette,
            "max",
            "n k d",
            "Hruschka et al. 2006",
        ),
        Score(
            "Calinski-Harabasz",
            separation.calinski_harabasz_score,
            "max",
            "n d",
            "Caliński and Harabasz 1974",
        ),
        Score(
            "Davies-Bouldin",
            separation.davies_bouldin_score,
            "min",
            "n k d",
            "Davies and Bouldin 1979",
        ),
        Score("Dunn index", separation.dunn_index, "max", "n² d", "Dunn 1974"),
    )
}
"""Separation of clusters, without true classes: ``function(X, labels)``."""
