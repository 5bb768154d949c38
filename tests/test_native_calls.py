"""Every function of the compiled core is fuzzed, and answers some of what it is asked."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import omnimeans
from omnimeans import _core

# What is not fuzzed, and why.
REASONS = {
    "isa": "takes nothing",
    "offered": "takes nothing",
}
TESTS = Path(__file__).parent
TRIED = 20_000  # inputs at most; all have answered after a third of them

WATCH = """
import json, sys
from pathlib import Path
import numpy as np
from omnimeans import _core

missing = set(json.loads(sys.argv[1]))


def watched(name, function):
    def call(*args, **more):
        answer = function(*args, **more)
        missing.discard(name)  # a refusal is no answer
        return answer
    return call


for name in list(missing):
    *owner, last = name.split(".")
    owner = getattr(_core, owner[0]) if owner else _core
    setattr(owner, last, watched(name, getattr(owner, last)))

import fuzzing
from fuzz_targets import native

rng, kept = np.random.default_rng(5), []
for tried in range(int(sys.argv[2])):
    if not missing:
        break
    native(fuzzing.mutated(rng, kept))
print(json.dumps([sorted(missing), tried]))
"""


def entry_points() -> list[str]:
    """All functions and methods of the core; objects come from them, so they count as called."""
    found = []
    for name, thing in vars(_core).items():
        if name.startswith("_") or (isinstance(thing, type) and issubclass(thing, Exception)):
            continue
        if isinstance(thing, type):
            found += [f"{name}.{m}" for m in vars(thing) if not m.startswith("_")]
        else:
            found.append(name)
    return found


def unanswered(names: list[str], tried: int) -> tuple[list[str], int]:
    """Return those of these functions that none of so many inputs got an answer from."""
    command = [sys.executable, "-c", WATCH, json.dumps(names), str(tried)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TESTS, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    missing, needed = json.loads(done.stdout)
    return missing, needed


def test_every_native_function_is_fuzzed_and_answers() -> None:
    names = entry_points()
    assert len(names) > 80
    assert set(REASONS) <= set(names), "a reason for what is not there"
    missing, _ = unanswered([name for name in names if name not in REASONS], TRIED)
    assert not missing, f"add a call to tests/fuzz_*.py, or a reason: {missing}"


def test_a_function_that_is_never_called_is_named() -> None:
    assert unanswered(["isa", "survey"], 300)[0] == ["isa"]


def test_the_stubs_name_what_the_core_has() -> None:
    """So that a new entry point cannot stay out of sight of the type checker, either."""
    tree = ast.parse((Path(omnimeans.__file__).parent / "_core.pyi").read_text())
    stubs = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    public = {name for name in vars(_core) if not name.startswith("_")}
    # both kinds of seeding look the same to a type checker
    assert public - {"SeedingF32", "SeedingF64"} == stubs - {"Seeding"}
