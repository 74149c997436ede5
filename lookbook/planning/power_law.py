"""A power law through the accuracies on growing shares of the pictures, and what it says of more.

The share wrong falls with the number of training pictures n as c + b n^-a (Cortes et al., "Learning
curves: asymptotic values and rate of convergence", NIPS 1993; Hestness et al., arXiv 1712.00409).
One exponent fits the shares about as well as another, and they part beyond the last one. So all of
a grid are fitted, by weighted least squares, and each counts as much as the measured shares, and
what is known of exponents beforehand, make it likely: theory has them between 1/2, of the error of
estimating anything from n examples, and 1, and what was measured on pictures lies around 1/2.

An interval is one for the accuracy that a model trained on that many pictures will have **on the
same validation pictures**. It holds what is not known of the law, and the chance of which training
pictures one has. It does not hold the chance of which validation pictures one has, since more
training pictures leave these as they are: Wilson's interval of an accuracy says that.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from lookbook.foundation.intervals import CONFIDENCE

EXPONENTS = np.geomspace(0.1, 2, 40)
USUAL, SPREAD = 0.5, 0.2  # of the exponents: their median, and the deviation of their logarithm
# As measured on the samples of cats and flowers: the variance between models that learnt from
# different pictures falls with their number about as n^-1/2, and draws of a share x of the same
# pictures differ less by the factor 1 - x^2 (1 - x would be that of a mean).
DECAY, OVERLAP = 0.5, 2
# No curve is quite a law: with twice as many pictures, the samples' mean over 20 draws lay about so
# far from it. It grows with each doubling.
MISFIT = 0.003


@dataclass(frozen=True)
class PowerLaw:
    """What is known of a learning curve.

    Attributes:
        photos: Number of training pictures now.
        weights: float64 of shape (exponents,): how likely each is; their sum is 1.
        laws: float64 of shape (exponents, 2): c and b of each, with n in units of `photos`.
        covariances: float64 of shape (exponents, 2, 2): of c and b.
        variance: Of the accuracies of models that learnt from different `photos` pictures.
        freedom: Degrees of freedom that `variance` was found with.
    """

    photos: int
    weights: np.ndarray
    laws: np.ndarray
    covariances: np.ndarray
    variance: float
    freedom: int

    def expected(self, photos: float) -> float:
        """Return the expected accuracy with so many training pictures."""
        return float(1 - self.weights @ self._middles(photos))

    def interval(self, photos: float) -> tuple[float, float]:
        """Return the bounds of the `CONFIDENCE` interval for the accuracy, see above."""
        half = (1 - CONFIDENCE) / 2
        low, high = (1 - self._quantile(photos, share) for share in (1 - half, half))
        return max(0.0, low), min(1.0, high)

    def _powers(self, photos: float) -> np.ndarray:
        """Return float64 of shape (exponents, 2): what c and b are multiplied by."""
        return _powers(np.array([photos / self.photos]))[:, 0]

    def _middles(self, photos: float) -> np.ndarray:
        return np.einsum("ei,ei->e", self._powers(photos), self.laws)

    def _quantile(self, photos: float, share: float) -> float:
        """Return the share wrong that is not passed in `share` of all cases: of the mixture."""
        powers, middles = self._powers(photos), self._middles(photos)
        of_law = np.einsum("ei,eij,ej->e", powers, self.covariances, powers)
        times = photos / self.photos
        spreads = np.sqrt(of_law + self.variance * times**-DECAY + (MISFIT * np.log2(times)) ** 2)
        bounds = middles + spreads * float(student.ppf(share, self.freedom))

        def excess(value: float) -> float:
            below = student.cdf((value - middles) / spreads, self.freedom)
            return float(self.weights @ below) - share

        return float(brentq(excess, bounds.min() - 1e-9, bounds.max() + 1e-9))


def fit_power_law(photos: np.ndarray, accuracies: list[np.ndarray], validation: int) -> PowerLaw:
    """Fit the law.

    Args:
        photos: int of shape (shares,), rising; the last is that of all training pictures.
        accuracies: Of each share, float64 of shape (draws,).
        validation: How many pictures they were measured on.

    Returns:
        The law, in which c and b are not negative.
    """
    sizes, draws = photos / photos[-1], np.array([len(found) for found in accuracies])
    wrong = 1 - np.array([found.mean() for found in accuracies])
    variance, freedom = _variance(sizes, accuracies, validation)
    # Of a share's mean: more draws help less, the more of all pictures are in each. They say little
    # of what other pictures would have brought.
    variances = variance * sizes**-DECAY * (sizes**OVERLAP + (1 - sizes**OVERLAP) / draws)
    laws, covariances, misfits = [], [], []
    for powers in _powers(sizes):
        law, covariance = _least_squares(powers, wrong, variances)
        laws.append(law)
        covariances.append(covariance)
        misfits.append(((wrong - powers @ law) ** 2 / variances).sum())
    unlikely = np.array(misfits) + (np.log(EXPONENTS / USUAL) / SPREAD) ** 2
    weights = np.exp((unlikely.min() - unlikely) / 2)
    return PowerLaw(
        photos=int(photos[-1]),
        weights=weights / weights.sum(),
        laws=np.array(laws),
        covariances=np.array(covariances),
        variance=variance,
        freedom=freedom,
    )


def _variance(
    sizes: np.ndarray, accuracies: list[np.ndarray], validation: int
) -> tuple[float, int]:
    """Return the variance of the accuracy between sets of all pictures' size, and its freedom.

    Draws of a share differ less than such sets, the more pictures they have in common.
    """
    total, freedom = 0.0, 0
    for size, found in zip(sizes, accuracies, strict=True):
        if len(found) > 1:
            apart = found.var(ddof=1) / (1 - size**OVERLAP)
            total += (len(found) - 1) * apart * size**DECAY
            freedom += len(found) - 1
    # Less than one picture's worth cannot be measured.
    return max(total / freedom, validation**-2.0), freedom


def _powers(sizes: np.ndarray) -> np.ndarray:
    """Return float64 of shape (exponents, shares, 2): 1 and size^-a."""
    falling = sizes[None] ** -EXPONENTS[:, None]
    return np.stack([np.ones_like(falling), falling], axis=-1)


def _least_squares(
    powers: np.ndarray, wrong: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return c and b and their covariance; one that would be negative is 0, and known."""
    kept = [0, 1]
    while True:
        weighted = powers[:, kept].T / variances
        covariance = np.linalg.inv(weighted @ powers[:, kept])
        found = covariance @ weighted @ wrong
        if found.min() >= 0 or len(kept) == 1:
            break
        kept.remove(kept[found.argmin()])
    law, full = np.zeros(2), np.zeros((2, 2))
    law[kept], full[np.ix_(kept, kept)] = found, covariance
    return law, full
