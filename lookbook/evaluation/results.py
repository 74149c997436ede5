"""What is found out about one model: its predictions, what they are worth, which to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.doubt import FIT_PICTURES, RARE, Doubt, Strangeness, doubt_file
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
from lookbook.foundation.params import EvaluateParams
from lookbook.ladder.models import Model, features_of, load_model, look_at
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


def measure(
    rung: Rung, splits: tuple[Split, Split, Split], headline: Headline, params: EvaluateParams
) -> Result:
    """Ask a model about every picture once, keep what it says, and find out what that is worth.

    Args:
        rung: The model.
        splits: Training, validation and test data. Of the first only what they look like to it is
            asked, and of as many as that takes.
        headline: See `lookbook.splits.headline`.
        params: What its answers promise.
    """
    train, validation, test = splits
    model = load_model(rung.file)
    strangeness = _fitted(model, train, rung.file)
    of_validation, of_test = (_said(rung, model, s, strangeness) for s in (validation, test))
    doubt = Doubt.fit(strangeness, of_validation, coverage=params.coverage, kept=params.kept)
    doubt.save(doubt_file(rung.name))
    cost = {
        "image_size": model.image_size,
        "parameters": model.num_parameters,
        "operations": model.operations,
        "file_bytes": rung.file.stat().st_size,
    }
    figures = cost | score(of_test, of_validation, headline) | relabelled(test)
    figures["answers"] = doubt.figures(of_test)
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


def _fitted(model: Model, train: Split, path: Path) -> Strangeness:
    count = min(len(train), FIT_PICTURES)
    rows = np.linspace(0, len(train) - 1, count).astype(int)  # all over the split
    rare = [np.flatnonzero(train.labels == label)[:RARE] for label in np.unique(train.labels)]
    rows = np.unique(np.concatenate([rows, *rare]))
    return Strangeness.fit(features_of(model, train, rows, path), train.labels[rows])


def _said(rung: Rung, model: Model, split: Split, strangeness: Strangeness) -> Predictions:
    probabilities, strange = look_at(model, split, rung.file, strangeness.of)
    predictions = predictions_for(split, probabilities, strange)
    write_predictions(prediction_file(rung.name, split.name), predictions)
    return predictions


def _heated(model: Model, predictions: Predictions, split: Split) -> list[Tile]:
    rows = looked_at(predictions)
    images = split.images(rows)
    return tiles(predictions, split, rows, with_heat(images, focus(model.network, images)))
