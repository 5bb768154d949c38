"""What the figures were measured on: processor, versions, commit, and the arithmetic peak."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.records import Peak

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("omnimeans", "numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "faiss-cpu")


def describe(threads: int, cores: list[int]) -> dict[str, Any]:
    """Return the header of a report."""
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} in all; pinned to {cores or 'none (no affinity here)'}",
        "caches": _caches(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load before": _load(),
        "versions": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "kernels": _kernels(),
        "threads": threads,
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def compiler() -> str | None:
    """Return the C++ compiler to use, or None."""
    candidates = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    return next((found for name in candidates if name and (found := shutil.which(name))), None)


def peak(cores: list[int]) -> tuple[Peak | None, str]:
    """Measure the peak of these cores, all at once; where that fails, say why."""
    cxx = compiler()
    if cxx is None:
        return None, "not measured: no C++ compiler found (install g++, or name one in CXX)"
    try:
        program = _compiled(cxx)
        pins: list[int | None] = list(cores) or [None]
        children = [
            subprocess.Popen([program], stdout=subprocess.PIPE, text=True, preexec_fn=_pin(core))
            for core in pins
        ]
        found = [json.loads(child.communicate(timeout=60)[0]) for child in children]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return None, f"not measured: {error}"
    together = Peak(
        len(found),
        {t: sum(one["fma"][t] for one in found) for t in ("float32", "float64")},
        {t: sum(one["l1"][t] for one in found) for t in ("float32", "float64")},
        sum(one["read"] for one in found),
    )
    return together, f"measured with {Path(cxx).name}"


def _compiled(cxx: str) -> Path:
    """Compile peak.cpp, once for each version of it, compiler and processor."""
    source = Path(__file__).with_name("peak.cpp")
    mark = hashlib.sha256(source.read_bytes() + f"{cxx} {_processor()}".encode()).hexdigest()[:12]
    program = ROOT / "build" / "bench" / f"peak-{mark}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        native = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"
        unfinished = program.with_suffix(f".{os.getpid()}")
        command = [cxx, "-O3", native, "-std=c++20", "-ffp-contract=fast", str(source)]
        done = subprocess.run(
            [*command, "-o", str(unfinished)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(f"{cxx} cannot compile bench/peak.cpp: {done.stderr.strip()[:300]}")
        unfinished.replace(program)
    return program


def _pin(core: int | None) -> Any:
    return None if core is None else lambda: os.sched_setaffinity(0, [core])


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _processor() -> str:
    lines = _read("/proc/cpuinfo").split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    return (
        f"{fields['model name']} (family {fields.get('cpu family', '?')}, "
        f"model {fields.get('model', '?')})"
    )


def _caches() -> str:
    parts = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_read(f"{index}/{name}").strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            parts.append(f"L{level} {size}")
    return ", ".join(parts) or "unknown"


def _memory() -> str:
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / 2**20:.0f} GiB"
    return "unknown"


def _load() -> str:
    try:
        return "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg())
    except OSError:
        return "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from source" if package == "omnimeans" else "not installed"


def _kernels() -> str:
    """Return the instruction set that omnimeans' kernels use."""
    try:
        from omnimeans import _core
    except ImportError as error:
        return f"unknown ({error})"
    forced = " (OMNIMEANS_ISA)" if os.environ.get("OMNIMEANS_ISA") else ""
    return f"{_core.isa()}{forced}"


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain")
    except OSError:
        return "unknown (no git)"
    return (commit or "none yet") + (" with uncommitted changes" if changed else "")
