"""Files of arrays, one after the other, read as one array, with few of them open at a time."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

MOST_OPEN = 32  # of a kind: each holds a file descriptor, and some systems give a process 256


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
        """Return the same as `take`, by plain reads, for going through all of them once.

        The pages of a memory map stay and count as this process's memory; these do not.
        """
        taken = np.empty((len(rows), *self._row), self._dtype)
        size = taken[:1].nbytes
        for shard, places, inside in self._located(rows):
            head = self.paths[shard].stat().st_size - size * self._count(shard)
            with self.paths[shard].open("rb", buffering=0) as file:
                for place, row, count in _runs(places, inside):
                    file.seek(head + row * size)
                    file.readinto(taken[place : place + count].data)
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
        found, firsts = np.unique(shards[order], return_index=True)
        for shard, places in zip(found, np.split(order, firsts[1:]), strict=False):
            yield int(shard), places, rows[places] - self._starts[shard]


def _runs(places: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield the first place, the first row and the length of what follows one another in both."""
    ends = np.flatnonzero((np.diff(places) != 1) | (np.diff(rows) != 1)) + 1
    starts = np.concatenate([[0], ends])
    counts = np.diff([*starts, len(rows)])
    yield from zip(places[starts].tolist(), rows[starts].tolist(), counts.tolist(), strict=True)
