"""Studies of small tables: drawn blobs, six points by hand, and the Iris flowers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from omnimeans import datasets
from omnimeans.lloyd.elbow import elbow_curve
from omnimeans.studies.compare import (
    agreement,
    best_of,
    compare,
    credit,
    hold_out,
    random_start,
    same_start,
)
from omnimeans.studies.records import Study

# Inertia and purity depend on the split; with this one they are about the teaching notebook's.
IRIS_SPLIT = 123


def blobs(*, data: str | Path | None = None, n_threads: int = 1) -> Study:
    """Cluster three drawn blobs in the plane, from one start and from ten, and find the elbow.

    Parameters
    ----------
    data : str or Path, default=None
        Folder of data; these are drawn, and need none.
    n_threads : int, default=1
        Threads for each library.

    Returns
    -------
    Study
        Comparison with scikit-learn, agreement with the blobs drawn, elbow from 1 to 10.

    Examples
    --------
    >>> from omnimeans import studies
    >>> ours, theirs = studies.blobs().runs[0].rows[:2]
    >>> ours.iterations == theirs.iterations, theirs.ari
    (True, 1.0)
    """
    drawn = datasets.load("blobs", data=data)
    start = random_start(drawn, 3, seed=0)
    contestants = [*same_start(start, 0.0, n_threads), *best_of(10, 3, 0.0, n_threads)]
    run, model = compare("blobs", drawn, contestants, n_threads)
    run = replace(run, classes=(agreement("all rows", drawn.y, model.labels_),))
    return Study(
        "blobs",
        "three blobs in the plane",
        credit(drawn),
        n_threads,
        (run,),
        elbow_curve(drawn.X, 1, 10),
    )


def toy(*, data: str | Path | None = None, n_threads: int = 1) -> Study:
    """Cluster six points from a good and from a bad start: Lloyd's algorithm finds local optima.

    Parameters
    ----------
    data : str or Path, default=None
        Folder of data; the six points need none.
    n_threads : int, default=1
        Threads for each library.

    Returns
    -------
    Study
        Two runs: left and right apart (16.0), and top and rest apart (125.5), which no iteration
        can leave.

    Examples
    --------
    >>> from omnimeans import studies
    >>> [run.rows[0].inertia for run in studies.toy().runs]
    [16.0, 125.5]
    """
    six = datasets.load("toy", data=data)
    starts = {
        "good start": [[1, 2], [10, 2]],  # one centre on the left, one on the right
        "bad start": [[1, 4], [1, 2]],  # both on the left
    }
    runs = tuple(
        compare(title, six, same_start(np.array(start, float), 0.0, n_threads), n_threads)[0]
        for title, start in starts.items()
    )
    return Study(
        "toy",
        "six points: from a bad start, Lloyd's algorithm ends in a bad optimum",
        credit(six),
        n_threads,
        runs,
    )


def iris(*, data: str | Path | None = None, n_threads: int = 1) -> Study:
    """Cluster four fifths of the Iris flowers by their sepals, and test on the held-out fifth.

    Parameters
    ----------
    data : str or Path, default=None
        Folder of data; Iris is shipped with scikit-learn and needs none.
    n_threads : int, default=1
        Threads for each library.

    Returns
    -------
    Study
        Comparison with scikit-learn, agreement with the species on the rows held out and on the
        rows clustered, elbow from 1 to 30.

    Examples
    --------
    >>> from omnimeans import studies
    >>> run = studies.iris().runs[0]
    >>> f"{run.rows[0].inertia:.2f}, {run.classes[0].purity:.2f}"
    '28.63, 0.90'
    """
    flowers = datasets.load("iris", data=data)
    sepals = replace(flowers, X=flowers.X[:, :2], feature_names=flowers.feature_names[:2])
    shown, held = hold_out(sepals, IRIS_SPLIT)
    start = random_start(shown, 3, IRIS_SPLIT)
    contestants = [*same_start(start, 0.0, n_threads), *best_of(10, 3, 0.0, n_threads)]
    run, model = compare("sepal length and width", shown, contestants, n_threads)
    classes = (
        agreement("held-out fifth", held.y, model.predict(held.X)),
        agreement("clustered rows", shown.y, model.labels_),
    )
    return Study(
        "iris",
        "three species of Iris by the size of their sepals",
        credit(flowers),
        n_threads,
        (replace(run, classes=classes),),
        elbow_curve(shown.X, 1, 30),
    )
