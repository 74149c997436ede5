"""Train a linear classifier with stochastic gradient descent: the first rung of the ladder.

In: the training and validation splits. Out: models/baseline.npz.

Cross-validation on the training split says how much the accuracy depends on the sample; the model
that is kept is then fitted to all of that split. Where the test split is small, repeated
cross-validation over training and validation data gives a second figure beside that of the test.
Large pictures are averaged down first: weights
on every pixel of a photograph learn it by heart, and need gigabytes.

    python -m stages.baseline        3 s on digits (0.94 test), 20 s on Fashion-MNIST (0.82 CV)
"""

import logging
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_validate

from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import write_metrics
from lookbook.foundation.params import BaselineParams, load_params
from lookbook.foundation.stopwatch import note
from lookbook.shallow.inputs import split_inputs
from lookbook.shallow.linear import save_linear
from lookbook.splits.folds import groups_of, has_small_test, repeated_cross_validation
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

MODEL = Path("models/baseline.npz")
METRICS = Path("metrics/baseline.json")

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


def cross_validated(x: np.ndarray, labels: np.ndarray, settings: BaselineParams) -> np.ndarray:
    """Return the accuracy of each fold, the folds trained on all cores.

    Raises:
        LookbookError: If a class has fewer pictures than there are folds.
    """
    rarest = np.unique(labels, return_counts=True)[1].min()
    if rarest < settings.folds:
        raise LookbookError(
            f"Expected at most {rarest} folds, the size of the smallest class. Received: "
            f"baseline.folds={settings.folds}. Lower it, or add pictures."
        )
    classifier = build_classifier(settings)
    # Threads: descent runs outside Python's lock, and processes would copy what they share.
    with joblib.parallel_config("threading", n_jobs=-1):
        return cross_validate(classifier, x, labels, cv=settings.folds)["test_score"]


def repeatedly_validated(
    x: np.ndarray,
    labels: np.ndarray,
    headline: Headline,
    settings: BaselineParams,
    groups: np.ndarray | None,
) -> dict[str, float | int]:
    """Return what repeated cross-validation says, as `repeated_cross_validation` does."""

    def answers(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        return build_classifier(settings).fit(x[inside], labels[inside]).predict(x[outside])

    return repeated_cross_validation(answers, labels, headline, seed=settings.seed, groups=groups)


@explains_errors
def main() -> None:
    """Cross-validate, fit, save."""
    # To stop after max_iter passes is what was asked for.
    warnings.simplefilter("ignore", ConvergenceWarning)
    settings = load_params().baseline
    train, validation = Split("train"), Split("validation")
    shrink = train.spec.shrinking(settings.image_size)
    x_train = split_inputs(train, shrink)
    start = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:  # beside the folds, whose number leaves cores idle
        fitted = pool.submit(build_classifier(settings).fit, x_train, train.labels)
        accuracy = cross_validated(x_train, train.labels, settings)
        classifier = fitted.result()
    note("baseline", time.perf_counter() - start)
    save_linear(MODEL, classifier, train.spec.scaling, shrink)
    metrics: dict[str, float | dict] = {
        "image_size": train.image_shape[0] // shrink,
        "cv_accuracy_mean": float(accuracy.mean()),
        "cv_accuracy_std": float(accuracy.std()),
        "train_accuracy": float(classifier.score(x_train, train.labels)),
    }
    x, labels = x_train, train.labels
    if len(validation):
        x_validation = split_inputs(validation, shrink)
        metrics["validation_accuracy"] = float(classifier.score(x_validation, validation.labels))
        x, labels = np.concatenate([x, x_validation]), np.concatenate([labels, validation.labels])
    if has_small_test(train.spec):
        headline = Headline.of(train, validation)
        groups = groups_of(train, validation)
        metrics["repeated_cv"] = repeatedly_validated(x, labels, headline, settings, groups)
    write_metrics(METRICS, metrics)
    logger.info(
        "accuracy %.4f +- %.4f in cross-validation, %.4f on validation data",
        accuracy.mean(), accuracy.std(), metrics.get("validation_accuracy", float("nan")),
    )  # fmt: skip


if __name__ == "__main__":
    main()
