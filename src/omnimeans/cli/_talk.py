"""What a command says while it works, on standard error: notes, warnings, progress."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

FOR_PYTHON = " Set raise_on_interrupt=True to get a KeyboardInterrupt instead."
NOTED = 20  # notes that are printed; the JSON has them all


class Talk:
    """Notes and progress on standard error; silent where the user wants it so.

    Parameters
    ----------
    quiet : bool
        Whether to say nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, lines: Sequence[str]) -> None:
        """Say what was decided that the user did not ask for."""
        self.notes += lines
        if self.quiet:
            return
        for line in lines[:NOTED]:
            typer.echo(f"note: {line}", err=True)
        if len(lines) > NOTED:
            typer.echo(f"note: and {len(lines) - NOTED} more like these", err=True)

    def warn(self, line: str) -> None:
        """Say what may make the answer useless."""
        self.warnings.append(line)
        if not self.quiet:
            typer.echo(f"warning: {line}", err=True)

    @property
    def interrupted(self) -> bool:
        """Whether a fit has said that Ctrl-C ended it."""
        return any(" was interrupted " in line for line in self.warnings)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Turn Python's warnings into lines of this program."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for text in dict.fromkeys(" ".join(str(entry.message).split()) for entry in caught):
            self.warn(text.replace(FOR_PYTHON, ""))

    @contextmanager
    def progress(self) -> Iterator[Steps]:
        """Show progress while the block runs, if standard error is a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield Steps(None)
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with bar:
            yield Steps(bar)


class Steps:
    """Progress of the steps of a command; without a bar it shows nothing.

    Parameters
    ----------
    bar : rich.progress.Progress or None
        Where it is shown.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None

    def begin(self, what: str, total: float | None = None) -> None:
        """Show that a step begins; without a total only the time that passes is shown."""
        if self._bar is None:
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total)

    def at(self, done: float, total: float, what: str | None = None) -> None:
        """Show how far the step is."""
        if self._bar is not None and self._task is not None:
            more = {} if what is None else {"description": what}
            self._bar.update(self._task, completed=done, total=total, **more)

    def watcher(self, starts: int, max_iter: int) -> Callable[..., None]:
        """Return a callback for a fit, which shows how far it is and guesses how long it takes."""
        guess = Guess(starts, max_iter)

        def watch(record: Any) -> None:
            if record.event != "iteration":
                return
            guess.see(record.shift, record.moved)
            what = f"start {guess.start} of {starts}, iteration {guess.iteration}"
            self.at(guess.done, guess.total, what)

        return watch


class Guess:
    """How many iterations a fit will take.

    As many as the starts took that are done; before, as the steps of the centres shrink.

    Parameters
    ----------
    starts : int
        Starts that will be made.
    max_iter : int
        Iterations of one of them at most.
    """

    def __init__(self, starts: int, max_iter: int) -> None:
        self.starts, self.max_iter = starts, max_iter
        self.start, self.iteration, self.done = 0, 0, 0
        self.lengths: list[int] = []
        self.first_shift = 0.0
        self._rows = -1

    def see(self, shift: float, moved: int) -> None:
        """Take notice of one iteration; the first of a start moves every row."""
        if self._rows < 0:
            self._rows = moved
        if moved >= self._rows and self.iteration != 1:
            if self.start:
                self.lengths.append(self.iteration)
            self.start += 1
            self.iteration, self.first_shift = 0, shift
        self.iteration += 1
        self.done += 1
        self.shift = shift

    @property
    def total(self) -> float:
        """Iterations of all starts together, as it looks now."""
        if self.lengths:
            one = sum(self.lengths) / len(self.lengths)
        elif self.iteration > 2 and 0.0 < self.shift < self.first_shift:
            rate = math.log(self.first_shift / self.shift) / (self.iteration - 1)
            one = 1 + math.log(1e8) / rate  # steps a hundred million times smaller: the end
        else:
            one = 20.0
        one = min(max(one, self.iteration + 1), self.max_iter)
        return max(self.done + 1, sum(self.lengths) + one * (self.starts - len(self.lengths)))
