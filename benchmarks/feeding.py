"""How many pictures a second can a core get ready for a graphics card?

    python -m benchmarks.feeding       a minute; LOOKBOOK_MIRROR, for the photos

Counted in seconds of one core's time, which other programs on the machine change little: photos
decoded and resized, as preprocess does it once; pictures gathered at random from a mapped shard,
augmented, and copied into a tensor, as each epoch does it.
"""

import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from lookbook.datasets.archives import is_picture
from lookbook.foundation.params import load_params
from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.splits.shards import Shards
from lookbook.splits.writing import most_rows
from lookbook.training.augmentation import Augmentation

ROOT = Path(__file__).parents[1]
PHOTOS = "samples/cats_vs_dogs_sample.zip"
SIDES = (64, 160, 224)
DECODED, GATHERED = 200, 256
LEAST = 3.0  # seconds


def rate(call: Callable[[], object], pictures: int) -> float:
    """Return pictures a second of one core's time."""
    call()
    start, times = time.process_time(), 0
    while (spent := time.process_time() - start) < LEAST:
        call()
        times += 1
    return times * pictures / spent


def main() -> None:
    """Measure each size."""
    mirror = os.environ.get("LOOKBOOK_MIRROR", "mirror")
    with zipfile.ZipFile(Path(mirror, PHOTOS)) as archive:
        names = [name for name in archive.namelist() if is_picture(name)][:DECODED]
        photos = [archive.read(name) for name in names]
    settings = load_params(ROOT / "params.yaml").train_cnn.augmentation
    augmentation = Augmentation(settings.rotation, settings.zoom, settings.shift, flip=True)
    rng = np.random.default_rng(0)
    for side in SIDES:
        shape = (side, side, 3)
        count = most_rows(shape)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "images.npy")
            np.save(path, rng.integers(0, 256, (count, *shape), np.uint8))
            shards = Shards([path], [count], shape, np.uint8)
            order = partial(rng.integers, 0, count, GATHERED)
            pixels = shards.take(order())
            form = Form(side, 3, "stretch")
            figures = {
                "decoded": rate(lambda form=form: process(photos, form), len(photos)),
                "gathered": rate(lambda s=shards, o=order: s.take(o()), GATHERED),
                "augmented": rate(lambda p=pixels: augmentation.apply(rng, p), GATHERED),
                "copied": rate(lambda p=pixels: tf.constant(p), GATHERED),
            }
        told = ", ".join(f"{name} {figure:,.0f}" for name, figure in figures.items())
        print(f"{side} pixels: {told} pictures a second and core", flush=True)


if __name__ == "__main__":
    main()
