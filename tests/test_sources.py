"""Sources: the same rows from every kind of file, in any blocks, and clear errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from pyarrow import csv, feather, parquet

import omnimeans as om
from omnimeans.sources import READERS, is_source, open_source
from omnimeans.sources.source import finite_blocks

N, D = 1003, 4
X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32).round(3)
NAMES = [f"c{j}" for j in range(D)]


def table(rows: Any) -> Any:
    return pa.table({name: rows[:, j] for j, name in enumerate(NAMES)})


def write_npy(path: Path, rows: Any) -> Path:
    np.save(path / "rows.npy", rows)
    return path / "rows.npy"


def write_columns(path: Path, rows: Any) -> Path:
    np.save(path / "columns.npy", np.asfortranarray(rows))
    return path / "columns.npy"


def write_parquet(path: Path, rows: Any) -> Path:
    parquet.write_table(table(rows), path / "rows.parquet", row_group_size=97)
    return path / "rows.parquet"


def write_folder(path: Path, rows: Any) -> Path:
    (path / "folder").mkdir(exist_ok=True)
    for i, cut in enumerate(range(0, N, 400)):
        file = path / "folder" / f"part-{i}.parquet"
        parquet.write_table(table(rows[cut : cut + 400]), file, row_group_size=150)
    return path / "folder"


def write_lists(path: Path, rows: Any) -> Path:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), D)
    columns = {"id": [str(i) for i in range(N)], "embedding": flat}
    parquet.write_table(pa.table(columns), path / "lists.parquet", row_group_size=211)
    return path / "lists.parquet"


def write_arrow(path: Path, rows: Any) -> Path:
    feather.write_feather(table(rows), str(path / "rows.feather"), chunksize=100)
    return path / "rows.feather"


def write_csv(path: Path, rows: Any) -> Path:
    csv.write_csv(table(rows), path / "rows.csv")
    return path / "rows.csv"


def write_zarr(path: Path, rows: Any) -> Path:
    import zarr

    array = zarr.create_array(
        str(path / "rows.zarr"), shape=rows.shape, dtype=rows.dtype, chunks=(64, D), overwrite=True
    )
    array[:] = rows
    return path / "rows.zarr"


def write_hdf5(path: Path, rows: Any) -> Path:
    import h5py

    with h5py.File(path / "rows.h5", "w") as file:
        file["rows"], file["other"] = rows, np.arange(3)
    return path / "rows.h5"


WRITERS: dict[str, Callable[[Path, Any], Path]] = {
    name.removeprefix("write_"): write
    for name, write in list(globals().items())
    if name.startswith("write_")
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    path = tmp_path_factory.mktemp("sources")
    return {name: write(path, X) for name, write in WRITERS.items()}


@pytest.mark.parametrize("block", [1, 50, 97, 400, 5000])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_hands_out_the_same_rows(
    name: str, block: int, files: dict[str, Path]
) -> None:
    source = open_source(files[name])
    assert source.shape == (N, D)
    expected = X.astype(source.dtype)
    if name != "csv":
        assert source.dtype == np.float32
    seen = list(source.blocks(block))
    assert [first for first, _ in seen] == np.cumsum([0, *(len(r) for _, r in seen)])[:-1].tolist()
    assert max(len(rows) for _, rows in seen) <= block
    assert all(rows.flags.c_contiguous and rows.dtype == source.dtype for _, rows in seen)
    got = np.concatenate([rows for _, rows in seen])
    np.testing.assert_allclose(got, expected, rtol=1e-7 if name == "csv" else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_single_rows_and_single_blocks(name: str, files: dict[str, Path]) -> None:
    source = open_source(files[name], dtype="float32")
    numbers = np.random.default_rng(1).integers(0, N, 40)
    assert_array_equal(source.take(numbers), X[numbers])
    assert source.take(np.empty(0, dtype=np.int64)).shape == (0, D)
    asked = []

    def wanted(first: int, stop: int) -> bool:
        asked.append((first, stop))
        return first // 60 % 3 == 1

    everything = dict(source.blocks(60))
    some = dict(source.blocks(60, wanted))
    assert sorted(some) == [first for first in everything if first // 60 % 3 == 1]
    assert len(some) < len(everything) == len(asked)
    for first, rows in some.items():
        assert_array_equal(rows, everything[first])


def test_unwanted_row_groups_are_not_read(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source: Any = open_source(files["parquet"])
    read = []
    group = source._group
    monkeypatch.setattr(source, "_group", lambda n, step: read.append(n) or group(n, step))
    list(source.blocks(97, lambda first, stop: first == 97 * 3))
    assert read == [3]


def test_columns_are_chosen_and_named(files: dict[str, Path]) -> None:
    source = open_source(files["parquet"], columns=["c2", "c0"])
    assert source.names == ("c2", "c0")
    assert_array_equal(source.take([5, 1]), X[[5, 1]][:, [2, 0]])
    model = om.KMeans(2, random_state=0).fit(source)
    assert model.feature_names_in_.tolist() == ["c2", "c0"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(open_source(files["parquet"], columns=["c0", "c2"]))
    with pytest.raises(ValueError, match=r"no column 'z'.*'c0', 'c1'"):
        open_source(files["parquet"], columns=["z"])


def test_memory_maps_are_read_from_their_file(files: dict[str, Path]) -> None:
    whole = np.load(files["npy"], mmap_mode="r")
    for view, rows in ((whole, X), (whole[100:900:3], X[100:900:3]), (whole[:, :2], X[:, :2])):
        source = open_source(view)
        assert_array_equal(np.concatenate([r for _, r in source.blocks(77)]), rows)
        assert_array_equal(source.take([7, 3]), rows[[7, 3]])


class Again:
    """Blocks of uneven sizes, some of them empty, as often as wanted."""

    def __iter__(self) -> Iterator[Any]:
        for a, b in ((0, 7), (7, 7), (7, 600), (600, N)):
            yield X[a:b]


@pytest.mark.parametrize("stream", [Again(), lambda: iter(Again()), list(Again())])
def test_streams(stream: Any) -> None:
    source = open_source(stream)
    assert [len(rows) for _, rows in source.blocks(300)] == [300, 300, 300, N - 900]
    assert_array_equal(np.concatenate([rows for _, rows in source.blocks(300)]), X)
    assert_array_equal(source.take([1000, 2, 2]), X[[1000, 2, 2]])


def test_what_fit_takes_for_a_source(files: dict[str, Path]) -> None:
    import dask.array as da
    import pandas as pd

    yes = [files["npy"], str(files["npy"]), Again(), lambda: X, da.zeros((3, 2))]
    no = [X, X.tolist(), [X, X], pd.DataFrame(X), np.load(files["npy"], mmap_mode="r"), 3, None]
    assert [is_source(x) for x in yes] == [True] * len(yes)
    assert [is_source(x) for x in no] == [False] * len(no)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 40 * D)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


# how the file of a source is spoilt after it was opened -> what the error says
CHANGES: list[tuple[Callable[[Path], Any], str]] = [
    (cut_short, "has changed"),
    (append, "has changed"),
    (Path.unlink, "is gone"),
]


@pytest.mark.parametrize(("spoil", "message"), CHANGES)
@pytest.mark.parametrize("name", ["npy", "columns", "parquet", "arrow", "csv", "hdf5"])
def test_a_file_that_changes_is_refused(
    name: str, spoil: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    path = WRITERS[name](tmp_path, X)
    source = open_source(path)
    list(source.blocks(100))
    spoil(path)
    with pytest.raises(ValueError, match=message):
        list(source.blocks(100))


def test_a_file_that_changes_during_a_pass(tmp_path: Path) -> None:
    source = open_source(write_npy(tmp_path, X))
    blocks = source.blocks(100)
    next(blocks)
    cut_short(tmp_path / "rows.npy")
    with pytest.raises(ValueError, match="ends at row 993, but had 1003 rows"):
        list(blocks)


def test_a_file_cut_short_before_it_is_opened(tmp_path: Path) -> None:
    cut_short(write_npy(tmp_path, X))
    with pytest.raises(ValueError, match="promises 1003 rows, but it ends in row 993"):
        open_source(tmp_path / "rows.npy")


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_value_is_named_with_its_row_and_column(
    name: str, bad: float, tmp_path: Path
) -> None:
    rows = X.copy()
    rows[701, 2] = bad
    source = open_source(WRITERS[name](tmp_path, rows))
    with pytest.raises(ValueError, match=r"(nan|inf) in row 701, column 2"):
        list(finite_blocks(source, 100))
    with pytest.raises(ValueError, match=r"NaN or infinity: (nan|inf) in row 701"):
        om.KMeans(2).fit(source)


def changing() -> Iterator[Any]:
    changing.calls += 1  # type: ignore[attr-defined]
    yield X[: 100 * changing.calls]  # type: ignore[attr-defined]


# what is opened -> the error and its words
REFUSED: list[tuple[Any, type[Exception], str]] = [
    ((x for x in [X]), TypeError, "only once"),
    ([X, X[:, :2]], ValueError, "from row 1003 on has 2 columns"),
    ([X, X[0]], ValueError, r"shape \(4,\)"),
    ([], ValueError, "no block"),
    (7, TypeError, "nothing that rows can be read from"),
    ("missing.npy", FileNotFoundError, "does not exist"),
    (__file__, ValueError, "nothing here reads .py"),
]


@pytest.mark.parametrize(("data", "error", "message"), REFUSED)
def test_what_is_refused(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        open_source(data)


def test_more_that_is_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changing.calls = 0  # type: ignore[attr-defined]
    source = open_source(changing)
    with pytest.raises(ValueError, match=r"handed out 200 rows or more, but 100"):
        list(source.blocks(50))
    with pytest.raises(ValueError, match="columns= is for"):
        open_source(files["npy"], columns=["a"])
    with pytest.raises(ValueError, match="columns= is for files"):
        open_source(Again(), columns=["a"])
    with pytest.raises(ValueError, match="dtype"):
        open_source(files["npy"], dtype="int8")
    with pytest.raises(ValueError, match="no array 'x'; it has rows"):
        open_source(files["hdf5"], key="x")
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"shape \(2, 2, 2\)"):
        open_source(tmp_path / "cube.npy")
    (tmp_path / "words.csv").write_text("a,b\n1,2\n3,x\n")
    with pytest.raises(ValueError, match=r"column 'b' holds string|no column|'x'"):
        open_source(tmp_path / "words.csv", columns=["a", "b"])
    assert open_source(tmp_path / "words.csv").names == ("a",)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match="is empty"):
        open_source(tmp_path / "empty.csv")


def test_csv_without_header_and_in_many_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omnimeans.sources import tables

    monkeypatch.setattr(tables, "CSV_PIECE", 100)
    np.savetxt(tmp_path / "bare.csv", X, delimiter=",", fmt="%.9g")
    source: Any = open_source(tmp_path / "bare.csv", header=False, dtype="float32")
    assert len(source.inner.pieces) > 100
    assert_array_equal(np.concatenate([rows for _, rows in source.blocks(333)]), X)
    assert_array_equal(source.take([1002, 0]), X[[1002, 0]])


def test_every_reader_has_a_test(files: dict[str, Path]) -> None:
    covered = {path.suffix for path in files.values()} | {".pq", ".arrow", ".ipc", ".tsv", ".hdf5"}
    assert set(READERS) <= covered
