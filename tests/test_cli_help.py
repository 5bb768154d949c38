"""The help pages stand in the docs, start-up is quick, and shells can complete words."""

from __future__ import annotations

import os
import resource
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from omnimeans.cli import COMMANDS

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_docs_hold_every_help_page() -> None:
    written = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(DOCS / "make_cli_pages.py"))["page"]()
    assert written == made, "run: python docs/make_cli_pages.py"


def test_every_command_is_in_the_guide() -> None:
    guide = (DOCS / "guide" / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"omnimeans {name}" not in guide] == []


def seconds(*words: str) -> float:
    """Return the processor time of one run, which does not depend on who else is busy."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = f"import sys; sys.argv = ['omnimeans', *{words!r}]; from omnimeans.cli import app; app()"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


@pytest.mark.alone
@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_start_up(words: tuple[str, ...]) -> None:
    assert min(seconds(*words) for _ in range(5)) < 0.3


COMPLETIONS = [("fi", "fit"), ("fit --sca", "--scale"), ("predict --mod", "--model")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("typed", "completed"), COMPLETIONS)
def test_shells_complete_words(shell: str, typed: str, completed: str) -> None:
    line = f"omnimeans {typed}"
    env = {
        **os.environ,
        "_OMNIMEANS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code = "import sys; sys.argv = ['omnimeans']; from omnimeans.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert completed in done.stdout, done.stderr
    assert "study" not in done.stdout
