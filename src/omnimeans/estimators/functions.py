"""k-means and k-means++ as plain functions, with scikit-learn's signatures."""

from __future__ import annotations

from typing import Any

from sklearn.utils._param_validation import validate_params

from omnimeans import _validate
from omnimeans._params import COUNT, ONE_OR_MORE, RANDOM_STATE
from omnimeans._rows import taken
from omnimeans._types import I32, I64, Floats
from omnimeans.engines import open_engine
from omnimeans.estimators._different import different_rows
from omnimeans.estimators._run import generator, place
from omnimeans.estimators.kmeans import KMeans
from omnimeans.init import kmeans_plusplus_rows


@validate_params(  # type: ignore[untyped-decorator]
    {
        "X": ["array-like", "sparse matrix"],
        "sample_weight": ["array-like", None],
        "return_n_iter": [bool],
    },
    prefer_skip_nested_validation=False,
)
def k_means(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    init: Any = "k-means++",
    n_init: int | str = "auto",
    max_iter: int = 300,
    verbose: int = False,
    tol: float = 1e-4,
    random_state: Any = None,
    copy_x: bool = True,
    algorithm: str = "auto",
    return_n_iter: bool = False,
) -> tuple[Floats, I32, float] | tuple[Floats, I32, float, int]:
    """Group rows into k clusters and return centres, labels and inertia.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Rows to cluster.
    n_clusters : int
        Number of clusters, k.
    sample_weight : array-like of shape (n,) or None, default=None
        Weight of each row.
    init, n_init, max_iter, verbose, tol, random_state, copy_x, algorithm
        As in :class:`KMeans`.
    return_n_iter : bool, default=False
        Whether to return the number of iterations too.

    Returns
    -------
    centers : ndarray of shape (k, d)
        Centres.
    labels : ndarray of shape (n,), int32
        Number of the nearest centre of each row.
    inertia : float
        Weighted sum of the squared distances of the rows to their centres.
    n_iter : int
        Iterations of the kept start; only with `return_n_iter`.

    Raises
    ------
    ValueError
        As :meth:`KMeans.fit`.

    Examples
    --------
    >>> import omnimeans as om
    >>> centers, labels, inertia = om.k_means([[0.0], [1.0], [9.0]], 2, init=[[0.0], [9.0]])
    >>> centers.ravel(), labels, inertia
    (array([0.5, 9. ]), array([0, 0, 1], dtype=int32), 0.5)
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        verbose=verbose,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)
    found = model.cluster_centers_, model.labels_, model.inertia_
    return (*found, model.n_iter_) if return_n_iter else found


@validate_params(  # type: ignore[untyped-decorator]
    {
        "X": ["array-like", "sparse matrix"],  # refused by _validate.rows, in words
        "n_clusters": [ONE_OR_MORE],
        "sample_weight": ["array-like", None],
        "x_squared_norms": ["array-like", None],
        "random_state": RANDOM_STATE,
        "n_local_trials": [COUNT, None],
    },
    prefer_skip_nested_validation=True,
)
def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    x_squared_norms: Any = None,
    random_state: Any = None,
    n_local_trials: int | None = None,
) -> tuple[Floats, I64]:
    """Draw k rows that lie far from each other, to start from.

    Greedy k-means++ (D. Arthur and S. Vassilvitskii, SODA 2007): each further row is drawn with a
    probability in proportion to its weighted squared distance to the rows drawn so far, and the
    best of several such draws is kept.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Rows to draw from.
    n_clusters : int
        Number of rows to draw, k.
    sample_weight : array-like of shape (n,) or None, default=None
        Weight of each row; a row of weight 0 is not drawn.
    x_squared_norms : array-like of shape (n,) or None, default=None
        Accepted for scikit-learn's sake, and not needed.
    random_state : int, RandomState, Generator or None, default=None
        Seed.
    n_local_trials : int or None, default=None
        Draws per further row; None is ``2 + int(log(k))``, 1 is plain k-means++.

    Returns
    -------
    centers : ndarray of shape (k, d)
        The rows drawn, float32 or float64.
    indices : ndarray of shape (k,), int64
        Their numbers in `X`.

    Raises
    ------
    ValueError
        If the data or a parameter cannot be used; the message says why.

    Examples
    --------
    >>> import omnimeans as om
    >>> centers, indices = om.kmeans_plusplus([[0.0], [1.0], [9.0]], 3, random_state=0)
    >>> sorted(indices.tolist())
    [0, 1, 2]
    """
    X = _validate.rows(X, as_given=True)
    weights = _validate.weights(sample_weight, X)
    _validate.enough_rows(X.shape[0], n_clusters)
    if x_squared_norms is not None:
        _validate.squared_norms(x_squared_norms, X)
    engine = open_engine("auto")
    rows = place(engine, X, weights, _validate.metric("euclidean"))
    rng = generator(_validate.seed(random_state), 0)
    found, k = different_rows(engine, rows), int(n_clusters)
    if found is None or len(found[0]) < k:
        indices = kmeans_plusplus_rows(engine, rows, k, rng, n_local_trials)
    else:  # as the estimators do
        few = engine.place(rows.take(found[0]), found[1], _validate.metric("euclidean"))
        indices = found[0][kmeans_plusplus_rows(engine, few, k, rng, n_local_trials)]
    return taken(X, indices), indices
