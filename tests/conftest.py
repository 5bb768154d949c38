"""Where tests find real data, and a guard: in CI no test may be skipped unnoticed.

With pytest-xdist every worker is a process of its own; what they count is added up in the first.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "Agg"  # no test may need a screen
if "PYTEST_XDIST_WORKER" in os.environ:  # others' threads, which wait by spinning; ours are tested
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import hypothesis
import pytest

import tally

# How fast a machine is says nothing about an answer.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "any machine")

NEEDS_DATA = "needs OMNIMEANS_DATA"
LEFT_OUT = pytest.StashKey[int]()

# Tests that may be skipped in CI though real data are there: node id -> why.
_OTHERS = "others are asked in the versions that RELIABILITY.md names"
ALLOWED_SKIPS: dict[str, str] = {
    f"tests/test_peers.py::{test}": _OTHERS
    for test in (
        "test_the_table_is_what_they_say_now[sklearn]",
        "test_the_table_is_what_they_say_now[faiss]",
        "test_t1_and_t4_by_scikit_learn[city_block]",
        "test_t1_and_t4_by_scikit_learn[pressure]",
        "test_t1_and_t4_by_faiss[city_block-0-0.52]",
        "test_t1_and_t4_by_faiss[pressure-1-1]",
    )
}


def find_data() -> Path | None:
    """Return the folder of real data: OMNIMEANS_DATA, or ``shared/data`` beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("OMNIMEANS_DATA") or beside)
    return folder if folder.is_dir() else None


def find_browser() -> str | None:
    """Return Debian's Chromium, or what the machine has in its place; none is ever downloaded."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a browser where there is none; the summary says so."""
    if find_browser() is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    config.stash[LEFT_OUT] = len(left_out)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data; without one, the test is skipped."""
    folder = find_data()
    if folder is None:
        pytest.skip(NEEDS_DATA)
    return folder


class SkipGuard:
    """Makes a run fail when a test was skipped that could have run."""

    def __init__(self) -> None:
        self.unexpected: list[str] = []

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Remember a skipped test (or file) that is not on the list."""
        expected_failure = hasattr(report, "wasxfail")
        if report.skipped and not expected_failure and report.nodeid not in ALLOWED_SKIPS:
            self.unexpected.append(report.nodeid)

    pytest_runtest_logreport = note
    pytest_collectreport = note

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a green run red."""
        if self.unexpected and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests they were."""
        for nodeid in self.unexpected:
            terminalreporter.write_line(f"skipped in CI though data are there: {nodeid}", red=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let two runs, of the tests that run alone and of the others, count together."""
    parser.addoption("--tally", type=Path, help="add what this file counts, and count on in it")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand over what it has counted."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["tally"] = dict(tally.counts)
        output["left out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """In the first process: take over what a worker has counted."""
    output = getattr(node, "workeroutput", {})
    tally.counts.update(output.get("tally", {}))
    node.config.stash[LEFT_OUT] = max(output.get("left out", 0), node.config.stash.get(LEFT_OUT, 0))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what the run put the library through; RELIABILITY.md quotes these counts."""
    if hasattr(config, "workerinput"):
        return
    tally.count("tests", len(terminalreporter.stats.get("passed", ())))
    if path := config.getoption("--tally"):
        tally.merge(path)
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"left out, for want of Chromium: {count} tests", yellow=True)
    if tally.counts:
        terminalreporter.section("what this run put the library through")
        for line in tally.lines():
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Arm the guard in CI, where the data are; workers report to the first process."""
    if hasattr(config, "workerinput"):
        return
    if os.environ.get("CI") == "true" and find_data() is not None:
        config.pluginmanager.register(SkipGuard(), "skip-guard")
