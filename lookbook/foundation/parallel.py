"""Work on all cores while the order stays."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import joblib

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int = 1
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order, computed ahead by one thread a core.

    Threads, since decoding, resizing and hashing leave Python's lock to others. Only a few items
    are drawn ahead, so memory does not grow with their number.

    Args:
        function: Safe to call from several threads.
        items: What to call it with.
        at_once: How many of them a thread takes; more where the function is quick.
    """
    workers = joblib.cpu_count()  # what this container may use, not what the machine has
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
