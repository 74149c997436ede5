"""Ask a model about every picture once, and find out what its answers are worth."""

from pathlib import Path

import numpy as np

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.doubt import FIT_PICTURES, RARE, Doubt, Strangeness, doubt_file
from lookbook.evaluation.focus import focus, with_heat
from lookbook.evaluation.mistakes import confused_pairs, looked_at, tiles, worst_mistakes
from lookbook.evaluation.predictions import (
    Predictions,
    prediction_file,
    predictions_for,
    write_predictions,
)
from lookbook.evaluation.results import Result
from lookbook.evaluation.scores import relabelled, score
from lookbook.foundation.params import EvaluateParams
from lookbook.ladder.models import Model, features_of, load_model, look_at
from lookbook.ladder.rungs import Rung
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split


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
    return tiles(predictions, split, rows, with_heat(images, focus(model.chain, images)))
