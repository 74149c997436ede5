"""Measure every model on the test split, which no other stage opens.

In: the models, the splits, the curves, and what preprocess found out about the data. Out: what each
model says of each validation and test picture (metrics/predictions), figures, the table
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
from lookbook.evaluation.page import write_page
from lookbook.evaluation.results import Result, confusion, measure
from lookbook.evaluation.scores import changed_labels, guessing, ladder_table, verdicts
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import write_csv, write_metrics, write_text
from lookbook.foundation.params import load_params
from lookbook.ladder.rungs import RUNGS
from lookbook.splits.split import Split, training_splits

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


def draw(results: dict[str, Result]) -> None:
    """Draw what `dvc plots` shows of the results."""
    draw_ladder(LADDER_CHART, {name: result.figures for name, result in results.items()})
    bins = {name: reliability(r.test.labels, r.test.probabilities) for name, r in results.items()}
    draw_reliability(RELIABILITY, bins)
    for name, result in results.items():
        write_csv(CONFUSION / f"{name}.csv", confusion(result.test))
        pairs = [tile for _, examples in result.pairs for tile in examples]
        draw_gallery(GALLERIES / f"{name}_mistakes.png", result.mistakes, "no mistakes")
        draw_gallery(GALLERIES / f"{name}_confused.png", pairs, "no mistakes")
        if result.focus:
            draw_gallery(GALLERIES / f"{name}_focus.png", result.focus)


@explains_errors
def main() -> None:
    """Measure every model, draw, write it down."""
    params = load_params()
    (train, validation), test = training_splits(), Split("test")
    results = {rung.name: measure(rung, validation, test) for rung in RUNGS}
    figures = {name: result.figures for name, result in results.items()}
    said = {name: result.test for name, result in results.items()}
    lines = [*changed_labels(test), *verdicts(said, figures)]
    figures["majority_class"] = guessing(train, validation, test)
    table = ladder_table(figures)
    draw(results)
    write_metrics(METRICS, figures)
    text = "\n".join([*(f"- {line}" for line in lines), "", as_markdown(table)])
    write_text(LADDER, text + "\n")
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
    for line in lines:
        logger.info("%s", line)
    logger.info("the table: %s; all of it on one page: %s", LADDER, REPORT)


if __name__ == "__main__":
    main()
