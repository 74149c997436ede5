"""Write the pictures of a split in shards whose ends depend on their content."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from lookbook.foundation.files import write_csv

SHARD_BYTES = 64 * 2**20
HEADER_BYTES = 128  # of an .npy file of this kind
INDEX_COLUMNS = ["id", "source", "label"]


class SplitWriter:
    """Writes the pictures of one split as they come, in shards.

    Where a shard ends depends on the ids of the pictures around, not on how many came before: a
    picture that is added or removed changes its own shard, seldom the next, and no other.

    Plain writes, not a memory map: a full disk is then an error that can be told, not a bus error
    that kills the process, and written pages do not count as this process's memory.
    """

    def __init__(self, folder: Path, image_shape: tuple[int, int, int]):
        """Create `folder` for pictures of `image_shape`."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.image_shape = image_shape
        self._most = most_rows(image_shape)
        self._shard = 0
        self._rows: list[tuple[str, str, int]] = []  # of the open shard
        self._file: BinaryIO | None = None

    def append(self, pixels: list[np.ndarray], rows: list[tuple[str, str, int]]) -> None:
        """Append pictures.

        Args:
            pixels: uint8 of the image shape for each, in C order.
            rows: Id, source and label of each.
        """
        start = 0
        for end, row in enumerate(rows, start=1):
            self._rows.append(row)
            if self._ends_shard(row[0]):
                self._close_shard(self._write(pixels[start:end]))
                start = end
        if start < len(pixels):
            self._write(pixels[start:])

    def finish(self) -> None:
        """Close the last shard."""
        if self._file:
            self._close_shard(self._file)

    def _ends_shard(self, picture_id: str) -> bool:
        rows = len(self._rows)
        chance = max(1, self._most // 8)  # the larger, the fewer shards end before they are full
        due = rows >= self._most // 4 and int(picture_id, 16) % chance == 0
        return due or rows >= self._most

    def _write(self, pixels: list[np.ndarray]) -> BinaryIO:
        """Write to the open shard, a new one if none is, and return its file."""
        if self._file is None:
            self._file = (self.folder / f"images-{self._shard:05}.npy").open("wb")
            self._write_header(self._file)
        self._file.writelines(picture.data for picture in pixels)
        return self._file

    def _write_header(self, file: BinaryIO) -> None:
        # NumPy leaves room in the header, so that it has the same length for every count.
        shape = (len(self._rows), *self.image_shape)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

    def _close_shard(self, file: BinaryIO) -> None:
        file.seek(0)
        self._write_header(file)
        file.close()
        index = pd.DataFrame(self._rows, columns=INDEX_COLUMNS)
        labels = index["label"].to_numpy(np.int32)
        np.save(self.folder / f"labels-{self._shard:05}.npy", labels, allow_pickle=False)
        write_csv(self.folder / f"index-{self._shard:05}.csv", index)
        self._shard, self._rows, self._file = self._shard + 1, [], None


def most_rows(image_shape: tuple[int, int, int]) -> int:
    """Return how many pictures of this shape a shard of at most `SHARD_BYTES` holds."""
    return max(1, (SHARD_BYTES - HEADER_BYTES) // int(np.prod(image_shape)))
