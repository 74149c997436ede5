"""The processed splits on disk: raw uint8 pixels in shards, labels, an index, and spec.json.

    data/processed/spec.json
    data/processed/<split>/images-00000.npy   uint8 (n, height, width, channels), at most 64 MiB
    data/processed/<split>/labels-00000.npy   int32 (n,), class indices
    data/processed/<split>/index-00000.csv    id, source and label of each picture, in this order

Scaling and the target form are recorded in spec.json and applied when a batch is made or, for
the scaling, as the first layer of a model.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.errors import LookbookError
from lookbook.files import sha256_of, write_json
from lookbook.splitting import SPLITS

PROCESSED = Path("data/processed")
SHARD_BYTES = 64 * 2**20
HEADER_BYTES = 128  # of an .npy file of this kind
BLOCK_BYTES = 4 * 2**20  # of raw pixels that go through a model at once
BLOCK_ROWS = 1024  # at most
INDEX_COLUMNS = ["id", "source", "label"]


@dataclass(frozen=True)
class Scaling:
    """What models compute from raw pixels before anything else: `x * scale + offset`.

    Attributes:
        name: `unit`, `symmetric`, `standard` or `none`.
        scale: One factor a channel.
        offset: One offset a channel.
    """

    name: str
    scale: list[float]
    offset: list[float]

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 of the same shape; the last axis is the channels."""
        return pixels * np.float32(self.scale) + np.float32(self.offset)


@dataclass(frozen=True)
class Spec:
    """What spec.json says of the splits.

    Attributes:
        class_names: In label order.
        image_shape: (height, width, channels).
        scaling: See `Scaling`.
        one_hot: Whether targets are one-hot rows rather than class indices.
        counts: Pictures in each split.
        dropped: Pictures left out, counted by reason.
        flips: Whether a picture mirrored left to right is still one of its class.
    """

    class_names: list[str]
    image_shape: tuple[int, int, int]
    scaling: Scaling
    one_hot: bool
    counts: dict[str, int]
    dropped: dict[str, int]
    flips: bool = False

    @property
    def num_classes(self) -> int:
        return len(self.class_names)


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
        self._rows = []  # of the open shard
        self._file = None

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
                self._write(pixels[start:end])
                self._close_shard()
                start = end
        if start < len(pixels):
            self._write(pixels[start:])

    def finish(self) -> None:
        """Close the last shard."""
        if self._file:
            self._close_shard()

    def _ends_shard(self, picture_id: str) -> bool:
        rows = len(self._rows)
        chance = max(1, self._most // 8)  # the larger, the fewer shards end before they are full
        due = rows >= self._most // 4 and int(picture_id, 16) % chance == 0
        return due or rows >= self._most

    def _write(self, pixels: list[np.ndarray]) -> None:
        if self._file is None:
            self._file = (self.folder / f"images-{self._shard:05}.npy").open("wb")
            self._write_header()
        self._file.writelines(pixels)

    def _write_header(self) -> None:
        # NumPy leaves room in the header, so that it has the same length for every count.
        shape = (len(self._rows), *self.image_shape)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def _close_shard(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()
        index = pd.DataFrame(self._rows, columns=INDEX_COLUMNS)
        labels = index["label"].to_numpy(np.int32)
        np.save(self.folder / f"labels-{self._shard:05}.npy", labels, allow_pickle=False)
        path = self.folder / f"index-{self._shard:05}.csv"
        index.to_csv(path, index=False, lineterminator="\n")
        self._shard, self._rows, self._file = self._shard + 1, [], None


def most_rows(image_shape: tuple[int, int, int]) -> int:
    """Return how many pictures of this shape a shard of at most `SHARD_BYTES` holds."""
    return max(1, (SHARD_BYTES - HEADER_BYTES) // int(np.prod(image_shape)))


def index_blocks(count: int, row_bytes: int) -> list[np.ndarray]:
    """Return 0 to `count` - 1 in runs of as many rows as may go through a model at once.

    Args:
        count: How many rows there are.
        row_bytes: Size of each, as it is stored.
    """
    size = max(1, min(BLOCK_ROWS, BLOCK_BYTES // row_bytes))
    return np.split(np.arange(count), range(size, count, size))


def provisional(
    class_names: list[str], image_shape: tuple[int, int, int], one_hot: bool, splits: np.ndarray
) -> Spec:
    """Return what is known of the splits while they are made: no scaling, nothing dropped.

    Args:
        class_names: In label order.
        image_shape: (height, width, channels).
        one_hot: See `Spec`.
        splits: The split of each picture, as an index into `SPLITS`.
    """
    counts = {name: int((splits == split).sum()) for split, name in enumerate(SPLITS)}
    none = Scaling("none", [1.0] * image_shape[2], [0.0] * image_shape[2])
    return Spec(class_names, image_shape, none, one_hot, counts, {})


def scaling_for(name: str, train: "Split") -> Scaling:
    """Return the scaling of that name: `unit`, `symmetric`, `standard` or `none`.

    The mean and deviation of `standard` come from whole numbers, how often each value occurs in the
    training pictures, so they are the same on every machine.
    """
    channels = train.image_shape[-1]
    if name != "standard":
        scale, offset = {
            "unit": (1 / 255, 0.0),
            "symmetric": (1 / 127.5, -1.0),
            "none": (1.0, 0.0),
        }[name]
        return Scaling(name, [scale] * channels, [offset] * channels)
    values = np.arange(256)
    scales, offsets = [], []
    for counts in _value_counts(train):
        n, total, squares = (int((counts * values**power).sum()) for power in range(3))
        mean = total / n
        deviation = ((squares * n - total * total) / (n * n)) ** 0.5 or 1.0
        scales.append(1 / deviation)
        offsets.append(-mean / deviation)
    return Scaling(name, scales, offsets)


def _value_counts(split: "Split") -> np.ndarray:
    """Return int64 of shape (channels, 256): how often each value occurs."""
    counts = np.zeros((split.image_shape[-1], 256), np.int64)
    for block in split.blocks():
        images = split.read(block)
        for channel in range(len(counts)):
            counts[channel] += np.bincount(images[..., channel].ravel(), minlength=256)
    return counts


def write_spec(folder: Path, spec: Spec) -> None:
    """Write spec.json into the folder of the splits."""
    write_json(folder / "spec.json", asdict(spec))


def read_spec(folder: Path = PROCESSED) -> Spec:
    """Read spec.json.

    Raises:
        LookbookError: If it is missing or damaged.
    """
    path = folder / "spec.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["scaling"] = Scaling(**content["scaling"])
        content["image_shape"] = tuple(content["image_shape"])
        return Spec(**content)
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise _fault(path, "the description of the splits", error) from None


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
        labels = [self._open(f"labels-{shard:05}.npy", ()) for shard in shards]
        self.labels = np.concatenate([np.empty(0, np.int32), *labels])
        self._starts = np.cumsum([0, *map(len, self._shards)])
        received = (int(self._starts[-1]), len(self.labels))
        if received != (count, count):
            raise _fault(self.folder, f"{count} pictures and labels", received)

    def __len__(self) -> int:
        return len(self.labels)

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

    def _open(self, name: str, entry_shape: tuple[int, ...]) -> np.ndarray:
        path = self.folder / name
        kind = np.dtype(np.uint8 if entry_shape else np.int32)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (FileNotFoundError, ValueError, EOFError) as error:
            raise _fault(path, "a whole shard", error) from None
        if array.dtype != kind or array.shape[1:] != entry_shape:
            received = f"{array.dtype} of shape {array.shape}"
            raise _fault(path, f"{kind} entries of shape {entry_shape}", received)
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


def _fault(path: Path, expected: str, received: object) -> LookbookError:
    return LookbookError(
        f"Expected {expected} in {path}. Received: {received}. Run `dvc repro preprocess`."
    )
