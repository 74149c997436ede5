"""What every reader gives: a list of the pictures, and the pictures themselves, batch by batch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.pictures.batch import Batch

BATCH = 32  # picture files handed on at a time
BATCH_BYTES = 4 * 2**20


class Reading(NamedTuple):
    """A data set as its files hold it.

    Attributes:
        index: One row a picture, in published order: `source` (file and row, or member name),
            `label` (index into the card's classes), `published` (`train`, `validation`, `test`, or
            an empty text where the publisher does not say).
        batches: The pictures of `index` in the same order: lists of picture files, still encoded,
            or uint8 arrays of shape (n, height, width, channels).
        others: Source and reason of each file that is no picture of the set.
        channels: What the pictures are brought to: 1 for grey, 3 for colour.
        needs_jfif: Whether a picture file without a JFIF marker is left out.
        max_unreadable: Largest share of pictures that may be unreadable; None leaves it to the
            parameters.
        known_unreadable: How many are known to be so.
        groups: int of shape (n,): pictures of `index` that must stay together share a number; None
            where nothing is known of that.
        is_shared_out: Whether every picture's split stands in `published`; none is drawn then.
    """

    index: pd.DataFrame
    batches: Iterator[Batch]
    others: list[tuple[str, str]]
    channels: int
    needs_jfif: bool = False
    max_unreadable: float | None = None
    known_unreadable: int | None = None
    groups: np.ndarray | None = None
    is_shared_out: bool = False


def index_of(
    sources: Sequence[str], labels: Sequence[int] | np.ndarray, published: Sequence[str]
) -> pd.DataFrame:
    """Return the table that `Reading.index` describes."""
    columns = {"source": sources, "label": np.asarray(labels, np.int32), "published": published}
    return pd.DataFrame(columns)
