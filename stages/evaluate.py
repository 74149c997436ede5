"""Measure every model on the test split, which no other stage opens.

In: the models, the splits, the curves, and what preprocess found out about the data. Out: what each
model says of each validation and test picture (metrics/predictions), figures, the table
metrics/ladder.md, pictures for `dvc plots`, and everything on one page, metrics/report.html.

    python -m stages.evaluate        10 s on digits; 22 s on Fashion-MNIST
"""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.drawing.galleries import draw_gallery
from lookbook.drawing.tables import as_markdown
from lookbook.evaluation.calibration import reliability
from lookbook.evaluation.charts import draw_ladder, draw_reliability
from lookbook.evaluation.focus import focus, with_heat
from lookbook.evaluation.mistakes import confused_pairs, looked_at, tiles, worst_mistakes
from lookbook.evaluation.page import Result, write_page
from lookbook.evaluation.predictions import (
    Predictions,
    prediction_file,
    predictions_for,
    write_predictions,
)
from lookbook.evaluation.scores import (
    absent,
    compare_neighbours,
    ladder,
    majority,
    score,
    selection,
)
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import replacing, write_metrics
from lookbook.foundation.params import load_params
from lookbook.ladder.models import load_model, predict
from lookbook.splits.split import Split, training_splits

MODELS = {
    "baseline": Path("models/baseline.npz"),
    "train_ann": Path("models/train_ann.keras"),
    "train_cnn": Path("models/train_cnn.keras"),
    "train_transfer": Path("models/train_transfer.keras"),
}
CONVOLUTIONAL = ["train_cnn", "train_transfer"]
AUDIT = Path("metrics/preprocess.json")
CLASS_COUNTS = Path("metrics/class_counts.svg")
CURVES = Path("metrics/curves")
CONFUSION = Path("metrics/confusion")
GALLERIES = Path("metrics/galleries")
LADDER = Path("metrics/ladder.md")
LADDER_CHART = Path("metrics/ladder.svg")
RELIABILITY = Path("metrics/reliability.svg")
REPORT = Path("metrics/report.html")
METRICS = Path("metrics/evaluate.json")

logger = logging.getLogger("evaluate")


def evaluate(name: str, path: Path, validation: Split, test: Split) -> Result:
    """Ask a model about every picture once, keep what it says, and find out what that is worth."""
    model = load_model(path)
    said = {}
    for split in (validation, test):
        said[split.name] = predictions_for(split, predict(model, split, path))
        write_predictions(prediction_file(name, split.name), said[split.name])
    cost = {
        "parameters": model.num_parameters,
        "operations": model.operations,
        "file_bytes": path.stat().st_size,
    }
    of_test = said["test"]
    figures = cost | score(of_test, said["validation"])
    logger.info("%s: test accuracy %.4f", name, figures["accuracy"])
    heated = []
    if name in CONVOLUTIONAL:
        rows = looked_at(of_test)
        images = test.images(rows)
        heated = tiles(of_test, test, rows, with_heat(images, focus(model.network, images)))
    return Result(
        path=path,
        figures=figures,
        test=of_test,
        mistakes=tiles(of_test, test, worst_mistakes(of_test)),
        pairs=[(pair, tiles(of_test, test, pair.rows)) for pair in confused_pairs(of_test)],
        focus=heated,
    )


def confusion(test: Predictions) -> pd.DataFrame:
    """Return the columns actual and predicted, class names, one row a test picture."""
    names = np.array(test.class_names)
    return pd.DataFrame({"actual": names[test.labels], "predicted": names[test.predicted]})


def draw(results: dict[str, Result]) -> None:
    """Draw what `dvc plots` shows of the results."""
    draw_ladder(LADDER_CHART, {name: result.figures for name, result in results.items()})
    bins = {
        name: reliability(result.test.labels, result.test.probabilities)
        for name, result in results.items()
    }
    draw_reliability(RELIABILITY, bins)
    for name, result in results.items():
        with replacing(CONFUSION / f"{name}.csv") as partial:
            confusion(result.test).to_csv(partial, index=False, lineterminator="\n")
        pairs = [tile for _, examples in result.pairs for tile in examples]
        draw_gallery(GALLERIES / f"{name}_mistakes.png", result.mistakes, "no mistakes")
        draw_gallery(GALLERIES / f"{name}_confused.png", pairs, "no mistakes")
        if result.focus:
            draw_gallery(GALLERIES / f"{name}_focus.png", result.focus)


@explains_errors
def main() -> None:
    """Measure, draw, write it down, print the table."""
    params = load_params()
    (train, validation), test = training_splits(), Split("test")
    results = {name: evaluate(name, path, validation, test) for name, path in MODELS.items()}
    figures = {name: result.figures for name, result in results.items()}
    pairs = compare_neighbours({name: result.test for name, result in results.items()})
    lines = [f"{pair}: {comparison}" for pair, comparison in pairs.items()]
    lines += [selection(figures), *absent(results["baseline"].test)]
    guess = score(majority(train, test), majority(train, validation))
    figures["majority_class"] = {"parameters": 0, "operations": 0, "file_bytes": 0} | guess
    table = ladder(figures)
    draw(results)
    write_metrics(METRICS, figures)
    write_page(
        REPORT,
        results,
        figures=METRICS,
        lines=lines,
        table=table,
        splits=(train, validation, test),
        audit=json.loads(AUDIT.read_text(encoding="utf-8")),
        charts={"ladder": LADDER_CHART, "reliability": RELIABILITY, "class_counts": CLASS_COUNTS},
        curves={path.stem: pd.read_csv(path) for path in CURVES.glob("*.csv")},
        params=params,
    )
    text = "\n".join([*(f"- {line}" for line in lines), "", as_markdown(table)])
    with replacing(LADDER) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n")


if __name__ == "__main__":
    main()
