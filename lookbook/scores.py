"""What a model's predictions are worth: the same figures for every model."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn import metrics


def wilson_interval(correct: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the bounds of Wilson's score interval for a share (Wilson, JASA 22, 1927).

    Args:
        correct: Successes.
        count: Trials.
        confidence: How often the interval holds the true share.
    """
    interval = binomtest(correct, count).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def score(labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]) -> dict:
    """Return the figures of one model.

    Args:
        labels: True class indices, of shape (n,).
        probabilities: float of shape (n, classes), rows adding up to 1.
        class_names: In label order.

    Returns:
        Accuracy with its 95 % interval, macro F1, log loss, and precision, recall and support of
        each class.
    """
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    low, high = wilson_interval(int((predicted == labels).sum()), len(labels))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(f1.mean()),
        "log_loss": float(metrics.log_loss(labels, probabilities, labels=classes)),
        "classes": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "support": int(support[label]),
            }
            for label, name in enumerate(class_names)
        },
    }


def majority_probabilities(train_labels: np.ndarray, count: int, num_classes: int) -> np.ndarray:
    """Return what a model that has seen no picture says: each class's share of the training data.

    Its prediction is the most frequent class, the lowest label among equals.

    Returns:
        float64 of shape (count, num_classes).
    """
    shares = np.bincount(train_labels, minlength=num_classes) / len(train_labels)
    return np.tile(shares, (count, 1))


def ladder(figures: dict[str, dict]) -> str:
    """Return the models' results as a Markdown table, in the order given."""
    rows = [
        {
            "model": name,
            "test accuracy": f"{entry['accuracy']:.4f}",
            "95 % interval": f"{entry['accuracy_low']:.4f}-{entry['accuracy_high']:.4f}",
            "macro F1": f"{entry['macro_f1']:.4f}",
            "log loss": f"{entry['log_loss']:.4f}",
            "parameters": f"{entry['parameters']:,}",
            "file size (bytes)": f"{entry['file_bytes']:,}",
        }
        for name, entry in figures.items()
    ]
    table = pd.DataFrame(rows)
    align = ["left", *["right"] * (table.shape[1] - 1)]
    return table.to_markdown(index=False, disable_numparse=True, colalign=align)
