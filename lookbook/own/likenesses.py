"""The likenesses of a set's photos, kept in the user's cache, or made again from the packs."""

from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.datasets.packs import read_packed
from lookbook.foundation.damage import DAMAGED_ARRAYS
from lookbook.foundation.files import replacing
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.places import cache_folder
from lookbook.own.examining import LOOK
from lookbook.pictures.batch import process
from lookbook.pictures.likeness import GRID
from lookbook.pictures.resizing import sharing_threads

KEPT = "likenesses.npz"


def likenesses(dataset: str, folder: Path, table: pd.DataFrame) -> np.ndarray:
    """Return uint8 (n, GRID, GRID): the likeness of each photo of a list; 0 where there is none.

    Args:
        dataset: The set's name.
        folder: Of its packs.
        table: Its list.
    """
    known = _known(dataset)
    grids = np.zeros((len(table), GRID, GRID), np.uint8)
    missing = []
    for row, photo in enumerate(table["id"]):
        if photo in known:
            grids[row] = known[photo]
        else:
            missing.append(row)
    if missing:
        contents = read_packed(folder, table.iloc[missing])
        with sharing_threads():
            for row, grid in zip(missing, in_parallel(_grid, contents), strict=True):
                grids[row] = grid
    return grids


def keep_likenesses(dataset: str, ids: list[str], grids: np.ndarray) -> None:
    """Remember the likenesses of a set's photos on this machine."""
    with replacing(cache_folder(dataset) / KEPT, shared=True) as partial:
        np.savez(partial, allow_pickle=False, ids=np.array(ids, "S16"), grids=grids)


def _known(dataset: str) -> dict[str, np.ndarray]:
    try:
        with np.load(cache_folder(dataset) / KEPT, allow_pickle=False) as kept:
            ids, grids = kept["ids"].astype(str), kept["grids"]
    except DAMAGED_ARRAYS:
        return {}  # not kept, or damaged: they are made again
    if grids.shape != (len(ids), GRID, GRID) or grids.dtype != np.uint8:
        return {}
    return dict(zip(ids.tolist(), grids, strict=True))


def _grid(content: bytes | str) -> np.ndarray:
    if isinstance(content, bytes):
        seen = process([content], LOOK)
        if not seen.faults:
            return seen.grids[0]
    return np.zeros((GRID, GRID), np.uint8)
