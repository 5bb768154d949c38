"""How a text file writes its table: delimiter, decimal sign, header, encoding.

Nothing here is guessed in silence: what was found is part of the table's notes where it differs
from a plain comma-separated file, and each of it can be said on the command line instead.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from omnimeans.tables.table import MISSING, BadTable

DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "blanks"}
COUNTED = 3  # columns whose names may be 0, 1, 2, ...
LINES = 200  # records that are looked at
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WITH_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?")
BLANK_CELL = re.compile(r'"[^"]*"|\S+')  # between blanks
NOT_TEXT = {
    b"\xd0\xcf\x11\xe0": "an old Excel or other Office file; save it as CSV",
    b"PK\x03\x04": "an Excel sheet or an archive; save the sheet as CSV",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a SQLite database; export the table as CSV",
    b"\x89HDF": "an HDF5 file",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of a text file are.

    Parameters
    ----------
    delimiter : str
        A key of `DELIMITERS`, or any other single character.
    decimal : str
        ``"."`` or ``","``.
    header : tuple of str or None
        Cells of the header line, if there is one.
    """

    delimiter: str
    decimal: str
    header: tuple[str, ...] | None


def decoded(data: bytes, name: str, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return text as UTF-8 without a byte-order mark, and a note if it was written otherwise."""
    for magic, what in NOT_TEXT.items():
        if data.startswith(magic):
            raise BadTable(f"{name} is no text, but {what}")
    marks = {
        codecs.BOM_UTF8: "utf-8-sig",
        codecs.BOM_UTF32_LE: "utf-32",  # begins like the next one
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    marked = next((code for mark, code in marks.items() if data.startswith(mark)), None)
    if (encoding or marked) == "utf-8-sig":
        return data[len(codecs.BOM_UTF8) :], []
    if not (encoding or marked):
        if b"\0" in data[:4096]:
            raise BadTable(f"{name} is no text: it holds zero bytes; say --format if it has one")
        try:
            codecs.utf_8_decode(data)
        except UnicodeDecodeError:
            encoding = "cp1252"
        else:
            return data, []
    code = encoding or marked or "utf-8"
    try:
        text = data.decode(code)
    except (UnicodeDecodeError, LookupError) as error:
        raise BadTable(f"{name} cannot be read as {code}: {error}; say its --encoding") from None
    return text.encode(), [
        f"{name} is read as {code}, for it is not UTF-8; --encoding says otherwise"
    ]


def records(text: str, limit: int = LINES) -> list[str]:
    """Return the first lines that are not blank; a quoted cell may run over several lines."""
    out: list[str] = []
    held = ""
    for line in re.split(r"\r\n|\r|\n", text):
        held = f"{held}\n{line}" if held else line
        if held.count('"') % 2 == 0:
            if held.strip():
                out.append(held)
            held = ""
        if len(out) == limit:
            break
    return out


def cells(record: str, delimiter: str) -> list[str]:
    """Return the cells of one record, without quotes and the blanks around them."""
    if delimiter == " ":
        return [_bare(cell) for cell in BLANK_CELL.findall(record)]
    if '"' not in record:
        return [cell.strip() for cell in record.split(delimiter)]
    out, start, quoted = [], 0, False
    for at, sign in enumerate(record):
        if sign == '"':
            quoted = not quoted
        elif sign == delimiter and not quoted:
            out.append(record[start:at])
            start = at + 1
    return [_bare(cell) for cell in [*out, record[start:]]]


def _bare(cell: str) -> str:
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1].replace('""', '"')
    return cell


def layout(
    lines: Sequence[str],
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
) -> Layout:
    """Return how these records are written; what is given is taken as it is.

    Parameters
    ----------
    lines : sequence of str
        The first records of a file.
    delimiter, decimal : str, optional
        As in `Layout`.
    header : bool, optional
        Whether the first record names the columns.

    Returns
    -------
    Layout
        Delimiter, decimal sign and header.

    Examples
    --------
    >>> layout(["height;width", "1,5;2", "2,5;3"])
    Layout(delimiter=';', decimal=',', header=('height', 'width'))
    """
    delimiter = delimiter or _delimiter(lines, decimal)
    rows = [cells(line, delimiter) for line in lines]
    decimal = decimal or _decimal(rows, delimiter)
    if header is None:
        header = _names_columns(rows, decimal)
    return Layout(delimiter, decimal, tuple(rows[0]) if header else None)


def _delimiter(lines: Sequence[str], decimal: str | None) -> str:
    """Return the sign that cuts most records into equally many cells, most of them numbers."""

    def merit(sign: str) -> tuple[float, int]:
        rows = [cells(line, sign) for line in lines]
        count, often = Counter(map(len, rows)).most_common(1)[0]
        if count == 1:
            return 0.0, 0
        whole = [cell for row in rows if len(row) == count for cell in row]
        share = sum(_is_number(cell, decimal or ".,") or _is_none(cell) for cell in whole) / len(
            whole
        )
        return often / len(rows) + share, -list(DELIMITERS).index(sign)

    best = max(DELIMITERS, key=merit)
    return best if merit(best)[0] > 0.0 else ","


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return the decimal sign of the cells that have one; commas must be in the majority."""
    if delimiter == ",":
        quoted = [cell for row in rows for cell in row if "," in cell or "." in cell]
    else:
        quoted = [cell for row in rows[1:] or rows for cell in row]
    commas = sum("," in cell and WITH_COMMA.fullmatch(cell) is not None for cell in quoted)
    points = sum("." in cell and NUMBER.fullmatch(cell) is not None for cell in quoted)
    return "," if commas > points else "."


def _names_columns(rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Tell whether the first record is a header: text, or text above numbers."""
    first, rest = rows[0], rows[1:]
    if all(_is_none(cell) for cell in first):
        return False
    if len(first) >= COUNTED and [str(j) for j in range(len(first))] == list(first):
        return True  # data frames without names are written so
    if not any(_is_number(cell, decimal) for cell in first):
        return True
    for j, cell in enumerate(first):
        below = [row[j] for row in rest if j < len(row) and not _is_none(row[j])]
        if _is_number(cell, decimal) or _is_none(cell) or not below:
            continue
        if sum(_is_number(other, decimal) for other in below) > 0.9 * len(below):
            return True
    return False


def _is_number(cell: str, decimal: str) -> bool:
    plain = "." in decimal and NUMBER.fullmatch(cell) is not None
    return plain or ("," in decimal and WITH_COMMA.fullmatch(cell) is not None)


def _is_none(cell: str) -> bool:
    return cell.strip().lower() in MISSING
