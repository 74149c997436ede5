"""Growing shares of the training pictures, each drawn several times, every class in proportion."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lookbook.foundation.errors import LookbookError
from lookbook.splits.split import Split

LEAST = 8  # pictures of every class, so that even a quarter of all has two of each
SMALLEST, STEPS = 4, 2  # halvings down to the smallest share, and shares a halving


@dataclass(frozen=True)
class Share:
    """A part of the training pictures.

    Attributes:
        size: Of all of them, above 0; 1 is all.
        draws: How often it is drawn.
    """

    size: float
    draws: int


def shares_of(
    labels: np.ndarray, class_names: list[str], *, effort: float, steps: int = STEPS
) -> list[Share]:
    """Return the shares to learn on, smallest first: 1/16 to 1, or as few pictures as allow it.

    All shares take about the same time, since a smaller one is drawn more often; all pictures can
    be drawn but once.

    Args:
        labels: int of shape (n,), of the training pictures.
        class_names: In label order.
        effort: Pictures to learn on for each share, in passes over all pictures.
        steps: Shares a halving.

    Raises:
        LookbookError: If a class has fewer than `LEAST` pictures.
    """
    fewest = check_enough(labels, class_names)
    halvings = min(SMALLEST, np.log2(fewest / 2))
    sizes = [2.0 ** (-step / steps) for step in range(int(halvings * steps), 0, -1)]
    return [*(Share(size, max(2, round(effort / size))) for size in sizes), Share(1.0, 1)]


def check_enough(labels: np.ndarray, class_names: list[str]) -> int:
    """Return how many pictures the smallest class has.

    Args:
        labels: int of shape (n,), of the training pictures.
        class_names: In label order.

    Raises:
        LookbookError: If they are fewer than `LEAST`.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < LEAST:
        raise LookbookError(
            f"Expected at least {LEAST} training pictures of every class, for a learning curve. "
            f"Received: {counts.min()} of {class_names[counts.argmin()]}. Add some."
        )
    return int(counts.min())


def drawn(labels: np.ndarray, share: Share, seed: int) -> Iterator[np.ndarray]:
    """Yield the rows of each draw of a share, sorted, int of shape (pictures,).

    Every class keeps its part, rounded, and has at least one picture.

    Args:
        labels: int of shape (n,).
        share: Which one, and how often.
        seed: Of the draws.
    """
    if share.size == 1:
        yield np.arange(len(labels))
        return
    for draw in range(share.draws):
        rng = np.random.default_rng([seed, round(1e6 * share.size), draw])
        parts = []
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            parts.append(rng.permutation(rows)[: max(1, round(share.size * len(rows)))])
        yield np.sort(np.concatenate(parts))


class Subset:
    """Some pictures of a split, as `lookbook.training.fitting.fit` takes them."""

    def __init__(self, split: Split, rows: np.ndarray):
        """Choose the pictures.

        Args:
            split: Where they are.
            rows: Their indices, int of shape (n,).
        """
        self.split, self.rows = split, rows

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return raw uint8 pictures of shape (len(indices), height, width, channels)."""
        return self.split.images(self.rows[indices])

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the same by plain reads; see `Split.read`."""
        return self.split.read(self.rows[indices])

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return their class indices or one-hot rows."""
        return self.split.targets(self.rows[indices])

    def fingerprint(self) -> str:
        """Return a hash of the split and of the choice."""
        parts = self.split.fingerprint().encode() + self.rows.astype("<i8").tobytes()
        return hashlib.sha256(parts).hexdigest()
