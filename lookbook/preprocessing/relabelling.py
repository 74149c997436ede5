"""What a review decided about labels, applied while the pictures are written.

Splits are drawn by the labels that the data give, so that no decision moves a picture.
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lookbook.datasets.labels import KEEP, labels_path
from lookbook.foundation.errors import LookbookError
from lookbook.splits.spec import SPLITS

DROPPED = "dropped in review"  # the reason to leave a picture out
GONE = -1  # in place of the label of one that is
SHOWN = 10  # ids in a message

logger = logging.getLogger(__name__)


class Relabelling:
    """Says which label a picture gets in place of the given one."""

    def __init__(self, dataset: str, decisions: pd.DataFrame, class_names: list[str]):
        """Look up what was decided.

        Args:
            dataset: The set's name, for messages.
            decisions: As `lookbook.datasets.labels.read_labels` returns them.
            class_names: In label order.
        """
        self._dataset, self.class_names = dataset, class_names
        place = {name: label for label, name in enumerate(class_names)} | {"": GONE}
        self._decided = {
            (row.id, place[row.given]): place[row.given if row.action == KEEP else row.label]
            for row in decisions.itertuples()
        }

    def labels_for(self, ids: Sequence[str], given: np.ndarray) -> np.ndarray:
        """Return the label of each picture, `GONE` for one that is left out: int32 (n,)."""
        if not self._decided:
            return given
        pairs = zip(ids, given.tolist(), strict=True)
        return np.array([self._decided.get(pair, pair[1]) for pair in pairs], np.int32)

    def check_all_met(self, ids: np.ndarray, given: np.ndarray) -> None:
        """Say which decisions are about no picture of these.

        Args:
            ids: Of all pictures that could be read.
            given: Their given labels, before any was changed.

        Raises:
            LookbookError: If pictures have another given label than when it was decided.
        """
        if not self._decided:
            return
        unmet = self._decided.keys() - set(zip(ids.tolist(), given.tolist(), strict=True))
        here = set(ids.tolist())
        other = sorted((picture, label) for picture, label in unmet if picture in here)
        path = labels_path(self._dataset)
        if other:
            first = ", ".join(f"{i} ({self.class_names[label]})" for i, label in other[:SHOWN])
            raise LookbookError(
                f"Expected the given labels that {path} was made on. Received: other ones for "
                f"{len(other):,} of its rows; the first are {first}. Take these rows out of it, or "
                "all: lookbook relabel --take-back"
            )
        if unmet:
            logger.info("%d rows of %s are about pictures that are gone", len(unmet), path)


def relabelled(rows: pd.DataFrame, class_names: list[str]) -> pd.DataFrame:
    """Return a row for each picture whose label was changed, or that was dropped for it.

    Args:
        rows: id, source, given, label (`GONE`: dropped) and split of these pictures.
        class_names: In label order.
    """
    names = np.array([*class_names, ""], object)  # the last is that of GONE
    return pd.DataFrame(
        {
            "split": np.array(SPLITS, object)[rows["split"]],
            "id": rows["id"],
            "source": rows["source"],
            "given": names[rows["given"]],
            "label": names[rows["label"]],
        }
    )
