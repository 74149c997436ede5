"""IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist/), gzipped or not.

A file is a big-endian header - two zero bytes, the type (8: unsigned byte), the number of
dimensions, then each dimension as a 32-bit number - and the values in C order.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from lookbook.datasets.cards import Card, IdxReader
from lookbook.foundation.errors import LookbookError
from lookbook.readers.reading import Reading, index_of

UNSIGNED_BYTE = 8
BLOCK, BLOCK_BYTES = 1024, 2**26  # pictures, and bytes of them, read at a time
MAX_ENTRIES, MAX_ENTRY_BYTES = 5 * 10**6, 2**26  # ten times those of any published set, and more


def read(card: Card, folder: Path) -> Reading:
    """Return the pictures of the published training split, then those of the test split."""
    assert isinstance(card.reader, IdxReader)
    pairs = {"train": card.reader.train, "test": card.reader.test}
    labels = {
        split: _read_labels(folder / pair.labels, len(card.classes))
        for split, pair in pairs.items()
    }
    rows = [(split, row) for split in pairs for row in range(len(labels[split]))]
    sources = [f"{pairs[split].images}:{row}" for split, row in rows]
    published = [split for split, _ in rows]
    index = index_of(sources, np.concatenate(list(labels.values())), published)
    counts = [(folder / pairs[split].images, len(labels[split])) for split in pairs]
    return Reading(index, _pictures(counts), [], channels=1)


def _pictures(counts: list[tuple[Path, int]]) -> Iterator[np.ndarray]:
    for path, count in counts:
        for block in _blocks(path, dimensions=3, count=count):
            yield block[..., np.newaxis]


def _read_labels(path: Path, num_classes: int) -> np.ndarray:
    """Return the labels as uint8 of shape (n,), checked against the number of classes."""
    blocks = list(_blocks(path, dimensions=1))
    labels = np.concatenate(blocks) if blocks else np.empty(0, np.uint8)
    if not len(labels) or labels.max() >= num_classes:
        received = f"a label {labels.max()}" if len(labels) else "no label"
        raise LookbookError(
            f"Expected {path.name} to hold labels of 0-{num_classes - 1}. Received: {received}. "
            "Mend the card's classes, or fetch the file again."
        )
    return labels


def _blocks(path: Path, *, dimensions: int, count: int | None = None) -> Iterator[np.ndarray]:
    """Yield the values of an IDX file as uint8 arrays of up to `BLOCK` entries.

    Args:
        path: The file.
        dimensions: How many it must have: 1 for labels, 3 for pictures.
        count: How many entries it must have; None for any number.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            shape = _read_shape(file, path.name, dimensions)
            if count is not None and shape[0] != count:
                raise _fault(path.name, f"{count:,} pictures, one a label", f"{shape[0]:,}")
            entry = math.prod(shape[1:])
            block = max(1, min(BLOCK, BLOCK_BYTES // entry))
            for start in range(0, shape[0], block):
                size = min(block, shape[0] - start)
                values = file.read(size * entry)
                if len(values) < size * entry:
                    whole = start + len(values) // entry
                    raise _fault(path.name, f"{shape[0]:,} entries", f"only {whole:,} whole ones")
                yield np.frombuffer(values, np.uint8).reshape(size, *shape[1:])
            if file.read(1):
                raise _fault(path.name, f"the file to end after {shape[0]:,} entries", "more")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(path.name, "a whole gzip file", str(error)) from None
    except FileNotFoundError:
        raise _fault(path.name, f"the file in {path.parent}", "no such file") from None


def _read_shape(file: BufferedIOBase, name: str, dimensions: int) -> tuple[int, ...]:
    magic = file.read(4)
    expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if magic != expected:
        raise _fault(name, f"the IDX magic number 0x{expected.hex()}", f"0x{magic.hex()}")
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _fault(name, f"a header of {4 + 4 * dimensions} bytes", f"{4 + len(sizes)} bytes")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if 0 in shape:
        raise _fault(name, "no dimension of size 0", f"the shape {shape}")
    if shape[0] > MAX_ENTRIES or math.prod(shape[1:]) > MAX_ENTRY_BYTES:
        bounds = f"at most {MAX_ENTRIES:,} entries of {MAX_ENTRY_BYTES:,} values"
        raise _fault(name, bounds, f"the shape {shape}")
    return shape


def _fault(name: str, expected: str, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {expected} in {name}. Received: {received}. Fetch the file again, or mend the "
        "card."
    )
