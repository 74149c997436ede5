"""Turn published files into training, validation and test splits, and examine them.

In: data/raw, the card, and data/labels, what a review decided. Out: data/processed, as
`lookbook.splits` describes it, with lists of what was left out or relabelled and of what the audit
found; a chart of sample pictures and one of the classes.

    python -m stages.preprocess      3 s for digits, 11 s for MNIST
"""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from lookbook.datasets.cards import load_card
from lookbook.datasets.labels import read_labels
from lookbook.drawing.galleries import draw_gallery, samples
from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import replacing, write_metrics
from lookbook.foundation.params import load_params
from lookbook.preprocessing.audit import audit, write_tables
from lookbook.preprocessing.charts import draw_class_counts
from lookbook.preprocessing.making import make_splits
from lookbook.preprocessing.relabelling import Relabelling
from lookbook.preprocessing.scaling import scaling_for
from lookbook.preprocessing.twins import kept_together
from lookbook.readers import read_pictures
from lookbook.splits.spec import PROCESSED, write_spec
from lookbook.splits.split import Split
from lookbook.splits.sums import write_sums

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
    decisions = read_labels(params.dataset, card)
    relabelling = Relabelling(params.dataset, decisions, card.classes)
    with replacing(PROCESSED) as folder:
        folder.mkdir()
        made = make_splits(partial(read_pictures, card, RAW), card, relabelling, settings, folder)
        train = Split("train", folder, made.spec)
        scaling = scaling_for(settings.scaling, train)
        reasons = made.dropped["reason"].value_counts().sort_index().to_dict()
        known = {"dropped": reasons, "dataset": params.dataset}
        write_spec(folder, replace(made.spec, scaling=scaling, **known))
        findings = audit(made.written.index, made.written.grids, made.groups, card.classes)
        tables = {"dropped": made.dropped, "relabelled": made.written.relabelled}
        together = kept_together(made.written.index, made.groups)
        if len(together):
            tables["groups"] = together
        write_tables(tables | findings.tables, folder)
        write_sums(folder)
        draw_gallery(SAMPLES, samples(train, NUM_SAMPLES))
        draw_class_counts(CLASS_COUNTS, findings.figures["classes"])
    reviewed = made.spec.relabelled
    choices = {name: choice.value for name, choice in made.spec.choices.items()}
    changes = {"dropped": reasons, "relabelled": reviewed, "chosen": choices}
    write_metrics(METRICS, findings.figures | changes)
    counts = ", ".join(f"{count:,} {name}" for name, count in made.spec.counts.items())
    shape = " x ".join(map(str, made.spec.image_shape))
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    for name, choice in made.spec.choices.items():
        logger.info("%s: %s (%s)", name, choice.value, choice.reason)
    logger.info("%s pictures of %s; left out: %s", counts, shape, left_out or "none")
    if any(reviewed.values()):
        changed = ", ".join(f"{count:,} {name}" for name, count in reviewed.items())
        logger.info("changed or dropped in review: %s", changed)


if __name__ == "__main__":
    main()
