"""Keeps count of the hours that fuzzers and sanitizers have run without a finding.

``python tests/fuzz_hours.py "native, AddressSanitizer" -- COMMAND...`` runs a command, and if it
ends well, notes in ``tests/sanitized/hours.jsonl`` how long it ran and how many inputs or fits it
reports; ``make fuzz`` and ``make sanitize`` do so.  The sums stand in RELIABILITY.md, and are
renewed there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

LEDGER = Path(__file__).parent / "sanitized" / "hours.jsonl"
PAGE = Path(__file__).parents[1] / "RELIABILITY.md"
TABLE = re.compile(r"^\| what ran \|.*?^\| together: [^\n]*$", re.MULTILINE | re.DOTALL)
# how a fuzzer, atheris and the threads say what they have done
COUNTS = re.compile(r'"executions": (\d+)|Done (\d+) runs in|^(\d+) fits in', re.MULTILINE)


def counted(said: str) -> int | None:
    """The number that a command reports; None if it reports none: it did not come to its end."""
    found = COUNTS.findall(said)
    return int("".join(found[-1])) if found else None


def watch(name: str, command: list[str], ledger: Path = LEDGER) -> int:
    """Run the command, showing what it says; note it if it ends well."""
    begun, said = time.monotonic(), []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said = [*said[-200:], line]
    count, seconds = counted("".join(said)), time.monotonic() - begun
    if process.returncode == 0 and count is not None:
        note(name, seconds, count, ledger)
    return process.returncode


def note(name: str, seconds: float, count: int, ledger: Path = LEDGER) -> None:
    """Add a line to the ledger."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    line = {"day": day, "what": name, "seconds": round(seconds), "count": count}
    with ledger.open("a") as file:
        file.write(json.dumps(line) + "\n")


def table(ledger: Path = LEDGER) -> str:
    """The sums, as a table in Markdown."""
    seconds, counts = defaultdict(float), defaultdict(int)
    last: dict[str, str] = {}
    for line in ledger.read_text().splitlines():
        read = json.loads(line)
        what = read["what"]
        seconds[what] += read["seconds"]
        counts[what] += read["count"]
        last[what] = max(last.get(what, ""), read["day"])
    lines = ["| what ran | minutes | inputs or fits | last |", "| --- | ---: | ---: | --- |"]
    lines += [
        f"| {what} | {seconds[what] / 60:.1f} | {counts[what]:,} | {last[what]} |"
        for what in sorted(seconds)
    ]
    whole = sum(seconds.values())
    lines.append(f"| together: {whole / 3600:.2f} hours | {whole / 60:.1f} | | |")
    return "\n".join(lines)


def renew(page: Path = PAGE, ledger: Path = LEDGER) -> None:
    """Put the present sums into a page."""
    page.write_text(TABLE.sub(lambda _: table(ledger), page.read_text()))


if __name__ == "__main__":
    status = 0
    if "--" in sys.argv:
        at = sys.argv.index("--")
        status = watch(" ".join(sys.argv[1:at]), sys.argv[at + 1 :])
    renew()
    sys.exit(status)
