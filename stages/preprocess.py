"""Turn published files into training, validation and test splits.

In: data/raw and the card. Out: data/processed, as `lookbook.splits` describes it.

Pictures are decoded and resized once, into one file in published order; when all ids and labels
are known, that file is dealt out to the splits. Both passes hold a few megabytes at a time.

    python -m stages.preprocess      3 s for digits, 5 s for MNIST
"""

import hashlib
import logging
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from lookbook.cards import load_card
from lookbook.errors import LookbookError, explains_errors
from lookbook.files import remove, replacing, write_metrics
from lookbook.params import load_params
from lookbook.readers import Picture, read_pictures
from lookbook.splits import PROCESSED, Spec, SplitWriter, scaling_for, write_spec
from lookbook.splitting import SPLITS, draw_splits

RAW = Path("data/raw")
METRICS = Path("metrics/preprocess.json")
BLOCK_BYTES = 8 * 2**20

logger = logging.getLogger("preprocess")


def resize(pixels: np.ndarray, image_size: int) -> np.ndarray:
    """Stretch a uint8 picture (height, width, 1 or 3) to a square by bilinear interpolation."""
    if pixels.shape[:2] == (image_size, image_size):
        return pixels
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    resized = picture.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.asarray(resized).reshape(image_size, image_size, pixels.shape[2])


def decode(pictures: Iterable[Picture], image_size: int, path: Path) -> tuple[pd.DataFrame, int]:
    """Write the resized pixels of all pictures to `path`, one after the other.

    Returns:
        The index, with the columns id, source, label and published, and the number of channels.
    """
    index, channels = [], None
    with path.open("wb") as file:
        for picture in tqdm(pictures, unit=" pictures", disable=None):
            channels = channels or picture.pixels.shape[2]
            if picture.pixels.shape[2] != channels:
                raise LookbookError(
                    f"Expected pictures of {channels} channels. Received: "
                    f"{picture.pixels.shape[2]} in {picture.source}. Convert it."
                )
            digest = hashlib.sha256(picture.pixels.tobytes()).hexdigest()
            index.append((digest[:16], picture.source, picture.label, picture.split or ""))
            file.write(resize(picture.pixels, image_size).tobytes())
    return pd.DataFrame(index, columns=["id", "source", "label", "published"]), channels


def deal(
    path: Path, splits: np.ndarray, index: pd.DataFrame, shape: tuple[int, int, int], folder: Path
) -> np.ndarray:
    """Deal the pictures in `path` out to the splits.

    Returns:
        int64 of shape (channels, 256): how often each value occurs in the training pictures.
    """
    counts = np.bincount(splits, minlength=len(SPLITS)).tolist()
    writers = [SplitWriter(folder / name, shape, counts[i]) for i, name in enumerate(SPLITS)]
    value_counts = np.zeros((shape[2], 256), np.int64)
    size = int(np.prod(shape))
    rows = max(1, BLOCK_BYTES // size)
    with path.open("rb") as file:
        for start in range(0, len(splits), rows):
            block = np.frombuffer(file.read(rows * size), np.uint8).reshape(-1, *shape)
            for split, writer in enumerate(writers):
                images = block[splits[start : start + rows] == split]
                writer.append(images)
                if SPLITS[split] == "train":
                    for channel in range(shape[2]):
                        values = images[..., channel].ravel()
                        value_counts[channel] += np.bincount(values, minlength=256)
    for split, writer in enumerate(writers):
        writer.finish(index.loc[splits == split, ["id", "source", "label"]])
    return value_counts


def figures(index: pd.DataFrame, splits: np.ndarray, class_names: list[str]) -> dict:
    """Return the counts of pictures, of classes, and of ids that two splits share."""
    groups = {name: index[splits == i] for i, name in enumerate(SPLITS)}
    ids = {name: set(rows["id"]) for name, rows in groups.items()}
    return {
        "pictures": {name: len(rows) for name, rows in groups.items()},
        "classes": {
            name: {
                class_name: int((rows["label"] == label).sum())
                for label, class_name in enumerate(class_names)
            }
            for name, rows in groups.items()
        },
        "pictures_in_both": {f"{a}_{b}": len(ids[a] & ids[b]) for a, b in combinations(SPLITS, 2)},
    }


@explains_errors
def main() -> None:
    """Decode, draw the splits, and write them with their description."""
    params = load_params()
    card, settings = load_card(params.dataset), params.preprocess
    with replacing(PROCESSED) as folder:
        folder.mkdir()
        decoded = folder / "decoded"
        index, channels = decode(read_pictures(card, RAW), settings.image_size, decoded)
        splits = draw_splits(
            labels=index["label"].to_numpy(),
            ids=index["id"].to_list(),
            published=index["published"].to_list(),
            class_names=card.classes,
            method=settings.split,
            validation_size=settings.validation_size,
            test_size=settings.test_size,
            seed=settings.seed,
        )
        shape = (settings.image_size, settings.image_size, channels)
        value_counts = deal(decoded, splits, index, shape, folder)
        remove(decoded)
        metrics = figures(index, splits, card.classes)
        scaling = scaling_for(settings.scaling, value_counts)
        write_spec(
            folder,
            Spec(card.classes, shape, scaling, settings.one_hot, metrics["pictures"], dropped={}),
        )
    logger.info("%s, each of shape %s", metrics["pictures"], shape)
    write_metrics(METRICS, metrics)


if __name__ == "__main__":
    main()
