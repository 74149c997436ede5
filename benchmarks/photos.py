"""Time photos to splits against Pillow alone.

    python -m benchmarks.photos ARCHIVE.zip

Plain: what a script does that reads each photo of the archive, decodes it and stretches it to
160x160, on one core; half of that is what two cores could do at best. Lookbook: the same pictures,
hashed, given their split, and written in shards with labels and index. In turn, on the same photos.
"""

import io
import statistics
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from PIL import Image

from lookbook.datasets.archives import is_picture, list_members
from lookbook.datasets.cards import Card
from lookbook.datasets.labels import COLUMNS
from lookbook.pictures.decoding import Form
from lookbook.preprocessing.assignment import Assignment
from lookbook.preprocessing.relabelling import Relabelling
from lookbook.preprocessing.streaming import write_splits
from lookbook.readers import images

SIZE = 160
ROUNDS = 5


def plain(path: Path) -> float:
    """Return the seconds that Pillow takes on one core."""
    start = time.perf_counter()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if is_picture(name):
                picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
                np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    return time.perf_counter() - start


def lookbook(path: Path) -> float:
    """Return the seconds that Lookbook takes, hashing and writing included."""
    names = [member.name for member in list_members(path)]
    classes = sorted({place.folder for place in images.arrange(names).values()})
    card = Card.model_validate(
        {
            "title": path.name,
            "licence": "",
            "homepage": "",
            "classes": classes,
            "files": [{"name": path.name, "bytes": path.stat().st_size, "sha256": "0" * 64}],
            "source": {"kind": "mirror", "folder": "samples"},
            "reader": {"kind": "images", "channels": 3},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "raw")
        raw.mkdir()
        (raw / path.name).symlink_to(path.absolute())
        start = time.perf_counter()
        reading = images.read(card, raw)
        settings = {"method": "stratified", "validation_size": 0.2, "test_size": 0.2, "seed": 42}
        assignment = Assignment(reading.index, classes, **settings)
        none = Relabelling("photos", pd.DataFrame(columns=COLUMNS), classes)
        write_splits(reading, Form(SIZE, 3, "stretch"), assignment, none, Path(folder))
        return time.perf_counter() - start


def main() -> None:
    """Time both in turn and print the ratio."""
    if len(sys.argv) != 2:
        sys.exit("Expected a zip archive of photos: python -m benchmarks.photos PHOTOS.zip")
    path = Path(sys.argv[1])
    lookbook(path)  # imports and the file cache
    ratios = []
    for number in range(ROUNDS):
        one_core, ours = plain(path), lookbook(path)
        ratios.append(ours / (one_core / 2))
        print(f"round {number + 1}: Pillow on one core {one_core:.2f} s, Lookbook {ours:.2f} s")
    print(
        f"{joblib.cpu_count()} cores: Lookbook takes {statistics.median(ratios):.2f} x half of "
        f"Pillow's time ({min(ratios):.2f}-{max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
