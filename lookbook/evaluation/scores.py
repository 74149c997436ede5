"""What a model's predictions are worth: the same figures for every model."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics

from lookbook.evaluation.calibration import calibration_error, fit_temperature, with_temperature
from lookbook.evaluation.predictions import Predictions, predictions_for
from lookbook.evaluation.significance import Comparison, compare
from lookbook.foundation.intervals import mean_share, wilson_interval
from lookbook.ladder.rungs import rung
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

ACCURACY = Headline()


def score(test: Predictions, validation: Predictions, headline: Headline = ACCURACY) -> dict:
    """Return the figures of one model.

    Args:
        test: What the figures are about.
        validation: What the temperature is fitted on.
        headline: If that is another figure than the accuracy, it has its interval and its value on
            validation data too.

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
    if headline.is_balanced:
        balanced = mean_share(test.right, test.labels)
        figures |= {
            "validation_balanced_accuracy": mean_share(validation.right, validation.labels).figure,
            "balanced_accuracy_low": balanced.low,
            "balanced_accuracy_high": balanced.high,
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


def guessing(train: Split, validation: Split, test: Split, headline: Headline) -> dict:
    """Return the figures of `majority`, whom a model must beat."""
    cost = {"image_size": 0, "parameters": 0, "operations": 0, "file_bytes": 0}
    scores = score(majority(train, test), majority(train, validation), headline)
    return cost | scores | relabelled(test)


def verdicts(
    test: dict[str, Predictions], figures: dict[str, dict], headline: Headline
) -> list[str]:
    """Return in sentences what the figures say.

    Args:
        test: What each model says of the test pictures, in the order of the ladder.
        figures: Of each model.
        headline: What they are ranked by.
    """
    reason = [headline.reason] if headline.reason else []
    compared = compare_neighbours(test, headline)
    pairs = [f"{pair}: {comparison}" for pair, comparison in compared.items()]
    pick = selection(figures, headline)
    return [*reason, *pairs, pick, *absent(next(iter(test.values())))]


def compare_neighbours(
    test: dict[str, Predictions], headline: Headline = ACCURACY
) -> dict[str, Comparison]:
    """Return each model compared with the one before it, by `<model> against <model>`."""
    return {
        f"{second} against {first}": compare(
            test[first].right, test[second].right, headline.strata(test[second].labels)
        )
        for first, second in pairwise(test)
    }


def picked(figures: dict[str, dict], headline: Headline = ACCURACY) -> str:
    """Return the model that is best on validation data, the first among equals."""
    return max(figures, key=lambda model: figures[model][f"validation_{headline.name}"])


def selection(figures: dict[str, dict], headline: Headline = ACCURACY) -> str:
    """Return which model validation data pick (the first among equals), and its test figure."""
    on_validation, name = f"validation_{headline.name}", picked(figures, headline)
    figure, of_test = figures[name][on_validation], tested(figures[name], headline)
    if headline.is_balanced:
        return (
            f"Validation data pick {name}, whose balanced accuracy is {figure:.4f} on them, and "
            f"{of_test} on the test data."
        )
    return (
        f"Validation data pick {name}, which is right on {figure:.4f} of them, and on {of_test} of "
        "the test data."
    )


def cross_validations(
    crossed: dict[str, dict], figures: dict[str, dict], headline: Headline, test_pictures: int
) -> list[str]:
    """Return a sentence on each model that has a cross-validated figure beside that of the test.

    Args:
        crossed: Of these models, as `repeated_cross_validation` returns it.
        figures: Of each model.
        headline: What the figures are.
        test_pictures: How many there are.
    """
    return [
        f"The test split has only {test_pictures} pictures: {name} "
        f"{tested(figures[name], headline)}; cross-validation of {rung(name).crossed} over the "
        f"other {entry['pictures']}: "
        f"{with_interval(entry[headline.name], entry['low'], entry['high'])}."
        for name, entry in crossed.items()
    ]


def tested(figures: dict, headline: Headline) -> str:
    """Return a model's headline figure on the test data, with its interval."""
    name = headline.name
    return with_interval(figures[name], figures[f"{name}_low"], figures[f"{name}_high"])


def with_interval(figure: float, low: float, high: float) -> str:
    """Return a figure with its interval as text."""
    return f"{figure:.4f} ({low:.4f} to {high:.4f})"


def absent(test: Predictions) -> list[str]:
    """Return a sentence on the classes without test pictures, if there are any."""
    missing = [n for label, n in enumerate(test.class_names) if label not in test.present]
    if not missing:
        return []
    return [
        f"No test pictures of {', '.join(missing)}: there are no figures for them, and means over "
        "classes leave them out."
    ]


def ladder_table(
    figures: dict[str, dict],
    headline: Headline = ACCURACY,
    crossed: dict[str, dict] | None = None,
) -> pd.DataFrame:
    """Return the models' results as a table of text, in the order given.

    Args:
        figures: Of each model.
        headline: What comes first, with its interval; the accuracy comes after another one.
        crossed: What cross-validation says of some of them; without any there is no such column.
    """
    return pd.DataFrame(
        [_row(name, entry, headline, crossed or {}) for name, entry in figures.items()]
    )


def _row(name: str, entry: dict, headline: Headline, crossed: dict[str, dict]) -> dict[str, str]:
    low, high = (entry[f"{headline.name}_{bound}"] for bound in ("low", "high"))
    changed = entry.get("relabelled_test", 0)
    note = f" ({changed:,} labels changed)" if changed else ""
    row = {
        "model": name,
        f"test {headline.words}{note}": f"{entry[headline.name]:.4f}",
        "95 % interval": f"{low:.4f}-{high:.4f}",
    }
    if crossed:
        found = crossed.get(name)
        row["cross-validated"] = f"{found[headline.name]:.4f}" if found else "-"
        row["its 95 % interval"] = f"{found['low']:.4f}-{found['high']:.4f}" if found else "-"
    if headline.is_balanced:
        row[f"test accuracy{note}"] = f"{entry['accuracy']:.4f}"
    return row | {
        "macro F1": f"{entry['macro_f1']:.4f}",
        "log loss": f"{entry['log_loss']:.4f}",
        "calibration error": f"{entry['calibration_error']:.4f}",
        "pixels a side": f"{entry['image_size'] or ''}",
        "parameters": f"{entry['parameters']:,}",
        "operations a picture": f"{entry['operations']:,}",
        "file size (bytes)": f"{entry['file_bytes']:,}",
    }
