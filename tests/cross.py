"""Compile the core for the machines that wheels are made for, but that are not at hand.

``make cross`` does it with zig, which brings Clang together with the headers of every platform.
Nothing is linked: it shows that no file holds what only this machine understands.  The files that
speak to Python are left out for Windows, whose Python headers are not here.

Where there is qemu's ``qemu-aarch64`` (Debian's package qemu-user), the core without Python is also
linked into a small program, ``lloyd.cpp``, for ARM and for x86-64, and both must print the same
fingerprints of labels, sums, centres and distances: one answer on every kind of processor.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nanobind

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "native"
BASELINE = re.search(r'add_kernels\(baseline "([^"]+)"', (ROOT / "CMakeLists.txt").read_text())
if BASELINE is None:
    raise SystemExit("CMakeLists.txt names no kernels")
KERNELS = BASELINE[1].split(";")
CODES = "codes"
TARGETS = {
    "Linux on ARM": "aarch64-linux-gnu.2.28",
    "macOS on ARM": "aarch64-macos.11.0",
    "macOS on x86-64": "x86_64-macos.11.0",
    "Windows on x86-64": "x86_64-windows-gnu",
}
X86_KERNELS = {
    "avx2": ["-march=x86_64_v3"],
    "avx512": ["-march=x86_64_v4", "-mprefer-vector-width=512"],
}
CODE_KERNELS = ["-march=x86_64_v4+avx512vnni", "-mprefer-vector-width=512"]
SPECIAL = {*KERNELS, CODES}
LINUX = {"x86-64": "x86_64-linux-musl", "ARM": "aarch64-linux-musl"}
ZIG = [sys.executable, "-m", "ziglang", "c++"]
COMMON = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-fwrapv"]


@dataclass(frozen=True)
class Job:
    """One file for one target."""

    target: str
    source: Path
    options: tuple[str, ...]

    def run(self, folder: Path) -> str:
        """Return what the compiler complains about."""
        name = f"{self.source.stem}{self.options[-1] if self.source.stem in SPECIAL else ''}.o"
        command = [*ZIG, "-target", self.target, *COMMON, f"-I{NATIVE}", *self.options]
        command += ["-c", str(self.source), "-o", str(folder / name)]
        ran = subprocess.run(command, capture_output=True, text=True)
        return "" if ran.returncode == 0 else ran.stderr


def speaks_python(source: Path) -> bool:
    """Return whether a file needs Python's headers."""
    return re.search(r'#include ("arrays|<nanobind)', source.read_text()) is not None


def jobs(target: str) -> Iterator[Job]:
    """Return what has to be compiled, as CMakeLists.txt has it."""
    x86, windows = target.startswith("x86_64"), "windows" in target
    general = ["-O2", "-ffp-contract=off", *(["-DOMNIMEANS_X86_KERNELS"] if x86 else [])]
    headers = ["-isystem", sysconfig.get_path("include"), "-isystem", nanobind.include_dir()]
    for source in sorted(NATIVE.glob("*.cpp")):
        if source.stem in SPECIAL or (speaks_python(source) and windows):
            continue
        yield Job(target, source, (*general, *(headers if speaks_python(source) else [])))
    sets = {"baseline": [], **(X86_KERNELS if x86 else {})}
    for name, march in sets.items():
        for part in KERNELS:
            contract = "fast" if part.endswith("screen") else "off"
            options = ("-O3", "-fno-math-errno", f"-ffp-contract={contract}", *march)
            yield Job(target, NATIVE / f"{part}.cpp", (*options, f"-DOMNIMEANS_KERNELS={name}"))
    if x86:
        options = ("-O3", "-ffp-contract=off", *CODE_KERNELS, "-DOMNIMEANS_KERNELS=avx512vnni")
        yield Job(target, NATIVE / f"{CODES}.cpp", options)


def compile_all(todo: list[Job], folder: Path) -> int:
    """Return how many files failed, and say why."""
    with ThreadPoolExecutor() as pool:
        said = list(pool.map(lambda job: job.run(folder), todo))
    bad = [(job, text) for job, text in zip(todo, said, strict=True) if text]
    for job, text in bad:
        print(f"{job.source.name} {' '.join(job.options)}\n{text}")
    return len(bad)


def program(target: str, folder: Path) -> Path:
    """Return lloyd.cpp as a program that stands by itself."""
    todo = [job for job in jobs(target) if not speaks_python(job.source)]
    todo.append(Job(target, ROOT / "tests" / "lloyd.cpp", ("-O2", "-ffp-contract=off")))
    if compile_all(todo, folder):
        raise SystemExit(f"the core does not compile for {target}")
    objects = sorted(map(str, folder.glob("*.o")))
    subprocess.run(
        [*ZIG, "-target", target, *objects, "-static", "-o", folder / "lloyd"], check=True
    )
    return folder / "lloyd"


def said_by(command: list[str]) -> str:
    """Return the fingerprints that a program prints.

    With the baseline's kernels: zig's run-time library does not tell which others there may be, and
    that they give the same answer is for the tests of the package.
    """
    environment = os.environ | {"OMNIMEANS_ISA": "baseline"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    return ran.stdout if ran.returncode == 0 else ran.stderr


def compare(emulator: str, folder: Path) -> int:
    """Return 1 if the two kinds of processor differ in a bit."""
    built = {}
    for name, target in LINUX.items():
        place = folder / target
        place.mkdir()
        built[name] = str(program(target, place))
    found = {"x86-64": said_by([built["x86-64"]]), "ARM": said_by([emulator, built["ARM"]])}
    lines = found["ARM"].splitlines()
    same = len(set(found.values())) == 1 and len(lines) > 1
    print(f"{len(lines)} fingerprints, {', '.join(found)}: {'the same' if same else found}")
    return int(not same)


def main() -> int:
    """Compile everything, run what can be run, and return how much failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for platform, target in TARGETS.items():
            folder = Path(name) / target
            folder.mkdir()
            todo = list(jobs(target))
            bad = compile_all(todo, folder)
            print(f"{platform}: {len(todo) - bad} of {len(todo)} files compile", flush=True)
            failed += bad
        if emulator := shutil.which("qemu-aarch64"):
            failed += compare(emulator, Path(name))
        else:
            print("no qemu-aarch64 here: nothing is run for ARM")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 125))
