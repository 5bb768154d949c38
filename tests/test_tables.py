"""Tables in every format: what is written is read again, the same columns are chosen."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pytest

from omnimeans.tables import (
    FORMATS,
    BadTable,
    Reading,
    Roles,
    Table,
    choose,
    features,
    read_table,
    table_bytes,
    write_picture,
)

RNG = np.random.default_rng(7)
X = RNG.standard_normal((50, 3)) * [1.0, 1e-9, 1e12]
NAMES = ("height", "width", "depth")
COLUMNS = dict(zip(NAMES, X.T, strict=True))


def saved(folder: Path, name: str, columns: dict[str, np.ndarray] = COLUMNS) -> Path:
    path = folder / name
    path.write_bytes(table_bytes(columns, path))
    return path


WRITTEN = ["a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.tsv.xz", "a.csv.bz2", "a.parquet"]
WRITTEN += ["a.arrow", "a.feather", "a.npz", "a.npy"]


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_gives_back_the_same_bits(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, name)
    found = features(read_table(path), Roles())
    assert found.X.tobytes() == X.tobytes()
    assert found.names == (("c1", "c2", "c3") if name.endswith(".npy") else NAMES)
    path.rename(tmp_path / "nameless")  # the first bytes tell
    again = features(read_table(tmp_path / "nameless"), Roles())
    assert (again.X.tobytes(), again.names) == (found.X.tobytes(), found.names)


def test_others_read_what_is_written(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(pd.read_csv(saved(tmp_path, "a.csv.gz")), pd.DataFrame(COLUMNS))
    assert pl.read_parquet(saved(tmp_path, "a.parquet")).equals(pl.DataFrame(COLUMNS))
    assert pl.read_ipc(saved(tmp_path, "a.feather")).equals(pl.DataFrame(COLUMNS))
    np.testing.assert_array_equal(np.load(saved(tmp_path, "a.npy")), X)


def test_what_others_write_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({**COLUMNS, "kind": ["a", "b"] * 25})
    frame.to_csv(tmp_path / "pandas.csv")
    found = features(read_table(tmp_path / "pandas.csv"), Roles())
    assert found.X.tobytes() == X.tobytes()
    assert found.notes == (
        "'c1' is left out: it counts the rows; it is kept beside the labels (--columns would "
        "cluster it)",
        "'kind' is left out: text, such as 'a'",
    )
    assert found.ids == (0,)
    frame.to_parquet(tmp_path / "pandas.parquet")
    pl.DataFrame(COLUMNS).write_ipc(tmp_path / "polars.arrow", compression="zstd")
    pyarrow.feather.write_feather(frame, tmp_path / "one.feather", compression="lz4")
    with pa.ipc.new_stream(str(tmp_path / "a.arrows"), pa.table(COLUMNS).schema) as stream:
        stream.write_table(pa.table(COLUMNS))
    for name in ("pandas.parquet", "polars.arrow", "one.feather", "a.arrows"):
        assert features(read_table(tmp_path / name), Roles()).X.tobytes() == X.tobytes()


def test_float32_stays_float32(tmp_path: Path) -> None:
    narrow = {name: column.astype(np.float32) for name, column in COLUMNS.items()}
    for name in ("a.parquet", "a.arrow", "a.npy", "a.npz"):
        found = features(read_table(saved(tmp_path, name, narrow)), Roles())
        assert found.X.dtype == np.float32
        np.testing.assert_array_equal(found.X, X.astype(np.float32))
    mixed = {**narrow, "n": np.arange(5, 55)[::-1].copy()}
    assert features(read_table(saved(tmp_path, "b.npz", mixed)), Roles()).X.dtype == np.float64


def test_types_of_arrow(tmp_path: Path) -> None:
    table = pa.table(
        {
            "yes": [True, False, True],
            "whole": pa.array([3, 1, None], pa.int8()),
            "price": pa.array(["1.25", "2.50", "0.75"]).cast(pa.decimal128(6, 2)),
            "code": ["01", "02", "03"],
            "day": pa.array([1, 2, 3], pa.date32()),
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "none": pa.array([None, None, None], pa.float64()),
            "vector": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32())),
        }
    )
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    found = features(read_table(tmp_path / "a.parquet"), Roles(missing="drop"))
    assert found.names == ("yes", "whole", "price", "vector_1", "vector_2")
    assert found.X.tolist() == [[1, 3, 1.25, 1, 2], [0, 1, 2.5, 3, 4]]
    left_out = [note.split("'")[1] for note in found.notes if "is left out:" in note]
    assert left_out == ["code", "day", "kind", "none"]


def test_vectors_in_parquet_are_one_matrix_without_a_copy(tmp_path: Path) -> None:
    vectors = RNG.standard_normal((20, 16)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 16)
    pa.parquet.write_table(pa.table({"embedding": column}), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    found = features(table, Roles())
    np.testing.assert_array_equal(found.X, vectors)
    assert np.shares_memory(found.X, table.columns[0].matrix)


def test_arrays_of_other_shapes(tmp_path: Path) -> None:
    cube = RNG.standard_normal((4, 2, 3))
    np.save(tmp_path / "cube.npy", cube)
    table = read_table(tmp_path / "cube.npy")
    assert features(table, Roles()).X.tolist() == cube.reshape(4, 6).tolist()
    assert any("flat row" in note for note in table.notes)
    np.save(tmp_path / "line.npy", np.array([3.0, 1.0]))
    assert features(read_table(tmp_path / "line.npy"), Roles()).X.tolist() == [[3.0], [1.0]]
    np.save(tmp_path / "columns.npy", np.asfortranarray(X))
    assert features(read_table(tmp_path / "columns.npy"), Roles()).X.tolist() == X.tolist()
    fields = np.array([(1, 2.5), (5, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
    np.save(tmp_path / "fields.npy", fields)
    assert features(read_table(tmp_path / "fields.npy"), Roles()).names == ("a", "b")
    np.savez(tmp_path / "two.npz", X=X, y=np.arange(50) % 3)
    assert read_table(tmp_path / "two.npz").names == ("X_1", "X_2", "X_3", "y")
    assert read_table(tmp_path / "two.npz", Reading(array="X")).names == ("c1", "c2", "c3")


def test_an_array_file_stays_where_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    table = read_table(tmp_path / "a.npy")
    found = features(table, Roles())
    assert np.shares_memory(found.X, table.columns[0].matrix)
    assert not found.X.flags.owndata


def test_arrays_that_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BadTable, match="Python objects, which are not read"):
        read_table(tmp_path / "objects.npy")
    np.savez(tmp_path / "uneven.npz", a=np.ones(3), b=np.ones(4))
    with pytest.raises(BadTable, match=r"different length \(a \(3,\), b \(4,\)\); .*--array"):
        read_table(tmp_path / "uneven.npz")
    with pytest.raises(BadTable, match="holds no array 'c'"):
        read_table(tmp_path / "uneven.npz", Reading(array="c"))
    for name in ("none.npy", "none.npz", "none.parquet", "none.arrow", "none.png"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(BadTable, match="none"):
            read_table(tmp_path / name)
    whole = saved(tmp_path, "whole.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-8])
    with pytest.raises(BadTable, match="is cut short"):
        read_table(tmp_path / "cut.npy")
    np.save(tmp_path / "empty.npy", np.ones((0, 3)))
    with pytest.raises(BadTable, match="no rows"):
        read_table(tmp_path / "empty.npy")


def test_pictures(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, size=(4, 5, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(write_picture(pixels.reshape(20, 3), (4, 5), "PNG"))
    table = read_table(path)
    assert (table.picture, table.names) == ((4, 5), ("red", "green", "blue"))
    found = features(table, Roles())
    assert found.X.dtype == np.float32
    assert found.X.tolist() == pixels.reshape(20, 3).tolist()
    clear = np.dstack([pixels, np.full((4, 5), 9, np.uint8)]).reshape(20, 4)
    path.write_bytes(write_picture(clear, (4, 5), "PNG"))
    assert read_table(path).names == ("red", "green", "blue", "alpha")
    assert features(read_table(path), Roles()).names == ("red", "green", "blue")
    path.write_bytes(write_picture(pixels.reshape(20, 3)[:, :1], (4, 5), "PNG"))
    assert read_table(path).names == ("grey",)


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "a.csv.gz", "a.parquet", "a.npy", "a.npz", "a.arrow"):

        class Standard:
            buffer = io.BytesIO(saved(tmp_path, name).read_bytes())

        monkeypatch.setattr(sys, "stdin", Standard)
        table = read_table("-")
        assert table.source == "standard input"
        assert features(table, Roles()).X.tobytes() == X.tobytes()


def test_writing_into_formats_that_hold_no_tables() -> None:
    for name in ("a", "a.png", "a.xlsx", "a.gz"):
        with pytest.raises(
            BadTable, match=r"its ending names no format for tables; use one of .csv"
        ):
            table_bytes(COLUMNS, Path(name))
    with pytest.raises(BadTable, match=r"numbers only, but column 'id' is text"):
        table_bytes({"id": np.array(["a"])}, Path("a.npy"))


def test_text_that_needs_quotes(tmp_path: Path) -> None:
    awkward = {"id": np.array(["a,b", 'say "x"', "two\nlines"]), "n": np.array([4, 2, 3])}
    table = read_table(saved(tmp_path, "a.csv", awkward))
    assert table.columns[0].to_pylist() == awkward["id"].tolist()
    assert features(table, Roles(ids=("id",))).X.ravel().tolist() == [4, 2, 3]


def test_masked_cells(tmp_path: Path) -> None:
    labels = np.ma.MaskedArray(np.array([1, 0, 2], np.int32), [False, True, False])
    assert table_bytes({"cluster": labels}, Path("a.csv")) == b"cluster\n1\n\n2\n"
    raw = table_bytes({"cluster": labels}, Path("a.npy"))
    assert np.load(io.BytesIO(raw)).tolist() == [1, -1, 2]
    path = saved(tmp_path, "a.parquet", {"cluster": labels})
    assert pl.read_parquet(path)["cluster"].to_list() == [1, None, 2]


COLUMN_CHOICES = [
    (["x"], [1]),
    (["z,x"], [3, 1]),
    (["2"], [1]),
    (["2-3,x"], [1, 2]),
    (["3-"], [2, 3, 4]),
    (["-2"], [0, 1]),
    (["x*"], [1, 4]),
    (["x,2"], [4]),
    (["y", "y"], [2]),
]


@pytest.mark.parametrize(("wanted", "found"), COLUMN_CHOICES)
def test_columns_are_chosen(wanted: list[str], found: list[int]) -> None:
    assert choose(["id", "x", "y", "z", "x,2"], wanted, "a.csv") == found


@pytest.mark.parametrize("wanted", ["w", "6", "0", "4-3", "q*"])
def test_columns_that_are_not_there(wanted: str) -> None:
    with pytest.raises(BadTable, match=r"a.csv has (no column|5 columns)"):
        choose(["id", "x", "y", "z", "x,2"], [wanted], "a.csv")
    with pytest.raises(BadTable, match="Did you mean 'height'"):
        choose(NAMES, ["hieght"], "a.csv")


def table_of(**columns: list[object]) -> Table:
    return Table("a.csv", tuple(columns), tuple(np.array(column) for column in columns.values()))


def test_roles() -> None:
    table = table_of(id=["a", "b"], x=[1.0, 2.0], w=[3.0, 0.5], y=[5.0, 6.0])
    found = features(table, Roles(ids=("id",), weights="w", exclude=("y",)))
    assert (found.names, found.ids) == (("x",), (0,))
    assert found.weights is not None
    assert found.weights.tolist() == [3.0, 0.5]
    assert features(table, Roles(columns=("y", "x"))).X.tolist() == [[5, 1], [6, 2]]
    assert features(table, Roles(), asked=("y", "w")).names == ("y", "w")


ROLES_REFUSED = [
    (Roles(columns=("id",)), "row 1, column 'id': 'a' is not a number"),
    (Roles(columns=("far",)), "row 2, column 'far': inf is not finite"),
    (Roles(columns=("x",), weights="neg"), "row 2, column 'neg': -1.0 stands for the weight"),
    (Roles(columns=("x",), weights="zero"), "column 'zero': all weights are 0"),
    (Roles(columns=("x",), weights="1-2"), "'1-2' means 2 columns"),
    (Roles(exclude=("1-",)), "no column of numbers to cluster"),
]


@pytest.mark.parametrize(("roles", "message"), ROLES_REFUSED)
def test_roles_that_columns_cannot_play(roles: Roles, message: str) -> None:
    table = table_of(
        id=["a", "b"], x=[1.0, 2.0], far=[0.0, np.inf], neg=[1.0, -1.0], zero=[0.0, 0.0]
    )
    with pytest.raises(BadTable) as caught:
        features(table, roles)
    assert message in str(caught.value)


def test_columns_of_a_model_that_are_absent() -> None:
    with pytest.raises(BadTable, match=r"lacks 'z', which the model was fitted on.*--names"):
        features(table_of(x=[1.0], y=[2.0]), Roles(), asked=("x", "z"))


def test_weights_of_rows_that_are_left_out() -> None:
    table = table_of(x=[1.0, np.nan, 3.0], w=[1.0, 2.0, 4.0])
    found = features(table, Roles(weights="w", missing="drop"))
    assert found.weights is not None
    assert (found.X.ravel().tolist(), found.weights.tolist()) == ([1.0, 3.0], [1.0, 4.0])


FILES = [  # file, rows, columns, first value, last value (looked up in the files by eye)
    ("hg-means/iris.txt", 150, 4, 5.1, 1.8),
    ("htru2/HTRU_2.csv", 17898, 9, 140.5625, 0.0),
    ("sift-ngt/sift-dataset-5k.tsv", 5000, 129, 0.0, 105000.0),
    ("uef/s1.txt", 5000, 2, 157138.0, None),
    ("breathing-k-means/Cloud.zip", 1024, 10, None, None),
    ("skimage-images/coffee.png", 240000, 3, 21.0, None),
]


@pytest.mark.parametrize(("file", "n", "d", "first", "last"), FILES)
def test_real_files(
    file: str, n: int, d: int, first: float | None, last: float | None, data_folder: Path
) -> None:
    table = read_table(data_folder / file)
    X = features(table, Roles(columns=("1-",))).X
    assert X.shape == (n, d)
    assert first is None or X[0, 0] == first
    assert last is None or X[-1, -1] == last


def test_every_format_is_listed_once() -> None:
    suffixes = [suffix for kind in FORMATS.values() for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))
