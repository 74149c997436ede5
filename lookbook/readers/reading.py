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
    """

    index: pd.DataFrame
    batches: Iterator[Batch]
    others: list[tuple[str, str]]


def index_of(
    sources: Sequence[str], labels: Sequence[int], published: Sequence[str]
) -> pd.DataFrame:
    """Return the table that `Reading.index` describes."""
    columns = {"source": sources, "label": np.asarray(labels, np.int32), "published": published}
    return pd.DataFrame(columns)
