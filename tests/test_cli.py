"""The command line: results on stdout, mistakes on stderr with exit code 2, never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from omnimeans.cli import COMMANDS, app


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's data, cache or network; lines are 80 columns wide."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]  # nobody listens here once it is closed
    for variable in ("OMNIMEANS_DATA", "http_proxy", "HTTP_PROXY", "ALL_PROXY", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMNIMEANS_MIRROR", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OMNIMEANS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")


def run(*words: str | Path) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def check_mistake(done: Any, *messages: str, code: int = 2) -> None:
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    said = " ".join(done.stderr.replace("│", " ").split())
    for message in messages:
        assert message in said
    assert "Traceback" not in said
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_version() -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"omnimeans {version('omnimeans')}\n")


def test_study() -> None:
    done = run("study", "toy")
    assert done.exit_code == 0
    assert "good start (6 x 2)" in done.stdout
    assert "125.5" in done.stdout
    assert done.stderr == ""


def test_study_as_json() -> None:
    done = run("study", "toy", "--json", "--threads", "2")
    record = json.loads(done.stdout)
    assert (record["name"], record["n_threads"]) == ("toy", 2)
    assert [run["rows"][0]["inertia"] for run in record["runs"]] == [16.0, 125.5]


def test_study_with_pictures(tmp_path: Path) -> None:
    assert run("study", "toy", "--out", tmp_path / "pictures").exit_code == 0
    assert len(list((tmp_path / "pictures").glob("*.svg"))) == 2
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 2


def test_study_draws_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("study", "toy").exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_unknown_study() -> None:
    check_mistake(run("study", "irises"), "'irises' is not a study; choose one of blobs, toy, iris")


def test_no_study() -> None:
    check_mistake(run("study"), "Missing argument 'NAME'")


def test_folder_of_data_that_is_none(tmp_path: Path) -> None:
    check_mistake(run("study", "toy", "--data", tmp_path / "absent"), "'--data'", "does not exist")


def test_pictures_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (["study", "toy"], ["demo"]):
        check_mistake(run(*words, "--out", tmp_path / "file"), "'--out'", "is a file")


def test_no_threads() -> None:
    check_mistake(run("study", "toy", "--threads", "0"), "Invalid value for '--threads'")


def test_mnist_without_network() -> None:
    check_mistake(
        run("study", "mnist"),
        "omnimeans: t10k-images-idx3-ubyte.gz of MNIST is not on this machine",
        "set OMNIMEANS_DATA to a folder that holds the four files of MNIST",
        code=3,
    )


def test_damaged_mnist(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"no images"))
    done = run("study", "mnist", "--data", tmp_path)
    check_mistake(done, "omnimeans:", "header is truncated", code=3)


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    check_mistake(run("study", "china"), 'pip install "omnimeans[demo]"')


def test_demo_without_mnist(tmp_path: Path) -> None:
    done = run("demo", "--out", tmp_path / "demo")
    assert done.exit_code == 0, done.output
    assert sum("mnist is left out" in line for line in done.stdout.splitlines()) == 1
    for title in ("three blobs", "six points", "three species", "8x8 pixels", "64 colours"):
        assert title in done.stdout
    pictures = {file.name for file in (tmp_path / "demo").iterdir()}
    assert len(pictures) == 22
    assert {"iris-elbow.svg", "digits-centres.png", "china-picture.png"} <= pictures


def test_engines() -> None:
    done = run("engines")
    assert done.exit_code == 0
    rows = {line.split("  ")[0].strip(): line for line in done.stdout.splitlines()}
    assert "reference" in rows["engines"]
    assert int(rows["threads"].split()[-1]) >= 1


def test_help_shows_an_example_of_each_command() -> None:
    for command in COMMANDS:
        assert f"Example: omnimeans {command}" in run(command, "--help").stdout


def test_starting_up_imports_nothing_heavy() -> None:
    code = (
        "import sys, omnimeans.cli; "
        "heavy = {'numpy', 'scipy', 'sklearn', 'pandas', 'matplotlib', 'PIL', 'pyarrow', 'rich'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")
