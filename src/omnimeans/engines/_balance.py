"""Which parts of larger data go to which worker: a plan, made without a cluster at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

UNEVEN = 1.25  # times its fair share of the rows that a worker may hold before some go elsewhere


def moves(
    homes: Mapping[str, Sequence[int]],  # worker -> the parts it holds
    rows: Sequence[int],  # of each part
    threads: Mapping[str, int],  # of all workers, those without parts included
) -> dict[int, str]:
    """Return the parts to be moved, and where they go: the fewest rows that even the work out.

    The largest part that fits goes from the worker that has most to do for each of its threads to
    the one with least, until no worker holds more than its share, or no part fits any more.

    Examples
    --------
    >>> moves({"a": [0, 1, 2]}, [10, 10, 10], {"a": 1, "b": 2})
    {0: 'b', 1: 'b'}
    """
    held = {worker: list(homes.get(worker, ())) for worker in threads}
    load = {worker: sum(rows[n] for n in parts) for worker, parts in held.items()}
    fair = sum(load.values()) / max(1, sum(threads.values()))  # rows for a thread
    found: dict[int, str] = {}

    def pace(worker: str) -> float:
        return load[worker] / threads[worker]

    able = [worker for worker in threads if threads[worker] > 0]
    while able:
        fullest, emptiest = max(able, key=pace), min(able, key=pace)
        if pace(fullest) <= UNEVEN * fair:
            break
        room = fair * threads[emptiest] - load[emptiest]
        fitting = [n for n in held[fullest] if rows[n] <= room]
        if not fitting:
            break
        part = max(fitting, key=lambda n: (rows[n], -n))
        held[fullest].remove(part)
        held[emptiest].append(part)
        load[fullest] -= rows[part]
        load[emptiest] += rows[part]
        found[part] = emptiest
    return found
