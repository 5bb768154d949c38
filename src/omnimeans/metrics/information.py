"""Agreement measured in information: what knowing the cluster tells about the class.

With H the entropy of a labelling in nats: the mutual information is what both have in common; the
classes' part of it is the homogeneity, the clusters' part the completeness, the V-measure is the
harmonic mean of the two, and the variation of information is what they do not have in common.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sk_metrics

from omnimeans._types import F64, I64
from omnimeans.metrics.agreement import contingency_matrix
from omnimeans.metrics.labels import two_labellings


def normalized_mutual_information(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the mutual information over the mean of the two entropies (NMI).

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1.  Many small clusters score well by chance; see `adjusted_mutual_information`.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Strehl and J. Ghosh, "Cluster ensembles", Journal of Machine Learning Research 3 (2002).

    Examples
    --------
    >>> from omnimeans.metrics import normalized_mutual_information
    >>> round(normalized_mutual_information(["a", "a", "b", "b"], [1, 1, 1, 0]), 4)
    0.3437
    """
    return float(sk_metrics.normalized_mutual_info_score(*two_labellings(y_trues, y_preds)))


def adjusted_mutual_information(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the mutual information, rescaled so that random labels score 0 on average (AMI).

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        At most 1; near 0 for labels without relation.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    N. X. Vinh, J. Epps and J. Bailey, "Information theoretic measures for clusterings comparison",
    Journal of Machine Learning Research 11 (2010).

    Examples
    --------
    >>> from omnimeans.metrics import adjusted_mutual_information
    >>> adjusted_mutual_information(["a", "a", "b", "b"], [1, 1, 0, 0])
    1.0
    >>> round(adjusted_mutual_information(["a", "a", "b", "b"], [1, 1, 1, 0]), 4)
    0.0
    """
    return float(sk_metrics.adjusted_mutual_info_score(*two_labellings(y_trues, y_preds))) + 0.0


def homogeneity_score(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the share of the classes' entropy that the clusters explain.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1; 1 if no cluster mixes classes.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Rosenberg and J. Hirschberg, "V-Measure: a conditional entropy-based external cluster
    evaluation measure", EMNLP-CoNLL 2007.

    Examples
    --------
    >>> from omnimeans.metrics import homogeneity_score
    >>> round(homogeneity_score(["a", "a", "b", "b"], [0, 1, 2, 3]), 4)
    1.0
    """
    return float(sk_metrics.homogeneity_score(*two_labellings(y_trues, y_preds)))


def completeness_score(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the share of the clusters' entropy that the classes explain.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1; 1 if no class is split over clusters.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Rosenberg and J. Hirschberg, "V-Measure: a conditional entropy-based external cluster
    evaluation measure", EMNLP-CoNLL 2007.

    Examples
    --------
    >>> from omnimeans.metrics import completeness_score
    >>> round(completeness_score(["a", "a", "b", "b"], [0, 1, 2, 3]), 4)
    0.5
    """
    return float(sk_metrics.completeness_score(*two_labellings(y_trues, y_preds)))


def v_measure(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the harmonic mean of homogeneity and completeness.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    A. Rosenberg and J. Hirschberg, "V-Measure: a conditional entropy-based external cluster
    evaluation measure", EMNLP-CoNLL 2007.

    Examples
    --------
    >>> from omnimeans.metrics import v_measure
    >>> round(v_measure(["a", "a", "b", "b"], [0, 1, 2, 3]), 4)
    0.6667
    """
    return float(sk_metrics.v_measure_score(*two_labellings(y_trues, y_preds)))


def variation_of_information(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the information, in nats, that only one of the two labellings holds.

    It is a distance between labellings: zero for equal ones, symmetric, and no detour is shorter.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to ``log(n)``.  Lower is better.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    M. Meilă, "Comparing clusterings: an information based distance", Journal of Multivariate
    Analysis 98 (2007).

    Examples
    --------
    >>> from omnimeans.metrics import variation_of_information
    >>> round(variation_of_information(["a", "a", "b", "b"], [1, 1, 1, 0]), 4)
    0.824
    >>> variation_of_information(["a", "a", "b", "b"], [1, 1, 0, 0])
    0.0
    """
    counts = contingency_matrix(y_trues, y_preds)
    # H(true | pred) + H(pred | true), each a sum of terms that are zero or more
    apart = _unexplained(counts) + _unexplained(counts.T)
    return math.fsum(apart.tolist()) / int(counts.sum())


def _unexplained(counts: I64) -> F64:
    """Return the terms of n times the entropy of the rows' labels, given the columns' ones."""
    i, j = np.nonzero(counts)
    together = counts[i, j].astype(np.float64)
    terms: F64 = together * np.log(counts.sum(axis=0)[j] / together)
    return terms
