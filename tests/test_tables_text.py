"""Text files as tables: how they are written is found out, and every mistake has a place."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnimeans.tables import BadTable, Reading, Roles, Source, Table, features, read_table
from omnimeans.tables.text import read_text

ROWS = [[1.5, -2.0], [3.25, 4e3], [0.5, 0.125]]


def written(folder: Path, data: bytes | str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def read(folder: Path, data: bytes | str, name: str = "data.csv", **known: object) -> Table:
    return read_table(written(folder, data, name), Reading(**known))  # type: ignore[arg-type]


def matrix(table: Table, **roles: object) -> list[list[float]]:
    return features(table, Roles(**roles)).X.tolist()  # type: ignore[arg-type]


# text, names, delimiter, decimal: all of them hold ROWS
LAYOUTS = [
    ("x,y\n1.5,-2\n3.25,4000\n.5,0.125\n", ("x", "y"), ",", "."),
    ("1.5,-2\n3.25,4000\n.5,0.125", ("c1", "c2"), ",", "."),
    ("x;y\n1,5;-2\n3,25;4e3\n0,5;0,125\n", ("x", "y"), ";", ","),
    ("x;y\r\n1.5;-2\r\n3.25;4e3\r\n0.5;0.125\r\n", ("x", "y"), ";", "."),
    ("x\ty\n1,5\t-2\n3,25\t4e3\n0,5\t0,125\n", ("x", "y"), "\t", ","),
    ("x|y\r1.5|-2\r3.25|4e3\r0.5|0.125\r", ("x", "y"), "|", "."),
    ("  1.5   -2\n 3.25 4000\n\n0.5\t0.125  \n", ("c1", "c2"), " ", "."),
    ("3 2\n1.5 -2 \n3.25 4000\n0.5 0.125\n", None, " ", "."),
    ("x , y\n1.5, -2\n 3.25 , 4000\n0.5,0.125\n", ("x", "y"), ",", "."),
    ('"x","y"\n"1,5","-2"\n"3,25","4e3"\n"0,5","0,125"\n', ("x", "y"), ",", ","),
    ('"x ""a""","y\nz"\n1.5,-2\n3.25,4e3\n.5,.125\n', ('x "a"', "y\nz"), ",", "."),
    ('"x" "y"\n"1" 1.5 -2\n"2" 3.25 4e3\n"3" .5 .125\n', ("row", "x", "y"), " ", "."),
    ("\n\nx,y\n\n1.5,-2\n\n3.25,4000\n0.5,0.125\n\n\n", ("x", "y"), ",", "."),
    ("2020,y\n1.5,-2\n3.25,4000\n0.5,0.125\n", ("2020", "y"), ",", "."),
]


@pytest.mark.parametrize(("text", "names", "delimiter", "decimal"), LAYOUTS)
def test_how_a_file_is_written_is_found_out(
    text: str, names: tuple[str, ...] | None, delimiter: str, decimal: str, tmp_path: Path
) -> None:
    if names is None:  # the first line could be a row: with two columns it stays one
        assert matrix(read(tmp_path, text)) == [[3.0, 2.0], *ROWS]
        return
    table = read(tmp_path, text)
    assert table.names == names
    assert (table.dialect.delimiter, table.dialect.decimal) == (delimiter, decimal)
    assert matrix(table, exclude=("row",) if "row" in names else ()) == ROWS


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(code: str, tmp_path: Path) -> None:
    text = "Größe;Länge\n1,5;-2\n3,25;4e3\n0,5;0,125\n"
    encoding = code if code == "utf-16-le" else None
    table = read(tmp_path, text.encode(code), encoding=encoding)
    assert table.names == ("Größe", "Länge")
    assert matrix(table) == ROWS
    said = any("is read as" in note for note in table.notes)
    assert said is (code not in ("utf-8", "utf-8-sig"))


def _zip(data: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", data)
    return sink.getvalue()


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


PACKED = {".gz": gzip.compress, ".zst": _zstd, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", [*PACKED, ".zip"])
@pytest.mark.parametrize("name", ["data.csv{}", "data"])
def test_packed_files(ending: str, name: str, tmp_path: Path) -> None:
    packed = PACKED.get(ending, _zip)(LAYOUTS[0][0].encode())
    path = name.format(ending)
    assert matrix(read(tmp_path, packed, path)) == ROWS
    with pytest.raises(BadTable, match=r"data.*(damaged|cannot be read)"):
        read(tmp_path, packed[: len(packed) // 2], path)


def test_zip_of_two_files(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "2")
    with pytest.raises(BadTable, match=r"two.zip: a zip archive must hold one file.*a.csv, b.csv"):
        read_table(path)


def test_missing_cells(tmp_path: Path) -> None:
    text = "x,y\n1,NA\n2,5\n,6\n4,?\n5,7\n"
    table = read(tmp_path, text)
    with pytest.raises(BadTable) as caught:
        matrix(table)
    for word in ("line 2 (row 1), column 'y' has no value", "3 of 5 rows", "'x' (1), 'y' (2)"):
        assert word in str(caught.value)
    kept = features(table, Roles(missing="drop"))
    assert kept.X.tolist() == [[2, 5], [5, 7]]
    assert kept.kept is not None
    assert kept.kept.tolist() == [False, True, False, False, True]
    whole = features(table, Roles(missing="keep")).X
    np.testing.assert_array_equal(whole, pd.read_csv(io.StringIO(text), na_values="?").to_numpy())


def test_own_marks_for_missing_cells(tmp_path: Path) -> None:
    table = read(tmp_path, "x\n1\n-999\n2\nn.a.\n", missing=("-999", "N.A."))
    assert features(table, Roles(missing="drop")).X.ravel().tolist() == [1, 2]


def test_an_empty_line_of_a_single_column_is_an_empty_cell(tmp_path: Path) -> None:
    table = read(tmp_path, "x\n1\n\n3\n\n")
    assert table.n_rows == 3
    with pytest.raises(BadTable, match=r"line 3 \(row 2\), column 'x' has no value"):
        matrix(table)


def test_a_bad_cell_has_a_place(tmp_path: Path) -> None:
    rows = [f"{i},{i / 8}" for i in range(5000)]
    rows[4321] = "4321,5.O"
    table = read(tmp_path, "x,y\n\n" + "\n".join(rows))
    with pytest.raises(BadTable) as caught:
        matrix(table)
    message = str(caught.value)
    assert "data.csv, line 4,324 (row 4,322), column 'y': '5.O' is not a number" in message
    assert "--exclude 2" in message
    assert (tmp_path / "data.csv").read_text().splitlines()[4323] == "4321,5.O"


@pytest.mark.parametrize(
    ("cell", "hint"),
    [("1.234,5", "--thousands ','"), ("1,5", "--decimal ','"), ("1,234.5", "--thousands ','")],
)
def test_a_bad_cell_brings_the_option_that_reads_it(cell: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as caught:
        matrix(read(tmp_path, f"x\ty\n1.5\t2\n2.5\t3.5\n{cell}\t1\n"))
    assert hint in str(caught.value)


def test_thousands(tmp_path: Path) -> None:
    german = read(tmp_path, "x;y\n1.234,5;1\n2,5;1.000.000\n", thousands=".", decimal=",")
    assert matrix(german) == [[1234.5, 1], [2.5, 1e6]]
    english = read(tmp_path, 'x,y\n"1,234.5",1\n2.5,"1,000,000"\n', thousands=",", decimal=".")
    assert matrix(english) == matrix(german)


def test_points_in_a_file_with_decimal_commas_are_not_read_as_decimals(tmp_path: Path) -> None:
    table = read(tmp_path, "x;y\n1,5;1\n2,5;1.000\n3,5;2,5\n")
    with pytest.raises(BadTable, match=r"line 3 \(row 2\), column 'y': '1.000' is not a number"):
        matrix(table)


RAGGED = [
    ("x,y\n1,2\n3,4,5\n6,7\n", "line 3 (row 2) has 3 cells instead of 2: '3,4,5'"),
    ("x,y\n1,2\n\n\n3\n6,7\n", "line 5 (row 2) has 1 cells instead of 2: '3'"),
    ('x,y\n"a\nb",2\n3,4,5\n1\n', "line 4 (row 2) has 3 cells instead of 2"),
    ("x,y\n1,2\n3\n4\n5\n6,7\n8,9\n1,1\n1,2\n", "so do 2 more rows"),
]


@pytest.mark.parametrize(("text", "message"), RAGGED)
def test_ragged_rows(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


REFUSED = [
    (b"", "data.csv is empty"),
    (b"\n\n  \n", "has no rows"),
    (b"x,y\n", "has a header (x, y) but no rows"),
    (b"\xef\xbb\xbfx,y\n", "has a header (x, y) but no rows"),
    (b"%PDF-1.7 etc", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as CSV"),
    (b"1,2\n\0\0\0", "zero bytes"),
    (b"3 4\n1 2 3 4\n5 6 7 8\n", "promises 3 rows of 4, but 2 follow"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_what_is_no_table_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as caught:
        read(tmp_path, data)
    assert message in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    written(tmp_path, "1,2", "measurements.csv")
    with pytest.raises(BadTable, match=r"does not exist; did you mean .*measurements\.csv\?"):
        read_table(tmp_path / "mesurements.csv")
    with pytest.raises(BadTable, match="nor does the folder"):
        read_table(tmp_path / "absent" / "a.csv")
    with pytest.raises(BadTable, match="is a folder"):
        read_table(tmp_path)


def test_header_said_otherwise(tmp_path: Path) -> None:
    assert matrix(read(tmp_path, "1,2\n3,4\n", header=True)) == [[3, 4]]
    assert read(tmp_path, "1,2\n3,4\n", header=True).names == ("1", "2")
    assert read(tmp_path, "a,b\nc,d\n", header=False).n_rows == 2


def test_numbers_of_columns_as_names(tmp_path: Path) -> None:
    frame = pd.DataFrame([[5.0, 1.0, 7.0], [6.0, 2.0, 7.0]])
    frame.to_csv(tmp_path / "frame.csv", index=False)
    table = read_table(tmp_path / "frame.csv")
    assert (table.names, table.n_rows) == (("0", "1", "2"), 2)
    assert matrix(read(tmp_path, "0,1\n5,1\n")) == [[0, 1], [5, 1]]


def test_names_of_columns(tmp_path: Path) -> None:
    assert read(tmp_path, "1,2\n3,4\n", names=("x", "y")).names == ("x", "y")
    twice = read(tmp_path, "x,x,,x_2\n1,2,3,4\n")
    assert twice.names == ("x", "x_3", "c3", "x_2")
    assert "column 2 is a second 'x'; it is called 'x_3' here" in twice.notes
    with pytest.raises(BadTable, match=r"--names gives 1 columns \(x\), but the rows have 2"):
        read(tmp_path, "1,2\n", names=("x",))


def test_counts_above_the_rows(tmp_path: Path) -> None:
    table = read(tmp_path, "2 3\n1 2 3\n4 5 6\n")
    assert matrix(table) == [[1, 2, 3], [4, 5, 6]]
    assert any("counts rows and columns" in note for note in table.notes)


def test_skipped_lines_and_a_limit_of_rows(tmp_path: Path) -> None:
    text = "NAME : town\nSECTION\n1 10 20\n2 30 40\nEOF\n"
    table = read(tmp_path, text, skip=2, rows=2)
    assert matrix(table, columns=("2-",)) == [[10, 20], [30, 40]]
    with pytest.raises(BadTable, match=r"line 5 \(row 3\) has 1 cells instead of 3: 'EOF'"):
        read(tmp_path, text, skip=2)
    with pytest.raises(BadTable, match="no more than 9 lines"):
        read(tmp_path, text, skip=9)


def test_wide_rows_and_many_blocks(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((40, 15_000))
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    np.testing.assert_array_equal(features(read(tmp_path, text), Roles()).X, values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=2, max_size=2
        ),
        min_size=2,
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.booleans(),
)
def test_what_is_written_is_read_to_the_bit(
    rows: list[list[float]], delimiter: str, header: bool
) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter)
    writer.writerows([["first", "second"]] * header + rows)
    table = read_text(Source("data.csv", sink.getvalue().encode(), ".csv"), Reading(header=header))
    found = features(table, Roles(columns=("1-2",))).X
    assert found.tobytes() == np.array(rows).tobytes()
