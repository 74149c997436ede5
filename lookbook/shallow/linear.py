"""The linear classifier: what it sees of a picture, and its file.

The file holds plain arrays, so that loading it runs no code.
"""

import math
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

from lookbook.foundation.files import replacing
from lookbook.shallow.inputs import shallow_inputs
from lookbook.splits.spec import Scaling


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
            scale=np.asarray(scaling.scale, np.float32),
            offset=np.asarray(scaling.offset, np.float32),
            shrink=shrink,
        )


class LinearModel:
    """A saved linear classifier; like the networks, it takes raw pixels."""

    network = chain = None  # it is none

    def __init__(self, path: Path):
        """Load the file that `save_linear` wrote.

        Raises:
            One of DAMAGED_ARRAYS: If it is missing, damaged, or another file.
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
    def image_size(self) -> int:
        """The side in pixels of the averaged picture."""
        return math.isqrt(self.classifier.coef_.shape[1] // len(self.scaling.scale))

    @property
    def operations(self) -> int:
        """A multiplication and an addition for each weight."""
        return 2 * self.classifier.coef_.size

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return its inputs, and float64 probabilities (n, classes).

        Args:
            pixels: Raw, of shape (n, height, width, channels).
        """
        inputs = shallow_inputs(pixels, self.scaling, self.shrink)
        return inputs, self.classifier.predict_proba(inputs)
