"""Measure every model on the test split, which no other stage opens.

In: the four models and the splits. Out: metrics/evaluate.json, the table metrics/ladder.md, and
the true and predicted class of each test picture in metrics/confusion, for `dvc plots`.

    python -m stages.evaluate        10 s on digits; 20 s on Fashion-MNIST
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.errors import explains_errors
from lookbook.files import replacing, write_metrics
from lookbook.models import load_model, predict
from lookbook.scores import ladder, majority_probabilities, score
from lookbook.splits import Split

MODELS = {
    "baseline": Path("models/baseline.npz"),
    "train_ann": Path("models/train_ann.keras"),
    "train_cnn": Path("models/train_cnn.keras"),
    "train_transfer": Path("models/train_transfer.keras"),
}
CONFUSION = Path("metrics/confusion")
LADDER = Path("metrics/ladder.md")
METRICS = Path("metrics/evaluate.json")

logger = logging.getLogger("evaluate")


def evaluate(path: Path, test: Split) -> tuple[dict, np.ndarray]:
    """Return a model's figures and its probabilities for the test split."""
    model = load_model(path)
    probabilities = predict(model, test, path)
    figures = score(test.labels, probabilities, test.spec.class_names)
    cost = {"parameters": model.num_parameters, "file_bytes": path.stat().st_size}
    return cost | figures, probabilities


def confusion(test: Split, probabilities: np.ndarray) -> pd.DataFrame:
    """Return the columns actual and predicted, class names, one row a test picture."""
    names = np.array(test.spec.class_names)
    columns = {"actual": names[test.labels], "predicted": names[probabilities.argmax(axis=1)]}
    return pd.DataFrame(columns)


def majority(test: Split) -> dict:
    """Return the figures of guessing from the class shares of the training data alone."""
    labels = Split("train").labels
    probabilities = majority_probabilities(labels, len(test), test.spec.num_classes)
    figures = score(test.labels, probabilities, test.spec.class_names)
    return {"parameters": 0, "file_bytes": 0} | figures


@explains_errors
def main() -> None:
    """Measure, draw up the table, print it."""
    test = Split("test")
    figures = {}
    for name, path in MODELS.items():
        figures[name], probabilities = evaluate(path, test)
        logger.info("%s: test accuracy %.4f", name, figures[name]["accuracy"])
        with replacing(CONFUSION / f"{name}.csv") as partial:
            confusion(test, probabilities).to_csv(partial, index=False, lineterminator="\n")
    figures["majority_class"] = majority(test)
    text = ladder(figures)
    with replacing(LADDER) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    write_metrics(METRICS, figures)
    print(f"\n{text}\n")


if __name__ == "__main__":
    main()
