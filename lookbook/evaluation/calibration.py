"""Is a model right as often as it is sure? And the one number that mends it: a temperature."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
TEMPERATURES = (0.05, 20.0)  # the range that is searched
SMALLEST = np.finfo(np.float32).tiny  # in place of a probability of 0, which has no logarithm


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a reliability diagram shows, in `BINS` bins of equal width.

    Args:
        labels: True class indices, of shape (n,).
        probabilities: float of shape (n, classes).

    Returns:
        For each bin `count`, `confidence` (the mean of the highest probabilities) and `accuracy`,
        both NaN in an empty bin.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return {
            "count": count,
            "confidence": np.bincount(bins, confidence, BINS) / count,
            "accuracy": np.bincount(bins, right, BINS) / count,
        }


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error (Guo et al., arXiv 1706.04599).

    The gap between how sure the model is and how often it is right, weighted by pictures.
    """
    bins = reliability(labels, probabilities)
    gaps = np.abs(bins["confidence"] - bins["accuracy"])
    return float(np.nansum(bins["count"] * gaps) / len(labels))


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature under which the probabilities have the least log loss."""
    logits, rows = _logits(probabilities), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean()

    lowest, highest = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(lowest, highest), method="bounded")
    return float(np.exp(found.x))


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities whose logarithms are divided by `temperature`; above 1 less sure."""
    return np.exp(log_softmax(_logits(probabilities) / temperature, axis=1))


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, SMALLEST, dtype=np.float64))
