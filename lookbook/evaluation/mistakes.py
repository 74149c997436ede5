"""Which pictures to look at: the worst mistakes, and the classes that are taken for each other."""

from dataclasses import dataclass

import numpy as np

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.predictions import Predictions
from lookbook.splits.split import Split

WORST = 24
PAIRS = 6
EXAMPLES = 4  # of each pair


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes that are taken for each other.

    Attributes:
        first: Index of the class with the lower label.
        second: Of the other.
        first_as_second: How many pictures of the first are called the second.
        second_as_first: The other way round.
        rows: Examples, the surest first, as places in the split.
    """

    first: int
    second: int
    first_as_second: int
    second_as_first: int
    rows: np.ndarray


def worst_mistakes(predictions: Predictions) -> np.ndarray:
    """Return the places of the mistakes whose true class was given the lowest probability."""
    true = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    wrong = np.flatnonzero(~predictions.right)
    return wrong[np.argsort(true[wrong], kind="stable")][:WORST]


def looked_at(predictions: Predictions) -> np.ndarray:
    """Return the places of pictures whose focus is worth a look: mistakes, then right answers.

    The worst mistakes, and the first right answer for each of the first classes.
    """
    right = np.flatnonzero(predictions.right)
    first = right[np.unique(predictions.labels[right], return_index=True)[1]]
    half = WORST // 2
    return np.concatenate([worst_mistakes(predictions)[:half], first[:half]])


def confused_pairs(predictions: Predictions) -> list[ConfusedPair]:
    """Return the pairs of classes with the most mistakes between them, the most first."""
    wrong = np.flatnonzero(~predictions.right)
    labels, said = predictions.labels[wrong], predictions.predicted[wrong]
    sure = predictions.probabilities[wrong].max(axis=1)
    both = np.sort(np.stack([labels, said], axis=1), axis=1)
    pairs, counts = np.unique(both, axis=0, return_counts=True)
    found = []
    for place in np.argsort(-counts, kind="stable")[:PAIRS]:
        first, second = pairs[place].tolist()
        mine = np.flatnonzero((both == pairs[place]).all(axis=1))
        surest = mine[np.argsort(-sure[mine], kind="stable")][:EXAMPLES]
        forth = int((labels[mine] == first).sum())
        found.append(ConfusedPair(first, second, forth, len(mine) - forth, wrong[surest]))
    return found


def confusion_shares(predictions: Predictions) -> np.ndarray:
    """Return float64 of shape (classes, classes): the share of each true class by what was said.

    A row adds up to 1; that of a class without pictures is NaN.
    """
    classes = len(predictions.class_names)
    flat = predictions.labels * classes + predictions.predicted
    counts = np.bincount(flat, minlength=classes * classes).reshape(classes, classes)
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=1, keepdims=True)


def tiles(
    predictions: Predictions, split: Split, rows: np.ndarray, pixels: np.ndarray | None = None
) -> list[Tile]:
    """Return pictures of a split with what a model said of them and what they are.

    Args:
        predictions: Of the model.
        split: The pictures.
        rows: Their places in the split.
        pixels: To show instead, of shape (len(rows), height, width, 1 or 3).
    """
    shown = split.images(rows) if pixels is None else pixels
    names, chances = predictions.class_names, predictions.probabilities[rows]
    made = []
    for place, row in enumerate(rows):
        said, true = predictions.predicted[row], predictions.labels[row]
        words = [f"said {names[said]} {chances[place, said]:.0%}"]
        if said != true:
            words.append(f"is {names[true]} {chances[place, true]:.0%}")
        made.append(Tile(shown[place], words, f"picture {predictions.ids[row]}"))
    return made
