"""The guard against unnoticed skips is seen to fail, on a small run of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

SKIPPED_TEST = "import pytest\ndef test_it(): pytest.skip('no reason')\n"
SKIPPED_FILE = "import pytest\npytest.importorskip('no_such_package_anywhere')\n"
SKIPPED_MARK = "import pytest\n@pytest.mark.skipif(True, reason='r')\ndef test_it(): pass\n"
NO_DATA = "def test_it(data_folder): assert data_folder.is_dir()\n"
GREEN = "def test_it(): pass\n"


def run(
    tmp_path: Path, source: str, *words: str, ci: str, data: Path
) -> subprocess.CompletedProcess[str]:
    for name in ("conftest.py", "tally.py"):
        shutil.copy(CONFTEST.with_name(name), tmp_path / name)
    (tmp_path / "test_one.py").write_text(GREEN)
    (tmp_path / "test_two.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    command += words
    environment = {**os.environ, "CI": ci, "OMNIMEANS_DATA": str(data)}
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE, SKIPPED_MARK])
def test_a_skip_fails_the_run_in_ci(tmp_path: Path, source: str) -> None:
    done = run(tmp_path, source, ci="true", data=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "skipped in CI though data are there: test_two.py" in done.stdout


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE])
def test_a_skip_in_a_worker_fails_the_run_in_ci(tmp_path: Path, source: str) -> None:
    done = run(tmp_path, source, "-n", "2", ci="true", data=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "skipped in CI though data are there: test_two.py" in done.stdout


COUNTED = """
import pytest, tally
@pytest.mark.parametrize("_", range(9))
def test_it(_): tally.count("kills", 3)
"""


def test_counts_add_up_over_workers_and_runs(tmp_path: Path) -> None:
    words = ("--tally", str(tmp_path / "tally.json"))
    first = run(tmp_path, COUNTED, *words, ci="true", data=tmp_path)
    assert "27 kills" in first.stdout
    second = run(tmp_path, COUNTED, *words, "-n", "2", ci="true", data=tmp_path)
    assert "54 kills" in second.stdout
    assert "20 tests passed" in second.stdout


@pytest.mark.parametrize(
    ("source", "ci", "data"),
    [
        pytest.param(SKIPPED_TEST, "", ".", id="not in CI"),
        pytest.param(NO_DATA, "true", "absent", id="no data"),
        pytest.param(NO_DATA, "true", ".", id="nothing skipped"),
    ],
)
def test_other_runs_pass(tmp_path: Path, source: str, ci: str, data: str) -> None:
    done = run(tmp_path, source, ci=ci, data=tmp_path / data)
    assert done.returncode == 0, done.stdout


def test_a_test_without_data_names_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path, NO_DATA, ci="", data=tmp_path / "absent")
    assert "1 passed, 1 skipped" in done.stdout


BROWSER = "import pytest\n@pytest.mark.browser\ndef test_it(): raise SystemExit\n"


def test_tests_for_a_browser_are_left_out_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(tmp_path, BROWSER, ci="true", data=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "left out, for want of Chromium: 1 tests" in done.stdout
    assert "1 passed, 1 deselected" in done.stdout
