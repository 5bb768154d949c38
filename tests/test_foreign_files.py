"""Files of others that are damaged, senseless, or no files at all: one error, with the name."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import zarr
from pyarrow import feather, parquet

import omnimeans as om
import tally
from omnimeans.tables import BadTable, read_table

HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n"
X = np.random.default_rng(0).normal(size=(500, 3))


def refused(path: Path, message: str, *, tables: bool = True) -> None:
    """Both ways to read a file say what is wrong with it, and its name first."""
    with pytest.raises(ValueError, match=message) as caught:
        om.KMeans(2, random_state=0).fit(str(path))
    assert str(caught.value).startswith(str(path))
    if tables:
        with pytest.raises(BadTable, match=message) as caught:
            read_table(path)
        assert str(caught.value).startswith(str(path))
    tally.count("faults", 2)


def npy(path: Path, header: str, version: tuple[int, int] = (1, 0), length: int = -1) -> Path:
    size = struct.pack("<H" if version[0] == 1 else "<I", len(header) if length < 0 else length)
    path.write_bytes(b"\x93NUMPY" + bytes(version) + size + header.encode() + bytes(64))
    return path


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("(-4, 2)", "no array has the shape of its header"),
        ("(4, -2)", "no array has the shape of its header"),
        ("(-4, -2)", "no array has the shape of its header"),
        ("(True, 2)", "no array has the shape of its header"),
        (f"({2**62}, 2)", "is cut short: its header promises"),
        (f"({2**40}, {2**40})", "is cut short: its header promises"),
        (f"(2, {2**66})", "is cut short: its header promises"),
        (f"(0, {2**66})", "no rows of values"),
        (f"({2**66}, 0)", "no rows of values"),
        ("(4, 0)", "no rows of values"),
        ("import os", "cannot be read as a .npy file"),
        ("(" * 5000, "cannot be read as a .npy file"),
        (" " * 20000, "cannot be read as a .npy file"),
    ],
)
def test_headers_of_npy_files(shape: str, message: str, tmp_path: Path) -> None:
    refused(npy(tmp_path / "a.npy", HEADER % shape), message)


def test_more_headers_of_npy_files(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    refused(npy(path, HEADER % "(4, 2)", (9, 9)), r"of version 9\.9")
    refused(npy(path, HEADER % "(4, 2)", (2, 0), length=2**32 - 1), "EOF")
    refused(npy(path, (HEADER % "(4, 2)").replace("<f8", "|O")), "object")
    refused(npy(path, (HEADER % "(4, 2)").replace("<f8", "<U0")), "<U0")
    path.write_bytes(b"junk" * 100)
    refused(path, "magic string")
    npy(path, HEADER % "(4, 2)", (3, 0))  # written where the names of fields are not Latin
    assert om.open_source(path).shape == (4, 2)
    assert read_table(path).n_rows == 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_of_wide_letters(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("a,b\n" + "1,2\n" * 20).encode(encoding))
    refused(path, "CSV file in UTF-8: it holds zero bytes", tables=False)
    if encoding in ("utf-16", "utf-32"):  # they begin with a mark
        assert read_table(path).n_rows == 20


@pytest.mark.parametrize("ending", ["parquet", "pq", "arrow", "feather", "ipc"])
@pytest.mark.parametrize("data", [b"junk", bytes(3000), b"PAR1" + bytes(50) + b"PAR1", X.tobytes()])
def test_junk_in_tables(ending: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(data)
    with pytest.raises(BadTable, match="damaged or of another format"):
        read_table(path)
    refused(path, "cannot be read as an? (Parquet|Arrow) file", tables=False)


def test_junk_in_text_and_hdf5(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xe3\xe4,\xff\n1,2\n")
    refused(tmp_path / "a.csv", "cannot be read as a CSV file in UTF-8", tables=False)
    for data in (b"", b"junk", b"\x89HDF\r\n\x1a\n" + X.tobytes()):
        (tmp_path / "a.h5").write_bytes(data)
        refused(tmp_path / "a.h5", "cannot be read as an HDF5 file", tables=False)


@pytest.mark.parametrize("name", ["zarr.json", ".zarray"])
@pytest.mark.parametrize("data", [b"", b"junk", b"\xff\xfe", b'{"zarr_format":3,"shape":[-4]}'])
def test_junk_in_zarr(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    refused(tmp_path, "cannot be read as a Zarr array", tables=False)


@pytest.mark.filterwarnings("ignore")  # what zarr has to say
def test_junk_behind_a_good_header(tmp_path: Path) -> None:
    table = pa.table({f"c{j}": X[:, j] for j in range(3)})
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    feather.write_feather(table, str(tmp_path / "a.arrow"), compression="zstd")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", data=X, compression="gzip", chunks=(500, 3))
    zarr.save_array(str(tmp_path / "a.zarr"), X)
    for name in ("a.parquet", "a.arrow", "a.h5", "a.zarr/c/0/0"):
        path = tmp_path / name
        data = bytearray(path.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 400] = bytes(400)
        path.write_bytes(data)
        refused(tmp_path / name[:9].rstrip("/"), "cannot be read as", tables=False)


def test_folders(tmp_path: Path) -> None:
    for name in ("empty", "empty.parquet"):
        (tmp_path / name).mkdir()
        refused(tmp_path / name, "is a folder that holds no Parquet file", tables=False)
    for name in ("a.npy", "a.csv", "a.arrow", "a.h5"):
        (tmp_path / name).mkdir()
        refused(tmp_path / name, "is a folder; give")
    (tmp_path / "empty" / "read.me").write_text("text")
    refused(tmp_path / "empty", r"cannot be read as Parquet files: .*read\.me", tables=False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs devices and pipes")
@pytest.mark.parametrize("ending", ["npy", "csv", "parquet", "arrow", "h5", "zarr"])
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_no_file_is_refused_unread(kind: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    refused(path, "is a device or a pipe")


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs the files that are open")
def test_what_a_shell_hands_over_is_read() -> None:
    """As ``omnimeans fit <(program)``, whose data is /dev/fd/63."""
    code = "from omnimeans.tables import read_table; print(read_table('/dev/fd/0').n_rows)"
    done = subprocess.run(
        [sys.executable, "-c", code], input="a,b\n1,2\n3,4\n", capture_output=True, text=True
    )
    assert done.stdout == "2\n", done.stderr
