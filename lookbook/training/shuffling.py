"""In which order a training sees its examples, and how they come from the disk.

Up to `LARGE_BYTES` an epoch is a permutation of all examples, each gathered from where it stands in
the mapped files, which then stay in memory. Beyond, memory may not hold them: an epoch goes through
`lookbook.splits.windows`, of which one is read into memory while the one before is trained on.

What is large depends on the split alone, never on the machine's memory: the order, and with it the
bytes of the model, would be another one. It follows from the seed, the epoch, the number of
examples and their size.
"""

import itertools
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from lookbook.splits.windows import read_ahead, shuffled_windows

LARGE_BYTES = 2 * 2**30  # of inputs as they are stored
WINDOW_BYTES = 256 * 2**20  # two are in memory: one trained on, the next one read
RUN_BYTES = 64 * 2**10  # read at once; from a solid-state disk, larger ones come no faster


class Stored(Protocol):
    """Inputs of examples on the disk."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs of these examples, from mapped files."""

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the same by plain reads, which leave nothing in this process's memory."""


class Gathered(Protocol):
    """Inputs of examples, by index."""

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs of these examples."""


class Window:
    """Some examples, in memory."""

    def __init__(self, stored: Stored, rows: np.ndarray):
        """Read these rows."""
        self._rows = np.sort(rows)
        self._inputs = stored.read(self._rows)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs of these examples, which must be among those that were read."""
        return self._inputs[np.searchsorted(self._rows, indices)]


def example_bytes(stored: Stored) -> int:
    """Return the size of an example's inputs, as they are stored."""
    return stored.images(np.arange(1)).nbytes


def is_large(stored: Stored) -> bool:
    """Return whether these examples are shuffled in windows."""
    return len(stored) * example_bytes(stored) > LARGE_BYTES


def shuffled(
    rng: np.random.Generator, count: int, row_bytes: int, chunk_size: int
) -> list[np.ndarray]:
    """Return 0 to `count` - 1 in the order of an epoch, in one window or several.

    Args:
        rng: Of the epoch.
        count: How many examples there are.
        row_bytes: Size of one, as it is stored.
        chunk_size: Every window but the last holds a multiple of this.
    """
    if count * row_bytes <= LARGE_BYTES:
        return [rng.permutation(count)]
    window = chunk_size * max(1, WINDOW_BYTES // (chunk_size * row_bytes))
    return shuffled_windows(rng, count, run=max(1, RUN_BYTES // row_bytes), window=window)


def shuffled_chunks(
    stored: Stored, *, chunk_size: int, seed: int, first_epoch: int
) -> Iterator[tuple[np.random.Generator, np.ndarray, np.ndarray]]:
    """Yield the examples of epoch after epoch without end, a chunk at a time.

    Args:
        stored: The examples.
        chunk_size: How many a chunk has; the last one of an epoch may have less.
        seed: Of the order.
        first_epoch: The epoch to begin with.

    Yields:
        The epoch's generator of random numbers, from which its order was drawn; the indices of the
        chunk's examples, and their inputs.
    """
    for rng, order, source in _sources(stored, chunk_size, seed, first_epoch):
        for start in range(0, len(order), chunk_size):
            indices = order[start : start + chunk_size]
            yield rng, indices, source.images(indices)


def _windows(
    stored: Stored, chunk_size: int, seed: int, first_epoch: int
) -> Iterator[tuple[np.random.Generator, np.ndarray]]:
    row_bytes = example_bytes(stored)
    for epoch in itertools.count(first_epoch):
        rng = np.random.default_rng([seed, epoch])
        for order in shuffled(rng, len(stored), row_bytes, chunk_size):
            yield rng, order


def _sources(
    stored: Stored, chunk_size: int, seed: int, first_epoch: int
) -> Iterator[tuple[np.random.Generator, np.ndarray, Gathered]]:
    """Yield each window, and where its inputs come from: one that is read while the last is used.

    The first window of an epoch is read in the epoch before.
    """
    windows = _windows(stored, chunk_size, seed, first_epoch)
    if not is_large(stored):
        yield from ((rng, order, stored) for rng, order in windows)
        return
    for (rng, order), window in read_ahead(lambda drawn: Window(stored, drawn[1]), windows):
        yield rng, order, window
