"""The tests of an installed package: ``python tests/installed.py``, with any Python that has it.

The tests are copied into a folder of their own, so that the source tree can be neither imported nor
read, and only those run that need no extra, no source tree and no data.  With ``--bare`` the
programs on PATH may not include a compiler.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = (
    "test_package.py",
    "test_core.py",
    "test_sums.py",
    "test_init.py",
    "test_fit.py",
    "test_empty_clusters.py",
    "test_estimators.py",
    "test_blocks.py",
    "test_one_answer.py",
    "test_cosine.py",
    "test_center_rules.py",
    "test_minibatch.py",
    "test_bisecting.py",
    "test_checkpoint.py",
    "test_hostile_models.py",
    "test_report_advice.py",
    "test_cli.py",
)
NEED_EXTRAS = "pictures or mnist or demo or clear_clusters_bring_no_warning"  # tests by name
COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++", "cl", "clang-cl", "cmake", "ninja")
SETTINGS = """\
[pytest]
addopts = -q --strict-markers -p no:cacheprovider
timeout = 300
filterwarnings =
    error
    ignore:[A-Za-z]+ stopped after max_iter:sklearn.exceptions.ConvergenceWarning
    ignore:Could not find the number of physical cores:UserWarning
markers =
    browser: a test of the page in a browser
    slow: a test that takes more than a few seconds
"""
WHERE = "import omnimeans, omnimeans._core as c; print(omnimeans.__file__, c.__file__, sep='\\n')"


def compilers(path: str) -> list[str]:
    """Return the programs on a search path that could build the package."""
    return [found for name in COMPILERS if (found := shutil.which(name, path=path))]


def imported_from(folder: Path, environment: dict[str, str]) -> list[Path]:
    """Return where the package and its core are found by a process that begins in ``folder``."""
    command = [sys.executable, "-P", "-c", WHERE]
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in ran.stdout.splitlines()]


def main(arguments: list[str] | None = None) -> int:
    """Run the tests and return pytest's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", action="store_true", help="no compiler may be on PATH")
    parser.add_argument("--only", default=",".join(TESTS), help="files, separated by commas")
    parser.add_argument("rest", nargs="*", help="passed on to pytest")
    given = parser.parse_args(arguments)
    if given.bare and (found := compilers(os.environ["PATH"])):
        sys.exit(f"there is a compiler on PATH: {', '.join(found)}")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for place in imported_from(folder, environment):
            if not place.is_relative_to(Path(sysconfig.get_path("platlib")).resolve()):
                sys.exit(f"{place} does not belong to an installed package")
            print("testing", place)
        for source in HERE.glob("*.py"):
            if source.name in TESTS or not source.name.startswith("test_"):
                shutil.copy(source, folder)
        (folder / "pytest.ini").write_text(SETTINGS)
        command = [sys.executable, "-P", "-m", "pytest", "-k", f"not ({NEED_EXTRAS})"]
        command += [*given.only.split(","), *given.rest]
        environment["PYTHONPATH"] = str(folder)  # helpers of the tests, nothing else
        return subprocess.run(command, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
