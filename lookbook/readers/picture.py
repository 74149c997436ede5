"""One picture as every reader gives it."""

from typing import NamedTuple

import numpy as np


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 of shape (height, width, channels), with 1 or 3 channels.
        label: Index into the card's classes.
        source: What it is called where it comes from: file and row, or member name.
        split: The published split it belongs to, `train` or `test`; None where there is none.
    """

    pixels: np.ndarray
    label: int
    source: str
    split: str | None
