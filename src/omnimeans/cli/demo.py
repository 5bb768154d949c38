"""``omnimeans demo``: every study, with its tables and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnimeans.cli.study import Data, Threads


def demo(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pictures.")] = Path(
        "demo"
    ),
    data: Data = None,
    threads: Threads = 1,
) -> None:
    """Make every study, print the tables and draw the pictures.

    Example: omnimeans demo --out demo
    """
    from rich.console import Console

    from omnimeans.demo import run_demo

    run_demo(out, Console(), data=data, n_threads=threads)
