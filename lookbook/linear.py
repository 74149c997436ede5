"""The linear classifier's file: plain arrays, so that loading it runs no code."""

from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

from lookbook.files import replacing
from lookbook.splits import Scaling


def save_linear(path: Path, classifier: SGDClassifier, scaling: Scaling) -> None:
    """Save a fitted classifier and the scaling of its inputs as .npz."""
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

    @property
    def num_parameters(self) -> int:
        return self.classifier.coef_.size + self.classifier.intercept_.size

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float64 of shape (n, classes) for raw pixels (n, height, width, channels)."""
        return self.classifier.predict_proba(self.scaling.apply(pixels).reshape(len(pixels), -1))
