"""Train a linear classifier with stochastic gradient descent: the first rung of the ladder.

In: the training and validation splits. Out: models/baseline.npz.

Cross-validation on the training split says how much the accuracy depends on the sample; the model
that is kept is then fitted to all of that split. Where the test split is small, repeated
cross-validation over training and validation data gives a second figure beside that of the test.
Large pictures are averaged down first: weights on every pixel of a photograph learn it by heart,
and need gigabytes. A training split that is too large for memory nonetheless is read as it goes:
`lookbook.shallow.descent` seeks the same minimum as scikit-learn's `SGDClassifier`.

    python -m stages.baseline        3 s on digits (0.94 test), 20 s on Fashion-MNIST (0.82 CV)
"""

import logging
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import StratifiedKFold

from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import write_metrics
from lookbook.foundation.params import BaselineParams, load_params
from lookbook.foundation.stopwatch import note
from lookbook.shallow.descent import Streamed
from lookbook.shallow.held import Held
from lookbook.shallow.inputs import num_inputs
from lookbook.shallow.linear import save_linear
from lookbook.splits.folds import groups_of, has_small_test, repeated_cross_validation
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

MODEL = Path("models/baseline.npz")
METRICS = Path("metrics/baseline.json")
# Of the training split, as the classifier sees it: 200 MB, a little more than Fashion-MNIST. Not by
# this machine's memory, since the two ways to the minimum end in other bytes.
MOST_HELD = 50_000_000

logger = logging.getLogger("baseline")


def build_classifier(settings: BaselineParams) -> SGDClassifier:
    """Return the unfitted classifier that the parameters describe."""
    return SGDClassifier(
        loss=settings.loss,
        penalty=settings.penalty,
        alpha=settings.alpha,
        max_iter=settings.max_iter,
        random_state=settings.seed,
    )


def opened(train: Split, validation: Split, shrink: int) -> Held | Streamed:
    """Return the pictures of both splits, in memory or to be read as it goes."""
    splits = [split for split in (train, validation) if len(split)]
    values = len(train) * num_inputs(train.spec, shrink)
    if values <= MOST_HELD:
        return Held.of(splits, shrink)
    logger.info("%s values: by minibatches, see docs/scale.md", f"{values:,}")
    return Streamed(splits, shrink)


def drawn_folds(labels: np.ndarray, folds: int) -> np.ndarray:
    """Return which pictures each classifier of the cross-validation learns from.

    Returns:
        bool of shape (n, folds).

    Raises:
        LookbookError: If a class has fewer pictures than there are folds.
    """
    rarest = np.unique(labels, return_counts=True)[1].min()
    if rarest < folds:
        raise LookbookError(
            f"Expected at most {rarest} folds, the size of the smallest class. Received: "
            f"baseline.folds={folds}. Lower it, or add pictures."
        )
    inside = np.ones((len(labels), folds), bool)
    for fold, (_, outside) in enumerate(StratifiedKFold(folds).split(labels, labels)):
        inside[outside, fold] = False
    return inside


def repeatedly_validated(
    pictures: Held | Streamed,
    headline: Headline,
    settings: BaselineParams,
    groups: np.ndarray | None,
) -> dict[str, float | int]:
    """Return what repeated cross-validation says, as `repeated_cross_validation` does."""

    def answers(inside: np.ndarray) -> np.ndarray:
        return pictures.answers(pictures.fit(build_classifier(settings), inside))

    return repeated_cross_validation(
        answers, pictures.labels, headline, seed=settings.seed, groups=groups
    )


@explains_errors
def main() -> None:
    """Cross-validate, fit, save."""
    # To stop after max_iter passes is what was asked for.
    warnings.simplefilter("ignore", ConvergenceWarning)
    settings = load_params().baseline
    train, validation = Split("train"), Split("validation")
    trained = len(train)
    learns = np.zeros((trained + len(validation), settings.folds + 1), bool)
    learns[:trained, :-1] = in_folds = drawn_folds(train.labels, settings.folds)
    learns[:trained, -1] = True
    shrink = train.spec.shrinking(settings.image_size)
    pictures = opened(train, validation, shrink)
    start = time.perf_counter()
    classifiers = pictures.fit(build_classifier(settings), learns)
    note("baseline", time.perf_counter() - start)
    save_linear(MODEL, classifiers[-1], train.spec.scaling, shrink)
    right = pictures.answers(classifiers) == pictures.labels[:, np.newaxis]
    accuracy = right[:trained, :-1].mean(axis=0, where=~in_folds)
    metrics: dict[str, float | dict] = {
        "image_size": train.image_shape[0] // shrink,
        "cv_accuracy_mean": float(accuracy.mean()),
        "cv_accuracy_std": float(accuracy.std()),
        "train_accuracy": float(right[:trained, -1].mean()),
    }
    if len(validation):
        metrics["validation_accuracy"] = float(right[trained:, -1].mean())
    if has_small_test(train.spec):
        headline = Headline.of(train, validation)
        groups = groups_of(train, validation)
        metrics["repeated_cv"] = repeatedly_validated(pictures, headline, settings, groups)
    write_metrics(METRICS, metrics)
    logger.info(
        "accuracy %.4f +- %.4f in cross-validation, %.4f on validation data",
        accuracy.mean(), accuracy.std(), metrics.get("validation_accuracy", float("nan")),
    )  # fmt: skip


if __name__ == "__main__":
    main()
