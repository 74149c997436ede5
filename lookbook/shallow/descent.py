"""The linear classifier for more pictures than memory should hold: descent by minibatches.

It seeks the minimum that `SGDClassifier` seeks, of the same loss, one class against the rest, with
the same penalty. But it takes a step for a batch instead of a picture, as products of matrices, and
reads pictures as it goes. All classifiers that are wanted, one for each fold and one for all
pictures, learn from a batch at once: to read and scale it costs as much as to learn from it.

The steps are Nesterov's with the penalty as a proximal step (Beck and Teboulle, SIAM Journal on
Imaging Sciences 2, 2009, FISTA), so that one of any strength is stable.
Their size follows from the data: 1 / L at first, where L, the curvature of the loss times the mean
square of the inputs about their mean, is more than any direction's, falling to 0 in a line. Inputs
are taken about their mean, which changes no minimum, as the intercept has no penalty.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_limits

from lookbook.foundation.parallel import in_parallel
from lookbook.shallow.inputs import shallow_inputs
from lookbook.splits.split import Split
from lookbook.splits.windows import read_ahead, shuffled_windows

BATCH = 64  # pictures a step
PASSES = 20  # over the pictures, at most
MOMENTUM = 0.9
CURVATURE = {"log_loss": 0.25, "modified_huber": 2.0}  # of the losses, at most
RUN_BYTES = 2**18  # of pictures that are read together, see `lookbook.splits.windows`
WINDOW_BYTES = 2**25


class Streamed:
    """Pictures on disk, as such a model sees them; few of them are in memory at a time.

    Attributes:
        labels: int32 of shape (n,).
    """

    def __init__(self, splits: list[Split], shrink: int):
        """Read the labels of one or more splits, whose pictures come one after the other.

        Args:
            splits: With the same description.
            shrink: Side of the squares of pixels that are averaged.
        """
        self.labels = np.concatenate([split.labels for split in splits])
        self._splits, self._shrink = splits, shrink
        self._starts = np.cumsum([0, *map(len, splits)])
        self._row_bytes = int(np.prod(splits[0].image_shape))

    def fit(self, unfitted: SGDClassifier, inside: np.ndarray) -> list[SGDClassifier]:
        """Fit several classifiers at once.

        Args:
            unfitted: Says the loss, the penalty with its `alpha` and `l1_ratio`, the seed as
                `random_state`, and how many passes there are at most (`max_iter`, or else
                `PASSES`).
            inside: bool of shape (n, classifiers): which learns from which picture.

        Returns:
            Fitted classifiers, for each column of `inside`.
        """
        rows = np.flatnonzero(inside.any(axis=1))
        classes = np.unique(self.labels[rows])
        with threadpool_limits(1):  # sums do not depend on the cores
            moments = _moments(self, rows)
            weights, intercepts = _descended(unfitted, self, inside, rows, classes, moments)
        intercepts = intercepts - moments.mean.astype(np.float64) @ weights
        fitted = []
        for own in np.split(np.arange(weights.shape[1]), inside.shape[1]):
            classifier = clone(unfitted)
            classifier.classes_ = classes
            classifier.coef_ = np.ascontiguousarray(weights[:, own].T)
            classifier.intercept_ = intercepts[own]
            fitted.append(classifier)
        return fitted

    def answers(self, classifiers: list[SGDClassifier]) -> np.ndarray:
        """Return what classifiers that `fit` returned call the pictures: int (n, classifiers)."""
        with threadpool_limits(1):
            said = [
                np.column_stack([classifier.predict(inputs) for classifier in classifiers])
                for _, inputs in self.batches(np.arange(len(self.labels)))
            ]
        return np.concatenate(said)

    def batches(
        self, rows: np.ndarray, rng: np.random.Generator | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield rows, and inputs float32 of shape (rows, values), made ready on all cores.

        Args:
            rows: Which pictures, in ascending order.
            rng: Draws the order; without it, it is that of `rows`.
        """
        for window, pixels in read_ahead(self._read, self._windows(rows, rng)):
            cuts = range(BATCH, len(window), BATCH)
            ready = in_parallel(self._inputs, np.split(pixels, cuts))
            yield from zip(np.split(window, cuts), ready, strict=True)

    def _windows(self, rows: np.ndarray, rng: np.random.Generator | None) -> list[np.ndarray]:
        """Return the rows, as many at once as are read at once."""
        size = max(1, WINDOW_BYTES // self._row_bytes // BATCH) * BATCH
        if rng is None:
            return np.split(rows, range(size, len(rows), size))
        run = max(1, RUN_BYTES // self._row_bytes)
        return [rows[w] for w in shuffled_windows(rng, len(rows), run=run, window=size)]

    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Return uint8 pixels of rows, read in the order in which they stand on the disk."""
        order = np.argsort(rows)
        rows = rows[order]
        ends = np.searchsorted(rows, self._starts)
        parts = [
            split.read(rows[begin:end] - start)
            for split, start, begin, end in zip(
                self._splits, self._starts[:-1], ends[:-1], ends[1:], strict=True
            )
            if end > begin
        ]
        pixels = np.empty((len(rows), *self._splits[0].image_shape), np.uint8)
        pixels[order] = np.concatenate(parts)
        return pixels

    def _inputs(self, pixels: np.ndarray) -> np.ndarray:
        return shallow_inputs(pixels, self._splits[0].spec.scaling, self._shrink)


class _Moments(NamedTuple):
    """Of inputs: their mean, float32 (values,), and the mean square of what they differ by."""

    mean: np.ndarray
    variance: float


def _moments(pictures: Streamed, rows: np.ndarray) -> _Moments:
    total, squares = np.zeros(1), 0.0
    for _, inputs in pictures.batches(rows):
        total = total + inputs.sum(axis=0, dtype=np.float64)
        squares += float(np.vdot(inputs, inputs))
    mean = total / len(rows)
    return _Moments(mean.astype(np.float32), max(squares / len(rows) - float(mean @ mean), 0.0))


def _descended(
    settings: SGDClassifier,
    pictures: Streamed,
    inside: np.ndarray,
    rows: np.ndarray,
    classes: np.ndarray,
    moments: _Moments,
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (values, columns) and intercepts (columns,), for inputs about their mean.

    The columns are the classes of the first classifier, of the second and so on; of two classes
    the second has the only one.
    """
    per_model = 1 if len(classes) == 2 else len(classes)
    columns = per_model * inside.shape[1]
    own_class = classes[1:] if per_model == 1 else classes
    share = {"l2": 0.0, "l1": 1.0}.get(settings.penalty, settings.l1_ratio)
    lasso, ridge = np.float32(settings.alpha * share), np.float32(settings.alpha * (1 - share))
    largest = 1 / (CURVATURE[settings.loss] * (moments.variance + 1))  # + 1: of the intercept
    passes = min(settings.max_iter, PASSES)
    steps, step = passes * -(-len(rows) // BATCH), 0
    # The intercepts are the last row, of an input that is always 1.
    weights = ahead = np.zeros((len(moments.mean) + 1, columns), np.float32)
    rng = np.random.default_rng(settings.random_state)
    for _ in range(passes):
        for drawn, inputs in pictures.batches(rows, rng):
            inputs -= moments.mean
            signs = np.where(pictures.labels[drawn, np.newaxis] == own_class, 1, -1)
            signs = np.tile(signs, inside.shape[1]).astype(np.float32)
            counted = inside[drawn].astype(np.float32)
            counted /= np.maximum(counted.sum(axis=0), 1)
            slopes = signs * _slopes(settings.loss, signs * (inputs @ ahead[:-1] + ahead[-1]))
            slopes *= np.repeat(counted, per_model, axis=1)
            rate = np.float32(largest * (1 - step / steps))
            reached = ahead.copy()
            reached[:-1] -= rate * (inputs.T @ slopes)
            reached[-1] -= rate * slopes.sum(axis=0)
            _penalise(reached[:-1], rate * lasso, rate * ridge)
            ahead = reached + np.float32(MOMENTUM) * (reached - weights)
            weights, step = reached, step + 1
    return weights[:-1], weights[-1].astype(np.float64)


def _slopes(loss: str, margins: np.ndarray) -> np.ndarray:
    """Return how a loss rises with the margin: float32 of the shape of `margins`."""
    if loss == "log_loss":
        return -expit(-margins)
    return -2 * np.clip(1 - margins, 0, 2)


def _penalise(weights: np.ndarray, lasso: np.float32, ridge: np.float32) -> None:
    """Take the proximal step of both penalties, in place."""
    if lasso:
        weights[:] = np.sign(weights) * np.maximum(np.abs(weights) - lasso, 0)
    weights /= 1 + ridge
