"""The linear classifier for pictures that memory holds: scikit-learn's, picture by picture."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier

from lookbook.foundation.parallel import in_parallel
from lookbook.shallow.inputs import split_inputs
from lookbook.splits.split import Split


class Held:
    """Pictures in memory, as such a model sees them.

    Attributes:
        inputs: float32 of shape (n, values).
        labels: int32 of shape (n,).
    """

    def __init__(self, inputs: np.ndarray, labels: np.ndarray):
        self.inputs, self.labels = inputs, labels

    @classmethod
    def of(cls, splits: list[Split], shrink: int) -> "Held":
        """Read the pictures of one or more splits, one after the other.

        Args:
            splits: With the same description.
            shrink: Side of the squares of pixels that are averaged.
        """
        inputs = split_inputs(splits, shrink)
        return cls(inputs, np.concatenate([split.labels for split in splits]))

    def fit(self, unfitted: SGDClassifier, inside: np.ndarray) -> list[SGDClassifier]:
        """Fit several classifiers, on all cores.

        Args:
            unfitted: Says how.
            inside: bool of shape (n, classifiers): which learns from which picture.

        Returns:
            Fitted classifiers, for each column of `inside`.
        """

        def fitted(column: np.ndarray) -> SGDClassifier:
            rows = np.flatnonzero(column)
            together = slice(rows[0], rows[-1] + 1)  # no copy where there is nothing between
            chosen = together if column[together].all() else rows
            return clone(unfitted).fit(self.inputs[chosen], self.labels[chosen])

        # Threads: descent runs outside Python's lock, and processes would copy what they share.
        return list(in_parallel(fitted, inside.T))

    def answers(self, classifiers: list[SGDClassifier]) -> np.ndarray:
        """Return what classifiers that `fit` returned call the pictures: int (n, classifiers)."""
        return np.column_stack([classifier.predict(self.inputs) for classifier in classifiers])
