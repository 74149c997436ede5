"""Measure every model on the test split, which no other stage opens.

In: the models, the splits, the curves, what preprocess found out about the data, and the learning
curve if there is one of these data. Out: what each model says of each validation and test picture
(metrics/predictions), when it should not answer (models/doubt), figures, the table
metrics/ladder.md, pictures for `dvc plots`, and everything on one page, metrics/report.html.

    python -m stages.evaluate        10 s on digits; 22 s on Fashion-MNIST
"""

import json
import logging
from pathlib import Path

import pandas as pd

from lookbook.drawing.galleries import draw_gallery
from lookbook.drawing.tables import as_markdown
from lookbook.evaluation.calibration import reliability
from lookbook.evaluation.charts import draw_ladder, draw_reliability
from lookbook.evaluation.measuring import measure
from lookbook.evaluation.results import Result, confusion
from lookbook.evaluation.scores import (
    changed_labels,
    cross_validations,
    guessing,
    ladder_table,
    verdicts,
)
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import write_csv, write_metrics, write_text
from lookbook.foundation.names import in_markdown
from lookbook.foundation.params import load_params
from lookbook.ladder.promise import promise
from lookbook.ladder.rungs import RUNGS
from lookbook.reporting.page import write_page
from lookbook.splits.folds import has_small_test
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split, training_splits

AUDIT = Path("metrics/preprocess.json")
CURVES = Path("metrics/curves")
CONFUSION = Path("metrics/confusion")
GALLERIES = Path("metrics/galleries")
LEARNING_CURVE = Path("metrics/learning_curve.json")
LADDER = Path("metrics/ladder.md")
LADDER_CHART = Path("metrics/ladder.svg")
RELIABILITY = Path("metrics/reliability.svg")
REPORT = Path("metrics/report.html")
METRICS = Path("metrics/evaluate.json")

logger = logging.getLogger("evaluate")


def draw(results: dict[str, Result], headline: Headline) -> None:
    """Draw what `dvc plots` shows of the results."""
    figures = {name: result.figures for name, result in results.items()}
    draw_ladder(LADDER_CHART, figures, headline)
    bins = {name: reliability(r.test.labels, r.test.probabilities) for name, r in results.items()}
    draw_reliability(RELIABILITY, bins)
    for name, result in results.items():
        write_csv(CONFUSION / f"{name}.csv", confusion(result.test))
        pairs = [tile for _, examples in result.pairs for tile in examples]
        draw_gallery(GALLERIES / f"{name}_mistakes.png", result.mistakes, "no mistakes")
        draw_gallery(GALLERIES / f"{name}_confused.png", pairs, "no mistakes")
        if result.focus:
            draw_gallery(GALLERIES / f"{name}_focus.png", result.focus)


def cross_validated(results: dict[str, Result]) -> dict[str, dict]:
    """Return what the stages of models say of them by repeated cross-validation, if they do."""
    rungs = [result.rung for result in results.values() if result.rung.crossed]
    found = {r.name: json.loads(r.metrics.read_text(encoding="utf-8")) for r in rungs}
    return {name: entry["repeated_cv"] for name, entry in found.items() if "repeated_cv" in entry}


@explains_errors
def main() -> None:
    """Measure every model, draw, write it down."""
    params = load_params()
    (train, validation), test = training_splits(), Split("test")
    headline = Headline.of(train, validation)
    splits = (train, validation, test)
    results = {rung.name: measure(rung, splits, headline, params.evaluate) for rung in RUNGS}
    figures = {name: result.figures for name, result in results.items()}
    crossed = cross_validated(results) if has_small_test(test.spec) else {}
    said = {name: result.test for name, result in results.items()}
    lines = [*changed_labels(test), *verdicts(said, figures, headline)]
    lines += cross_validations(crossed, figures, headline, len(test))
    figures["majority_class"] = guessing(train, validation, test, headline)
    table = ladder_table(figures, headline, crossed)
    draw(results, headline)
    write_metrics(METRICS, figures)
    text = "\n".join([*(f"- {in_markdown(line)}" for line in lines), "", as_markdown(table)])
    write_text(LADDER, text + "\n")
    write_page(
        REPORT,
        results,
        figures=METRICS,
        guessing=figures["majority_class"],
        crossed=crossed,
        headline=headline,
        splits=splits,
        audit=json.loads(AUDIT.read_text(encoding="utf-8")),
        curves={path.stem: pd.read_csv(path) for path in CURVES.glob("*.csv")},
        learning_curve=LEARNING_CURVE,
        params=params,
        promised=promise(Path.read_bytes, RUNGS),
    )
    for line in lines:
        logger.info("%s", line)
    logger.info("the table: %s", LADDER)
    logger.info("the page, which `lookbook report` opens: %s", REPORT)


if __name__ == "__main__":
    main()
