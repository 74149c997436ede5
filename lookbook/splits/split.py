"""Read a processed split by index, from memory-mapped shards."""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import read_csv, sha256_of
from lookbook.foundation.parallel import in_parallel
from lookbook.splits.shards import Shards
from lookbook.splits.spec import PROCESSED, Spec, damaged, read_spec
from lookbook.splits.sums import check_sum, read_sums

BLOCK_BYTES = 4 * 2**20  # of raw pixels that go through a model at once
BLOCK_ROWS = 1024  # at most


def index_blocks(count: int, row_bytes: int) -> list[np.ndarray]:
    """Return 0 to `count` - 1 in runs of as many rows as may go through a model at once.

    Args:
        count: How many rows there are.
        row_bytes: Size of each, as it is stored.
    """
    size = max(1, min(BLOCK_ROWS, BLOCK_BYTES // row_bytes))
    return np.split(np.arange(count), range(size, count, size))


class Split:
    """One processed split, read by index from memory-mapped shards."""

    def __init__(self, name: str, folder: Path = PROCESSED, spec: Spec | None = None):
        """Open a split.

        Args:
            name: `train`, `validation` or `test`.
            folder: The folder of the splits.
            spec: Their description while they are made; by default that in spec.json, and each
                file that is opened must be as it was written.

        Raises:
            LookbookError: If its files are missing, damaged, or do not fit spec.json.
        """
        self.name = name
        self.folder = folder / name
        self.spec = spec or read_spec(folder)
        self._sums = None if spec else read_sums(folder)
        self._check(folder / "spec.json")
        count = self.spec.counts[name]
        shards = range(len(list(self.folder.glob("images-*.npy"))))
        names = [f"images-{shard:05}.npy" for shard in shards]
        counts = list(in_parallel(lambda name: len(self._open(name, self.image_shape)), names))
        paths = [self.folder / name for name in names]
        self._shards = Shards(paths, counts, self.image_shape, np.uint8)
        if len(self) != count:
            raise damaged(self.folder, f"{count} pictures", len(self))

    def __len__(self) -> int:
        return len(self._shards)

    @cached_property
    def labels(self) -> np.ndarray:
        """The classes of the pictures, int32 of shape (n,)."""
        names = (f"labels-{shard:05}.npy" for shard in range(len(self._shards.paths)))
        shards = (np.array(self._open(name, ())) for name in names)
        labels = np.concatenate([np.empty(0, np.int32), *shards])
        if len(labels) != len(self):
            raise damaged(self.folder, f"{len(self)} labels", len(labels))
        return labels

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.spec.image_shape

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return raw uint8 pictures of shape (len(indices), height, width, channels)."""
        return self._shards.take(indices)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the same as `images` by plain reads, see `Shards.read`."""
        return self._shards.read(indices)

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return int32 class indices of shape (n,), or float32 one-hot rows of (n, classes)."""
        labels = self.labels[indices]
        if not self.spec.one_hot:
            return labels
        return np.eye(self.spec.num_classes, dtype=np.float32)[labels]

    def blocks(self) -> list[np.ndarray]:
        """Return the indices of all pictures, in order, in runs that fit; see `index_blocks`."""
        return index_blocks(len(self), int(np.prod(self.image_shape)))

    def fingerprint(self) -> str:
        """Return a hash of the split's files and of spec.json's content, as hex digits."""
        digest = hashlib.sha256(repr(self.spec).encode())
        for path in sorted(self.folder.iterdir()):
            digest.update(f"{path.name} {sha256_of(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def ids(self) -> np.ndarray:
        """The ids of the pictures, str of shape (n,)."""
        return self.index()["id"].to_numpy(str)

    def index(self) -> pd.DataFrame:
        """Return the columns id, source and label, one row a picture."""
        parts = sorted(self.folder.glob("index-*.csv"))
        for part in parts:
            self._check(part)
        index = pd.concat([read_csv(part) for part in parts], ignore_index=True)
        return index.astype({"label": np.int32})

    def _check(self, path: Path) -> None:
        if self._sums is not None:
            check_sum(path, self._sums)

    def _open(self, name: str, entry_shape: tuple[int, ...]) -> np.memmap:
        path = self.folder / name
        kind = np.dtype(np.uint8 if entry_shape else np.int32)
        try:
            self._check(path)
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (FileNotFoundError, ValueError, EOFError) as error:
            raise damaged(path, "a whole shard", error) from None
        if array.dtype != kind or array.shape[1:] != entry_shape:
            received = f"{array.dtype} of shape {array.shape}"
            raise damaged(path, f"{kind} entries of shape {entry_shape}", received)
        return array


def training_splits() -> tuple[Split, Split]:
    """Return the training and the validation split, for a network.

    Raises:
        LookbookError: If there are no validation pictures.
    """
    train, validation = Split("train"), Split("validation")
    if not len(validation):
        raise LookbookError(
            "Expected validation pictures, which a network's training is watched on. Received: "
            "none. Set preprocess.validation_size above 0."
        )
    return train, validation
