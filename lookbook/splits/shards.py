"""Files of arrays, one after the other, read as one array, with few of them open at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

MOST_OPEN = 32  # of a kind: each holds a file descriptor, and some systems give a process 256

READERS = 8  # threads; each waits for the disk


class Shards:
    """The rows of several `.npy` files, by index."""

    def __init__(
        self, paths: Sequence[Path], counts: Sequence[int], row: tuple[int, ...], dtype: DTypeLike
    ):
        """Open no file yet.

        Args:
            paths: The files, in order, each known to be whole.
            counts: How many rows each has.
            row: The shape of a row.
            dtype: Of the numbers.
        """
        self.paths = paths
        self._row, self._dtype = row, dtype
        self._starts = np.cumsum([0, *counts])
        self._mapped = lru_cache(MOST_OPEN)(self._map)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield each file's rows, mapped."""
        return map(self._mapped, range(len(self.paths)))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return some rows."""
        if len(self.paths) == 1:
            return self._mapped(0)[rows]
        taken = np.empty((len(rows), *self._row), self._dtype)
        for shard, places, inside in self._located(rows):
            taken[places] = self._mapped(shard)[inside]
        return taken

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the same as `take`, by plain reads, for what memory does not hold.

        The pages of a memory map stay and count as this process's memory; these do not. Rows that
        follow one another are read at once, and files side by side, so that the disk has always
        something to do.
        """
        taken = np.empty((len(rows), *self._row), self._dtype)

        def fill(located: tuple[int, np.ndarray, np.ndarray]) -> None:
            shard, places, inside = located
            head = self.paths[shard].stat().st_size - taken[:1].nbytes * self._count(shard)
            apart = np.flatnonzero((np.diff(inside) != 1) | (np.diff(places) != 1)) + 1
            with self.paths[shard].open("rb", buffering=0) as file:
                for start, end in pairwise([0, *apart, len(inside)]):
                    file.seek(head + inside[start] * taken[:1].nbytes)
                    file.readinto(taken[places[start] :][: end - start].data)

        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(fill, self._located(rows)))
        return taken

    def _map(self, shard: int) -> np.ndarray:
        # A plain array, which is quicker to index than a memory map.
        return np.asarray(np.load(self.paths[shard], mmap_mode="r", allow_pickle=False))

    def _count(self, shard: int) -> int:
        return int(self._starts[shard + 1] - self._starts[shard])

    def _located(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield each file that has some of the rows, their places in `rows`, and in the file."""
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(shards, kind="stable")
        found, starts = np.unique(shards[order], return_index=True)
        for shard, (start, end) in zip(found, pairwise([*starts, len(rows)]), strict=True):
            places = order[start:end]
            yield int(shard), places, rows[places] - self._starts[shard]
