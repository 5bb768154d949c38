"""Files appear whole or not at all, never over another one; every mistake has a code and a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli_runs import FRAME, run


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Each test works in a folder of its own that holds iris.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    FRAME.to_csv("iris.csv", index=False)
    return tmp_path


def test_nothing_is_written_over() -> None:
    run("fit", "iris.csv", "-k", 3)
    before = Path("iris-labels.csv").read_bytes(), Path("iris-model.safetensors").read_bytes()
    done = run("fit", "iris.csv", "-k", 2, code=4)
    assert "iris-labels.csv is there already; --force writes over it" in done.stderr
    after = Path("iris-labels.csv").read_bytes(), Path("iris-model.safetensors").read_bytes()
    assert after == before
    run("fit", "iris.csv", "-k", 2, "--force")
    assert Path("iris-labels.csv").read_bytes() != before[0]
    assert not [file for file in Path().iterdir() if file.name.startswith(".")]


REFUSED = [
    (("-l", "absent/labels.csv"), 4, "there is no folder absent"),
    (("-l", "labels.xlsx"), 4, "its ending names no format for tables"),
    (("-l", "."), 4, "its ending names no format"),
    (("-l", "a.csv", "-t", "a.csv"), 4, "a.csv is named for two outputs"),
    (("--picture", "x.doc"), 4, "pictures end in .png"),
    (("-k", "0"), 2, "'0' is not a number of clusters"),
    (("-k", "many"), 2, "'many' is not a number of clusters"),
    (("-k", "200"), 3, "n_samples=150 should be >= n_clusters=200"),
    (("-k", "3", "--metric", "chebyshev"), 3, "metric='chebyshev' is not offered"),
    (("-k", "3", "--scale", "max"), 2, "'max' is not none, standard, robust"),
    (("-k", "3", "--missing", "guess"), 2, "'guess' is not error, drop or partial"),
    (("-k", "3", "--delimiter", ";;"), 2, "is not one character"),
    (("-k", "3", "--format", "excel"), 3, "format 'excel' is not known"),
    (("-k", "3", "-c", "sepal lenght (cm)"), 3, "Did you mean 'sepal length (cm)'?"),
    (("-k", "3", "-c", "species"), 3, "line 2 (row 1), column 'species': 'setosa' is not a number"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSED)
def test_mistakes(words: tuple[str, ...], code: int, message: str) -> None:
    done = run("fit", "iris.csv", *words, code=code)
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert [file.name for file in Path().iterdir()] == ["iris.csv"]


def test_outputs_appear_whole_or_not_at_all() -> None:
    """A limit on the size of files stands for a full disk: the model fits, the table does not."""
    pd.DataFrame(np.random.default_rng(0).normal(size=(20_000, 3))).to_csv("big.csv", index=False)
    code = (
        "import resource, signal, sys; from omnimeans.cli import app; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); app(sys.argv[1:])"
    )
    words = ["fit", "big.csv", "-k", "2", "-m", "m.safetensors", "-t", "t.csv", "-l", "l.csv"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    assert "t.csv cannot be written" in done.stderr
    assert "nothing was written" in done.stderr
    assert sorted(file.name for file in Path().iterdir()) == ["big.csv", "iris.csv"]


def test_a_file_that_appears_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from omnimeans.cli._model import Model

    to_bytes = Model.to_bytes

    def slow(self: Model) -> bytes:
        Path("iris-model.safetensors").write_text("somebody else's")
        return to_bytes(self)

    monkeypatch.setattr(Model, "to_bytes", slow)
    done = run("fit", "iris.csv", "-k", 3, code=4)
    assert "iris-model.safetensors has appeared meanwhile" in done.stderr
    assert Path("iris-model.safetensors").read_text() == "somebody else's"
    assert not Path("iris-labels.csv").exists()


def test_one_column_that_decides_alone() -> None:
    FRAME.assign(income=np.arange(150) * 1000.0 + 7).to_csv("wide.csv", index=False)
    done = run("fit", "wide.csv", "-k", 3)
    assert "warning: column 'income' spreads" in done.stderr
    assert "--scale standard" in done.stderr
    assert "warning" not in run("fit", "wide.csv", "-k", 3, "--scale", "standard", "-f").stderr
    assert "warning" not in run("fit", "iris.csv", "-k", 3, "-f").stderr


def test_a_fault_of_the_program_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("omnimeans.cli._scales.find", broken)
    done = run("fit", "iris.csv", "-k", 3, code=1)
    assert "a fault of omnimeans itself: KeyError: 'x'" in done.stderr
    monkeypatch.setattr(
        "omnimeans.cli._scales.find", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert "interrupted; nothing was written" in run("fit", "iris.csv", "-k", 3, code=130).stderr
    assert not Path("iris-labels.csv").exists()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert 'pip install "omnimeans[io]"' in run("fit", "iris.csv", "-k", 3, code=2).stderr


def test_a_reader_that_has_seen_enough() -> None:
    words = [sys.executable, "-m", "omnimeans", "predict", "iris.csv", "-m", "m.safetensors"]
    run("fit", "iris.csv", "-k", 3, "-m", "m.safetensors")
    with subprocess.Popen(
        [*words, "-l", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
