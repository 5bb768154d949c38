"""Build the wheel of this machine, check it, and try it where there is no compiler: ``make wheel``.

The wheel gets the oldest manylinux tag that its symbols allow (auditwheel), is installed with its
dependencies into a virtual environment of its own whose PATH holds nothing but Python, and the
tests of an installed package run there.  Last, the sizes of everything are told.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distributions
from pathlib import Path

from installed import compilers

ROOT = Path(__file__).resolve().parent.parent
TEST_NEEDS = ("pytest>=8.3", "pytest-timeout>=2.3", "hypothesis>=6.120")
TAG = re.compile(r'consistent with the following platform tag:\s+"(\S+?)"')


def build(to: Path) -> Path:
    """Return the wheel, with the tag that its symbols allow."""
    raw = to / "raw"
    shutil.rmtree(to, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(raw), str(ROOT)], check=True)
    (built,) = raw.glob("*.whl")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    audit = [sys.executable, "-m", "auditwheel"]
    shown = subprocess.run(
        [*audit, "show", str(built)], capture_output=True, text=True, check=True, env=environment
    ).stdout
    found = TAG.search(" ".join(shown.split()))
    if found is None or not found[1].startswith("manylinux"):
        raise SystemExit(f"the wheel is not clean:\n{shown}")
    subprocess.run(
        [*audit, "repair", "--plat", found[1], "-w", str(to), str(built)],
        check=True,
        env=environment,
        capture_output=True,
    )
    (wheel,) = to.glob("*.whl")
    print(f"{wheel.name}, {wheel.stat().st_size / 1e6:.2f} MB; its symbols ask for {found[1]}")
    return wheel


def environment_of(wheel: Path, folder: Path, *, lent: Path | None = None) -> Path:
    """Return the Python of a new environment that holds the wheel and what it depends on.

    What it depends on is installed, or lent by another environment's ``site-packages``.
    """
    venv.EnvBuilder(clear=True, symlinks=True).create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    options = ["install", "-q", "--only-binary", ":all:", "--no-compile"]
    if lent is None:
        subprocess.run([*pip, *options, str(wheel), *TEST_NEEDS], check=True)
    else:
        subprocess.run([*pip, *options, "--no-deps", "--no-index", str(wheel)], check=True)
        (packages_of(python) / "lent.pth").write_text(f"{lent}\n")
    return python


def packages_of(python: Path) -> Path:
    """Return the folder of an environment's packages."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(python.parent.parent)}))


def check(python: Path, rest: list[str]) -> None:
    """Run the tests of an installed package with nothing on PATH but the environment itself."""
    path = str(python.parent)
    if found := compilers(path):
        raise SystemExit(f"the environment has a compiler: {found}")
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
    tests = [str(python), str(ROOT / "tests" / "installed.py"), "--bare", *rest]
    subprocess.run(tests, check=True, env=kept | {"PATH": path})


def sizes(python: Path) -> dict[str, int]:
    """Return the bytes that each installed distribution takes, without what only tests need."""
    installed = distributions(path=[str(packages_of(python))])
    found = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d for d in installed}
    wanted, taken = ["omnimeans"], {}
    while wanted:
        name = wanted.pop()
        if name in taken or name not in found:
            continue
        files = [Path(str(file.locate())) for file in found[name].files or ()]
        taken[name] = sum(f.stat().st_size for f in files if f.is_file() and f.suffix != ".pyc")
        for need in found[name].requires or ():
            if "extra ==" not in need:
                plain = re.split(r"[^A-Za-z0-9._-]", need)[0]
                wanted.append(re.sub(r"[-_.]+", "-", plain).lower())
    return dict(sorted(taken.items(), key=lambda item: -item[1]))


def main() -> None:
    """Build, check, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="folder for the wheel")
    given, rest = parser.parse_known_args()  # the rest is for tests/installed.py
    to = given.to.resolve()
    wheel = build(to)
    python = environment_of(wheel, to / "venv")
    check(python, rest)
    taken = sizes(python)
    for name, size in taken.items():
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{sum(taken.values()) / 1e6:8.1f} MB  together, installed")


if __name__ == "__main__":
    main()
