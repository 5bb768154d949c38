"""The wheel: clean, and at home without a compiler.  ``make wheel`` does the whole of it."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

import installed
import wheel

PROJECT = tomllib.loads((wheel.ROOT / "pyproject.toml").read_text())
QUICK = ("test_package.py", "test_empty_clusters.py", "test_estimators.py")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel looks at Linux wheels")
def test_the_wheel_works_without_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = wheel.build(tmp_path / "dist")
    assert re.search(r"-cp311-cp311-manylinux_2_\d+_|-cp312-abi3-manylinux_2_\d+_", built.name)
    assert built.stat().st_size < 3_000_000
    inside = ZipFile(built).namelist()
    assert "omnimeans/reports/page/page.html" in inside
    assert not [name for name in inside if name.startswith(("tests", "native", "bench"))]
    lent = Path(sysconfig.get_path("purelib"))
    python = wheel.environment_of(built, tmp_path / "venv", lent=lent)
    wheel.check(python, ["--only", ",".join(QUICK)])


def test_a_compiler_on_the_path_is_noticed(tmp_path: Path) -> None:
    assert installed.compilers(str(tmp_path)) == []
    (tmp_path / "g++").write_text("#!/bin/sh\n")
    (tmp_path / "g++").chmod(0o755)
    assert installed.compilers(str(tmp_path)) == [str(tmp_path / "g++")]


def test_the_source_tree_is_no_installed_package() -> None:
    source = wheel.ROOT / "src"
    ran = subprocess.run(
        [sys.executable, str(wheel.ROOT / "tests" / "installed.py"), "--only", "test_package.py"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0
    assert f"{source / 'omnimeans' / '__init__.py'} does not belong to an installed" in ran.stderr


def test_every_installed_test_is_there() -> None:
    missing = [name for name in installed.TESTS if not (installed.HERE / name).is_file()]
    assert missing == []
    assert set(QUICK) <= set(installed.TESTS)


def test_wheels_are_configured_for_every_platform() -> None:
    config = PROJECT["tool"]["cibuildwheel"]
    assert set(config["linux"]["archs"]) == {"x86_64", "aarch64"}
    assert set(config["macos"]["archs"]) == {"arm64", "x86_64"}
    assert config["windows"]["environment"]["CMAKE_GENERATOR_TOOLSET"] == "ClangCL"
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert {f"cp{version.replace('.', '')}-*" for version in versions} <= set(config["build"])
    script = config["test-command"].replace("{project}", str(wheel.ROOT)).split()[1]
    assert Path(script).is_file()
    assert PROJECT["tool"]["scikit-build"]["wheel"]["py-api"] == "cp312"
