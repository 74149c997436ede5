"""Any two models side by side: which is better, and on which pictures they part."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from lookbook.evaluation.predictions import Predictions
from lookbook.evaluation.significance import Comparison, compare, holm
from lookbook.reporting.album import Album
from lookbook.reporting.gallery import Shown, disagreeing
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

PICTURES = 12  # that one has right and the other wrong, at most


@dataclass(frozen=True)
class Side:
    """What one of two models has right alone: how many pictures, and some of them."""

    model: str
    count: int
    pictures: list[Shown]


@dataclass(frozen=True)
class Pair:
    """Two models on the same pictures.

    Attributes:
        first: The later one on the ladder.
        second: The one that it is compared with.
        comparison: Of the two, its p-value corrected for the number of pairs.
        sides: What the first has right alone, and what the second has.
    """

    first: str
    second: str
    comparison: Comparison
    sides: list[Side]


def pairs(
    said: dict[str, Predictions], headline: Headline, test: Split, album: Album
) -> list[Pair]:
    """Return all pairs of models, each against those before it on the ladder."""
    both = [(later, earlier) for earlier, later in combinations(said, 2)]
    found = [
        compare(said[b].right, said[a].right, headline.strata(said[a].labels)) for a, b in both
    ]
    corrected = holm([comparison.p_value for comparison in found])
    return [
        Pair(
            a,
            b,
            replace(comparison, p_value=p_value),
            [_side(a, said[a], said[b], test, album), _side(b, said[b], said[a], test, album)],
        )
        for (a, b), comparison, p_value in zip(both, found, corrected, strict=True)
    ]


def _side(model: str, mine: Predictions, other: Predictions, test: Split, album: Album) -> Side:
    """Return what a model has right and the other has not, where the other is surest first."""
    rows = np.flatnonzero(mine.right & ~other.right)
    sure = other.probabilities[rows].max(axis=1)
    chosen = rows[np.argsort(-sure, kind="stable")][:PICTURES]
    return Side(model, len(rows), disagreeing(album, test, chosen, mine, other))
