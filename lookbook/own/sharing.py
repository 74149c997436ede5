"""Which split each newcomer goes to: written once, when it arrives, and never changed.

Newcomers fill the shares of their class. Photos of one group go to one split together: the one that
their group is in, or else the one that lacks most. A group that reaches into two splits, because a
newcomer resembles photos of both, is a bridge: its newcomers go to training.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.splits.spec import SPLITS, TEST, TRAIN, VALIDATION


class Shared(NamedTuple):
    """What became of newcomers.

    Attributes:
        splits: The split of each, as an index into `SPLITS`: int of shape (n,).
        bridges: Which of them are bridges, as rows of the newcomers.
        large: Groups that are larger than the share of the split that they are in, by name, with
            their size.
    """

    splits: np.ndarray
    bridges: np.ndarray
    large: dict[str, int]


def share_out(
    old: pd.DataFrame,
    new: pd.DataFrame,
    components: np.ndarray,
    *,
    validation_size: float,
    test_size: float,
) -> Shared:
    """Give each newcomer its split.

    Args:
        old: The set so far: `class` and `split` (a name).
        new: The newcomers: `id`, `class`, `group` and `split` (a name where it is published, or
            '').
        components: Photos with the same number stay together; those of `old`, then of `new`.
        validation_size: Share of each class that validation gets.
        test_size: The same for test.
    """
    classes = pd.Index(pd.unique(pd.concat([old["class"], new["class"]])))
    old_class, new_class = (classes.get_indexer(table["class"]) for table in (old, new))
    number = {name: place for place, name in enumerate(SPLITS)}
    old_split = old["split"].map(number).to_numpy(int)
    drawn = np.array(new["split"].map(number | {"": -1}), int)
    published = {name for name in SPLITS if (new["split"] == name).any()}
    sizes = np.array([0.0, validation_size, test_size])
    for split in (VALIDATION, TEST):
        if SPLITS[split] in published:
            sizes[split] = 0.0  # what is published is not filled up
    sizes[TRAIN] = 1 - sizes.sum()  # of what is shared out
    if published and sizes[1:].any():
        drawn[drawn == TRAIN] = -1  # shared with the splits that nobody published

    counts = np.zeros((len(classes), len(SPLITS)), int)
    np.add.at(counts, (old_class, old_split), 1)
    fixed = drawn >= 0
    np.add.at(counts, (new_class[fixed], drawn[fixed]), 1)
    totals = counts[:, sizes > 0].sum(axis=1)
    totals += np.bincount(new_class[~fixed], minlength=len(classes))

    homes = _homes(components[: len(old)], old_split)
    bridges: list[int] = []
    units: dict[int, list[int]] = {}
    for row in np.flatnonzero(~fixed).tolist():
        units.setdefault(components[len(old) + row], []).append(row)
    for component, rows in list(units.items()):
        splits = homes.get(component)
        if splits:
            drawn[rows] = TRAIN if len(splits) > 1 else next(iter(splits))
            np.add.at(counts, (new_class[rows], drawn[rows]), 1)
            bridges += rows if len(splits) > 1 else []
            del units[component]

    ids = new["id"].tolist()
    large = {}
    for rows in sorted(units.values(), key=lambda rows: (-len(rows), _chance(ids, rows))):
        wanted = np.bincount(new_class[rows], minlength=len(classes))
        split = _neediest(counts, totals, wanted, sizes)
        drawn[rows] = split
        counts[:, split] += wanted
        share = sizes[split] * totals[wanted > 0].sum()
        if len(rows) > max(1.0, np.ceil(share)):
            large[new["group"].iloc[rows[0]] or new["name"].iloc[rows[0]]] = len(rows)
    return Shared(drawn, np.array(sorted(bridges), int), large)


def _homes(components: np.ndarray, splits: np.ndarray) -> dict[int, set[int]]:
    homes: dict[int, set[int]] = {}
    for component, split in zip(components.tolist(), splits.tolist(), strict=True):
        homes.setdefault(component, set()).add(split)
    return homes


def _chance(ids: Sequence[str], rows: list[int]) -> str:
    """Return an order that depends on the photos alone, not on their names."""
    return min(hashlib.sha256(ids[row].encode()).hexdigest() for row in rows)


def _neediest(counts: np.ndarray, totals: np.ndarray, wanted: np.ndarray, sizes: np.ndarray) -> int:
    """Return the split that lacks most of the classes wanted; one that has none of them first."""
    of = wanted > 0
    lacking = (sizes * totals[of, None] - counts[of]).sum(axis=0)
    has_none = (counts[of] == 0).any(axis=0) & (sizes > 0)
    best = np.where(has_none if has_none.any() else sizes > 0, lacking, -np.inf)
    return int(best.argmax())
