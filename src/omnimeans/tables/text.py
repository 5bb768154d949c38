"""Tables in text files: CSV, TSV, and columns set apart by semicolons, bars or blanks.

pyarrow cuts the text into cells; every cell stays text until a column of numbers is asked for
(:mod:`omnimeans.tables.numbers`), so that one bad cell in a million rows has a name and a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from omnimeans._optional import need
from omnimeans.tables.sniff import DELIMITERS, Layout, cells, decoded, layout, records
from omnimeans.tables.source import Source
from omnimeans.tables.table import MISSING, BadTable, Dialect, Table, distinct, numbered

HEAD = 1 << 18  # bytes that are looked at to find out how the file is written
ENOUGH = 8  # records to go by, at least
BLOCK = 1 << 22  # bytes that are cut into cells at a time
LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a user may say about an input; None leaves it to the file.

    Parameters
    ----------
    format : str or None
        A name of `omnimeans.tables.FORMATS`.
    header : bool or None
        Whether the first line of a text file names the columns.
    names : tuple of str or None
        Names for the columns, instead of those in the file.
    delimiter, decimal : str or None
        As in `omnimeans.tables.table.Dialect`.
    thousands : str
        What groups digits, or nothing.
    missing : tuple of str
        Further cells that stand for no value.
    encoding : str or None
        Encoding of a text file.
    skip : int
        Lines to leave out at the top of a text file.
    rows : int or None
        Rows to read at most.
    array : str or None
        Which array of an .npz file; by default all of them.
    """

    format: str | None = None
    header: bool | None = None
    names: tuple[str, ...] | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str = ""
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    skip: int = 0
    rows: int | None = None
    array: str | None = None


def read_text(source: Source, reading: Reading) -> Table:
    r"""Return the table in a text file; all of its columns are text.

    Parameters
    ----------
    source : Source
        The bytes.
    reading : Reading
        What is known about them.

    Returns
    -------
    Table
        Columns of text, with the dialect that turns them into numbers.

    Raises
    ------
    BadTable
        If it is no text, has no rows, or a row has too many or too few cells.

    Examples
    --------
    >>> table = read_text(Source("a.csv", b"x;y\n1,5;2\n", ".csv"), Reading())
    >>> table.names, table.dialect.decimal
    (('x', 'y'), ',')
    """
    data, notes = decoded(bytes(source.data), source.name, reading.encoding)
    start = _skipped(data, reading.skip, source.name)
    lines = _first_records(data, start)
    if not lines:
        raise BadTable(f"{source.name} has no rows after {reading.skip} skipped lines")
    found = layout(
        lines, delimiter=reading.delimiter, decimal=reading.decimal, header=reading.header
    )
    width = Counter(len(cells(line, found.delimiter)) for line in lines).most_common(1)[0][0]
    promised = _counts(lines, found, width)
    if found.header is not None or promised is not None:
        start = _after_record(data, start, found.delimiter)
    names, named = _names(found, width, reading, source.name)
    notes += _unusual(found) + named
    table, place = _cut(data, start, names, found.delimiter, source.name, reading.rows)
    if table.num_rows == 0:
        raise BadTable(
            f"{source.name} has a header ({', '.join(names)}) but no rows; if that line holds "
            "values, say --no-header"
        )
    if promised is not None:
        if reading.rows is None and table.num_rows != promised:
            raise BadTable(
                f"{source.name} begins with {lines[0].strip()!r}, which promises {promised:,} rows "
                f"of {width}, but {table.num_rows:,} follow; --skip 1 leaves that line out"
            )
        notes.append(f"the first line, {lines[0].strip()!r}, counts rows and columns: left out")
    missing = MISSING | {cell.strip().lower() for cell in reading.missing}
    dialect = Dialect(found.delimiter, found.decimal, reading.thousands, missing)
    columns = tuple(table.column(j) for j in range(width))
    return Table(source.name, names, columns, False, dialect, place, tuple(notes))


def _first_records(data: bytes, start: int) -> list[str]:
    """Return some whole records from the top of the text."""
    size = HEAD
    while True:
        lines = records(data[start : start + size].decode(errors="ignore"))
        if start + size >= len(data):
            return lines
        if len(lines) > ENOUGH:
            return lines[:-1]  # the last one may be cut
        size *= 4


def _skipped(data: bytes, skip: int, name: str) -> int:
    """Return where the text begins after so many lines."""
    start = 0
    for _ in range(skip):
        end = LINE_END.search(data, start)
        if end is None:
            raise BadTable(f"{name} has no more than {skip} lines, and --skip {skip} leaves none")
        start = end.end()
    return start


def _after_record(data: bytes, start: int, delimiter: str) -> int:
    """Return where the record after the next one begins; quoted cells may hold line ends."""
    quotes = 0
    for end in LINE_END.finditer(data, start):
        line = data[start : end.end()]
        quotes += line.count(b'"')
        start = end.end()
        if line.strip() and quotes % 2 == 0:
            return start
    return len(data)


def _counts(lines: Sequence[str], found: Layout, width: int) -> int | None:
    """Return n where the first line is "n d", as some programs write it above the rows."""
    first = cells(lines[0], found.delimiter)
    if found.header is not None or len(first) != 2 or width == 2 or len(lines) < 2:
        return None
    if first[0].isdigit() and first[1].isdigit() and int(first[1]) == width:
        return int(first[0])
    return None


def _names(
    found: Layout, width: int, reading: Reading, source: str
) -> tuple[tuple[str, ...], list[str]]:
    given: Sequence[str] = found.header or numbered(width)
    if found.header is not None and len(given) == width - 1:
        given = ("row", *given)  # R leaves the column of row names without one
    if reading.names is not None:
        given = reading.names
    if len(given) != width:
        what = "--names gives" if reading.names else "the header names"
        raise BadTable(
            f"{source}: {what} {len(given)} columns ({_some(given)}), but the rows have {width} "
            f"cells between {DELIMITERS.get(found.delimiter, found.delimiter)}s; "
            "--delimiter and --skip may help"
        )
    return distinct([str(name) for name in given])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _unusual(found: Layout) -> list[str]:
    out = []
    if found.delimiter not in ",\t":
        called = DELIMITERS.get(found.delimiter, repr(found.delimiter))
        out.append(f"cells are set apart by {called}{'' if called.endswith('s') else 's'}")
    if found.decimal == ",":
        out.append("numbers are read with a decimal comma")
    return out


def _cut(
    data: bytes, start: int, names: Sequence[str], delimiter: str, source: str, rows: int | None
) -> tuple[Any, Callable[[int], str]]:
    """Return the cells below `start` as an Arrow table, and what finds the line of a row."""
    pa = need("pyarrow", extra="io")
    csv = need("pyarrow.csv", extra="io")
    body = data[start:]
    if delimiter == " ":
        body = _squeezed(body)
    if len(names) == 1:
        body = body.rstrip(b"\r\n")  # an empty line in between is an empty cell
    place = _Lines(data, start, blank_lines_count=len(names) == 1)
    if not body.strip():
        return pa.table({name: pa.array([], pa.string()) for name in names}), place

    longest = max(map(len, body[: 1 << 26].splitlines()))

    def parsed(threads: bool, handler: Callable[[Any], str] | None) -> Any:
        return csv.read_csv(
            pa.BufferReader(body),
            read_options=csv.ReadOptions(
                column_names=list(names), use_threads=threads, block_size=max(BLOCK, 8 * longest)
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=b'"' in body,
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=handler,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    bad: list[Any] = []

    def note(row: Any) -> str:
        bad.append(row)
        return "skip"

    if rows is None:
        try:
            return parsed(True, None), place
        except pa.ArrowInvalid as error:
            reason = str(error)
    table = parsed(False, note)  # once more in order, which numbers the rows
    if rows is not None and not (bad and bad[0].number <= rows):
        return table.slice(0, rows), place
    if not bad:
        raise BadTable(f"{source} cannot be cut into cells: {reason}")
    first = bad[0]
    text = first.text if len(first.text) < 60 else first.text[:57] + "..."
    raise BadTable(
        f"{source}, {place(first.number - 1)} has {first.actual_columns} cells instead of "
        f"{first.expected_columns}: {text!r}"
        + (f"; so do {len(bad) - 1:,} more rows" if len(bad) > 1 else "")
        + ". Mend the file, or say --delimiter, --skip or --rows"
    )


def _squeezed(body: bytes) -> bytes:
    """Return lines whose cells are one blank apart."""
    body = LINE_END.sub(b"\n", body) if b"\r" in body else body
    body = re.sub(rb"[ \t]+", b" ", body)
    return re.sub(rb"(?m)^ +| +$", b"", body)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Finds the line on which a row stands; lines are only counted when there is a mistake."""

    data: bytes
    start: int
    blank_lines_count: bool

    def __call__(self, row: int) -> str:
        line = 1 + len(LINE_END.findall(self.data, 0, self.start))
        quotes, seen = 0, 0
        for text in self.data[self.start :].splitlines():
            if quotes == 0 and (self.blank_lines_count or text.strip()):
                if seen == row:
                    break
                seen += 1
            quotes = (quotes + text.count(b'"')) % 2
            line += 1
        return f"line {line:,} (row {row + 1:,})"
