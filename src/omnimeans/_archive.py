"""The one container of model files and checkpoints: safetensors with a JSON document in its header.

safetensors (https://github.com/huggingface/safetensors) holds named arrays and text; reading it
executes nothing.  The text is ours: ``<SHA-256> {"format": ..., "version": ..., ...}``, where the
checksum covers the document and, in the order of their names, all arrays with name, type and
shape.  It finds damage; that a whole file says something sensible, the reader must check.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import numpy as np
from numpy.typing import NDArray

from omnimeans import __version__
from omnimeans._foreign import is_special

Arrays = dict[str, NDArray[Any]]

KEY = "omnimeans"
LARGE = 1 << 20  # bytes; of larger files the beginning is looked at first
LONGEST = 100_000_000  # bytes of a header that safetensors reads
DIGITS = hashlib.sha256().digest_size * 2
DTYPES = {
    "BOOL": np.bool_,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "U8": np.uint8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
}
STORABLE = frozenset(np.dtype(dtype) for dtype in DTYPES.values())


class UnreadableFile(ValueError):
    """A file that is damaged, foreign or of another version; the message says which."""


def pack(kind: str, version: int, document: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file: the same contents give the same bytes.

    Parameters
    ----------
    kind : str
        What the file is, such as ``"model"``.
    version : int
        Version of the document, which its reader must know.
    document : mapping
        JSON values, without NaN or infinity.
    arrays : mapping of str to ndarray
        Numbers or booleans.
    """
    from safetensors.numpy import save

    head = {"format": kind, "version": version, "library": __version__, **document}
    text = json.dumps(head, sort_keys=True, allow_nan=False)
    held = {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
    return save(held, {KEY: f"{_checksum(text, held)} {text}"})


def contents(path: Path, kind: str) -> bytes:
    """Return the bytes of a file that may be one of ours, by what it begins with.

    A device or a pipe might never end, and a large file of another kind would fill the memory
    before anybody could say what it is.

    Raises
    ------
    UnreadableFile
        If it is something else.
    OSError
        If there is no such file, or it cannot be read.
    """
    if is_special(path):
        _refuse(str(path), "is a device or a pipe, not a file", kind)
    with path.open("rb") as file:
        begin = file.read(LARGE)
        if len(begin) == LARGE:
            (length,) = struct.unpack_from("<Q", begin)
            if length > LONGEST or f'"{KEY}":'.encode() not in begin + file.read(length):
                _refuse(str(path), f"is no omnimeans {kind}", kind)
            file.seek(LARGE)
        return begin + file.read()


def unpack(data: bytes, kind: str, version: int, name: str) -> tuple[dict[str, Any], Arrays]:
    """Return the document and the arrays of a file, or say what is wrong with it.

    Parameters
    ----------
    data : bytes
        The whole file.
    kind : str
        What it should be.
    version : int
        The version of the document that the caller can read.
    name : str
        The file's name, for messages.

    Raises
    ------
    UnreadableFile
        If the bytes are not a whole, undamaged file of this kind and version.
    """
    import safetensors

    read: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = safetensors.deserialize
    try:
        tensors = read(data)
    except safetensors.SafetensorError as error:
        _refuse(name, f"is damaged, or no omnimeans {kind} ({error})", kind)
    (length,) = struct.unpack_from("<Q", data)
    metadata = parse(data[8 : 8 + length], name, kind).get("__metadata__")
    if not isinstance(metadata, dict) or set(metadata) != {KEY}:
        _refuse(name, f"is a safetensors file, but no omnimeans {kind}", kind)
    checksum, _, text = metadata[KEY].partition(" ")
    arrays = {key: _array(key, value, name, kind) for key, value in tensors}
    if checksum != _checksum(text, arrays):
        _refuse(name, "is damaged: its checksum does not match its contents", kind)
    document = parse(text, name, kind)
    if document.get("format") != kind:
        _refuse(name, f"is an omnimeans {document.get('format')!r:.40}, not a {kind}", kind)
    if document.get("version") != version:
        raise UnreadableFile(
            f"{name} has version {document.get('version')!r:.40} of the {kind} format, written by "
            f"omnimeans {document.get('library')!r:.40}; this one ({__version__}) "
            f"reads version {version}. Install the omnimeans that wrote it, or write it again."
        )
    return document, arrays


def parse(text: str | bytes, name: str, kind: str) -> dict[str, Any]:
    """Return the JSON object in a text: no NaN, no infinity, no endless nesting."""
    try:
        text = text if isinstance(text, str) else text.decode()
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _refuse(name, f"is damaged: its document cannot be read ({str(error)[:200]})", kind)
    if not isinstance(document, dict):
        _refuse(name, "is damaged: its document is no JSON object", kind)
    return document


def _array(key: str, value: dict[str, Any], name: str, kind: str) -> NDArray[Any]:
    if value["dtype"] not in DTYPES:
        _refuse(name, f"holds {value['dtype']} values in {key!r:.40}, which are not used", kind)
    dtype = np.dtype(DTYPES[value["dtype"]])
    flat: NDArray[Any] = np.frombuffer(value["data"], dtype=dtype).copy()
    if dtype == np.bool_:  # a byte of a file may be anything, a boolean may not
        flat = flat.view(np.uint8) != 0
    try:
        return flat.reshape(value["shape"])
    except ValueError:
        _refuse(name, f"holds an array of {len(value['shape'])} dimensions", kind)


def _checksum(text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    sha = hashlib.sha256(text.encode(errors="surrogatepass"))
    for name, array in sorted(arrays.items()):
        sha.update(ascii((name, array.dtype.name, array.shape)).encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse(name: str, what: str, kind: str) -> NoReturn:
    raise UnreadableFile(f"{name} {what}. Use another copy, or write the {kind} again.")


# ---- histories: one array per column


def arrays_of_records(prefix: str, records: Iterable[Any], kind: type[Any]) -> Arrays:
    """Return the columns of records of one kind, a dataclass of numbers and words, as arrays."""
    rows = tuple(records)
    return {
        f"{prefix}.{name}": _column([getattr(row, name) for row in rows], dtype)
        for name, dtype in _columns(kind).items()
    }


def records_of_arrays(prefix: str, arrays: Arrays, kind: type[Any]) -> tuple[Any, ...] | None:
    """Take the columns out of `arrays` and return the records; None if they make no sense."""
    columns = [
        _values(arrays.pop(f"{prefix}.{name}", None), dtype)
        for name, dtype in _columns(kind).items()
    ]
    held = [column for column in columns if column is not None]
    if len(held) < len(columns) or len({len(column) for column in held}) != 1:
        return None
    return tuple(kind(*row) for row in zip(*held, strict=True))


def is_word(value: Any) -> bool:
    """Tell whether this is a short word of letters, digits and hyphens."""
    return type(value) is str and 0 < len(value) <= 40 and value.replace("-", "a").isalnum()


def _column(values: list[Any], dtype: type[Any]) -> NDArray[Any]:
    """Return values as an array; words as the bytes of lines of text."""
    if dtype is str:
        return np.frombuffer("".join(f"{word}\n" for word in values).encode(), dtype=np.uint8)
    return np.array(values, dtype=dtype)


def _values(column: NDArray[Any] | None, dtype: type[Any]) -> list[Any] | None:
    """Return the values in a column; None if they are not what they should be."""
    wanted = np.uint8 if dtype is str else dtype
    if column is None or column.ndim != 1 or column.dtype != wanted:
        return None
    if dtype is str:
        words = column.tobytes().decode(errors="replace").split("\n")
        return words[:-1] if words[-1] == "" and all(map(is_word, words[:-1])) else None
    # what is counted and measured is never below zero, nor NaN
    return column.tolist() if bool((column >= 0).all()) else None


def _columns(kind: type[Any]) -> dict[str, type[Any]]:
    types: dict[Any, type[Any]] = {float: np.float64, int: np.int64, str: str}
    hints = get_type_hints(kind)
    return {column.name: types[hints[column.name]] for column in fields(kind)}
