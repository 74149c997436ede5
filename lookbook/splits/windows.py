"""In which order to go through more pictures than memory should hold.

To gather a picture here and one there waits for the disk each time. So rows are cut into short runs
of neighbours, which a disk is quick at; the runs are shuffled, and as many of them as make a window
are read together and shuffled there. Neighbours are of one class in most sets, runs from all over
are not.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
Read = TypeVar("Read")


def shuffled_windows(
    rng: np.random.Generator, count: int, *, run: int, window: int
) -> list[np.ndarray]:
    """Return 0 to `count` - 1 in windows, each in an order of its own.

    Args:
        rng: Draws the order.
        count: How many rows there are.
        run: Neighbours that are read at once.
        window: Rows of a window; the last one may have fewer.
    """
    starts = run * rng.permutation(-(-count // run))
    rows = (starts[:, np.newaxis] + np.arange(run)).ravel()
    windows = np.split(rows[rows < count], range(window, count, window))
    return [rng.permutation(rows) for rows in windows]


def read_ahead(
    read: Callable[[Item], Read], windows: Iterable[Item]
) -> Iterator[tuple[Item, Read]]:
    """Yield each window and what was read of it, by a thread that is one window ahead.

    Args:
        read: From a window to what stands there.
        windows: May be without end: one is drawn when the one before is asked for.
    """
    drawn = iter(windows)
    with ThreadPoolExecutor(1) as reader:

        def begin() -> tuple[Item, Future[Read]] | None:
            for window in drawn:
                return window, reader.submit(read, window)
            return None

        following = begin()
        while following:
            (window, reading), following = following, begin()
            yield window, reading.result()
