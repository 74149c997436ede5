"""Which figure models are ranked by: accuracy, or balanced accuracy where classes are unequal."""

from dataclasses import dataclass

import numpy as np

from lookbook.foundation.classes import are_unequal
from lookbook.splits.split import Split


@dataclass(frozen=True)
class Headline:
    """The figure that stands first, and that verdicts and intervals are about.

    Attributes:
        name: `accuracy`, or `balanced_accuracy`, the mean of the classes' recalls.
        reason: Why it is not the accuracy, in a sentence.
    """

    name: str = "accuracy"
    reason: str = ""

    @classmethod
    def of(cls, train: Split, validation: Split) -> "Headline":
        """Return the headline figure for a data set; its test split has no part in the choice."""
        names = train.spec.class_names
        labels = np.concatenate([train.labels, validation.labels])
        counts = np.bincount(labels, minlength=len(names))
        most, fewest = counts.argmax(), counts.argmin()
        if not are_unequal(counts.tolist()):
            return cls()
        reason = (
            f"The classes are unequal: {counts[most]} training and validation pictures of "
            f"{names[most]}, {counts[fewest]} of {names[fewest]}. The headline figure is therefore "
            "balanced accuracy, in which every class counts alike; verdicts are about it."
        )
        return cls("balanced_accuracy", reason)

    @property
    def is_balanced(self) -> bool:
        return self.name == "balanced_accuracy"

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    def strata(self, labels: np.ndarray) -> np.ndarray | None:
        """Return the classes that are to count alike; None where every picture does."""
        return labels if self.is_balanced else None
