"""From published files to the splits on disk, in one pass on all cores.

Memory does not grow with the pictures, but for some 600 bytes that are kept of each.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from lookbook.foundation.files import remove
from lookbook.foundation.parallel import in_parallel
from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.pictures.likeness import GRID
from lookbook.pictures.near import near_components
from lookbook.pictures.resizing import sharing_threads
from lookbook.preprocessing.assignment import Assignment
from lookbook.preprocessing.relabelling import DROPPED, GONE, Relabelling, relabelled
from lookbook.readers import Reading
from lookbook.splits.spec import SPLITS, Spec
from lookbook.splits.split import Split
from lookbook.splits.writing import SplitWriter


class Written(NamedTuple):
    """The pictures that are in the splits.

    Attributes:
        index: Columns id, source, label, split (an index into `SPLITS`), width and height (as
            published), and group (see `Reading.groups`) where it is known; one row a picture, the
            rows of a split are in its order.
        grids: uint8 of shape (n, GRID, GRID): the small grey likeness of each.
        relabelled: Those with another label than the given one, and those that were dropped for
            it, as `lookbook.preprocessing.relabelling.relabelled` lists them.
    """

    index: pd.DataFrame
    grids: np.ndarray
    relabelled: pd.DataFrame

    def without(self, rows: np.ndarray) -> "Written":
        """Return the same without these rows."""
        gone = self.relabelled["source"].isin(self.index["source"].iloc[rows])
        return Written(
            self.index.drop(rows).reset_index(drop=True),
            np.delete(self.grids, rows, 0),
            self.relabelled[~gone],
        )


def write_splits(
    reading: Reading,
    form: Form,
    assignment: Assignment,
    relabelling: Relabelling,
    folder: Path,
) -> tuple[Written, list[tuple[str, str]], list[tuple[str, str]]]:
    """Decode all pictures and write each to its split.

    Args:
        reading: The data set.
        form: What its pictures are brought to.
        assignment: Which split each goes to, by its given label.
        relabelling: Which label it gets there.
        folder: Where the folders of the splits are created.

    Returns:
        What was written, source and reason of each picture that could not be read, and of each
        that was dropped in a review.

    Raises:
        LookbookError: If a review was about other given labels.
    """
    sources, given = reading.index["source"].to_numpy(), reading.index["label"].to_numpy()
    writers = [SplitWriter(folder / name, form.shape) for name in SPLITS]
    count = len(reading.index)
    # One row a picture, made at once: many small arrays would leave memory in pieces.
    read, split, labels = np.zeros(count, bool), np.zeros(count, np.int8), given.copy()
    ids, sizes = np.zeros(count, "S16"), np.zeros((count, 2), np.int32)
    grids = np.zeros((count, GRID, GRID), np.uint8)
    unreadable, start = [], 0
    batches = in_parallel(lambda batch: (len(batch), process(batch, form)), reading.batches)
    bar = tqdm(total=count, unit=" pictures", disable=None, leave=False)
    with sharing_threads(), bar as progress:
        for drawn, done in batches:
            rows = start + np.array(done.kept, int)
            read[rows], ids[rows] = True, done.ids
            sizes[rows], grids[rows] = done.sizes, done.grids
            split[rows] = assignment.splits_of(rows, done.ids)
            labels[rows] = relabelling.labels_for(done.ids, given[rows])
            for number, writer in enumerate(writers):
                here = np.flatnonzero((split[rows] == number) & (labels[rows] != GONE))
                writer.append(
                    [done.pixels[i] for i in here],
                    [(done.ids[i], sources[rows[i]], int(labels[rows[i]])) for i in here],
                )
            unreadable += [(sources[start + place], reason) for place, reason in done.faults]
            start += drawn
            progress.update(drawn)
    for writer in writers:
        writer.finish()
    index = pd.DataFrame(
        {
            "id": ids[read].astype("U16"),
            "source": sources[read],
            "label": labels[read],
            "split": split[read],
            "width": sizes[read, 0],
            "height": sizes[read, 1],
        }
    )
    if reading.groups is not None:
        index["group"] = reading.groups[read]
    relabelling.check_all_met(index["id"].to_numpy(), given[read])
    changed = given[read] != labels[read]
    rows_of_them = index[changed].assign(given=given[read][changed])
    changes = relabelled(rows_of_them, relabelling.class_names)
    dropped = [(source, DROPPED) for source in index.loc[index["label"] == GONE, "source"]]
    if dropped:
        read[read] = kept = (index["label"] != GONE).to_numpy()
        index = index[kept].reset_index(drop=True)
    grids = grids[read] if len(index) < count else grids
    return Written(index, grids, changes), unreadable, dropped


def near_groups(reading: Reading, form: Form) -> np.ndarray:
    """Number the pictures so that near duplicates share a number; unreadable ones are alone.

    Returns:
        int of shape (n,), for the rows of the reading's index.
    """
    grids = np.zeros((len(reading.index), GRID, GRID), np.uint8)
    start, kept = 0, []
    bar = tqdm(total=len(grids), unit=" pictures", desc="groups", disable=None, leave=False)
    with sharing_threads(), bar as progress:
        batches = in_parallel(lambda batch: (len(batch), process(batch, form)), reading.batches)
        for drawn, done in batches:
            grids[start + np.array(done.kept, int)] = done.grids
            kept += [start + place for place in done.kept]
            start += drawn
            progress.update(drawn)
    groups, read = near_components(grids), np.zeros(len(grids), bool)
    read[kept] = True
    groups[~read] = groups.max(initial=0) + 1 + np.arange(int((~read).sum()))
    return groups


def drop_from_split(name: str, rows: np.ndarray, folder: Path, spec: Spec) -> None:
    """Write a split anew without some of its pictures.

    Args:
        name: `train`, `validation` or `test`.
        rows: Which of them, counted from the split's first.
        folder: The folder of the splits.
        spec: Describes the splits as they are.
    """
    split = Split(name, folder, spec)
    index = split.index()
    entries = list(zip(index["id"], index["source"], index["label"].tolist(), strict=True))
    stays = ~np.isin(np.arange(len(split)), rows)
    writer = SplitWriter(folder / f"{name}-kept", spec.image_shape)
    for block in split.blocks():
        kept = block[stays[block]]
        writer.append(list(split.read(kept)), [entries[row] for row in kept])
    writer.finish()
    remove(folder / name)
    (folder / f"{name}-kept").rename(folder / name)
