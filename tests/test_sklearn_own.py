"""scikit-learn's own tests of k-means, run against our classes in their place.

``make test-sklearn`` runs them for more seeds.  A class that always fails runs the same tests, and
must fail them all: otherwise some of them prove nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

MODULES = ("test_k_means", "test_bisect_k_means")
SEEDS = os.environ.get("OMNIMEANS_SKLEARN_SEEDS", "0-2")
# In scikit-learn 1.9: test functions, and cases, of which so many come again with every seed.
FUNCTIONS = {"test_k_means": 47, "test_bisect_k_means": 10}
CASES = {"test_k_means": 252, "test_bisect_k_means": 25}
SEEDED = {"test_k_means": 136, "test_bisect_k_means": 0}


def run(module: str, folder: Path, mode: str, seeds: str) -> tuple[Counter[str], set[str]]:
    """Run a test module with our names in place of scikit-learn's.

    Return how many cases ended in which way, and the names of the functions.
    """
    report = folder / "report.xml"
    options = ["-q", "--tb=no" if mode == "broken" else "--tb=short", "-p", "no:cacheprovider"]
    tests = ["-p", "sklearn_dropin", "--pyargs", f"sklearn.cluster.tests.{module}"]
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests, f"--junitxml={report}"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMNIMEANS_DROPIN": mode,
            "SKLEARN_RUN_FLOAT32_TESTS": "1",
            "SKLEARN_TESTS_GLOBAL_RANDOM_SEED": seeds,
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert report.is_file(), outcome.stdout + outcome.stderr
    endings: Counter[str] = Counter()
    functions = set()
    for case in ElementTree.parse(report).iter("testcase"):
        trouble = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        endings[trouble[0] if trouble else "passed"] += 1
        functions.add(case.attrib["name"].partition("[")[0])
    if mode != "broken":
        print(outcome.stdout)  # shown if the test fails
    return endings, functions


@pytest.mark.parametrize("module", MODULES)
def test_scikit_learns_own_tests_pass(module: str, tmp_path: Path) -> None:
    endings, functions = run(module, tmp_path, "omnimeans", SEEDS)
    first, _, last = ("0-99" if SEEDS == "all" else SEEDS).partition("-")
    again = int(last or first) - int(first)
    assert endings == {"passed": CASES[module] + again * SEEDED[module]}
    assert len(functions) == FUNCTIONS[module]


@pytest.mark.parametrize("module", MODULES)
def test_a_broken_class_fails_them_all(module: str, tmp_path: Path) -> None:
    endings, functions = run(module, tmp_path, "broken", "0")
    assert endings == {"failure": CASES[module]}
    assert len(functions) == FUNCTIONS[module]
