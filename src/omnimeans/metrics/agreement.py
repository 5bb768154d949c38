"""How well clusters agree with known classes.

Purity and the Rand index are two different scores.  Purity asks, cluster by cluster, how large the
share of the commonest class is; it reaches 1 when every row is its own cluster.  The Rand index
asks, pair by pair, whether both labellings put the two rows together or both put them apart.  The
adjusted Rand index is the Rand index with its value for random labels taken out, so that 0 means
chance and 1 means equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sk_metrics

from omnimeans._optional import in_notebook, need
from omnimeans._types import F64, I64
from omnimeans.metrics.labels import two_labellings

if TYPE_CHECKING:
    import pandas as pd


@overload
def contingency_matrix(
    y_trues: ArrayLike, y_preds: ArrayLike, as_dataframe: Literal[False] = False
) -> I64: ...
@overload
def contingency_matrix(
    y_trues: ArrayLike, y_preds: ArrayLike, as_dataframe: bool
) -> I64 | pd.DataFrame: ...
def contingency_matrix(
    y_trues: ArrayLike, y_preds: ArrayLike, as_dataframe: bool = False
) -> I64 | pd.DataFrame:
    """Count the rows of each true class in each cluster.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.
    as_dataframe : bool, default=False
        Return a pandas data frame with rows ``true=c`` and columns ``pred=c``.

    Returns
    -------
    ndarray of shape (n_classes, n_clusters) or DataFrame
        Counts, with classes and clusters in sorted order.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.
    ImportError
        If a data frame is asked for and pandas is not installed.

    Examples
    --------
    >>> from omnimeans.metrics import contingency_matrix
    >>> contingency_matrix(["a", "a", "b", "b"], [1, 1, 1, 0])
    array([[0, 2],
           [1, 1]])
    >>> contingency_matrix(["a", "a", "b", "b"], [1, 1, 1, 0], as_dataframe=True)
            pred=0  pred=1
    true=a       0       2
    true=b       1       1
    """
    trues, preds = two_labellings(y_trues, y_preds)
    counts: I64 = sk_metrics.cluster.contingency_matrix(trues, preds, dtype=np.int64)
    if not as_dataframe:
        return counts
    frame: pd.DataFrame = need("pandas", extra="frames").DataFrame(
        counts,
        index=[f"true={c}" for c in np.unique(trues)],
        columns=[f"pred={c}" for c in np.unique(preds)],
    )
    return frame


@overload
def purity_score(
    y_trues: ArrayLike, y_preds: ArrayLike, per_cluster: Literal[False] = False
) -> float: ...
@overload
def purity_score(y_trues: ArrayLike, y_preds: ArrayLike, per_cluster: bool) -> float | F64: ...
def purity_score(y_trues: ArrayLike, y_preds: ArrayLike, per_cluster: bool = False) -> float | F64:
    """Return the share of rows that belong to the commonest class of their cluster.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.
    per_cluster : bool, default=False
        Return one share per cluster, clusters in sorted order.

    Returns
    -------
    float or ndarray of shape (n_clusters,)
        From just above 0 to 1.  More clusters never lower the best purity, so compare only
        clusterings with equal numbers of clusters.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    C. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval" (2008), 16.3.

    Examples
    --------
    >>> from omnimeans.metrics import purity_score
    >>> purity_score(["a", "a", "b", "b"], [1, 1, 1, 0])
    0.75
    >>> purity_score(["a", "a", "b", "b"], [1, 1, 1, 0], per_cluster=True).round(3)
    array([1.   , 0.667])
    """
    counts = contingency_matrix(y_trues, y_preds)
    commonest = counts.max(axis=0)
    if per_cluster:
        shares: F64 = commonest / counts.sum(axis=0)
        return shares
    return float(commonest.sum() / counts.sum())


def rand_index(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the share of pairs of rows on which two labellings agree: both together or both apart.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From 0 to 1.  Random labels score well above 0; see `adjusted_rand_index`.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    W. Rand, "Objective criteria for the evaluation of clustering methods", Journal of the American
    Statistical Association 66 (1971).

    Examples
    --------
    Of six pairs, "a a" and two of the "a b" pairs are treated alike:

    >>> from omnimeans.metrics import rand_index
    >>> rand_index(["a", "a", "b", "b"], [1, 1, 1, 0])
    0.5
    """
    return float(sk_metrics.rand_score(*two_labellings(y_trues, y_preds)))


def adjusted_rand_index(y_trues: ArrayLike, y_preds: ArrayLike) -> float:
    """Return the Rand index, rescaled so that random labels score 0 on average and equal ones 1.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    float
        From -0.5 to 1.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.

    References
    ----------
    L. Hubert and P. Arabie, "Comparing partitions", Journal of Classification 2 (1985).

    Examples
    --------
    >>> from omnimeans.metrics import adjusted_rand_index
    >>> adjusted_rand_index(["a", "a", "b", "b"], [1, 1, 0, 0])
    1.0
    >>> adjusted_rand_index(["a", "a", "b", "b"], [1, 1, 1, 0])
    0.0
    """
    return float(sk_metrics.adjusted_rand_score(*two_labellings(y_trues, y_preds)))


def display_contingency_and_purity(
    y_trues: ArrayLike,
    y_preds: ArrayLike,
    as_dataframe: bool = True,
    per_cluster: bool = False,
) -> None:
    """Show the contingency matrix, and print the purity below it.

    Parameters
    ----------
    y_trues : array-like of shape (n,)
        True class of each row.
    y_preds : array-like of shape (n,)
        Cluster of each row.
    as_dataframe : bool, default=True
        Show the matrix with its row and column names (needs pandas).
    per_cluster : bool, default=False
        Print one purity per cluster.

    Raises
    ------
    ValueError
        If the two are not one label per row of the same rows, or a label is missing.
    ImportError
        If a data frame is asked for and pandas is not installed.

    Examples
    --------
    >>> from omnimeans.metrics import display_contingency_and_purity
    >>> display_contingency_and_purity(["a", "a", "b", "b"], [1, 1, 1, 0])
            pred=0  pred=1
    true=a       0       2
    true=b       1       1
    Purity score: 0.7500
    """
    matrix = contingency_matrix(y_trues, y_preds, as_dataframe=as_dataframe)
    if in_notebook():
        need("IPython.display", extra="notebook").display(matrix)
    else:
        print(matrix)  # noqa: T201 - printing is this function's job
    purity = np.atleast_1d(purity_score(y_trues, y_preds, per_cluster=per_cluster))
    print("Purity score:", " ".join(f"{p:.4f}" for p in purity))  # noqa: T201
