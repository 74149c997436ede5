"""Is one model better than another on the same pictures, or is the difference noise?"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, chi2

from lookbook.foundation.intervals import CONFIDENCE

RESAMPLES = 10_000
EXACT_UP_TO = 1_000  # disagreements
SEED = 0
ROUNDING = 1e-9  # equal differences are added up in another order


@dataclass(frozen=True)
class Comparison:
    """Two models on the same pictures.

    Attributes:
        first_only: Pictures that only the first model has right.
        second_only: Pictures that only the second has right.
        difference: The second's accuracy, or balanced accuracy, less the first's.
        low: Lower bound of the difference's 95 % interval.
        high: Upper bound.
        p_value: How often two equally good models differ at least so much: by McNemar's test, or
            by `permutation_test` where every class counts alike.
    """

    first_only: int
    second_only: int
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `within noise`: the second model, seen from the first."""
        if self.p_value >= 1 - CONFIDENCE:
            return "within noise"
        return "better" if self.difference > 0 else "worse"

    def __str__(self) -> str:
        return (
            f"{self.verdict}: {self.difference:+.4f} ({self.low:+.4f} to {self.high:+.4f}), "
            f"p = {self.p_value:.2g}; {self.second_only} pictures put right, {self.first_only} "
            "put wrong"
        )


def compare(
    first_right: np.ndarray, second_right: np.ndarray, classes: np.ndarray | None = None
) -> Comparison:
    """Compare two models by which pictures they have right.

    The interval is the percentile one of a paired bootstrap (Efron, 1979), seeded. A resample
    draws as many pictures of each class as there are; since each adds -1, 0 or 1, the three counts
    are drawn at once.

    Args:
        first_right: bool of shape (n,).
        second_right: bool of shape (n,), of the same pictures.
        classes: int of shape (n,), if every class that has pictures is to count alike.
    """
    of_one = np.zeros(len(first_right), int)
    strata = of_one if classes is None else np.unique(classes, return_inverse=True)[1]
    counts = np.bincount(strata)
    first_only = np.bincount(strata, first_right & ~second_right).astype(int)
    second_only = np.bincount(strata, second_right & ~first_right).astype(int)
    rng = np.random.default_rng(SEED)
    differences = np.zeros(RESAMPLES)
    for lost, won, count in zip(first_only, second_only, counts, strict=True):
        shares = np.array([lost, won, count - lost - won]) / count
        drawn = rng.multinomial(count, shares, RESAMPLES)
        differences += (drawn[:, 1] - drawn[:, 0]) / count / len(counts)
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    lost, won = int(first_only.sum()), int(second_only.sum())
    return Comparison(
        first_only=lost,
        second_only=won,
        difference=float(((second_only - first_only) / counts).mean()),
        low=float(low),
        high=float(high),
        p_value=(
            mcnemar(lost, won)
            if classes is None
            else permutation_test(first_only, second_only, counts)
        ),
    )


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided p-value of McNemar's test (Psychometrika 12, 1947).

    Exact up to `EXACT_UP_TO` disagreements, above by chi-squared with continuity correction.

    Args:
        first_only: Pictures that only the first model has right.
        second_only: Pictures that only the second has right.
    """
    disagreements = first_only + second_only
    if not disagreements:
        return 1.0
    if disagreements <= EXACT_UP_TO:
        return float(binomtest(first_only, disagreements).pvalue)
    statistic = (abs(first_only - second_only) - 1) ** 2 / disagreements
    return float(chi2.sf(statistic, df=1))


def permutation_test(first_only: np.ndarray, second_only: np.ndarray, counts: np.ndarray) -> float:
    """Return the two-sided p-value of a difference in which every class counts alike.

    Of two equally good models each is as likely as the other to be the one that is right on a
    picture on which they disagree, so these pictures are dealt out anew, `RESAMPLES` times, seeded;
    what is observed counts as one more (Phipson and Smyth, Statistical Applications in Genetics and
    Molecular Biology 9, 2010). Of a single class this is McNemar's exact test, simulated.

    Args:
        first_only: Pictures of each class that only the first model has right.
        second_only: Pictures of each class that only the second has right.
        counts: Pictures of each class.
    """
    disagreements = first_only + second_only
    dealt = np.random.default_rng(SEED).binomial(disagreements, 0.5, (RESAMPLES, len(counts)))
    differences = np.abs(((2 * dealt - disagreements) / counts).sum(axis=1))
    observed = abs(((second_only - first_only) / counts).sum())
    as_large = int((differences >= observed - ROUNDING).sum())
    return (1 + as_large) / (1 + RESAMPLES)


def holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected for how many there are (Holm, Scand. J. Statistics 6, 1979).

    One that stays below 0.05 does so in at most 5 of 100 sets of comparisons of equal models.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
