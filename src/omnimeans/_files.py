"""Files that are replaced whole or not at all, as model files and checkpoints must be."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PARTIAL = ".partial"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file in one step: at any moment it is the old one, whole, or the new one, whole.

    The bytes go to a new file beside it, reach the disk, and only then take its name.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    data : bytes
        All that it shall hold.

    Raises
    ------
    OSError
        If the folder or the disk does not take it.  What was there before is as it was.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> write_atomically(Path(folder.name, "a"), b"1")
    >>> Path(folder.name, "a").read_bytes()
    b'1'
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with open(partial, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _reach_the_disk(path.parent)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, f"{path} was not written: {error.strerror}") from error
        raise


def remove_partials(path: Path) -> None:
    """Remove what writers of this file left behind when they were killed in the middle."""
    prefix = f".{path.name}."
    with suppress(OSError):  # the writer that comes next will say what is wrong
        for entry in path.parent.iterdir():
            if entry.name.startswith(prefix) and entry.name.endswith(PARTIAL):
                entry.unlink()


def _reach_the_disk(folder: Path) -> None:
    """Make the new name survive a power cut, where folders can be opened (not on Windows)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
