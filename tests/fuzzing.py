"""Fuzzes a target for some seconds: ``python tests/fuzzing.py native --seconds 600 --seed 1``.

With ``--atheris`` (https://github.com/google/atheris) the library's Python code guides the inputs;
without, they are drawn and mutated here, which also works below a sanitizer.  Each input is written
to a file before it is tried, so that one that kills the process can be tried again:
``python tests/fuzzing.py native --again build/fuzz/native.bin``.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import numpy as np

LONGEST = 400  # bytes of an input
KEPT = 200  # inputs that others are mutated from


class Found(Exception):
    """An input that the target does not answer as it should."""


def mutated(rng: np.random.Generator, kept: list[bytes]) -> bytes:
    """A new input: drawn, changed, or made of two."""
    if not kept or rng.random() < 0.3:
        return rng.bytes(int(rng.integers(1, LONGEST)))
    data = bytearray(kept[rng.integers(len(kept))])
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data) + 1))
        what = rng.integers(4)
        if what == 0 and at < len(data):
            data[at] = int(rng.integers(256))
        elif what == 1 and at < len(data):
            data[at] = int((data[at] + rng.integers(-3, 4)) % 256)
        elif what == 2:
            data[at:] = kept[rng.integers(len(kept))][at:]
        else:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(data[:LONGEST])


def own(target: Callable[[bytes], None], seconds: float, seed: int, last: Path) -> int:
    """Draw and mutate inputs; return how many were tried."""
    rng, kept, tried = np.random.default_rng(seed), list[bytes](), 0
    end = time.monotonic() + seconds
    with last.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            data = mutated(rng, kept)
            file.seek(0)
            file.truncate()
            file.write(data)
            attempt(target, data)
            tried += 1
            if len(kept) < KEPT:
                kept.append(data)
            else:
                kept[rng.integers(KEPT)] = data
    return tried


def attempt(target: Callable[[bytes], None], data: bytes) -> None:
    try:
        target(data)
    except Exception as error:
        raise Found(f"{len(data)} bytes {data.hex()}") from error


def guided(target: Callable[[bytes], None], seconds: float, seed: int, folder: Path) -> int:
    """Let atheris choose inputs by what code they reach; it ends the process itself."""
    import atheris

    tried = 0

    def counted(data: bytes) -> None:
        nonlocal tried
        tried += 1
        target(data)

    rng = np.random.default_rng(seed)
    for _ in range(50):  # what is imported when it is needed is imported now
        target(rng.bytes(int(rng.integers(1, LONGEST))))
    instrument()
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    limits = [
        f"-max_total_time={int(seconds)}",
        f"-seed={seed + 1}",
        f"-max_len={LONGEST}",
        "-len_control=0",
    ]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(corpus)], counted)
    atheris.Fuzz()
    return tried


def instrument() -> None:
    """Have the library's functions, and those that make calls of it, say what they reach.

    Atheris can do so when modules are imported, but not with those of an editable installation.
    """
    import atheris

    names = "omnimeans", "fuzz_"
    found = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
    mine = {one.__code__: one for one in found if str(one.__module__).startswith(names)}
    for function in mine.values():
        atheris.instrument_func(function)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--again", type=Path)
    given = parser.parse_args()
    from fuzz_targets import TARGETS

    target = TARGETS[given.target]
    if given.again:
        attempt(target, given.again.read_bytes())
        return 0
    folder = Path(__file__).resolve().parents[1] / "build" / "fuzz" / given.target
    folder.mkdir(parents=True, exist_ok=True)
    if given.atheris:
        guided(target, given.seconds, given.seed, folder)
        return 0
    try:
        tried = own(target, given.seconds, given.seed, folder / f"last-{given.seed}.bin")
    except Found:
        traceback.print_exc()
        return 1
    print(json.dumps({"target": given.target, "executions": tried, "seed": given.seed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
