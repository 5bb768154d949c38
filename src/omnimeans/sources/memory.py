"""How much memory a fit may use, and what it has."""

from __future__ import annotations

import os
import re
from pathlib import Path

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
BINARY = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def parse_bytes(size: str | int | float) -> int:
    """Return a size in bytes.

    Parameters
    ----------
    size : str or number
        Bytes, or text such as "2GiB" (1024 based) or "2 GB" (1000 based).

    Returns
    -------
    int
        Bytes, more than zero.

    Raises
    ------
    ValueError
        If the text is no size.

    Examples
    --------
    >>> from omnimeans.sources.memory import parse_bytes
    >>> parse_bytes("2GiB"), parse_bytes("1.5 MB"), parse_bytes(4096)
    (2147483648, 1500000, 4096)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?i?)b?\s*", str(size).lower())
    units = UNITS | BINARY
    if found and found[2] in units and (total := int(float(found[1]) * units[found[2]])) > 0:
        return total
    raise ValueError(
        f"memory={size!r} is no size; give bytes, or text such as '2GiB', '512MiB' or '1.5GB'."
    )


def resident() -> int:
    """Return the bytes that this process holds in memory now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes


def available() -> int:
    """Return the bytes that this process may still take, by the machine and its cgroup."""
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                pages = int(line.split()[1]) * 1024
    for limit, used in CGROUPS:
        if Path(limit).exists() and (text := Path(limit).read_text().strip()).isdigit():
            pages = min(pages, max(0, int(text) - int(Path(used).read_text())))
    return pages
