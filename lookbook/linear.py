"""The linear classifier: what it sees of a picture, and its file.

The file holds plain arrays, so that loading it runs no code.
"""

from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

from lookbook.files import replacing
from lookbook.splits import Scaling, Split


def shrinking(side: int, largest: int) -> int:
    """Return the side of the squares of pixels to average, for a picture of at most `largest`."""
    return -(-side // largest)


def linear_inputs(pixels: np.ndarray, scaling: Scaling, shrink: int) -> np.ndarray:
    """Return what the classifier sees: float32 of shape (n, values).

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
    """Return the classifier's inputs for all pictures of a split, read a block at a time."""
    blocks = (linear_inputs(split.images(b), split.spec.scaling, shrink) for b in split.blocks())
    first = next(blocks)
    rows = np.empty((len(split), first.shape[1]), np.float32)
    rows[: len(first)], start = first, len(first)
    for block in blocks:
        rows[start : start + len(block)] = block
        start += len(block)
    return rows


def save_linear(path: Path, classifier: SGDClassifier, scaling: Scaling, shrink: int) -> None:
    """Save a fitted classifier and what its inputs are made of as .npz."""
    with replacing(path) as partial:
        np.savez(
            partial,
            allow_pickle=False,
            loss=classifier.loss,
            classes=classifier.classes_,
            coef=classifier.coef_,
            intercept=classifier.intercept_,
            scale=np.float32(scaling.scale),
            offset=np.float32(scaling.offset),
            shrink=shrink,
        )


class LinearModel:
    """A saved linear classifier; like the networks, it takes raw pixels."""

    def __init__(self, path: Path):
        """Load the file that `save_linear` wrote.

        Raises:
            OSError, EOFError, ValueError, KeyError: If it is missing, damaged, or another file.
        """
        with np.load(path, allow_pickle=False) as arrays:
            self.classifier = SGDClassifier(loss=str(arrays["loss"]))
            self.classifier.classes_ = arrays["classes"]
            self.classifier.coef_ = arrays["coef"]
            self.classifier.intercept_ = arrays["intercept"]
            self.scaling = Scaling("saved", arrays["scale"], arrays["offset"])
            self.shrink = int(arrays["shrink"])

    @property
    def num_parameters(self) -> int:
        return self.classifier.coef_.size + self.classifier.intercept_.size

    @property
    def operations(self) -> int:
        """A multiplication and an addition for each weight."""
        return 2 * self.classifier.coef_.size

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float64 of shape (n, classes) for raw pixels (n, height, width, channels)."""
        inputs = linear_inputs(pixels, self.scaling, self.shrink)
        return self.classifier.predict_proba(inputs)
