"""People's own photos in packs, with a list that says each one's class and split."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lookbook.datasets.cards import Card, PacksReader
from lookbook.datasets.grouping import kept_together
from lookbook.datasets.packs import read_list, read_packed
from lookbook.foundation.errors import LookbookError
from lookbook.pictures.batch import Batch, Fault
from lookbook.readers.reading import BATCH, BATCH_BYTES, Reading, index_of

SPLITS = {"train", "validation", "test"}


def read(card: Card, folder: Path) -> Reading:
    """Return the photos of the list, in its order, each in the split that the list says."""
    assert isinstance(card.reader, PacksReader)
    table = read_list(folder)
    labels = {name: label for label, name in enumerate(card.classes)}
    unknown = sorted(set(table["class"]) - set(labels))
    if unknown:
        raise LookbookError(
            f"Expected photos of the card's classes {', '.join(map(repr, card.classes))}. "
            f"Received: {', '.join(map(repr, unknown))}. `lookbook add` brings card and list "
            "together."
        )
    others = sorted(set(table["split"]) - SPLITS)
    if others:
        raise LookbookError(
            f"Expected the splits {', '.join(sorted(SPLITS))} in the list of photos. Received: "
            f"{', '.join(map(repr, others))}. Run `dvc checkout data/own` to bring it back."
        )
    # A pack is read once; its rows are together but for those that came back after a purge.
    table = table.sort_values("pack", kind="stable", key=lambda packs: packs.rank(method="dense"))
    index = index_of(
        table["name"].tolist(),
        np.array([labels[name] for name in table["class"]]),
        table["split"].tolist(),
    )
    return Reading(
        index,
        _batches(read_packed(folder, table)),
        [],
        channels=card.reader.channels,
        groups=kept_together(table),
        is_shared_out=True,
    )


def _batches(contents: Iterator[bytes | str]) -> Iterator[Batch]:
    batch, size = [], 0
    for content in contents:
        batch.append(Fault(content) if isinstance(content, str) else content)
        size += len(content)
        if len(batch) == BATCH or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
