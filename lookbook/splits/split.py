"""Read a processed split by index, from memory-mapped shards."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import sha256_of
from lookbook.splits.spec import PROCESSED, Spec, damaged, read_spec

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
            spec: Their description; by default that in spec.json.

        Raises:
            LookbookError: If its files are missing or do not fit spec.json.
        """
        self.name = name
        self.folder = folder / name
        self.spec = spec or read_spec(folder)
        count = self.spec.counts[name]
        shards = range(len(list(self.folder.glob("images-*.npy"))))
        self._maps = [
            self._open(f"images-{shard:05}.npy", self.spec.image_shape) for shard in shards
        ]
        self._shards = [np.asarray(mapped) for mapped in self._maps]  # quicker to index
        self._starts = np.cumsum([0, *map(len, self._shards)])
        if self._starts[-1] != count:
            raise damaged(self.folder, f"{count} pictures", int(self._starts[-1]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def labels(self) -> np.ndarray:
        """The classes of the pictures, int32 of shape (n,)."""
        shards = [self._open(f"labels-{n:05}.npy", ()) for n in range(len(self._shards))]
        labels = np.concatenate([np.empty(0, np.int32), *shards])
        if len(labels) != len(self):
            raise damaged(self.folder, f"{len(self)} labels", len(labels))
        return labels

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.spec.image_shape

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return raw uint8 pictures of shape (len(indices), height, width, channels)."""
        if len(self._shards) == 1:
            return np.asarray(self._shards[0][indices])
        images = np.empty((len(indices), *self.image_shape), np.uint8)
        for shard, places, rows in self._located(indices):
            images[places] = self._shards[shard][rows]
        return images

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the same as `images`, by plain reads, for going through a split once.

        The pages of a memory map stay and count as this process's memory; these do not.
        """
        images = np.empty((len(indices), *self.image_shape), np.uint8)
        for shard, places, rows in self._located(indices):
            mapped = self._maps[shard]
            assert mapped.filename
            with Path(mapped.filename).open("rb", buffering=0) as file:
                for place, row in zip(places, rows, strict=True):
                    file.seek(mapped.offset + row * images[place].nbytes)
                    file.readinto(images[place].data)
        return images

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
        kinds = {"id": str, "source": str, "label": np.int32}
        return pd.concat([pd.read_csv(part, dtype=kinds) for part in parts], ignore_index=True)

    def _located(self, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield each shard that holds some of the pictures, their places in `indices`, its rows."""
        shards = np.searchsorted(self._starts, indices, side="right") - 1
        for shard, start in enumerate(self._starts[:-1]):
            places = np.flatnonzero(shards == shard)
            if len(places):
                yield shard, places, indices[places] - start

    def _open(self, name: str, entry_shape: tuple[int, ...]) -> np.memmap:
        path = self.folder / name
        kind = np.dtype(np.uint8 if entry_shape else np.int32)
        try:
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
