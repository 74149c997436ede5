"""What models that are no networks see of a picture."""

import numpy as np

from lookbook.splits.spec import Scaling
from lookbook.splits.split import Split


def shallow_inputs(pixels: np.ndarray, scaling: Scaling, shrink: int) -> np.ndarray:
    """Return what such a model sees: float32 of shape (n, values).

    Args:
        pixels: uint8 of shape (n, height, width, channels).
        scaling: Of the pixels.
        shrink: Side of the squares of pixels that are averaged; 1 leaves all as they are.
    """
    if shrink > 1:
        n, height, width, channels = pixels.shape
        height, width = height // shrink, width // shrink
        whole = pixels[:, : height * shrink, : width * shrink]
        squares = whole.reshape(n, height, shrink, width, shrink, channels)
        pixels = squares.mean(axis=(2, 4), dtype=np.float32)
    return scaling.apply(pixels).reshape(len(pixels), -1)


def split_inputs(split: Split, shrink: int) -> np.ndarray:
    """Return such a model's inputs for all pictures of a split, read a block at a time."""
    blocks = (shallow_inputs(split.images(b), split.spec.scaling, shrink) for b in split.blocks())
    first = next(blocks)
    rows = np.empty((len(split), first.shape[1]), np.float32)
    rows[: len(first)], start = first, len(first)
    for block in blocks:
        rows[start : start + len(block)] = block
        start += len(block)
    return rows
