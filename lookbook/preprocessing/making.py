"""Make the splits: decode every picture, give each its split, leave out what must be."""

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lookbook.datasets.cards import Card
from lookbook.datasets.choosing import choose
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.params import PreprocessParams
from lookbook.foundation.schema import Choice
from lookbook.pictures.batch import Batch, shorter_sides
from lookbook.pictures.decoding import Form
from lookbook.pictures.resizing import sharing_threads
from lookbook.preprocessing.assignment import Assignment, check_every_class
from lookbook.preprocessing.relabelling import Relabelling
from lookbook.preprocessing.streaming import Written, near_groups, write_splits
from lookbook.preprocessing.twins import drop_twins, exact_groups
from lookbook.readers.reading import Reading
from lookbook.splits.spec import SPLITS, Spec, unscaled_spec
from lookbook.splits.split import Split

MAX_UNREADABLE = 0.01  # share of the pictures

logger = logging.getLogger(__name__)


class Made(NamedTuple):
    """Splits that are on disk, but for their description.

    Attributes:
        written: The pictures in them.
        groups: Which have the same pixels, as `lookbook.preprocessing.twins.exact_groups` says.
        spec: Their description, without the scaling.
        dropped: The columns source and reason of each picture that was left out.
    """

    written: Written
    groups: np.ndarray
    spec: Spec
    dropped: pd.DataFrame


def make_splits(
    read: Callable[[], Reading],
    card: Card,
    relabelling: Relabelling,
    settings: PreprocessParams,
    folder: Path,
) -> Made:
    """Decode all pictures into the splits, with the labels of a review, and drop twins.

    Args:
        read: Opens the data set; more than once where groups or sizes are to be found first.
        card: The data set's.
        relabelling: What a review decided.
        settings: Of the stage.
        folder: An empty folder.

    Raises:
        LookbookError: If too many pictures are unreadable, a split lacks a class, or a review was
            about other labels.
    """
    choices = card.choices or choices_for(read(), card.classes)
    if settings.image_size != "auto":
        asked = Choice(settings.image_size, "preprocess.image_size says so")
        choices = choices | {"image_size": asked}
    reading, class_names = read(), card.classes
    side = int(choices["image_size"].value)
    form = Form(side, reading.channels, settings.resize, reading.needs_jfif)
    by_groups = settings.groups == "near" and not reading.is_shared_out
    if by_groups:
        reading = reading._replace(groups=near_groups(read(), form))
    validation_size = 0.0 if reading.is_shared_out else settings.validation_size
    assignment = Assignment(
        reading.index,
        class_names,
        method=settings.split,
        validation_size=validation_size,
        test_size=0.0 if reading.is_shared_out else settings.test_size,
        seed=settings.seed,
        components=reading.groups if by_groups else None,
    )
    written, unreadable, reviewed = write_splits(reading, form, assignment, relabelling, folder)
    check_unreadable(unreadable, reading, settings.max_unreadable)

    def described(written: Written) -> Spec:
        check_every_class(written.index, class_names, validation_size=validation_size)
        spec = unscaled_spec(class_names, form.shape, settings.one_hot, written.index["split"])
        changed = written.relabelled["split"]
        counts = {name: int((changed == name).sum()) for name in SPLITS}
        return replace(spec, flips=card.flips, choices=choices, relabelled=counts)

    spec = described(written)
    groups = exact_groups(
        written.index, written.grids, [Split(name, folder, spec) for name in SPLITS]
    )
    written, groups, twins = drop_twins(written, groups, settings.drop_twins, folder, spec)
    left_out = unreadable + reading.others + reviewed + twins
    dropped = pd.DataFrame(left_out, columns=["source", "reason"])
    return Made(written, groups, described(written), dropped)


def choices_for(reading: Reading, class_names: list[str]) -> dict[str, Choice]:
    """Return what `auto` means for a data set whose card does not say it."""
    first: Batch = next(reading.batches, [])
    is_table = isinstance(first, np.ndarray)  # then all pictures have one size
    with sharing_threads():
        rest = () if is_table else in_parallel(shorter_sides, reading.batches)
        sides = [*shorter_sides(first), *chain.from_iterable(rest)]
    counts = np.bincount(reading.index["label"], minlength=len(class_names))
    by_class = dict(zip(class_names, counts.tolist(), strict=True))
    return choose(sides, reading.channels, by_class, is_table=is_table)


def check_unreadable(
    unreadable: list[tuple[str, str]], reading: Reading, asked: float | Literal["auto"]
) -> None:
    """Stop if too many pictures cannot be read, and say so if a known number differs.

    Args:
        unreadable: Source and reason of each.
        reading: The data set.
        asked: Largest share of all pictures; `auto` leaves it to the data set, or else is
            `MAX_UNREADABLE`.

    Raises:
        LookbookError: Names the first ten.
    """
    total = len(reading.index)
    max_share = (reading.max_unreadable or MAX_UNREADABLE) if asked == "auto" else asked
    if len(unreadable) > max_share * total:
        first = ", ".join(f"{source} ({reason})" for source, reason in unreadable[:10])
        raise LookbookError(
            f"Expected at most {max_share:.1%} of the pictures to be unreadable. Received: "
            f"{len(unreadable):,} of {total:,} ({len(unreadable) / total:.1%}); the first are "
            f"{first}. Mend them, take them out, or raise preprocess.max_unreadable."
        )
    known = reading.known_unreadable
    if known is not None and known != len(unreadable):
        logger.warning("%d pictures could not be used; expected %d", len(unreadable), known)
