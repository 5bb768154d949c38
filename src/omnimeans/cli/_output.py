"""Files that a command writes: never over another one, all of them whole or none."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from omnimeans.cli._errors import OutputError

STDOUT = "-"


class Outputs:
    """What is to be written, announced before the work and published after it.

    Announcing checks what can be checked before hours are spent: the folder, whether the file is
    there already, whether it can be created.  Publishing writes all files under other names first,
    and then gives each its own; if one of them fails, none of them is there.
    """

    def __init__(self, force: bool = False) -> None:
        self.force = force
        self._paths: dict[str, Path] = {}
        self._data: dict[str, bytes] = {}

    def announce(self, what: str, path: Path | None) -> None:
        """Say that a file will be written, under a name for messages and for the summary."""
        if path is None:
            return
        if path in self._paths.values():
            raise OutputError(f"{path} is named for two outputs; give each its own file")
        self._paths[what] = path
        if str(path) == STDOUT:
            return
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file for the {what}")
        if path.exists() and not self.force:
            raise OutputError(f"{path} is there already; --force writes over it")
        folder = path.parent
        if not folder.is_dir():
            raise OutputError(f"{path} cannot be written: there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise OutputError(f"{path} cannot be written: the folder {folder} is read-only")

    def wants(self, what: str) -> Path | None:
        """Return where this output goes, None if it is not wanted."""
        return self._paths.get(what)

    @property
    def to_stdout(self) -> bool:
        """Whether one of the outputs is standard output."""
        return any(str(path) == STDOUT for path in self._paths.values())

    def fill(self, what: str, data: bytes) -> None:
        """Hand over what a file shall hold."""
        self._data[what] = data

    def publish(self) -> dict[str, str]:
        """Write all files; return where each of them is."""
        undo: list[Callable[[], None]] = []
        try:
            staged = {
                what: self._stage(what, undo) for what in self._data if not self._streams(what)
            }
            for what, partial in staged.items():
                self._name(what, partial, undo)
        except OSError as error:
            for step in reversed(undo):
                with suppress(OSError):
                    step()
            raise OutputError(f"{error.strerror or error}; nothing was written") from None
        for step in undo:  # what was replaced is no longer needed
            old = getattr(step, "backup", None)
            if old is not None:
                with suppress(OSError):
                    os.unlink(old)
        for what in filter(self._streams, self._data):
            sys.stdout.buffer.write(self._data[what])
            sys.stdout.buffer.flush()
        return {what: str(self._paths[what]) for what in self._data}

    def _streams(self, what: str) -> bool:
        return str(self._paths[what]) == STDOUT

    def _stage(self, what: str, undo: list[Callable[[], None]]) -> Path:
        path = self._paths[what]
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        undo.append(lambda: partial.unlink(missing_ok=True))
        try:
            with open(partial, "xb") as file:
                file.write(self._data[what])
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(error.errno, f"{path} cannot be written: {error.strerror}") from None
        return partial

    def _name(self, what: str, partial: Path, undo: list[Callable[[], None]]) -> None:
        """Give a staged file its name, which must still be free unless told otherwise."""
        path = self._paths[what]
        if self.force and path.exists():
            undo.append(_Restore(path))
            os.replace(partial, path)
            return
        try:
            os.link(partial, path)  # fails where a file has appeared meanwhile
        except FileExistsError:
            raise OSError(17, f"{path} has appeared meanwhile; --force writes over it") from None
        except OSError:  # a file system without links
            if path.exists():
                raise OSError(17, f"{path} has appeared meanwhile") from None
            os.replace(partial, path)
        undo.append(lambda: path.unlink(missing_ok=True))
        partial.unlink(missing_ok=True)


class _Restore:
    """Puts back the file that was replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
        os.replace(path, self.backup)

    def __call__(self) -> None:
        os.replace(self.backup, self.path)
