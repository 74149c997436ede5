"""scikit-learn's digits.csv.gz: 64 grey values of 0-16 and the digit, one picture a row."""

import gzip
import warnings
import zlib
from pathlib import Path

import numpy as np

from lookbook.datasets.cards import Card
from lookbook.foundation.errors import LookbookError
from lookbook.readers.reading import Reading, index_of

SIDE = 8
BRIGHTEST = 16


def read(card: Card, folder: Path) -> Reading:
    """Return the 8x8 pictures with their grey values spread over 0-255."""
    name = card.files[0].name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows, which is told
            rows = np.loadtxt(folder / name, delimiter=",", dtype=np.int64, ndmin=2)
        if not rows.size:
            raise ValueError("no rows")
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile, OverflowError) as error:
        raise LookbookError(
            f"Expected {name} to hold rows of whole numbers. Received: {error}. Fetch it again."
        ) from None
    values, labels = rows[:, :-1], rows[:, -1]
    if values.shape[1] != SIDE * SIDE or values.min() < 0 or values.max() > BRIGHTEST:
        span = f" of {values.min()}-{values.max()}" if values.size else ""
        raise LookbookError(
            f"Expected {name} to hold {SIDE * SIDE} values of 0-{BRIGHTEST} a row. Received: "
            f"{values.shape[1]} values{span}. Fetch it again."
        )
    if labels.min() < 0 or labels.max() >= len(card.classes):
        raise LookbookError(
            f"Expected labels of 0-{len(card.classes) - 1} in {name}. Received: "
            f"{labels.min()}-{labels.max()}. Mend the card's classes."
        )
    spread = (values * 255 + BRIGHTEST // 2) // BRIGHTEST
    pixels = spread.astype(np.uint8).reshape(-1, SIDE, SIDE, 1)
    sources = [f"{name}:{row}" for row in range(len(labels))]
    return Reading(index_of(sources, labels, [""] * len(labels)), iter([pixels]), [], channels=1)
