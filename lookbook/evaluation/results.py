"""What is found out about one model: its predictions, what they are worth, which to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.focus import focus, with_heat
from lookbook.evaluation.mistakes import (
    ConfusedPair,
    confused_pairs,
    confusion_shares,
    looked_at,
    tiles,
    worst_mistakes,
)
from lookbook.evaluation.predictions import (
    Predictions,
    prediction_file,
    predictions_for,
    write_predictions,
)
from lookbook.evaluation.scores import relabelled, score
from lookbook.ladder.models import Model, load_model, predict
from lookbook.ladder.rungs import Rung
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split


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

    @property
    def confusion(self) -> list[list[float]]:
        """The share of each true class by what was said; NaN in rows without pictures."""
        return confusion_shares(self.test).tolist()


def measure(rung: Rung, validation: Split, test: Split, headline: Headline) -> Result:
    """Ask a model about every picture once, keep what it says, and find out what that is worth."""
    model = load_model(rung.file)
    of_validation, of_test = (_said(rung, model, split) for split in (validation, test))
    cost = {
        "image_size": model.image_size,
        "parameters": model.num_parameters,
        "operations": model.operations,
        "file_bytes": rung.file.stat().st_size,
    }
    figures = cost | score(of_test, of_validation, headline) | relabelled(test)
    return Result(
        rung=rung,
        figures=figures,
        test=of_test,
        mistakes=tiles(of_test, test, worst_mistakes(of_test)),
        pairs=[(pair, tiles(of_test, test, pair.rows)) for pair in confused_pairs(of_test)],
        focus=_heated(model, of_test, test) if rung.has_maps else [],
    )


def confusion(test: Predictions) -> pd.DataFrame:
    """Return the columns actual and predicted, class names, one row a test picture."""
    names = np.array(test.class_names)
    return pd.DataFrame({"actual": names[test.labels], "predicted": names[test.predicted]})


def _said(rung: Rung, model: Model, split: Split) -> Predictions:
    predictions = predictions_for(split, predict(model, split, rung.file))
    write_predictions(prediction_file(rung.name, split.name), predictions)
    return predictions


def _heated(model: Model, predictions: Predictions, split: Split) -> list[Tile]:
    rows = looked_at(predictions)
    images = split.images(rows)
    return tiles(predictions, split, rows, with_heat(images, focus(model.network, images)))
