"""The table of commands: a name, and the function in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnimeans.cli.demo import demo
from omnimeans.cli.engines import engines
from omnimeans.cli.fit import fit
from omnimeans.cli.predict import predict
from omnimeans.cli.study import study

# In the order of the help page.  To add a command: one file, one row here, and `make help-pages`.
COMMANDS: dict[str, Callable[..., Any]] = {
    "fit": fit,
    "predict": predict,
    "study": study,
    "demo": demo,
    "engines": engines,
}
