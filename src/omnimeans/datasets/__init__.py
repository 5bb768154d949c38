"""The data sets of the studies: ``load(name)`` makes them, finds them on disk or downloads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnimeans._optional import need
from omnimeans._types import I64, Floats
from omnimeans.datasets.mnist import (
    MIRROR,
    MNIST,
    DatasetDamaged,
    DatasetUnavailable,
    find_file,
    read_idx,
)

__all__ = ["LOADERS", "Dataset", "DatasetDamaged", "DatasetUnavailable", "load"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set as :func:`load` returns it.

    Parameters
    ----------
    name : str
        The name that it was asked for by.
    X : ndarray of shape (n_samples, n_features)
        The rows, float32 for pictures and float64 for tables.
    y : ndarray of shape (n_samples,), int64, or None
        The true class of each row, where there are classes.
    feature_names : tuple of str
        One name per column.
    image_shape : tuple of int or None
        For handwritten digits the height and width of one row; for a picture whose pixels are the
        rows, its height, width and number of channels.
    source : str
        Where the data come from.
    licence : str
        What may be done with them.
    """

    name: str
    X: Floats
    y: I64 | None
    feature_names: tuple[str, ...]
    image_shape: tuple[int, ...] | None
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where a loader may look: a local folder, a download address, a folder for downloads."""

    data: Path | None
    mirror: str
    cache: Path | None

    @classmethod
    def from_user(
        cls, data: str | Path | None, mirror: str | None, cache: str | Path | None
    ) -> Places:
        """Fill in the environment's answers where the user gave none."""
        data = data or os.environ.get("OMNIMEANS_DATA")
        cache = cache or os.environ.get("OMNIMEANS_CACHE")
        mirror = mirror or os.environ.get("OMNIMEANS_MIRROR") or MIRROR
        return cls(Path(data) if data else None, mirror, Path(cache) if cache else None)


def load(
    name: str,
    *,
    data: str | Path | None = None,
    mirror: str | None = None,
    cache: str | Path | None = None,
) -> Dataset:
    """Return a data set by its name.

    Parameters
    ----------
    name : str
        ``"blobs"`` (1,000 drawn points in the plane), ``"toy"`` (six points), ``"iris"``,
        ``"digits"`` (8x8 pixels of 0 to 16), ``"china"`` (the pixels of a photograph, as red, green
        and blue from 0 to 1), ``"mnist-train"`` or ``"mnist-test"`` (28x28 pixels from 0 to 1).
    data : str or Path, default=None
        Folder that holds the files of MNIST, directly or in a folder ``mnist``; by default the
        environment variable ``OMNIMEANS_DATA``.
    mirror : str, default=None
        Address of the folder to download missing files from; by default the environment variable
        ``OMNIMEANS_MIRROR``, or the public copy of the CVDF.
    cache : str or Path, default=None
        Folder that keeps downloads; by default the environment variable ``OMNIMEANS_CACHE``, or
        the place that the operating system has for it.

    Returns
    -------
    Dataset
        The rows, their classes where there are any, and where they come from.

    Raises
    ------
    ValueError
        If there is no data set of this name.
    DatasetUnavailable
        If a file is not on this machine and cannot be downloaded.
    DatasetDamaged
        If a file is not what it should be.

    Examples
    --------
    >>> from omnimeans import datasets
    >>> iris = datasets.load("iris")
    >>> iris.X.shape, iris.feature_names[0]
    ((150, 4), 'sepal length (cm)')
    """
    if name not in LOADERS:
        raise ValueError(f"data set {name!r} is not known; choose one of {', '.join(LOADERS)}")
    return LOADERS[name](Places.from_user(data, mirror, cache))


def _blobs(places: Places) -> Dataset:
    from sklearn.datasets import make_blobs

    X, y = make_blobs(n_samples=1000, centers=3, n_features=2, cluster_std=1.5, random_state=1992)
    return Dataset(
        "blobs", X, y.astype(np.int64), ("x", "y"), None, "make_blobs, seed 1992", "public domain"
    )


def _toy(places: Places) -> Dataset:
    X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=np.float64)
    return Dataset(
        "toy", X, None, ("x", "y"), None, "documentation of scikit-learn", "BSD-3-Clause"
    )


def _iris(places: Places) -> Dataset:
    from sklearn.datasets import load_iris

    bunch = load_iris()
    y = bunch.target.astype(np.int64)
    source = "R. A. Fisher, 1936; shipped with scikit-learn"
    return Dataset("iris", bunch.data, y, tuple(bunch.feature_names), None, source, "CC BY 4.0")


def _digits(places: Places) -> Dataset:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    y = bunch.target.astype(np.int64)
    source = "E. Alpaydin and C. Kaynak, 1998; shipped with scikit-learn"
    return Dataset("digits", bunch.data, y, tuple(bunch.feature_names), (8, 8), source, "CC BY 4.0")


def _china(places: Places) -> Dataset:
    from sklearn.datasets import load_sample_image

    need("PIL", extra="demo")  # scikit-learn reads the photograph with Pillow
    picture = load_sample_image("china.jpg")
    X = picture.reshape(-1, 3).astype(np.float32) / np.float32(255)
    colours = ("red", "green", "blue")
    source = "photograph by danielbuechele (Flickr); shipped with scikit-learn"
    return Dataset("china", X, None, colours, picture.shape, source, "CC BY 2.0")


def _mnist(name: str) -> Callable[[Places], Dataset]:
    images, classes = MNIST[name]

    def loader(places: Places) -> Dataset:
        pixels = read_idx(find_file(images, places.data, places.mirror, places.cache), images)
        y = read_idx(find_file(classes, places.data, places.mirror, places.cache), classes)
        X = pixels.reshape(len(pixels), -1).astype(np.float32)
        X /= np.float32(255)
        names = tuple(f"pixel_{i // 28}_{i % 28}" for i in range(X.shape[1]))
        source = "Y. LeCun, C. Cortes and C. J. C. Burges, 1998"
        return Dataset(name, X, y.astype(np.int64), names, (28, 28), source, "CC BY-SA 3.0")

    return loader


LOADERS: dict[str, Callable[[Places], Dataset]] = {
    "blobs": _blobs,
    "toy": _toy,
    "iris": _iris,
    "digits": _digits,
    "china": _china,
    **{name: _mnist(name) for name in MNIST},
}
