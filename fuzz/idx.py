"""IDX files: the first byte says whether pictures or labels come from outside, gzipped or not."""

import gzip
import struct
from pathlib import Path

from fuzz._cards import card
from lookbook.readers import idx

COUNT, SIDE = 3, 4
IMAGES = struct.pack(">4B3I", 0, 0, 8, 3, COUNT, SIDE, SIDE) + bytes(range(COUNT * SIDE * SIDE))
LABELS = struct.pack(">4BI", 0, 0, 8, 1, COUNT) + b"\0\1\0"
SEEDS = [
    b"\0" + IMAGES,
    b"\1" + LABELS,
    b"\2" + gzip.compress(IMAGES),
    b"\3" + gzip.compress(LABELS),
]


def read(content: bytes, folder: Path) -> None:
    """Read a set of which one file is from outside."""
    number = (content or b"\0")[0]
    suffix, has_labels = ".gz" if number & 2 else "", number & 1
    names = {"images": f"images{suffix}", "labels": f"labels{suffix}"}
    pack = gzip.compress if suffix else bytes
    for name, sound in (("images", IMAGES), ("labels", LABELS)):
        outside = has_labels == (name == "labels")
        (folder / names[name]).write_bytes(content[1:] if outside else pack(sound))
    reading = idx.read(
        card({"kind": "idx", "train": names, "test": names}, *names.values()), folder
    )
    assert sum(map(len, reading.batches)) == len(reading.index)
