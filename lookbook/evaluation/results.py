"""What is known of one model: its predictions, what they are worth, which to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.mistakes import ConfusedPair
from lookbook.evaluation.predictions import Predictions
from lookbook.ladder.rungs import Rung


@dataclass(frozen=True, eq=False)
class Result:
    """What is known of one model.

    Attributes:
        rung: Which one it is.
        figures: As metrics/evaluate.json has them.
        test: What it says of the test pictures.
        mistakes: The worst, with what was said and what is true.
        pairs: The classes that it takes for each other, with examples.
        focus: Where it looked; empty for a model without feature maps.
    """

    rung: Rung
    figures: dict
    test: Predictions
    mistakes: list[Tile]
    pairs: list[tuple[ConfusedPair, list[Tile]]]
    focus: list[Tile]

    @property
    def path(self) -> Path:
        """The model's file."""
        return self.rung.file


def confusion(test: Predictions) -> pd.DataFrame:
    """Return the columns actual and predicted, class names, one row a test picture."""
    names = np.array(test.class_names)
    return pd.DataFrame({"actual": names[test.labels], "predicted": names[test.predicted]})
