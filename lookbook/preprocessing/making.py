"""Make the splits: decode every picture, give each its split, leave out what must be."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import PreprocessParams
from lookbook.pictures.decoding import Form
from lookbook.preprocessing.assignment import Assignment, check_every_class
from lookbook.preprocessing.relabelling import Relabelling
from lookbook.preprocessing.streaming import Written, near_groups, write_splits
from lookbook.preprocessing.twins import drop_twins, exact_groups
from lookbook.readers.reading import Reading
from lookbook.splits.spec import SPLITS, Spec, unscaled_spec
from lookbook.splits.split import Split

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
    relabelling: Relabelling,
    settings: PreprocessParams,
    folder: Path,
) -> Made:
    """Decode all pictures into the splits, with the labels of a review, and drop twins.

    Args:
        read: Opens the data set; twice where groups are to be found first.
        relabelling: What a review decided; knows the names of the classes.
        settings: Of the stage.
        folder: An empty folder.

    Raises:
        LookbookError: If too many pictures are unreadable, a split lacks a class, or a review was
            about other labels.
    """
    class_names = relabelling.class_names
    reading = read()
    form = Form(settings.image_size, reading.channels, settings.resize, reading.needs_jfif)
    by_groups = settings.groups == "near" and not reading.is_shared_out
    validation_size = 0.0 if reading.is_shared_out else settings.validation_size
    assignment = Assignment(
        reading.index,
        class_names,
        method=settings.split,
        validation_size=validation_size,
        test_size=0.0 if reading.is_shared_out else settings.test_size,
        seed=settings.seed,
        components=near_groups(read(), form) if by_groups else None,
    )
    written, unreadable, reviewed = write_splits(reading, form, assignment, relabelling, folder)
    check_unreadable(unreadable, reading, settings.max_unreadable)

    def described(written: Written) -> Spec:
        check_every_class(written.index, class_names, validation_size=validation_size)
        spec = unscaled_spec(class_names, form.shape, settings.one_hot, written.index["split"])
        changed = written.relabelled["split"]
        return replace(spec, relabelled={name: int((changed == name).sum()) for name in SPLITS})

    spec = described(written)
    groups = exact_groups(
        written.index, written.grids, [Split(name, folder, spec) for name in SPLITS]
    )
    written, groups, twins = drop_twins(written, groups, settings.drop_twins, folder, spec)
    left_out = unreadable + reading.others + reviewed + twins
    dropped = pd.DataFrame(left_out, columns=["source", "reason"])
    return Made(written, groups, described(written), dropped)


def check_unreadable(unreadable: list[tuple[str, str]], reading: Reading, max_share: float) -> None:
    """Stop if too many pictures cannot be read, and say so if a known number differs.

    Args:
        unreadable: Source and reason of each.
        reading: The data set; what it says of them comes before `max_share`.
        max_share: Largest share of all pictures.

    Raises:
        LookbookError: Names the first ten.
    """
    max_share, total = reading.max_unreadable or max_share, len(reading.index)
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
