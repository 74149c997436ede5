"""Work on all cores while the order stays."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


# What a container's share of the time is read from, in Linux's control groups 2 and 1.
QUOTA = Path("/sys/fs/cgroup/cpu.max")
QUOTAS = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


def core_count() -> int:
    """Return how many cores this process may use: in a container, fewer than the machine has."""
    available = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    try:
        words = QUOTA.read_text().split() if QUOTA.is_file() else [p.read_text() for p in QUOTAS]
        quota, period = map(float, words)
    except (OSError, ValueError):  # no such groups, or a quota of `max`
        return available
    return available if quota <= 0 else max(1, min(available, math.ceil(quota / period)))


def in_parallel(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    at_once: int = 1,
    threads: int | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order, computed ahead by several threads.

    Threads, since decoding, resizing and hashing leave Python's lock to others. Only a few items
    are drawn ahead, so memory does not grow with their number.

    Args:
        function: Safe to call from several threads.
        items: What to call it with.
        at_once: How many of them a thread takes; more where the function is quick.
        threads: How many there are; one a core by default, more where the function waits.
    """
    workers = threads or core_count()
    waiting: deque[Future[list[Result]]] = deque()
    drawn = iter(items)

    def of_all(chunk: list[Item]) -> list[Result]:
        return list(map(function, chunk))

    with ThreadPoolExecutor(workers) as pool:
        try:
            while chunk := list(islice(drawn, at_once)):
                waiting.append(pool.submit(of_all, chunk))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
