"""What a command tells its user when something is wrong: one message, one exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer

EXIT_CODES = {
    0: "done",
    1: "a fault of omnimeans itself: please report it",
    2: "the command line cannot be used, or a package that it needs is not installed",
    3: "an input cannot be used; the message names file, row and column",
    4: "an output cannot be written, or is there already; nothing was written",
    130: "interrupted by Ctrl-C; a fit leaves its best model so far, nothing else is written",
}
FAULT, USAGE, INPUT, OUTPUT, INTERRUPTED = 1, 2, 3, 4, 130
TRACEBACK = "OMNIMEANS_TRACEBACK"  # set to see where a fault comes from

F = TypeVar("F", bound=Callable[..., Any])


class UsageError(Exception):
    """Options that do not go together; the message says which."""


class OutputError(Exception):
    """A file that cannot be written; the message says which and why."""


def guarded(command: F) -> F:
    """Return the command with every exception turned into a message and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:  # whoever read the output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except BaseException as error:
            code, message = judge(error)
            if os.environ.get(TRACEBACK):
                raise
            typer.echo(f"omnimeans: {message}", err=True)
            raise typer.Exit(code) from None

    return run  # type: ignore[return-value]


def judge(error: BaseException) -> tuple[int, str]:
    """Return the exit code for an exception, and what to say."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; nothing was written"
    if isinstance(error, (UsageError, ImportError)):
        return USAGE, str(error)
    if isinstance(error, OutputError):
        return OUTPUT, str(error)
    if isinstance(error, MemoryError):
        return INPUT, f"this does not fit into memory ({error}); read fewer --rows or --columns"
    if isinstance(error, (ValueError, TypeError, OSError)):
        return INPUT, str(error)
    return FAULT, (
        f"a fault of omnimeans itself: {type(error).__name__}: {error}. Please report it; with "
        f"{TRACEBACK}=1 in the environment the same command shows where"
    )
