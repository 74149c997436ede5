"""How far a share of so few pictures may be from the true one."""

from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
DEVIATIONS = 1.959963984540054  # of the mean, within which that share of a normal one lies


class Estimate(NamedTuple):
    """A figure and the bounds of its 95 % interval."""

    figure: float
    low: float
    high: float


def wilson_interval(correct: float, count: int) -> tuple[float, float]:
    """Return the bounds of Wilson's 95 % score interval for a share (Wilson, JASA 22, 1927).

    Args:
        correct: Successes; a mean of several numbers of them need not be whole.
        count: Trials.
    """
    z = DEVIATIONS
    share, scale = correct / count, 2 * (count + z**2)
    centre = (2 * count * share + z**2) / scale
    reach = z / scale * np.sqrt(4 * count * share * (1 - share) + z**2)
    low = 0.0 if correct == 0 else float(centre - reach)
    high = 1.0 if correct == count else float(centre + reach)
    return low, high


def mean_share(right: np.ndarray, classes: np.ndarray | None = None) -> Estimate:
    """Return the share of the pictures that are right, or the mean of the shares of each class.

    The interval of the mean comes from Wilson's of each class, whose distances to the shares are
    added as deviations are (Zou, Huang and Zhang, Computational Statistics & Data Analysis 53,
    2009). Of a single class it is Wilson's. It does not shrink to nothing where all are right.

    Args:
        right: bool of shape (n,), or float: how often of several times each picture is right.
        classes: int of shape (n,), if every class that has pictures is to count alike.
    """
    if classes is None:
        classes = np.zeros(len(right), int)
    strata = np.unique(classes, return_inverse=True)[1]
    counts, correct = np.bincount(strata), np.bincount(strata, right)
    shares = correct / counts
    bounds = [wilson_interval(*pair) for pair in zip(correct, counts, strict=True)]
    below, above = np.abs(np.transpose(bounds) - shares)
    figure, size = float(shares.mean()), len(shares)
    low, high = figure - np.hypot.reduce(below) / size, figure + np.hypot.reduce(above) / size
    return Estimate(figure, float(low), float(high))
