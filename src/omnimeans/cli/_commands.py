"""The table of commands: a name, and the function in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnimeans.cli.choose_k import choose_k
from omnimeans.cli.demo import demo
from omnimeans.cli.engines import engines
from omnimeans.cli.evaluate import evaluate
from omnimeans.cli.fit import fit
from omnimeans.cli.plot import plot
from omnimeans.cli.predict import predict
from omnimeans.cli.report import report
from omnimeans.cli.study import study

# In the order of the help page.  To add a command: one file, one row, and docs/make_cli_pages.py.
COMMANDS: dict[str, Callable[..., Any]] = {
    "fit": fit,
    "predict": predict,
    "choose-k": choose_k,
    "evaluate": evaluate,
    "plot": plot,
    "report": report,
    "study": study,
    "demo": demo,
    "engines": engines,
}
