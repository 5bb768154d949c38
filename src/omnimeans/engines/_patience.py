"""Answers from a cluster that loses workers: who asks is told, or asks again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from omnimeans._optional import need

ATTEMPTS = 5  # times that the same question is asked, each after several workers died over it


def gather(
    client: Any,
    ask: Callable[[], list[Any]],  # submits tasks and returns their futures
    needed: Callable[[], list[Any]] = list,  # futures that the tasks are made from
) -> list[Any]:
    """Return the answers; ask again where workers were lost on the way.

    What a lost worker held is computed again by Dask itself.  Two things are left to do: tasks that
    Dask gave up, because too many workers died while they were at work on them, and messages that
    broke off.  A task that failed by itself fails here, too.
    """
    distributed = need("distributed", extra="dask")
    for attempt in range(1, ATTEMPTS + 1):
        asked = ask()
        try:
            answers: list[Any] = client.gather(asked)
            return answers
        except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
            own = any(_failed(future, distributed.KilledWorker) for future in asked)
            if own or client.status != "running":
                raise
            if attempt == ATTEMPTS:
                if isinstance(error, distributed.KilledWorker):
                    error.add_note(
                        f"Asked {ATTEMPTS} times. If workers run out of memory, use smaller "
                        "partitions, or fewer threads or more memory for each worker."
                    )
                raise
            _again(client, needed())
    raise AssertionError


def _failed(future: Any, killed: type[BaseException]) -> bool:
    """Tell whether a task failed by itself, and not because of its worker."""
    return future.status == "error" and not isinstance(future.exception(), killed)


def _again(client: Any, futures: list[Any]) -> None:
    """Let Dask compute again what it gave up."""
    for future in futures:
        if future.status in ("error", "lost"):
            # Client.retry has asked the scheduler by then; it stumbles over the answer if what was
            # given up is a task that the future is made from (distributed 2026.8).
            with suppress(KeyError):
                client.retry([future])
