"""Is one model better than another on the same pictures, or is the difference noise?"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, chi2

CONFIDENCE = 0.95
RESAMPLES = 10_000
EXACT_UP_TO = 1_000  # disagreements
SEED = 0


@dataclass(frozen=True)
class Comparison:
    """Two models on the same pictures.

    Attributes:
        first_only: Pictures that only the first model has right.
        second_only: Pictures that only the second has right.
        difference: The second's accuracy less the first's.
        low: Lower bound of the difference's 95 % interval.
        high: Upper bound.
        p_value: Of McNemar's test: how often two equally good models differ at least so much.
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


def compare(first_right: np.ndarray, second_right: np.ndarray) -> Comparison:
    """Compare two models by which pictures they have right.

    The interval is the percentile one of a paired bootstrap (Efron, 1979), seeded. A resample
    draws pictures; since each adds -1, 0 or 1, the three counts are drawn at once.

    Args:
        first_right: bool of shape (n,).
        second_right: bool of shape (n,), of the same pictures.
    """
    count = len(first_right)
    first_only = int(np.sum(first_right & ~second_right))
    second_only = int(np.sum(second_right & ~first_right))
    shares = np.array([first_only, second_only, count - first_only - second_only]) / count
    drawn = np.random.default_rng(SEED).multinomial(count, shares, RESAMPLES)
    differences = (drawn[:, 1] - drawn[:, 0]) / count
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Comparison(
        first_only=first_only,
        second_only=second_only,
        difference=(second_only - first_only) / count,
        low=float(low),
        high=float(high),
        p_value=mcnemar(first_only, second_only),
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
