"""Studies of pictures: handwritten digits, small and large, and the colours of a photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omnimeans import datasets
from omnimeans.studies.compare import (
    agreement,
    compare,
    credit,
    hold_out,
    manhattan,
    manhattan_mean,
    random_start,
    same_start,
)
from omnimeans.studies.records import Run, Study

TOL = 1e-4  # the default of both libraries
MNIST_PARTS = {"test": "mnist-test", "training": "mnist-train"}

# Seeds of starts that end in a good optimum.
DIGITS_START = 8  # no row lies midway between two centres, where rounding decides
EUCLIDEAN_START, MANHATTAN_START = 15, 2023


def digits(*, data: str | Path | None = None, n_threads: int = 1) -> Study:
    """Cluster four fifths of 1,797 digits of 8x8 pixels, and test on the held-out fifth.

    Parameters
    ----------
    data : str or Path, default=None
        Folder of data; these digits are shipped with scikit-learn and need none.
    n_threads : int, default=1
        Threads for each library.

    Returns
    -------
    Study
        Comparison with scikit-learn, agreement with the true digits on the rows held out and on
        the rows clustered.

    Examples
    --------
    >>> from omnimeans import studies
    >>> run = studies.digits().runs[0]
    >>> run.n_samples, run.rows[0].k, run.classes[0].purity > 0.7
    (1437, 10, True)
    """
    pictures = datasets.load("digits", data=data)
    shown, held = hold_out(pictures, seed=0)
    contestants = same_start(random_start(shown, 10, DIGITS_START), 0.0, n_threads)
    run, model = compare("digits of 8x8 pixels", shown, contestants, n_threads)
    classes = (
        agreement("held-out fifth", held.y, model.predict(held.X)),
        agreement("clustered rows", shown.y, model.labels_),
    )
    about = "handwritten digits, 8x8 pixels"
    return Study("digits", about, credit(pictures), n_threads, (replace(run, classes=classes),))


def china(*, data: str | Path | None = None, n_threads: int = 1, n_colours: int = 64) -> Study:
    """Find the few colours that a photograph of 273,280 pixels can best be painted with.

    Parameters
    ----------
    data : str or Path, default=None
        Folder of data; the photograph is shipped with scikit-learn and needs none.
    n_threads : int, default=1
        Threads for each library.
    n_colours : int, default=64
        Number of colours.

    Returns
    -------
    Study
        Comparison with scikit-learn; ``centers[labels]`` of its run is the new picture.

    Examples
    --------
    >>> from omnimeans import studies
    >>> run = studies.china(n_colours=2).runs[0]
    >>> run.centers[run.labels].reshape(run.image_shape).shape
    (427, 640, 3)
    """
    photograph = datasets.load("china", data=data)
    contestants = same_start(random_start(photograph, n_colours, seed=0), TOL, n_threads)
    run, _ = compare(f"{n_colours} colours for a photograph", photograph, contestants, n_threads)
    return Study("china", "colour quantisation", credit(photograph), n_threads, (run,))


def mnist(
    *,
    data: str | Path | None = None,
    n_threads: int = 1,
    parts: Sequence[str] = ("test", "training"),
) -> Study:
    """Cluster the images of MNIST, test and training images, by both distances.

    scikit-learn has no city-block distance.  There, medians (which minimise it) stand beside
    means, which some teaching material updates with: they end with a larger sum of distances.

    Parameters
    ----------
    data : str or Path, default=None
        Folder that holds MNIST; see `omnimeans.datasets.load`.
    n_threads : int, default=1
        Threads for each library.
    parts : sequence of {"test", "training"}, default=both
        The 10,000 test images, the 60,000 training images, or both.

    Returns
    -------
    Study
        Two runs for each part, euclidean and manhattan.

    Raises
    ------
    ValueError
        If there is no such part, or none is given.
    DatasetUnavailable
        If MNIST is not on this machine and cannot be downloaded.

    Examples
    --------
    >>> from omnimeans import studies
    >>> try:
    ...     study = studies.mnist(data="/folder/that/holds/mnist")
    ... except OSError as error:
    ...     print("put the files there first")
    put the files there first
    """
    if not parts or not set(parts) <= set(MNIST_PARTS):
        raise ValueError(f"parts={parts!r} is given; use a list of 'test', 'training', or both")
    runs: list[Run] = []
    for part in parts:
        images = datasets.load(MNIST_PARTS[part], data=data)
        near = random_start(images, 10, EUCLIDEAN_START)
        far = random_start(images, 10, MANHATTAN_START)
        city = [manhattan(far, 0.0, n_threads)]
        if part == "test":
            city.append(manhattan_mean(far, 0.0, n_threads))
        for metric, contestants in (
            ("euclidean", same_start(near, TOL, n_threads)),
            ("manhattan", city),
        ):
            run, model = compare(f"{part} images, {metric}", images, contestants, n_threads)
            runs.append(replace(run, classes=(agreement("all rows", images.y, model.labels_),)))
    about = "handwritten digits, 28x28 pixels"
    return Study("mnist", about, credit(images), n_threads, tuple(runs))
