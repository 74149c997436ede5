"""Turn published files into training, validation and test splits, and examine them.

In: data/raw and the card. Out: data/processed, as `lookbook.splits` describes it, with lists of
what was left out and of what the audit found; a chart of sample pictures and one of the classes.

    python -m stages.preprocess      3 s for digits, 11 s for MNIST
"""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from lookbook.datasets.cards import Card, load_card
from lookbook.drawing.galleries import draw_gallery, samples
from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import replacing, write_metrics
from lookbook.foundation.params import PreprocessParams, load_params
from lookbook.pictures.decoding import Form
from lookbook.preprocessing.assignment import Assignment, check_every_class
from lookbook.preprocessing.audit import audit, write_tables
from lookbook.preprocessing.charts import draw_class_counts
from lookbook.preprocessing.scaling import scaling_for
from lookbook.preprocessing.streaming import Written, drop_from_split, write_splits
from lookbook.preprocessing.twins import exact_groups, twins_in_test
from lookbook.readers import read_pictures
from lookbook.splits.spec import PROCESSED, SPLITS, TRAIN, Spec, unscaled_spec, write_spec
from lookbook.splits.split import Split

RAW = Path("data/raw")
SAMPLES = Path("metrics/samples.png")
CLASS_COUNTS = Path("metrics/class_counts.svg")
METRICS = Path("metrics/preprocess.json")
NUM_SAMPLES = 48
TWIN = "training picture with a twin in the test split"

logger = logging.getLogger("preprocess")


def form_of(card: Card, settings: PreprocessParams) -> Form:
    """Return what every picture is brought to; pictures from tables of pixels are grey."""
    if card.reader.kind != "images":
        return Form(settings.image_size, 1, settings.resize)
    channels, needs_jfif = card.reader.channels, card.reader.needs_jfif
    return Form(settings.image_size, channels, settings.resize, needs_jfif)


def check_unreadable(
    unreadable: list[tuple[str, str]], total: int, card: Card, max_share: float
) -> None:
    """Stop if too many pictures cannot be read, and say so if a known number differs."""
    known = None
    if card.reader.kind == "images":
        max_share = card.reader.max_unreadable or max_share
        known = card.reader.unreadable
    if len(unreadable) > max_share * total:
        first = ", ".join(f"{source} ({reason})" for source, reason in unreadable[:10])
        raise LookbookError(
            f"Expected at most {max_share:.1%} of the pictures to be unreadable. Received: "
            f"{len(unreadable):,} of {total:,} ({len(unreadable) / total:.1%}); the first are "
            f"{first}. Mend them, take them out, or raise preprocess.max_unreadable."
        )
    if known is not None and known != len(unreadable):
        logger.warning("%d pictures could not be used; expected %d", len(unreadable), known)


def drop_twins(
    written: Written, groups: np.ndarray, kind: str, folder: Path, spec: Spec
) -> tuple[Written, np.ndarray, list[tuple[str, str]]]:
    """Drop training pictures with a twin in the test split.

    Returns:
        What is left, its groups of duplicates, and source and reason of each that was dropped.
    """
    twins = twins_in_test(written.index, written.grids, groups, kind)
    if len(twins):
        train = np.flatnonzero(written.index["split"] == TRAIN)
        drop_from_split("train", np.searchsorted(train, twins), folder, spec)
    sources = written.index["source"].iloc[twins]
    kept = np.delete(groups, twins)
    sizes = pd.Series(kept).map(pd.Series(kept).value_counts())
    kept[sizes < 2] = -1  # the other half of a pair that was broken up
    return written.without(twins), kept, [(source, TWIN) for source in sources]


def make_splits(
    card: Card, settings: PreprocessParams, folder: Path
) -> tuple[Written, np.ndarray, Spec, list[tuple[str, str]]]:
    """Decode all pictures into the splits and drop twins.

    Returns:
        What the splits hold, its groups of duplicates, the splits' description but for the scaling,
        and source and reason of each picture that was left out.
    """
    form = form_of(card, settings)
    reading = read_pictures(card, RAW)
    assignment = Assignment(
        reading.index,
        card.classes,
        method=settings.split,
        validation_size=settings.validation_size,
        test_size=settings.test_size,
        seed=settings.seed,
    )
    written, unreadable = write_splits(reading, form, assignment, folder)
    check_unreadable(unreadable, len(reading.index), card, settings.max_unreadable)
    check_every_class(written.index, card.classes, validation_size=settings.validation_size)
    spec = unscaled_spec(card.classes, form.shape, settings.one_hot, written.index["split"])
    splits = [Split(name, folder, spec) for name in SPLITS]
    groups = exact_groups(written.index, written.grids, splits)
    written, groups, twins = drop_twins(written, groups, settings.drop_twins, folder, spec)
    check_every_class(written.index, card.classes, validation_size=settings.validation_size)
    spec = unscaled_spec(card.classes, form.shape, settings.one_hot, written.index["split"])
    return written, groups, spec, unreadable + reading.others + twins


@explains_errors
def main() -> None:
    """Make the splits, examine them, and write it all down."""
    params = load_params()
    card, settings = load_card(params.dataset), params.preprocess
    with replacing(PROCESSED) as folder:
        folder.mkdir()
        written, groups, spec, dropped = make_splits(card, settings, folder)
        dropped = pd.DataFrame(dropped, columns=["source", "reason"])
        reasons = dropped["reason"].value_counts().sort_index().to_dict()
        train = Split("train", folder, spec)
        scaling = scaling_for(settings.scaling, train)
        described = replace(spec, scaling=scaling, dropped=reasons, flips=card.flips)
        write_spec(folder, described)
        findings = audit(written.index, written.grids, groups, card.classes)
        write_tables({"dropped": dropped, **findings.tables}, folder)
        draw_gallery(SAMPLES, samples(train, NUM_SAMPLES))
        draw_class_counts(CLASS_COUNTS, findings.figures["classes"])
    logger.info("%s, each of shape %s; dropped: %s", spec.counts, spec.image_shape, reasons)
    write_metrics(METRICS, findings.figures | {"dropped": reasons})


if __name__ == "__main__":
    main()
