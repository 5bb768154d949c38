"""Sources of columns: Parquet files and folders of them, Arrow IPC, CSV, by pyarrow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans._foreign import understood
from omnimeans._optional import need
from omnimeans._types import I64
from omnimeans.sources.files import FileStamp
from omnimeans.sources.source import Source, Wanted, float_type, recut

CSV_PIECE = 1 << 23  # bytes of text parsed at a time
LONGEST_LINE = 1 << 26  # bytes of a first line, which is read at once
PARQUET, ARROW, CSV = "a Parquet file", "an Arrow file", "a CSV file in UTF-8"


class TableSource(Source):
    """Columns of numbers, or one column of lists of equal length."""

    def _choose(self, schema: Any, columns: Sequence[str] | None) -> None:
        """Decide which columns are read, and in which type."""
        types = need("pyarrow.types", extra="frames")
        fields = {field.name: field.type for field in schema}
        if columns is None:
            columns = [name for name, kind in fields.items() if _is_number(types, kind)]
            lists = [name for name, kind in fields.items() if types.is_fixed_size_list(kind)]
            columns = columns or lists[:1]
        missing = [name for name in columns if name not in fields]
        if missing or not columns:
            what = f"column {missing[0]!r}" if missing else "column of numbers"
            raise ValueError(
                f"{self.where} has no {what}. It has {', '.join(map(repr, fields))}; name those to "
                "use: columns=[...]."
            )
        self.columns = list(columns)
        kinds = [fields[name] for name in self.columns]
        self.lists = len(kinds) == 1 and types.is_fixed_size_list(kinds[0])
        if self.lists:
            self.n_cols, self.names = kinds[0].list_size, None
            kinds = [kinds[0].value_type]
        else:
            self.n_cols, self.names = len(self.columns), tuple(self.columns)
        bad = [
            name
            for name, kind in zip(self.columns, kinds, strict=False)
            if not _is_number(types, kind)
        ]
        if bad:
            raise ValueError(
                f"{self.where}: column {bad[0]!r} holds {fields[bad[0]]}, not numbers. Leave it "
                "out: columns=[...]."
            )
        self.dtype = float_type(*(_numpy_type(kind) for kind in kinds))

    starts: I64  # rows before each piece of the file, (m + 1,)
    _held: tuple[int, Any] = (-1, None)  # the piece that was read last

    def _piece(self, number: int) -> Any:
        """Return the rows of one piece of the file."""
        raise NotImplementedError

    def _from_pieces(self, first: int, stop: int) -> Any:
        """Return these rows; small blocks of one piece do not read it again."""
        begin = int(np.searchsorted(self.starts, first, side="right")) - 1
        end = int(np.searchsorted(self.starts, stop, side="left"))
        rows = []
        for number in range(begin, end):
            held, piece = self._held
            if held != number:
                piece = self._piece(number)
                self._held = (number, piece)
            start = int(self.starts[number])
            rows.append(piece[max(0, first - start) : stop - start])
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _rows(self, batch: Any) -> Any:
        """Return a record batch's rows as an array (m, d); what is missing becomes NaN."""
        if self.lists:
            values = batch.column(0).flatten().to_numpy(zero_copy_only=False)
            return values.reshape(-1, self.n_cols)
        rows = np.empty((batch.num_rows, self.n_cols), dtype=self.dtype)
        for j, name in enumerate(self.columns):
            rows[:, j] = batch.column(name).to_numpy(zero_copy_only=False)
        return rows


class ParquetSource(TableSource):
    """Parquet: only the chosen columns are read, and only the row groups that are wanted."""

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        opened = need("pyarrow.dataset", extra="frames").dataset
        self.where = str(path)
        self.groups: list[tuple[Path, int]] = []  # file, number of the row group in it
        counts = []
        with understood(str(path), "Parquet files" if path.is_dir() else PARQUET):
            dataset = opened(str(path), format="parquet")
            for fragment in dataset.get_fragments():
                for group in fragment.row_groups:
                    self.groups.append((Path(fragment.path), group.id))
                    counts.append(group.num_rows)
        if not dataset.files:
            raise ValueError(
                f"{path} is a folder that holds no Parquet file. Give a file, or a folder that "
                "holds Parquet files and nothing else."
            )
        self._choose(dataset.schema, columns)
        self.starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        self.n_rows = int(self.starts[-1])
        self.stamp = FileStamp(*dict.fromkeys(path for path, _ in self.groups))

    def _unchanged(self) -> None:
        self.stamp.check()

    def _stream(self, bounds: I64, wanted: Wanted | None) -> Iterator[tuple[int, Any]]:
        blocks = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        needed = np.array([wanted is None or wanted(*block) for block in blocks], dtype=bool)
        # the row groups that some wanted block touches, in runs that follow each other
        first_block = np.searchsorted(bounds, self.starts[:-1], side="right") - 1
        last_block = np.searchsorted(bounds, self.starts[1:], side="left") - 1
        upto = np.append(0, np.cumsum(needed))
        touched = upto[last_block + 1] > upto[first_block]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], touched, [False]])))
        step = int(np.diff(bounds).max())
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            first, stop = int(self.starts[begin]), int(self.starts[end])
            inside = bounds[(bounds > first) & (bounds < stop)]
            cuts = np.concatenate([[first], inside, [stop]])
            pieces = (rows for g in range(begin, end) for rows in self._group(g, step))
            for at, rows in recut(pieces, cuts, first):
                block = int(np.searchsorted(bounds, at, side="right")) - 1
                if needed[block] and (at, at + len(rows)) == blocks[block]:
                    yield at, rows

    def _group(self, number: int, step: int) -> Iterator[Any]:
        path, group = self.groups[number]
        parquet = need("pyarrow.parquet", extra="frames")
        with (
            understood(str(path), PARQUET),
            parquet.ParquetFile(path, pre_buffer=False) as file,
        ):
            batches = file.iter_batches(batch_size=step, row_groups=[group], columns=self.columns)
            yield from (self._rows(batch) for batch in batches)


class ArrowSource(TableSource):
    """Arrow IPC files (also Feather): record batches, read one by one."""

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        self.path, self.where = path, str(path)
        self.ipc, self.arrow = need("pyarrow.ipc", "frames"), need("pyarrow", "frames")
        self.stamp = FileStamp(path)
        with self._reader() as reader:
            schema = reader.schema
            counts = [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)]
        self._choose(schema, columns)
        self.starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        self.n_rows = int(self.starts[-1])

    def _unchanged(self) -> None:
        self.stamp.check()

    def _read(self, first: int, stop: int) -> Any:
        return self._from_pieces(first, stop)

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with (
            understood(self.where, ARROW),
            self.arrow.OSFile(self.where) as file,
            self.ipc.open_file(file) as reader,
        ):
            yield reader

    def _piece(self, number: int) -> Any:
        with self._reader() as reader:
            return self._rows(reader.get_batch(number).select(self.columns))


class CsvSource(TableSource):
    """Text, one row a line: cut into pieces at line ends, so that any piece can be read alone."""

    def __init__(
        self, path: Path, columns: Sequence[str] | None = None, header: bool = True
    ) -> None:
        self.path, self.where = path, str(path)
        self.csv, self.arrow = need("pyarrow.csv", "frames"), need("pyarrow", "frames")
        self.stamp = FileStamp(path)
        self.delimiter = "\t" if path.suffix == ".tsv" else ","
        with path.open("rb") as file:
            line = file.readline(LONGEST_LINE)
        if not line.strip():
            raise ValueError(f"{path} is empty.")
        with understood(self.where, CSV):
            if b"\0" in line:
                raise ValueError("it holds zero bytes, as text in UTF-16 does")
            names = self._parse(line, None).column_names
        self.all_names = names if header else [f"f{j}" for j in range(len(names))]
        ends = self._line_ends(len(line) if header else 0)
        self.pieces = list(itertools.pairwise(ends))
        self.chosen = columns
        tables = (self._table(i) for i in range(len(self.pieces)))
        first = next(tables, None)
        if first is None:
            raise ValueError(f"{path} has a header, but no rows.")
        self._choose(first.schema, columns)
        counts = [first.num_rows, *(table.num_rows for table in tables)]
        self.starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        self.n_rows = int(self.starts[-1])

    def _line_ends(self, begin: int) -> list[int]:
        """Return where the pieces begin and end, each after a line's end."""
        ends, size = [begin], self.path.stat().st_size
        with self.path.open("rb") as file:
            while ends[-1] < size:
                file.seek(min(ends[-1] + CSV_PIECE, size))
                file.readline()
                ends.append(file.tell())
        return ends

    def _parse(self, text: bytes, names: list[str] | None) -> Any:
        return self.csv.read_csv(
            self.arrow.BufferReader(text),
            read_options=self.csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=self.csv.ParseOptions(delimiter=self.delimiter),
            convert_options=self.csv.ConvertOptions(
                include_columns=getattr(self, "columns", None),
                column_types=dict.fromkeys(getattr(self, "columns", ()), "float64"),
            ),
        )

    def _table(self, piece: int) -> Any:
        begin, end = self.pieces[piece]
        with self.path.open("rb") as file:
            file.seek(begin)
            text = file.read(end - begin)
        try:
            return self._parse(text, self.all_names)
        except self.arrow.ArrowInvalid as error:
            raise ValueError(
                f"{self.where}, in the lines after byte {begin}: {error}. Every line needs a "
                "number in every column that is used; leave others out: columns=[...]."
            ) from None

    def _unchanged(self) -> None:
        self.stamp.check()

    def _read(self, first: int, stop: int) -> Any:
        return self._from_pieces(first, stop)

    def _piece(self, number: int) -> Any:
        return np.concatenate([self._rows(batch) for batch in self._table(number).to_batches()])

    def _bounds(self, n: int) -> I64:
        """Cut at the pieces, so that none is parsed twice."""
        cuts = [np.arange(a, b, n) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
        return np.concatenate([*cuts, [self.n_rows]]).astype(np.int64)


def _is_number(types: Any, kind: Any) -> bool:
    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind))


def _numpy_type(kind: Any) -> Any:
    return kind.to_pandas_dtype()
