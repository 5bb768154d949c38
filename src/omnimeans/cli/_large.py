"""Files larger than memory: read block by block, to the same answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import I64, Floats
from omnimeans.cli._errors import UsageError
from omnimeans.sources import Source, open_source
from omnimeans.sources.memory import available, parse_bytes, resident
from omnimeans.sources.source import Block, Wanted
from omnimeans.tables import Features, Table, choose, format_of, split_suffix
from omnimeans.tables.table import numbered

if TYPE_CHECKING:
    from omnimeans.cli._input import Input
    from omnimeans.scaling import Scaling

SHARE = 0.8  # of the memory that is free, which a file may take before it is read in blocks
SEEN = 100_000  # rows that scales, numbers of clusters and shares of variance are taken from


def _text_bytes(path: Path) -> int:
    return 4 * path.stat().st_size


def _array_bytes(path: Path) -> int:
    return 5 * path.stat().st_size // 2


def _parquet_bytes(path: Path) -> int:
    found = need("pyarrow.parquet", extra="frames").read_metadata(path)
    return int(found.num_rows) * int(found.num_columns) * 8 * 4


# format -> about how many bytes a file takes while it is read as a whole and clustered
NEEDED: dict[str, Callable[[Path], int]] = {
    "csv": _text_bytes,
    "tsv": _text_bytes,
    "parquet": _parquet_bytes,
    "arrow": _text_bytes,
    "npy": _array_bytes,
    "npz": _array_bytes,
}
STREAMED = {"csv": (".csv",), "tsv": (".tsv",), "npy": (".npy",), "parquet": (".parquet", ".pq")}
STREAMED |= {"arrow": (".arrow", ".feather", ".ipc")}
PACKED = 6  # times its size that a packed file has when it is unpacked

# Options of a file that need all of its rows at once, and what they are when nothing is said.
WHOLE: dict[str, Any] = {"header": None, "names": None, "delimiter": None, "decimal": None}
WHOLE |= {"thousands": "", "na": None, "encoding": None, "skip": 0, "rows": None, "id": None}
WHOLE |= {"weights": None, "missing": "error"}


class Scaled(Source):
    """A source whose rows are handed out on a model's scale, and without names."""

    def __init__(self, inner: Source, scaling: Scaling) -> None:
        self.inner, self.scaling, self.dtype = inner, scaling, inner.dtype
        self.n_rows, self.n_cols = inner.shape
        self.where = inner.where

    def blocks(self, n: int, wanted: Wanted | None = None) -> Any:
        """Hand out all rows in order, in blocks of at most `n`."""
        for first, rows in self.inner.blocks(n, wanted):
            block: Block = first, self.scaling.apply(rows)
            yield block

    def take(self, numbers: Any) -> Floats:
        """Return the rows of these numbers, in their order."""
        return self.scaling.apply(self.inner.take(numbers))

    def _bounds(self, n: int) -> I64:
        return self.inner._bounds(n)


@dataclass(frozen=True, slots=True)
class Large:
    """A file that is read block by block.

    Parameters
    ----------
    table : Table
        What is known of it without its rows.
    found : Features
        The rows to cluster, as a source.
    seen : Features
        Some of them, in memory.
    """

    table: Table
    found: Features
    seen: Features

    def scaled(self, scaling: Scaling) -> Any:
        """Return all rows on this scale, as a source."""
        return Scaled(self.found.X, scaling)  # type: ignore[arg-type]


def open_large(
    path: Path, input: Input, memory: str | None, asked: Sequence[str] | None = None
) -> Large | None:
    """Return the file to be read block by block, or None if it fits into memory.

    Parameters
    ----------
    path : Path
        The data.
    input : Input
        What is said about it.
    memory : str or None
        Memory that this process may hold, such as ``"2GiB"``; None takes what is free.
    asked : sequence of str, optional
        Exactly these columns: those that a model was fitted on.

    Returns
    -------
    Large or None
        The file.

    Raises
    ------
    ValueError
        If the file fits neither into memory nor can be read in blocks; the message says what to do.
    UsageError
        If an option needs all rows at once.

    Examples
    --------
    >>> import tempfile
    >>> from omnimeans.cli._input import Input
    >>> path = Path(tempfile.mkdtemp(), "a.npy")
    >>> np.save(path, np.zeros((1000, 2)))
    >>> open_large(path, Input(), None) is None, open_large(path, Input(), "1 MB").table.n_rows
    (True, 1000)
    """
    room = int(SHARE * available()) if memory is None else parse_bytes(memory) - resident()
    name = input.format or format_of(path)
    if name not in NEEDED or not path.is_file():
        return None
    suffix, packing = split_suffix(path)
    needs = PACKED * _text_bytes(path) if packing else NEEDED[name](path)
    if needs <= room:
        return None
    told = f"{path} takes about {_size(needs)} in memory, but {_size(max(0, room))} are free"
    if packing or suffix not in STREAMED.get(name, ()):
        kinds = " ".join(suffixes[0] for suffixes in STREAMED.values())
        raise ValueError(
            f"{told}. Files that end in {kinds} are read block by block, so "
            f"{'unpack it' if packing else 'store it as one of these'}; or read fewer --rows"
        )
    given = [
        option for option, plain in WHOLE.items() if (getattr(input, option) or plain) != plain
    ]
    if given:
        raise UsageError(
            f"{told}, and --{given[0]} needs all rows at once. Leave it out, and the file is read "
            "block by block; or make such a file first"
        )
    source, names, notes = _opened(path, name, input, asked)
    notes.insert(0, f"{told}: it is read block by block")
    numbers = np.unique(np.random.default_rng(0).integers(0, len(source), SEEN))
    rows = source.take(numbers)
    if asked is None and not input.columns:
        counting = _counting(rows, numbers)
        if counting and len(counting) < len(names) and name != "npy":
            kept = [n for j, n in enumerate(names) if j not in counting]
            notes += [f"{names[j]!r} is left out: it counts the rows" for j in counting]
            source, names = open_source(path, columns=kept), tuple(kept)
            rows = np.delete(rows, counting, axis=1)
    everywhere = np.broadcast_to(np.zeros(1), (len(source),))  # says only how many rows there are
    table = Table(str(path), names[:1], (everywhere,), notes=tuple(notes))
    stream: Any = source
    return Large(
        table,
        Features(stream, names, None, None, (), ()),
        Features(np.ascontiguousarray(rows), names, None, None, (), ()),
    )


def _opened(
    path: Path, name: str, input: Input, asked: Sequence[str] | None
) -> tuple[Source, tuple[str, ...], list[str]]:
    """Return the source of the columns that are wanted, their names, and what was left out."""
    source = open_source(path)
    if source.names is None:  # an array
        names = numbered(source.n_cols)
        if input.columns or input.exclude or (asked is not None and len(asked) != len(names)):
            raise UsageError(
                f"{path} has {len(names)} columns, which are read block by block and all together; "
                "save those that are wanted in a file of their own"
            )
        return source, tuple(asked or names), []
    every = _columns(path, name, source)
    numeric = source.names
    if asked is not None:
        wanted = list(asked)
    else:
        apart = choose(every, tuple(input.exclude or ()), str(path))
        chosen = choose(every, tuple(input.columns or ()), str(path))
        chosen = chosen or [at for at, one in enumerate(every) if one in numeric]
        wanted = [every[at] for at in chosen if at not in apart]
    left = [] if asked or input.columns else [one for one in every if one not in numeric]
    if tuple(wanted) != numeric:
        source = open_source(path, columns=wanted)
    return source, tuple(wanted), [f"{one!r} is left out: no numbers" for one in left]


def _columns(path: Path, name: str, source: Source) -> tuple[str, ...]:
    """Return the names of all columns of a table, also of those that hold no numbers."""
    if name in ("csv", "tsv"):
        return tuple(source.all_names)  # type: ignore[attr-defined]
    dataset = need("pyarrow.dataset", extra="frames")
    kind = "parquet" if name == "parquet" else "ipc"
    return tuple(dataset.dataset(str(path), format=kind).schema.names)


def _counting(rows: Floats, numbers: I64) -> list[int]:
    """Return the columns that merely count the rows."""
    ahead = rows - numbers[:, None]
    return [j for j in range(rows.shape[1]) if np.ptp(ahead[:, j]) == 0.0 and len(rows) > 1]


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("kiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
