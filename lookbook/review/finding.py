"""Find doubtful labels and odd pictures among the features of a frozen base.

A label is doubtful if the other pictures give its picture another class; cleanlab ranks those
(Northcutt et al., JAIR 70, 2021). A picture is odd if it is far from its neighbours.

Two judges are averaged, a linear one and the neighbours, which found more of the flipped labels
than either alone (benchmarks/labels.py). Both take seconds on tens of thousands of pictures.
"""

import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler, normalize

from lookbook.foundation.errors import LookbookError

FOLDS = 5
METHOD = "self_confidence"  # of cleanlab's scores: the probability of the given label
SHRINKAGE = 0.5  # of the covariance, towards its diagonal
VOTERS = 30  # neighbours that vote
NEIGHBOURS = 5  # of these that are shown, and that an odd picture is far from
ODD_SHARE = 0.01  # of all pictures, at most


def probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    *,
    rows: np.ndarray,
    distances: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Return what the others say of each picture, none of them by its own label.

    Half of it is linear discriminant analysis: of training and validation pictures by
    cross-validation, of test pictures by one that was fitted to all the former. The other half is
    the votes of the neighbours, the nearer the heavier.

    Args:
        features: float32 (n, features), of training and validation pictures, then of test
            pictures, if they are reviewed.
        labels: int (known,), of the training and validation pictures.
        num_classes: Of the data set.
        rows: int (n, voters), as `neighbours` returns them.
        distances: float32 (n, voters), likewise.
        seed: Of the folds.

    Returns:
        float64 (n, classes).

    Raises:
        LookbookError: If there are too few pictures for the folds.
    """
    fewest = np.unique(labels, return_counts=True)[1].min()
    if fewest < FOLDS:
        raise LookbookError(
            f"Expected at least {FOLDS} training and validation pictures of every class, one for "
            f"each fold of the cross-validation. Received: {fewest}. Add pictures first."
        )
    known, said = len(labels), np.zeros((len(features), num_classes))
    points = StandardScaler().fit(features[:known]).transform(features)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    parts = list(folds.split(points[:known], labels))
    if len(points) > known:
        parts.append((np.arange(known), np.arange(known, len(points))))
    for inside, outside in parts:
        judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE)
        judge.fit(points[inside], labels[inside])
        said[np.ix_(outside, judge.classes_)] = judge.predict_proba(points[outside])
    return (said + _votes(labels, num_classes, rows, distances)) / 2


def _votes(
    labels: np.ndarray, num_classes: int, rows: np.ndarray, distances: np.ndarray
) -> np.ndarray:
    weights = 1 / np.maximum(distances, 1e-3)  # copies of a picture do not outvote all others
    votes = np.zeros((len(rows), num_classes))
    np.add.at(votes, (np.arange(len(rows))[:, None], labels[rows]), weights)
    return votes / votes.sum(axis=1, keepdims=True)


def suspects(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return the rows whose label is doubtful, the most doubtful first.

    Args:
        labels: int (n,).
        said: float64 (n, classes), as `probabilities` returns them.
    """
    quality = get_label_quality_scores(labels, said, method=METHOD)
    order = np.argsort(quality, kind="stable")
    return order[said.argmax(axis=1)[order] != labels[order]]


def neighbours(features: np.ndarray, known: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the training and validation pictures that are most like each picture.

    Args:
        features: float32 (n, features), of training and validation pictures, then of others.
        known: How many the former are.

    Returns:
        int (n, voters), their rows, nearest first, without the picture itself; float32 of the same
        shape, the distances between unit vectors of standardised features, from 0 to 2.
    """
    points = normalize(StandardScaler().fit(features[:known]).transform(features))
    count = min(VOTERS, known - 1)
    finder = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(points[:known])
    distances, rows = finder.kneighbors(points)
    itself = rows == np.arange(len(rows))[:, None]
    itself[~itself.any(axis=1), -1] = True  # no picture of these, or one of many copies
    shape = (len(rows), count)
    return rows[~itself].reshape(shape), distances[~itself].reshape(shape)


def odd(distances: np.ndarray) -> np.ndarray:
    """Return the rows of the pictures that are farthest from their neighbours, farthest first."""
    mean = distances[:, :NEIGHBOURS].mean(axis=1)
    return np.argsort(-mean, kind="stable")[: int(np.ceil(ODD_SHARE * len(mean)))]
