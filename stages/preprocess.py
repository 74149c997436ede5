"""Turn published files into training, validation and test splits, and examine them.

In: data/raw and the card. Out: data/processed, as `lookbook.splits` describes it, with lists of
what was left out and of what the audit found; a chart of sample pictures and one of the classes.

    python -m stages.preprocess      3 s for digits, 11 s for MNIST
"""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from lookbook.datasets.cards import load_card
from lookbook.drawing.galleries import draw_gallery, samples
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import replacing, write_metrics
from lookbook.foundation.params import load_params
from lookbook.preprocessing.audit import audit, write_tables
from lookbook.preprocessing.charts import draw_class_counts
from lookbook.preprocessing.making import make_splits
from lookbook.preprocessing.scaling import scaling_for
from lookbook.preprocessing.twins import kept_together
from lookbook.readers import read_pictures
from lookbook.splits.spec import PROCESSED, write_spec
from lookbook.splits.split import Split

RAW = Path("data/raw")
SAMPLES = Path("metrics/samples.png")
CLASS_COUNTS = Path("metrics/class_counts.svg")
METRICS = Path("metrics/preprocess.json")
NUM_SAMPLES = 48

logger = logging.getLogger("preprocess")


@explains_errors
def main() -> None:
    """Make the splits, examine them, and write it all down."""
    params = load_params()
    card, settings = load_card(params.dataset), params.preprocess
    with replacing(PROCESSED) as folder:
        folder.mkdir()
        made = make_splits(partial(read_pictures, card, RAW), card, settings, folder)
        train = Split("train", folder, made.spec)
        scaling = scaling_for(settings.scaling, train)
        reasons = made.dropped["reason"].value_counts().sort_index().to_dict()
        write_spec(folder, replace(made.spec, scaling=scaling, dropped=reasons))
        findings = audit(made.written.index, made.written.grids, made.groups, card.classes)
        tables = {"dropped": made.dropped, **findings.tables}
        together = kept_together(made.written.index, made.groups)
        if len(together):
            tables["groups"] = together
        write_tables(tables, folder)
        draw_gallery(SAMPLES, samples(train, NUM_SAMPLES))
        draw_class_counts(CLASS_COUNTS, findings.figures["classes"])
    choices = {name: choice.value for name, choice in made.spec.choices.items()}
    write_metrics(METRICS, findings.figures | {"dropped": reasons, "chosen": choices})
    counts = ", ".join(f"{count:,} {name}" for name, count in made.spec.counts.items())
    shape = " x ".join(map(str, made.spec.image_shape))
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    for name, choice in made.spec.choices.items():
        logger.info("%s: %s (%s)", name, choice.value, choice.reason)
    logger.info("%s pictures of %s; left out: %s", counts, shape, left_out or "none")


if __name__ == "__main__":
    main()
