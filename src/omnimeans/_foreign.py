"""Files that others have written: what is wrong with one is said with its name, and what to do.

The packages that read them were made for whole files.  Of damaged ones they say what they stumbled
over, in errors of any type, and few say in which file.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

HEADER = 1 << 16  # bytes: NumPy reads no longer headers of .npy files
LONGEST = 300  # characters of what a package says; some repeat what they have read
_HEADERS = {
    1: np.lib.format.read_array_header_1_0,
    2: np.lib.format.read_array_header_2_0,
    3: np.lib.format.read_array_header_2_0,  # differs in how names of fields are written
}


def is_special(path: Path) -> bool:
    """Tell whether this is a device, a pipe or a socket, which might never end or never open."""
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def understood(where: str, kind: str) -> Iterator[None]:
    """Let what a package says about a file's contents be an error with the file's name.

    Parameters
    ----------
    where : str
        The file.
    kind : str
        What its ending says that it is, such as ``"a Parquet file"``.

    Raises
    ------
    ValueError
        If the package could not make sense of it.

    Examples
    --------
    >>> with understood("a.npy", "a .npy file"):
    ...     raise KeyError("shape")
    Traceback (most recent call last):
    ...
    ValueError: a.npy cannot be read as a .npy file: KeyError: 'shape'. It is damaged, cut short \
or of another format: write it again, or give it the ending of what it is.
    """
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # no access, no such file, ...
            raise
        what = str(error).strip()[:LONGEST].rstrip(".")
        if not isinstance(error, (ValueError, OSError)):  # a word alone, as KeyErrors have
            what = f"{type(error).__name__}: {what}"
        raise ValueError(
            f"{where} cannot be read as {kind}: {what}. It is damaged, cut short or of another "
            "format: write it again, or give it the ending of what it is."
        ) from None


def npy_header(begin: bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, type and place of the array in an .npy file.

    Parameters
    ----------
    begin : bytes
        The first `HEADER` bytes of the file.
    where : str
        The file, for messages.

    Returns
    -------
    shape : tuple of int
        None is negative; whether the file is long enough, the caller must see.
    fortran : bool
        Whether it was written column by column.
    dtype : dtype
        Any; it may be one of Python objects.
    offset : int
        Where the values begin, in bytes.

    Raises
    ------
    ValueError
        If it is no header that NumPy writes.

    Examples
    --------
    >>> sink = io.BytesIO()
    >>> np.save(sink, np.eye(2))
    >>> npy_header(sink.getvalue(), "a.npy")
    ((2, 2), False, dtype('float64'), 128)
    """
    stream = io.BytesIO(begin)
    with understood(where, "a .npy file"):
        version, minor = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"it is of version {version}.{minor}, and the last one known is 3.0")
        shape, fortran, dtype = _HEADERS[version](stream)
        if not all(type(extent) is int and extent >= 0 for extent in shape):
            raise ValueError(f"no array has the shape of its header, {shape}")
    return shape, fortran, dtype, stream.tell()
