"""The files of MNIST: found in a folder or downloaded, unpacked, and checked to the last bit.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86 (1998).  A file is known by the SHA-256 of its
*uncompressed* content, because the same content can be packed in many ways.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnimeans._optional import need

MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist/"
DOWNLOAD_TIMEOUT = (10, 60)  # seconds to connect, and to wait for the next bytes


class DatasetUnavailable(OSError):
    """The data set is not on this machine and could not be downloaded."""


class DatasetDamaged(ValueError):
    """A file does not hold what it should: wrong format, cut short, or changed."""


@dataclass(frozen=True, slots=True)
class IdxFile:
    """What a file of MNIST must hold: a header with these sizes, then one byte per value."""

    name: str
    shape: tuple[int, ...]
    sha256: str  # of the uncompressed content

    @property
    def magic(self) -> int:
        """The first four bytes: 8 for unsigned bytes, then the number of dimensions."""
        return 8 << 8 | len(self.shape)


MNIST = {
    "mnist-train": (
        IdxFile(
            "train-images-idx3-ubyte.gz",
            (60000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        IdxFile(
            "train-labels-idx1-ubyte.gz",
            (60000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
    ),
    "mnist-test": (
        IdxFile(
            "t10k-images-idx3-ubyte.gz",
            (10000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte.gz",
            (10000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
}


def find_file(file: IdxFile, data: Path | None, mirror: str, cache: Path | None) -> Path:
    """Return the path of a file of MNIST: in the folder `data`, or downloaded into `cache`."""
    if data is not None:
        if not data.is_dir():
            raise DatasetUnavailable(
                f"the folder of data (data= or OMNIMEANS_DATA) is given as {str(data)!r}, which "
                "is not a folder; name one, or leave it out to download what is missing"
            )
        for folder in (data / "mnist", data):
            if (folder / file.name).is_file():
                return folder / file.name
    return _download(file, mirror, cache)


def _download(file: IdxFile, mirror: str, cache: Path | None) -> Path:
    pooch = need("pooch", extra="data")

    def verified(url: str, output_file: Any, keeper: Any, check_only: bool = False) -> None:
        # pooch keeps a file only if this returns, so a damaged one never enters the cache
        pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT)(url, output_file, keeper)
        read_idx(Path(output_file), file)

    files = pooch.create(
        path=cache or pooch.os_cache("omnimeans"),
        base_url=mirror.rstrip("/") + "/",
        registry={file.name: None},
    )
    log = pooch.get_logger()
    level = log.level
    log.setLevel("WARNING")  # one line is enough where there is no network
    try:
        return Path(files.fetch(file.name, downloader=verified))
    except DatasetDamaged:
        reason = "what came is damaged, or is not MNIST"
    except OSError as error:  # requests' errors are OSErrors too
        response = getattr(error, "response", None)
        reason = type(error).__name__ if response is None else f"HTTP {response.status_code}"
        if response is not None:
            response.close()
    finally:
        log.setLevel(level)
    raise DatasetUnavailable(
        f"{file.name} of MNIST is not on this machine and could not be downloaded from "
        f"{files.base_url} ({reason}); set OMNIMEANS_DATA to a folder that holds the four files "
        "of MNIST, or OMNIMEANS_MIRROR to an address that offers them"
    ) from None


def read_idx(path: Path, expected: IdxFile) -> NDArray[np.uint8]:
    """Return the array in a gzip-packed IDX file, after checking that it is the expected one.

    Parameters
    ----------
    path : Path
        The file.
    expected : IdxFile
        What it must hold.

    Returns
    -------
    ndarray of uint8
        The values, in the expected shape.

    Raises
    ------
    DatasetDamaged
        If the file is not gzip, is cut short, has another magic number or other sizes, or
        another checksum.
    """
    wanted = f"{path}: expected {expected.name}"
    advice = "delete the file and get it again"
    try:
        content = gzip.decompress(path.read_bytes())
    except EOFError:
        raise DatasetDamaged(f"{wanted}, but the file is truncated; {advice}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetDamaged(f"{wanted}, but it does not unpack ({error}); {advice}") from None

    header = struct.Struct(f">I{len(expected.shape)}I")
    if len(content) < header.size:
        raise DatasetDamaged(f"{wanted}, but its header is truncated; {advice}")
    magic, *shape = header.unpack_from(content)
    if magic != expected.magic:
        raise DatasetDamaged(
            f"{wanted} with magic number {expected.magic}, but it starts with {magic}; {advice}"
        )
    if tuple(shape) != expected.shape:
        raise DatasetDamaged(f"{wanted} of shape {expected.shape}, got {tuple(shape)}; {advice}")
    n_values = len(content) - header.size
    if n_values != np.prod(expected.shape):
        raise DatasetDamaged(
            f"{wanted} with {np.prod(expected.shape)} values, "
            f"but the file holds {n_values} (truncated?); {advice}"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected.sha256:
        raise DatasetDamaged(
            f"{wanted} with SHA-256 {expected.sha256} after unpacking, got {digest}; {advice}"
        )
    return np.frombuffer(content, np.uint8, offset=header.size).reshape(expected.shape)
