"""Reading ahead: the next block is read while the last one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")
DEPTH = 1  # blocks read and waiting; one more is being read, one worked on
HELD = DEPTH + 2  # blocks in memory at a time


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Hand out the items of an iterator that a thread of its own walks through.

    Parameters
    ----------
    items : iterator
        Walked through by the thread; its errors are raised here.

    Yields
    ------
    item
        The same items in the same order.

    Examples
    --------
    >>> from omnimeans.sources.ahead import ahead
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=DEPTH)
    left = threading.Event()  # nobody is listening any more

    def hand_over(kind: str, item: Any) -> bool:
        while not left.is_set():
            try:
                ready.put((kind, item), timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for item in items:
                if not hand_over("item", item):
                    break
                del item  # it is the listener's now
        except BaseException as error:
            hand_over("error", error)
        else:
            hand_over("end", None)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    reader = threading.Thread(target=read, name="omnimeans-ahead", daemon=True)
    reader.start()
    try:
        while True:
            kind, item = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise item
            yield item
            del item
    finally:
        left.set()
        reader.join()
