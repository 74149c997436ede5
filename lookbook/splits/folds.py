"""Repeated cross-validation, for data sets whose test split is too small to say much.

It says how good a model is that is fitted to so many pictures, from training and validation data
together, without a look at the test split.
"""

from collections.abc import Callable, Iterator

import numpy as np

from lookbook.foundation.intervals import mean_share
from lookbook.foundation.parallel import in_parallel
from lookbook.splits.headline import Headline
from lookbook.splits.spec import Spec

SMALL_TEST = 300  # pictures; below, the interval of an accuracy of 0.9 is wider than 0.07
FOLDS = 5
REPEATS = 5

Rows = tuple[np.ndarray, np.ndarray]  # of the pictures to fit to, and of those to ask about


def has_small_test(spec: Spec) -> bool:
    """Return whether the test split is so small that a second figure is wanted."""
    return 0 < spec.counts["test"] < SMALL_TEST


def repeated_cross_validation(
    answers: Callable[[np.ndarray, np.ndarray], np.ndarray],
    labels: np.ndarray,
    headline: Headline,
    *,
    seed: int,
) -> dict[str, float | int]:
    """Fit to four fifths of the pictures and ask about the last, for each fifth, several times.

    A class with fewer pictures than `FOLDS` makes fewer folds. The interval is Wilson's for the
    share of all pictures that is right, averaged over the repetitions, which take chance out of the
    draw of the folds, not out of that of the pictures. On draws of 160 and of 40 photos it held the
    true accuracy in 95 of 100 cases; the corrected resampled t (Nadeau and Bengio, Machine Learning
    52, 2003) in 98 and 90, and it is a point where all are right.

    Args:
        answers: From the rows to fit to and those to ask about to the labels that the latter are
            given, int of shape (rows,); safe to call from several threads.
        labels: int of shape (n,), at least two of every class.
        headline: What to report.
        seed: Of the draw of the folds.

    Returns:
        The headline figure by its name, its 95 % interval as `low` and `high`, and how many
        `folds`, `repeats` and `pictures` there were.
    """
    folds = min(FOLDS, int(np.unique(labels, return_counts=True)[1].min()))
    right = np.zeros(len(labels))

    def ask(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        inside, outside = rows
        return outside, answers(inside, outside) == labels[outside]

    for outside, hits in in_parallel(ask, _drawn(labels, folds, seed)):
        right[outside] += hits
    figure, low, high = mean_share(right / REPEATS, headline.strata(labels))
    return {headline.name: figure, "low": low, "high": high} | {
        "folds": folds,
        "repeats": REPEATS,
        "pictures": len(labels),
    }


def _drawn(labels: np.ndarray, folds: int, seed: int) -> Iterator[Rows]:
    from sklearn.model_selection import RepeatedStratifiedKFold

    draw = RepeatedStratifiedKFold(n_splits=folds, n_repeats=REPEATS, random_state=seed)
    yield from draw.split(labels, labels)
