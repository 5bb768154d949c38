"""Looking at a result: two pictures side by side, and a table beside scikit-learn's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnimeans import plots
from omnimeans._optional import in_notebook, need
from omnimeans.lloyd.model import KMeansLloyd

if TYPE_CHECKING:
    import pandas as pd


def plot_kmeans(X: ArrayLike, labels: ArrayLike, centroids: ArrayLike) -> NDArray[Any]:
    """Draw the rows, and beside them their clusters with the centres as red crosses.

    Parameters
    ----------
    X : array-like of shape (n, 2)
        The rows.
    labels : array-like of shape (n,)
        Cluster of each row.
    centroids : array-like of shape (k, 2)
        Centre of each cluster.

    Returns
    -------
    ndarray of Axes of shape (2,)
        The two panels of a new figure.

    Raises
    ------
    ValueError
        If the rows do not lie in the plane, or there is not one label per row.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from omnimeans import plot_kmeans
    >>> left, right = plot_kmeans([[0, 0], [0, 1], [5, 5]], [0, 0, 1], [[0, 0.5], [5, 5]])
    >>> left.get_title(), right.get_title()
    ('3 points', '2 clusters')
    """
    panels: NDArray[Any] = need("matplotlib.pyplot", extra="plot").subplots(
        1, 2, figsize=(10, 4.2), sharex=True, sharey=True, layout="constrained"
    )[1]
    plots.points(X, panels[0])
    plots.clusters(X, labels, centroids, panels[1])
    return panels


def display_results(
    kmeans: KMeansLloyd, sk_kmeans: Any, X: ArrayLike, y_preds: ArrayLike, sk_y_preds: ArrayLike
) -> pd.DataFrame:
    """Put our results and scikit-learn's side by side, and display them in a notebook.

    Parameters
    ----------
    kmeans : KMeansLloyd
        Our fitted object.
    sk_kmeans : sklearn.cluster.KMeans
        The other, fitted to the same rows.
    X : array-like of shape (n, d)
        The rows of both.
    y_preds : array-like of shape (m,)
        Our labels of new rows.
    sk_y_preds : array-like of shape (m,)
        The other's labels of the same new rows.

    Returns
    -------
    DataFrame
        Columns ``Attribute``, ``Mine`` and ``Sklearn``.

    Raises
    ------
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from omnimeans import KMeansLloyd, display_results
    >>> X, start = [[0.0], [1.0], [9.0]], [[0.0], [9.0]]
    >>> mine = KMeansLloyd(2, init=start).fit(X)
    Converged at iteration 2
    >>> theirs = KMeans(2, init=start).fit(X)
    >>> table = display_results(mine, theirs, X, mine.predict([[8.0]]), theirs.predict([[8.0]]))
    >>> table.loc[3].tolist()
    ['Inertia', 0.5, 0.5]
    """
    rows, sk_labels = np.asarray(X), sk_kmeans.labels_
    sk_clusters = {j: rows[sk_labels == j] for j in range(sk_kmeans.n_clusters)}
    lines = [
        ("Number of Clusters", kmeans.num_clusters, sk_kmeans.n_clusters),
        ("Centroids", kmeans.centroids.tolist(), sk_kmeans.cluster_centers_.tolist()),
        ("Labels", kmeans.labels.tolist(), sk_labels.tolist()),
        ("Inertia", kmeans.inertia, float(sk_kmeans.inertia_)),
        ("Clusters", _as_lists(kmeans.clusters), _as_lists(sk_clusters)),
        (
            "Predicted Labels for New Data",
            np.asarray(y_preds).tolist(),
            np.asarray(sk_y_preds).tolist(),
        ),
    ]
    columns = ["Attribute", "Mine", "Sklearn"]
    table: pd.DataFrame = need("pandas", extra="frames").DataFrame(lines, columns=columns)
    if in_notebook():
        need("IPython.display", extra="notebook").display(table)
    return table


def _as_lists(clusters: dict[int, NDArray[Any]]) -> dict[int, Any]:
    return {j: rows.tolist() for j, rows in clusters.items()}
