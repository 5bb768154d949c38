"""Sources: data that is read block by block from where it lies.  A table of readers by ending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans._foreign import is_special
from omnimeans.sources.files import NpySource, StoreSource, open_hdf5, open_memmap, open_zarr
from omnimeans.sources.source import FLOATS, Source
from omnimeans.sources.streams import DaskSource, StreamSource
from omnimeans.sources.tables import ArrowSource, CsvSource, ParquetSource

__all__ = ["READERS", "Source", "is_dask", "is_source", "open_source"]

# ending -> reader; those that take columns=..., key=... or header=... say so in `open_source`
READERS: dict[str, Callable[..., Source]] = {
    ".npy": NpySource.open,
    ".parquet": ParquetSource,
    ".pq": ParquetSource,
    ".arrow": ArrowSource,
    ".feather": ArrowSource,
    ".ipc": ArrowSource,
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".zarr": open_zarr,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "columns": (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv", ".tsv")
}
_OPTIONS |= {"key": (".h5", ".hdf5"), "header": (".csv", ".tsv")}
_FOLDERS = (".parquet", ".pq", ".zarr")


def open_source(
    data: Any,
    *,
    columns: Sequence[str] | None = None,
    key: str | None = None,
    header: bool | None = None,
    dtype: Any = None,
) -> Source:
    """Open data that need not fit into memory, to be read block by block.

    Parameters
    ----------
    data : path, array, Dask collection, iterable of blocks, or function that returns one
        A .npy, Parquet, Arrow IPC (Feather), CSV, TSV, Zarr or HDF5 file, or a folder of Parquet
        files; a memory map, a Zarr or HDF5 array; or anything that hands out its blocks, arrays or
        data frames of shape (m, d), each time it is walked through.
    columns : sequence of str or None, default=None
        Columns of a table to read; None takes all that hold numbers.
    key : str or None, default=None
        Name of the array in an HDF5 file; needed where it holds several.
    header : bool or None, default=None
        Whether the first line of a CSV file names the columns; None means that it does.
    dtype : {"float32", "float64"} or None, default=None
        Type to hand the rows out in; None takes float32 where all values are float32, else
        float64.

    Returns
    -------
    Source
        Can be given to `fit`, `predict` and `score` in place of an array.

    Raises
    ------
    ValueError
        If the file is not what its ending says, is cut short, or holds no numbers.
    TypeError
        If the data can be walked through only once, or is nothing that can be read.

    Examples
    --------
    >>> import numpy as np
    >>> import omnimeans as om
    >>> source = om.open_source([np.zeros((2, 3)), np.ones((1, 3))])
    >>> source.shape
    (3, 3)
    >>> om.KMeans(2, random_state=0).fit(source).inertia_
    0.0
    """
    if dtype is not None:
        if np.dtype(dtype) not in FLOATS:
            raise ValueError(f"dtype={dtype!r} is not offered; use 'float32' or 'float64'.")
        return open_source(data, columns=columns, key=key, header=header).astype(dtype)
    options = {"columns": columns, "key": key, "header": header}
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(data, (str, Path)):
        return _open_path(Path(data), given)
    if given:
        raise ValueError(
            f"{next(iter(given))}= is for files; {type(data).__name__} has no use of it."
        )
    if isinstance(data, Source):
        return data
    if isinstance(data, np.memmap):
        return open_memmap(data)
    if is_dask(data):
        return DaskSource(data)
    if hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__"):
        return StoreSource(data, f"the {type(data).__name__}")
    if callable(data) or hasattr(data, "__iter__"):
        return StreamSource(data)
    raise TypeError(
        f"{type(data).__name__} is nothing that rows can be read from. Give a path "
        f"({', '.join(READERS)}), an array, or an iterable of blocks of rows."
    )


def is_source(data: Any) -> bool:
    """Tell whether `fit` reads this block by block, rather than as an array in memory."""
    if isinstance(data, (str, Path, Source)) or is_dask(data):
        return True
    if isinstance(data, np.ndarray) or hasattr(data, "__array__"):
        return type(data).__module__.partition(".")[0] in ("zarr", "h5py")
    frame = hasattr(data, "__dataframe__") or hasattr(data, "collect") or hasattr(data, "columns")
    walked = hasattr(data, "__iter__") and not hasattr(data, "__len__")
    return not frame and (walked or callable(data))


def is_dask(data: Any) -> bool:
    """Tell whether this is a Dask collection of rows; does not import Dask."""
    return hasattr(data, "__dask_graph__") and hasattr(data, "to_delayed")


def _open_path(path: Path, given: dict[str, Any]) -> Source:
    ending = path.suffix.lower()
    if path.is_dir() and ending not in READERS:
        ending = (
            ".zarr" if any((path / n).exists() for n in ("zarr.json", ".zarray")) else ".parquet"
        )
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    if is_special(path):  # it might never end, and cannot be read twice
        raise ValueError(
            f"{path} is a device or a pipe, not a file, and each pass reads the rows again. Write "
            "them to a file, or read them into an array first."
        )
    if ending not in READERS:
        raise ValueError(
            f"{path}: nothing here reads {ending or 'files without an ending'}; use one of "
            f"{', '.join(READERS)}, or a folder of Parquet files."
        )
    if path.is_dir() and ending not in _FOLDERS:
        raise ValueError(
            f"{path} is a folder; give a file, a folder of Parquet files or a Zarr array."
        )
    for name in given:
        if ending not in _OPTIONS[name]:
            raise ValueError(f"{path}: {name}= is for {', '.join(_OPTIONS[name])}, not {ending}.")
    return READERS[ending](path, **given)
