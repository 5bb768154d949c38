"""Data sets: what each holds, and what is said when a file is missing, damaged or unreachable."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from omnimeans import datasets
from omnimeans.datasets import DatasetDamaged, DatasetUnavailable, mnist

SHIPPED = {
    "blobs": ((1000, 2), np.float64, 3, None),
    "toy": ((6, 2), np.float64, None, None),
    "iris": ((150, 4), np.float64, 3, None),
    "digits": ((1797, 64), np.float64, 10, (8, 8)),
    "china": ((273280, 3), np.float32, None, (427, 640, 3)),
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's data, cache or proxy."""
    for variable in ("OMNIMEANS_DATA", "OMNIMEANS_MIRROR", "http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMNIMEANS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_data(name: str) -> None:
    shape, dtype, n_classes, image_shape = SHIPPED[name]
    data = datasets.load(name)
    assert (data.name, data.X.shape, data.X.dtype) == (name, shape, dtype)
    assert len(data.feature_names) == shape[1]
    assert data.image_shape == image_shape
    assert np.isfinite(data.X).all()
    assert data.source
    assert data.licence
    if n_classes is None:
        assert data.y is None
    else:
        assert data.y is not None
        assert np.array_equal(np.unique(data.y), np.arange(n_classes))
        assert len(data.y) == shape[0]


def test_the_photograph_is_scaled_to_one() -> None:
    X = datasets.load("china").X
    assert X.min() == 0.0
    assert X.max() == 1.0


def test_shipped_data_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIMEANS_DATA", "/no/such/folder")
    assert len(datasets.load("toy").X) == 6


def test_a_dataset_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        datasets.load("toy").name = "other"  # type: ignore[misc]


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match=r"'irises' is not known; choose one of blobs, toy, iris"):
        datasets.load("irises")


def test_the_photograph_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'pip install "omnimeans\[demo\]"'):
        datasets.load("china")


@pytest.mark.parametrize(("name", "n"), [("mnist-train", 60000), ("mnist-test", 10000)])
def test_mnist(data_folder: Path, name: str, n: int) -> None:
    data = datasets.load(name, data=data_folder)
    assert data.y is not None
    assert data.X.shape == (n, 784)
    assert data.X.dtype == np.float32
    assert (data.X.min(), data.X.max()) == (0.0, 1.0)
    assert data.image_shape == (28, 28)
    assert np.array_equal(np.unique(data.y), np.arange(10))


def test_mnist_is_found_in_the_named_folder_itself(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIMEANS_DATA", str(data_folder / "mnist"))
    data = datasets.load("mnist-test")
    assert data.y is not None
    assert data.y[:5].tolist() == [7, 2, 1, 0, 4]


# From here on, a MNIST of three images of 2x2 pixels takes the place of the real one.


def idx(values: np.ndarray, magic: int | None = None) -> bytes:
    """The bytes of an IDX file, written independently of the reader."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(
        f">{values.ndim}I", *values.shape
    )
    if magic is not None:
        header = struct.pack(">I", magic) + header[4:]
    return header + values.astype(np.uint8).tobytes()


PIXELS = np.array([[[0, 255], [51, 0]], [[1, 2], [3, 4]], [[9, 9], [9, 9]]])
CLASSES = np.array([7, 0, 1])
IMAGES_NAME, CLASSES_NAME = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def description(name: str, values: np.ndarray) -> mnist.IdxFile:
    return mnist.IdxFile(name, values.shape, hashlib.sha256(idx(values)).hexdigest())


IMAGES_FILE = description(IMAGES_NAME, PIXELS)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    files = (IMAGES_FILE, description(CLASSES_NAME, CLASSES))
    monkeypatch.setitem(mnist.MNIST, "mnist-test", files)
    monkeypatch.setitem(datasets.LOADERS, "mnist-test", datasets._mnist("mnist-test"))


def write(folder: Path, images: bytes | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(idx(PIXELS), compresslevel=1) if images is None else images
    (folder / IMAGES_NAME).write_bytes(packed)
    (folder / CLASSES_NAME).write_bytes(gzip.compress(idx(CLASSES)))
    return folder


def check_tiny(data: datasets.Dataset) -> None:
    assert data.y is not None
    assert data.X[0].tolist() == [0.0, 1.0, np.float32(0.2), 0.0]
    assert data.y.tolist() == [7, 0, 1]


DAMAGED = {
    "wrong magic": (idx(PIXELS, magic=2049), "with magic number 2051, but it starts with 2049"),
    "wrong count": (idx(PIXELS[:2]), r"of shape \(3, 2, 2\), got \(2, 2, 2\)"),
    "truncated content": (idx(PIXELS)[:-1], "with 12 values, but the file holds 11"),
    "longer content": (idx(PIXELS) + b"\0", "with 12 values, but the file holds 13"),
    "truncated header": (idx(PIXELS)[:7], "its header is truncated"),
    "empty": (b"", "its header is truncated"),
    "bad checksum": (idx(PIXELS + 1), "with SHA-256 .* after unpacking, got"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_content(tmp_path: Path, tiny: None, case: str) -> None:
    content, message = DAMAGED[case]
    write(tmp_path, gzip.compress(content))
    with pytest.raises(DatasetDamaged, match=f"{IMAGES_NAME}.*{message}.*get it again"):
        datasets.load("mnist-test", data=tmp_path)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        pytest.param(gzip.compress(idx(PIXELS))[:-12], "truncated", id="cut short"),
        pytest.param(b"<html>not here</html>", "does not unpack", id="not gzip"),
        pytest.param(gzip.compress(idx(PIXELS))[:-8] + bytes(8), "does not unpack", id="bad CRC"),
    ],
)
def test_damaged_packing(tmp_path: Path, tiny: None, packed: bytes, message: str) -> None:
    with pytest.raises(DatasetDamaged, match=message):
        datasets.load("mnist-test", data=write(tmp_path, packed))


def test_packing_does_not_matter(tmp_path: Path, tiny: None) -> None:
    packed = gzip.compress(idx(PIXELS), compresslevel=9, mtime=1)
    check_tiny(datasets.load("mnist-test", data=write(tmp_path, packed)))


def test_folder_that_is_none(tmp_path: Path, tiny: None) -> None:
    with pytest.raises(DatasetUnavailable, match="is not a folder; name one"):
        datasets.load("mnist-test", data=tmp_path / "absent")


class Server:
    """A web server on this machine that offers a folder and counts what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(handler, *args: object) -> None:
                self.asked.append(handler.path)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = Server(folder)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def test_download_is_kept(
    server: Server, tiny: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(server.folder)
    monkeypatch.setenv("OMNIMEANS_MIRROR", server.url)
    check_tiny(datasets.load("mnist-test"))
    assert len(server.asked) == 2
    check_tiny(datasets.load("mnist-test", mirror="http://127.0.0.1:1"))  # never asked
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == [IMAGES_NAME, CLASSES_NAME]
    assert len(server.asked) == 2


def test_a_folder_without_mnist_is_passed_over(server: Server, tiny: None, tmp_path: Path) -> None:
    write(server.folder)
    (tmp_path / "other").mkdir()
    check_tiny(datasets.load("mnist-test", data=tmp_path / "other", mirror=server.url))


def one_line(error: pytest.ExceptionInfo[DatasetUnavailable]) -> str:
    message = str(error.value)
    assert isinstance(error.value, OSError)
    assert "\n" not in message
    assert "set OMNIMEANS_DATA to a folder that holds the four files of MNIST" in message
    assert error.value.__suppress_context__
    return message


def test_corrupt_download_is_not_kept(server: Server, tiny: None, tmp_path: Path) -> None:
    write(server.folder, gzip.compress(idx(PIXELS + 1)))
    with pytest.raises(DatasetUnavailable) as error:
        datasets.load("mnist-test", mirror=server.url)
    assert "what came is damaged" in one_line(error)
    assert list((tmp_path / "cache").iterdir()) == []
    write(server.folder)
    check_tiny(datasets.load("mnist-test", mirror=server.url))


def test_missing_on_the_server(server: Server, tiny: None) -> None:
    with pytest.raises(DatasetUnavailable) as error:
        datasets.load("mnist-test", mirror=server.url + "/")
    assert f"{server.url}/ (HTTP 404)" in one_line(error)


def test_no_server(tiny: None, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]  # nobody listens here once it is closed
    with pytest.raises(DatasetUnavailable) as error:
        datasets.load("mnist-test", mirror=f"http://127.0.0.1:{port}")
    assert "(ConnectionError)" in one_line(error)
    assert capfd.readouterr() == ("", "")


def test_damaged_cache_is_named(tiny: None, tmp_path: Path) -> None:
    write(tmp_path / "cache", gzip.compress(idx(PIXELS)[:-1]))
    with pytest.raises(DatasetDamaged, match=r"cache.*delete the file and get it again"):
        datasets.load("mnist-test", mirror="http://127.0.0.1:1")


def test_download_without_pooch(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r'pip install "omnimeans\[data\]"'):
        datasets.load("mnist-test")
