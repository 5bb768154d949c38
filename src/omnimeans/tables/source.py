"""The bytes of a file or of standard input, unpacked, and what kind of file they are."""

from __future__ import annotations

import bz2
import difflib
import gzip
import io
import lzma
import mmap
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnimeans._foreign import is_special
from omnimeans._optional import need
from omnimeans.tables.table import BadTable

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """The unpacked bytes of one input.

    Parameters
    ----------
    name : str
        What messages call it.
    data : bytes-like
        Its bytes; a file that is not packed is mapped, not read.
    suffix : str
        The ending of its name in lower case, packing left aside, such as ``".csv"``.
    """

    name: str
    data: bytes | mmap.mmap
    suffix: str

    def head(self, size: int = 1 << 18) -> bytes:
        """Return the first bytes."""
        return self.data[:size]


def _unzip(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            names = ", ".join(entry.filename for entry in files) or "none"
            raise BadTable(f"a zip archive must hold one file, but this one holds {names}")
        return archive.read(files[0])


def _unzstd(packed: bytes) -> bytes:
    pa = need("pyarrow", extra="io")
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        unpacked: bytes = stream.read()
    return unpacked


def _zstd(data: bytes) -> bytes:
    pa = need("pyarrow", extra="io")
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # the same bytes at any time


def _refuse_zip(data: bytes) -> bytes:
    raise BadTable("zip archives are read, not written; use .gz or .zst")


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to pack a file: how it is recognised, undone and done."""

    suffixes: tuple[str, ...]
    magic: bytes
    unpack: Callable[[bytes], bytes]
    pack: Callable[[bytes], bytes]


PACKINGS: dict[str, Packing] = {
    "gzip": Packing((".gz", ".gzip"), b"\x1f\x8b", gzip.decompress, _gzip),
    "zstd": Packing((".zst", ".zstd"), b"\x28\xb5\x2f\xfd", _unzstd, _zstd),
    "bzip2": Packing((".bz2",), b"BZh", bz2.decompress, bz2.compress),
    "xz": Packing((".xz",), b"\xfd7zXZ\x00", lzma.decompress, lzma.compress),
    "zip": Packing((".zip",), b"PK\x03\x04", _unzip, _refuse_zip),
}
DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def split_suffix(path: Path) -> tuple[str, str | None]:
    """Return the ending that tells the format, and the packing, if the name has one.

    Parameters
    ----------
    path : Path
        A file's name.

    Returns
    -------
    str
        Such as ``".csv"``, in lower case; empty where there is none.
    str or None
        A name of `PACKINGS`.

    Examples
    --------
    >>> split_suffix(Path("a.b/data.CSV.gz"))
    ('.csv', 'gzip')
    """
    suffix = path.suffix.lower()
    for name, packing in PACKINGS.items():
        if suffix in packing.suffixes:
            return path.with_suffix("").suffix.lower(), name
    return suffix, None


def open_source(path: Path) -> Source:
    """Return the bytes of a file, or of standard input for ``-``, unpacked.

    Parameters
    ----------
    path : Path
        Where they are.

    Returns
    -------
    Source
        Bytes, name and ending.

    Raises
    ------
    BadTable
        If the file is not there, is a folder, is empty, or cannot be unpacked.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.csv.gz")
    >>> _ = path.write_bytes(gzip.compress(b"x,y"))
    >>> open_source(path).data
    b'x,y'
    """
    if str(path) == STDIN:
        name, data, suffix = "standard input", sys.stdin.buffer.read(), ""
    else:
        name, data, suffix = str(path), _mapped(path), split_suffix(path)[0]
    if not data:
        raise BadTable(f"{name} is empty; a table needs at least one row of numbers")
    for kind, packing in PACKINGS.items():
        if not data[:8].startswith(packing.magic) or (
            kind == "zip" and suffix in (".npz", ".xlsx")
        ):
            continue
        if kind == "zip" and _holds_arrays(data):
            break  # an .npz file is a zip archive of arrays
        try:
            return Source(name, packing.unpack(bytes(data)), suffix)
        except BadTable as error:
            raise BadTable(f"{name}: {error}") from None
        except DAMAGED as error:
            raise BadTable(f"{name} is packed by {kind}, but damaged: {error}") from None
    return Source(name, data, suffix)


def _holds_arrays(data: Any) -> bool:
    """Tell whether a zip archive is one of NumPy's."""
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def _mapped(path: Path) -> bytes | mmap.mmap:
    if path.is_dir():
        raise BadTable(f"{path} is a folder; give one file")
    try:
        if is_special(path) and not _is_handed(path):
            raise BadTable(
                f"{path} is a device or a pipe, which might never end; write a file, or bring it "
                "by standard input (-)"
            )
        with path.open("rb") as file:
            if not path.is_file():
                return file.read()
            if path.stat().st_size == 0:
                return b""
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise BadTable(f"{path} does not exist{_meant(path)}") from None
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror or error}") from None


def _is_handed(path: Path) -> bool:
    """Tell whether a shell hands over what another program writes, as by ``<(program)``."""
    return path.is_fifo() and str(path.parent) in ("/dev", "/dev/fd", "/proc/self/fd")


def _meant(path: Path) -> str:
    """Return a hint at a file with a similar name in the same folder."""
    if not path.parent.is_dir():
        return f"; nor does the folder {path.parent}"
    there = [file.name for file in path.parent.iterdir() if file.exists()]  # no links to nowhere
    near = difflib.get_close_matches(path.name, there, 1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""
