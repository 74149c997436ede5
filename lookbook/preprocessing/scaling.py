"""The scaling of pixels, from the training pictures where it depends on them."""

import numpy as np

from lookbook.splits.spec import Scaling
from lookbook.splits.split import Split


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
