"""Pictures that are there twice, or nearly: in one split, and across splits.

Two pictures are exact duplicates if their pixels in the splits are the same. They are near
duplicates if their likenesses (`lookbook.pictures.likeness`) differ from cell to neighbouring cell
in nearly the same way: the cosine of these differences is at least `NEAR_THRESHOLD`. That survives
re-encoding, resizing and a change of brightness, not cropping, mirroring or turning. On photographs
hardly anything else is so alike; on small centred pictures such as MNIST it also finds strangers
that look the same.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.pictures.likeness import keys
from lookbook.pictures.near import nearest
from lookbook.preprocessing.streaming import Written, drop_from_split
from lookbook.splits.spec import TEST, TRAIN, Spec
from lookbook.splits.split import Split

TWIN = "training picture with a twin in the test split"  # the reason to drop one


def exact_groups(index: pd.DataFrame, grids: np.ndarray, splits: list[Split]) -> np.ndarray:
    """Number the groups of pictures with the same pixels.

    Args:
        index: One row a picture, with `split` and, among them, in the order of the splits.
        grids: uint8 of shape (n, GRID, GRID), one a row.
        splits: The pictures, in the order of `SPLITS`.

    Returns:
        int64 of shape (n,): the group's number, -1 for a picture that is alone.
    """
    _, likeness, counts = np.unique(keys(grids), return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(counts[likeness] > 1)
    position = index.groupby("split").cumcount().to_numpy()
    digests = []
    for row in suspects:
        pixels = splits[index["split"].iat[row]].read(position[row : row + 1])
        digests.append(hashlib.sha256(pixels).digest())
    groups = np.full(len(index), -1)
    digests = pd.Series(digests, dtype=object)
    alike = digests.duplicated(keep=False).to_numpy(bool)
    groups[suspects[alike]] = pd.factorize(digests[alike])[0]
    return groups


def twins_in_test(
    index: pd.DataFrame, grids: np.ndarray, groups: np.ndarray, kind: str
) -> np.ndarray:
    """Return the rows of training pictures that have a twin among the test pictures.

    Args:
        index: One row a picture, with `split`.
        grids: Their likenesses.
        groups: As `exact_groups` returns them.
        kind: `exact`, `near` (which includes exact ones) or `none`.
    """
    split = index["split"].to_numpy()
    train = np.flatnonzero(split == TRAIN)
    if kind == "none":
        return train[:0]
    tested = np.unique(groups[(split == TEST) & (groups >= 0)])
    twin = np.isin(groups[train], tested)
    if kind == "near":
        twin |= nearest(grids[train], grids[split == TEST])[1] >= 0
    return train[twin]


def kept_together(index: pd.DataFrame, exact: np.ndarray) -> pd.DataFrame:
    """Return the columns group and id of the pictures that no cross-validation may part.

    Args:
        index: As `Written.index`. Where it has no groups, pictures with the same pixels are one.
        exact: As `exact_groups` returns them.
    """
    table = pd.DataFrame({"group": index.get("group", exact), "id": index["id"]})
    table = table[(table["group"] >= 0) & table["group"].duplicated(keep=False)]
    table["group"] = pd.factorize(table["group"])[0]
    return table.sort_values("group", kind="stable")


def drop_twins(
    written: Written, groups: np.ndarray, kind: str, folder: Path, spec: Spec
) -> tuple[Written, np.ndarray, list[tuple[str, str]]]:
    """Drop training pictures with a twin in the test split.

    Returns:
        What is left, its groups of duplicates, and source and reason of each that was dropped.
    """
    twins = twins_in_test(written.index, written.grids, groups, kind)
    if len(twins):
        train = np.flatnonzero(written.index["split"] == TRAIN)
        drop_from_split("train", np.searchsorted(train, twins), folder, spec)
    sources = written.index["source"].iloc[twins]
    kept = np.delete(groups, twins)
    sizes = pd.Series(kept).map(pd.Series(kept).value_counts())
    kept[sizes < 2] = -1  # the other half of a pair that was broken up
    return written.without(twins), kept, [(source, TWIN) for source in sources]
