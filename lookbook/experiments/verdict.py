"""What a search may say of its trials: all are measured on the same validation pictures.

The best of several figures is too high: chance had a part in its being the best (the winner's
curse). What is said here of the winner, it says of the rule "take the best", on pictures that had
no part in the choice.
"""

from dataclasses import dataclass

import numpy as np

from lookbook.foundation.intervals import CONFIDENCE, DEVIATIONS, Estimate, mean_share

RESAMPLES = 1_000
SEED = 0
ROUNDING = 1e-9  # equal figures are added up in another order


@dataclass(frozen=True)
class Verdict:
    """What came of a search.

    Attributes:
        best: Row of the best candidate.
        figure: Its figure on the validation pictures.
        expected: What to expect of it on new pictures, with the 95 % interval.
        gain: By how much that is more than the first candidate's, with the 95 % interval.
        near: Rows of all candidates that are within noise of the best, itself included.
    """

    best: int
    figure: float
    expected: Estimate
    gain: Estimate
    near: list[int]


def verdict_on(right: np.ndarray, classes: np.ndarray | None = None) -> Verdict:
    """Return what came of a search.

    Args:
        right: bool of shape (candidates, pictures); the first candidate is what there was before.
        classes: int of shape (pictures,), if every class is to count alike.
    """
    weights = _weights(right.shape[1], classes)
    figures = right @ weights
    best = _winner(figures)
    winners, resampled = _resampled(right, weights)
    return Verdict(
        best=best,
        figure=float(figures[best]),
        expected=mean_share(winners, classes),
        gain=_gain(winners - right[0], right[best].astype(float) - right[0], weights),
        near=_near(figures, resampled),
    )


def _resampled(right: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures with replacement, many times; return what the winners have right elsewhere.

    The candidate that is best on the drawn pictures answers about those that were not drawn.
    Averaged over pictures this is the bootstrap bias corrected estimate of Tsamardinos, Greasidou
    and Borboudakis (Machine Learning 107, 2018). Since a draw holds 63 % of the pictures, it is a
    little too low rather than too high.

    Args:
        right: bool of shape (candidates, pictures).
        weights: float of shape (pictures,), of each picture in a candidate's figure.

    Returns:
        How often the winner of other pictures has each picture right, float64 of shape (pictures,),
        from 0 to 1; and all candidates' figures on each draw, float64 of shape (draws, candidates).
    """
    count = right.shape[1]
    weighted = right * weights
    rng = np.random.default_rng(SEED)
    hits, asked = np.zeros(count), np.zeros(count)
    figures = np.empty((RESAMPLES, len(right)))
    for row in figures:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        row[:] = weighted @ drawn
        outside = drawn == 0
        hits[outside] += right[_winner(row)][outside]
        asked += outside
    everywhere = right[_winner(right @ weights)]  # of a few pictures, one may be in all draws
    return np.where(asked, hits / np.maximum(asked, 1), everywhere), figures


def _near(figures: np.ndarray, resampled: np.ndarray) -> list[int]:
    """Return the rows one of which is the best of all on new pictures, with 95 % confidence.

    Left out is whose distance from the best chance makes of equals in less than 5 % of the draws;
    that one of them was chosen for being the best is part of it (Hsu, Annals of Statistics 9,
    1981, by bootstrap).

    Args:
        figures: float64 of shape (candidates,).
        resampled: The same on each draw, float64 of shape (draws, candidates).
    """
    chance = resampled - figures
    by_chance = chance.max(axis=1, keepdims=True) - chance
    shares = (by_chance >= figures.max() - figures - ROUNDING).mean(axis=0)
    return np.flatnonzero(shares >= 1 - CONFIDENCE).tolist()


def _winner(figures: np.ndarray) -> int:
    """Return the row of the largest; of equal ones the first."""
    return int((figures >= figures.max() - ROUNDING).argmax())


def _gain(of_rule: np.ndarray, of_best: np.ndarray, weights: np.ndarray) -> Estimate:
    """Return by how much the winners are better, with its normal 95 % interval.

    Averaged over many winners, differences vary less than those of the one that is taken: the
    wider interval of the two is told.

    Args:
        of_rule: float from -1 to 1 of shape (pictures,): what the winners of other pictures have
            right more often than the first candidate.
        of_best: The same of the best candidate.
        weights: float of shape (pictures,), of each picture in a candidate's figure.
    """
    mean = float(of_rule @ weights)
    spreads = [((weights * (part - part @ weights)) ** 2).sum() for part in (of_rule, of_best)]
    error = float(np.sqrt(max(spreads)))
    return Estimate(mean, mean - DEVIATIONS * error, mean + DEVIATIONS * error)


def _weights(count: int, classes: np.ndarray | None) -> np.ndarray:
    if classes is None:
        return np.full(count, 1 / count)
    _, strata, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return 1 / (len(sizes) * sizes[strata])
