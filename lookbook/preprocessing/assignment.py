"""Assign each picture's split: train, validation or test."""

import numpy as np
import pandas as pd

from lookbook.foundation.errors import LookbookError
from lookbook.own.sharing import share_out
from lookbook.splits.spec import SPLITS, TEST, TRAIN, VALIDATION


class Assignment:
    """Says which split a picture goes to, before or while it is read.

    Pictures of a published test or validation split stay there. What is not published as one of
    them is shared between training and those splits that nobody published.
    """

    def __init__(
        self,
        index: pd.DataFrame,
        class_names: list[str],
        *,
        method: str,
        validation_size: float,
        test_size: float,
        seed: int,
        components: np.ndarray | None = None,
    ):
        """Assign all pictures.

        Args:
            index: `label` and `published` (`train`, `validation`, `test` or '') of every picture.
            class_names: Names of the classes, for the messages.
            method: `stratified` for a seeded shuffle with equal shares of each class, `hash` for a
                draw from the id alone.
            validation_size: Share of the pictures that validation gets, where it is not published.
            test_size: The same for test.
            seed: Of the stratified shuffle.
            components: Pictures with the same number go to one split together; None: each by
                itself.

        Raises:
            LookbookError: If a class is too small for the splits.
        """
        published = index["published"].to_numpy()
        labels = index["label"].to_numpy()
        known = set(published)
        given = [split for split in (VALIDATION, TEST) if SPLITS[split] in known]
        sizes = {TEST: test_size, VALIDATION: validation_size}
        self._sizes = {split: 0.0 if split in given else size for split, size in sizes.items()}
        self._drawn = np.full(len(index), TRAIN, np.int8)
        for split in given:
            self._drawn[published == SPLITS[split]] = split
        self._shared = self._drawn == TRAIN
        self._by_hash = method == "hash"
        if not self._by_hash:
            rows = np.flatnonzero(self._shared)
            needed = 1 + sum(size > 0 for size in self._sizes.values())
            _check_class_sizes(labels[rows], class_names, needed=needed)
            if components is None:
                self._drawn[rows] = _draw_stratified(labels[rows], self._sizes, seed)
            else:
                arriving = index.iloc[rows]
                self._drawn[rows] = _draw_groups(arriving, components[rows], self._sizes, seed)

    def splits_of(self, rows: np.ndarray, ids: list[str]) -> np.ndarray:
        """Return the splits of these rows of the index, as indices into `SPLITS`: int8 (n,).

        Args:
            rows: Which pictures.
            ids: The id of each.
        """
        drawn = self._drawn[rows]
        if self._by_hash:
            drawn = np.where(self._shared[rows], _draw_by_hash(ids, self._sizes), drawn)
        return drawn


def check_every_class(
    index: pd.DataFrame, class_names: list[str], *, validation_size: float
) -> None:
    """Raise a LookbookError if a split lacks a class.

    Args:
        index: `label` and `split` (an index into `SPLITS`) of every picture.
        class_names: In label order.
        validation_size: Where it is 0 there may be no validation pictures at all.
    """
    for split, name in enumerate(SPLITS):
        labels = index.loc[index["split"] == split, "label"]
        if len(labels) or split != VALIDATION or validation_size:
            _check_every_class(labels, class_names, name)


def _draw_stratified(labels: np.ndarray, sizes: dict[int, float], seed: int) -> np.ndarray:
    from sklearn.model_selection import train_test_split

    drawn = np.full(len(labels), TRAIN, np.int8)
    rest = np.arange(len(labels))
    fewest = len(np.unique(labels))  # a split smaller than that cannot hold every class
    for split, size in sizes.items():
        if size:
            rest, held_out = train_test_split(
                rest,
                test_size=min(max(round(size * len(labels)), fewest), len(rest) - fewest),
                random_state=seed,
                stratify=labels[rest],
            )
            drawn[held_out] = split
    return drawn


def _draw_groups(
    index: pd.DataFrame, components: np.ndarray, sizes: dict[int, float], seed: int
) -> np.ndarray:
    arriving = pd.DataFrame(
        {
            "id": [f"{seed} {source}" for source in index["source"]],
            "name": index["source"].to_numpy(),
            "class": index["label"].to_numpy(),
            "group": "",
            "split": "",
        }
    )
    shared = share_out(
        arriving.iloc[:0],
        arriving,
        components,
        validation_size=sizes[VALIDATION],
        test_size=sizes[TEST],
    )
    return shared.splits.astype(np.int8)


def _draw_by_hash(ids: list[str], sizes: dict[int, float]) -> np.ndarray:
    position = np.array([int(picture_id, 16) / 2**64 for picture_id in ids])  # even over [0, 1)
    drawn = np.full(len(ids), TRAIN, np.int8)
    drawn[position < sizes[TEST] + sizes[VALIDATION]] = VALIDATION
    drawn[position < sizes[TEST]] = TEST
    return drawn


def _check_class_sizes(labels: np.ndarray, class_names: list[str], *, needed: int) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < needed:
        raise LookbookError(
            f"Expected at least {needed} pictures of every class, one for each split. Received: "
            f"{counts.min()} of {class_names[counts.argmin()]!r}. Add pictures of it, or take the "
            "class out of the card."
        )


def _check_every_class(labels: np.ndarray, class_names: list[str], split: str) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if not counts.all():
        size = "test_size" if split == "test" else "validation_size"
        change = "lower the sizes" if split == "train" else f"raise preprocess.{size}"
        raise LookbookError(
            f"Expected pictures of every class in the {split} split. Received: none of "
            f"{class_names[counts.argmin()]!r}. Add pictures of it, {change}, or set "
            "preprocess.split to stratified."
        )
