"""Checkpoints: a fit that was killed goes on in another process, and ends with the same bits.

Little needs to be written, because nearly everything follows from the centres: of the present
start the centres of its last assignment, its history and the marks of the centres that it has met;
of the best start so far its centres.  Another process makes that last iteration once more, which
gives it the labels, and goes on.  The random numbers of each start depend on the seed and the
number of the start only.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from types import CodeType
from typing import Any, NoReturn, get_args

import numpy as np

from omnimeans._archive import (
    Arrays,
    UnreadableFile,
    arrays_of_records,
    contents,
    pack,
    records_of_arrays,
    unpack,
)
from omnimeans._control import Finish
from omnimeans._files import remove_partials, write_atomically
from omnimeans._types import Engine, Fit, Floats, Iteration, Rows, State, StopReason
from omnimeans.looks import digest

VERSION = 2  # 1 did not say what becomes of empty clusters, nor which centres are frozen
SHARE = 50  # writing may take one part in so many of the time
PATIENCE = 10.0  # seconds before the next try, after the disk has refused


class Checkpoint:
    """How far a fit has got, in a file.

    Parameters
    ----------
    path : str or path
        The file.  It is read if it is there, replaced in one step whenever there is something to
        tell, and removed when the fit has come to its end.

    Attributes
    ----------
    seed : int or None
        The seed of the fit that wrote the file; None if there is no file.

    Raises
    ------
    UnreadableFile
        If the file is damaged or no checkpoint.
    OSError
        If it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._subject: dict[str, Any] = {}
        self._document: dict[str, Any] | None = None
        self._arrays: Arrays = {}
        self._earlier: State | None = None
        self._next = 0.0
        self._complained = False
        if self.path.exists():
            data = contents(self.path, "checkpoint")
            self._document, self._arrays = unpack(data, "checkpoint", VERSION, str(self.path))
        seed = self._subject_there().get("seed")
        self.seed = seed if type(seed) is int and seed >= 0 else None

    def of(self, subject: Mapping[str, Any]) -> Checkpoint:
        """Say what is fitted and how: names with words, numbers, lists of them or functions."""
        self._subject = {
            name: _name_of(value) if callable(value) else value for name, value in subject.items()
        }
        return self

    def resume(self, engine: Engine, rows: Rows, finish: Finish) -> tuple[int, Fit | None]:
        """Return the start to go on with, and the best of those before.

        Raises
        ------
        UnreadableFile
            If the file is that of another fit.
        OSError
            If no file can be written there.
        """
        shape = {"rows": rows.n, "columns": rows.d, "dtype": rows.dtype.name}
        self._subject |= shape | {"data": digest(engine, rows)}
        if self._document is None:
            remove_partials(self.path)
            self._save(0, None, None)
            return 0, None
        self._refuse_foreign()
        restart, best, self._earlier = self._parse(rows)
        self._document, self._arrays = None, {}
        remove_partials(self.path)
        self._save(restart, self._earlier, best)  # while nothing is lost if that is not possible
        if best is not None:  # its labels and inertia follow from its centres
            assert best.start is not None
            found = finish(best.start, best.centers, best.history, "max_iter")
            best = replace(found, stop_reason=best.stop_reason)
        return restart, best

    def earlier(self) -> State | None:
        """Return how far the present start had got, once."""
        earlier, self._earlier = self._earlier, None
        return earlier

    def write(
        self, restart: int, state: State | None, best: Fit | None, at_once: bool = False
    ) -> None:
        """Write this down, at once or when enough time has passed; a full disk ends no fit."""
        begun = perf_counter()
        if begun < self._next and not at_once:
            return
        try:
            self._save(restart, state, best)
        except OSError as error:
            self._next = perf_counter() + PATIENCE
            if not self._complained:
                self._complained = True
                warnings.warn(
                    f"The checkpoint {error.strerror}. The fit goes on, and the checkpoint that "
                    "was there is as it was.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return
        self._next = perf_counter() + SHARE * (perf_counter() - begun)

    def close(self) -> None:
        """Remove the file: the fit has come to its end."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            warnings.warn(
                f"The checkpoint {self.path} could not be removed: {error.strerror}. The fit is "
                "complete; remove it by hand, or the next fit with this path takes it for its own.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _save(self, restart: int, state: State | None, best: Fit | None) -> None:
        document = {
            "subject": self._subject,
            "restart": restart,
            "best": None if best is None else best.stop_reason,
        }
        arrays: Arrays = {}
        if best is not None and best.start is not None:
            arrays["best.first"], arrays["best.centers"] = best.start, best.centers
            arrays |= arrays_of_records("best.history", best.history, Iteration)
        if state is not None:
            arrays["first"], arrays["before"] = state.first, state.before
            arrays["visited"] = np.array(sorted(state.visited), dtype=np.uint64)
            arrays |= arrays_of_records("history", state.history, Iteration)
        write_atomically(self.path, pack("checkpoint", VERSION, document, arrays))

    # ---- what another process has written

    def _subject_there(self) -> dict[str, Any]:
        subject = (self._document or {}).get("subject")
        return subject if isinstance(subject, dict) else {}

    def _refuse_foreign(self) -> None:
        there = self._subject_there()
        for name in sorted({*there, *self._subject}, key=lambda name: (name == "data", name)):
            a, b = there.get(name), self._subject.get(name)
            if a != b or type(a) is not type(b):
                what = f"{name} is {a!r:.60} there and {b!r:.60} here"
                raise UnreadableFile(
                    f"The checkpoint {self.path} belongs to another fit: "
                    f"{'the rows or weights differ' if name == 'data' else what}. Give this fit "
                    "another path, or remove the file to begin anew."
                )

    def _parse(self, rows: Rows) -> tuple[int, Fit | None, State | None]:
        document, arrays = self._document or {}, self._arrays
        restart, stop = document.get("restart"), document.get("best")
        k, count = self._subject["n_clusters"], self._subject["n_init"]
        if type(restart) is not int or not 0 <= restart <= count:
            self._refuse("the number of the start")
        best: Fit | None = None
        if stop is not None:
            first, centers = (
                self._centers(f"best.{name}", k, rows) for name in ("first", "centers")
            )
            history = records_of_arrays("best.history", arrays, Iteration)
            if not history or stop not in get_args(StopReason):
                self._refuse("the best start")
            best = Fit(centers, rows.labels, np.inf, history, stop, first)
        elif restart > 0:
            self._refuse("the best start")
        state: State | None = None
        if "before" in arrays:
            first, before = (self._centers(name, k, rows) for name in ("first", "before"))
            visited = arrays.pop("visited", None)
            steps = records_of_arrays("history", arrays, Iteration)
            if visited is None or visited.dtype != np.uint64 or visited.ndim != 1 or steps is None:
                self._refuse("the history")
            state = State(first, before, before, list(steps), set(visited.tolist()))
        if arrays or (state is not None and restart == count):
            self._refuse("its arrays")
        return restart, best, state

    def _centers(self, name: str, k: int, rows: Rows) -> Floats:
        centers = self._arrays.pop(name, None)
        fewest = 1 if self._subject.get("empty_clusters") == "drop" else k
        if (
            centers is None
            or centers.shape[1:] != (rows.d,)
            or not fewest <= len(centers) <= k
            or centers.dtype != rows.dtype
            or not np.isfinite(centers).all()
        ):
            self._refuse("the centres")
        return centers

    def _refuse(self, what: str) -> NoReturn:
        raise UnreadableFile(
            f"The checkpoint {self.path} makes no sense: {what} cannot be. Remove the file to "
            "begin anew."
        )


def _name_of(function: Callable[..., Any]) -> str:
    """Return what tells a function from another of the same name, in any process.

    What it takes from outside (globals, attributes) is not looked at.
    """
    function = getattr(function, "func", function)  # of functools.partial
    name = getattr(function, "__qualname__", type(function).__qualname__)
    code = getattr(function, "__code__", getattr(type(function).__call__, "__code__", None))
    text = repr(None if code is None else _words(code)).encode()
    return f"{name} {blake2b(text, digest_size=8).hexdigest()}"


def _words(constant: Any) -> Any:
    """Return what the code is made of, without addresses, places or the order of sets."""
    if isinstance(constant, CodeType):
        consts = [_words(inner) for inner in constant.co_consts]
        return constant.co_code, constant.co_names, consts
    return sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)
