"""What a model answers: a class, `unsure` between a few, or `none of these`.

Classes in question are a split conformal set (Vovk, Gammerman and Shafer, Algorithmic Learning in
a Random World, 2005; the score is 1 - p, as in Sadinle, Lei and Wasserman, JASA 114, 2019): those
whose calibrated probability is at least a threshold, chosen on validation data so that the true
class of the promised share of pictures is among them. One class in question is the answer; with
none or several it is `unsure`.
"""

import numpy as np

UNSURE, STRANGER = -1, -2  # in place of a class
WORDS = {UNSURE: "unsure", STRANGER: "none of these"}


def in_question(calibrated: np.ndarray, least_probability: float) -> np.ndarray:
    """Return which classes are in question for each picture: bool, of the shape given.

    Args:
        calibrated: float of shape (n, classes).
        least_probability: From which on a class is in question.
    """
    return calibrated >= least_probability


def answers(
    calibrated: np.ndarray,
    strangeness: np.ndarray,
    *,
    least_probability: float,
    most_strangeness: float,
) -> np.ndarray:
    """Return the answer for each picture: a class's index, `UNSURE` or `STRANGER`.

    Args:
        calibrated: float of shape (n, classes).
        strangeness: float of shape (n,).
        least_probability: See `in_question`.
        most_strangeness: Above it a picture is a stranger.
    """
    sure = in_question(calibrated, least_probability).sum(axis=1) == 1
    said = np.where(sure, calibrated.argmax(axis=1), UNSURE)
    return np.where(strangeness > most_strangeness, STRANGER, said)
