"""What a model's predictions are worth: the same figures for every model."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn import metrics

from lookbook.evaluation.calibration import calibration_error, fit_temperature, with_temperature
from lookbook.evaluation.predictions import Predictions, predictions_for
from lookbook.evaluation.significance import CONFIDENCE, Comparison, compare
from lookbook.splits.split import Split


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """Return the bounds of Wilson's 95 % score interval for a share (Wilson, JASA 22, 1927).

    Args:
        correct: Successes.
        count: Trials.
    """
    interval = binomtest(correct, count).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def score(test: Predictions, validation: Predictions) -> dict:
    """Return the figures of one model.

    Args:
        test: What the figures are about.
        validation: What the temperature is fitted on.

    Returns:
        Accuracy with its 95 % interval, balanced accuracy, macro F1, log loss, top-2 accuracy where
        there are more than two classes, calibration error before and after temperature scaling,
        validation accuracy, and precision, recall and support of each class that has test pictures;
        means over classes leave the others out.
    """
    labels, present, classes = test.labels, test.present, np.arange(len(test.class_names))
    probabilities = test.probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    low, high = wilson_interval(int(test.right.sum()), len(test))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, test.predicted, labels=present, zero_division=0
    )
    temperature = fit_temperature(validation.labels, validation.probabilities)
    scaled = with_temperature(probabilities, temperature)
    figures: dict[str, Any] = {
        "validation_accuracy": float(validation.right.mean()),
        "accuracy": float(test.right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(f1.mean()),
        "log_loss": float(metrics.log_loss(labels, probabilities, labels=classes)),
        "calibration_error": calibration_error(labels, probabilities),
        "calibration_error_scaled": calibration_error(labels, scaled),
        "temperature": temperature,
    }
    if len(classes) > 2:
        figures["top2_accuracy"] = float(
            metrics.top_k_accuracy_score(labels, probabilities, k=2, labels=classes)
        )
    figures["classes"] = {
        test.class_names[label]: {
            "precision": float(precision[place]),
            "recall": float(recall[place]),
            "support": int(support[place]),
        }
        for place, label in enumerate(present)
    }
    return figures


def relabelled(test: Split) -> dict[str, int]:
    """Return how many test labels a review changed or dropped, as a figure; empty if none."""
    count = test.spec.relabelled.get(test.name, 0)
    return {"relabelled_test": count} if count else {}


def changed_labels(test: Split) -> list[str]:
    """Return a sentence on the test labels that a review changed or dropped, if there are any."""
    return [
        f"{count:,} of the test labels were changed or dropped in a review (data/labels): figures "
        "on test data are not those of the labels as given."
        for count in relabelled(test).values()
    ]


def majority(train: Split, split: Split) -> Predictions:
    """Return what a model that has seen no picture says: each class's share of the training data.

    Its prediction is the most frequent class, the lowest label among equals.
    """
    shares = np.bincount(train.labels, minlength=train.spec.num_classes) / len(train)
    return predictions_for(split, np.tile(shares, (len(split), 1)))


def guessing(train: Split, validation: Split, test: Split) -> dict:
    """Return the figures of `majority`, whom a model must beat."""
    cost = {"parameters": 0, "operations": 0, "file_bytes": 0}
    return cost | score(majority(train, test), majority(train, validation)) | relabelled(test)


def verdicts(test: dict[str, Predictions], figures: dict[str, dict]) -> list[str]:
    """Return in sentences what the figures say.

    Args:
        test: What each model says of the test pictures, in the order of the ladder.
        figures: Of each model.
    """
    pairs = [f"{pair}: {comparison}" for pair, comparison in compare_neighbours(test).items()]
    return [*pairs, selection(figures), *absent(next(iter(test.values())))]


def compare_neighbours(test: dict[str, Predictions]) -> dict[str, Comparison]:
    """Return each model compared with the one before it, by `<model> against <model>`."""
    return {
        f"{second} against {first}": compare(test[first].right, test[second].right)
        for first, second in pairwise(test)
    }


def selection(figures: dict[str, dict]) -> str:
    """Return which model validation data pick (the first among equals), and its test accuracy."""
    name = max(figures, key=lambda model: figures[model]["validation_accuracy"])
    entry = figures[name]
    return (
        f"Validation data pick {name}, which is right on {entry['validation_accuracy']:.4f} of "
        f"them, and on {entry['accuracy']:.4f} ({entry['accuracy_low']:.4f} to "
        f"{entry['accuracy_high']:.4f}) of the test data."
    )


def absent(test: Predictions) -> list[str]:
    """Return a sentence on the classes without test pictures, if there are any."""
    missing = [n for label, n in enumerate(test.class_names) if label not in test.present]
    if not missing:
        return []
    return [
        f"No test pictures of {', '.join(missing)}: there are no figures for them, and means over "
        "classes leave them out."
    ]


def ladder_table(figures: dict[str, dict]) -> pd.DataFrame:
    """Return the models' results as a table of text, in the order given."""
    changed = max((entry.get("relabelled_test", 0) for entry in figures.values()), default=0)
    accuracy = f"test accuracy ({changed:,} labels changed)" if changed else "test accuracy"
    rows = [
        {
            "model": name,
            accuracy: f"{entry['accuracy']:.4f}",
            "95 % interval": f"{entry['accuracy_low']:.4f}-{entry['accuracy_high']:.4f}",
            "macro F1": f"{entry['macro_f1']:.4f}",
            "log loss": f"{entry['log_loss']:.4f}",
            "calibration error": f"{entry['calibration_error']:.4f}",
            "parameters": f"{entry['parameters']:,}",
            "operations a picture": f"{entry['operations']:,}",
            "file size (bytes)": f"{entry['file_bytes']:,}",
        }
        for name, entry in figures.items()
    ]
    return pd.DataFrame(rows)
